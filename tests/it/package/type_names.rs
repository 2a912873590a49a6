//! A type name has one meaning: a search for a name finds one type.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::arrows::{read, test_files, without_tests};

/// Folders and files whose contents stand in for each other: one for each operating system, the same names in both.
const TWINS: [(&str, &str); 3] = [
    ("serve/http1/unix.rs", "serve/http1/windows.rs"),
    ("signals/unix.rs", "signals/windows.rs"),
    ("system/unix", "system/windows"),
];

#[test]
fn type_names_are_defined_once() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    read(&src, &src, &mut files);
    let tests = test_files(&files);
    let mut found: BTreeMap<&str, BTreeSet<PathBuf>> = BTreeMap::new();
    for (file, text) in &files {
        if tests.iter().any(|test| file.starts_with(test)) {
            continue;
        }
        for name in type_names(without_tests(text)) {
            found.entry(name).or_default().insert(first_twin(file));
        }
    }
    assert!(found.len() > 500, "only {} names were found", found.len());
    let twice: Vec<String> = found
        .iter()
        .filter(|(_, files)| files.len() > 1)
        .map(|(name, files)| format!("{name}: {files:?}"))
        .collect();
    assert!(
        twice.is_empty(),
        "type names that are defined more than once; put the area in front, as in CacheEntry:\n{}",
        twice.join("\n")
    );
}

/// The names of structs, enums, traits and aliases that are items of a file.
fn type_names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let mut item = line;
        if let Some(rest) = item.strip_prefix("pub") {
            item = match rest.strip_prefix('(') {
                Some(scoped) => scoped.split_once(')')?.1,
                None => rest,
            };
            item = item.strip_prefix(' ')?;
        }
        let (keyword, rest) = item.split_once(' ')?;
        if !["struct", "enum", "trait", "type"].contains(&keyword) {
            return None;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        Some(&rest[..end.unwrap_or(rest.len())])
    })
}

/// The file, or the one that has its names on the first operating system of a pair.
fn first_twin(file: &Path) -> PathBuf {
    let second = TWINS.iter().find(|(_, second)| file.starts_with(second));
    second.map_or_else(
        || file.to_owned(),
        |(first, second)| {
            let rest = file.strip_prefix(second).expect("it starts with it");
            let first = Path::new(first);
            if rest.as_os_str().is_empty() {
                first.to_owned()
            } else {
                first.join(rest)
            }
        },
    )
}

#[test]
fn items_of_a_file_are_found_and_associated_types_are_not() {
    let text = "pub struct A<'a> {\nenum B {\npub(super) trait C: D {\n    type Output;\ntype E = F;\n\
                pub(in crate::g) struct H;\npub use i::J;\nimpl K for A<'_> {\n";
    let found: Vec<&str> = type_names(text).collect();
    assert_eq!(found, ["A", "B", "C", "E", "H"]);
}
