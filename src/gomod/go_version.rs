//! Go language and release versions, as the `go` line of a go.mod has them: `1.17`, `1.21rc1`.
//!
//! Source: golang/go `internal/gover`.

use super::compat;
use std::cmp::Ordering;
use std::fmt;

use super::semver::{compare_numbers, cut_number};

/// A Go version. Ordered as Go orders them: `1.21` < `1.21rc1` < `1.21.0`, `1.20rc1` < `1.20`.
#[derive(Clone, Debug)]
pub struct GoVersion(Box<str>);

/// The pieces of a Go version, compared one after another; empty where there is none.
#[derive(Clone, Copy, Debug, Default)]
struct GoVersionParts<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    kind: &'a str,
    pre: &'a str,
}

impl<'a> GoVersionParts<'a> {
    fn parse(text: &'a str) -> Option<GoVersionParts<'a>> {
        let (major, rest) = cut_number(text)?;
        let mut parts = GoVersionParts {
            major,
            ..GoVersionParts::default()
        };
        if rest.is_empty() {
            (parts.minor, parts.patch) = ("0", "0");
            return Some(parts);
        }
        let (minor, rest) = cut_number(rest.strip_prefix('.')?)?;
        parts.minor = minor;
        if rest.is_empty() {
            // Before 1.21 the first release had no patch number; since then 1.N is the
            // language version and 1.N.0 the release.
            if compare_numbers(minor, "21") == Ordering::Less {
                parts.patch = "0";
            }
            return Some(parts);
        }
        if let Some(rest) = rest.strip_prefix('.') {
            let (patch, rest) = cut_number(rest)?;
            parts.patch = patch;
            return rest.is_empty().then_some(parts);
        }
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (kind, rest) = rest.split_at(end);
        if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        parts.kind = kind;
        if rest.is_empty() {
            return Some(parts);
        }
        let (pre, rest) = cut_number(rest)?;
        parts.pre = pre;
        rest.is_empty().then_some(parts)
    }

    fn compare(&self, other: &GoVersionParts<'_>) -> Ordering {
        compare_numbers(self.major, other.major)
            .then_with(|| compare_numbers(self.minor, other.minor))
            .then_with(|| compare_numbers(self.patch, other.patch))
            .then_with(|| self.kind.cmp(other.kind))
            .then_with(|| compare_numbers(self.pre, other.pre))
    }
}

impl GoVersion {
    /// The newest go version whose module rules are known.
    pub const NEWEST_KNOWN: &'static str = compat::NEWEST_KNOWN;

    /// The go version that a run acts as unless something says otherwise: the one that this
    /// program was compared with.
    pub const EMULATED: &'static str = compat::REFERENCE;

    /// That version.
    #[must_use]
    pub fn emulated() -> GoVersion {
        GoVersion(GoVersion::EMULATED.into())
    }

    /// The go version in the name of a toolchain: `go1.22.3`, `go1.22.3-custom`.
    #[must_use]
    pub fn of_toolchain(name: &str) -> Option<GoVersion> {
        let plain = !name.contains(['/', '\\']);
        let rest = name.strip_prefix("go").filter(|_| plain)?;
        GoVersion::parse(rest.split([' ', '\t', '-']).next().unwrap_or_default())
    }

    /// True if the rules of this version may be others than those that are known.
    #[must_use]
    pub fn is_newer_than_known(&self) -> bool {
        GoVersion::parse(GoVersion::NEWEST_KNOWN).is_some_and(|known| self.language() > known)
    }

    /// Parses `1`, `1.N`, `1.N.P` or `1.NrcP`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<GoVersion> {
        GoVersionParts::parse(text).map(|_| GoVersion(text.into()))
    }

    /// The version as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language version: `1.21` of `1.21.3` and `1.21rc1`.
    #[must_use]
    pub fn language(&self) -> GoVersion {
        let GoVersionParts { major, minor, .. } = self.parts();
        GoVersion(format!("{major}.{minor}").into())
    }

    /// True if this is a version of the language, not of a release: `1.21`, but not `1.20`, which was
    /// both.
    #[must_use]
    pub fn is_language(&self) -> bool {
        let parts = self.parts();
        parts.patch.is_empty() && parts.kind.is_empty() && parts.pre.is_empty()
    }

    /// True before the release: `1.21rc1`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.parts().kind.is_empty()
    }

    /// True if this is `major.minor` or later.
    #[must_use]
    pub fn at_least(&self, other: &str) -> bool {
        GoVersionParts::parse(other)
            .is_some_and(|other| self.parts().compare(&other) != Ordering::Less)
    }

    /// A graph has one for every module: reading them again is cheaper than keeping them.
    fn parts(&self) -> GoVersionParts<'_> {
        // The text was parsed once.
        GoVersionParts::parse(&self.0).unwrap_or_default()
    }
}

impl Ord for GoVersion {
    fn cmp(&self, other: &GoVersion) -> Ordering {
        self.parts().compare(&other.parts())
    }
}

impl PartialOrd for GoVersion {
    fn partial_cmp(&self, other: &GoVersion) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for GoVersion {
    fn eq(&self, other: &GoVersion) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for GoVersion {}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_go_orders_them() {
        let ascending = [
            "1.5",
            "1.10",
            "1.16",
            "1.17beta1",
            "1.17rc1",
            "1.17",
            "1.17.1",
            "1.20rc2",
            "1.20",
            "1.21",
            "1.21rc1",
            "1.21.0",
            "1.21.3",
            "1.26.6",
            "2",
        ];
        // Below 1.21 a pre-release precedes 1.N because 1.N means 1.N.0.
        for pair in ascending.windows(2) {
            let parse = |text| GoVersion::parse(text).unwrap();
            assert!(parse(pair[0]) < parse(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in [
            "", "go1.2", "1.", "1.01", "1.2.", "1.2.3.4", "1.2-x", "1.21rc", "1.21RC1",
        ] {
            if bad == "1.21rc" {
                assert!(
                    GoVersion::parse(bad).is_some(),
                    "go accepts a kind without a number"
                );
            } else {
                assert!(GoVersion::parse(bad).is_none(), "{bad}");
            }
        }
    }
}
