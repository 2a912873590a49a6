//! Version queries put to the source: from `latest` or a branch to a version.
//!
//! Source: golang/go `cmd/go/internal/modload/query.go` (`queryProxy`, `replacementRepo`) and
//! `modfile.go` (`CheckRetractions`).

use std::cell::{Cell, RefCell};

use super::QueryResolver;
use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Reason, Result, Subject};
use crate::fetch::{Keep, Run};
use crate::gomod::Time;
use crate::gomod::{
    ModulePath, ModuleVersion, Query, Range, Version, canonical, compare, is_pseudo_version,
    pseudo_version_time,
};
use crate::http::Fetched;
use crate::project::ReplaceRules;
use crate::source::{Info, Source, VcsOrigin};

/// A module path with a query for its version.
#[derive(Clone, Debug)]
pub struct VersionQuery {
    /// The module.
    pub path: ModulePath,
    /// What stands after the `@`: `latest`, `v1`, `<v2`, a branch, a tag, a commit.
    pub query: String,
    /// The version in use, if there is one.
    pub current: Option<Version>,
    /// Which versions count.
    pub filter: VersionFilter,
}

/// Which versions count as an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionFilter {
    /// All but those that the main module excludes and those that their author retracted.
    Allowed,
    /// All but those that the main module excludes.
    IncludeRetracted,
    /// All.
    All,
}

/// The version that a query stands for.
#[derive(Clone, Debug)]
pub struct ResolvedVersion {
    /// The version.
    pub module: ModuleVersion,
    /// When it was made; [`Time::ZERO`] if unknown.
    pub time: Time,
    /// What the source said of where it comes from, where it resolved the query itself; what was
    /// chosen from a list has none.
    pub origin: Option<Box<VcsOrigin>>,
}

/// A query that stands for no version.
#[derive(Clone, Debug)]
pub struct Unresolved {
    /// Why.
    pub error: Error,
    /// What that depends on, where the source says so: the refs of a repository, say.
    pub origin: Option<Box<VcsOrigin>>,
}

impl From<Error> for Unresolved {
    fn from(error: Error) -> Unresolved {
        Unresolved {
            error,
            origin: None,
        }
    }
}

impl QueryResolver<'_> {
    /// Resolves queries, many at a time; one result for each, in their order.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started; that main modules disagree on what replaces a
    /// version that was looked at.
    pub fn resolve(
        self,
        queries: &[VersionQuery],
    ) -> Result<Vec<Result<ResolvedVersion, Unresolved>>> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let mut results: Vec<Option<Result<ResolvedVersion, Unresolved>>> =
            vec![None; queries.len()];
        self.run.engine.pools.transfer()?.in_place_scope(|scope| {
            for (query, result) in queries.iter().zip(&mut results) {
                scope.spawn(move |_| *result = Some(self.resolve_one(query)));
            }
        });
        let replaced = self.replaced();
        if let Some(clash) = replaced.iter().find_map(|module| self.rules.clash(module)) {
            return Err(clash);
        }
        // The scope ends when each of them has its result.
        Ok(results.into_iter().flatten().collect())
    }
}

/// One query under way.
pub(super) struct ActiveQuery<'a> {
    resolver: QueryResolver<'a>,
    run: &'a Run,
    query: &'a VersionQuery,
    rules: &'a ReplaceRules,
    /// Bytes and retries so far: they are recorded for the module that comes out.
    traffic: Cell<(u64, u32)>,
    /// How many places were asked: what one of them said is remembered by its number.
    place: Cell<usize>,
    /// Why there is no answer although a place could be asked.
    refused: RefCell<Option<Error>>,
    /// What a choice among versions depends on, where the source says that of all that was looked at.
    origin: RefCell<Option<VcsOrigin>>,
}

impl<'a> ActiveQuery<'a> {
    pub(super) fn new(resolver: QueryResolver<'a>, query: &'a VersionQuery) -> ActiveQuery<'a> {
        ActiveQuery {
            resolver,
            run: resolver.run,
            query,
            rules: resolver.rules,
            traffic: Cell::default(),
            place: Cell::default(),
            refused: RefCell::default(),
            origin: RefCell::default(),
        }
    }

    /// Puts a question to one place after the other.
    pub(super) fn each<T>(&self, mut question: impl FnMut(&dyn Source) -> Result<T>) -> Result<T> {
        let VersionQuery { path, query, .. } = self.query;
        let mut found = None;
        self.place.set(0);
        self.run.link.source.each(path, query, &mut |source| {
            self.place.set(self.place.get() + 1);
            found = Some(question(source)?);
            Ok(())
        })?;
        // A source that answered has left it here.
        found.ok_or_else(|| Error::new(Kind::Other, format!("{path}@{query}")))
    }

    pub(super) fn resolve(&self) -> Result<ResolvedVersion, Unresolved> {
        self.resolved().map_err(|error| Unresolved {
            error,
            origin: self.origin.take().map(Box::new),
        })
    }

    fn resolved(&self) -> Result<ResolvedVersion> {
        let VersionQuery {
            path,
            query,
            current,
            ..
        } = self.query;
        let current = current.as_ref().map_or("", Version::as_str);
        let (info, origin) = match Query::parse(path.as_str(), query, current)
            .map_err(|error| error.about(Subject::version(path, query)))?
        {
            Query::Revision => {
                let is_version = ModuleVersion::parse(path.as_str(), query).is_ok();
                let asked = self.each(|source| {
                    let asked = match is_version {
                        true => self.stat(source, query),
                        false => self.revision(source),
                    };
                    self.traced(source, query, asked)
                });
                let info = match asked {
                    // Where the source can be asked, it is: a tag may have come since.
                    Err(error) if error.kind() == Kind::Offline => {
                        self.cached_commit()?.ok_or(error)?
                    }
                    asked => asked?,
                };
                let origin = info.origin.clone();
                (info, origin)
            }
            Query::Range(range) => {
                let asked = self.each(|source| self.range(source, &range));
                let info = asked.map_err(|error| self.name_refused(error))?;
                (info, self.origin.take().map(Box::new))
            }
        };
        let module = ModuleVersion::parse(path.as_str(), &info.version)
            .map_err(|error| error.about(Subject::version(path, query)))?;
        let (bytes, retries) = self.traffic.get();
        let fetched = Fetched {
            retries,
            ..Fetched::of_bytes(bytes)
        };
        self.run.record_traffic(&module, fetched);
        Ok(ResolvedVersion {
            module,
            time: info.time,
            origin,
        })
    }

    /// Remembers what a failure to find a revision depends on.
    fn traced<T>(&self, source: &dyn Source, revision: &str, found: Result<T>) -> Result<T> {
        if found.is_err() {
            let origin = source.failure_origin(&self.query.path, revision);
            self.origin.replace(origin);
        }
        found
    }

    /// Refuses an answer. Within a chain it must not count as "not found", which would let `,` ask
    /// the next proxy.
    pub(super) fn refuse(&self, error: Error) -> Error {
        let within = Error::new(Kind::Other, error.chain()).with_reason(Reason::QueryRefused);
        self.refused.replace(Some(error));
        within
    }

    pub(super) fn name_refused(&self, error: Error) -> Error {
        let refused = self.refused.take();
        refused
            .filter(|_| error.reason() == Some(Reason::QueryRefused))
            .unwrap_or(error)
    }

    fn take<T>(&self, fetched: Fetched<T>) -> T {
        let (bytes, retries) = self.traffic.get();
        self.traffic
            .set((bytes + fetched.bytes, retries + fetched.retries));
        fetched.value
    }

    fn entry(&self, version: &str) -> Result<CacheEntry> {
        let module = ModuleVersion::parse(self.query.path.as_str(), version)?;
        self.run.cache.entry(&module)
    }

    /// Keeps the metadata of a version for who asks for it next.
    fn keep(&self, info: &Info) -> Result<()> {
        if self.run.keep == Keep::Nothing {
            return Ok(());
        }
        match self.entry(&info.version) {
            Ok(entry) if self.run.files().cached_info(&entry)?.is_none() => {
                let written = entry.write_info(info.to_cache_json().as_bytes());
                self.run.files().kept(written)
            }
            // What is no version of this module is refused later, with its name.
            _ => Ok(()),
        }
    }

    /// What the cache knows of a commit whose pseudo-version it has.
    fn cached_commit(&self) -> Result<Option<Info>> {
        let VersionQuery { path, query, .. } = self.query;
        let Some(version) = self.run.cache.pseudo_version_of(path, query)? else {
            return Ok(None);
        };
        self.run.files().cached_info(&self.entry(&version)?)
    }

    /// A branch, tag, commit, or a version with build metadata, which may be tagged without it.
    fn revision(&self, source: &dyn Source) -> Result<Info> {
        let VersionQuery { path, query, .. } = self.query;
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

    /// The metadata of a version. What a list has and is no version of this module (`v1.1`, `v2.0.0`
    /// without `/v2`, a tag with build metadata) may stand for one: the source says which.
    pub(super) fn stat(&self, source: &dyn Source, version: &str) -> Result<Info> {
        let Ok(entry) = self.entry(version) else {
            let info = self.take(source.info(&self.query.path, version)?);
            self.keep(&info)?;
            return Ok(info);
        };
        if let Some(info) = self.run.files().cached_info(&entry)? {
            return Ok(info);
        }
        match source.info(&self.query.path, version) {
            Ok(info) => {
                let info = self.take(info);
                self.keep(&info)?;
                Ok(info)
            }
            // go.mod may replace a version that exists nowhere.
            Err(error) => match self.resolver.replacement(entry.module()) {
                Some(_) => Ok(bare(version)),
                None => Err(error),
            },
        }
    }

    fn range(&self, source: &dyn Source, range: &Range) -> Result<Info> {
        let versions = self.versions(source)?;
        let origin = source.versions_origin(&self.query.path, range.prefix());
        self.origin.replace(origin);
        // What cannot be known of a version does not speak against it.
        let allowed = |version: &str| !matches!(self.objection(version), Ok(Some(_)));
        let picked = range.pick(&versions, allowed, |version| self.has_go_mod(version))?;
        if let Some(version) = picked {
            return self.upgraded(source, range, self.looked_up(source, version)?);
        }
        if range.may_use_latest() {
            let latest = self.latest(source);
            match &latest {
                Ok(info) => self.depends_on(info.origin.as_deref()),
                Err(_) => self.depends_on_failure(source, ""),
            }
            match latest {
                Ok(info) if range.allows(&info.version) && allowed(&info.version) => {
                    // It is looked up also where go.mod names it: then the cache keeps it.
                    let info = self.looked_up(source, &info.version)?;
                    return self.upgraded(source, range, info);
                }
                Err(error) if !error.is_not_found() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        match range.stays_at() {
            Some(current) => self.stay(source, current),
            None => {
                let unmatched = range.unmatched();
                Err(self.refuse(unmatched.about(Subject::module(&self.query.path))))
            }
        }
    }

    /// The metadata of a version that a choice led to: the choice depends on it.
    fn looked_up(&self, source: &dyn Source, version: &str) -> Result<Info> {
        let info = self
            .stat(source, version)
            .inspect_err(|_| self.depends_on_failure(source, version))?;
        self.depends_on(info.origin.as_deref());
        Ok(info)
    }

    /// That a revision was not found is part of what the answer depends on.
    fn depends_on_failure(&self, source: &dyn Source, revision: &str) {
        if let Some(origin) = source.failure_origin(&self.query.path, revision) {
            self.depends_on(Some(&origin));
        }
    }

    fn depends_on(&self, origin: Option<&VcsOrigin>) {
        let so_far = self.origin.take();
        let both = so_far.zip(origin);
        self.origin
            .replace(both.and_then(|(so_far, origin)| so_far.merged(origin)));
    }

    /// `upgrade` and `patch` do not go from a pseudo-version back in time.
    fn upgraded(&self, source: &dyn Source, range: &Range, info: Info) -> Result<Info> {
        let Some(current) = range.stays_at().filter(|v| is_pseudo_version(v)) else {
            return Ok(info);
        };
        let time = pseudo_version_time(current).and_then(Time::parse_pseudo);
        if info.time == Time::ZERO || time.is_none_or(|time| info.time >= time) {
            return Ok(info);
        }
        self.stay(source, current)
    }

    /// The version in use, if it may stay.
    fn stay(&self, source: &dyn Source, current: &str) -> Result<Info> {
        match self.objection(current) {
            Ok(Some(objection)) => Err(self.refuse(objection)),
            Ok(None) | Err(_) => self.looked_up(source, current),
        }
    }

    /// Why a version does not count, in go's words; `None` if it does, or if it is no version of this
    /// module: nothing is known of those.
    fn objection(&self, version: &str) -> Result<Option<Error>> {
        let Ok(module) = ModuleVersion::parse(self.query.path.as_str(), version) else {
            return Ok(None);
        };
        self.resolver.objection(&module, self.query.filter)
    }

    /// The versions that a place lists, and that count, with what the list depends on.
    pub(super) fn listed(&self) -> Result<(Vec<String>, Option<VcsOrigin>)> {
        self.each(|source| {
            let mut sound = Vec::new();
            for version in self.versions(source)? {
                if self.objection(&version)?.is_none() {
                    sound.push(version);
                }
            }
            Ok((sound, source.versions_origin(&self.query.path, "")))
        })
    }

    /// What is remembered of the place that is being asked.
    fn key(&self) -> (usize, ModulePath) {
        (self.place.get(), self.query.path.clone())
    }

    /// The list of the source, with the versions that go.mod replaces.
    pub(super) fn versions(&self, source: &dyn Source) -> Result<Vec<String>> {
        let path = &self.query.path;
        let replaced: Vec<String> = self
            .rules
            .replaced_versions(path)
            .filter(|version| !version.is_pseudo())
            .map(Version::to_string)
            .collect();
        let is_replaced = !replaced.is_empty() || self.rules.replaces_all(path);
        let answers = &self.run.answers;
        let listed = answers.versions.get(&self.key(), || source.versions(path));
        let mut versions = match listed {
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
        let path = &self.query.path;
        let latest = self.run.answers.latest.get(&self.key(), || {
            let info = self.take(source.latest(path)?);
            self.keep(&info)?;
            Ok(info)
        });
        let highest = self.rules.replaced_versions(path).max();
        let replaced = match highest {
            Some(version) => Some(version.to_string()),
            // Lower than any real version, so that it can be upgraded.
            None if self.rules.replaces_all(path) => {
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

    /// True if a version's go.mod is its own: sources make one up for what is older than modules.
    fn has_go_mod(&self, version: &str) -> Result<bool> {
        let Ok(entry) = self.entry(version) else {
            return Ok(true);
        };
        let gomod = self.run.files().gomod(&entry)?;
        let made_up = format!("module {}\n", self.query.path);
        Ok(gomod.data != made_up.as_bytes())
    }
}

/// A version of which nothing more is known than its name tells.
pub(super) fn bare(version: &str) -> Info {
    let digits = pseudo_version_time(version).filter(|_| is_pseudo_version(version));
    Info {
        version: version.to_owned(),
        time: digits.and_then(Time::parse_pseudo).unwrap_or(Time::ZERO),
        origin: None,
    }
}
