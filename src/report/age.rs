//! How long ago something was.

/// Seconds in the largest unit that they fill: `45 seconds`, `1 hour`, `12 days`, `3 years`.
#[must_use]
pub fn age(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (365 * 24 * 60 * 60, "year"),
        (24 * 60 * 60, "day"),
        (60 * 60, "hour"),
        (60, "minute"),
    ];
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| seconds >= *unit)
        .unwrap_or((1, "second"));
    match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_counts() {
        let rows = [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (7199, "1 hour"),
            (86_400 * 3, "3 days"),
            (86_400 * 364, "364 days"),
            (86_400 * 730, "2 years"),
        ];
        for (seconds, want) in rows {
            assert_eq!(age(seconds), want);
        }
    }
}
