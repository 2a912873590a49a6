//! Dates as HTTP writes them, to seconds since 1970.
//!
//! Source: RFC 9110, 5.6.7: IMF-fixdate and the two obsolete forms a recipient must accept.

use crate::gomod::days_from_civil;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads an HTTP date; `now`, in seconds since 1970, decides the century of a two-digit year.
/// The name of the day is not compared with the date.
pub(crate) fn parse_http_date(text: &str, now: i64) -> Option<i64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (year, month, day, clock) = match words.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [weekday, day, month, year, clock, "GMT"] if weekday.ends_with(',') => {
            (digits(year, 4)?, *month, digits(day, 2)?, *clock)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [weekday, date, clock, "GMT"] if weekday.ends_with(',') => {
            let mut parts = date.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            if parts.next().is_some() {
                return None;
            }
            let year = nearest_century(digits(year, 2)?, now);
            (year, month, digits(day, 2)?, *clock)
        }
        // Sun Nov  6 08:49:37 1994
        [_weekday, month, day, clock, year] => {
            (digits(year, 4)?, *month, digits(day, day.len())?, *clock)
        }
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    let sane = parts.next().is_none()
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        // A leap second may be written.
        && second <= 60;
    let days = days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    sane.then(|| days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// A number of exactly `len` digits, at most four.
fn digits(text: &str, len: usize) -> Option<i64> {
    let ok = text.len() == len && (1..=4).contains(&len);
    (ok && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A two-digit year that would be more than 50 years ahead is the last one that ended so.
fn nearest_century(two_digits: i64, now: i64) -> i64 {
    let this_year = 1970 + now / 31_556_952;
    let year = this_year - this_year.rem_euclid(100) + two_digits;
    if year > this_year + 50 {
        year - 100
    } else {
        year
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `date -u -d '1994-11-06 08:49:37' +%s`
    const EXAMPLE: i64 = 784_111_777;
    /// 2026-01-01
    const NOW: i64 = 1_767_225_600;

    #[test]
    fn the_three_forms_of_the_specification() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_http_date(text, NOW), Some(EXAMPLE), "{text}");
        }
    }

    #[test]
    fn two_digit_years_are_near() {
        // `date -u -d ... +%s`
        let rows = [
            ("Friday, 01-Jan-27 00:00:00 GMT", 1_798_761_600),
            ("Friday, 01-Jan-99 00:00:00 GMT", 915_148_800),
        ];
        for (text, want) in rows {
            assert_eq!(parse_http_date(text, NOW), Some(want), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "120",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov 666 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37:01 GMT",
        ] {
            assert_eq!(parse_http_date(text, NOW), None, "{text:?}");
        }
    }

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        // `echo $(( $(date -u -d DATE +%s) / 86400 ))`
        let rows = [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((1900, 3, 1), -25_508),
            ((2100, 3, 1), 47_541),
            ((1, 1, 1), -719_162),
            ((9999, 12, 31), 2_932_896),
        ];
        for ((year, month, day), want) in rows {
            assert_eq!(
                days_from_civil(year, month, day),
                want,
                "{year}-{month}-{day}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".{0,40}", now in 0i64..4_000_000_000) {
            let _ = parse_http_date(&text, now);
        }
    }
}
