//! A command line, understood.

use std::ffi::OsStr;
use std::path::Path;

use super::topics::HelpTopic;
use super::tree::{CommandArea, CommandInfo};
use crate::config::RawArgs;

/// The name the program was called by, which decides how the command line is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramName {
    /// `modfetch`, or any name but `go`.
    Modfetch,
    /// `go`: accepts what go accepts, and only that.
    Go,
}

impl ProgramName {
    /// The name in the first word of a command line.
    #[must_use]
    pub fn of(program: &OsStr) -> ProgramName {
        match Path::new(program).file_name() {
            Some(name) if name == "go" => ProgramName::Go,
            _ => ProgramName::Modfetch,
        }
    }

    /// What the program calls itself in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ProgramName::Modfetch => "modfetch",
            ProgramName::Go => "go",
        }
    }
}

/// What help is about.
#[derive(Clone, Copy, Debug)]
pub enum HelpSubject {
    /// All commands.
    Overview,
    /// The commands that begin with one word.
    Area(&'static CommandArea),
    /// One command.
    Command(&'static CommandInfo),
    /// A subject that is no command.
    Topic(&'static HelpTopic),
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Run a command.
    Run(&'static CommandInfo),
    /// Print help to standard output.
    Help {
        /// What it is about.
        about: HelpSubject,
        /// The long form.
        long: bool,
    },
    /// Nothing was asked for: print the short help to standard error and exit 2.
    Missing,
}

/// A command line, understood.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The name the program was called by.
    pub program: ProgramName,
    /// What to do.
    pub action: Action,
    /// With which flags and arguments.
    pub raw: RawArgs,
}
