//! The table of commands: one row each, which stands in the file of the command.

use super::definition::Command;
#[cfg(test)]
use crate::cli::RawArgs;
use crate::cli::{CommandArea, CommandTree};

/// Every command, in the order of help.
pub static COMMANDS: &[&Command] = &[
    &super::download::COMMAND,
    &super::verify::COMMAND,
    &super::graph::COMMAND,
    &super::list::COMMAND,
    &super::why::COMMAND,
    &super::clean::COMMAND,
    &super::cache::du::COMMAND,
    &super::cache::list::COMMAND,
    &super::cache::prune::COMMAND,
    &super::cache::export::COMMAND,
    &super::cache::import::COMMAND,
    &super::cache::key::COMMAND,
    &super::plan::COMMAND,
    &super::sum::COMMAND,
    &super::toolchain::COMMAND,
    &super::bundle::create::COMMAND,
    &super::bundle::verify::COMMAND,
    &super::bundle::import::COMMAND,
    &super::bundle::want::COMMAND,
    &super::bundle::list::COMMAND,
    &super::bundle::diff::COMMAND,
    &super::bundle::env::COMMAND,
    &super::serve::COMMAND,
    &super::sbom::COMMAND,
    &super::audit::COMMAND,
    &super::doctor::COMMAND,
    &super::env::COMMAND,
    &super::completions::COMMAND,
    &super::man::COMMAND,
    &super::version::COMMAND,
    &super::help::COMMAND,
];

/// The words that several commands begin with.
static AREAS: &[CommandArea] = &[
    CommandArea {
        name: "cache",
        brief: "Inspect, prune, export and import the module cache",
    },
    CommandArea {
        name: "bundle",
        brief: "Carry modules across an air gap in a file that proves itself",
    },
];

/// What parser and help know of the commands.
#[must_use]
pub fn command_tree() -> CommandTree {
    CommandTree {
        commands: COMMANDS.iter().map(|command| &command.info).collect(),
        areas: AREAS,
    }
}

/// What `modfetch` with this line gives, for tests of commands.
#[cfg(test)]
pub(super) fn typed(line: &str) -> RawArgs {
    let argv = format!("modfetch {line}");
    let argv = argv.split(' ').map(Into::into).collect();
    let invocation = crate::cli::parse(&command_tree(), argv);
    invocation
        .unwrap_or_else(|error| panic!("{line}: {}", error.chain()))
        .raw
}

#[cfg(test)]
mod tests;
