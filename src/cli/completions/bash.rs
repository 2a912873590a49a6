//! Completion for bash.

use std::fmt::Write as _;

use super::{CompletionValues, arguments, places, spellings, values};
use crate::cli::tree::{CommandTree, names};

/// Functions that the script needs whatever the commands are. `command` becomes the words of the command that are
/// there; bash breaks words at `=`, so that `--color=a` comes as three of them.
const FRAME: &str = r#"# bash completion for modfetch

_modfetch() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command= known word i=1
    if [[ $current == "=" ]]; then
        current=
    elif [[ $previous == "=" ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i++]}
        known=" ${command:+$command }$word"
        case "$known" in
        @PREFIXES@) command=${known# } ;;
        esac
    done
    case "$command $previous" in
@VALUES@
    esac
    if [[ $current == -* ]]; then
        case "$command" in
@FLAGS@
        esac
        return
    fi
    case "$command" in
@NEXT@
    esac
}

complete -F _modfetch modfetch
"#;

pub(super) fn script(tree: &CommandTree) -> String {
    let mut prefixes = Vec::new();
    let (mut value_arms, mut flag_arms, mut next_arms) =
        (String::new(), String::new(), String::new());
    for place in places(tree) {
        let words = place.words.join(" ");
        let next: Vec<&str> = place.next.iter().map(|(next, _)| next.as_str()).collect();
        let full = |next: &&str| format!("\" {}\"", format!("{words} {next}").trim());
        prefixes.extend(next.iter().map(full));
        arm(&mut next_arms, 4, &format!("\"{words}\""), &words_of(&next));
        if words.is_empty() {
            arm(
                &mut flag_arms,
                8,
                "\"\"",
                &words_of(&["--help", "--version"]),
            );
        }
    }
    for info in &tree.commands {
        let calls: Vec<String> = names(info).map(|name| format!("\"{name}\"")).collect();
        let pattern = calls.join("|");
        let mut flags = vec!["--help".to_owned()];
        for flag in info.all_flags() {
            flags.extend(spellings(flag));
            if let Some(values) = values(flag) {
                let mut typed = spellings(flag);
                if flag.go {
                    typed.push(format!("--{}", flag.long));
                }
                let pattern: Vec<String> = names(info)
                    .flat_map(|name| typed.iter().map(move |flag| format!("\"{name} {flag}\"")))
                    .collect();
                let reply = reply(values).unwrap_or_default();
                arm(
                    &mut value_arms,
                    4,
                    &pattern.join("|"),
                    &format!("{reply} return"),
                );
            }
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        arm(&mut flag_arms, 8, &pattern, &words_of(&flags));
        if let Some(reply) = reply(arguments(info)) {
            arm(&mut next_arms, 4, &pattern, &reply);
        }
    }
    FRAME
        .replace("@PREFIXES@", &prefixes.join("|"))
        .replace("@VALUES@\n", &value_arms)
        .replace("@FLAGS@\n", &flag_arms)
        .replace("@NEXT@\n", &next_arms)
}

fn arm(out: &mut String, indent: usize, pattern: &str, body: &str) {
    let indent = " ".repeat(indent);
    let _ = writeln!(
        out,
        "{indent}{pattern}) {} ;;",
        body.trim().trim_end_matches(';')
    );
}

fn words_of(words: &[&str]) -> String {
    let words = words.join(" ");
    format!("COMPREPLY=($(compgen -W \"{words}\" -- \"$current\"));")
}

fn reply(values: CompletionValues) -> Option<String> {
    match values {
        CompletionValues::Choices(choices) => Some(words_of(choices)),
        CompletionValues::Files => Some("COMPREPLY=($(compgen -f -- \"$current\"));".to_owned()),
        CompletionValues::Directories => {
            Some("COMPREPLY=($(compgen -d -- \"$current\"));".to_owned())
        }
        CompletionValues::Unknown => None,
    }
}
