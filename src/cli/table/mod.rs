//! The flags: the single source of parsing, help and "did you mean".

mod build;
mod cache;
mod choice;
mod go;
mod identity;
mod network;
mod output;

pub(super) use build::build_flag;

use super::commands::Verb;
use super::raw::RawArgs;
use crate::Result;

/// A flag: how it is typed, what help says, what it does to [`RawArgs`].
#[derive(Debug)]
pub struct Flag {
    /// The name after two dashes; for go's flags after one as well.
    pub long: &'static str,
    /// A single letter after one dash.
    pub short: Option<char>,
    /// A flag of go's: the `go` persona has it, and it is shown with one dash.
    pub go: bool,
    /// What stands for the value in help; `None` for a switch, which may be given `=false`.
    pub value: Option<&'static str>,
    /// The variable that does the same.
    pub env: Option<&'static str>,
    /// Of a switch, the commands for which it may also be given words, `=A,B`.
    pub words: &'static [Verb],
    /// The commands that have it; empty for all.
    pub commands: &'static [Verb],
    /// Of these, commands of go's that have no such flag in go.
    pub added: &'static [Verb],
    /// One line: what it does.
    pub brief: &'static str,
    /// More, for the long help.
    pub detail: &'static str,
    pub(super) set: fn(&mut RawArgs, Given<'_>) -> Result<()>,
}

/// What was given with a flag.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
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
    /// True if the command has this flag.
    #[must_use]
    pub fn applies_to(&self, verb: Verb) -> bool {
        self.commands.is_empty() || self.commands.contains(&verb)
    }

    /// True if a switch may be given words in place of true and false.
    pub(super) fn may_have_words(&self, verb: Option<Verb>) -> bool {
        verb.is_some_and(|verb| self.words.contains(&verb))
    }

    /// The flag as help shows it: `-json`, `--jobs`.
    #[must_use]
    pub fn shown(&self) -> String {
        let dashes = if self.go { "-" } else { "--" };
        format!("{dashes}{}", self.long)
    }
}

/// Every flag, go's first, in the order of help.
pub fn flags() -> impl Iterator<Item = &'static Flag> {
    [
        go::FLAGS,
        choice::FLAGS,
        cache::FLAGS,
        network::FLAGS,
        identity::FLAGS,
        output::FLAGS,
    ]
    .into_iter()
    .flatten()
}

const DOWNLOAD: &[Verb] = &[Verb::Download];
const PLAN: &[Verb] = &[Verb::Plan];
/// The commands that are told modules to fetch.
const CHOOSING: &[Verb] = &[Verb::Download, Verb::Plan];
/// The commands that leave modules out.
const LIMITED: &[Verb] = &[Verb::Download, Verb::Verify, Verb::Plan];
/// The commands that go.mod alone may tell which modules are meant.
const SCOPED: &[Verb] = &[Verb::Download, Verb::Verify, Verb::Plan, Verb::Sum];
/// The commands that may ask the network.
const FETCHING: &[Verb] = &[
    Verb::Download,
    Verb::Verify,
    Verb::Graph,
    Verb::List,
    Verb::Why,
    Verb::Plan,
    Verb::Sum,
];
/// The commands that open connections.
const CONNECTING: &[Verb] = &[
    Verb::Download,
    Verb::Verify,
    Verb::Graph,
    Verb::List,
    Verb::Why,
    Verb::Plan,
    Verb::Sum,
    Verb::Doctor,
];
const ENV: &[Verb] = &[Verb::Env];
/// The commands that read settings and do something.
const TALKING: &[Verb] = &[
    Verb::Download,
    Verb::Verify,
    Verb::Graph,
    Verb::List,
    Verb::Why,
    Verb::Plan,
    Verb::Env,
    Verb::Sum,
];
const GRAPH: &[Verb] = &[Verb::Graph];
const LIST: &[Verb] = &[Verb::List];
const WHY: &[Verb] = &[Verb::Why];
const CLEAN: &[Verb] = &[Verb::Clean];
const VERIFY: &[Verb] = &[Verb::Verify];
const SUM: &[Verb] = &[Verb::Sum];
/// The commands that read go.mod.
const PROJECT: &[Verb] = CONNECTING;
/// The commands that unpack modules.
const UNPACKING: &[Verb] = &[Verb::Download, Verb::Verify];

/// A flag of go's.
const GO: Flag = Flag {
    long: "",
    short: None,
    go: true,
    value: None,
    env: None,
    words: &[],
    commands: DOWNLOAD,
    added: &[],
    brief: "",
    detail: "",
    set: |_, _| Ok(()),
};

/// A flag of ours.
const OURS: Flag = Flag { go: false, ..GO };

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_documented() {
        let mut seen = BTreeSet::new();
        for flag in flags() {
            assert!(seen.insert(flag.long.to_owned()), "{}", flag.long);
            if let Some(short) = flag.short {
                assert!(seen.insert(short.to_string()), "{short}");
            }
            assert!(
                !flag.brief.is_empty() && !flag.brief.ends_with('.'),
                "{}",
                flag.long
            );
            assert!(
                flag.brief.len() <= 56,
                "{}: {}",
                flag.long,
                flag.brief.len()
            );
            assert!(flag.env.is_none() || !flag.go, "{}", flag.long);
        }
    }

    #[test]
    fn a_variable_is_named_after_its_flag() {
        for flag in flags() {
            if let Some(variable) = flag.env {
                let name = flag.long.to_uppercase().replace('-', "_");
                assert_eq!(variable, format!("MODFETCH_{name}"));
            }
        }
    }

    /// Every row: nothing by default, something when set, and the last of two counts.
    #[test]
    fn every_flag_is_default_set_and_set_twice() {
        for flag in flags() {
            let set = |given: &[Given<'_>]| {
                let mut raw = RawArgs::default();
                given
                    .iter()
                    .try_for_each(|&given| (flag.set)(&mut raw, given))
                    .map(|()| raw)
            };
            let (one, two) = match flag.value {
                Some(_) => (Given::Value("one"), Given::Value("two")),
                None => (Given::Switch(true), Given::Switch(false)),
            };
            if flag.long == "go" {
                assert!(set(&[one]).is_err(), "{}", flag.long);
                assert!(set(&[Given::Value("")]).is_ok(), "{}", flag.long);
                continue;
            }
            let once = set(&[one]).expect(flag.long);
            assert_ne!(once, RawArgs::default(), "{}", flag.long);
            let twice = set(&[one, two]).expect(flag.long);
            assert_ne!(twice, once, "{}", flag.long);
            // Of these each counts.
            if flag.value.is_some() && !["ro-cache", "exclude"].contains(&flag.long) {
                assert_eq!(twice, set(&[two]).expect(flag.long), "{}", flag.long);
            }
        }
    }
}
