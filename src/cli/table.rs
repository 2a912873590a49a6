//! The flags: the single source of parsing, help and "did you mean".

use std::path::PathBuf;

use super::commands::Verb;
use super::raw::RawArgs;
use crate::{Error, Kind, Result};

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
    /// The commands that have it; empty for all.
    pub commands: &'static [Verb],
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

    /// The flag as help shows it: `-json`, `--jobs`.
    #[must_use]
    pub fn shown(&self) -> String {
        let dashes = if self.go { "-" } else { "--" };
        format!("{dashes}{}", self.long)
    }
}

/// Every flag, go's first, in the order of help.
#[must_use]
pub fn flags() -> &'static [Flag] {
    FLAGS
}

const DOWNLOAD: &[Verb] = &[Verb::Download];
const ENV: &[Verb] = &[Verb::Env];
const BOTH: &[Verb] = &[Verb::Download, Verb::Env];

/// A flag of go's.
const GO: Flag = Flag {
    long: "",
    short: None,
    go: true,
    value: None,
    env: None,
    commands: DOWNLOAD,
    brief: "",
    detail: "",
    set: |_, _| Ok(()),
};

/// A flag of ours.
const OURS: Flag = Flag { go: false, ..GO };

fn unsupported(flag: &str) -> Error {
    Error::new(Kind::Usage, format!("flag {flag} is not supported"))
}

const FLAGS: &[Flag] = &[
    Flag {
        long: "C",
        value: Some("DIR"),
        commands: BOTH,
        brief: "Work in this directory",
        detail: "As if the program were started there. As 'go', it must be the first flag.",
        set: |raw, given| {
            raw.chdir = Some(PathBuf::from(given.text()));
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "json",
        commands: &[Verb::Download, Verb::Env, Verb::Version],
        brief: "Print results as JSON",
        detail: "For download a sequence of objects with go's fields, in module order.",
        set: |raw, given| {
            raw.json = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "x",
        commands: BOTH,
        brief: "Print what is done",
        detail: "Requests and their outcome on standard error; secrets are left out.",
        set: |raw, given| {
            raw.x = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modcacherw",
        brief: "Leave unpacked directories writable",
        detail: "Otherwise files and directories of the module cache are read-only.",
        set: |raw, given| {
            raw.modcacherw = Some(given.on());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modfile",
        value: Some("FILE"),
        brief: "Use this file in place of go.mod",
        detail: "Its name ends in .mod; go.sum is replaced by the same name ending in .sum.",
        set: |raw, given| {
            raw.modfile = Some(given.text());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "reuse",
        value: Some("FILE"),
        brief: "Not supported yet",
        detail: "go's way to skip what an earlier run described.",
        set: |_, given| match given.text().as_str() {
            "" => Ok(()),
            _ => Err(unsupported("-reuse").hint("the module cache is reused without it")),
        },
        ..GO
    },
    Flag {
        long: "overlay",
        value: Some("FILE"),
        brief: "Not supported",
        detail: "go's way to replace source files for one run.",
        set: |_, given| match given.text().as_str() {
            "" => Ok(()),
            _ => Err(unsupported("-overlay")),
        },
        ..GO
    },
    Flag {
        long: "changed",
        commands: ENV,
        brief: "Print only what differs from the default",
        detail: "The default is what an empty environment without a GOENV file gives.",
        set: |raw, given| {
            raw.changed = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "w",
        commands: ENV,
        brief: "Set variables (NAME=VALUE) in the GOENV file",
        detail: "The process environment still wins over the file.",
        set: |raw, given| {
            raw.write = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "u",
        commands: ENV,
        brief: "Remove variables from the GOENV file",
        detail: "",
        set: |raw, given| {
            raw.unset = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "n",
        commands: ENV,
        brief: "Accepted for go's sake",
        detail: "It does nothing here, as in go.",
        set: |raw, given| {
            raw.n = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "jobs",
        short: Some('j'),
        value: Some("N"),
        env: Some("MODFETCH_JOBS"),
        brief: "Fetch at most N files at once",
        detail: "Default 64. GOMODCONCURRENT is read too, below MODFETCH_JOBS.",
        set: |raw, given| {
            raw.jobs = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "jobs-per-host",
        value: Some("N"),
        env: Some("MODFETCH_JOBS_PER_HOST"),
        brief: "Fetch at most N files at once from one host",
        detail: "Default 64.",
        set: |raw, given| {
            raw.jobs_per_host = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "offline",
        env: Some("MODFETCH_OFFLINE"),
        brief: "Open no socket; use what the cache has",
        detail: "A module that is not in the cache fails with exit code 11.",
        set: |raw, given| {
            raw.offline = Some(given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "locked",
        env: Some("MODFETCH_LOCKED"),
        brief: "Fail if go.sum lacks a line",
        detail: "go.sum is not written.",
        set: |raw, given| {
            raw.locked = Some(given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "dry-run",
        brief: "Print what would be fetched, and fetch nothing",
        detail: "Exit code 10 if there is something to fetch, 0 if the cache is complete.",
        set: |raw, given| {
            raw.dry_run = given.on();
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "from",
        value: Some("FILE"),
        brief: "Read more modules from a file, or - for standard input",
        detail: "One path@version a line; blank lines and lines starting with # are skipped.",
        set: |raw, given| {
            raw.from = Some(PathBuf::from(given.text()));
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "keep-going",
        brief: "Go on after a module failed (the default)",
        detail: "",
        set: |raw, given| {
            raw.fail_fast = Some(!given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "fail-fast",
        env: Some("MODFETCH_FAIL_FAST"),
        brief: "Stop at the first module that fails",
        detail: "Whichever of --keep-going and --fail-fast comes last counts.",
        set: |raw, given| {
            raw.fail_fast = Some(given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "retries",
        value: Some("N"),
        env: Some("MODFETCH_RETRIES"),
        brief: "Try a failed request N more times",
        detail: "Default 4. Only what may pass is tried again: cut or stalled transfers, 429, 5xx.",
        set: |raw, given| {
            raw.retries = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "connect-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_CONNECT_TIMEOUT"),
        brief: "Wait this long for a connection",
        detail: "Default 10s. Written as 10s, 1m30s, 250ms, or plain seconds.",
        set: |raw, given| {
            raw.connect_timeout = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "stall-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_STALL_TIMEOUT"),
        brief: "Wait this long for the next byte",
        detail: "Default 30s. There is no limit on a whole transfer that moves.",
        set: |raw, given| {
            raw.stall_timeout = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        env: Some("MODFETCH_QUIET"),
        commands: DOWNLOAD,
        brief: "Print errors only",
        detail: "Whichever of --quiet and --verbose comes last counts.",
        set: |raw, given| {
            raw.quiet = Some(given.on());
            if given.on() {
                raw.verbose = Some(false);
            }
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        env: Some("MODFETCH_VERBOSE"),
        commands: BOTH,
        brief: "Tell more; for env, what decided each setting",
        detail: "",
        set: |raw, given| {
            raw.verbose = Some(given.on());
            if given.on() {
                raw.quiet = Some(false);
            }
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "progress",
        value: Some("WHEN"),
        env: Some("MODFETCH_PROGRESS"),
        brief: "Show progress: auto, always, never, json",
        detail: "auto shows it on a terminal; json writes one object a line to standard error.",
        set: |raw, given| {
            raw.progress = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "color",
        value: Some("WHEN"),
        env: Some("MODFETCH_COLOR"),
        commands: &[],
        brief: "Use colours: auto, always, never",
        detail: "auto uses them on a terminal, unless NO_COLOR is set.",
        set: |raw, given| {
            raw.color = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "log",
        value: Some("FORM"),
        env: Some("MODFETCH_LOG"),
        commands: &[],
        brief: "Write messages as text or json",
        detail: "json writes one object a line to standard error.",
        set: |raw, given| {
            raw.log = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "go-exit-codes",
        env: Some("MODFETCH_GO_EXIT_CODES"),
        commands: &[],
        brief: "Exit with 0, 1 or 2 only, as go does",
        detail: "Otherwise each class of failure has its own code, 2 to 11.",
        set: |raw, given| {
            raw.go_exit_codes = Some(given.on());
            Ok(())
        },
        ..OURS
    },
];

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
            if ["reuse", "overlay"].contains(&flag.long) {
                assert!(set(&[one]).is_err(), "{}", flag.long);
                assert!(set(&[Given::Value("")]).is_ok(), "{}", flag.long);
                continue;
            }
            let once = set(&[one]).expect(flag.long);
            assert_ne!(once, RawArgs::default(), "{}", flag.long);
            let twice = set(&[one, two]).expect(flag.long);
            assert_ne!(twice, once, "{}", flag.long);
            if flag.value.is_some() {
                assert_eq!(twice, set(&[two]).expect(flag.long), "{}", flag.long);
            }
        }
    }
}
