//! Semantic versions as Go uses them: a leading `v`, canonical form, `+incompatible`.
//!
//! Source: golang/mod `semver` and `module.CanonicalVersion`. Numbers have no upper bound, so
//! they are compared as decimal strings.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::path::{check_version, escape_shared};
use super::pseudo::is_pseudo_version;
use crate::error::{Error, Kind, Result};

/// The pieces of a valid version; `v1` and `v1.2` are valid too and mean `v1.0.0`, `v1.2.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SemverParts<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    /// How many of the three numbers were written.
    written: usize,
    /// With its dash, or empty.
    prerelease: &'a str,
    /// With its plus, or empty.
    build: &'a str,
}

fn parse(version: &str) -> Option<SemverParts<'_>> {
    let rest = version.strip_prefix('v')?;
    let (major, rest) = cut_number(rest)?;
    let mut parts = SemverParts {
        major,
        minor: "0",
        patch: "0",
        written: 1,
        prerelease: "",
        build: "",
    };
    if rest.is_empty() {
        return Some(parts);
    }
    let (minor, rest) = cut_number(rest.strip_prefix('.')?)?;
    (parts.minor, parts.written) = (minor, 2);
    if rest.is_empty() {
        return Some(parts);
    }
    let (patch, mut rest) = cut_number(rest.strip_prefix('.')?)?;
    (parts.patch, parts.written) = (patch, 3);
    if rest.starts_with('-') {
        let end = rest.find('+').unwrap_or(rest.len());
        if !identifiers_ok(&rest[1..end], true) {
            return None;
        }
        (parts.prerelease, rest) = rest.split_at(end);
    }
    if rest.starts_with('+') {
        if !identifiers_ok(&rest[1..], false) {
            return None;
        }
        (parts.build, rest) = (rest, "");
    }
    rest.is_empty().then_some(parts)
}

/// Cuts a decimal number without superfluous leading zero.
pub(super) fn cut_number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let ok = !number.is_empty() && (number == "0" || !number.starts_with('0'));
    ok.then_some((number, rest))
}

fn identifiers_ok(text: &str, numbers_strict: bool) -> bool {
    // By bytes: to look for a character in so short a text costs more than to read it.
    text.as_bytes().split(|&b| b == b'.').all(|id| {
        !id.is_empty()
            && id.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-')
            && !(numbers_strict && matches!(id, [b'0', _, ..]) && id.iter().all(u8::is_ascii_digit))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Compares decimal numbers of any length; none is lower than every number.
pub(super) fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    // A release is higher than its pre-releases.
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (a[1..].split('.'), b[1..].split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => match (is_number(x), is_number(y)) {
                (true, true) => compare_numbers(x, y),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => x.cmp(y),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// True if `version` is a semantic version with a leading `v` (`v1` and `v1.2` included).
#[must_use]
pub fn is_valid(version: &str) -> bool {
    parse(version).is_some()
}

/// The major version with its `v`, or empty if `version` is not valid.
#[must_use]
pub fn major(version: &str) -> &str {
    parse(version).map_or("", |parts| &version[..1 + parts.major.len()])
}

/// The major and minor version with their `v`, as `v1.2`; empty if `version` is not valid.
#[must_use]
pub fn major_minor(version: &str) -> String {
    parse(version).map_or_else(String::new, |parts| {
        format!("v{}.{}", parts.major, parts.minor)
    })
}

/// The pre-release with its dash; empty if there is none or `version` is not valid.
#[must_use]
pub fn prerelease(version: &str) -> &str {
    parse(version).map_or("", |parts| parts.prerelease)
}

/// Orders by precedence; an invalid version is lower than every valid one; build metadata does
/// not count.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(x), Some(y)) => compare_numbers(x.major, y.major)
            .then_with(|| compare_numbers(x.minor, y.minor))
            .then_with(|| compare_numbers(x.patch, y.patch))
            .then_with(|| compare_prereleases(x.prerelease, y.prerelease)),
    }
}

/// The canonical form: three numbers, pre-release, and no build metadata but `+incompatible`.
/// `None` if `version` is not valid.
///
/// Source: golang/mod `module.CanonicalVersion`.
#[must_use]
pub fn canonical(version: &str) -> Option<String> {
    let parts = parse(version)?;
    let build = if parts.build == "+incompatible" {
        parts.build
    } else {
        ""
    };
    Some(format!(
        "v{}.{}.{}{}{build}",
        parts.major, parts.minor, parts.patch, parts.prerelease
    ))
}

/// A canonical version: `v1.2.3`, `v1.2.3-pre`, `v2.0.0+incompatible`, a pseudo-version.
///
/// Ordered by semantic-version precedence, ties by text (as `v2.0.0` and `v2.0.0+incompatible`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Arc<str>);

impl Version {
    /// Accepts a canonical version only.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub fn parse(version: &str) -> Result<Version> {
        // Every requirement of the graph comes by here: what is canonical is not written anew.
        let is_canonical = |parts: SemverParts<'_>| {
            parts.written == 3 && matches!(parts.build, "" | "+incompatible")
        };
        if parse(version).is_some_and(is_canonical) {
            return Ok(Version(version.into()));
        }
        let wanted = canonical(version).unwrap_or_else(|| "v1.2.3".to_owned());
        Err(Error::new(
            Kind::Input,
            format!("version {version:?} invalid: must be of the form {wanted}"),
        ))
    }

    /// The version, with its `v`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that joins into URLs and cache paths.
    pub(super) fn escape(&self) -> Result<Arc<str>> {
        check_version(&self.0)?;
        Ok(escape_shared(&self.0))
    }

    /// The major version with its `v`: `v0`, `v1`, `v12`.
    #[must_use]
    pub fn major(&self) -> &str {
        let end = self.0.bytes().position(|b| b == b'.');
        // A canonical version has two dots.
        end.and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }

    /// True for `vX.Y.Z+incompatible`.
    #[must_use]
    pub fn is_incompatible(&self) -> bool {
        self.0.ends_with("+incompatible")
    }

    /// True for a pseudo-version: a commit's date and hash in place of a tag.
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        is_pseudo_version(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        compare(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From golang/mod's `semver_test.go`: input and canonical form, in ascending order; an
    /// invalid version has none.
    const ASCENDING: &[(&str, Option<&str>)] = &[
        ("bad", None),
        ("v1-alpha.beta.gamma", None),
        ("v1-pre", None),
        ("v1+meta", None),
        ("v1.2-pre", None),
        ("v1.2+meta", None),
        ("v1.0.0-alpha", Some("v1.0.0-alpha")),
        ("v1.0.0-alpha.1", Some("v1.0.0-alpha.1")),
        ("v1.0.0-alpha.beta", Some("v1.0.0-alpha.beta")),
        ("v1.0.0-beta", Some("v1.0.0-beta")),
        ("v1.0.0-beta.2", Some("v1.0.0-beta.2")),
        ("v1.0.0-beta.11", Some("v1.0.0-beta.11")),
        ("v1.0.0-rc.1", Some("v1.0.0-rc.1")),
        ("v1", Some("v1.0.0")),
        ("v1.0", Some("v1.0.0")),
        ("v1.0.0", Some("v1.0.0")),
        ("v1.2", Some("v1.2.0")),
        ("v1.2.0", Some("v1.2.0")),
        ("v1.2.3-456", Some("v1.2.3-456")),
        ("v1.2.3-456.789", Some("v1.2.3-456.789")),
        ("v1.2.3-456-789", Some("v1.2.3-456-789")),
        ("v1.2.3-456a", Some("v1.2.3-456a")),
        ("v1.2.3-pre", Some("v1.2.3-pre")),
        ("v1.2.3-pre+meta", Some("v1.2.3-pre")),
        ("v1.2.3-pre.1", Some("v1.2.3-pre.1")),
        ("v1.2.3-zzz", Some("v1.2.3-zzz")),
        ("v1.2.3", Some("v1.2.3")),
        ("v1.2.3+meta", Some("v1.2.3")),
        ("v1.2.3+meta-pre.sha.256a", Some("v1.2.3")),
        ("v1.2.3+incompatible", Some("v1.2.3+incompatible")),
    ];

    #[test]
    fn order_and_canonical_form_are_those_of_golang_mod() {
        for (i, (a, canonical_a)) in ASCENDING.iter().enumerate() {
            assert_eq!(canonical(a).as_deref(), *canonical_a, "{a}");
            for (b, canonical_b) in &ASCENDING[i..] {
                let strip =
                    |v: &Option<&str>| v.map(|v| v.trim_end_matches("+incompatible").to_owned());
                let want = if strip(canonical_a) == strip(canonical_b) {
                    Ordering::Equal
                } else {
                    Ordering::Less
                };
                assert_eq!(compare(a, b), want, "{a} with {b}");
                assert_eq!(compare(b, a), want.reverse(), "{b} with {a}");
            }
        }
    }

    #[test]
    fn malformed_versions_are_refused() {
        for bad in [
            "",
            "1.2.3",
            "v",
            "v01.2.3",
            "v1.02.3",
            "v1.2.3-01",
            "v1.2.3-",
            "v1.2.3-a..b",
            "v1.2.3.4",
            "v1.2.3+",
            "v1.2.3-\u{e4}",
            "v1.2.",
            "v1.x",
        ] {
            assert!(!is_valid(bad), "{bad}");
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Version::parse("v1.2").unwrap_err().chain(),
            "version \"v1.2\" invalid: must be of the form v1.2.0"
        );
    }
}
