//! Since when a record is in the log, at the latest.
//!
//! A record has a number and no date. But a log that was once so large had every record of a lower number then. So sizes of
//! the log are written down with the time at which they were seen, once in a while, beside the cache; and two are built in.
//! What neither they nor a kept response can date is not known.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Heads of sum.golang.org whose day is known: the size of the log, and the second since 1970 by
/// which it was that large. They date what was logged before this program was built.
///
/// Source: sourcespotter.com for the first, a signed head of that day for the second.
const DATED_HEADS: [(u64, u64); 2] = [(45_752_995, 1_761_782_400), (72_525_630, 1_796_083_200)];

/// How often the size of the log is written down.
const DATE_EVERY: Duration = Duration::from_secs(3600);

/// Sizes of one log with their times. Shared by threads.
#[derive(Debug)]
pub struct LogDates {
    /// Where they are written down: a line each, `SIZE SECONDS`.
    file: Option<PathBuf>,
    heads: Mutex<Vec<(u64, u64)>>,
}

impl LogDates {
    /// What is known of the database `name`, and what `file` has of it. Touches nothing.
    #[must_use]
    pub fn open(name: &str, file: Option<PathBuf>) -> LogDates {
        let mut heads = match name {
            "sum.golang.org" => DATED_HEADS.to_vec(),
            _ => Vec::new(),
        };
        let text = (file.as_ref()).and_then(|file| fs::read_to_string(file).ok());
        let lines = text.iter().flat_map(|text| text.lines());
        heads.extend(lines.filter_map(|line| {
            let (size, second) = line.split_once(' ')?;
            Some((size.parse().ok()?, second.parse().ok()?))
        }));
        LogDates {
            file,
            heads: Mutex::new(heads),
        }
    }

    /// Since when a record has been in the log, at the latest; `None` if no size that is known has it.
    #[must_use]
    pub fn known_since(&self, record: u64) -> Option<SystemTime> {
        // Every change is complete before the guard goes.
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let dated = heads.iter().filter(|(size, _)| *size > record);
        let second = dated.map(|(_, second)| *second).min()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(second))
    }

    /// Writes down that the log has this size now, once in a while.
    pub fn note(&self, size: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = heads.iter().max().copied().unwrap_or_default();
        if size <= newest.0 || now < newest.1.saturating_add(DATE_EVERY.as_secs()) {
            return;
        }
        heads.push((size, now));
        if let Some(file) = &self.file {
            // Best effort: the kept response says when it was fetched.
            let _ = file.parent().map(fs::create_dir_all);
            let opened = fs::File::options().create(true).append(true).open(file);
            let _ = opened.map(|mut file| writeln!(file, "{size} {now}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_as_old_as_the_smallest_log_that_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("heads/db");
        fs::create_dir_all(dir.path().join("heads")).unwrap();
        fs::write(&file, "100 5000\n200 6000\ntorn\n").unwrap();
        let dates = LogDates::open("db", Some(file.clone()));
        let since = |record| {
            let known = dates.known_since(record);
            known.map(|at| at.duration_since(UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(since(99), Some(5000));
        // Records are numbered from 0 on: a log of 100 has none of this number.
        assert_eq!(since(100), Some(6000));
        assert_eq!(since(200), None);
        dates.note(300);
        dates.note(301);
        assert!(since(299) > Some(1_700_000_000));
        assert_eq!(since(300), None, "written down twice within the hour");
        let again = LogDates::open("db", Some(file));
        assert_eq!(again.known_since(299), dates.known_since(299));
    }

    #[test]
    fn heads_of_the_public_database_are_built_in() {
        let dates = LogDates::open("sum.golang.org", None);
        let known = dates.known_since(1_000_000).unwrap();
        // By `date -u -d 2025-10-30 +%s`.
        assert_eq!(known, UNIX_EPOCH + Duration::from_secs(1_761_782_400));
        assert_eq!(LogDates::open("other", None).known_since(1), None);
    }
}
