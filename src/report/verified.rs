//! `verify`: what a check found, as text and as `-json`.

use std::fmt::Write as _;

use super::json::JsonObject;
use crate::error::Error;
use crate::modzip::Differences;
use crate::verify::{RepairOutcome, VerifyProblem, VerifyReport};

/// Files that text names before it says how many more there are; `-json` has them all.
const NAMED_FILES: usize = 10;

/// A problem with the files that differ, a line each.
#[must_use]
pub fn finding(problem: &VerifyProblem) -> Error {
    let Some(files) = &problem.files else {
        return problem.error.clone();
    };
    let mut text = problem.error.chain();
    let all = named(files);
    for (how, name) in all.iter().take(NAMED_FILES) {
        // A name may hold anything, a terminal's control codes too.
        let _ = write!(text, "\n\t{how}: {}", name.escape_debug());
    }
    if let Some(more @ 1..) = all.len().checked_sub(NAMED_FILES) {
        let _ = write!(text, "\n\tand {more} more");
    }
    let hints = problem.error.hints().iter().cloned();
    hints.fold(Error::new(problem.error.kind(), text), Error::hint)
}

fn named(files: &Differences) -> Vec<(&'static str, &str)> {
    let sorts = [
        ("changed", &files.changed),
        ("added", &files.added),
        ("removed", &files.removed),
    ];
    let each = sorts.into_iter().flat_map(|(how, names)| {
        let names = names.iter().map(String::as_str);
        names.map(move |name| (how, name))
    });
    each.collect()
}

/// The object that `verify -json` prints for a module; with what became of it in a repair.
#[must_use]
pub fn report_json(report: &VerifyReport, repaired: Option<&RepairOutcome>) -> JsonObject {
    let mut json = JsonObject::new();
    json.string("Path", report.module.path().as_str());
    json.string("Version", report.module.version().as_str());
    for (key, verdict) in [
        ("Zip", report.zip),
        ("Dir", report.dir),
        ("ZipHash", report.ziphash),
        ("GoMod", report.gomod),
        ("GoSum", report.gosum),
        ("SumDB", report.sumdb),
    ] {
        json.string(key, verdict.name());
    }
    json.string(
        "Leftover",
        report.leftover.map_or("", |leftover| leftover.name()),
    );
    let failed = repaired.and_then(|repaired| repaired.error.as_ref());
    let errors: Vec<String> = report.errors().chain(failed).map(Error::chain).collect();
    json.string("Error", &errors.join("\n"));
    let gravest = Error::gravest(report.errors().chain(failed));
    json.string("ErrorKind", gravest.map_or("", |kind| kind.name()));
    if let Some(repaired) = repaired {
        let outcome = if repaired.error.is_none() {
            "done"
        } else {
            "failed"
        };
        json.string("Repair", outcome);
        let kept = repaired.quarantine.as_ref();
        let kept = kept.map_or(String::new(), |place| place.display().to_string());
        json.string("Quarantine", &kept);
    }
    for problem in &report.problems {
        if let (Some(piece), Some(files)) = (problem.piece, &problem.files) {
            let mut differs = JsonObject::new();
            differs.string("Piece", piece.noun());
            differs.strings("Added", &files.added);
            differs.strings("Removed", &files.removed);
            differs.strings("Changed", &files.changed);
            json.object("Files", &differs);
        }
    }
    json
}
