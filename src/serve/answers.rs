//! Answers that may change: lists, `@latest`, what branches stand for; how old they are, and how
//! long they count.
//!
//! An answer is fresh for the time to live, and is asked for again after it. If upstream cannot be
//! asked then, it counts for longer, as a stale one. That there is nothing is remembered for a
//! minute. What was found is kept in files as well, whose times of modification say when it was
//! confirmed last, so that a restart during an outage loses nothing.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::fsio::write_atomically;
use crate::gomod::{ModulePath, escape_version};

use super::route::RouteQuery;

/// How long it is remembered that there is nothing.
const NOT_FOUND_TTL: Duration = Duration::from_secs(60);

/// How many answers are kept in memory.
const MOST: usize = 20_000;

/// How long answers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How long an answer is given without a question.
    pub ttl: Duration,
    /// How long it is given where upstream cannot be asked.
    pub stale: Duration,
}

/// What was asked: of which module what.
pub(super) type QueryKey = (ModulePath, RouteQuery);

/// An answer that was kept.
#[derive(Clone, Debug)]
pub(super) enum CachedAnswer {
    /// Upstream's answer, and when it was confirmed last.
    Found(Arc<[u8]>, SystemTime),
    /// There is nothing, as upstream said at this time.
    Missing(Error, SystemTime),
}

/// How a kept answer may be used.
#[derive(Clone, Debug)]
pub(super) enum Usable {
    /// As it is, at this age.
    Fresh(Arc<[u8]>, Duration),
    /// There is nothing.
    Missing(Error),
    /// After upstream was asked: at this age if that fails.
    Expired(Arc<[u8]>, Duration),
    /// Not at all: there is none, or it is too old.
    No,
}

/// The answers of a server.
#[derive(Debug)]
pub(super) struct AnswerCache {
    freshness: Freshness,
    /// Where they are kept; `None` to keep them in memory alone.
    folder: Option<PathBuf>,
    kept: Mutex<HashMap<QueryKey, CachedAnswer>>,
}

impl AnswerCache {
    /// Keeps answers below `folder`.
    #[must_use]
    pub(super) fn new(freshness: Freshness, folder: Option<PathBuf>) -> AnswerCache {
        AnswerCache {
            freshness,
            folder,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<QueryKey, CachedAnswer>> {
        // Every change is one insertion.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the memory has at `now`; reads no file.
    #[must_use]
    pub(super) fn recall(&self, key: &QueryKey, now: SystemTime) -> Usable {
        let kept = self.kept().get(key).cloned();
        self.judge(kept, now)
    }

    /// What memory or disk has at `now`.
    #[must_use]
    pub(super) fn find(&self, key: &QueryKey, now: SystemTime) -> Usable {
        let mut kept = self.kept().get(key).cloned();
        if kept.is_none()
            && let Some(found) = self.place(key).and_then(|place| read(&place))
        {
            self.remember(key, found.clone());
            kept = Some(found);
        }
        self.judge(kept, now)
    }

    /// The last answer, however old.
    #[must_use]
    pub(super) fn last(&self, key: &QueryKey) -> Option<Arc<[u8]>> {
        // Brings it into memory.
        let _ = self.find(key, SystemTime::now());
        match self.kept().get(key) {
            Some(CachedAnswer::Found(data, _)) => Some(Arc::clone(data)),
            _ => None,
        }
    }

    fn judge(&self, kept: Option<CachedAnswer>, now: SystemTime) -> Usable {
        // A time that lies ahead is one of a clock that was wrong: as old as can be.
        let age = |at: SystemTime| now.duration_since(at).unwrap_or(Duration::MAX);
        match kept {
            Some(CachedAnswer::Found(data, at)) if age(at) <= self.freshness.ttl => {
                Usable::Fresh(data, age(at))
            }
            Some(CachedAnswer::Found(data, at)) if age(at) <= self.freshness.stale => {
                Usable::Expired(data, age(at))
            }
            Some(CachedAnswer::Missing(error, at)) if age(at) <= NOT_FOUND_TTL => {
                Usable::Missing(error)
            }
            _ => Usable::No,
        }
    }

    /// Upstream has answered at `now`.
    pub(super) fn keep(&self, key: &QueryKey, data: &[u8], now: SystemTime) -> Arc<[u8]> {
        let known = self.last(key).filter(|known| **known == *data);
        let unchanged = known.is_some();
        let data = known.unwrap_or_else(|| data.into());
        self.remember(key, CachedAnswer::Found(Arc::clone(&data), now));
        if let Some(place) = self.place(key) {
            // Best effort: it is in memory.
            let there = unchanged && place.is_file() || write_atomically(&place, &data).is_ok();
            let _ = there && touch(&place, now);
        }
        data
    }

    /// Upstream has said at `now` that there is nothing.
    pub(super) fn keep_missing(&self, key: &QueryKey, error: Error, now: SystemTime) {
        self.remember(key, CachedAnswer::Missing(error, now));
    }

    fn remember(&self, key: &QueryKey, answer: CachedAnswer) {
        let mut kept = self.kept();
        if kept.len() >= MOST && !kept.contains_key(key) {
            // All of it can be read again, or asked for again.
            kept.clear();
        }
        kept.insert(key.clone(), answer);
    }

    /// Where an answer is kept. What a name may hold is what a cache path may hold.
    fn place(&self, (path, query): &QueryKey) -> Option<PathBuf> {
        let folder = self.folder.as_deref()?.join(path.escape().ok()?.as_str());
        Some(match query {
            RouteQuery::List => folder.join("@v/list"),
            RouteQuery::Latest => folder.join("@latest"),
            RouteQuery::Revision(revision) => {
                let escaped = escape_version(revision).ok()?;
                folder.join(format!("@v/{escaped}.info"))
            }
        })
    }
}

fn read(place: &Path) -> Option<CachedAnswer> {
    let modified = fs::metadata(place).ok()?.modified().ok()?;
    let data = fs::read(place).ok()?;
    Some(CachedAnswer::Found(data.into(), modified))
}

fn touch(place: &Path, now: SystemTime) -> bool {
    File::options()
        .append(true)
        .open(place)
        .and_then(|file| file.set_modified(now))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const FRESHNESS: Freshness = Freshness {
        ttl: Duration::from_secs(60),
        stale: Duration::from_secs(3600),
    };

    fn key() -> QueryKey {
        (ModulePath::parse("a.com/M").unwrap(), RouteQuery::List)
    }

    #[test]
    fn answers_are_fresh_then_expired_then_none() {
        let answers = AnswerCache::new(FRESHNESS, None);
        let now = SystemTime::now();
        let after = |seconds| answers.find(&key(), now + Duration::from_secs(seconds));
        assert!(matches!(after(0), Usable::No));
        answers.keep(&key(), b"v1.0.0\n", now);
        assert!(
            matches!(after(60), Usable::Fresh(data, age) if &*data == b"v1.0.0\n" && age.as_secs() == 60)
        );
        assert!(matches!(after(61), Usable::Expired(..)));
        assert!(matches!(after(3600), Usable::Expired(..)));
        assert!(matches!(after(3601), Usable::No));
        // A clock that was ahead.
        assert!(matches!(
            answers.find(&key(), now - Duration::from_secs(1)),
            Usable::No
        ));
        answers.keep_missing(&key(), Error::new(Kind::NotFound, "no"), now);
        assert!(matches!(after(60), Usable::Missing(_)));
        assert!(matches!(after(61), Usable::No));
    }

    #[test]
    fn answers_outlive_a_restart_with_their_age() {
        let dir = tempfile::tempdir().unwrap();
        let new = || AnswerCache::new(FRESHNESS, Some(dir.path().to_owned()));
        let now = SystemTime::now();
        new().keep(&key(), b"one", now - Duration::from_secs(100));
        assert!(dir.path().join("a.com/!m/@v/list").is_file());
        let answers = new();
        assert!(matches!(answers.recall(&key(), now), Usable::No));
        assert!(matches!(answers.find(&key(), now), Usable::Expired(data, _) if &*data == b"one"));
        assert!(matches!(answers.recall(&key(), now), Usable::Expired(..)));
        // Confirmed, it is fresh again, after a restart as well.
        answers.keep(&key(), b"one", now);
        assert!(matches!(new().find(&key(), now), Usable::Fresh(..)));
    }
}
