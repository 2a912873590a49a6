//! Worlds with a workspace: one to four main modules, and a go.work that edits their edits.

use std::fmt::Write as _;

use super::{Files, MAIN, Proxied, Rng, Style, TOOLCHAINS, dependency, replacements, requirements};
use crate::support::sums;

/// What main modules may be called; others require some of these.
const MAINS: &[&str] = &[
    MAIN,
    "example.com/two",
    "zz.example/w",
    "example.com/a",
    "go.example/z",
    "b.org/nested",
];

/// What go refuses.
const ODD_USES: &[&str] = &["use ./none\n", "use ./m0\n", "use ./m0/\n"];

/// The files of the workspace. Each main module is in a folder of its own, `m0` and so on.
pub(super) fn files(rng: &mut Rng, style: Style, proxied: &Proxied<'_>) -> Files {
    let mut files = Files::new();
    let mut paths: Vec<&str> = Vec::new();
    for _ in 0..1 + rng.below(4) {
        let path = *rng.one(MAINS);
        if !paths.contains(&path) || rng.percent(2) {
            paths.push(path);
        }
    }
    let mut newest = String::new();
    for (index, path) in paths.iter().enumerate() {
        let go_line = style.go_line(rng);
        if minor(&go_line) >= minor(&newest) {
            newest.clone_from(&go_line);
        }
        let text = main_module(rng, style, proxied, &paths, index, &go_line, &mut files);
        files.push((
            format!("m{index}/go.mod"),
            format!("module {path}\n\n{go_line}{text}"),
        ));
        if rng.percent(40) {
            files.push((format!("m{index}/go.sum"), go_sum(rng, proxied)));
        }
    }
    let work = go_work(rng, style, proxied, paths.len(), &newest, &mut files);
    files.insert(0, ("go.work".to_owned(), work));
    if rng.percent(20) {
        files.push(("go.work.sum".to_owned(), go_sum(rng, proxied)));
    }
    files
}

/// Whether a go line is newer than another one: by its minor version, then by its length.
fn minor(go_line: &str) -> (usize, usize) {
    let digits = go_line.trim_start_matches("go 1.");
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or_default(), go_line.len())
}

/// What follows the go line of a main module.
fn main_module(
    rng: &mut Rng,
    style: Style,
    proxied: &Proxied<'_>,
    paths: &[&str],
    index: usize,
    go_line: &str,
    files: &mut Files,
) -> String {
    let mut text = String::new();
    if rng.percent(10) && !go_line.is_empty() {
        text.extend(Some(*rng.one(TOOLCHAINS)));
    }
    text.push_str(&requirements(rng, paths[index], proxied.there, 0));
    // Each other, as modules of one repository do, with a replacement for who knows no workspace.
    for (other, path) in paths.iter().enumerate() {
        if other != index && rng.percent(25) {
            let version = rng.one(&["v0.0.0", "v0.9.0", "v1.0.0"]);
            let _ = writeln!(text, "require {path} {version}");
            if rng.percent(95) {
                let _ = writeln!(text, "replace {path} => ../m{other}");
            }
        }
    }
    text.push_str(&replacements(
        rng,
        style,
        proxied.there,
        &format!("m{index}/"),
        files,
    ));
    // What several modules replace alike, or not, by one folder.
    for _ in 0..2 {
        if rng.percent(8) {
            let (path, _) = proxied.there[0];
            let folder = rng.one(&["shared", "shared", "shared", "elsewhere"]);
            let way = rng.one(&["../", "../", "../m0/../"]);
            let own = format!("replace {path} => ");
            if !text.contains(&own) {
                let _ = writeln!(text, "{own}{way}{folder}");
            }
            let name = format!("{folder}/go.mod");
            if files.iter().all(|(known, _)| *known != name) {
                files.push((name, dependency(rng, style, path, proxied.there)));
            }
        }
    }
    text
}

fn go_work(
    rng: &mut Rng,
    style: Style,
    proxied: &Proxied<'_>,
    mains: usize,
    newest: &str,
    files: &mut Files,
) -> String {
    let mut text = if rng.percent(93) {
        newest.to_owned()
    } else {
        style.go_line(rng)
    };
    if rng.percent(10) {
        text.extend(Some(*rng.one(TOOLCHAINS)));
    }
    for index in 0..mains {
        // Out of order, so that the order of go.work is not that of the paths.
        let index = mains - 1 - index;
        let _ = writeln!(text, "use {}m{index}", rng.one(&["./", "./", ""]));
    }
    if rng.percent(2) {
        text.extend(Some(*rng.one(ODD_USES)));
    }
    if rng.percent(50) {
        text.push_str(&replacements(rng, style, proxied.there, "", files));
    }
    text
}

/// A go.sum that knows some modules, and rarely one wrongly.
fn go_sum(rng: &mut Rng, proxied: &Proxied<'_>) -> String {
    let mut text = String::new();
    for module in proxied.modules {
        match rng.below(10) {
            0..=2 => text.push_str(&sums::lines(module)),
            3..=4 => text.extend(
                sums::lines(module)
                    .lines()
                    .last()
                    .map(|line| format!("{line}\n")),
            ),
            _ => {}
        }
    }
    if rng.percent(2) {
        text = text.replacen("h1:", "h1:0", 1);
    }
    text
}
