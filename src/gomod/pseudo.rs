//! Pseudo-versions: `vX.0.0-yyyymmddhhmmss-abcdefabcdef` and the forms with a base version.
//!
//! Source: golang/mod `module/pseudo.go`.

use super::semver::{canonical, is_valid, prerelease};

/// True if `version` has one of the three forms of a pseudo-version.
#[must_use]
pub fn is_pseudo_version(version: &str) -> bool {
    is_valid(version) && timestamp(version).is_some()
}

/// The commit's time in UTC as `yyyymmddhhmmss`, or `None` if `version` is no pseudo-version.
#[must_use]
pub fn pseudo_version_time(version: &str) -> Option<&str> {
    if is_valid(version) {
        timestamp(version)
    } else {
        None
    }
}

/// Finds the fourteen digits. The shapes, after `vX.`:
/// `0.0-TIME-REV`, `Y.Z-0.TIME-REV`, `Y.Z-pre.0.TIME-REV`.
fn timestamp(version: &str) -> Option<&str> {
    let version = version.split('+').next().unwrap_or_default();
    let (stem, revision) = version.rsplit_once('-')?;
    if revision.is_empty() || !revision.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let start = stem.rfind(['-', '.'])? + 1;
    let (before, time) = stem.split_at(start);
    if time.len() != 14 || !time.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let shaped = if let Some(base) = before.strip_suffix('-') {
        base.ends_with(".0.0") && base.matches('.').count() == 2
    } else {
        before.ends_with("-0.") || before.contains('-') && before.ends_with(".0.")
    };
    shaped.then_some(time)
}

/// The parts of a pseudo-version: what stands before the time, the time, the revision, and the
/// build metadata with its plus.
fn parts(version: &str) -> Option<(&str, &str, &str, &str)> {
    let time = pseudo_version_time(version)?;
    let plus = version.find('+').unwrap_or(version.len());
    let (plain, build) = version.split_at(plus);
    let (stem, revision) = plain.rsplit_once('-')?;
    let before = stem.strip_suffix(time)?;
    let before = before.strip_suffix(['-', '.'])?;
    Some((before, time, revision, build))
}

/// The revision that a pseudo-version names.
#[must_use]
pub fn pseudo_version_revision(version: &str) -> Option<&str> {
    parts(version).map(|(_, _, revision, _)| revision)
}

/// The version that a pseudo-version comes after; `None` if it comes after none.
///
/// # Errors
/// Why there can be no such version, in go's words.
pub fn pseudo_version_base(version: &str) -> Result<Option<String>, String> {
    let Some((before, _, _, build)) = parts(version) else {
        return Err("syntax error".to_owned());
    };
    match prerelease(before) {
        "" if build.is_empty() => Ok(None),
        "" => Err(format!(
            "lacks base version, but has build metadata {build:?}"
        )),
        "-0" => {
            let next = before.strip_suffix("-0").unwrap_or(before);
            let (stem, patch) = next.rsplit_once('.').unwrap_or((next, "0"));
            match decremented(patch) {
                Some(patch) => Ok(Some(format!("{stem}.{patch}{build}"))),
                None => Err(format!(
                    "version before {next} would have negative patch number"
                )),
            }
        }
        _ => Ok(Some(format!(
            "{}{build}",
            before.strip_suffix(".0").unwrap_or(before)
        ))),
    }
}

/// The pseudo-version of a commit: `older` is the version before it, empty if there is none, and
/// `major` the major version for that case, empty for `v0`.
#[must_use]
pub fn pseudo_version(major: &str, older: &str, time: &str, revision: &str) -> String {
    let build = older
        .find('+')
        .map_or("", |at| older.get(at..).unwrap_or_default());
    let plain = older.strip_suffix(build).unwrap_or(older);
    let plain = canonical(plain).unwrap_or_default();
    if plain.is_empty() {
        let major = if major.is_empty() { "v0" } else { major };
        return format!("{major}.0.0-{time}-{revision}");
    }
    if !prerelease(&plain).is_empty() {
        return format!("{plain}.0.{time}-{revision}{build}");
    }
    let (stem, patch) = plain.rsplit_once('.').unwrap_or((&plain, "0"));
    format!("{stem}.{}-0.{time}-{revision}{build}", incremented(patch))
}

/// One more, for decimal numbers of any length.
fn incremented(number: &str) -> String {
    let mut digits = number.as_bytes().to_vec();
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return String::from_utf8(digits).unwrap_or_default();
        }
        *digit = b'0';
    }
    format!("1{}", "0".repeat(number.len()))
}

/// One less; `None` for zero.
fn decremented(number: &str) -> Option<String> {
    let mut digits = number.as_bytes().to_vec();
    for digit in digits.iter_mut().rev() {
        if *digit != b'0' {
            *digit -= 1;
            let text = String::from_utf8(digits).ok()?;
            let trimmed = text.trim_start_matches('0');
            return Some(if trimmed.is_empty() { "0" } else { trimmed }.to_owned());
        }
        *digit = b'9';
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognised() {
        let time = "20060102150405";
        for good in [
            format!("v0.0.0-{time}-hash"),
            format!("v4.0.0-{time}-hash"),
            format!("v1.0.1-0.{time}-hash"),
            format!("v1.0.0-pre.0.{time}-hash"),
            format!("v1.0.0-pre-x.y.0.{time}-hash"),
            format!("v1.2.4-0.{time}-hash+incompatible"),
            format!("v1.2.3-pre.0.{time}-hash+metadata"),
        ] {
            assert_eq!(pseudo_version_time(&good), Some(time), "{good}");
        }
        for bad in [
            "v1.0.0".to_owned(),
            format!("v1.2.3-{time}-hash"),
            format!("v1.0.1-1.{time}-hash"),
            format!("v1.0.1-{time}"),
            format!("v1.0.0-pre.{time}-hash"),
            "v0.0.0-2006010215040-hash".to_owned(),
            format!("v0.0-{time}-hash"),
        ] {
            assert!(!is_pseudo_version(&bad), "{bad}");
        }
    }

    /// Source: golang/mod `module/pseudo_test.go`, with its time and revision.
    #[test]
    fn they_are_made_and_taken_apart_as_by_go() {
        let (time, revision) = ("20060102150405", "hash");
        let rows = [
            ("", "", "v0.0.0-20060102150405-hash"),
            ("v0", "", "v0.0.0-20060102150405-hash"),
            ("v4", "", "v4.0.0-20060102150405-hash"),
            ("v1", "v1.2.3", "v1.2.4-0.20060102150405-hash"),
            (
                "v1",
                "v1.2.99999999999999999",
                "v1.2.100000000000000000-0.20060102150405-hash",
            ),
            ("v1", "v1.2.3-pre", "v1.2.3-pre.0.20060102150405-hash"),
            ("v1", "v1.3.0-pre", "v1.3.0-pre.0.20060102150405-hash"),
            (
                "v0",
                "v2.0.0+incompatible",
                "v2.0.1-0.20060102150405-hash+incompatible",
            ),
        ];
        for (major, older, want) in rows {
            let made = pseudo_version(major, older, time, revision);
            assert_eq!(made, want);
            assert_eq!(pseudo_version_revision(&made), Some("hash"));
            let base = pseudo_version_base(&made).unwrap();
            assert_eq!(base.unwrap_or_default(), older, "{made}");
        }
        for (version, want) in [
            (
                "v1.0.0-0.20060102150405-hash",
                "version before v1.0.0 would have negative patch number",
            ),
            (
                "v2.0.0-20060102150405-hash+incompatible",
                "lacks base version, but has build metadata \"+incompatible\"",
            ),
            ("v1.0.0", "syntax error"),
        ] {
            assert_eq!(pseudo_version_base(version).unwrap_err(), want);
        }
    }
}
