//! `-h` and `--help`, rendered from the table.

use std::fmt::Write as _;

use super::commands::{CommandInfo, Verb, commands};
use super::table::{Flag, flags};

const WIDTH: usize = 80;

/// Renders help about one command, or about all.
///
/// The short form is one line a flag; the long form has the details, the variables that do the
/// same, and examples. Both end in a line feed and have no colour.
#[must_use]
pub fn help(about: Option<Verb>, long: bool) -> String {
    let mut text = String::new();
    let done = match about {
        None => overview(&mut text, long),
        Some(verb) => command(&mut text, verb.info(), long),
    };
    // Writing to a String does not fail.
    done.map(|()| text).unwrap_or_default()
}

fn overview(out: &mut String, long: bool) -> std::fmt::Result {
    writeln!(
        out,
        "modfetch fetches, checks and keeps Go modules without a Go toolchain."
    )?;
    writeln!(
        out,
        "\nUsage: modfetch <command> [flags] [arguments]\n\nCommands:"
    )?;
    for info in commands() {
        writeln!(out, "  {:<12}{}", info.name, info.brief)?;
    }
    if long {
        writeln!(out, "\nExamples:")?;
        for info in commands() {
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

fn command(out: &mut String, info: &CommandInfo, long: bool) -> std::fmt::Result {
    writeln!(out, "{}", info.brief)?;
    let usage = format!("modfetch {} [flags] {}", info.name, info.arguments);
    writeln!(out, "\nUsage: {}", usage.trim_end())?;
    if long {
        for text in info.detail.lines() {
            writeln!(out)?;
            paragraph(out, text, "")?;
        }
    }
    let of_command =
        |go: bool| flags().filter(move |flag| flag.go == go && flag.applies_to(info.verb));
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
        writeln!(out, "\n'modfetch {} --help' tells more.", info.name)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_shows_every_flag_of_a_command_and_no_other() {
        for info in commands() {
            for long in [false, true] {
                let text = help(Some(info.verb), long);
                for flag in flags() {
                    let shown = text
                        .lines()
                        .flat_map(|line| line.split([' ', ',']))
                        .any(|word| word == flag.shown());
                    if flag.applies_to(info.verb) {
                        assert!(shown, "{} {}\n{text}", info.name, flag.long);
                    } else if flag.long != "w" && flag.long != "u" {
                        assert!(!shown, "{} {}\n{text}", info.name, flag.long);
                    }
                }
            }
        }
    }

    #[test]
    fn long_help_names_variables_and_examples() {
        let text = help(Some(Verb::Download), true);
        for flag in flags().filter(|flag| flag.applies_to(Verb::Download)) {
            if let Some(variable) = flag.env {
                assert!(
                    text.contains(&format!("Environment: {variable}\n")),
                    "{variable}"
                );
            }
        }
        for (line, _) in Verb::Download.info().examples {
            assert!(text.contains(line), "{line}");
        }
        assert!(help(None, true).contains("Exit codes:"));
        assert!(help(None, false).contains("  download    Fetch modules"));
    }

    #[test]
    fn lines_fit_a_terminal() {
        let topics = commands().iter().map(|info| Some(info.verb)).chain([None]);
        for about in topics {
            for long in [false, true] {
                let text = help(about, long);
                assert!(text.ends_with('\n'));
                for line in text.lines() {
                    assert!(line.chars().count() <= 84, "{line}");
                    assert!(line.trim_end() == line, "{line:?}");
                }
            }
        }
    }
}
