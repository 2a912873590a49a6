//! A commit's time: RFC 3339 as Go reads and writes it.
//!
//! Source: golang/go `time/format_rfc3339.go`, `time/format.go`. Go's reader is laxer than the
//! specification: an hour of one digit, a comma before the fraction. Offsets of 24 hours and more, which
//! Go reads and then cannot write, become UTC.

use std::cmp::Ordering;
use std::fmt;

/// A moment, with the offset from UTC it was written in; ordered by the moment.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) nanos: u32,
    pub(crate) offset_minutes: i16,
}

impl Time {
    /// What Go calls the zero time: an unknown one.
    pub const ZERO: Time = Time {
        year: 1,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        offset_minutes: 0,
    };

    /// Reads RFC 3339; digits beyond nanoseconds are cut off.
    #[must_use]
    pub fn parse(text: &str) -> Option<Time> {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
        let rest = rest.strip_prefix('T')?;
        let (hour, rest) = number(rest, 2).or_else(|| number(rest, 1))?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
        let (second, rest) = number(rest.strip_prefix(':')?, 2)?;
        let (nanos, rest) = fraction(rest);
        let offset_minutes = offset(rest)?;
        let year = u16::try_from(year).ok()?;
        let month = u8::try_from(month).ok()?;
        let day = u8::try_from(day).ok()?;
        let sane = (1..=12).contains(&month)
            && (1..=days_in(month, year)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let time = sane.then_some(Time {
            year,
            month,
            day,
            hour: u8::try_from(hour).ok()?,
            minute: u8::try_from(minute).ok()?,
            second: u8::try_from(second).ok()?,
            nanos,
            offset_minutes,
        })?;
        if offset_minutes.unsigned_abs() < 24 * 60 {
            return Some(time);
        }
        let utc = Time::from_unix_seconds(time.unix_seconds());
        Some(Time { nanos, ..utc })
    }

    /// Reads the fourteen digits of a pseudo-version, which are in UTC.
    #[must_use]
    pub fn parse_pseudo(digits: &str) -> Option<Time> {
        if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = digits.split_at(4);
        let (month, rest) = rest.split_at(2);
        let (day, rest) = rest.split_at(2);
        let (hour, rest) = rest.split_at(2);
        let (minute, second) = rest.split_at(2);
        Time::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
    }

    /// A time in UTC, from seconds since 1970; [`Time::ZERO`] outside the years 1 to 9999.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Time {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years of March to February, in eras of 400 years.
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day = days.rem_euclid(146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (month, day) = ((month + 2) % 12 + 1, day - (153 * month + 2) / 5 + 1);
        let year = era * 400 + year + i64::from(month <= 2);
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        Time::parse(&text).unwrap_or(Time::ZERO)
    }

    /// The fourteen digits of a pseudo-version, of a time in UTC.
    #[must_use]
    pub(crate) fn to_pseudo(self) -> String {
        let Time {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }

    /// True for [`Time::ZERO`].
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Time::ZERO
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        let days = days_from_civil(self.year.into(), self.month.into(), self.day.into());
        let minutes = i64::from(self.hour) * 60 + i64::from(self.minute);
        let local = days * 86_400 + minutes * 60 + i64::from(self.second);
        local - i64::from(self.offset_minutes) * 60
    }
}

/// Counts the days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// The formula counts in eras of 400 years (146,097 days) that begin on 1 March, so that the
/// leap day is the last day of its year. `month` is 1 to 12, `day` 1 to 31.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let ok = number.bytes().all(|b| b.is_ascii_digit());
    Some((number.parse().ok().filter(|_| ok)?, rest))
}

fn fraction(text: &str) -> (u32, &str) {
    let Some(after) = text.strip_prefix(['.', ',']) else {
        return (0, text);
    };
    let count = after.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return (0, text);
    }
    let (digits, rest) = after.split_at(count);
    let nanos = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    (
        nanos.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')),
        rest,
    )
}

fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, rest) = number(text.strip_prefix(['+', '-'])?, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':')?, 2)?;
    let total = i16::try_from(hours * 60 + minutes).ok()?;
    (rest.is_empty() && minutes <= 60 && hours <= 24).then_some(sign * total)
}

/// How many days a month has.
pub(crate) fn days_in(month: u8, year: u16) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Time {
    /// Go's RFC3339Nano: no trailing zeros in the fraction, `Z` for UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Time {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.offset_minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Time) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        (self.unix_seconds(), self.nanos).cmp(&(other.unix_seconds(), other.nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_a_time_and_the_same_seconds_again() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in rows {
            let time = Time::from_unix_seconds(seconds);
            assert_eq!(
                (time.to_string().as_str(), time.unix_seconds()),
                (text, seconds)
            );
        }
        assert!(Time::from_unix_seconds(i64::MAX / 2).is_zero());
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        // Values that go1.26 wrote into .info files; see the comparison in info_tests.rs.
        let rows = [
            ("2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"),
            ("2020-01-02T03:04:05.120Z", "2020-01-02T03:04:05.12Z"),
            (
                "2020-01-02T03:04:05.1234567899Z",
                "2020-01-02T03:04:05.123456789Z",
            ),
            ("2020-01-02T03:04:05.000Z", "2020-01-02T03:04:05Z"),
            ("2020-01-02T03:04:05,5Z", "2020-01-02T03:04:05.5Z"),
            ("2020-01-02T3:04:05Z", "2020-01-02T03:04:05Z"),
            ("2020-01-02T03:04:05+00:00", "2020-01-02T03:04:05Z"),
            ("2020-01-02T03:04:05-07:30", "2020-01-02T03:04:05-07:30"),
            ("0000-02-29T00:00:00+23:59", "0000-02-29T00:00:00+23:59"),
            // What go reads and cannot write.
            ("2020-01-02T03:04:05.5+24:00", "2020-01-01T03:04:05.5Z"),
            ("2020-01-02T03:04:05-24:30", "2020-01-03T03:34:05Z"),
        ];
        for (text, want) in rows {
            assert_eq!(Time::parse(text).unwrap().to_string(), want, "{text}");
        }
    }

    #[test]
    fn malformed_times_are_refused() {
        for text in [
            "",
            "2020",
            "2020-01-02",
            "2020-01-02T03:04:05",
            "2020-01-02T03:04:05z",
            "2020-01-02t03:04:05Z",
            "2020-02-30T03:04:05Z",
            "2019-02-29T03:04:05Z",
            "2020-13-02T03:04:05Z",
            "2020-01-02T24:04:05Z",
            "2020-01-02T03:60:05Z",
            "2020-01-02T03:04:60Z",
            "2020-01-02T03:04:05.Z",
            "2020-01-02T03:04:05+0100",
            "2020-01-02T03:04:05+25:00",
            "2020-01-02T03:04:05ZZ",
            "+020-01-02T03:04:05Z",
            "2020-1-02T03:04:05Z",
            " 2020-01-02T03:04:05Z",
            "2020-01-02T03:04:05\u{e9}",
        ] {
            assert!(Time::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn order_is_by_moment() {
        let time = |text| Time::parse(text).unwrap();
        assert_eq!(
            time("2020-01-02T03:04:05+01:00"),
            time("2020-01-02T02:04:05Z")
        );
        assert!(time("2020-01-02T03:04:05.1Z") > time("2020-01-02T03:04:05Z"));
        assert!(Time::ZERO.is_zero() && Time::ZERO < time("1970-01-01T00:00:00Z"));
        assert_eq!(Time::ZERO.to_string(), "0001-01-01T00:00:00Z");
        // `date -u -d '2020-01-02 03:04:05' +%s`
        assert_eq!(
            Time::parse_pseudo("20200102030405").unwrap().unix_seconds(),
            1_577_934_245
        );
        assert!(Time::parse_pseudo("20201302030405").is_none());
    }

    #[test]
    fn seconds_are_moments() {
        // date -u -d @SECONDS +%FT%TZ
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_577_934_245, "2020-01-02T03:04:05Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "0001-01-01T00:00:00Z"),
            (i64::MIN, "0001-01-01T00:00:00Z"),
        ];
        for (seconds, want) in rows {
            assert_eq!(Time::from_unix_seconds(seconds).to_string(), want);
        }
        let time = Time::from_unix_seconds(1_577_934_245);
        assert_eq!(time.to_pseudo(), "20200102030405");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = (Time::parse(&text), Time::parse_pseudo(&text));
        }

        #[test]
        fn what_is_written_is_read(text in
            "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-5][0-9])")
        {
            if let Some(time) = Time::parse(&text) {
                assert_eq!(Time::parse(&time.to_string()).unwrap().to_string(), time.to_string());
            }
        }
    }
}
