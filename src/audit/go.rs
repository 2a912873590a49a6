//! Go itself, which is no module: its standard library and its commands have records of their own.
//!
//! In OSV records they are called `stdlib` and `toolchain`, and go versions are written as semantic ones: `1.21.0-rc.2` is `go1.21rc2`.
//!
//! Source: go.dev/doc/security/vuln/database; golang/vuln `internal/semver`, `GoTagToSemver`.

use super::database::VulnDatabase;
use super::finding::{AuditFinding, FindingKind};
use crate::gomod::GoVersion;

/// What the records call the standard library and the commands.
const PARTS: [&str; 2] = ["stdlib", "toolchain"];

/// What the records say of a go release. A version of the language (`1.21`) counts as its first release.
#[must_use]
pub fn findings_of_go(database: &VulnDatabase, go: &GoVersion) -> Vec<AuditFinding> {
    let Some(version) = semantic(go.as_str()) else {
        return Vec::new();
    };
    let parts = PARTS.iter().map(|part| {
        let records = database.affecting(part, &version);
        records.map(|(record, fixed)| AuditFinding {
            kind: FindingKind::Vulnerable,
            id: record.id.clone(),
            aliases: record.aliases.clone(),
            path: (*part).to_owned(),
            version: format!("go{go}", go = go.as_str()),
            summary: record.summary.clone(),
            fixed: fixed.map(release_name),
            url: record.url.clone(),
            accepted: None,
        })
    });
    parts.flatten().collect()
}

/// `1.21rc2` as `v1.21.0-rc.2`.
fn semantic(go: &str) -> Option<String> {
    let end = go.find(|c: char| c.is_ascii_alphabetic());
    let (numbers, pre) = go.split_at(end.unwrap_or(go.len()));
    let mut numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.len() > 3 || numbers.iter().any(|number| number.is_empty()) {
        return None;
    }
    numbers.resize(3, "0");
    let mut text = format!("v{}", numbers.join("."));
    if !pre.is_empty() {
        let (word, number) = pre.split_at(pre.find(|c: char| c.is_ascii_digit())?);
        text.push_str(&format!("-{word}.{number}"));
    }
    Some(text)
}

/// `v1.21.0-rc.2` as `go1.21rc2`.
fn release_name(version: &str) -> String {
    let version = version.trim_start_matches('v');
    match version.split_once('-') {
        Some((numbers, pre)) => {
            let numbers = numbers.strip_suffix(".0").unwrap_or(numbers);
            format!("go{numbers}{}", pre.replace('.', ""))
        }
        None => format!("go{version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_written_as_the_database_has_them() {
        // The versions of GO-2023-2041 and its like, and golang/vuln's table.
        for (go, want) in [
            ("1", Some("v1.0.0")),
            ("1.21", Some("v1.21.0")),
            ("1.21.3", Some("v1.21.3")),
            ("1.21rc2", Some("v1.21.0-rc.2")),
            ("1.9beta1", Some("v1.9.0-beta.1")),
            ("1.2.3.4", None),
        ] {
            assert_eq!(semantic(go).as_deref(), want, "{go}");
        }
        for (version, want) in [
            ("v1.21.3", "go1.21.3"),
            ("v1.21.0-rc.2", "go1.21rc2"),
            ("v1.22.0", "go1.22.0"),
        ] {
            assert_eq!(release_name(version), want);
        }
    }
}
