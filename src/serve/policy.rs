//! What is handed out at all, and what may be asked upstream. Pure.

use std::time::{Duration, SystemTime};

use crate::gomod::ModulePath;
pub use crate::gomod::ModulePatterns;
use crate::trust::{describe_youth, show_age};

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
        let seen = describe_youth(known, now, min_age)?;
        let wanted = show_age(min_age);
        Some(format!(
            "{path}@{version}: {seen}, and this proxy wants {wanted} (--min-age)"
        ))
    }
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
