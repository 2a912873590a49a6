//! From argv to [`Invocation`], for either program name.

use std::ffi::{OsStr, OsString};

use super::invocation::{Invocation, ProgramName};
use super::parse_go::parse_go;
use super::parse_own::parse_own;
use super::tree::CommandTree;
use super::words::usage;
use crate::Result;
use crate::config::RawArgs;
use crate::config::settings::LOG;

/// Understands a command line; `argv` starts with the name the program was called by.
///
/// # Errors
/// [`Kind::Usage`](crate::Kind::Usage): an unknown flag or command, a missing or malformed value, an argument that
/// is not Unicode. Where something near exists, a hint names it.
pub fn parse(tree: &CommandTree, argv: Vec<OsString>) -> Result<Invocation> {
    let mut argv = argv.into_iter();
    let program = argv.next().unwrap_or_default();
    let program = ProgramName::of(&program);
    let mut args = Vec::new();
    for arg in argv {
        args.push(
            arg.into_string()
                .map_err(|arg| usage(format!("argument {} is not valid UTF-8", arg.display())))?,
        );
    }
    match program {
        ProgramName::Modfetch => parse_own(tree, args),
        ProgramName::Go => parse_go(tree, args),
    }
}

/// Takes from a command line that [`parse`] refuses what says how to tell the refusal: `--log`.
///
/// The last one counts, up to `--`; `go` has no such flag.
#[must_use]
pub fn recover_log_flag(argv: &[OsString]) -> RawArgs {
    let mut raw = RawArgs::default();
    let mut argv = argv.iter();
    let program = argv.next().map_or(OsStr::new(""), OsString::as_os_str);
    if ProgramName::of(program) == ProgramName::Go {
        return raw;
    }
    let mut words = argv
        .map(|arg| arg.to_str().unwrap_or_default())
        .take_while(|arg| *arg != "--");
    while let Some(word) = words.next() {
        let form = match word.strip_prefix("--log") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(form) = form {
            raw.give(&LOG.flag, form);
        }
    }
    raw
}
