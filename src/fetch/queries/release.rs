//! Versions of `go` and `toolchain`, which are no modules: which there are, and what a query for
//! them stands for.
//!
//! The releases of Go are versions of one module, golang.org/toolchain, `v0.0.1-go1.22.3.linux-amd64`
//! and its kin, and its list is theirs. Of each the metadata is looked at, which says that it exists;
//! none is fetched, let alone run.
//!
//! Source: golang/go `cmd/go/internal/modfetch/toolchain.go`, `modload/query.go` (`queryProxy`).

use std::collections::HashSet;

use super::QueryResolver;
use super::query::{ActiveQuery, VersionFilter, VersionQuery};
use super::retractions::{is_unknown, unasked, unnamed};
use crate::error::{Error, Kind, Result, Subject};
use crate::fetch::Run;
use crate::gomod::Time;
use crate::gomod::{GoVersion, ModulePath, Query, Range, TOOLCHAIN, Tool, canonical};
use crate::project::ReplaceRules;
use crate::source::Source;

/// A query for a version of `go` or `toolchain`.
#[derive(Clone, Debug)]
pub struct ReleaseQuery {
    /// Of which.
    pub tool: Tool,
    /// What stands after the `@`.
    pub query: String,
    /// The version in use; empty if there is none.
    pub current: String,
    /// Which versions count: none of them is ever retracted, but that is looked up.
    pub filter: VersionFilter,
}

/// A version of `go` or `toolchain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Written as it is for this tool: `1.22.3`, `go1.22.3`.
    pub version: String,
    /// When it was made; [`Time::ZERO`] if no source had to be asked.
    pub time: Time,
}

/// Resolves queries for versions of `go` and `toolchain`.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseResolver<'r> {
    run: &'r Run,
}

impl<'r> ReleaseResolver<'r> {
    /// Resolves them for this run.
    #[must_use]
    pub fn new(run: &'r Run) -> ReleaseResolver<'r> {
        ReleaseResolver { run }
    }

    /// The version that the run acts as.
    #[must_use]
    pub fn own_release(self, tool: Tool) -> String {
        tool.version_of(self.run.local.as_str())
    }

    /// Resolves a query.
    ///
    /// # Errors
    /// In go's words, with the name of what was asked for.
    pub fn release(self, asked: &ReleaseQuery) -> Result<Release> {
        let ReleaseQuery { tool, query, .. } = asked;
        self.find_release(asked).map_err(|error| {
            if is_about_toolchain(&error) || error.subject() == Some(&Subject::module(tool)) {
                return error;
            }
            error.about(Subject::version(tool, query))
        })
    }

    /// The versions that there are, the one that the run acts as among them.
    ///
    /// # Errors
    /// Those of the source; that the retractions could not be read, which is asked of each.
    pub fn releases(self, tool: Tool, filter: VersionFilter) -> Result<Vec<String>> {
        self.ask_toolchains(|active, source| {
            let versions = self.listed_releases(active, source, tool)?;
            if let Some(first) = versions
                .first()
                .filter(|_| filter == VersionFilter::Allowed)
            {
                self.release_retraction(tool, first)?;
            }
            Ok(versions)
        })
    }

    /// The version newer than `current`, if that is not empty, which `@upgrade` would go to; `None` if
    /// there is none, or nothing is known.
    ///
    /// # Errors
    /// No source could be asked.
    pub fn newer_release(self, tool: Tool, current: &str) -> Result<Option<Release>> {
        let query = ReleaseQuery {
            tool,
            query: "upgrade".to_owned(),
            current: current.to_owned(),
            filter: VersionFilter::Allowed,
        };
        match self.find_release(&query) {
            Ok(newer) => {
                Ok(Some(newer).filter(|newer| tool.compare(&newer.version, current).is_gt()))
            }
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Resolves what stands in the place of a version in a go.mod.
    ///
    /// # Errors
    /// In go's words; they name neither, unless the source has failed.
    pub fn written_release(self, tool: Tool, text: &str) -> Result<Release> {
        let query = ReleaseQuery {
            tool,
            query: text.to_owned(),
            current: String::new(),
            filter: VersionFilter::All,
        };
        let path = ModulePath::parse(TOOLCHAIN)?;
        self.find_release(&query)
            .map_err(|error| match is_about_toolchain(&error) {
                true => unnamed(error, &path).about(Subject::version(tool, text)),
                false => error,
            })
    }

    /// Looks up whether a version was retracted, which none ever is.
    ///
    /// # Errors
    /// `loading module retractions for go@V: ...`.
    pub fn release_retraction(self, tool: Tool, version: &str) -> Result<()> {
        let path = ModulePath::parse(TOOLCHAIN)?;
        self.newest_release(tool).map_err(|error| {
            let text = format!("loading module retractions for {tool}@{version}");
            unnamed(error, &path).context(text)
        })
    }

    /// Looks up whether it is deprecated, which neither is.
    ///
    /// # Errors
    /// `loading deprecation for go: ...`.
    pub fn release_deprecation(self, tool: Tool) -> Result<()> {
        let newest = self.newest_release(tool);
        newest.map_err(|error| error.context(format!("loading deprecation for {tool}")))
    }

    /// Why a version cannot be downloaded, in go's words: neither `go` nor `toolchain` is a module,
    /// but first it is looked up.
    #[must_use]
    pub fn no_module(self, tool: Tool, version: &str) -> Error {
        if !tool.is_valid(version) {
            return Error::new(Kind::Input, format!("invalid version {version:?}"));
        }
        let found = self
            .sure_release(tool, version)
            .and_then(|sure| match sure {
                Some(release) => Ok(release),
                None => self.ask_toolchains(|active, source| stat(active, source, tool, version)),
            });
        if let Err(error) = found {
            return error;
        }
        let go = plain(version);
        let text = "internal error: invalid operation on toolchain module";
        Error::new(Kind::Input, text).hint(format!(
            "{tool} is no module; the toolchain of each platform is, such as \
             {TOOLCHAIN}@v0.0.1-go{go}.linux-amd64"
        ))
    }

    /// The newest version, retracted or not: it would say so.
    fn newest_release(self, tool: Tool) -> Result<()> {
        self.run.answers.releases.get(&tool, || {
            let query = ReleaseQuery {
                tool,
                query: "latest".to_owned(),
                current: String::new(),
                filter: VersionFilter::All,
            };
            self.find_release(&query).map(drop)
        })
    }

    /// Puts a question about golang.org/toolchain to one place after the other.
    fn ask_toolchains<T>(
        self,
        mut ask: impl FnMut(&ActiveQuery<'_>, &dyn Source) -> Result<T>,
    ) -> Result<T> {
        let path = ModulePath::parse(TOOLCHAIN)?;
        let query = VersionQuery {
            path: path.clone(),
            query: String::new(),
            current: None,
            filter: VersionFilter::All,
        };
        // What go.mod says of that module is about it, and not about its versions' being there.
        let rules = ReplaceRules::default();
        let active = ActiveQuery::new(QueryResolver::new(self.run, &rules), &query);
        let asked = active.each(|source| ask(&active, source));
        asked.map_err(|error| unasked(active.name_refused(error), &path))
    }

    /// The answer to a query; failures do not say what was asked for, unless it is another module.
    fn find_release(self, asked: &ReleaseQuery) -> Result<Release> {
        let ReleaseQuery {
            tool,
            query,
            current,
            filter,
        } = asked;
        let tool = *tool;
        if !current.is_empty() && !tool.is_valid(current) {
            let text = format!("invalid previous version {tool}@{current}");
            return Err(Error::new(Kind::Input, text));
        }
        match Query::parse(tool.name(), query, current)? {
            Query::Revision => match self.sure_release(tool, query)? {
                Some(release) => Ok(release),
                None => self.ask_toolchains(|active, source| stat(active, source, tool, query)),
            },
            Query::Range(range) => self.ask_toolchains(|active, source| {
                let found = self.pick_release(active, source, tool, &range, *filter);
                found.and_then(|version| match self.sure_release(tool, &version)? {
                    Some(release) => Ok(release),
                    None => stat(active, source, tool, &version),
                })
            }),
        }
    }

    /// The version that a query takes of those that there are.
    fn pick_release(
        self,
        active: &ActiveQuery<'_>,
        source: &dyn Source,
        tool: Tool,
        range: &Range,
        filter: VersionFilter,
    ) -> Result<String> {
        let versions = self.listed_releases(active, source, tool)?;
        let allowed = |_: &str| {
            if filter == VersionFilter::Allowed {
                // What cannot be known does not speak against it.
                let _ = self.newest_release(tool);
            }
            true
        };
        let picked = range.pick(&versions, allowed, |_| Ok(true))?;
        if let Some(version) = picked {
            return Ok(version.to_owned());
        }
        if let Some(current) = range.stays_at() {
            allowed(current);
            return Ok(current.to_owned());
        }
        Err(active.refuse(range.unmatched().about(Subject::module(tool))))
    }

    /// A version that is there without anybody being asked: that of this run, and of `go` those
    /// before it.
    fn sure_release(self, tool: Tool, version: &str) -> Result<Option<Release>> {
        let plain = plain(version);
        let invalid = |text| Err(Error::new(Kind::Input, text));
        let Some(parsed) = GoVersion::parse(plain) else {
            // go asks again for the whole of what looks like a version of a module.
            let whole = canonical(version);
            let named = whole.as_deref().unwrap_or(version);
            return invalid(format!("invalid {tool} version {named}"));
        };
        let sure = match tool {
            Tool::Go => parsed <= self.run.local,
            Tool::Toolchain => plain == self.run.local.as_str(),
        };
        if sure {
            return Ok(Some(Release {
                version: tool.version_of(plain),
                time: Time::ZERO,
            }));
        }
        if parsed.is_language() {
            return invalid(format!(
                "go language version {version} is not a toolchain version"
            ));
        }
        Ok(None)
    }

    /// All versions, in their order.
    fn listed_releases(
        self,
        active: &ActiveQuery<'_>,
        source: &dyn Source,
        tool: Tool,
    ) -> Result<Vec<String>> {
        let listed = active.versions(source)?;
        let mut seen = HashSet::new();
        let own = self.run.local.as_str();
        let known = listed.iter().filter_map(|version| release_of(version));
        let known = known.chain([own]).filter(|go| seen.insert(*go));
        let mut versions: Vec<String> = known.map(|go| tool.version_of(go)).collect();
        versions.sort_by(|one, two| tool.compare(one, two));
        Ok(versions)
    }
}

/// True for a failure of the module that stands for all releases, or of one version of it.
fn is_about_toolchain(error: &Error) -> bool {
    error.subject().is_some_and(|found| found.path == TOOLCHAIN)
}

/// The go version that was meant, written in either way.
fn plain(version: &str) -> &str {
    version.strip_prefix("go").unwrap_or(version)
}

/// Asks whether there is such a version: the toolchain for one platform stands for all.
fn stat(
    active: &ActiveQuery<'_>,
    source: &dyn Source,
    tool: Tool,
    version: &str,
) -> Result<Release> {
    let go = plain(version);
    let info = active.stat(source, &format!("v0.0.1-go{go}.linux-amd64"))?;
    Ok(Release {
        version: tool.version_of(go),
        time: info.time,
    })
}

/// The go version of a version of golang.org/toolchain: `1.22.3` of `v0.0.1-go1.22.3.linux-amd64`.
fn release_of(version: &str) -> Option<&str> {
    let (_, release) = version.split_once('-')?;
    let (release, platform) = release.rsplit_once('.')?;
    platform.contains('-').then(|| plain(release))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of `dlToGo` in go1.26.8.
    #[test]
    fn toolchains_name_their_go_version() {
        let rows = [
            ("v0.0.1-go1.22.3.linux-amd64", Some("1.22.3")),
            ("v0.0.1-go1.23rc1.darwin-arm64", Some("1.23rc1")),
            ("v0.0.1-go1.22.linux-amd64", Some("1.22")),
            ("v0.0.1-odd.x-y", Some("odd")),
            ("v0.0.1-go1.22", None),
            ("v0.0.1", None),
        ];
        for (version, want) in rows {
            assert_eq!(release_of(version), want, "{version}");
        }
    }
}
