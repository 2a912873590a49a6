//! The flags that several commands have: how each is typed, what help says, what it sets.
//!
//! [`groups`] bundles those that belong together. A flag that only one command has may stand in the file of
//! that command.

mod build;
mod cache;
mod choice;
mod go;
pub mod groups;
mod identity;
mod network;
mod output;

pub use build::{BUILD_FLAGS, IgnoredFlag, LIST_BUILD_FLAGS};
pub use cache::*;
pub use choice::*;
pub use go::*;
pub use identity::*;
pub use network::*;
pub use output::*;

use super::raw::RawArgs;
use crate::Result;

/// A flag: how it is typed, what help says, what it does to [`RawArgs`].
#[derive(Debug)]
pub struct Flag {
    /// The name after two dashes; for go's flags after one as well.
    pub long: &'static str,
    /// A single letter after one dash.
    pub short: Option<char>,
    /// Spelled as go spells its flags: with one dash or two, and known to the program name `go`.
    pub go: bool,
    /// What stands for the value in help; `None` for a switch, which may be given `=false`.
    pub value: Option<&'static str>,
    /// The environment variable that sets the same.
    pub env: Option<&'static str>,
    /// Of a switch: it may also be given words, `=A,B`.
    pub words: bool,
    /// One line: what it does.
    pub brief: &'static str,
    /// More, for the long help.
    pub detail: &'static str,
    /// What it changes beside the values that [`RawArgs::text`] and its like return.
    pub(crate) set: fn(&mut RawArgs, Given<'_>) -> Result<()>,
}

/// What was given with a flag.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    /// A switch, on or off.
    Switch(bool),
    /// A value.
    Value(&'a str),
}

impl Given<'_> {
    fn on(self) -> bool {
        matches!(self, Given::Switch(true))
    }

    fn text(self) -> String {
        match self {
            Given::Value(text) => text.to_owned(),
            Given::Switch(on) => on.to_string(),
        }
    }
}

impl Flag {
    /// A switch in go's spelling, to start a row from.
    pub const GOS: Flag = Flag {
        go: true,
        ..Flag::OURS
    };

    /// A switch of modfetch's own, to start a row from.
    pub const OURS: Flag = Flag {
        long: "",
        short: None,
        go: false,
        value: None,
        env: None,
        words: false,
        brief: "",
        detail: "",
        set: |_, _| Ok(()),
    };

    /// The flag as help shows it: `-json`, `--jobs`.
    #[must_use]
    pub fn shown(&self) -> String {
        let dashes = if self.go { "-" } else { "--" };
        format!("{dashes}{}", self.long)
    }

    /// Records that the flag was given.
    pub(super) fn give(&self, raw: &mut RawArgs, given: Given<'_>) -> Result<()> {
        (self.set)(raw, given)?;
        raw.record(self.long, given.text());
        Ok(())
    }
}
