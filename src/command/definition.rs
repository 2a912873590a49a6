//! What a command is: its row for parser and help, and the function that runs it.

use crate::cli::{CommandInfo, ProgramName, RawArgs};
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
