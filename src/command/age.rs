//! `--min-age`: since when a version has been known, for commands that refuse young ones.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::network::database_store;
use super::session::Session;
use crate::cache::Cache;
use crate::cli::{Flag, RawArgs};
use crate::config::{Config, parse_duration};
use crate::error::{Error, Kind, Result};
use crate::fsio::Locks;
use crate::gomod::{ModulePatterns, ModuleVersion, PrefixPatterns};
use crate::layout;
use crate::trust::{FirstSeen, describe_youth, show_age};

/// What is older is not the time at which a file of a Go module was written: version 1.11 of go, the first with modules, is of 2018-08-24.
/// Images set such times to 0.
const FIRST_MODULES: u64 = 1_535_068_800;

/// `--min-age`.
pub(super) static MIN_AGE: Flag = Flag {
    long: "min-age",
    value: Some("AGE"),
    brief: "Refuse versions that have not been known for so long",
    detail: "Such as 7d. A version is known since the checksum database has it, or since this cache has a file of it. The time in its .info \
does not count: its author sets it. A version of which nothing is known is too young.",
    ..Flag::OURS
};

/// `--min-age-exempt`.
pub(super) static MIN_AGE_EXEMPT: Flag = Flag {
    long: "min-age-exempt",
    value: Some("PATTERNS"),
    brief: "Accept these modules at any age; repeatable",
    detail: "Patterns as in GOPRIVATE, separated by commas; PATTERN@VERSION is about one version.",
    ..Flag::OURS
};

/// What `--min-age` demands.
#[derive(Clone, Debug)]
pub struct AgeLimit {
    min_age: Duration,
    exempt: ModulePatterns,
}

impl AgeLimit {
    /// The limit that was typed, if one was.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what is no time.
    pub(super) fn of(raw: &RawArgs) -> Result<Option<AgeLimit>> {
        let exempt = raw.texts(&MIN_AGE_EXEMPT).iter().map(String::as_str);
        let exempt = ModulePatterns::parse(exempt);
        let Some(text) = raw.text(&MIN_AGE) else {
            return match exempt.is_empty() {
                true => Ok(None),
                false => Err(Error::new(
                    Kind::Usage,
                    "--min-age-exempt says nothing without --min-age",
                )),
            };
        };
        let days = text.strip_suffix('d').map(|days| days.parse::<u32>().ok());
        let min_age = match days {
            Some(days) => days.map(|days| Duration::from_secs(86_400) * days),
            None => parse_duration(text),
        };
        let min_age = min_age.ok_or_else(|| {
            let text = format!(
                "invalid value {text:?} for flag --min-age: want a time such as 90s, 24h or 7d"
            );
            Error::new(Kind::Usage, text)
        })?;
        Ok(Some(AgeLimit { min_age, exempt }))
    }
}

/// Judges versions by a limit.
pub(super) struct AgeCheck {
    limit: AgeLimit,
    /// The database; `None` if there is none.
    seen: Option<FirstSeen>,
    cache: Cache,
}

impl AgeCheck {
    /// Opens what is known of the database. Whether that may be asked is up to the session.
    ///
    /// # Errors
    /// Those of GOSUMDB.
    pub(super) fn open(
        limit: &AgeLimit,
        config: &Config,
        session: &Session<'_>,
    ) -> Result<AgeCheck> {
        let client = session.sums.database()?;
        let store = database_store(config, Locks::default())?;
        let seen = client.zip(store).map(|(client, store)| {
            let dates = layout::head_dates(client.name());
            let exempt = PrefixPatterns::parse(&config.gonosumdb.value);
            let dates = config.gomodcache.value.join(dates);
            FirstSeen::new(Arc::clone(client), store, exempt, dates)
        });
        Ok(AgeCheck {
            limit: limit.clone(),
            seen,
            cache: session.cache().clone(),
        })
    }

    /// What is wrong with the age of a version; `None` if it is old enough. The database is asked if what is kept here does not suffice.
    ///
    /// # Errors
    /// Those of the database, other than that it does not know the version or cannot be asked.
    pub(super) fn youth(&self, module: &ModuleVersion) -> Result<Option<String>> {
        let (path, version) = (module.path(), module.version().as_str());
        if self.limit.exempt.match_version(path, version) {
            return Ok(None);
        }
        let kept = self.seen.as_ref().and_then(|seen| seen.kept(module));
        let mut known = self.cached_since(module).into_iter().chain(kept).min();
        if describe_youth(known, SystemTime::now(), self.limit.min_age).is_some()
            && let Some(seen) = &self.seen
        {
            let asked = match seen.ask(module) {
                Ok(asked) => asked,
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Offline) => None,
                Err(error) => return Err(error),
            };
            known = known.into_iter().chain(asked).min();
        }
        // Now, and not when the run began: the record may have come meanwhile.
        let youth = describe_youth(known, SystemTime::now(), self.limit.min_age);
        Ok(youth.map(|youth| {
            let wanted = show_age(self.limit.min_age);
            format!("{youth}, and {wanted} are wanted (--min-age)")
        }))
    }

    /// The same as a failure of the module.
    pub(super) fn refusal(&self, module: &ModuleVersion) -> Option<Error> {
        match self.youth(module) {
            Ok(youth) => youth.map(|youth| {
                let error = Error::new(Kind::Security, youth).about(module);
                error.hint("name an older version, or --min-age-exempt PATH@VERSION")
            }),
            Err(error) => Some(error),
        }
    }

    /// When the first file of a version came into the cache, by the times of the files.
    fn cached_since(&self, module: &ModuleVersion) -> Option<SystemTime> {
        let entry = self.cache.entry(module).ok()?;
        let files: [PathBuf; 3] = [entry.gomod_path(), entry.info_path(), entry.zip_path()];
        let times = files.iter().filter_map(|file| {
            let time = fs::metadata(file).ok()?.modified().ok()?;
            let since = time.duration_since(UNIX_EPOCH).ok()?;
            (since.as_secs() >= FIRST_MODULES).then_some(time)
        });
        times.min()
    }
}
