//! The values of settings, and the one parser that judges each kind wherever it was written.

use std::path::PathBuf;
use std::time::Duration;

use super::AcceptedSum;
use super::quantity::{parse_age, parse_size};
use crate::gomod::GoVersion;
use crate::system::LIST_SEPARATOR;

/// Makes an enum of named values: its names, and the one parser for them.
macro_rules! choice {
    (
        $(#[$doc:meta])* $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $text:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[$vdoc])* $variant, )* }

        impl $name {
            /// The values as they are written.
            pub const NAMES: &[&str] = &[ $( $text, )* ];

            pub(super) fn parse(text: &str) -> Parsed<$name> {
                match text {
                    $( $text => Ok($name::$variant), )*
                    _ => Err(one_of($name::NAMES)),
                }
            }
        }
    };
}

choice! {
    /// When progress is drawn.
    Progress {
        /// On a terminal only.
        Auto = "auto",
        /// Even if standard error is no terminal.
        Always = "always",
        /// Not at all.
        Never = "never",
        /// As one JSON object a line on standard error.
        Json = "json",
    }
}

choice! {
    /// When output is coloured.
    Color {
        /// On a terminal only.
        Auto = "auto",
        /// Even if the stream is no terminal.
        Always = "always",
        /// Not at all.
        Never = "never",
    }
}

choice! {
    /// Which git fetches from repositories.
    Git {
        /// The program if there is one, else the built-in client.
        Auto = "auto",
        /// The program.
        Program = "program",
        /// The built-in client.
        Builtin = "builtin",
    }
}

choice! {
    /// The form of messages on standard error.
    Log {
        /// Lines for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// How each request to a server is written down.
    AccessLog {
        /// Not at all.
        Off = "off",
        /// A line of text.
        Text = "text",
        /// A line of JSON.
        Json = "json",
    }
}

/// The result of judging one value: on refusal, what was wanted.
pub(super) type Parsed<T> = Result<T, String>;

/// Transfers at once: more threads than this only cost memory.
const MAX_JOBS: usize = 1024;
/// With exponential backoff this is hours already.
const MAX_RETRIES: u32 = 100;
/// Ten in a day; fewer would be of no use.
const MIN_PER_SECOND: f64 = 0.0001;
/// More than one machine can make; no limit at all.
const MAX_PER_SECOND: f64 = 1e6;
/// Likewise.
const MAX_BYTE_RATE: f64 = 1e15;
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

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    parse_bool(text).ok_or_else(|| "want true or false".to_owned())
}

pub(super) fn jobs(text: &str) -> Parsed<usize> {
    text.parse()
        .ok()
        .filter(|count| (1..=MAX_JOBS).contains(count))
        .ok_or_else(|| format!("want a whole number from 1 to {MAX_JOBS}"))
}

/// Requests a second; `None` for 0, which is no limit.
pub(super) fn per_second(text: &str) -> Parsed<Option<f64>> {
    decimal(text)
        .filter(|count| *count == 0.0 || (MIN_PER_SECOND..=MAX_PER_SECOND).contains(count))
        .map(|count| (count > 0.0).then_some(count))
        .ok_or_else(|| {
            format!("want a number from {MIN_PER_SECOND} to {MAX_PER_SECOND}, or 0 for no limit")
        })
}

/// Bytes a second: a number, perhaps with a fraction, and `K`, `M` or `G` in either case for
/// powers of 1024, as `--limit-rate` of curl and wget; `None` for 0, which is no limit.
pub(super) fn byte_rate(text: &str) -> Parsed<Option<u64>> {
    let (number, unit) = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (text.get(..text.len() - 1), 1u64 << 10),
        Some(b'M') => (text.get(..text.len() - 1), 1 << 20),
        Some(b'G') => (text.get(..text.len() - 1), 1 << 30),
        _ => (Some(text), 1),
    };
    number
        .and_then(decimal)
        .map(|number| number * unit as f64)
        .filter(|rate| *rate == 0.0 || (1.0..=MAX_BYTE_RATE).contains(rate))
        .map(|rate| (rate > 0.0).then_some(rate as u64))
        .ok_or_else(|| {
            "want bytes a second such as 800000, 500K, 2.5M or 1G, or 0 for no limit".to_owned()
        })
}

/// Digits with at most one point, and no sign, exponent or name such as `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain)
}

pub(super) fn retries(text: &str) -> Parsed<u32> {
    text.parse()
        .ok()
        .filter(|count| *count <= MAX_RETRIES)
        .ok_or_else(|| format!("want a whole number from 0 to {MAX_RETRIES}"))
}

pub(super) fn go_version(text: &str) -> Parsed<GoVersion> {
    let number = text.strip_prefix("go").unwrap_or(text);
    GoVersion::parse(number)
        .filter(|_| number.contains('.'))
        .ok_or_else(|| format!("want a Go version such as {}", GoVersion::EMULATED))
}

pub(super) fn timeout(text: &str) -> Parsed<Duration> {
    parse_duration(text)
        .filter(|wait| *wait > Duration::ZERO && *wait <= MAX_TIMEOUT)
        .ok_or_else(|| "want a time such as 10s, 1m30s, 250ms, or seconds, at most 24h".to_owned())
}

/// The value of a header; an empty text is none.
pub(super) fn user_agent(text: &str) -> Parsed<Option<String>> {
    match text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        false => Err("want printable ASCII characters".to_owned()),
    }
}

/// `none` is no limit.
pub(super) fn lock_limit(text: &str) -> Parsed<Option<Duration>> {
    if text == "none" {
        return Ok(None);
    }
    parse_duration(text)
        .filter(|wait| *wait <= MAX_TIMEOUT)
        .map(Some)
        .ok_or_else(|| "want none, or a time such as 10s, 1m30s, seconds, at most 24h".to_owned())
}

/// Directories separated as in GOPATH: by colons, on Windows by semicolons.
pub(super) fn directories(text: &str) -> Parsed<Vec<PathBuf>> {
    let dirs = text.split(LIST_SEPARATOR).filter(|dir| !dir.is_empty());
    Ok(dirs.map(PathBuf::from).collect())
}

/// Sums with commas between.
pub(super) fn accepted_sums(text: &str) -> Parsed<Vec<AcceptedSum>> {
    let sums = text.split(',').map(str::trim).filter(|sum| !sum.is_empty());
    let sums: Option<Vec<AcceptedSum>> = sums.map(AcceptedSum::parse).collect();
    sums.ok_or_else(|| "want PATH@VERSION=h1:SUM or PATH@VERSION/go.mod=h1:SUM".to_owned())
}

/// A time that may be absent: zero says so, as with curl.
pub(super) fn limit(text: &str) -> Parsed<Option<Duration>> {
    if parse_duration(text) == Some(Duration::ZERO) {
        return Ok(None);
    }
    timeout(text)
        .map(Some)
        .map_err(|wanted| format!("{wanted}, or 0 for no limit"))
}

/// A text; none if it is empty.
pub(super) fn text(text: &str) -> Parsed<Option<String>> {
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A path; no text is no file.
pub(super) fn file(text: &str) -> Parsed<Option<PathBuf>> {
    Ok(Some(PathBuf::from(text)).filter(|_| !text.is_empty()))
}

/// Texts with commas between.
pub(super) fn words(text: &str) -> Parsed<Vec<String>> {
    let words = text.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    Ok(words.map(str::to_owned).collect())
}

/// A time that may be days or weeks.
pub(super) fn age(text: &str) -> Parsed<Duration> {
    let parsed = parse_age(text).or_else(|| parse_duration(text));
    parsed.ok_or_else(|| "want a time such as 90s, 24h or 7d".to_owned())
}

/// As [`age`]; no text, or zero, is none.
pub(super) fn some_age(text: &str) -> Parsed<Option<Duration>> {
    if text.is_empty() {
        return Ok(None);
    }
    age(text).map(|age| Some(age).filter(|age| !age.is_zero()))
}

/// Bytes; no text, or zero, is no limit.
pub(super) fn some_size(text: &str) -> Parsed<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = parse_size(text).map(|size| Some(size).filter(|size| *size > 0));
    parsed.ok_or_else(|| "want a size such as 500M, 50G or 1.5T".to_owned())
}

/// A whole number; no text, or zero, is none.
pub(super) fn some_count(text: &str) -> Parsed<Option<u32>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text
        .parse()
        .map(|count| Some(count).filter(|count| *count > 0));
    parsed.map_err(|_| "want a whole number, or 0 for the default".to_owned())
}

/// `HOST` or `HOST:PORT`, with commas between.
pub(super) fn hosts(text: &str) -> Parsed<Vec<String>> {
    let hosts = text
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty());
    let is_host = |host: &&str| {
        host.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~:[]".contains(&b))
    };
    if hosts.clone().all(|host| is_host(&host)) {
        Ok(hosts.map(str::to_owned).collect())
    } else {
        Err("want HOST or HOST:PORT, several with commas between".to_owned())
    }
}

/// As [`timeout`], and zero, which is no patience at all.
pub(super) fn patience(text: &str) -> Parsed<Duration> {
    match parse_duration(text) {
        Some(Duration::ZERO) => Ok(Duration::ZERO),
        _ => timeout(text),
    }
}

/// What is wanted where only some words are taken: `want auto, always or never`.
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("want {} or {last}", first.join(", ")),
        _ => format!("want {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn rates_are_written_as_for_curl_and_wget() {
        // curl's man page: "counted as kilobytes if 'k' or 'K' is appended", 1024 of them; wget's:
        // "the argument may be expressed in bytes, kilobytes with the k suffix, or megabytes with
        // the m suffix", "non-integer values, such as 2.5k", "zero ... no limit".
        let table = [
            ("800000", Ok(Some(800_000))),
            ("500K", Ok(Some(512_000))),
            ("500k", Ok(Some(512_000))),
            ("2.5k", Ok(Some(2560))),
            ("5M", Ok(Some(5_242_880))),
            ("1G", Ok(Some(1 << 30))),
            ("1.9", Ok(Some(1))),
            ("0", Ok(None)),
            ("0K", Ok(None)),
            ("0.5", Err(())),
            ("", Err(())),
            ("K", Err(())),
            (".", Err(())),
            ("5KB", Err(())),
            ("5 K", Err(())),
            ("-5", Err(())),
            ("1e3", Err(())),
            ("inf", Err(())),
            ("nan", Err(())),
            ("99999999999999999999G", Err(())),
            ("5é", Err(())),
        ];
        for (text, want) in table {
            assert_eq!(byte_rate(text).map_err(drop), want, "{text:?}");
        }
    }

    #[test]
    fn requests_a_second_may_be_a_fraction() {
        let table = [
            ("10", Ok(Some(10.0))),
            ("0.5", Ok(Some(0.5))),
            (".5", Ok(Some(0.5))),
            ("0", Ok(None)),
            ("0.0", Ok(None)),
            ("0.00001", Err(())),
            ("2000000", Err(())),
            ("", Err(())),
            (".", Err(())),
            ("-1", Err(())),
            ("1/2", Err(())),
            ("1e1", Err(())),
            ("infinity", Err(())),
        ];
        for (text, want) in table {
            assert_eq!(per_second(text).map_err(drop), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_rate_or_not(text in "[0-9.]{0,25}[kKmMgGé]?") {
            let _ = (byte_rate(&text), per_second(&text));
        }

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

    #[test]
    fn limits_and_lists_of_directories() {
        let seconds = |count| Ok(Some(Duration::from_secs(count)));
        for (text, want) in [("none", Ok(None)), ("0", seconds(0)), ("1m", seconds(60))] {
            assert_eq!(lock_limit(text), want, "{text}");
        }
        for text in ["", "None", "-1s", "25h", "soon"] {
            assert!(lock_limit(text).is_err(), "{text}");
        }
        for (text, want) in [
            ("", vec![]),
            ("/a", vec!["/a"]),
            ("/a::b:", vec!["/a", "b"]),
        ] {
            let want: Vec<PathBuf> = want.into_iter().map(PathBuf::from).collect();
            assert_eq!(directories(text), Ok(want), "{text}");
        }
    }
}
