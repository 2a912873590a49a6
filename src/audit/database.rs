//! A vulnerability database on disk: a directory or a zip of OSV records.
//!
//! Shape: every file that ends in `.json` is one record, except those below `index/`. `index/db.json`, where there is one, has the date of the snapshot
//! (`{"modified":"..."}`); otherwise the newest date of a record is taken. Directories are read to any depth; links are not followed.
//!
//! Limits: a record of at most 4 MiB, a million records, so that a wrong directory ends with an error.
//!
//! Source: go.dev/doc/security/vuln/database, `vulndb.zip`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::finding::{AuditFinding, FindingKind};
use super::osv::OsvRecord;
use crate::error::{Error, Kind, Result};
use crate::gojson;
use crate::gomod::ModuleVersion;

/// The largest record of Go's database has 0.3 MiB.
const MAX_RECORD_BYTES: u64 = 4 << 20;

/// Go's database has some 4,300 records, the list of malicious packages of all ecosystems 200,000.
const MAX_RECORDS: usize = 1_000_000;

/// The records of one or several places.
#[derive(Debug, Default)]
pub struct VulnDatabase {
    records: Vec<OsvRecord>,
    /// By module path: places in `records`.
    by_module: BTreeMap<String, Vec<usize>>,
    /// The date of the snapshot, in RFC 3339; the oldest of several places.
    snapshot: Option<String>,
}

impl VulnDatabase {
    /// Adds what lies in a directory or in a zip.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if something cannot be read, [`Kind::Input`] with the name of a file that is not a record, and if nothing there is about Go modules.
    pub fn add(&mut self, place: &Path) -> Result<()> {
        let mut found = FoundRecords::default();
        let meta = fs::metadata(place).map_err(|cause| Error::io("cannot open", place, cause))?;
        if meta.is_dir() {
            read_directory(place, &mut found)?;
        } else {
            read_zip(place, &mut found)?;
        }
        if found.records.is_empty() {
            let text = format!("{}: no record about Go modules", place.display());
            return Err(Error::new(Kind::Input, text).hint(
                "name a directory of OSV records, or vulndb.zip of Go's vulnerability database",
            ));
        }
        let newest = found
            .records
            .iter()
            .map(|record| &record.modified)
            .max()
            .cloned();
        // Records in Go's repository of reports have Go's zero time: no date.
        let is_date = |date: &String| !date.is_empty() && !date.starts_with("0001-01-01");
        let snapshot = found.index_date.or(newest).filter(is_date);
        self.snapshot = match (self.snapshot.take(), snapshot) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for record in found.records {
            let place = self.records.len();
            for affected in &record.affected {
                let places = self.by_module.entry(affected.module.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            self.records.push(record);
        }
        Ok(())
    }

    /// How many records about Go modules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The date of the snapshot, in RFC 3339.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        self.snapshot.as_deref()
    }

    /// What the records say of a module version, by identifier.
    #[must_use]
    pub fn findings(&self, module: &ModuleVersion) -> Vec<AuditFinding> {
        let (path, version) = (module.path().as_str(), module.version().as_str());
        // Records name versions without this suffix.
        let bare = version.strip_suffix("+incompatible").unwrap_or(version);
        let found = self.affecting(path, bare);
        let findings = found.map(|(record, fixed)| AuditFinding {
            kind: FindingKind::Vulnerable,
            id: record.id.clone(),
            aliases: record.aliases.clone(),
            path: path.to_owned(),
            version: version.to_owned(),
            summary: record.summary.clone(),
            fixed: fixed.map(str::to_owned),
            url: record.url.clone(),
            accepted: None,
        });
        findings.collect()
    }

    /// The records about a version, which has a leading `v`, by identifier, each with what fixes it.
    pub(super) fn affecting<'d>(
        &'d self,
        path: &'d str,
        version: &'d str,
    ) -> impl Iterator<Item = (&'d OsvRecord, Option<&'d str>)> {
        let places = self.by_module.get(path).map_or(&[][..], Vec::as_slice);
        let records = places.iter().filter_map(|&place| self.records.get(place));
        let mut found: BTreeMap<&str, (&OsvRecord, Option<&str>)> = BTreeMap::new();
        for record in records.filter(|record| !record.withdrawn) {
            let mut about = record
                .affected
                .iter()
                .filter(|affected| affected.module == path);
            if let Some(affected) = about.find(|affected| affected.covers(version)) {
                let entry = found.entry(record.id.as_str());
                entry.or_insert((record, affected.fixed_after(version)));
            }
        }
        found.into_values()
    }
}

/// What one place has.
#[derive(Default)]
struct FoundRecords {
    records: Vec<OsvRecord>,
    index_date: Option<String>,
    seen: usize,
}

impl FoundRecords {
    /// True for a file that is read: a record, or the index with the date.
    fn wants(name: &str) -> bool {
        name.ends_with(".json") && (!is_index(name) || name.ends_with("index/db.json"))
    }

    /// Takes a file, by its name with `/` within the place.
    fn take(&mut self, place: &Path, name: &str, text: &[u8]) -> Result<()> {
        let wrong = |what: &str| {
            let text = format!("{}: {name}: {what}", place.display());
            Error::new(Kind::Input, text)
        };
        self.seen += 1;
        if self.seen > MAX_RECORDS {
            return Err(wrong("too many files for a vulnerability database"));
        }
        if is_index(name) {
            self.index_date = Some(date_of(text).map_err(|what| wrong(&what))?);
            return Ok(());
        }
        let record = OsvRecord::parse(text).map_err(|what| wrong(&what))?;
        self.records.extend(record);
        Ok(())
    }
}

fn is_index(name: &str) -> bool {
    name.starts_with("index/") || name.contains("/index/")
}

/// `modified` of `index/db.json`.
fn date_of(text: &[u8]) -> Result<String, String> {
    let object = gojson::check(text)?;
    if gojson::kind(object) != "object" {
        return Err("not an object".to_owned());
    }
    let mut members = gojson::members(object)?.into_iter();
    match members.find(|(key, _)| key == "modified") {
        Some((_, value)) if gojson::kind(value) == "string" => {
            Ok(gojson::string(value).into_owned())
        }
        _ => Err("no date in \"modified\"".to_owned()),
    }
}

fn read_directory(place: &Path, found: &mut FoundRecords) -> Result<()> {
    let mut waiting: Vec<PathBuf> = vec![place.to_owned()];
    while let Some(dir) = waiting.pop() {
        let io = |cause| Error::io("cannot read", &dir, cause);
        for entry in fs::read_dir(&dir).map_err(io)? {
            let entry = entry.map_err(io)?;
            let (kind, path) = (entry.file_type().map_err(io)?, entry.path());
            if kind.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(place).unwrap_or(&path).to_string_lossy();
            if !kind.is_file() || !FoundRecords::wants(&name) {
                continue;
            }
            let file = File::open(&path).map_err(|cause| Error::io("cannot open", &path, cause))?;
            let text = read_limited(file, &path)?;
            found.take(place, &name, &text)?;
        }
    }
    // The order of a directory is that of the file system: the result must not depend on it.
    found.records.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}

fn read_limited(file: impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = file.take(MAX_RECORD_BYTES + 1).read_to_end(&mut text);
    read.map_err(|cause| Error::io("cannot read", path, cause))?;
    if text.len() as u64 > MAX_RECORD_BYTES {
        let text = format!("{}: larger than a record may be (4 MiB)", path.display());
        return Err(Error::new(Kind::Input, text));
    }
    Ok(text)
}

/// Reads a zip with a library: this is no module zip, nothing of it is kept, and a wrong one ends the run.
fn read_zip(place: &Path, found: &mut FoundRecords) -> Result<()> {
    let file = File::open(place).map_err(|cause| Error::io("cannot open", place, cause))?;
    let unreadable = |what: String| {
        let text = format!("{}: not a zip that can be read: {what}", place.display());
        Error::new(Kind::Input, text)
    };
    let mut zip = zip::ZipArchive::new(file).map_err(|error| unreadable(error.to_string()))?;
    for index in 0..zip.len() {
        let entry = zip
            .by_index(index)
            .map_err(|error| unreadable(error.to_string()))?;
        let name = entry
            .name()
            .map_err(|error| unreadable(error.to_string()))?
            .into_owned();
        if entry.is_dir() || !FoundRecords::wants(&name) {
            continue;
        }
        let mut text = Vec::new();
        let read = entry.take(MAX_RECORD_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| unreadable(format!("{name}: {error}")))?;
        if text.len() as u64 > MAX_RECORD_BYTES {
            return Err(unreadable(format!(
                "{name}: larger than a record may be (4 MiB)"
            )));
        }
        found.take(place, &name, &text)?;
    }
    found.records.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}
