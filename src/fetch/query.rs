//! Version queries put to the source: from `latest` or a branch to a version.
//!
//! Source: golang/go `cmd/go/internal/modload/query.go` (`queryProxy`, `replacementRepo`) and
//! `modfile.go` (`CheckRetractions`).

use std::cell::{Cell, OnceCell};

use super::Fetcher;
use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::modfile::{ModFile, Retract};
use crate::modset::{Edits, Query, Range};
use crate::module::{
    ModulePath, ModuleVersion, Version, canonical, compare, is_pseudo_version, pseudo_version_time,
};
use crate::source::{Info, Origin, Source, Time};
use crate::transport::Fetched;

/// A module path with a query for its version.
#[derive(Clone, Debug)]
pub struct Question {
    /// The module.
    pub path: ModulePath,
    /// What stands after the `@`: `latest`, `v1`, `<v2`, a branch, a tag, a commit.
    pub query: String,
    /// The version in use, if there is one.
    pub current: Option<Version>,
}

/// What a query stands for.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The version.
    pub module: ModuleVersion,
    /// What the source said of where it comes from, where it resolved the query itself; what was
    /// chosen from a list has none.
    pub origin: Option<Origin>,
}

impl Fetcher<'_> {
    /// Resolves queries, many at a time; one answer for each, in their order. `edits` are those
    /// of the main module: excluded versions do not count, replaced ones do.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn resolve(&self, questions: &[Question], edits: &Edits) -> Result<Vec<Result<Answer>>> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let mut answers: Vec<Option<Result<Answer>>> = vec![None; questions.len()];
        self.pools.transfer()?.in_place_scope(|scope| {
            for (question, answer) in questions.iter().zip(&mut answers) {
                scope.spawn(move |_| {
                    let inquiry = Inquiry::new(self, question, edits);
                    *answer = Some(inquiry.answer());
                });
            }
        });
        // The scope ends when each of them has its answer.
        Ok(answers.into_iter().flatten().collect())
    }
}

/// One question on its way.
struct Inquiry<'a> {
    fetcher: &'a Fetcher<'a>,
    question: &'a Question,
    edits: &'a Edits,
    /// Bytes and retries so far: they are booked to the module that comes out.
    traffic: Cell<(u64, u32)>,
}

impl<'a> Inquiry<'a> {
    fn new(fetcher: &'a Fetcher<'a>, question: &'a Question, edits: &'a Edits) -> Inquiry<'a> {
        Inquiry {
            fetcher,
            question,
            edits,
            traffic: Cell::default(),
        }
    }

    fn answer(&self) -> Result<Answer> {
        let Question {
            path,
            query,
            current,
        } = self.question;
        let mut found = None;
        let origin = match Query::parse(path, query, current.as_ref())
            .map_err(|error| error.context(format!("{path}@{query}")))?
        {
            Query::Revision => {
                if let Some(info) = self.cached_commit()? {
                    found = Some(info);
                } else {
                    self.fetcher.source.each(path, query, &mut |source| {
                        found = Some(self.revision(source)?);
                        Ok(())
                    })?;
                }
                found.as_ref().and_then(|info| info.origin.clone())
            }
            Query::Range(range) => {
                let asked = self.fetcher.source.each(path, query, &mut |source| {
                    found = Some(self.range(source, &range)?);
                    Ok(())
                });
                asked.map_err(|error| self.name_unmatched(&range, error))?;
                None
            }
        };
        // A source that answered has left it here.
        let info = found.ok_or_else(|| Error::new(Kind::Other, format!("{path}@{query}")))?;
        let module = ModuleVersion::parse(path.as_str(), &info.version)
            .map_err(|error| error.context(format!("{path}@{query}")))?;
        let (bytes, retries) = self.traffic.get();
        self.fetcher.book(
            &module,
            Fetched {
                value: (),
                bytes,
                resumed: 0,
                retries,
            },
        );
        Ok(Answer { module, origin })
    }

    /// Within a chain it must not count as "not found", which would let `,` ask the next proxy.
    fn name_unmatched(&self, range: &Range, error: Error) -> Error {
        let unmatched = range.unmatched();
        if error.chain() == unmatched.chain() {
            return unmatched.context(format!("module {}", self.question.path));
        }
        error
    }

    fn take<T>(&self, fetched: Fetched<T>) -> T {
        let (bytes, retries) = self.traffic.get();
        self.traffic
            .set((bytes + fetched.bytes, retries + fetched.retries));
        fetched.value
    }

    fn entry(&self, version: &str) -> Result<Entry> {
        let module = ModuleVersion::parse(self.question.path.as_str(), version)?;
        self.fetcher.cache.entry(&module)
    }

    /// Keeps the metadata of a version for who asks for it next.
    fn keep(&self, info: &Info) -> Result<()> {
        if !self.fetcher.settings.store {
            return Ok(());
        }
        match self.entry(&info.version) {
            Ok(entry) if self.fetcher.cached_info(&entry)?.is_none() => {
                entry.write_info(info.to_cache_json().as_bytes())
            }
            // What is no version of this module is refused later, with its name.
            _ => Ok(()),
        }
    }

    /// A commit whose pseudo-version is in the cache needs no source.
    fn cached_commit(&self) -> Result<Option<Info>> {
        let Question { path, query, .. } = self.question;
        let Some(version) = self.fetcher.cache.pseudo_version_of(path, query)? else {
            return Ok(None);
        };
        self.fetcher.cached_info(&self.entry(&version)?)
    }

    /// A branch, tag, commit, or a version with build metadata, which may be tagged without it.
    fn revision(&self, source: &dyn Source) -> Result<Info> {
        let Question { path, query, .. } = self.question;
        let info = match source.info(path, query) {
            Ok(info) => info,
            Err(error) => match canonical(query).filter(|canonical| canonical != query) {
                None => return Err(error),
                Some(canonical) => source
                    .info(path, &canonical)
                    .map_err(|other| if other.is_not_found() { error } else { other })?,
            },
        };
        let info = self.take(info);
        self.keep(&info)?;
        Ok(info)
    }

    /// The metadata of a version.
    fn stat(&self, source: &dyn Source, version: &str) -> Result<Info> {
        let entry = self.entry(version)?;
        if let Some(info) = self.fetcher.cached_info(&entry)? {
            return Ok(info);
        }
        match source.info(&self.question.path, version) {
            Ok(info) => {
                let info = self.take(info);
                self.keep(&info)?;
                Ok(info)
            }
            // go.mod may replace a version that exists nowhere.
            Err(_) if self.edits.replacement(entry.module()).is_some() => Ok(bare(version)),
            Err(error) => Err(error),
        }
    }

    fn range(&self, source: &dyn Source, range: &Range) -> Result<Info> {
        let versions = self.versions(source)?;
        // Asked for at most once, although both what is retracted and the answer may need it.
        let latest = OnceCell::new();
        let latest = || latest.get_or_init(|| self.latest(source)).clone();
        let retracted = OnceCell::new();
        let allowed = |version: &str| {
            let excluded = ModuleVersion::parse(self.question.path.as_str(), version)
                .is_ok_and(|module| self.edits.excludes(&module));
            let retracted = retracted.get_or_init(|| {
                self.retractions(source, &versions, latest)
                    .unwrap_or_default()
            });
            !excluded && !retracted.iter().any(|interval| covers(interval, version))
        };
        let picked = range.pick(&versions, allowed, |version| self.has_go_mod(version))?;
        if let Some(version) = picked {
            return self.upgraded(source, range, self.stat(source, version)?, allowed);
        }
        if range.may_use_latest() {
            match latest() {
                Ok(info) if range.allows(&info.version) && allowed(&info.version) => {
                    return self.upgraded(source, range, info, allowed);
                }
                Err(error) if !error.is_not_found() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        match range.stays_at() {
            Some(current) if allowed(current) => self.stat(source, current),
            _ => Err(Error::new(Kind::Other, range.unmatched().chain())),
        }
    }

    /// `upgrade` and `patch` do not go from a pseudo-version back in time.
    fn upgraded(
        &self,
        source: &dyn Source,
        range: &Range,
        info: Info,
        allowed: impl Fn(&str) -> bool,
    ) -> Result<Info> {
        let Some(current) = range.stays_at().filter(|v| is_pseudo_version(v)) else {
            return Ok(info);
        };
        let time = pseudo_version_time(current).and_then(Time::parse_pseudo);
        if info.time == Time::ZERO || time.is_none_or(|time| info.time >= time) {
            return Ok(info);
        }
        if !allowed(current) {
            let text = format!("{}@{current}: excluded or retracted", self.question.path);
            return Err(Error::new(Kind::NotFound, text));
        }
        self.stat(source, current)
    }

    /// The list of the source, with the versions that go.mod replaces.
    fn versions(&self, source: &dyn Source) -> Result<Vec<String>> {
        let path = &self.question.path;
        let replaced: Vec<String> = self
            .edits
            .replaced_versions(path)
            .filter(|version| !version.is_pseudo())
            .map(Version::to_string)
            .collect();
        let is_replaced = !replaced.is_empty() || self.edits.replaces_all(path);
        let mut versions = match source.versions(path) {
            Err(error) if error.is_not_found() && is_replaced => Vec::new(),
            listed => listed?,
        };
        if !replaced.is_empty() {
            versions.extend(replaced);
            versions.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
            versions.dedup();
        }
        Ok(versions)
    }

    /// What the source calls the latest, or a higher version that go.mod replaces.
    fn latest(&self, source: &dyn Source) -> Result<Info> {
        let path = &self.question.path;
        let latest = source.latest(path).map(|info| self.take(info));
        if let Ok(info) = &latest {
            self.keep(info)?;
        }
        let highest = self.edits.replaced_versions(path).max();
        let replaced = match highest {
            Some(version) => Some(version.to_string()),
            // Lower than any real version, so that it can be upgraded.
            None if self.edits.replaces_all(path) => {
                let major = path.major_suffix().trim_start_matches(['/', '.']);
                let major = if major.is_empty() { "v0" } else { major };
                Some(format!("{major}.0.0-00010101000000-000000000000"))
            }
            None => None,
        };
        match (latest, replaced) {
            (Ok(info), Some(version)) if compare(&version, &info.version).is_gt() => {
                Ok(bare(&version))
            }
            (Err(_), Some(version)) => Ok(bare(&version)),
            (latest, _) => latest,
        }
    }

    /// The retractions that the newest version states, itself retracted or not.
    fn retractions(
        &self,
        source: &dyn Source,
        versions: &[String],
        latest: impl Fn() -> Result<Info>,
    ) -> Result<Vec<Retract>> {
        let path = &self.question.path;
        if self.edits.replaces_all(path) {
            return Ok(Vec::new());
        }
        let Query::Range(newest) = Query::parse(path, "latest", None)? else {
            return Ok(Vec::new());
        };
        let version = match newest.pick(versions, |_| true, |v| self.has_go_mod(v))? {
            // Only its name is needed; go keeps what it is told of it, and so its cache has it.
            Some(version) => self.stat(source, version)?.version,
            None => latest()?.version,
        };
        let module = ModuleVersion::parse(path.as_str(), &version)?;
        let data = self.fetcher.gomod_of(&self.edits.actual(&module))?;
        Ok(ModFile::parse_lax("go.mod", &data)?.retract)
    }

    /// True if a version's go.mod is its own: sources make one up for what is older than modules.
    fn has_go_mod(&self, version: &str) -> Result<bool> {
        let gomod = self.fetcher.gomod(&self.entry(version)?)?;
        let made_up = format!("module {}\n", self.question.path);
        Ok(gomod.data != made_up.as_bytes())
    }
}

fn covers(interval: &Retract, version: &str) -> bool {
    compare(interval.low.as_str(), version).is_le()
        && compare(version, interval.high.as_str()).is_le()
}

/// A version of which nothing more is known.
fn bare(version: &str) -> Info {
    Info {
        version: version.to_owned(),
        time: Time::ZERO,
        origin: None,
    }
}
