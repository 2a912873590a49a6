//! The table of commands: one row each, which stands in the file of the command.

use crate::cli::{CommandArea, CommandInfo, CommandTree, ProgramName, RawArgs};
use crate::config::{Config, GoEnv};
use crate::error::{Kind, Result};
use crate::report::Console;
use crate::signals::Ending;

/// A command: what parser and help know of it, and the function that runs it.
pub struct Command {
    /// Names, flags and texts.
    pub info: CommandInfo,
    /// What runs it.
    pub run: Runner,
}

/// The function that runs a command, by what it needs.
///
/// `Ok(None)` is success. `Ok(Some(kind))` is the gravest failure where all of them have been printed; the
/// error of `Err` is printed by the caller.
pub enum Runner {
    /// Before any setting is judged: for a command that must work when the settings are wrong.
    Early(fn(&CommandCall<'_>, &Console) -> Result<Option<Kind>>),
    /// With every setting resolved.
    Configured(fn(&CommandCall<'_>, &Config, &Console) -> Result<Option<Kind>>),
}

/// What a command is called with.
pub struct CommandCall<'a> {
    /// The name the program was called by.
    pub program: ProgramName,
    /// Flags and arguments; for a command of go's with those of GOFLAGS.
    pub raw: &'a RawArgs,
    /// The environment and the files that it leads to, before anything is judged.
    pub go_env: &'a GoEnv,
}

impl CommandCall<'_> {
    /// How a signal ends the run.
    pub(super) fn ending(&self) -> Ending {
        match self.program {
            ProgramName::Modfetch => Ending::Status,
            ProgramName::Go => Ending::Signal,
        }
    }
}

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
