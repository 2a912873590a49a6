//! `modfetch bundle diff`: what one bundle has and another lacks.

use std::collections::BTreeMap;

use super::input::BundleInput;
use super::module_name;
use crate::bundle::{Manifest, read_manifest_and_head};
use crate::cli::CommandInfo;
use crate::command::definition::{Command, Runner};
use crate::config::flags;
use crate::error::{Error, Kind, Result};
use crate::report::JsonObject;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "diff"],
        flags: &[&flags::JSON],
        arguments: "OLD NEW",
        brief: "Compare the modules of two bundles",
        detail: "Prints a line for each module version that only one of them has: - for OLD, + for NEW, ! where both have it with other sums. Reads the manifests alone.",
        examples: &[(
            "modfetch bundle diff may.tar june.tar",
            "what June adds and leaves out",
        )],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, _, console| {
        let [old, new] = call.raw.args.as_slice() else {
            return Err(Error::new(Kind::Usage, "bundle diff takes two bundles"));
        };
        let (old, new) = (sums(&read(old)?), sums(&read(new)?));
        let only = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
            let only = a.keys().filter(|name| !b.contains_key(*name));
            only.cloned().collect::<Vec<String>>()
        };
        let (removed, added) = (only(&old, &new), only(&new, &old));
        let changed = old
            .iter()
            .filter(|(name, sums)| new.get(*name).is_some_and(|new| new != *sums));
        let changed: Vec<String> = changed.map(|(name, _)| name.clone()).collect();
        let text = if call.raw.is_on(&flags::JSON) {
            let mut json = JsonObject::new();
            json.strings("Removed", &removed);
            json.strings("Added", &added);
            json.strings("Changed", &changed);
            json.indented() + "\n"
        } else {
            let signs = [("-", &removed), ("+", &added), ("!", &changed)];
            let lines = signs
                .into_iter()
                .flat_map(|(sign, names)| names.iter().map(move |name| format!("{sign} {name}\n")));
            lines.collect()
        };
        console.data(&text)?;
        Ok(None)
    }),
};

fn read(file: &str) -> Result<Manifest> {
    let read = read_manifest_and_head(BundleInput::open(file)?);
    let (manifest, _) = read.map_err(|error| error.context(file))?;
    Ok(manifest)
}

/// The sums of each module, by the name that it is listed by.
fn sums(manifest: &Manifest) -> BTreeMap<String, String> {
    let modules = manifest.modules.iter().map(|one| {
        let zip = one.zip.as_ref().map(|zip| zip.h1.to_string());
        (
            module_name(one),
            format!("{} {}", one.gomod, zip.unwrap_or_default()),
        )
    });
    modules.collect()
}
