//! Ages and sizes as they are written, in flags and variables alike.

use std::time::Duration;

use super::value::parse_duration;

/// Parses days and weeks, or what other settings take: `30d`, `2w`, `36h`, `1h30m`. A plain number has no
/// unit, except 0.
#[must_use]
pub fn parse_age(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let days = |number: &str, unit: u64| -> Option<Duration> {
        let number: u64 = number.parse().ok()?;
        number
            .checked_mul(unit * 24 * 60 * 60)
            .map(Duration::from_secs)
    };
    match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(number), _) => days(number, 1),
        (_, Some(number)) => days(number, 7),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => None,
        _ => parse_duration(text),
    }
}

/// Parses a number of bytes with a unit of 1024, as `du -h` and curl have them: `20G`, `1.5T`, `500MiB`.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let upper = text.to_ascii_uppercase();
    let plain = upper
        .strip_suffix("IB")
        .or(upper.strip_suffix('B'))
        .unwrap_or(&upper);
    let unit = plain.chars().last().and_then(|unit| "KMGT".find(unit));
    let (number, shift) = match unit {
        Some(place) => (&plain[..plain.len() - 1], 10 * (place + 1)),
        None => (plain, 0),
    };
    let is_plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = number.parse().ok().filter(|_| is_plain)?;
    let bytes = number * (1_u64 << shift) as f64;
    // As far as whole numbers are exact.
    (bytes < (1_u64 << 53) as f64).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_units() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        let rows = [
            ("30d", hours(720)),
            ("2w", hours(336)),
            ("36h", hours(36)),
            ("1h30m", Some(Duration::from_secs(5400))),
            ("0", hours(0)),
            ("30", None),
            ("d", None),
            ("-1d", None),
            ("1.5d", None),
            ("99999999999999999999d", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_age(text), want, "{text}");
        }
    }

    #[test]
    fn sizes_are_in_units_of_1024() {
        let rows = [
            ("20G", Some(20 << 30)),
            ("500m", Some(500 << 20)),
            ("1.5K", Some(1536)),
            ("2TiB", Some(2 << 40)),
            ("10GB", Some(10 << 30)),
            ("0", Some(0)),
            ("1234", Some(1234)),
            ("", None),
            ("G", None),
            ("1e3", None),
            ("-1G", None),
            ("inf", None),
            ("9999999999999T", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_size(text), want, "{text}");
        }
    }
}
