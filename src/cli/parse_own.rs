//! The command line of `modfetch`: flags anywhere, on lexopt.

use std::ffi::OsString;

use super::commands::{Verb, commands};
use super::invocation::{Command, Invocation, Persona};
use super::nearest::nearest;
use super::raw::RawArgs;
use super::table::{Flag, Given, build_flag, flags};
use super::words::{find_flag, help_about, not_ours, switch, unknown_command, usage};
use crate::{Error, Result};

/// What has been understood so far.
#[derive(Default)]
struct Own {
    raw: RawArgs,
    verb: Option<Verb>,
    /// `mod` was typed, and the command of go's that follows it was not yet.
    after_mod: bool,
    /// `Some(long)` once help was asked for.
    help: Option<bool>,
}

pub(super) fn parse_own(args: Vec<String>) -> Result<Invocation> {
    let mut own = Own::default();
    let mut lexer = lexopt::Parser::from_args(args);
    loop {
        // lexopt reads `-json` as four letters: words with go's single dash are taken before
        // it sees them. In the middle of a bundle such as `-qv` there are no raw arguments.
        let build = lexer
            .try_raw_args()
            .and_then(|raw| own.build_flag(raw.peek()?.to_str()?));
        if let Some(more) = build {
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
            Some(lexopt::Arg::Long("version")) if own.verb.is_none() => {
                own.verb = Some(Verb::Version);
                continue;
            }
            Some(lexopt::Arg::Short(short)) => {
                let found = find_flag(|flag| flag.short == Some(short));
                (
                    Some(found.ok_or_else(|| own.unknown(&format!("-{short}")))?),
                    None,
                    false,
                )
            }
            Some(lexopt::Arg::Long(long)) => {
                let long = long.to_owned();
                let found = find_flag(|flag| flag.long == long);
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

/// True if a word is letters of ours, up to one that takes a value; a number, if it takes one.
fn is_bundle(word: &str) -> bool {
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        match find_flag(|flag| flag.short == Some(letter)) {
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

impl Own {
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
        if let Some(flag) = find_flag(|flag| flag.go && flag.long == name) {
            return Ok(Some((flag, value)));
        }
        // `-jsno` is a mistyped `-json` and `-quiet` a mistyped `--quiet`, neither is a bundle.
        if name.chars().count() < 2 || name == "help" || is_bundle(name) {
            return Ok(None);
        }
        Err(self.unknown(&format!("-{name}")))
    }

    /// If this word is one of go's flags about building, which change nothing: true if the next
    /// word is its value.
    fn build_flag(&self, arg: &str) -> Option<bool> {
        let body = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
        let name = body.split('=').next().unwrap_or(body);
        let ours = |flag: &Flag| flag.short.is_some_and(|short| name == short.to_string());
        if find_flag(ours).is_some() {
            return None;
        }
        let valued = build_flag(self.verb?, name)?;
        Some(valued && !body.contains('='))
    }

    fn command_name(&self) -> String {
        match self.verb {
            Some(verb) => format!("modfetch {}", verb.info().name),
            None => "modfetch".to_owned(),
        }
    }

    fn unknown(&self, typed: &str) -> Error {
        if let Some(error) = self.verb.and_then(|verb| not_ours(verb, typed)) {
            return error;
        }
        let error = usage(format!(
            "unknown flag {typed} for {:?}",
            self.command_name()
        ));
        let name = typed.trim_start_matches('-');
        let candidates = flags().filter(|flag| self.verb.is_none_or(|verb| flag.applies_to(verb)));
        match nearest(name, candidates.map(|flag| flag.long)) {
            Some(near) => {
                let shown = find_flag(|flag| flag.long == near).map(Flag::shown);
                error.hint(format!("did you mean {}?", shown.unwrap_or_default()))
            }
            None => error.hint(format!("'{} -h' lists the flags", self.command_name())),
        }
    }

    fn give(&mut self, flag: &'static Flag, value: Option<&str>) -> Result<()> {
        if self.verb.is_some_and(|verb| !flag.applies_to(verb)) {
            return Err(self.unknown(&flag.shown()));
        }
        let given = match (flag.value, value) {
            (Some(_), Some(value)) => Given::Value(value),
            (Some(_), None) => return Err(needs_value(flag)),
            (None, None) => Given::Switch(true),
            (None, Some(value)) => match switch(value) {
                Some(on) => Given::Switch(on),
                None if flag.may_have_words(self.verb) => Given::Value(value),
                None => {
                    return Err(usage(format!(
                        "invalid value {value:?} for flag {}: want true or false",
                        flag.shown()
                    )));
                }
            },
        };
        self.raw.given.insert(flag.long);
        (flag.set)(&mut self.raw, given)
    }

    /// Takes an argument: the command first, then its own.
    fn word(&mut self, word: String) -> Result<()> {
        if self.verb.is_some() {
            self.raw.args.push(word);
            return Ok(());
        }
        if self.after_mod {
            let full = format!("mod {word}");
            let found = commands().iter().find(|info| info.go_name == Some(&full));
            let info = found.ok_or_else(|| unknown_command(&full))?;
            self.verb = Some(info.verb);
            return self.check_earlier_flags();
        }
        if word == "mod" {
            self.after_mod = true;
            return Ok(());
        }
        let info = commands().iter().find(|info| info.name == word);
        self.verb = Some(info.ok_or_else(|| unknown_command(&word))?.verb);
        self.check_earlier_flags()
    }

    /// Checks the flags that stood before the command, now that it is known.
    fn check_earlier_flags(&self) -> Result<()> {
        let Some(verb) = self.verb else {
            return Ok(());
        };
        for flag in flags() {
            if self.raw.given.contains(flag.long) && !flag.applies_to(verb) {
                return Err(self.unknown(&flag.shown()));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Invocation> {
        if self.help.is_none() && self.after_mod && self.verb.is_none() {
            return Err(usage("command mod needs a command")
                .hint("modfetch serves: mod download, mod verify, mod graph, mod why"));
        }
        let command = match (self.help, self.verb) {
            (Some(long), about) => Command::Help { about, long },
            (None, None) => Command::Missing,
            (None, Some(Verb::Help)) => help_about(&self.raw.args)?,
            (None, Some(Verb::Download)) => Command::Download,
            (None, Some(Verb::Verify)) => Command::Verify,
            (None, Some(Verb::Graph)) => Command::Graph,
            (None, Some(Verb::List)) => Command::List,
            (None, Some(Verb::Why)) => Command::Why,
            (None, Some(Verb::Clean)) => Command::Clean,
            (None, Some(Verb::Plan)) => Command::Plan,
            (None, Some(Verb::Sum)) => Command::Sum,
            (None, Some(Verb::Doctor)) if self.raw.args.is_empty() => Command::Doctor,
            (None, Some(Verb::Doctor)) => {
                return Err(usage("command doctor takes no arguments"));
            }
            (None, Some(Verb::Env)) => Command::Env,
            (None, Some(Verb::Version)) if self.raw.args.is_empty() => Command::Version,
            (None, Some(Verb::Version)) => {
                return Err(usage("command version takes no arguments"));
            }
        };
        Ok(Invocation {
            persona: Persona::Modfetch,
            command,
            raw: self.raw,
        })
    }
}
