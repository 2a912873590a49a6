//! The command tree: what a command is called, which flags it has, what help says about it.
//!
//! The commands themselves are rows in `command`, which hands the tree to the parser and to help.

use crate::config::flags::groups::GLOBAL;
use crate::config::flags::{self, Flag, FlagGroup, IgnoredFlag};

/// What the parser and help know about a command.
#[derive(Debug)]
pub struct CommandInfo {
    /// The words that call it: `["download"]`, `["cache", "prune"]`.
    pub path: &'static [&'static str],
    /// Its name as a command of go, if it is one that modfetch serves: `mod download`.
    pub go_name: Option<&'static str>,
    /// It has a name of go's and answers another question: called as `go` the program does not serve it.
    pub only_modfetch: bool,
    /// What may follow the flags; empty if nothing may.
    pub arguments: &'static str,
    /// The groups of flags that it has. [`GLOBAL`] is not named.
    pub groups: &'static [&'static FlagGroup],
    /// Its other flags, in the order of help.
    pub flags: &'static [&'static Flag],
    /// Those of its flags that are spelled as in go and that go's command lacks.
    pub added: &'static [&'static str],
    /// Flags of go's that are accepted and change nothing.
    pub ignored: &'static [&'static [IgnoredFlag]],
    /// Flags of go's that are refused by name, each with the reason.
    pub unsupported: &'static [(&'static str, &'static str)],
    /// One line: what it does.
    pub brief: &'static str,
    /// Paragraphs, one a line.
    pub detail: &'static str,
    /// Command lines to start from, each with what it does.
    pub examples: &'static [(&'static str, &'static str)],
}

impl CommandInfo {
    /// A command without flags of its own, to start a row from.
    pub const NEW: CommandInfo = CommandInfo {
        path: &[],
        go_name: None,
        only_modfetch: false,
        arguments: "",
        groups: &[],
        flags: &[],
        added: &[],
        ignored: &[],
        unsupported: &[],
        brief: "",
        detail: "",
        examples: &[],
    };

    /// The words that call it, as one text: `download`, `cache prune`.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.join(" ")
    }

    /// Every flag that it has: its own, those of its groups, those of all commands.
    pub fn all_flags(&self) -> impl Iterator<Item = &'static Flag> {
        let groups = self.groups.iter().copied().chain([&GLOBAL]);
        let grouped = groups.flat_map(|group| group.flags);
        self.flags.iter().chain(grouped).copied()
    }

    /// The flag with this long name, if it has it.
    #[must_use]
    pub fn flag(&self, long: &str) -> Option<&'static Flag> {
        self.all_flags().find(|flag| flag.long == long)
    }

    /// The flag with this long name, if go's command of this name has it too.
    pub(super) fn go_flag(&self, long: &str) -> Option<&'static Flag> {
        let flag = self.flag(long).filter(|flag| flag.go);
        flag.filter(|flag| !self.added.contains(&flag.long))
    }

    /// The flags that GOFLAGS may set: those of go's command of this name, and what says in any command how
    /// modules are found and kept.
    #[must_use]
    pub fn goflags(&self) -> Vec<&'static Flag> {
        let may_set = |flag: &&Flag| flag.go && flag.long != flags::C.long;
        let mut found: Vec<&'static Flag> = self
            .all_flags()
            .filter(|flag| may_set(flag) && !self.added.contains(&flag.long))
            .map(|flag| match self.go_name {
                // Commands that go lacks are lenient with the words that `list` takes.
                None if flag.long == flags::JSON.long => &flags::JSON_FIELDS,
                _ => flag,
            })
            .collect();
        for flag in [&flags::MODCACHERW, &flags::MODFILE, &flags::OVERLAY] {
            if self.flag(flag.long).is_none() {
                found.push(flag);
            }
        }
        found
    }

    /// If this flag is accepted and changes nothing: whether it has a value.
    pub(super) fn ignored(&self, long: &str) -> Option<bool> {
        let mut lists = self.ignored.iter().flat_map(|list| list.iter());
        lists
            .find(|flag| flag.long == long)
            .map(|flag| flag.has_value)
    }

    /// True if called as `go` the program serves it.
    pub(super) fn is_served_as_go(&self) -> bool {
        self.go_name.is_some() && !self.only_modfetch
    }
}

/// A word that several commands begin with: `cache`, `bundle`.
#[derive(Debug)]
pub struct CommandArea {
    /// The word.
    pub name: &'static str,
    /// One line: what its commands do.
    pub brief: &'static str,
}

/// Every command, in the order of help, and the areas that some of them are in.
#[derive(Debug)]
pub struct CommandTree {
    /// The commands.
    pub commands: Vec<&'static CommandInfo>,
    /// The first words of commands that have two.
    pub areas: &'static [CommandArea],
}

/// What some words lead to.
pub(super) enum CommandLookup {
    /// They are a command.
    Command(&'static CommandInfo),
    /// Commands begin with them.
    Prefix,
    /// There is no such command.
    Nothing,
}

impl CommandTree {
    /// Follows the words of a command line; go's names lead to the same commands.
    pub(super) fn find(&self, words: &[String]) -> CommandLookup {
        let mut found = CommandLookup::Nothing;
        for info in &self.commands {
            let go_words = info.go_name.unwrap_or_default();
            let go_words: Vec<&str> = go_words.split_whitespace().collect();
            for path in [info.path, &go_words] {
                let is_prefix =
                    path.len() >= words.len() && path.iter().zip(words).all(|(a, b)| a == b);
                if is_prefix && path.len() == words.len() {
                    return CommandLookup::Command(info);
                }
                if is_prefix {
                    found = CommandLookup::Prefix;
                }
            }
        }
        found
    }

    /// The command that is called by these words, with spaces between.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&'static CommandInfo> {
        let words: Vec<String> = name.split(' ').map(str::to_owned).collect();
        match self.find(&words) {
            CommandLookup::Command(info) => Some(info),
            CommandLookup::Prefix | CommandLookup::Nothing => None,
        }
    }

    /// The full names that begin with some words, in either spelling, without the given ones.
    pub(super) fn names_below(&self, prefix: &str) -> Vec<String> {
        let prefix = format!("{prefix} ");
        let names = self.commands.iter().flat_map(|info| names(info));
        let mut below: Vec<String> = names.filter(|name| name.starts_with(&prefix)).collect();
        below.dedup();
        below
    }

    /// Every flag of any command; flags with the same name may differ in what they mean.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.commands.iter().flat_map(|info| info.all_flags())
    }
}

/// The names of a command: ours and go's.
pub(super) fn names(info: &CommandInfo) -> impl Iterator<Item = String> + use<> {
    let go_name = info.go_name.map(str::to_owned);
    [Some(info.name()), go_name].into_iter().flatten()
}
