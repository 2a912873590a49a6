//! Counts in words.

/// Bytes in decimal units, with three digits: `512 B`, `1.23 MB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 || unit == "GB" {
            let digits = match unit {
                "B" => 0,
                _ if value < 9.995 => 2,
                _ if value < 99.95 => 1,
                _ => 0,
            };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{bytes} B")
}

/// `1 retry`, `2 retries`; `None` for none.
#[must_use]
pub fn retries(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 retry".to_owned()),
        _ => Some(format!("{count} retries")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        let rows = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (500 << 20, "524 MB"),
            (5_000_000_000_000, "5000 GB"),
        ];
        for (bytes, want) in rows {
            assert_eq!(human(bytes), want);
        }
    }

    #[test]
    fn one_is_not_many() {
        let words = [0, 1, 2].map(|count| retries(count).unwrap_or_default());
        assert_eq!(words, ["", "1 retry", "2 retries"]);
    }
}
