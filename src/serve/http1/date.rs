//! Dates as HTTP writes them.
//!
//! Source: RFC 9110, 5.6.7 (IMF-fixdate).

use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A moment in seconds since 1970, in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: u64,
    /// From 0.
    month: usize,
    /// From 1.
    day: u64,
}

/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: u64) -> Civil {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on.
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 2
    } else {
        shifted_month - 10
    };
    let year = era * 400 + year_of_era + u64::from(month < 2);
    Civil {
        year,
        month: usize::try_from(month).unwrap_or(0),
        day,
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; what was before 1970 is its first second.
#[must_use]
pub fn http_date(at: SystemTime) -> String {
    let seconds = seconds(at);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let Civil { year, month, day } = civil(days);
    let weekday = usize::try_from(days % 7).unwrap_or(0);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!(
        "{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
        DAYS[weekday], MONTHS[month]
    )
}

/// `1994-11-06T08:49:37Z`, RFC 3339.
#[must_use]
pub fn timestamp(at: SystemTime) -> String {
    let seconds = seconds(at);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let Civil { year, month, day } = civil(days);
    let (month, hour, minute, second) = (month + 1, time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_date_1() {
        // LC_ALL=C date -u -d @N '+%a, %d %b %Y %T GMT'
        let table = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ];
        for (at, want) in table {
            assert_eq!(http_date(UNIX_EPOCH + Duration::from_secs(at)), want);
        }
        let at = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(timestamp(at), "1994-11-06T08:49:37Z");
    }
}
