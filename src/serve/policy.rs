//! What is handed out at all, and what may be asked upstream. Pure.

use std::time::{Duration, SystemTime};

use crate::gomod::{ModulePath, PrefixPatterns};

/// Patterns of modules, and of single versions.
///
/// A pattern is one of GOPRIVATE's: a glob for the first elements of a module path. With
/// `@VERSION` behind it, it is about that version alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulePatterns {
    paths: PrefixPatterns,
    versions: Vec<(PrefixPatterns, String)>,
}

impl ModulePatterns {
    /// Reads lists of patterns, each separated by commas.
    #[must_use]
    pub fn parse<'l>(lists: impl IntoIterator<Item = &'l str>) -> ModulePatterns {
        let all: Vec<&str> = lists
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .collect();
        let paths: Vec<&str> = all
            .iter()
            .copied()
            .filter(|one| !one.contains('@'))
            .collect();
        let versions = all.iter().filter_map(|one| one.split_once('@'));
        ModulePatterns {
            paths: PrefixPatterns::parse(&paths.join(",")),
            versions: versions
                .map(|(path, version)| (PrefixPatterns::parse(path), version.to_owned()))
                .collect(),
        }
    }

    /// True if there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.versions.is_empty()
    }

    /// True if a pattern matches the module, whatever the version.
    #[must_use]
    pub fn match_path(&self, path: &ModulePath) -> bool {
        self.paths.matches(path.as_str())
    }

    /// True if a pattern matches the module, or this version of it.
    #[must_use]
    pub fn match_version(&self, path: &ModulePath, version: &str) -> bool {
        let named = |(patterns, one): &(PrefixPatterns, String)| {
            one == version && patterns.matches(path.as_str())
        };
        self.match_path(path) || self.versions.iter().any(named)
    }

    /// True if a pattern is about a version of the module.
    fn match_some_version(&self, path: &ModulePath) -> bool {
        let named = |(patterns, _): &(PrefixPatterns, String)| patterns.matches(path.as_str());
        self.versions.iter().any(named)
    }
}

/// The rules of a site.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Only these are handed out; empty for all.
    pub allow: ModulePatterns,
    /// These are not handed out, allowed or not.
    pub deny: ModulePatterns,
    /// These are neither asked upstream nor looked up in the checksum database.
    pub private: ModulePatterns,
    /// How long a version must have been known before it is handed out.
    pub min_age: Option<Duration>,
    /// These are handed out whatever their age.
    pub min_age_exempt: ModulePatterns,
}

impl Policy {
    /// Why a module is not handed out; `None` if it is. `version` is empty for a question about
    /// the module.
    #[must_use]
    pub fn refusal(&self, path: &ModulePath, version: &str) -> Option<String> {
        let subject = match version {
            "" => path.to_string(),
            version => format!("{path}@{version}"),
        };
        if self.deny.match_version(path, version) {
            return Some(format!(
                "{subject}: denied by the policy of this proxy (--deny)"
            ));
        }
        let allowed = self.allow.is_empty()
            || self.allow.match_version(path, version)
            || version.is_empty() && self.allow.match_some_version(path);
        (!allowed).then(|| format!("{subject}: not allowed by the policy of this proxy (--allow)"))
    }

    /// True if `version` may appear in a list.
    #[must_use]
    pub fn shows(&self, path: &ModulePath, version: &str) -> bool {
        self.refusal(path, version).is_none()
    }

    /// Why a version that has been known since `known` is too young at `now`; `None` if it is
    /// old enough. A version of which nothing is known is too young.
    #[must_use]
    pub fn too_young(
        &self,
        path: &ModulePath,
        version: &str,
        known: Option<SystemTime>,
        now: SystemTime,
    ) -> Option<String> {
        let min_age = self.min_age?;
        if self.min_age_exempt.match_version(path, version) {
            return None;
        }
        let age = known.and_then(|known| now.duration_since(known).ok());
        if age.is_some_and(|age| age >= min_age) {
            return None;
        }
        let seen = match age {
            Some(age) => format!("first known {} ago", show_age(age)),
            None => "not known until now".to_owned(),
        };
        let wanted = show_age(min_age);
        Some(format!(
            "{path}@{version}: {seen}, and this proxy wants {wanted} (--min-age)"
        ))
    }
}

/// `3 days`, `5 hours`, `20 minutes`.
fn show_age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ModulePath {
        ModulePath::parse(text).unwrap()
    }

    #[test]
    fn deny_wins_over_allow_and_a_version_may_be_named() {
        let policy = Policy {
            allow: ModulePatterns::parse(["example.com,golang.org/x/*", "one.com/m@v1.0.0"]),
            deny: ModulePatterns::parse(["example.com/bad, example.com/m@v1.1.0"]),
            ..Policy::default()
        };
        let table = [
            ("example.com/m", "v1.0.0", true),
            ("example.com/m", "v1.1.0", false),
            ("example.com/m", "", true),
            ("example.com/bad/sub", "v1.0.0", false),
            ("example.com/bad", "", false),
            ("golang.org/x/text", "", true),
            ("golang.org/y", "", false),
            ("one.com/m", "v1.0.0", true),
            ("one.com/m", "", true),
            ("one.com/m", "v1.0.1", false),
            ("other.com", "v1.0.0", false),
        ];
        for (module, version, shown) in table {
            assert_eq!(
                policy.shows(&path(module), version),
                shown,
                "{module}@{version}"
            );
        }
        assert!(Policy::default().shows(&path("any.com/m"), "v1.0.0"));
    }

    #[test]
    fn what_is_not_known_is_too_young() {
        let day = Duration::from_secs(86_400);
        let policy = Policy {
            min_age: Some(day * 7),
            min_age_exempt: ModulePatterns::parse(["own.com"]),
            ..Policy::default()
        };
        let now = SystemTime::UNIX_EPOCH + day * 10_000;
        let young = |module, known| policy.too_young(&path(module), "v1.0.0", known, now);
        assert_eq!(young("a.com", Some(now - day * 7)), None);
        assert_eq!(
            young("a.com", Some(now - day * 3)).unwrap(),
            "a.com@v1.0.0: first known 3 days ago, and this proxy wants 7 days (--min-age)"
        );
        assert!(
            young("a.com", None)
                .unwrap()
                .contains("not known until now")
        );
        // A clock that went back proves no age.
        assert!(young("a.com", Some(now + day)).is_some());
        assert_eq!(young("own.com/m", None), None);
    }
}
