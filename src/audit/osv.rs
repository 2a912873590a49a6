//! One record of a vulnerability in the OSV form.
//!
//! Units: versions of Go modules stand without the leading `v`; `introduced: "0"` is before every version. A record that was withdrawn counts for nothing.
//!
//! Source: the OSV schema 1.6, and go.dev/doc/security/vuln/database.

use std::cmp::Ordering;

use crate::gojson;
use crate::gomod::{compare, is_valid};

/// The ecosystem of Go modules.
const ECOSYSTEM: &str = "Go";

/// A record, as far as it concerns Go modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsvRecord {
    /// The identifier: `GO-2024-2687`, `MAL-2025-1`.
    pub id: String,
    /// Other names of the same: CVE and GHSA numbers.
    pub aliases: Vec<String>,
    /// One line for people; the first line of the details where there is none.
    pub summary: String,
    /// When the record was last changed, in RFC 3339.
    pub modified: String,
    /// True if it was taken back.
    pub withdrawn: bool,
    /// A page about it.
    pub url: Option<String>,
    /// Which versions of which modules.
    pub affected: Vec<OsvAffected>,
}

/// The versions of one module that a record is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsvAffected {
    /// The module path, or `stdlib` and `toolchain` for Go itself.
    pub module: String,
    /// Versions that are named one by one, with a leading `v`.
    pub versions: Vec<String>,
    /// Ranges of versions.
    pub ranges: Vec<Vec<OsvEvent>>,
}

/// A version at which a range begins or ends. Versions have a leading `v`; `None` is before every version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OsvEvent {
    /// Affected from here on.
    Introduced(Option<String>),
    /// No longer affected from here on.
    Fixed(String),
    /// Affected up to here.
    LastAffected(String),
}

impl OsvEvent {
    fn version(&self) -> Option<&str> {
        match self {
            OsvEvent::Introduced(version) => version.as_deref(),
            OsvEvent::Fixed(version) | OsvEvent::LastAffected(version) => Some(version),
        }
    }
}

impl OsvRecord {
    /// Reads a record; `None` if it is about other ecosystems only.
    ///
    /// # Errors
    /// What is wrong with the JSON or with a field, as text. A range of an unknown type is passed over: the schema adds types.
    pub fn parse(text: &[u8]) -> Result<Option<OsvRecord>, String> {
        let object = gojson::check(text)?;
        let mut record = OsvRecord::default();
        let mut details = String::new();
        for (key, value) in fields(object)? {
            match key.as_str() {
                "id" => record.id = string(&key, value)?,
                "aliases" => record.aliases = strings(&key, value)?,
                "summary" => record.summary = string(&key, value)?,
                "details" => details = string(&key, value)?,
                "modified" => record.modified = string(&key, value)?,
                "withdrawn" => record.withdrawn = gojson::kind(value) == "string",
                "affected" => {
                    for item in items(&key, value)? {
                        record.affected.extend(OsvAffected::parse(item)?);
                    }
                }
                "database_specific" if gojson::kind(value) == "object" => {
                    for (key, value) in fields(value)? {
                        if key == "url" && gojson::kind(value) == "string" {
                            record.url = Some(string(&key, value)?);
                        }
                    }
                }
                _ => {}
            }
        }
        if record.id.is_empty() {
            return Err("no id".to_owned());
        }
        if record.summary.is_empty() {
            record.summary = details.lines().next().unwrap_or_default().to_owned();
        }
        Ok((!record.affected.is_empty()).then_some(record))
    }
}

impl OsvAffected {
    /// Reads one item of `affected`; `None` for another ecosystem.
    fn parse(value: &[u8]) -> Result<Option<OsvAffected>, String> {
        let mut affected = OsvAffected::default();
        let mut ecosystem = String::new();
        for (key, value) in fields(value)? {
            match key.as_str() {
                "package" => {
                    for (key, value) in fields(value)? {
                        match key.as_str() {
                            "name" => affected.module = string(&key, value)?,
                            "ecosystem" => ecosystem = string(&key, value)?,
                            _ => {}
                        }
                    }
                }
                "versions" => {
                    let versions = strings(&key, value)?;
                    affected.versions = versions.iter().map(|version| with_v(version)).collect();
                }
                "ranges" => {
                    for range in items(&key, value)? {
                        affected.ranges.extend(range_of(range)?);
                    }
                }
                _ => {}
            }
        }
        if ecosystem != ECOSYSTEM {
            return Ok(None);
        }
        if affected.module.is_empty() {
            return Err("affected: a package without a name".to_owned());
        }
        Ok(Some(affected))
    }

    /// True if the record is about this version, which has a leading `v`.
    ///
    /// Neither ranges nor versions mean every version. The events of a range are taken in the order of versions, as the schema evaluates them.
    #[must_use]
    pub fn covers(&self, version: &str) -> bool {
        if self.versions.is_empty() && self.ranges.is_empty() {
            return true;
        }
        let named = self.versions.iter().any(|named| named == version);
        named || self.ranges.iter().any(|events| in_range(events, version))
    }

    /// The lowest version above `version` that is fixed, if one is.
    #[must_use]
    pub fn fixed_after(&self, version: &str) -> Option<&str> {
        let events = self.ranges.iter().flatten();
        let fixed = events.filter_map(|event| match event {
            OsvEvent::Fixed(fixed) => Some(fixed.as_str()),
            OsvEvent::Introduced(_) | OsvEvent::LastAffected(_) => None,
        });
        let later = fixed.filter(|fixed| compare(fixed, version) == Ordering::Greater);
        later.min_by(|a, b| compare(a, b))
    }
}

fn in_range(events: &[OsvEvent], version: &str) -> bool {
    let mut sorted: Vec<&OsvEvent> = events.iter().collect();
    sorted.sort_by(|a, b| match (a.version(), b.version()) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b),
    });
    let mut affected = false;
    for event in sorted {
        let reached = |at: &str| compare(version, at) != Ordering::Less;
        match event {
            OsvEvent::Introduced(None) => affected = true,
            OsvEvent::Introduced(Some(at)) if reached(at) => affected = true,
            OsvEvent::Fixed(at) if reached(at) => affected = false,
            OsvEvent::LastAffected(at) if compare(version, at) == Ordering::Greater => {
                affected = false;
            }
            _ => {}
        }
    }
    affected
}

/// The events of a range of versions; `None` for commits of git.
fn range_of(value: &[u8]) -> Result<Option<Vec<OsvEvent>>, String> {
    let mut events = Vec::new();
    let mut kind = String::new();
    for (key, value) in fields(value)? {
        match key.as_str() {
            "type" => kind = string(&key, value)?,
            "events" => {
                for event in items(&key, value)? {
                    for (key, value) in fields(event)? {
                        match key.as_str() {
                            "introduced" => {
                                let at = string(&key, value)?;
                                events.push(OsvEvent::Introduced((at != "0").then(|| with_v(&at))));
                            }
                            "fixed" => events.push(OsvEvent::Fixed(with_v(&string(&key, value)?))),
                            "last_affected" => {
                                events.push(OsvEvent::LastAffected(with_v(&string(&key, value)?)));
                            }
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
    if kind == "GIT" {
        return Ok(None);
    }
    let wrong = events
        .iter()
        .filter_map(OsvEvent::version)
        .find(|at| !is_valid(at));
    match wrong {
        Some(at) => Err(format!("ranges: {at} is not a version")),
        None => Ok(Some(events)),
    }
}

fn with_v(version: &str) -> String {
    match version.strip_prefix('v') {
        Some(_) => version.to_owned(),
        None => format!("v{version}"),
    }
}

fn fields(value: &[u8]) -> Result<Vec<(String, &[u8])>, String> {
    if gojson::kind(value) != "object" {
        return Err(format!("{} where an object should be", gojson::kind(value)));
    }
    let members = gojson::members(value)?;
    Ok(members
        .into_iter()
        .map(|(key, value)| (key.into_owned(), value))
        .collect())
}

fn items<'v>(key: &str, value: &'v [u8]) -> Result<Vec<&'v [u8]>, String> {
    match gojson::kind(value) {
        "array" => gojson::items(value),
        "null" => Ok(Vec::new()),
        other => Err(format!("{key}: {other} where an array should be")),
    }
}

fn string(key: &str, value: &[u8]) -> Result<String, String> {
    match gojson::kind(value) {
        "string" => Ok(gojson::string(value).into_owned()),
        other => Err(format!("{key}: {other} where a string should be")),
    }
}

fn strings(key: &str, value: &[u8]) -> Result<Vec<String>, String> {
    items(key, value)?
        .into_iter()
        .map(|item| string(key, item))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"schema_version":"1.3.1","id":"GO-2099-0001","modified":"2026-01-02T03:04:05Z","aliases":["CVE-2099-1"],
        "summary":"Reads past the end","affected":[
        {"package":{"name":"example.com/a","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[
            {"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"1.4.0-rc.1"},{"fixed":"1.5.0"}]}],"ecosystem_specific":{}},
        {"package":{"name":"example.com/b","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"last_affected":"1.1.0"}]},
            {"type":"GIT","repo":"https://example.com/b","events":[{"introduced":"0"}]}]},
        {"package":{"name":"left-pad","ecosystem":"npm"}},
        {"package":{"name":"example.com/c","ecosystem":"Go"},"versions":["1.0.0","v1.0.1"]},
        {"package":{"name":"example.com/d","ecosystem":"Go"}}],
        "database_specific":{"url":"https://pkg.go.dev/vuln/GO-2099-0001"}}"#;

    #[test]
    fn record_covers_what_the_schema_says() {
        let record = OsvRecord::parse(RECORD.as_bytes()).unwrap().unwrap();
        assert_eq!(record.affected.len(), 4);
        let of = |module: &str| {
            let mut all = record.affected.iter();
            all.find(|affected| affected.module == module).unwrap()
        };
        // Each row: module, version, affected, what fixes it. By hand from the events above.
        let rows = [
            (
                "example.com/a",
                "v0.0.0-20200101000000-0123456789ab",
                true,
                Some("v1.2.3"),
            ),
            ("example.com/a", "v1.2.2", true, Some("v1.2.3")),
            ("example.com/a", "v1.2.3", false, Some("v1.5.0")),
            ("example.com/a", "v1.4.0-alpha", false, Some("v1.5.0")),
            ("example.com/a", "v1.4.0", true, Some("v1.5.0")),
            ("example.com/a", "v1.5.0", false, None),
            ("example.com/b", "v0.9.0", false, None),
            ("example.com/b", "v1.1.0", true, None),
            ("example.com/b", "v1.1.1", false, None),
            ("example.com/c", "v1.0.0", true, None),
            ("example.com/c", "v1.0.1", true, None),
            ("example.com/c", "v1.0.2", false, None),
            ("example.com/d", "v9.0.0", true, None),
        ];
        for (module, version, covered, fixed) in rows {
            assert_eq!(of(module).covers(version), covered, "{module} {version}");
            assert_eq!(of(module).fixed_after(version), fixed, "{module} {version}");
        }
    }

    #[test]
    fn record_with_a_wrong_shape_is_an_error() {
        for (text, want) in [
            ("[]", "array where an object should be"),
            ("{}", "no id"),
            (r#"{"id":1}"#, "id: number where a string should be"),
            (
                r#"{"id":"X","affected":[{"package":{"ecosystem":"Go"}}]}"#,
                "affected: a package without a name",
            ),
            (
                r#"{"id":"X","affected":[{"package":{"name":"a","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"fixed":"x"}]}]}]}"#,
                "ranges: vx is not a version",
            ),
        ] {
            assert_eq!(
                OsvRecord::parse(text.as_bytes()),
                Err(want.to_owned()),
                "{text}"
            );
        }
        let other = r#"{"id":"X","affected":[{"package":{"name":"a","ecosystem":"npm"}}]}"#;
        assert_eq!(OsvRecord::parse(other.as_bytes()), Ok(None));
    }
}
