//! Version queries: which of a module's versions a word such as `latest`, `v1.2` or `<v2` means.
//!
//! Pure: the caller passes the versions, and what is known of them. The code that asks the sources is in
//! [`crate::fetch`].
//!
//! Source: golang/go `cmd/go/internal/modload/query.go` (`newQueryMatcher`, `filterVersions`).

use std::cmp::Ordering;

use super::{
    ModuleVersion, Tool, canonical, compare, is_pseudo_version, is_valid, major_minor, prerelease,
};
use crate::error::{Error, Kind, Result};

/// A query for a version of one module, of `go` or of `toolchain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// A branch, a tag, a commit, or a whole version: a source knows what it stands for.
    Revision,
    /// One of the versions that a source lists.
    Range(Range),
}

/// Which of the listed versions are meant, and which of those is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    syntax: Syntax,
    query: String,
    /// The version in use; empty if there is none.
    current: String,
    prefix: String,
    bound: Option<Bound>,
    lowest: bool,
    may_use_latest: bool,
    prefer_incompatible: bool,
}

/// How versions are written and compared: `None` for those of modules.
type Syntax = Option<Tool>;

/// A limit for versions: how they must compare with one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    syntax: Syntax,
    allows: &'static [Ordering],
    version: String,
}

const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];
const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];

impl Query {
    /// Reads what stands after the `@`. `current` is the version in use, empty if there is none:
    /// `upgrade` and `patch` start from it.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words, which name the query but not the module.
    pub fn parse(path: &str, query: &str, current: &str) -> Result<Query> {
        let syntax = Tool::of(path);
        let mut range = Range {
            syntax,
            query: query.to_owned(),
            current: current.to_owned(),
            prefix: String::new(),
            bound: None,
            lowest: false,
            may_use_latest: false,
            prefer_incompatible: current.ends_with("+incompatible"),
        };
        let bound = |allows, version| Some(Bound::new(syntax, allows, version));
        match query {
            "latest" => range.may_use_latest = true,
            "upgrade" if current.is_empty() => range.may_use_latest = true,
            "patch" if current.is_empty() => {
                let text = format!(
                    "can't query version \"patch\" of module {path}: no existing version is \
                     required"
                );
                return Err(Error::new(Kind::Input, text));
            }
            "upgrade" | "patch" => {
                range.may_use_latest = is_pseudo_version(current);
                if query == "patch" {
                    let major_minor = match syntax {
                        Some(tool) => tool.major_minor(current),
                        None => major_minor(current),
                    };
                    range.prefix = major_minor + ".";
                }
                range.bound = bound(AT_LEAST, current);
            }
            _ => {
                if let Some((operator, version)) = split_operator(query) {
                    range.compared(operator, version)?;
                    range.prefer_incompatible |= !fits_major(path, version);
                } else if is_version(syntax, query) && is_prefix(syntax, query) {
                    range.prefix = format!("{query}.");
                    // `v1.2` does not mean a pre-release of v1.2.0.
                    range.bound = bound(AT_LEAST, query);
                    range.prefer_incompatible |= !fits_major(path, query);
                } else {
                    return Ok(Query::Revision);
                }
            }
        }
        Ok(Query::Range(range))
    }
}

impl Range {
    fn compared(&mut self, operator: &str, version: &str) -> Result<()> {
        let query = &self.query;
        if !is_version(self.syntax, version) {
            let text = format!("invalid semantic version {version:?} in range {query:?}");
            return Err(Error::new(Kind::Input, text));
        }
        // Whether <=v1.2 takes in v1.2.3 would be anybody's guess.
        if matches!(operator, "<=" | ">") && is_prefix(self.syntax, version) {
            let text = format!("ambiguous semantic version {version:?} in range {query:?}");
            return Err(Error::new(Kind::Input, text));
        }
        let allows: &'static [Ordering] = match operator {
            "<" => &[Ordering::Less],
            "<=" => AT_MOST,
            ">" => &[Ordering::Greater],
            _ => AT_LEAST,
        };
        self.lowest = operator.starts_with('>');
        self.bound = Some(Bound::new(self.syntax, allows, version));
        Ok(())
    }

    /// What the versions must begin with, as `v1.`; empty for any.
    #[must_use]
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// True if the query's own words allow a version.
    #[must_use]
    pub fn allows(&self, version: &str) -> bool {
        // In the versions of tools, `1.22` means itself as well.
        let itself = || self.syntax.is_some() && self.prefix.strip_suffix('.') == Some(version);
        (version.starts_with(&self.prefix) || itself())
            && self
                .bound
                .as_ref()
                .is_none_or(|bound| bound.allows(version))
    }

    /// Picks among the versions of a list, which are in semver order. `allowed` says of what the
    /// query's words allow whether it is neither excluded nor retracted; `has_go_mod` whether a
    /// version was made for modules, in which case `+incompatible` ones after it do not count.
    ///
    /// # Errors
    /// Those of `has_go_mod`.
    pub fn pick<'v>(
        &self,
        versions: &'v [String],
        mut allowed: impl FnMut(&str) -> bool,
        mut has_go_mod: impl FnMut(&str) -> Result<bool>,
    ) -> Result<Option<&'v str>> {
        let mut any_incompatible = self.prefer_incompatible;
        let mut last_compatible = None;
        let (mut releases, mut prereleases) = (Vec::new(), Vec::new());
        for version in versions {
            if !self.allows(version) || !allowed(version) {
                continue;
            }
            if !any_incompatible {
                if !version.ends_with("+incompatible") {
                    last_compatible = Some(version.as_str());
                } else if let Some(last) = last_compatible {
                    if has_go_mod(last)? {
                        break;
                    }
                    any_incompatible = true;
                }
            }
            let early = match self.syntax {
                Some(tool) => tool.is_prerelease(version),
                None => !prerelease(version).is_empty(),
            };
            let list = if early {
                &mut prereleases
            } else {
                &mut releases
            };
            list.push(version.as_str());
        }
        let best = |list: &[&'v str]| {
            let best = if self.lowest {
                list.first()
            } else {
                list.last()
            };
            best.copied()
        };
        Ok(best(&releases).or_else(|| best(&prereleases)))
    }

    /// True if what the source calls its latest may be taken where the list has nothing.
    #[must_use]
    pub fn may_use_latest(&self) -> bool {
        self.may_use_latest
    }

    /// The version in use, which `upgrade` and `patch` may keep.
    #[must_use]
    pub fn stays_at(&self) -> Option<&str> {
        let moves = matches!(&*self.query, "upgrade" | "patch");
        (moves && !self.current.is_empty()).then_some(&self.current)
    }

    /// What is said if nothing fits.
    #[must_use]
    pub fn unmatched(&self) -> Error {
        let mut text = format!("no matching versions for query {:?}", self.query);
        if let Some(current) = self.stays_at() {
            text = format!("{text} (current version is {current})");
        }
        Error::new(Kind::NotFound, text)
    }
}

impl Bound {
    fn new(syntax: Syntax, allows: &'static [Ordering], version: &str) -> Bound {
        let version = version.to_owned();
        Bound {
            syntax,
            allows,
            version,
        }
    }

    fn allows(&self, version: &str) -> bool {
        let order = match self.syntax {
            Some(tool) => tool.compare(version, &self.version),
            None => compare(version, &self.version),
        };
        self.allows.contains(&order)
    }
}

fn is_version(syntax: Syntax, text: &str) -> bool {
    syntax.map_or_else(|| is_valid(text), |tool| tool.is_valid(text))
}

/// True if the whole of a version was not written: `v1`, `v1.2`.
fn is_prefix(syntax: Syntax, version: &str) -> bool {
    match syntax {
        Some(tool) => tool.is_prefix(version),
        None => !version.contains(['-', '+']) && version.matches('.').count() < 2,
    }
}

fn split_operator(query: &str) -> Option<(&str, &str)> {
    ["<=", ">=", "<", ">"]
        .into_iter()
        .find_map(|operator| Some((operator, query.strip_prefix(operator)?)))
}

/// True if a version has the major version that the module path asks for.
fn fits_major(path: &str, version: &str) -> bool {
    canonical(version).is_some_and(|version| ModuleVersion::parse(path, &version).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(path: &str, query: &str, current: &str) -> Range {
        match Query::parse(path, query, current) {
            Ok(Query::Range(range)) => range,
            other => panic!("{query}: {other:?}"),
        }
    }

    /// Beside go on a list like this one: `tests/it/query.rs`.
    #[test]
    fn the_versions_that_go_picks() {
        let list = "v0.0.0 v0.0.1 v0.0.2 v0.0.3 v0.1.0 v0.1.1 v0.1.2 v0.3.0 v1.0.0-pre1 v1.0.0 \
                    v1.1.0 v1.1.1-pre v1.9.0 v1.9.9 v1.9.10-pre1 v1.9.10-pre2 v2.0.0+incompatible";
        let versions: Vec<String> = list.split(' ').map(str::to_owned).collect();
        let rows = [
            ("latest", "", "v1.9.9"),
            ("upgrade", "", "v1.9.9"),
            ("upgrade", "v1.9.10-pre1", "v1.9.10-pre2"),
            ("upgrade", "v2.0.0+incompatible", "v2.0.0+incompatible"),
            ("patch", "v0.1.0", "v0.1.2"),
            ("patch", "v1.9.0", "v1.9.9"),
            ("patch", "v1.9.10-pre1", "v1.9.10-pre2"),
            ("v0", "", "v0.3.0"),
            ("v0.1", "", "v0.1.2"),
            ("v0.2", "", ""),
            ("v1", "", "v1.9.9"),
            ("v1.1", "", "v1.1.0"),
            ("v1.9", "", "v1.9.9"),
            ("v2", "", "v2.0.0+incompatible"),
            ("v3", "", ""),
            (">v1.0.0", "", "v1.1.0"),
            (">=v1.0.0", "", "v1.0.0"),
            (">v1.9.9", "", "v1.9.10-pre1"),
            (">=v1.9.10-pre2", "", "v1.9.10-pre2"),
            (">v1.10.0", "", "v2.0.0+incompatible"),
            ("<v1.0.0", "", "v0.3.0"),
            ("<=v1.0.0", "", "v1.0.0"),
            ("<v1.0.0-pre2", "", "v0.3.0"),
            ("<v0.0.0", "", ""),
            ("<v1.1", "", "v1.0.0"),
            (">=v1.1", "", "v1.1.0"),
        ];
        for (query, current, want) in rows {
            let range = range("a.com/m", query, current);
            let picked = range.pick(&versions, |_| true, |_| Ok(true)).unwrap();
            assert_eq!(picked.unwrap_or_default(), want, "{query} from {current:?}");
        }
        // Without a go.mod in the compatible ones, what is incompatible counts.
        let latest = range("a.com/m", "latest", "");
        let picked = latest.pick(&versions, |_| true, |_| Ok(false)).unwrap();
        assert_eq!(picked, Some("v2.0.0+incompatible"));
        let picked = latest.pick(&versions, |v| v < "v1.9", |_| Ok(true));
        assert_eq!(picked.unwrap(), Some("v1.1.0"));
    }

    #[test]
    fn what_is_asked_of_the_source_and_what_is_refused() {
        for query in [
            "master",
            "v1.2.3",
            "v1.2.3-pre",
            "v1.2.3+meta",
            "0123abcd",
            "none",
        ] {
            assert_eq!(
                Query::parse("a.com/m", query, "").unwrap(),
                Query::Revision,
                "{query}"
            );
        }
        let rows = [
            ("<x", "invalid semantic version \"x\" in range \"<x\""),
            (
                "<=v1.2",
                "ambiguous semantic version \"v1.2\" in range \"<=v1.2\"",
            ),
            (">v1", "ambiguous semantic version \"v1\" in range \">v1\""),
            (
                "patch",
                "can't query version \"patch\" of module a.com/m: no existing version is required",
            ),
        ];
        for (query, want) in rows {
            assert_eq!(
                Query::parse("a.com/m", query, "").unwrap_err().chain(),
                want
            );
        }
        let unmatched = |query, current| range("a.com/m", query, current).unmatched().chain();
        assert_eq!(unmatched("v9", ""), "no matching versions for query \"v9\"");
        assert_eq!(
            unmatched("upgrade", "v1.0.0"),
            "no matching versions for query \"upgrade\" (current version is v1.0.0)"
        );
    }

    #[test]
    fn only_some_queries_may_fall_back() {
        let pseudo = "v0.0.0-20200101000000-0123456789ab";
        let rows = [
            ("latest", "", true),
            ("upgrade", "", true),
            ("upgrade", "v1.0.0", false),
            ("upgrade", pseudo, true),
            ("patch", pseudo, true),
            ("v1", "", false),
            (">=v0.0.0", "", false),
        ];
        for (query, current, want) in rows {
            assert_eq!(
                range("a.com/m", query, current).may_use_latest(),
                want,
                "{query}"
            );
        }
        assert_eq!(range("a.com/m", "upgrade", pseudo).stays_at(), Some(pseudo));
        assert_eq!(range("a.com/m", "latest", pseudo).stays_at(), None);
    }
}
