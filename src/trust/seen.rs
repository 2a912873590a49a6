//! Since when a version has been known, and whether that is long enough.
//!
//! The time in a version's `.info` is that of its commit, which its author sets; it does not count. What counts, whichever was first:
//! - the log of the checksum database was so large that it has the record ([`LogDates`]);
//! - the response to its lookup was kept in this cache;
//! - another file of the version was (the caller says when).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::Result;
use crate::gomod::{ModuleVersion, PrefixPatterns};
use crate::sumdb::tlog::Record;
use crate::sumdb::{self, LogDates, Store, lookup_file};

/// One database as a witness of age.
#[derive(Debug)]
pub struct FirstSeen {
    client: Arc<sumdb::SumDbClient>,
    store: Store,
    /// What it is not asked about.
    exempt: PrefixPatterns,
    dates: LogDates,
}

impl FirstSeen {
    /// What `client` proves and `store` keeps; sizes of the log are written down in `dates`.
    #[must_use]
    pub fn new(
        client: Arc<sumdb::SumDbClient>,
        store: Store,
        exempt: PrefixPatterns,
        dates: PathBuf,
    ) -> FirstSeen {
        let dates = LogDates::open(client.name(), Some(dates));
        FirstSeen {
            client,
            store,
            exempt,
            dates,
        }
    }

    /// The client of the database.
    #[must_use]
    pub fn client(&self) -> &sumdb::SumDbClient {
        &self.client
    }

    /// The kept files of the database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// True if the database is asked about the module.
    #[must_use]
    pub fn asks_about(&self, module: &ModuleVersion) -> bool {
        !self.exempt.matches(module.path().as_str())
    }

    /// Since when a version has been known, by what is kept here; `None` if nothing is.
    #[must_use]
    pub fn kept(&self, module: &ModuleVersion) -> Option<SystemTime> {
        let file = lookup_file(module).ok()?;
        let kept = self.store.read(&file)?;
        let record = Record::parse(&kept).ok()?;
        let dated = self.dates.known_since(record.id);
        dated.into_iter().chain(self.store.modified(&file)).min()
    }

    /// The same, after the database was asked; `None` if it is not asked about the module.
    ///
    /// # Errors
    /// Those of [`sumdb::SumDbClient::lookup`].
    pub fn ask(&self, module: &ModuleVersion) -> Result<Option<SystemTime>> {
        if !self.asks_about(module) {
            return Ok(self.kept(module));
        }
        self.client.lookup(module)?;
        self.note_size();
        Ok(self.kept(module))
    }

    /// Writes down how large the log is, once in a while.
    pub fn note_size(&self) {
        let head = self.client.head().ok().flatten();
        if let Some(tree) = head.and_then(|note| self.client.merge_head(&note).ok()) {
            self.dates.note(tree.size);
        }
    }
}

/// What is wrong with the age of a version that has been known since `known`: `first known 3 days ago` or `not known until now`;
/// `None` if it is at least `min_age`. A version of which nothing is known is too young.
#[must_use]
pub fn describe_youth(
    known: Option<SystemTime>,
    now: SystemTime,
    min_age: Duration,
) -> Option<String> {
    let age = known.and_then(|known| now.duration_since(known).ok());
    if age.is_some_and(|age| age >= min_age) {
        return None;
    }
    Some(match age {
        Some(age) => format!("first known {} ago", show_age(age)),
        None => "not known until now".to_owned(),
    })
}

/// `3 days`, `5 hours`, `20 minutes`.
#[must_use]
pub fn show_age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
