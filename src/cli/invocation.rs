//! A command line, understood.

use std::ffi::OsStr;
use std::path::Path;

use super::commands::Verb;
use super::raw::RawArgs;

/// Who the program is, by the name it was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// `modfetch`, or any name but `go`.
    Modfetch,
    /// `go`: accepts what go accepts, and only that.
    Go,
}

impl Persona {
    /// The persona of a program that was called like this.
    #[must_use]
    pub fn of(program: &OsStr) -> Persona {
        match Path::new(program).file_name() {
            Some(name) if name == "go" => Persona::Go,
            _ => Persona::Modfetch,
        }
    }

    /// What it calls itself in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Persona::Modfetch => "modfetch",
            Persona::Go => "go",
        }
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Fetch modules.
    Download,
    /// Check what is cached.
    Verify,
    /// Print the requirement graph.
    Graph,
    /// Describe modules.
    List,
    /// Explain modules.
    Why,
    /// Remove the module cache.
    Clean,
    /// Say what would be fetched.
    Plan,
    /// Compute, check, complete or explain sums.
    Sum,
    /// Say what is wrong.
    Doctor,
    /// Print or change settings.
    Env,
    /// Print the version.
    Version,
    /// Print help to standard output.
    Help {
        /// The command it is about, or all of them.
        about: Option<Verb>,
        /// The long form.
        long: bool,
    },
    /// Nothing was asked for: print the short help to standard error and exit 2.
    Missing,
}

/// A command line, understood.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Who was called.
    pub persona: Persona,
    /// What to do.
    pub command: Command,
    /// With which flags and arguments.
    pub raw: RawArgs,
}
