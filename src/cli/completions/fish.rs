//! Completion for fish.

use std::fmt::Write as _;

use super::{CompletionValues, arguments, places, values};
use crate::cli::flags::Flag;
use crate::cli::tree::{CommandTree, names};

/// True where the words typed so far, without flags, are just those of its arguments, or begin with them.
const FRAME: &str = r#"# fish completion for modfetch

function __modfetch_words
    commandline -opc | string match -rv '^-' | tail -n +2
end

function __modfetch_at
    set -l words (__modfetch_words)
    test "$words" = "$argv"
end

function __modfetch_in
    set -l words (__modfetch_words)
    set -l count (count $argv)
    test (count $words) -ge $count; and test "$words[1..$count]" = "$argv"
end

complete -c modfetch -f
"#;

pub(super) fn script(tree: &CommandTree) -> String {
    let mut out = FRAME.to_owned();
    for place in places(tree) {
        let words = place.words.join(" ");
        for (next, brief) in &place.next {
            let condition = format!("__modfetch_at {words}");
            let condition = condition.trim();
            let brief = quoted(brief);
            let _ = writeln!(
                out,
                "complete -c modfetch -n '{condition}' -a {next} -d '{brief}'"
            );
        }
    }
    for info in &tree.commands {
        for name in names(info) {
            let condition = format!("__modfetch_in {name}");
            for flag in info.all_flags() {
                let _ = writeln!(
                    out,
                    "complete -c modfetch -n '{condition}' {}",
                    option(flag)
                );
            }
            if let Some(arguments) = action(arguments(info)) {
                let _ = writeln!(out, "complete -c modfetch -n '{condition}' {arguments}");
            }
        }
    }
    out
}

fn option(flag: &Flag) -> String {
    // -o is a name behind one dash.
    let kind = if flag.go { "-o" } else { "-l" };
    let mut option = format!("{kind} {}", flag.long);
    if let Some(short) = flag.short {
        let _ = write!(option, " -s {short}");
    }
    if let Some(values) = values(flag) {
        // -x is a value that is no file.
        let kind = if values == CompletionValues::Files {
            "-r"
        } else {
            "-x"
        };
        let _ = write!(option, " {kind}");
        if let Some(action) = action(values) {
            let _ = write!(option, " {action}");
        }
    }
    let _ = write!(option, " -d '{}'", quoted(flag.brief));
    option
}

fn action(values: CompletionValues) -> Option<String> {
    match values {
        CompletionValues::Choices(choices) => Some(format!("-a '{}'", choices.join(" "))),
        CompletionValues::Files => Some("-F".to_owned()),
        CompletionValues::Directories => Some("-a '(__fish_complete_directories)'".to_owned()),
        CompletionValues::Unknown => None,
    }
}

/// A text within single quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}
