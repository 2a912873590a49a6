//! The versions of a cache, one by one.

use crate::cache::{RecordPiece, VersionRecord};
use crate::report::{JsonObject, age, human};

/// A line for people: size, last use, name, what is missing. `now` is in seconds since 1970.
#[must_use]
pub fn version_line(record: &VersionRecord, now: u64) -> String {
    let size = human(record.total().bytes);
    let used = match record.last_used() {
        0 => "unknown".to_owned(),
        used => format!("{} ago", age(now.saturating_sub(used))),
    };
    let mut notes = Vec::new();
    if record.is_gomod_only() {
        notes.push("go.mod only".to_owned());
    }
    let lacking: Vec<&str> = record.lacks().into_iter().map(RecordPiece::name).collect();
    if !lacking.is_empty() {
        notes.push(format!("lacks {}", lacking.join(", ")));
    }
    let notes = match notes.is_empty() {
        true => String::new(),
        false => format!("  ({})", notes.join("; ")),
    };
    format!("{size:>8}  {used:>14}  {}{notes}\n", record.module)
}

/// An object for programs.
#[must_use]
pub fn version_json(record: &VersionRecord) -> String {
    let mut object = JsonObject::new();
    object.string("Path", record.module.path().as_str());
    object.string("Version", record.module.version().as_str());
    let total = record.total();
    object.number("Bytes", total.bytes);
    object.number("Files", total.files);
    object.number("ZipBytes", record.space(RecordPiece::Zip).bytes);
    object.number("DirBytes", record.space(RecordPiece::Tree).bytes);
    object.number("LastUsed", record.last_used());
    object.number("ContentUsed", record.content_used);
    if record.is_gomod_only() {
        object.boolean("GoModOnly", true);
    }
    if record.is_partial {
        object.boolean("Partial", true);
    }
    let lacking: Vec<&str> = record.lacks().into_iter().map(RecordPiece::name).collect();
    object.strings("Lacks", &lacking);
    object.indented() + "\n"
}
