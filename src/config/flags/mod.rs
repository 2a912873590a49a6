//! The vocabulary of the command line: what a flag is, and the flags in go's spelling that several commands
//! have.
//!
//! Flags that are settings as well, with a variable and a default, are in [`super::settings`]; their groups,
//! which commands name, are in [`groups`]. A flag that only one command has stands in the file of that command.

mod build;
mod choice;
mod go;
pub mod groups;

pub use build::{BUILD_FLAGS, IgnoredFlag, LIST_BUILD_FLAGS};
pub use choice::*;
pub use go::*;

use super::value::{one_of, parse_bool};

/// A flag: how it is typed, what help says about it, which values it takes.
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
    /// The values that it takes, if they can be listed.
    pub choices: &'static [&'static str],
    /// Judges a value as it is parsed: what was wanted, if it is refused.
    pub check: fn(&str) -> Result<(), String>,
    /// Of a switch: it may also be given words, `=A,B`.
    pub words: bool,
    /// The switch that this one is the opposite of.
    pub opposite_of: Option<&'static str>,
    /// The switch that is off once this one is on; whichever comes last counts.
    pub excludes: Option<&'static str>,
    /// Each of several values counts; in the variable this character separates them.
    pub separator: Option<char>,
    /// The environment variable that sets the same; it may stand in the `GOENV` file as well.
    pub env: Option<&'static str>,
    /// Another variable that decides if `env` does not.
    pub alias: Option<&'static str>,
    /// The value if nothing sets it, as it would be written.
    pub default: &'static str,
    /// One line: what it does.
    pub brief: &'static str,
    /// More, for the long help.
    pub detail: &'static str,
}

/// Flags with a common subject: a command names the groups that it has.
#[derive(Debug)]
pub struct FlagGroup {
    /// The heading in help.
    pub title: &'static str,
    /// The flags, in the order of help.
    pub flags: &'static [&'static Flag],
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
        choices: &[],
        check: |_| Ok(()),
        words: false,
        opposite_of: None,
        excludes: None,
        separator: None,
        env: None,
        alias: None,
        default: "",
        brief: "",
        detail: "",
    };

    /// The flag as help shows it: `-json`, `--jobs`.
    #[must_use]
    pub fn shown(&self) -> String {
        let dashes = if self.go { "-" } else { "--" };
        format!("{dashes}{}", self.long)
    }

    /// What there is to say beside the texts: the values it takes, its variables, its default.
    #[must_use]
    pub fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        if !self.choices.is_empty() {
            facts.push(format!("Values: {}", self.choices.join(", ")));
        }
        if let Some(variable) = self.env {
            facts.push(format!("Environment: {variable}"));
        }
        if let Some(alias) = self.alias {
            facts.push(format!("Otherwise: {alias}"));
        }
        if let Some(default) = self.shown_default() {
            facts.push(format!("Default: {default}"));
        }
        facts
    }

    /// The default of a setting that has a value; a switch is off and needs no words for that.
    #[must_use]
    pub fn shown_default(&self) -> Option<&'static str> {
        let has_value = self.value.is_some() && !self.default.is_empty();
        has_value.then_some(self.default)
    }

    /// Judges a value as far as the flag alone can: what was wanted, if it is refused.
    pub(crate) fn judge(&self, value: &str) -> Result<(), String> {
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            return Err(one_of(self.choices));
        }
        (self.check)(value)
    }

    /// The value that a switch records for the text after `=`; `None` if it takes no such text.
    pub(crate) fn switch_value<'a>(&self, text: &'a str) -> Option<&'a str> {
        match parse_bool(text) {
            Some(true) => Some("true"),
            Some(false) => Some("false"),
            None => self.words.then_some(text),
        }
    }
}
