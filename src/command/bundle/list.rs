//! `modfetch bundle list`: what is in a bundle, by its manifest.

use super::input::BundleInput;
use super::{manifest_json, module_name, one_file};
use crate::bundle::read_manifest_and_head;
use crate::cli::CommandInfo;
use crate::command::definition::{Command, Runner};
use crate::config::flags;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "list"],
        flags: &[&flags::JSON],
        arguments: "FILE",
        brief: "List the modules of a bundle",
        detail: "Prints a line for each module version, with /go.mod behind it where the bundle has no zip of it. Reads the manifest alone and proves nothing: 'bundle verify' does.",
        examples: &[("modfetch bundle list site.tar", "the modules, one a line")],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, _, console| {
        let mut input = BundleInput::open(&one_file(call.raw, "bundle list")?)?;
        let name = input.name.clone();
        let read = read_manifest_and_head(&mut input);
        let (manifest, _) = read.map_err(|error| error.context(name))?;
        console.data(&match call.raw.is_on(&flags::JSON) {
            true => manifest_json(&manifest).indented() + "\n",
            false => manifest
                .modules
                .iter()
                .map(|one| module_name(one) + "\n")
                .collect(),
        })?;
        Ok(None)
    }),
};
