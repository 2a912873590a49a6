//! The tables of help topics that are made from the rows of commands and settings.
//!
//! They stand in the files between `<!-- generated: NAME -->` and `<!-- end -->`. A test compares them, and writes
//! them where `UPDATE_TABLES` is set: `UPDATE_TABLES=1 cargo test --lib generated_tables`.

use std::fmt::Write as _;

use super::tree::CommandTree;
use crate::config::settings::setting_flags;

/// The table of commands, in Markdown.
#[must_use]
pub fn commands_table(tree: &CommandTree) -> String {
    let mut out = String::from("| command | as in go | what it does |\n|---|---|---|\n");
    for info in &tree.commands {
        let call = format!("modfetch {} {}", info.name(), info.arguments);
        let call = call.trim().replace('|', "\\|");
        let go = info
            .go_name
            .map_or(String::new(), |go| format!(" `go {go}`"));
        let _ = writeln!(out, "| `{call}` |{go} | {} |", info.brief);
    }
    out
}

/// The table of modfetch's own settings, in Markdown, by variable.
#[must_use]
pub fn settings_table() -> String {
    let mut out = String::from("| variable | flag | default | what it does |\n|---|---|---|---|\n");
    let mut flags: Vec<_> = setting_flags().collect();
    flags.sort_by_key(|flag| flag.env);
    for flag in flags {
        let variable = flag.env.unwrap_or_default();
        let value = flag
            .value
            .map_or(String::new(), |value| format!(" {value}"));
        let default = flag.shown_default();
        let default = default.map_or(String::new(), |default| format!(" `{default}`"));
        let shown = flag.shown();
        let _ = writeln!(
            out,
            "| `{variable}` | `{shown}{value}` |{default} | {} |",
            flag.brief
        );
    }
    out
}
