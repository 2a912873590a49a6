//! modfetch's own settings: each long flag that has a `MODFETCH_` variable, its default, and
//! the one parser that judges a value wherever it was written.

use std::time::Duration;

use super::{GoEnv, Origin, Setting};
use crate::{Error, Kind, Result};

/// When progress is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On a terminal only.
    Auto,
    /// Even if standard error is no terminal.
    Always,
    /// Not at all.
    Never,
    /// As one JSON object a line on standard error.
    Json,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal only.
    Auto,
    /// Even if the stream is no terminal.
    Always,
    /// Not at all.
    Never,
}

/// The form of messages on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The result of judging one value: on refusal, what was wanted.
type Parsed<T> = std::result::Result<T, String>;

/// Transfers at once: more threads than this only cost memory.
const MAX_JOBS: usize = 1024;
/// With exponential backoff this is hours already.
const MAX_RETRIES: u32 = 100;
/// A day; a longer wait without a byte is no limit at all.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a boolean as Go's `strconv.ParseBool` does.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Parses a duration: Go's syntax (`1m30s`, `250ms`, `1.5h`) or plain seconds (`30`, `0.5`).
///
/// Units are `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`. No sign. `None` for anything else, also for
/// what does not fit a [`Duration`].
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return scaled(text, 1_000_000_000);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, after) = tail.split_at_checked(unit_end)?;
        let nanoseconds = match unit {
            "ns" => 1,
            // U+00B5 micro sign and U+03BC Greek mu, as Go takes both.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3600 * 1_000_000_000,
            _ => return None,
        };
        total = total.checked_add(scaled(number, nanoseconds)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// `number` (digits with at most one point) times a unit in nanoseconds, rounded down.
fn scaled(number: &str, unit_ns: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut total = whole.checked_mul(unit_ns)?;
    let mut place = unit_ns;
    for digit in fraction.chars() {
        place /= 10;
        total = total.checked_add(place.checked_mul(u64::from(digit.to_digit(10)?))?)?;
    }
    Some(Duration::from_nanos(total))
}

fn boolean(text: &str) -> Parsed<bool> {
    parse_bool(text).ok_or_else(|| "want true or false".to_owned())
}

fn jobs(text: &str) -> Parsed<usize> {
    text.parse()
        .ok()
        .filter(|count| (1..=MAX_JOBS).contains(count))
        .ok_or_else(|| format!("want a whole number from 1 to {MAX_JOBS}"))
}

fn retries(text: &str) -> Parsed<u32> {
    text.parse()
        .ok()
        .filter(|count| *count <= MAX_RETRIES)
        .ok_or_else(|| format!("want a whole number from 0 to {MAX_RETRIES}"))
}

fn timeout(text: &str) -> Parsed<Duration> {
    parse_duration(text)
        .filter(|wait| *wait > Duration::ZERO && *wait <= MAX_TIMEOUT)
        .ok_or_else(|| "want a time such as 10s, 1m30s, 250ms, or seconds, at most 24h".to_owned())
}

fn progress(text: &str) -> Parsed<Progress> {
    match text {
        "auto" => Ok(Progress::Auto),
        "always" => Ok(Progress::Always),
        "never" => Ok(Progress::Never),
        "json" => Ok(Progress::Json),
        _ => Err("want auto, always, never or json".to_owned()),
    }
}

fn color(text: &str) -> Parsed<Color> {
    match text {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        _ => Err("want auto, always or never".to_owned()),
    }
}

fn log(text: &str) -> Parsed<Log> {
    match text {
        "text" => Ok(Log::Text),
        "json" => Ok(Log::Json),
        _ => Err("want text or json".to_owned()),
    }
}

/// A setting of modfetch's own: how it is named, what it is unless set, and how it is read.
#[derive(Debug)]
pub(super) struct OwnSetting<T: 'static> {
    /// The flag, dashes included.
    pub(super) flag: &'static str,
    /// The environment variable; it may stand in the `GOENV` file as well.
    pub(super) variable: &'static str,
    /// Another variable that decides if `variable` does not.
    pub(super) alias: Option<&'static str>,
    /// The value if nothing sets it, as it would be written.
    pub(super) default: &'static str,
    parse: fn(&str) -> Parsed<T>,
}

/// `--jobs`: transfers at once. `GOMODCONCURRENT` is what people have tried to set for go.
pub(super) const JOBS: OwnSetting<usize> = OwnSetting {
    flag: "--jobs",
    variable: "MODFETCH_JOBS",
    alias: Some("GOMODCONCURRENT"),
    default: "64",
    parse: jobs,
};
/// `--jobs-per-host`: transfers at once from one host.
pub(super) const JOBS_PER_HOST: OwnSetting<usize> = OwnSetting {
    flag: "--jobs-per-host",
    variable: "MODFETCH_JOBS_PER_HOST",
    alias: None,
    default: "64",
    parse: jobs,
};
/// `--retries`: further tries of one request.
pub(super) const RETRIES: OwnSetting<u32> = OwnSetting {
    flag: "--retries",
    variable: "MODFETCH_RETRIES",
    alias: None,
    default: "4",
    parse: retries,
};
/// `--connect-timeout`: the longest wait for a connection.
pub(super) const CONNECT_TIMEOUT: OwnSetting<Duration> = OwnSetting {
    flag: "--connect-timeout",
    variable: "MODFETCH_CONNECT_TIMEOUT",
    alias: None,
    default: "10s",
    parse: timeout,
};
/// `--stall-timeout`: the longest wait for the next byte.
pub(super) const STALL_TIMEOUT: OwnSetting<Duration> = OwnSetting {
    flag: "--stall-timeout",
    variable: "MODFETCH_STALL_TIMEOUT",
    alias: None,
    default: "30s",
    parse: timeout,
};
/// `--progress`.
pub(super) const PROGRESS: OwnSetting<Progress> = OwnSetting {
    flag: "--progress",
    variable: "MODFETCH_PROGRESS",
    alias: None,
    default: "auto",
    parse: progress,
};
/// `--color`.
pub(super) const COLOR: OwnSetting<Color> = OwnSetting {
    flag: "--color",
    variable: "MODFETCH_COLOR",
    alias: None,
    default: "auto",
    parse: color,
};
/// `--log`.
pub(super) const LOG: OwnSetting<Log> = OwnSetting {
    flag: "--log",
    variable: "MODFETCH_LOG",
    alias: None,
    default: "text",
    parse: log,
};
/// `--offline`: open no socket.
pub(super) const OFFLINE: OwnSetting<bool> = off("--offline", "MODFETCH_OFFLINE");
/// `--locked`: go.sum is complete and stays as it is.
pub(super) const LOCKED: OwnSetting<bool> = off("--locked", "MODFETCH_LOCKED");
/// `--fail-fast`: stop at the first module that fails.
pub(super) const FAIL_FAST: OwnSetting<bool> = off("--fail-fast", "MODFETCH_FAIL_FAST");
/// `--quiet`: errors only.
pub(super) const QUIET: OwnSetting<bool> = off("--quiet", "MODFETCH_QUIET");
/// `--verbose`: tell more.
pub(super) const VERBOSE: OwnSetting<bool> = off("--verbose", "MODFETCH_VERBOSE");
/// `--go-exit-codes`: 0, 1 and 2 only.
pub(super) const GO_EXIT_CODES: OwnSetting<bool> = off("--go-exit-codes", "MODFETCH_GO_EXIT_CODES");

const fn off(flag: &'static str, variable: &'static str) -> OwnSetting<bool> {
    OwnSetting {
        flag,
        variable,
        alias: None,
        default: "false",
        parse: boolean,
    }
}

impl<T> OwnSetting<T> {
    /// Returns what is written for this setting, by flag, variable, alias or default, and where.
    fn written(&self, flag: Option<&str>, go_env: &GoEnv) -> Setting<String> {
        if let Some(text) = flag {
            return Setting::new(text.to_owned(), Origin::Flag(self.flag));
        }
        [Some(self.variable), self.alias]
            .into_iter()
            .flatten()
            .map(|name| go_env.get(name))
            .find(|found| !found.value.is_empty())
            .unwrap_or_else(|| Setting::new(self.default.to_owned(), Origin::Default))
    }

    /// Resolves the setting; `flag` is what was typed, if anything was.
    ///
    /// # Errors
    /// The value is refused: [`Kind::Usage`] for a flag, [`Kind::Input`] otherwise. The message
    /// names flag or variable, value and what was wanted, a hint names the file.
    pub(super) fn resolve(&self, flag: Option<&str>, go_env: &GoEnv) -> Result<Setting<T>> {
        let Setting { value, origin } = self.written(flag, go_env);
        match (self.parse)(&value) {
            Ok(parsed) => Ok(Setting::new(parsed, origin)),
            Err(wanted) => Err(self.refuse(&value, &origin, &wanted)),
        }
    }

    fn refuse(&self, value: &str, origin: &Origin, wanted: &str) -> Error {
        let (kind, place) = match origin {
            Origin::Flag(flag) => (Kind::Usage, format!("flag {flag}")),
            Origin::Environment(variable) => (Kind::Input, variable.clone()),
            _ => (Kind::Input, self.variable.to_owned()),
        };
        let error = Error::new(
            kind,
            format!("invalid value {value:?} for {place}: {wanted}"),
        );
        match origin {
            Origin::GoEnvFile(_) | Origin::GoRootFile(_) => {
                error.hint(format!("{place} is set {origin}"))
            }
            _ => error,
        }
    }
}

/// One line of what `env` prints about modfetch's own settings.
#[derive(Clone, Debug)]
pub struct OwnValue {
    /// The variable.
    pub variable: &'static str,
    /// The value as it was written.
    pub written: Setting<String>,
    /// True if it differs from the default.
    pub changed: bool,
    /// Why a run would refuse it.
    pub refused: Option<Error>,
}

/// Lists modfetch's own settings as environment and files give them, refused values too.
#[must_use]
pub fn own_values(go_env: &GoEnv) -> Vec<OwnValue> {
    fn row<T>(setting: &OwnSetting<T>, go_env: &GoEnv) -> OwnValue {
        let written = setting.written(None, go_env);
        OwnValue {
            variable: setting.variable,
            changed: written.value != setting.default,
            refused: setting.resolve(None, go_env).err(),
            written,
        }
    }
    let mut rows = vec![
        row(&JOBS, go_env),
        row(&JOBS_PER_HOST, go_env),
        row(&RETRIES, go_env),
        row(&CONNECT_TIMEOUT, go_env),
        row(&STALL_TIMEOUT, go_env),
        row(&PROGRESS, go_env),
        row(&COLOR, go_env),
        row(&LOG, go_env),
    ];
    for setting in [
        &OFFLINE,
        &LOCKED,
        &FAIL_FAST,
        &QUIET,
        &VERBOSE,
        &GO_EXIT_CODES,
    ] {
        rows.push(row(setting, go_env));
    }
    rows.sort_by_key(|row| row.variable);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, RawArgs};
    use crate::config::{Config, Environment};
    use proptest::prelude::*;
    use std::ffi::OsString;
    use std::path::Path;

    fn go_env(pairs: &[(&str, &str)]) -> GoEnv {
        GoEnv::load(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn durations_are_gos_or_seconds() {
        // Values from Go's time.ParseDuration documentation and table.
        let table = [
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("250ms", Some(250)),
            ("1.5h", Some(5_400_000)),
            (".5s", Some(500)),
            ("5.s", Some(5_000)),
            ("1h15m30.918s", Some(4_530_918)),
            ("1000us", Some(1)),
            ("1000\u{b5}s", Some(1)),
            ("1000\u{3bc}s", Some(1)),
            ("1000000ns", Some(1)),
            ("30", Some(30_000)),
            ("0.25", Some(250)),
            ("0", Some(0)),
            ("", None),
            ("s", None),
            (".s", None),
            (".", None),
            ("1.2.3", None),
            ("-1s", None),
            ("1d", None),
            ("1s2", None),
            ("99999999999999999999s", None),
            ("9999999999h", None),
        ];
        for (text, milliseconds) in table {
            assert_eq!(
                parse_duration(text),
                milliseconds.map(Duration::from_millis),
                "{text:?}"
            );
        }
    }

    #[test]
    fn flag_beats_variable_beats_alias_beats_default() {
        let alias = [("GOMODCONCURRENT", "3")];
        let both = [("GOMODCONCURRENT", "3"), ("MODFETCH_JOBS", "5")];
        let resolve = |flag, pairs: &[(&str, &str)]| {
            JOBS.resolve(flag, &go_env(pairs)).expect("a good number")
        };
        assert_eq!(resolve(None, &[]), Setting::new(64, Origin::Default));
        assert_eq!(
            resolve(None, &alias),
            Setting::new(3, Origin::Environment("GOMODCONCURRENT".into()))
        );
        assert_eq!(
            resolve(None, &both),
            Setting::new(5, Origin::Environment("MODFETCH_JOBS".into()))
        );
        assert_eq!(
            resolve(Some("7"), &both),
            Setting::new(7, Origin::Flag("--jobs"))
        );
    }

    #[test]
    fn refusals_name_place_value_and_wish() {
        let error = JOBS.resolve(Some("0"), &go_env(&[])).expect_err("zero");
        assert_eq!(
            error.chain(),
            "invalid value \"0\" for flag --jobs: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Usage);

        let error = JOBS
            .resolve(None, &go_env(&[("GOMODCONCURRENT", "many")]))
            .expect_err("no number");
        assert_eq!(
            error.chain(),
            "invalid value \"many\" for GOMODCONCURRENT: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Input);
        assert!(OFFLINE.resolve(Some("yes"), &go_env(&[])).is_err());
        assert!(STALL_TIMEOUT.resolve(Some("0"), &go_env(&[])).is_err());
        assert!(CONNECT_TIMEOUT.resolve(Some("25h"), &go_env(&[])).is_err());
        assert!(RETRIES.resolve(Some("101"), &go_env(&[])).is_err());
        assert!(PROGRESS.resolve(Some(""), &go_env(&[])).is_err());
        assert!(COLOR.resolve(Some("Auto"), &go_env(&[])).is_err());
        assert!(LOG.resolve(Some("xml"), &go_env(&[])).is_err());
    }

    #[test]
    fn every_default_is_accepted_and_every_variable_mirrors_its_flag() {
        for row in own_values(&go_env(&[])) {
            assert!(row.refused.is_none(), "{row:?}");
            assert!(
                !row.changed && row.written.origin == Origin::Default,
                "{row:?}"
            );
        }
        let row = &own_values(&go_env(&[("MODFETCH_COLOR", "blue")]))[0];
        assert_eq!((row.variable, row.changed), ("MODFETCH_COLOR", true));
        assert!(row.refused.is_some());
    }

    /// The table of flags and the table of settings name the same variables, and a flag
    /// reaches the setting that its variable sets.
    #[test]
    fn flags_and_their_variables_lead_to_the_same_setting() {
        let none = RawArgs::default();
        let home = ("HOME", "/h");
        let default = Config::resolve(&Environment::from_pairs([home]), &none, Path::new("/"));
        let default = format!("{:?}", default.expect("defaults"));
        let mut variables = Vec::new();
        for flag in cli::flags() {
            let Some(variable) = flag.env else { continue };
            variables.push(variable);
            // One of them fits any flag.
            let reached = ["7", "never", "json", "true"].iter().any(|value| {
                let verb = flag
                    .commands
                    .first()
                    .map_or("download", |verb| verb.info().name);
                let argv = ["modfetch", verb, &format!("--{}={value}", flag.long)]
                    .map(OsString::from)
                    .to_vec();
                let Ok(invocation) = cli::parse(argv) else {
                    return false;
                };
                let env = Environment::from_pairs([home]);
                let Ok(typed) = Config::resolve(&env, &invocation.raw, Path::new("/")) else {
                    return false;
                };
                let env = Environment::from_pairs([home, (variable, value)]);
                let set = Config::resolve(&env, &none, Path::new("/")).expect(variable);
                let expected =
                    format!("{set:?}").replace(&format!("Environment({variable:?})"), "ORIGIN");
                let typed = format!("{typed:?}");
                assert_ne!(typed, default, "{variable}");
                // Compare up to go_env, which holds the environment itself.
                let settings = |text: &str| {
                    let (settings, _) = text.split_once("go_env:").expect("last field");
                    settings.to_owned()
                };
                let flag = format!("Flag(\"--{}\")", flag.long);
                assert!(typed.contains(&flag), "{flag}");
                let mut typed = settings(&typed).replace(&flag, "ORIGIN");
                if variable == "MODFETCH_QUIET" {
                    // Typing one of the two settles the other.
                    typed = typed.replace("Flag(\"--verbose\")", "Default");
                }
                if variable == "MODFETCH_VERBOSE" {
                    typed = typed.replace("Flag(\"--quiet\")", "Default");
                }
                assert_eq!(typed, settings(&expected), "{variable}");
                true
            });
            assert!(reached, "{variable}");
        }
        variables.sort_unstable();
        let go_env = GoEnv::load(&Environment::default());
        let known: Vec<_> = own_values(&go_env).iter().map(|row| row.variable).collect();
        assert_eq!(variables, known);
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_not(text in "[0-9.]{0,22}(ns|us|µs|ms|s|m|h|x|é)?[0-9.]{0,3}(s)?") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn whole_seconds_are_what_they_say(seconds in 0u64..1_000_000_000) {
            let want = Some(Duration::from_secs(seconds));
            prop_assert_eq!(parse_duration(&seconds.to_string()), want);
            prop_assert_eq!(parse_duration(&format!("{seconds}s")), want);
        }
    }
}
