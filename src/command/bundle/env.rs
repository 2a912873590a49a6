//! `modfetch bundle env`: the settings that make go use a bundle.

use std::fs;
use std::path::Path;

use super::from_current_directory;
use super::one_file;
use crate::bundle::{MANIFEST_NAME, Manifest, read_manifest_and_head};
use crate::cli::CommandInfo;
use crate::command::definition::{Command, Runner};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::gomod::TOOLCHAIN;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "env"],
        arguments: "FILE",
        brief: "Print the settings that make go use a bundle",
        detail: "Prints lines for a shell's eval. FILE is a bundle that was imported: go then works from the module cache, with GOPROXY=off. Or it is a directory, of an unpacked bundle or of 'bundle import --into': go then takes modules from there.\n\
Modules without a record in the checksum database are exempt from it by GONOSUMDB, and by nothing else; GOTOOLCHAIN is local unless the bundle has a toolchain.",
        examples: &[("eval \"$(modfetch bundle env site.tar)\"", "for this shell")],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let file = from_current_directory(one_file(call.raw, "bundle env")?)?;
        console.data(&settings(&file, config)?)?;
        Ok(None)
    }),
};

fn settings(file: &Path, config: &Config) -> Result<String> {
    let is_directory = file.is_dir();
    let manifest = match is_directory {
        false => {
            let opened =
                fs::File::open(file).map_err(|cause| Error::io("cannot open", file, cause))?;
            let read = read_manifest_and_head(opened);
            Some(
                read.map_err(|error| error.context(file.display().to_string()))?
                    .0,
            )
        }
        true => match fs::read(file.join(MANIFEST_NAME)) {
            Ok(text) => Some(Manifest::parse(&text)?),
            // A tree that was put together from several bundles has none.
            Err(_) if file.join("sumdb").is_dir() => None,
            Err(cause) => {
                let text = format!("{}: neither a bundle nor a tree of modules", file.display());
                return Err(Error::new(Kind::Input, text).because(cause));
            }
        },
    };
    let goproxy = match is_directory {
        true => format!("file://{}", url_path(&file.display().to_string())),
        false => "off".to_owned(),
    };
    let modules = manifest.iter().flat_map(|manifest| &manifest.modules);
    let mut exempt: Vec<&str> = modules
        .filter(|one| one.record.is_none())
        .map(|one| one.module.path().as_str())
        .collect();
    exempt.dedup();
    let exempt = match exempt.is_empty() {
        true => "none".to_owned(),
        false => exempt.join(","),
    };
    let has_toolchain = match &manifest {
        Some(manifest) => manifest
            .modules
            .iter()
            .any(|one| one.module.path().as_str() == TOOLCHAIN),
        None => file.join(TOOLCHAIN).is_dir(),
    };
    let mut lines = vec![
        ("GOPROXY", goproxy),
        // No module is taken from elsewhere, whatever GOPRIVATE says.
        ("GONOPROXY", "none".to_owned()),
        ("GONOSUMDB", exempt),
        // A vendor directory does not stand in for the modules; go.work may be used.
        ("GOFLAGS", "-mod=readonly".to_owned()),
        (
            "GOTOOLCHAIN",
            if has_toolchain { "auto" } else { "local" }.to_owned(),
        ),
    ];
    if config.gosumdb.value != "off" {
        lines.push(("GOSUMDB", config.gosumdb.value.clone()));
    }
    let lines = lines
        .into_iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(&value)));
    // go.work is found from where go runs, as it was when the bundle was made.
    Ok(lines.collect::<String>() + "unset GOWORK\n")
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path within a URL.
fn url_path(path: &str) -> String {
    let bytes = path.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    bytes.collect()
}
