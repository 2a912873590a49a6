//! What was typed: flags, a tree of commands, a parser and the help made from both.
//!
//! The program has two names. As `modfetch`, flags may stand anywhere, go's flags take one or two dashes and
//! ours two, `--` ends them. As `go` (the name the program was called by), the rules are those of Go's `flag`
//! package: flags end at the first argument, `-C` comes first, and ours do not exist.
//!
//! Nothing here reads the environment or a file. The vocabulary, [`Flag`] and [`RawArgs`], and what a value means
//! are in `config`.
//!
//! # How to add a command
//! 1. Write `src/command/NAME.rs`, or `src/command/AREA/NAME.rs` for `modfetch AREA NAME`, with a
//!    `pub(in crate::command) static COMMAND: Command`: [`CommandInfo`] (`path`, `arguments`, `groups`, `flags`, `brief`,
//!    `detail`, `examples`) and a [`Runner`](crate::command::Runner). Name every field that differs from
//!    [`CommandInfo::NEW`].
//! 2. Add `&super::area::name::COMMAND` to `COMMANDS` in `src/command/table.rs`; a new area gets a line in `AREAS`.
//! 3. A flag that only this command has is a `static` in the same file: `static KEEP: Flag = Flag { long: "keep",
//!    value: Some("N"), brief: "...", detail: "...", ..Flag::OURS };`. Name it in `flags` and read it with
//!    `call.raw.text(&KEEP)`, `call.raw.is_on(&DRY)` or `call.raw.texts(&EACH)`.
//! 4. Flags with a common subject are a [`FlagGroup`](crate::config::flags::FlagGroup) in [`flags::groups`]: a command names the group, and the
//!    settings are then in the `Config` that its function gets.
//!
//! Parsing, `-h`, `--help`, `help AREA` and "did you mean" follow from the rows, and so do the tests of the table.
//!
//! # How to add a setting
//! A setting has a flag, a variable `MODFETCH_...` and a typed, resolved value in [`Config`](crate::config::Config).
//! It is one row in a file of `src/config/settings/`: field and type, constant, parser, and the flag with its variable,
//! default, choices and texts. Commands that name the group of that section have it, `env` lists it,
//! `config.SECTION.FIELD.value` is its value. A parser that does not exist yet goes to `src/config/value.rs`.

mod completions;
mod help;
mod invocation;
mod man;
mod markdown;
mod nearest;
mod parse;
mod parse_go;
mod parse_own;
#[cfg(test)]
pub(crate) mod tables;
mod topics;
mod tree;
mod words;

pub use crate::config::RawArgs;
pub use crate::config::flags::{self, Flag};
pub use completions::{Shell, completions};
pub use help::{first_steps, help};
pub use invocation::{Action, HelpSubject, Invocation, ProgramName};
pub use man::man_pages;
pub use parse::{parse, recover_log_flag};
pub use topics::TOPICS;
pub use tree::{CommandArea, CommandInfo, CommandTree};
pub use words::help_subject;
