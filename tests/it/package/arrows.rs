//! Which area of `src/` may use which: read from the `crate::` paths of all code that is no test.
//!
//! An area is a folder or a file of `src/`. The table lists them from the bottom up, and each may use
//! only areas above its own line: so no two areas can use each other, nor any three in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each area with those that it uses, all of them in earlier lines.
const ALLOWED: &[(&str, &str)] = &[
    // What all areas may use.
    ("error", ""),
    ("map", ""),
    ("system", ""),
    ("failpoints", "system"),
    ("cancel", "error"),
    // Pure: no files, no network, no environment.
    ("gojson", "error"),
    ("gomod", "error map"),
    ("layout", "error gomod"),
    ("gotemplate", "error gomod"),
    ("event", "cancel error gomod"),
    ("memo", "cancel error map"),
    // The system: files, programs, network.
    ("fsio", "cancel error event failpoints gomod system"),
    ("proc", "error system"),
    ("signals", "error fsio proc system"),
    ("tarfile", "error"),
    ("http", "cancel error event gomod memo proc system"),
    ("modzip", "cancel error failpoints fsio gomod map system"),
    // The parts of a download: none of them knows more than one other.
    (
        "cache",
        "cancel error event failpoints fsio gojson gomod layout map modzip system tarfile",
    ),
    ("sumdb", "cancel error failpoints fsio gomod layout memo"),
    (
        "source",
        "cancel error event fsio gojson gomod http layout memo modzip proc sumdb system",
    ),
    (
        "store",
        "error event gojson gomod http layout modzip source sumdb system",
    ),
    // What was typed, what is set, and what go.mod says.
    ("config", "error fsio gojson gomod system"),
    ("cli", "config error gomod"),
    ("project", "config error fsio gomod map system"),
    ("graph", "error fsio gomod map project"),
    ("trust", "cache config error fsio gomod sumdb"),
    // The engine, and what is built on it.
    (
        "fetch",
        "cache cancel config error event failpoints fsio gomod graph http layout map memo modzip project source sumdb system trust",
    ),
    ("select", "cli error fetch gomod graph map project source"),
    (
        "verify",
        "cache cancel error event fetch gomod modzip sumdb trust",
    ),
    (
        "list",
        "error fetch fsio gomod gotemplate graph project select source system trust",
    ),
    (
        "bundle",
        "cache cancel error event failpoints fetch fsio gojson gomod graph http layout map modzip project source sumdb system tarfile trust",
    ),
    (
        "serve",
        "cache cancel config error event failpoints fetch fsio gojson gomod http layout map memo modzip source store sumdb system trust",
    ),
    (
        "sbom",
        "cache error gomod graph modzip project source trust",
    ),
    ("audit", "error gojson gomod"),
    (
        "downloader",
        "cache error event fetch gomod http source sumdb trust",
    ),
    // What the user reads.
    (
        "report",
        "audit bundle cache config error event fetch fsio gojson gomod http list modzip sbom select serve source system trust verify",
    ),
    (
        "doctor",
        "cache config error event fsio gomod http layout project report source sumdb system",
    ),
    (
        "command",
        "audit bundle cache cancel cli config doctor error event failpoints fetch fsio gojson gomod gotemplate graph http layout list map \
         modzip project report sbom select serve signals source store sumdb system tarfile trust verify",
    ),
    (
        "run",
        "cancel cli command config error event failpoints report signals",
    ),
    // What tests reach inside the crate for.
    (
        "internals",
        "bundle cli command config event fsio gomod gotemplate http modzip serve source store sumdb tarfile",
    ),
];

/// Names that the root of the crate has beside its areas.
const ROOT_NAMES: [&str; 6] = ["Error", "Kind", "Reason", "Result", "Subject", "io_text"];

#[test]
fn areas_use_only_what_the_table_allows() {
    let found = arrows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for (area, used) in &found {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == area) else {
            wrong.push(format!("{area}: an area that the table does not have"));
            continue;
        };
        let allowed: BTreeSet<&str> = allowed.split_whitespace().collect();
        for (target, file) in used {
            if !allowed.contains(target.as_str()) {
                wrong.push(format!("{area} -> {target}, in {}", file.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that are not allowed:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_has_no_circle() {
    let mut above = BTreeSet::new();
    for (area, allowed) in ALLOWED {
        for target in allowed.split_whitespace() {
            assert!(above.contains(&target), "{area} -> {target}: not above");
        }
        assert!(above.insert(*area), "{area} stands twice");
    }
}

/// Each area with what it uses, and one file that does.
fn arrows(src: &Path) -> BTreeMap<String, BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    read(src, src, &mut files);
    let tests = test_files(&files);
    let mut found: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for (file, text) in &files {
        if tests.iter().any(|test| file.starts_with(test)) {
            continue;
        }
        let area = file
            .iter()
            .next()
            .and_then(|first| first.to_str())
            .expect("a name");
        let area = area.strip_suffix(".rs").unwrap_or(area).to_owned();
        // `modset` dissolves into `gomod` and `select`.
        if matches!(area.as_str(), "lib" | "main" | "modset") {
            continue;
        }
        let used = found.entry(area.clone()).or_default();
        for name in names(without_tests(text)) {
            let target = if ROOT_NAMES.contains(&name.as_str()) {
                "error"
            } else {
                &name
            };
            if target != area && target != "modset" {
                used.entry(target.to_owned())
                    .or_insert_with(|| file.clone());
            }
        }
    }
    found
}

pub(super) fn read(src: &Path, directory: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(src, &path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let code = code.collect::<Vec<_>>().join("\n");
            files.insert(path.strip_prefix(src).unwrap().to_owned(), code);
        }
    }
}

/// Files and folders that stand below `#[cfg(test)] mod NAME;`.
pub(super) fn test_files(files: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (file, text) in files {
        let below = match file.file_name().and_then(|name| name.to_str()) {
            Some("mod.rs" | "lib.rs" | "main.rs") => file.parent().unwrap().to_owned(),
            _ => file.with_extension(""),
        };
        for (at, _) in text.match_indices("#[cfg(test)]") {
            let mut rest = text[at + "#[cfg(test)]".len()..].trim_start();
            if let Some(path) = rest.strip_prefix("#[path = \"") {
                let (name, after) = path.split_once("\"]").expect("closed");
                let name = name.strip_suffix("/mod.rs").unwrap_or(name);
                found.push(file.parent().unwrap().join(name));
                rest = after.trim_start();
            }
            let item = rest.lines().next().unwrap_or_default();
            let name = item
                .strip_suffix(';')
                .and_then(|item| item.rsplit_once("mod "));
            if let Some((_, name)) = name {
                found.extend([below.join(name), below.join(name).with_extension("rs")]);
            }
        }
    }
    found
}

/// Tests inside a file stand at its end.
pub(super) fn without_tests(text: &str) -> &str {
    let is_module = |rest: &str| {
        let item = rest.lines().find(|line| !line.starts_with("#["));
        item.is_some_and(|item| item.starts_with("mod ") && item.ends_with('{'))
    };
    let mut marks = text.match_indices("\n#[cfg(test)]\n");
    let first = marks.find(|(at, mark)| is_module(&text[at + mark.len()..]));
    first.map_or(text, |(at, _)| &text[..at])
}

/// What follows `crate::`: one name, or the first of each path in braces.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for (at, mark) in text.match_indices("crate::") {
        if text[..at].ends_with(is_name) {
            continue;
        }
        let rest = &text[at + mark.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            found.insert(rest[..end].to_owned());
            continue;
        };
        let (mut depth, mut starts) = (1, true);
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => starts = true,
                _ if starts && is_name(c) => {
                    let name = &group[index..];
                    let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
                    found.insert(name[..end].to_owned());
                    starts = false;
                }
                _ => {}
            }
        }
    }
    found.remove("");
    found
}

#[test]
fn paths_are_found_and_those_of_tests_are_not() {
    let text = "use crate::a::B;\nuse crate::{c::{d, e}, f};\nlet x = $crate::g; mycrate::h();\n\
                #[cfg(test)]\nfn i() { crate::j::k() }\n#[cfg(test)]\nmod tests {\nuse crate::l;\n}\n";
    let found: Vec<String> = names(without_tests(text)).into_iter().collect();
    assert_eq!(found, ["a", "c", "f", "g", "j"]);
}
