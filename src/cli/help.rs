//! `-h` and `--help`, rendered from the table.

use std::fmt::Write as _;

use super::invocation::HelpSubject;
use super::tree::{CommandArea, CommandInfo, CommandTree};
use crate::config::flags::Flag;

const WIDTH: usize = 80;

/// Renders help about one command, the commands of an area, or all.
///
/// The short form is one line a flag; the long form has the details, the variables that do the
/// same, and examples. Both end in a line feed and have no colour.
#[must_use]
pub fn help(tree: &CommandTree, about: HelpSubject, long: bool) -> String {
    let mut text = String::new();
    let done = match about {
        HelpSubject::Overview => overview(&mut text, tree, long),
        HelpSubject::Area(about) => area(&mut text, tree, about),
        HelpSubject::Command(info) => command(&mut text, info, long),
    };
    // Writing to a String does not fail.
    done.map(|()| text).unwrap_or_default()
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
            None => writeln!(out, "  {first:<12}{}", info.brief)?,
            Some(area) if !listed.contains(&first) => {
                writeln!(out, "  {first:<12}{}", area.brief)?;
            }
            Some(_) => {}
        }
        listed.push(first);
    }
    if long {
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

fn area(out: &mut String, tree: &CommandTree, about: &CommandArea) -> std::fmt::Result {
    writeln!(out, "{}", about.brief)?;
    let name = about.name;
    writeln!(
        out,
        "\nUsage: modfetch {name} <command> [flags] [arguments]\n\nCommands:"
    )?;
    let commands = tree.commands.iter();
    for info in commands.filter(|info| info.path.first() == Some(&name)) {
        let words = info.path.get(1..).unwrap_or_default().join(" ");
        writeln!(out, "  {words:<12}{}", info.brief)?;
    }
    writeln!(
        out,
        "\n'modfetch {name} <command> --help' explains a command."
    )
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
    let of_command = |go: bool| info.all_flags().filter(move |flag| flag.go == go);
    for (title, go) in [("Flags as in go", true), ("Flags", false)] {
        if of_command(go).next().is_none() {
            continue;
        }
        writeln!(out, "\n{title}:")?;
        for flag in of_command(go) {
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
    if let Some(variable) = flag.env {
        writeln!(out, "      Environment: {variable}")?;
    }
    Ok(())
}

/// Writes words in lines of at most [`WIDTH`] columns, each after `indent`.
fn paragraph(out: &mut String, text: &str, indent: &str) -> std::fmt::Result {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent.len() + line.len() + 1 + word.len() > WIDTH {
            writeln!(out, "{indent}{line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.is_empty() {
        return Ok(());
    }
    writeln!(out, "{indent}{line}")
}
