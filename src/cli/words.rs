//! What is the same in the command lines of both program names: words, and how they are refused.

use super::invocation::HelpSubject;
use super::nearest::nearest;
use super::topics::TOPICS;
use super::tree::{CommandInfo, CommandLookup, CommandTree, names};
use crate::{Error, Kind, Result};

pub(super) fn usage(message: impl Into<String>) -> Error {
    Error::new(Kind::Usage, message)
}

/// The refusal of a flag of go's that modfetch knows of and does not have.
pub(super) fn unsupported(info: &CommandInfo, flag: &str) -> Option<Error> {
    let name = flag.trim_start_matches('-');
    let mut flags = info.unsupported.iter();
    let (_, why) = flags.find(|(long, _)| *long == name)?;
    let command = info.name();
    Some(usage(format!("{command} -{name} is not supported: {why}")))
}

pub(super) fn unknown_command(tree: &CommandTree, typed: &str) -> Error {
    let error = usage(format!("unknown command {typed:?}"));
    let every = || tree.commands.iter().flat_map(|info| names(info));
    let areas = tree.areas.iter().map(|area| area.name.to_owned());
    let candidates: Vec<String> = every().chain(areas).collect();
    // What is no command of `go mod` may be one of ours.
    let alone = typed.strip_prefix("mod ");
    let near = |typed: &str| nearest(typed, candidates.iter().map(String::as_str));
    match near(typed).or_else(|| near(alone?)) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint("'modfetch -h' lists the commands"),
    }
}

/// The refusal of a word that commands begin with and that stands alone.
pub(super) fn incomplete_command(tree: &CommandTree, typed: &str) -> Error {
    let names = tree.names_below(typed).join(", ");
    usage(format!("command {typed} needs a command")).hint(format!("modfetch serves: {names}"))
}

/// What the arguments of `help` ask for: `help`, `help download`, `help mod download`, `help settings`.
///
/// # Errors
/// [`Kind::Usage`] if there is no such command and no such topic.
pub fn help_subject(tree: &CommandTree, args: &[String]) -> Result<HelpSubject> {
    let typed = args.join(" ");
    if typed.is_empty() || typed == "mod" {
        return Ok(HelpSubject::Overview);
    }
    if let CommandLookup::Command(info) = tree.find(args) {
        return Ok(HelpSubject::Command(info));
    }
    if let Some(area) = tree.areas.iter().find(|area| area.name == typed) {
        return Ok(HelpSubject::Area(area));
    }
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == typed) {
        return Ok(HelpSubject::Topic(topic));
    }
    let error = usage(format!("unknown command or topic {typed:?}"));
    match nearest(&typed, TOPICS.iter().map(|topic| topic.name)) {
        Some(near) => Err(error.hint(format!("did you mean {near:?}?"))),
        None => Err(unknown_command(tree, &typed)),
    }
}
