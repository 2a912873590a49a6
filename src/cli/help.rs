//! `-h`, `--help` and `help`, rendered from the tables.

use std::fmt::Write as _;

use super::flags::{Flag, groups::GLOBAL};
use super::invocation::HelpSubject;
use super::markdown::wrap;
use super::topics::TOPICS;
use super::tree::{CommandArea, CommandInfo, CommandTree};

const WIDTH: usize = 80;

/// Renders help about one command, the commands of an area, a topic, or all.
///
/// The short form is one line a flag; the long form has the details, the variables that do the
/// same, and examples. Both end in a line feed and have no colour.
#[must_use]
pub fn help(tree: &CommandTree, about: HelpSubject, long: bool) -> String {
    let mut text = String::new();
    let done = match about {
        HelpSubject::Overview => overview(&mut text, tree, long),
        HelpSubject::Area(about) => area(&mut text, tree, about, long),
        HelpSubject::Command(info) => command(&mut text, info, long),
        HelpSubject::Topic(topic) => {
            text = topic.plain(WIDTH);
            Ok(())
        }
    };
    // Writing to a String does not fail.
    done.map(|()| text).unwrap_or_default()
}

/// What a run without a command prints: where to begin.
#[must_use]
pub fn first_steps() -> &'static str {
    "modfetch fetches, checks and keeps Go modules without a Go toolchain.

  modfetch download    fetch what go.mod needs, into the module cache of go
  modfetch verify      check that cached modules are what go.sum says
  modfetch doctor      say what is wrong with network, settings and cache

'modfetch -h' lists the commands, 'modfetch help download' explains one.
"
}

fn overview(out: &mut String, tree: &CommandTree, long: bool) -> std::fmt::Result {
    writeln!(
        out,
        "modfetch fetches, checks and keeps Go modules without a Go toolchain."
    )?;
    writeln!(
        out,
        "\nUsage: modfetch <command> [flags] [arguments]\n\nCommands:"
    )?;
    let mut listed = Vec::new();
    for info in &tree.commands {
        let first = info.path.first().copied().unwrap_or_default();
        let area = tree.areas.iter().find(|area| area.name == first);
        match area {
            None => writeln!(out, "  {first:<14}{}", info.brief)?,
            Some(area) if !listed.contains(&first) => {
                writeln!(out, "  {first:<14}{}", area.brief)?;
            }
            Some(_) => {}
        }
        listed.push(first);
    }
    writeln!(out, "\nTopics, for 'modfetch help':")?;
    for topic in TOPICS {
        writeln!(out, "  {:<16}{}", topic.name, topic.brief)?;
    }
    if long {
        writeln!(out, "\nFlags of all commands:")?;
        for flag in GLOBAL.flags {
            describe(out, flag, long)?;
        }
        writeln!(out, "\nExamples:")?;
        for info in &tree.commands {
            if let Some((line, what)) = info.examples.first() {
                writeln!(out, "  {line}\n      {what}")?;
            }
        }
        writeln!(out)?;
        paragraph(
            out,
            "Go's flags take one dash or two; modfetch's own take two and follow the command or \
stand before it. 'modfetch mod download' is 'modfetch download'. Called by the name 'go', the \
program serves go's spelling of these commands only.",
            "",
        )?;
        writeln!(out, "\nExit codes:")?;
        writeln!(out, "  0 done              1 other failure     2 usage")?;
        writeln!(out, "  3 malformed input   4 not found         5 security")?;
        writeln!(
            out,
            "  6 network           7 credentials       8 local files"
        )?;
        writeln!(
            out,
            "  9 lock time-out    10 differences      11 offline, not cached"
        )?;
    }
    writeln!(out, "\n'modfetch <command> --help' explains a command.")
}

/// The commands of an area; the long form continues with the topic of the same name, if there is one.
fn area(out: &mut String, tree: &CommandTree, about: &CommandArea, long: bool) -> std::fmt::Result {
    writeln!(out, "{}", about.brief)?;
    let name = about.name;
    writeln!(
        out,
        "\nUsage: modfetch {name} <command> [flags] [arguments]\n\nCommands:"
    )?;
    let commands = tree.commands.iter();
    for info in commands.filter(|info| info.path.first() == Some(&name)) {
        let words = info.path.get(1..).unwrap_or_default().join(" ");
        writeln!(out, "  {words:<14}{}", info.brief)?;
    }
    writeln!(
        out,
        "\n'modfetch {name} <command> --help' explains a command."
    )?;
    match TOPICS.iter().find(|topic| topic.name == name) {
        Some(topic) if long => write!(out, "\n{}", topic.plain(WIDTH)),
        _ => Ok(()),
    }
}

fn command(out: &mut String, info: &CommandInfo, long: bool) -> std::fmt::Result {
    writeln!(out, "{}", info.brief)?;
    let usage = format!("modfetch {} [flags] {}", info.name(), info.arguments);
    writeln!(out, "\nUsage: {}", usage.trim_end())?;
    if long {
        for text in info.detail.lines() {
            writeln!(out)?;
            paragraph(out, text, "")?;
        }
    }
    let groups = info.groups.iter().copied().chain([&GLOBAL]);
    let groups = groups.map(|group| (group.title, group.flags));
    for (title, flags) in [("Flags", info.flags)].into_iter().chain(groups) {
        if flags.is_empty() {
            continue;
        }
        writeln!(out, "\n{title}:")?;
        for flag in flags {
            describe(out, flag, long)?;
        }
    }
    if long && !info.examples.is_empty() {
        writeln!(out, "\nExamples:")?;
        for (line, what) in info.examples {
            writeln!(out, "  {line}\n      {what}")?;
        }
    }
    if !long {
        writeln!(out, "\n'modfetch {} --help' tells more.", info.name())?;
    }
    Ok(())
}

fn describe(out: &mut String, flag: &Flag, long: bool) -> std::fmt::Result {
    let mut spelling = match flag.short {
        Some(short) => format!("-{short}, {}", flag.shown()),
        None => flag.shown(),
    };
    if let Some(value) = flag.value {
        let _ = write!(spelling, " {value}");
    }
    if !long {
        return writeln!(out, "  {spelling:<25} {}", flag.brief);
    }
    writeln!(out, "  {spelling}")?;
    paragraph(out, &format!("{}. {}", flag.brief, flag.detail), "      ")?;
    for fact in flag.facts() {
        writeln!(out, "      {fact}")?;
    }
    Ok(())
}

/// Writes words in lines of at most [`WIDTH`] columns, each after `indent`.
fn paragraph(out: &mut String, text: &str, indent: &str) -> std::fmt::Result {
    wrap(out, text, indent, indent, WIDTH);
    Ok(())
}
