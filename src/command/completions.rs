//! `modfetch completions`: the script that teaches a shell the commands and flags.

use super::definition::{Command, Runner};
use super::table::command_tree;
use crate::cli::{CommandInfo, Shell, completions};
use crate::error::{Error, Kind};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["completions"],
        arguments: "bash|zsh|fish",
        brief: "Print the completion script of a shell",
        detail: "Prints a script that completes commands, flags, their values and files. 'make install' installs \
all three where the shells look for them.",
        examples: &[
            (
                "modfetch completions bash > ~/.local/share/bash-completion/completions/modfetch",
                "for bash, from the next shell on",
            ),
            (
                "modfetch completions fish > ~/.config/fish/completions/modfetch.fish",
                "for fish",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Early(|call, console| {
        let shell = match call.raw.args.as_slice() {
            [name] => Shell::NAMES.iter().find(|(known, _)| known == name),
            _ => None,
        };
        let Some((_, shell)) = shell else {
            let text = "completions takes one shell: bash, zsh or fish";
            return Err(Error::new(Kind::Usage, text));
        };
        console.data(&completions(&command_tree(), *shell))?;
        Ok(None)
    }),
};
