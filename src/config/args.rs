//! [`RawArgs`]: what was typed, before any value is judged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::flags::Flag;

/// The values of flags by their long names, in the order they were given; a switch has `true` or `false`.
type FlagValues = BTreeMap<&'static str, Vec<String>>;

/// Flags and arguments as they were given, with nothing decided yet. Where a flag came twice, the last one
/// counts, and what was typed counts more than what GOFLAGS says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawArgs {
    typed: FlagValues,
    /// See [`GoFlags::add_to`](super::GoFlags::add_to).
    from_goflags: FlagValues,
    /// The arguments that are no flags, after the command.
    pub args: Vec<String>,
    /// The command was typed by the name that go has for it and modfetch has not, as `mod verify`.
    pub by_go_name: bool,
}

impl RawArgs {
    /// Records that a flag was typed. `value` is `true` or `false` for a switch, or the words of one that takes
    /// words.
    pub(crate) fn give(&mut self, flag: &Flag, value: &str) {
        give(&mut self.typed, flag, value);
    }

    /// The same without a flag: as if it had not been given.
    #[must_use]
    pub(crate) fn without(mut self, flag: &Flag) -> RawArgs {
        self.typed.remove(flag.long);
        self.from_goflags.remove(flag.long);
        self
    }

    /// Records that GOFLAGS has a flag.
    pub(super) fn give_from_goflags(&mut self, flag: &Flag, value: &str) {
        give(&mut self.from_goflags, flag, value);
    }

    /// True if the flag was given, with whatever value.
    #[must_use]
    pub fn is_given(&self, flag: &Flag) -> bool {
        self.text(flag).is_some()
    }

    /// True if the flag was typed, and is not in GOFLAGS alone.
    #[must_use]
    pub fn is_typed(&self, flag: &Flag) -> bool {
        self.typed.contains_key(flag.long)
    }

    /// What a switch was set to; `None` if it was not given.
    #[must_use]
    pub fn switch(&self, flag: &Flag) -> Option<bool> {
        // A switch that was given words is on.
        self.text(flag).map(|text| text != "false")
    }

    /// True if a switch was given and is on.
    #[must_use]
    pub fn is_on(&self, flag: &Flag) -> bool {
        self.switch(flag) == Some(true)
    }

    /// The value of a flag, judged by [`Flag::choices`] and [`Flag::check`] alone.
    #[must_use]
    pub fn text(&self, flag: &Flag) -> Option<&str> {
        self.texts(flag).last().map(String::as_str)
    }

    /// The file that a flag names; an empty name is no file.
    #[must_use]
    pub fn file(&self, flag: &Flag) -> Option<PathBuf> {
        let name = self.text(flag).filter(|name| !name.is_empty());
        name.map(PathBuf::from)
    }

    /// Every value of a flag that may be repeated, in order.
    #[must_use]
    pub fn texts(&self, flag: &Flag) -> &[String] {
        let typed = self.typed.get(flag.long);
        let found = typed.or_else(|| self.from_goflags.get(flag.long));
        found.map_or(&[], Vec::as_slice)
    }

    /// The words that were given with a switch that takes words: `A` and `B` of `-json=A,B`.
    pub fn words<'a>(&'a self, flag: &Flag) -> impl Iterator<Item = &'a str> {
        let words = self.texts(flag).iter();
        let words = words.filter(|text| !matches!(text.as_str(), "true" | "false"));
        words.flat_map(|text| text.split(','))
    }

    /// What a command line with these flags gives.
    #[cfg(test)]
    pub(crate) fn with<'a>(flags: impl IntoIterator<Item = (&'a Flag, &'a str)>) -> RawArgs {
        let mut raw = RawArgs::default();
        for (flag, value) in flags {
            raw.give(flag, value);
        }
        raw
    }
}

fn give(values: &mut FlagValues, flag: &Flag, value: &str) {
    let mut record = |long, value: &str| {
        let given: &mut Vec<String> = values.entry(long).or_default();
        given.push(value.to_owned());
    };
    if let Some(other) = flag.opposite_of {
        record(other, if value == "true" { "false" } else { "true" });
    }
    if let Some(other) = flag.excludes.filter(|_| value == "true") {
        record(other, "false");
    }
    record(flag.long, value);
}
