//! `modfetch bundle`: modules across an air gap. What the commands of the area share.

pub(super) mod create;
mod create_flags;
pub(super) mod diff;
pub(super) mod env;
mod heads;
pub(super) mod import;
mod import_store;
mod input;
pub(super) mod list;
mod split;
pub(super) mod verify;
pub(super) mod want;
mod wanted_projects;

use std::path::{Path, PathBuf};

use crate::bundle::{BundleTrust, Manifest, ManifestModule};
use crate::cli::RawArgs;
use crate::cli::flags::Flag;
use crate::command::directory::working_directory;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fsio::read_whole;
use crate::gomod::PrefixPatterns;
use crate::gomod::modfile::GoSum;
use crate::report::JsonObject;
use crate::source::DatabaseSetting;

/// `--go-sum`.
pub(super) static GO_SUM: Flag = Flag {
    long: "go-sum",
    value: Some("FILE"),
    brief: "Let this go.sum vouch for modules as well",
    detail: "May be given several times. A sum in it that differs from the bundle's ends the command with exit code 5.",
    ..Flag::OURS
};

/// What this machine believes of a bundle: the key that GOSUMDB names, GONOSUMDB, and the go.sum files
/// that were named.
fn trust(config: &Config, raw: &RawArgs) -> Result<BundleTrust> {
    let setting = DatabaseSetting::parse(&config.gosumdb.value)?;
    let mut go_sum: Option<GoSum> = None;
    for file in raw.texts(&GO_SUM) {
        let path = from_current_directory(file)?;
        let data = read_whole(&path).map_err(|cause| Error::io("cannot read", &path, cause))?;
        let sums = GoSum::parse(&path.display().to_string(), &data)?;
        let all = go_sum.get_or_insert_default();
        for (path, version, hashes) in sums.iter() {
            for hash in hashes {
                all.insert(path, version, hash);
            }
        }
    }
    Ok(BundleTrust {
        verifier: setting.map(|setting| setting.verifier),
        exempt: PrefixPatterns::parse(&config.gonosumdb.value),
        go_sum,
    })
}

/// A file as it was typed: seen from where the program was started, also where `-C` names projects.
fn from_current_directory(file: impl AsRef<Path>) -> Result<PathBuf> {
    Ok(working_directory(&RawArgs::default())?.join(file))
}

/// The one file that a command takes; `-` is standard input.
fn one_file(raw: &RawArgs, command: &str) -> Result<String> {
    match raw.args.as_slice() {
        [file] => Ok(file.clone()),
        _ => {
            let text = format!("{command} takes one bundle, or - for standard input");
            Err(Error::new(Kind::Usage, text))
        }
    }
}

/// The name that a module version is listed by: that of its go.mod where there is no zip.
fn module_name(one: &ManifestModule) -> String {
    match one.zip {
        Some(_) => one.module.to_string(),
        None => format!("{}/go.mod", one.module),
    }
}

/// What a manifest says, as an object.
fn manifest_json(manifest: &Manifest) -> JsonObject {
    let mut json = JsonObject::new();
    if let Some(database) = &manifest.database {
        json.string("Database", &database.name);
        json.number("Tree", database.tree);
    }
    let modules = manifest.modules.iter().map(|one| {
        let mut json = JsonObject::new();
        json.string("Path", one.module.path().as_str());
        json.string("Version", one.module.version().as_str());
        json.string("Time", one.time.as_deref().unwrap_or_default());
        if let Some(zip) = &one.zip {
            json.string("Sum", zip.h1.as_str());
            json.number("ZipBytes", zip.bytes);
            json.string("ZipSHA256", &zip.sha256);
        }
        json.string("GoModSum", one.gomod.as_str());
        json.string("Source", &one.source);
        json
    });
    json.objects("Modules", &modules.collect::<Vec<_>>());
    json
}
