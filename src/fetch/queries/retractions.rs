//! Which versions their author has retracted, which module is deprecated, what newer version there is.
//!
//! All of it is said by the newest version of a module, itself retracted or not, in its go.mod.
//!
//! Source: golang/go `cmd/go/internal/modload` `modfile.go` (`CheckRetractions`,
//! `CheckDeprecation`, `queryLatestVersionIgnoringRetractions`), `build.go` (`addUpdate`).

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::QueryResolver;
use super::query::{ActiveQuery, ResolvedVersion, Unresolved, VersionFilter, VersionQuery, bare};
use crate::error::{Error, Kind, Reason, Result};
use crate::fetch::graph::GraphReader;
use crate::gomod::modfile::{ModFile, Retract};
use crate::gomod::{ModulePath, ModuleVersion, Version, compare};
use crate::project::ResolvedModule;
use crate::source::{Info, VcsOrigin};

/// The longest message of an author that is shown within an error, in bytes.
const MAX_MESSAGE: usize = 500;

/// What the newest version of a module says of all of them.
#[derive(Debug, Default)]
pub(in crate::fetch) struct LatestGoMod {
    retract: Vec<Retract>,
    deprecated: String,
}

impl<'r> QueryResolver<'r> {
    /// What replaces a module that is looked at beside the graph; see [`QueryResolver::replaced`].
    pub fn replacement(self, module: &ModuleVersion) -> Option<&'r ResolvedModule> {
        let found = self.rules.replacement(module);
        if found.is_some() {
            let replaced = self.run.answers.replaced.lock();
            let mut replaced = replaced.unwrap_or_else(PoisonError::into_inner);
            replaced.insert(module.clone());
        }
        found
    }

    /// The replaced modules that were looked at so far beside the graph. Where main modules do not
    /// agree on one of them, `go` says so.
    #[must_use]
    pub fn replaced(self) -> BTreeSet<ModuleVersion> {
        let replaced = self.run.answers.replaced.lock();
        replaced.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The metadata of a version; of one that exists nowhere but is replaced, what its name tells.
    ///
    /// # Errors
    /// Those of the source.
    pub fn stat(self, module: &ModuleVersion) -> Result<Info> {
        let info = self.run.files().info(&self.run.cache.entry(module)?);
        match info {
            Err(_) if self.replacement(module).is_some() => Ok(bare(module.version().as_str())),
            info => info,
        }
    }

    /// Resolves one query, on this thread.
    ///
    /// # Errors
    /// As for [`QueryResolver::resolve`].
    pub fn resolve_one(self, query: &VersionQuery) -> Result<ResolvedVersion, Unresolved> {
        ActiveQuery::new(self, query).resolve()
    }

    /// The versions that the source lists, without those that do not count, and what the list
    /// depends on, where the source says so.
    ///
    /// # Errors
    /// Those of the source; that the retractions could not be read.
    pub fn versions(
        self,
        path: &ModulePath,
        filter: VersionFilter,
    ) -> Result<(Vec<String>, Option<VcsOrigin>)> {
        let query = VersionQuery {
            path: path.clone(),
            query: String::new(),
            current: None,
            filter,
        };
        ActiveQuery::new(self, &query).listed()
    }

    /// The version newer than `current`, if there is one, that `@upgrade` would go to; `None` if there
    /// is none, or nothing is known of the module.
    ///
    /// # Errors
    /// No source could be asked.
    pub fn upgrade(
        self,
        path: &ModulePath,
        current: Option<&Version>,
    ) -> Result<Option<ResolvedVersion>> {
        let query = VersionQuery {
            path: path.clone(),
            query: "upgrade".to_owned(),
            current: current.cloned(),
            filter: VersionFilter::Allowed,
        };
        match self.resolve_one(&query) {
            Ok(found) => Ok(Some(found).filter(|found| Some(found.module.version()) > current)),
            Err(Unresolved { error, .. }) if is_unknown(&error) => Ok(None),
            Err(Unresolved { error, .. }) => Err(error),
        }
    }

    /// Why the author of a version has retracted it, once for each line that says so and gives a
    /// reason; `None` if it is not retracted.
    ///
    /// # Errors
    /// `loading module retractions for M: ...`.
    pub fn retraction(self, path: &ModulePath, version: &str) -> Result<Option<Vec<String>>> {
        let latest = self.latest_gomod(path).map_err(|error| {
            let text = format!("loading module retractions for {path}@{version}");
            let named = named_in(&error);
            unnamed(error, named.as_ref().unwrap_or(path)).context(text)
        })?;
        let covers = |line: &&Retract| {
            compare(line.low.as_str(), version).is_le()
                && compare(version, line.high.as_str()).is_le()
        };
        let mut lines = latest.retract.iter().filter(covers).peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let reasons = lines.map(|line| line.rationale.clone());
        Ok(Some(reasons.filter(|reason| !reason.is_empty()).collect()))
    }

    /// What a module says of its being deprecated; empty if it is not.
    ///
    /// # Errors
    /// `loading deprecation for PATH: ...`.
    pub fn deprecation(self, path: &ModulePath) -> Result<String> {
        let latest = self.latest_gomod(path);
        let latest =
            latest.map_err(|error| error.context(format!("loading deprecation for {path}")))?;
        Ok(latest.deprecated.clone())
    }

    /// Why a version does not count, in go's words; `None` if it does.
    ///
    /// # Errors
    /// Those of [`QueryResolver::retraction`].
    pub(super) fn objection(
        self,
        module: &ModuleVersion,
        filter: VersionFilter,
    ) -> Result<Option<Error>> {
        let objection = |text: &str| Error::new(Kind::NotFound, text).about(module);
        if filter == VersionFilter::All {
            return Ok(None);
        }
        if self.rules.excludes(module) {
            return Ok(Some(objection("excluded by go.mod")));
        }
        if filter == VersionFilter::IncludeRetracted {
            return Ok(None);
        }
        let reasons = self.retraction(module.path(), module.version().as_str())?;
        Ok(reasons.map(|reasons| {
            let text = "retracted by module author";
            match reasons.first() {
                None => objection(text),
                Some(reason) => objection(&format!("{text}: {}", short_message(reason, text))),
            }
        }))
    }

    fn latest_gomod(self, path: &ModulePath) -> Result<Arc<LatestGoMod>> {
        if self.rules.hides(path) {
            // What stands in for every version speaks for itself.
            return Ok(Arc::default());
        }
        self.run.answers.latest_gomods.get(path, || {
            let query = VersionQuery {
                path: path.clone(),
                query: "latest".to_owned(),
                current: None,
                filter: VersionFilter::All,
            };
            let newest = self.resolve_one(&query);
            let newest = newest.map_err(|unresolved| unresolved.error)?.module;
            let replacement = self.replacement(&newest).cloned();
            let resolved = replacement.unwrap_or_else(|| ResolvedModule::Module(newest.clone()));
            let data = GraphReader::new(self.run).gomod_of(&resolved)?;
            let parsed = ModFile::parse_lax("go.mod", &data);
            let file = parsed.map_err(|error| error.about(&newest))?;
            let deprecated = file.module.and_then(|line| line.deprecated);
            Ok(Arc::new(LatestGoMod {
                retract: file.retract,
                deprecated: deprecated.unwrap_or_default(),
            }))
        })
    }
}

/// True if an error says that no source has the file, in contrast to: no source could be asked. As in
/// go, with GOPROXY=off no source has any file.
#[must_use]
pub fn is_unknown(error: &Error) -> bool {
    error.is_not_found() || is_off(error)
}

fn is_off(error: &Error) -> bool {
    error.reason() == Some(Reason::ProxyOff)
}

/// A failure to look up what was not named by the user: with GOPROXY=off go does not say what it
/// was about.
#[must_use]
pub fn unasked(error: Error, path: &ModulePath) -> Error {
    match is_off(&error) {
        true => unnamed(error, path),
        false => error,
    }
}

/// The module that a failure begins with: that which was asked for, or what replaces it.
fn named_in(error: &Error) -> Option<ModulePath> {
    let subject = error.subject().filter(|found| found.version.is_some())?;
    ModulePath::parse(&subject.path).ok()
}

/// A failure without the name of the module that it is about, which another name is put before.
pub(super) fn unnamed(error: Error, path: &ModulePath) -> Error {
    match error.subject() {
        Some(subject) if subject.path == path.as_str() => error.without_subject(),
        _ => error,
    }
}

/// An author's message as it may be shown within an error: one line, and not a long one.
///
/// Source: golang/go `cmd/go/internal/modload/modfile.go`, `ShortMessage`.
fn short_message<'m>(message: &'m str, if_empty: &'m str) -> &'m str {
    let line = message.split('\n').next().unwrap_or_default().trim();
    if line.is_empty() {
        if_empty
    } else if line.len() > MAX_MESSAGE {
        "(message omitted: too long)"
    } else if line.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        "(message omitted: contains non-printable characters)"
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Subject;

    #[test]
    fn messages_within_errors_are_short() {
        let long = "x".repeat(501);
        let rows = [
            ("one\ntwo", "one"),
            (" \n", "-"),
            (&long, "(message omitted: too long)"),
            (
                "a\u{7}b",
                "(message omitted: contains non-printable characters)",
            ),
            ("a\tb", "a\tb"),
        ];
        for (message, want) in rows {
            assert_eq!(short_message(message, "-"), want);
        }
    }

    #[test]
    fn a_failure_is_named_once() {
        let path = ModulePath::parse("a.com/a").unwrap();
        let rows = [
            (Subject::module("a.com/a"), "no"),
            (Subject::version("a.com/a", "v1.0.0"), "no"),
            (
                Subject::version("a.com/ab", "v1.0.0"),
                "a.com/ab@v1.0.0: no",
            ),
        ];
        for (subject, want) in rows {
            let error = Error::new(Kind::Network, "no").about(subject);
            assert_eq!(unnamed(error, &path).chain(), want);
        }
    }
}
