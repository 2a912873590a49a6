//! Completion for zsh.

use std::fmt::Write as _;

use super::{CompletionValues, arguments, places, spellings, values};
use crate::cli::flags::Flag;
use crate::cli::tree::{CommandTree, names};

pub(super) fn script(tree: &CommandTree) -> String {
    let mut out = String::from(
        "#compdef modfetch\n# zsh completion for modfetch\n\n_modfetch() {\n    local context state line\n    \
         typeset -A opt_args\n    local command=\"\" word\n    for word in ${words[2,CURRENT-1]}; do\n        \
         case \" ${command:+$command }$word\" in\n",
    );
    let places = places(tree);
    for place in &places {
        for (next, _) in &place.next {
            let full = [place.words.join(" "), next.clone()].join(" ");
            let full = full.trim();
            let _ = writeln!(out, "        \" {full}\") command=\"{full}\" ;;");
        }
    }
    out.push_str("        esac\n    done\n    case \"$command\" in\n");
    for place in &places {
        let _ = writeln!(out, "    \"{}\")", place.words.join(" "));
        out.push_str("        local -a commands=(\n");
        for (next, brief) in &place.next {
            let _ = writeln!(out, "            '{next}:{}'", quoted(brief));
        }
        out.push_str("        )\n        _describe command commands\n        ;;\n");
    }
    for info in &tree.commands {
        let calls: Vec<String> = names(info).map(|name| format!("\"{name}\"")).collect();
        let _ = writeln!(out, "    {})", calls.join("|"));
        out.push_str("        _arguments -S '--help[Explain the command]' \\\n");
        for flag in info.all_flags() {
            for spelling in spellings(flag) {
                let _ = writeln!(out, "            '{}' \\", specification(&spelling, flag));
            }
        }
        // The words of the command come before its arguments.
        let action = action(arguments(info));
        let _ = writeln!(out, "            '*:argument:{action}'\n        ;;");
    }
    out.push_str("    esac\n}\n\n_modfetch \"$@\"\n");
    out
}

/// What `_arguments` is given for a flag: `--color=[Use colours]:WHEN:(auto always never)`.
fn specification(spelling: &str, flag: &Flag) -> String {
    let brief = quoted(flag.brief).replace('[', "\\[").replace(']', "\\]");
    match (flag.value, values(flag)) {
        (Some(value), Some(values)) => {
            // A letter has its value behind it or in the next word, a name behind `=` or in the next word.
            let join = if spelling.len() == 2 { "+" } else { "=" };
            format!("*{spelling}{join}[{brief}]:{value}:{}", action(values))
        }
        _ => format!("*{spelling}[{brief}]"),
    }
}

fn action(values: CompletionValues) -> String {
    match values {
        CompletionValues::Choices(choices) => format!("({})", choices.join(" ")),
        CompletionValues::Files => "_files".to_owned(),
        CompletionValues::Directories => "_files -/".to_owned(),
        CompletionValues::Unknown => " ".to_owned(),
    }
}

/// A text within single quotes and before a colon.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''").replace(':', "\\:")
}
