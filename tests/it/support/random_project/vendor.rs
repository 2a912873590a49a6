//! A vendor directory: `vendor/modules.txt`, as `go mod vendor` would have written it, or nearly.

use std::fmt::Write as _;

use super::{Files, Rng};

/// Adds one for the go.mod that is among the files.
pub(super) fn add(rng: &mut Rng, files: &mut Files) {
    let go_mod = files.iter().find(|(name, _)| name == "go.mod");
    let text = go_mod.map(|(_, text)| text.clone()).unwrap_or_default();
    let replaced: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("replace ")?.split_once(" => "))
        .collect();
    let with = |path: &str, version: &str| {
        let exact = format!("{path} {version}");
        let mut found = replaced.iter();
        let found = found
            .find(|(old, _)| *old == exact)
            .or_else(|| replaced.iter().find(|(old, _)| *old == path));
        found.map_or(String::new(), |(_, new)| format!(" => {new}"))
    };
    let required = text
        .lines()
        .filter_map(|line| line.strip_prefix("require "));
    let mut required: Vec<(&str, &str)> = required
        .filter_map(|line| line.trim_end_matches(" // indirect").split_once(' '))
        .collect();
    required.sort_unstable();
    let mut listed = String::new();
    for (path, version) in &required {
        if rng.percent(4) {
            continue;
        }
        let other = if rng.percent(3) { "v1.0.9" } else { version };
        let _ = writeln!(listed, "# {path} {other}{}", with(path, version));
        if !rng.percent(3) {
            let go = rng.one(&["", "", "; go 1.17", "; go 1.22.3"]);
            let _ = writeln!(listed, "## explicit{go}");
        }
        if rng.percent(60) {
            let _ = writeln!(listed, "{path}");
        }
    }
    // What is there although nobody asked for it by name.
    if rng.percent(30) {
        listed.push_str("# example.com/deep v1.3.0\n## go 1.18\nexample.com/deep/in\n");
    }
    for (old, new) in &replaced {
        if !rng.percent(4) {
            let _ = writeln!(listed, "# {old} => {new}");
        }
    }
    files.push(("vendor/modules.txt".to_owned(), listed));
}
