//! The command line of `modfetch`: flags anywhere, on lexopt.

use std::ffi::OsString;

use super::invocation::{Action, HelpSubject, Invocation, ProgramName};
use super::nearest::nearest;
use super::tree::{CommandInfo, CommandLookup, CommandTree};
use super::words::{help_subject, incomplete_command, unknown_command, unsupported, usage};
use crate::config::RawArgs;
use crate::config::flags::Flag;
use crate::{Error, Result};

/// What has been understood so far.
struct Own<'t> {
    tree: &'t CommandTree,
    raw: RawArgs,
    command: Option<&'static CommandInfo>,
    /// The words of a command that needs more of them: `mod`, `cache`.
    words: Vec<String>,
    /// Flags that stood before the command, which decides what they mean.
    early: Vec<(&'static Flag, Option<String>)>,
    /// `Some(long)` once help was asked for.
    help: Option<bool>,
}

pub(super) fn parse_own(tree: &CommandTree, args: Vec<String>) -> Result<Invocation> {
    let mut own = Own {
        tree,
        raw: RawArgs::default(),
        command: None,
        words: Vec::new(),
        early: Vec::new(),
        help: None,
    };
    let mut lexer = lexopt::Parser::from_args(args);
    loop {
        // lexopt reads `-json` as four letters: words with go's single dash are taken before
        // it sees them. In the middle of a bundle such as `-qv` there are no raw arguments.
        let ignored = lexer
            .try_raw_args()
            .and_then(|raw| own.ignored(raw.peek()?.to_str()?));
        if let Some(more) = ignored {
            let mut rest = lexer.raw_args().map_err(|error| lexer_error(&error))?;
            let name = rest.next();
            if more && rest.next().is_none() {
                let name = text(name.unwrap_or_default())?;
                return Err(usage(format!("flag {name} needs a value")));
            }
            continue;
        }
        let go_style = lexer
            .try_raw_args()
            .and_then(|raw| raw.peek().and_then(|arg| arg.to_str()).map(str::to_owned))
            .and_then(|arg| own.single_dash(&arg).transpose())
            .transpose()?;
        if let Some((flag, value)) = go_style {
            let mut rest = lexer.raw_args().map_err(|error| lexer_error(&error))?;
            rest.next();
            let value = match (flag.value, value) {
                (Some(_), None) => Some(text(rest.next().ok_or_else(|| needs_value(flag))?)?),
                (_, value) => value,
            };
            own.give(flag, value.as_deref())?;
            continue;
        }
        let (flag, asks_help, is_long) = match lexer.next().map_err(|error| lexer_error(&error))? {
            None => break,
            Some(lexopt::Arg::Value(value)) => {
                own.word(text(value)?)?;
                continue;
            }
            Some(lexopt::Arg::Short('h')) => (None, Some(false), false),
            Some(lexopt::Arg::Long("help")) => (None, Some(true), true),
            Some(lexopt::Arg::Long("version")) if own.command.is_none() => {
                own.word("version".to_owned())?;
                continue;
            }
            Some(lexopt::Arg::Short(short)) => {
                let found = own.find(|flag| flag.short == Some(short));
                (
                    Some(found.ok_or_else(|| own.unknown(&format!("-{short}")))?),
                    None,
                    false,
                )
            }
            Some(lexopt::Arg::Long(long)) => {
                let long = long.to_owned();
                let found = own.find(|flag| flag.long == long);
                (
                    Some(found.ok_or_else(|| own.unknown(&format!("--{long}")))?),
                    None,
                    true,
                )
            }
        };
        if asks_help.is_some() {
            own.help = asks_help;
        }
        if let Some(flag) = flag {
            let value = match flag.value {
                Some(_) => Some(lexer.value().map_err(|_| needs_value(flag))?),
                // A switch takes a value after `=` only; after a letter more letters may follow.
                None if is_long => lexer.optional_value(),
                None => None,
            };
            let value = value.map(text).transpose()?;
            own.give(flag, value.as_deref())?;
        }
    }
    own.finish()
}

fn text(value: OsString) -> Result<String> {
    // All arguments were text before lexopt took them apart, at ASCII characters.
    value
        .into_string()
        .map_err(|value| usage(format!("argument {} is not valid UTF-8", value.display())))
}

fn lexer_error(error: &lexopt::Error) -> Error {
    usage(error.to_string())
}

fn needs_value(flag: &Flag) -> Error {
    let value = flag.value.unwrap_or("VALUE");
    usage(format!("flag {} needs a value: {value}", flag.shown()))
}

impl Own<'_> {
    /// The flag that is meant: one of the command if it is known, otherwise one of any.
    fn find(&self, matches: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
        let of_command = self.command.into_iter().flat_map(CommandInfo::all_flags);
        let mut flags = of_command.chain(self.tree.flags());
        flags.find(|flag| matches(flag))
    }

    /// Takes a word with a single dash for a flag of go's, if it is one.
    ///
    /// `Ok(None)` leaves it to lexopt: no single dash, or letters of ours.
    fn single_dash(&self, arg: &str) -> Result<Option<(&'static Flag, Option<String>)>> {
        let Some(body) = arg.strip_prefix('-').filter(|body| !body.starts_with('-')) else {
            return Ok(None);
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        if let Some(flag) = self.find(|flag| flag.go && flag.long == name) {
            return Ok(Some((flag, value)));
        }
        // `-jsno` is a mistyped `-json` and `-quiet` a mistyped `--quiet`, neither is a bundle.
        if name.chars().count() < 2 || name == "help" || self.is_bundle(name) {
            return Ok(None);
        }
        Err(self.unknown(&format!("-{name}")))
    }

    /// True if a word is letters of ours, up to one that takes a value; a number, if it takes one.
    fn is_bundle(&self, word: &str) -> bool {
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            match self.find(|flag| flag.short == Some(letter)) {
                Some(flag) if flag.value.is_some() => {
                    return letters.all(|digit| digit.is_ascii_digit());
                }
                Some(_) => {}
                None if letter == 'h' => {}
                None => return false,
            }
        }
        true
    }

    /// If this word is one of go's flags that change nothing: true if the next word is its value.
    fn ignored(&self, arg: &str) -> Option<bool> {
        let body = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
        let name = body.split('=').next().unwrap_or(body);
        let has_letter = |flag: &Flag| flag.short.is_some_and(|short| name == short.to_string());
        if self.find(has_letter).is_some() {
            return None;
        }
        let valued = self.command?.ignored(name)?;
        Some(valued && !body.contains('='))
    }

    fn command_name(&self) -> String {
        match self.command {
            Some(info) => format!("modfetch {}", info.name()),
            None => "modfetch".to_owned(),
        }
    }

    fn unknown(&self, typed: &str) -> Error {
        if let Some(error) = self.command.and_then(|info| unsupported(info, typed)) {
            return error;
        }
        let error = usage(format!(
            "unknown flag {typed} for {:?}",
            self.command_name()
        ));
        let name = typed.trim_start_matches('-');
        let candidates: Vec<&Flag> = match self.command {
            Some(info) => info.all_flags().collect(),
            None => self.tree.flags().collect(),
        };
        match nearest(name, candidates.iter().map(|flag| flag.long)) {
            Some(near) => {
                let flag = candidates.iter().find(|flag| flag.long == near);
                let shown = flag.map(|flag| flag.shown());
                error.hint(format!("did you mean {}?", shown.unwrap_or_default()))
            }
            None => error.hint(format!("'{} -h' lists the flags", self.command_name())),
        }
    }

    fn give(&mut self, flag: &'static Flag, value: Option<&str>) -> Result<()> {
        let Some(info) = self.command else {
            let mut others = self.tree.flags().filter(|other| other.long == flag.long);
            if others.any(|other| other.value.is_some() != flag.value.is_some()) {
                let shown = flag.shown();
                let text =
                    format!("flag {shown} must follow the command, which decides what it means");
                return Err(usage(text));
            }
            self.early.push((flag, value.map(str::to_owned)));
            return Ok(());
        };
        // A flag that stood before the command may be another one of the same name.
        let of_command = info.flag(flag.long);
        let flag = of_command.ok_or_else(|| self.unknown(&flag.shown()))?;
        let refuse = |value: &str, wanted: &str| {
            let shown = flag.shown();
            usage(format!(
                "invalid value {value:?} for flag {shown}: {wanted}"
            ))
        };
        let value = match (flag.value, value) {
            (Some(_), Some(value)) => value,
            (Some(_), None) => return Err(needs_value(flag)),
            (None, value) => {
                let value = value.unwrap_or("true");
                let on_or_off = flag.switch_value(value);
                on_or_off.ok_or_else(|| refuse(value, "want true or false"))?
            }
        };
        flag.judge(value).map_err(|wanted| refuse(value, &wanted))?;
        self.raw.give(flag, value);
        Ok(())
    }

    /// Takes an argument: the words of the command first, then its own.
    fn word(&mut self, word: String) -> Result<()> {
        if self.command.is_some() {
            self.raw.args.push(word);
            return Ok(());
        }
        self.words.push(word);
        match self.tree.find(&self.words) {
            CommandLookup::Command(info) => self.command = Some(info),
            CommandLookup::Prefix => return Ok(()),
            CommandLookup::Nothing => {
                return Err(unknown_command(self.tree, &self.words.join(" ")));
            }
        }
        for (flag, value) in std::mem::take(&mut self.early) {
            self.give(flag, value.as_deref())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Invocation> {
        let typed = self.words.join(" ");
        let of_go = self.command.and_then(|info| info.go_name);
        let of_own = self.command.map(CommandInfo::name);
        self.raw.by_go_name = of_go == Some(&*typed) && of_own.as_ref() != Some(&typed);
        let action = match (self.help, self.command) {
            (Some(long), Some(info)) => Action::Help {
                about: HelpSubject::Command(info),
                long,
            },
            (Some(long), None) => Action::Help {
                about: help_subject(self.tree, &self.words)?,
                long,
            },
            (None, None) if typed.is_empty() => Action::Missing,
            (None, None) => return Err(incomplete_command(self.tree, &typed)),
            // A command of go's refuses arguments in go's words.
            (None, Some(info)) if info.arguments.is_empty() && info.go_name.is_none() => {
                if !self.raw.args.is_empty() {
                    let text = format!("command {} takes no arguments", info.name());
                    return Err(usage(text));
                }
                Action::Run(info)
            }
            (None, Some(info)) => Action::Run(info),
        };
        Ok(Invocation {
            program: ProgramName::Modfetch,
            action,
            raw: self.raw,
        })
    }
}
