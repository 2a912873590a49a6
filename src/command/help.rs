//! `modfetch help`: what `--help` prints, by name.

use super::definition::{Command, Runner};
use super::table::command_tree;
use crate::cli::{self, CommandInfo};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["help"],
        go_name: Some("help"),
        arguments: "[command or topic]",
        brief: "Explain a command or a topic",
        detail: "Prints what 'COMMAND --help' prints, or a topic: settings, exit-codes, output, cache, network, \
credentials, workspaces, air-gap, go-differences. Each is a man page, too: modfetch-settings(7).",
        examples: &[
            ("modfetch help download", "everything about download"),
            ("modfetch help exit-codes", "what an exit code means"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Early(|call, console| {
        let tree = command_tree();
        let about = cli::help_subject(&tree, &call.raw.args)?;
        console.data(&cli::help(&tree, about, true))?;
        Ok(None)
    }),
};
