//! What was typed: one table of commands and flags, a parser and the help made from it.
//!
//! Two personas share the table. As `modfetch`, flags may stand anywhere, go's flags take one
//! or two dashes and ours two, `--` ends them. As `go` (the name the program was called by),
//! the rules are those of Go's `flag` package: flags end at the first argument, `-C` comes
//! first, and ours do not exist.
//!
//! Nothing here reads the environment or a file: what a value means is decided in `config`.

mod commands;
mod goflags;
mod help;
mod invocation;
mod nearest;
mod parse;
mod parse_go;
mod parse_own;
mod raw;
mod table;
mod words;

pub use commands::{CommandInfo, Verb, commands};
pub use goflags::with_goflags;
pub use help::help;
pub use invocation::{Command, Invocation, Persona};
pub use parse::{parse, salvage};
pub use raw::RawArgs;
pub use table::{Flag, flags};
