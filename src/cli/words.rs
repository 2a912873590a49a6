//! What is the same in the command lines of both personas: words, and how they are refused.

use super::commands::{Verb, commands};
use super::invocation::Command;
use super::nearest::nearest;
use super::table::{Flag, flags};
use crate::{Error, Kind, Result};

pub(super) fn usage(message: impl Into<String>) -> Error {
    Error::new(Kind::Usage, message)
}

/// Parses a boolean as Go's flags do.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The refusal of a flag of go's that cleans something which is none of our business.
pub(super) fn not_ours(verb: Verb, flag: &str) -> Option<Error> {
    let name = flag.trim_start_matches('-');
    let caches = ["cache", "testcache", "fuzzcache"].contains(&name);
    (verb == Verb::Clean && caches).then(|| {
        usage(format!(
            "clean -{name} is not supported: this is modfetch, which cleans -modcache only"
        ))
    })
}

pub(super) fn find_flag(matches: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
    flags().find(|flag| matches(flag))
}

pub(super) fn unknown_command(typed: &str) -> Error {
    let error = usage(format!("unknown command {typed:?}"));
    let names = commands()
        .iter()
        .flat_map(|info| [Some(info.name), info.go_name])
        .flatten();
    // What is no command of `go mod` may be one of ours.
    let alone = typed.strip_prefix("mod ");
    let near =
        nearest(typed, names).or_else(|| nearest(alone?, commands().iter().map(|info| info.name)));
    match near {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint("'modfetch -h' lists the commands"),
    }
}

/// `help`, `help download`, `help mod download`.
pub(super) fn help_about(args: &[String]) -> Result<Command> {
    let typed = args.join(" ");
    if typed.is_empty() || typed == "mod" {
        return Ok(Command::Help {
            about: None,
            long: true,
        });
    }
    let found = commands()
        .iter()
        .find(|info| info.name == typed || info.go_name == Some(&typed));
    match found {
        Some(info) => Ok(Command::Help {
            about: Some(info.verb),
            long: true,
        }),
        None => Err(unknown_command(&typed)),
    }
}
