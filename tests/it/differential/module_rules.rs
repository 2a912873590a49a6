//! The rules for paths, versions and patterns, one named line of `testdata/hostile/module/` each:
//! modfetch answers as it says there, and so does golang/mod. And which settings go knows.

use std::fs;
use std::path::{Path, PathBuf};

use modfetch::internals::gomod::GoVersion;
use modfetch::internals::gomod::compat::{GODEBUG_SETTINGS, GodebugSetting};
use modfetch::internals::gomod::{
    PrefixPatterns, canonical, check_file_path, check_import_path, check_module_path,
    escape_version, is_pseudo_version, split_path_version,
};
use modfetch::{ModulePath, ModuleVersion};

use crate::support::go::{ask, with_golang_mod};
use crate::support::skips;
use crate::support::{Sandbox, require_go};

struct Rule {
    /// The function of golang/mod's `module`.
    function: String,
    name: String,
    /// Each as a Go string literal, which JSON reads as well.
    inputs: Vec<String>,
    /// `ok`, `= RESULT`, `refused` or `refused: TEXT`.
    want: String,
}

fn rules() -> Vec<Rule> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/hostile/module");
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut rules = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.splitn(3, " | ").map(str::to_owned);
            let mut part = || parts.next().unwrap_or_else(|| panic!("{line}"));
            let (name, inputs, want) = (part(), part(), part());
            rules.push(Rule {
                function: file.file_stem().unwrap().to_str().unwrap().to_owned(),
                name,
                inputs: inputs
                    .split_inclusive("\" ")
                    .map(|input| input.trim().to_owned())
                    .collect(),
                want,
            });
        }
    }
    assert!(rules.len() > 200, "only {} rules", rules.len());
    rules
}

fn said<T>(result: modfetch::Result<T>, shown: impl Fn(T) -> String) -> String {
    match result {
        Ok(value) => shown(value),
        Err(error) => format!("refused: {}", error.chain()),
    }
}

fn ours(function: &str, inputs: &[String]) -> String {
    let ok = |()| "ok".to_owned();
    match (function, inputs) {
        ("CheckPath", [path]) => said(check_module_path(path), ok),
        ("CheckImportPath", [path]) => said(check_import_path(path), ok),
        ("CheckFilePath", [path]) => said(check_file_path(path), ok),
        ("Check", [path, version]) => {
            // What is no canonical version is no version here; golang/mod takes v1.2.
            let version = canonical(version).unwrap_or_else(|| version.clone());
            let module =
                check_module_path(path).and_then(|()| ModuleVersion::parse(path, &version));
            said(module, |_| "ok".to_owned())
        }
        ("EscapePath", [path]) => {
            let escaped = ModulePath::parse(path).and_then(|path| path.escape());
            said(escaped, |escaped| format!("= {:?}", escaped.as_str()))
        }
        ("EscapeVersion", [version]) => {
            said(escape_version(version), |escaped| format!("= {escaped:?}"))
        }
        ("CanonicalVersion", [version]) => {
            format!("= {:?}", canonical(version).unwrap_or_default())
        }
        ("SplitPathVersion", [path]) => match split_path_version(path) {
            Some((prefix, major)) => format!("= {prefix:?} {major:?}"),
            None => "refused".to_owned(),
        },
        ("IsPseudoVersion", [version]) => format!("= {}", is_pseudo_version(version)),
        ("MatchPrefixPatterns", [globs, path]) => {
            format!("= {}", PrefixPatterns::parse(globs).matches(path))
        }
        _ => panic!("{function} of {inputs:?}"),
    }
}

/// Rules that are kept in other words: what is no version is told as go.mod's parser tells it; a
/// mark that would sit on the quote before it is escaped; golang/mod speaks of an internal error.
const OTHER_TEXT: &[&str] = &[
    "not-semver",
    "empty-version",
    "leading-zero-version",
    "combining-mark",
    "letter-in-version",
];

/// Where only the reason at the end is the same: golang/mod names the subject in another way.
fn reason(text: &str) -> &str {
    text.rsplit(": ").next().unwrap_or(text)
}

#[test]
fn module_rules_table_holds() {
    let mut wrong = String::new();
    for rule in rules() {
        let inputs = rule.inputs.iter().map(|input| serde_json::from_str(input));
        let inputs: Vec<String> = inputs.map(|input| input.expect(&rule.name)).collect();
        let got = ours(&rule.function, &inputs);
        let refused = rule.want.starts_with("refused: ");
        let same = if refused && OTHER_TEXT.contains(&&*rule.name) {
            got.starts_with("refused: ")
        } else if refused && rule.function == "Check" {
            got.starts_with("refused: ") && reason(&got) == reason(&rule.want)
        } else {
            got == rule.want
        };
        if !same {
            let Rule {
                function,
                name,
                want,
                ..
            } = rule;
            wrong += &format!("{function} {name}: {got}\n   want: {want}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn module_rules_table_matches_golang_mod() {
    let go = require_go!();
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let rules = rules();
    let line = |rule: &Rule| format!("{}\t{}\n", rule.function, rule.inputs.join("\t"));
    let questions: String = rules.iter().map(line).collect();
    let source = include_str!("module_rules.go");
    let oracle = with_golang_mod(&go, here, &["module", "semver"], source);
    let answers = ask(oracle, &questions);
    assert_eq!(answers.lines().count(), rules.len());
    for (rule, answer) in rules.iter().zip(answers.lines()) {
        let answer: String = serde_json::from_str(answer).expect(answer);
        assert_eq!(answer, rule.want, "{} {}", rule.function, rule.name);
    }
}

/// The settings of `godebug` lines that the installed go knows, and took away, as its source has them.
#[test]
fn godebug_settings_match_go() {
    require_go!();
    let go = Sandbox::new().go(["env", "GOROOT", "GOVERSION"]);
    let (root, version) = go.ok().stdout.split_once('\n').unwrap();
    let version = GoVersion::of_toolchain(version.trim()).unwrap();
    if version.is_newer_than_known() || !version.at_least("1.26") {
        skips::record(&format!("go is {version}"));
        return;
    }
    let table = Path::new(root).join("src/internal/godebugs/table.go");
    let table = fs::read_to_string(table).unwrap();
    let (known, rest) = table.split_once("type RemovedInfo").unwrap();
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim_start);
        let named = lines.filter_map(|line| line.strip_prefix("{Name: \"")?.split('"').next());
        named.map(str::to_owned).collect()
    };
    let settings = GODEBUG_SETTINGS.iter();
    let ours = settings.filter(|setting| setting.is_known_to(&version));
    let ours: Vec<&str> = ours.map(|setting| setting.name).collect();
    assert_eq!(names(known), ours);
    let mut removed = names(rest);
    removed.sort();
    for name in &removed {
        let setting = GodebugSetting::of(name).unwrap();
        assert!(!setting.is_known_to(&version), "{name}");
    }
}
