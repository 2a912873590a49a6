//! Pseudo-versions: `vX.0.0-yyyymmddhhmmss-abcdefabcdef` and the forms with a base version.
//!
//! Source: golang/mod `module/pseudo.go`.

use super::semver::is_valid;

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
}
