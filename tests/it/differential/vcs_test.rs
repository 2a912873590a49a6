//! The repositories of go's own tests, made by the scripts that come with go, and asked as its test
//! scripts `mod_get_*`, `mod_list_*`, `reuse_*` and `govcs` ask them.

use std::fs;
use std::process::Command;

use super::direct_kinds::{GITS, compare};
use super::direct_reuse::both;
use crate::support::forge::has_program;
use crate::support::go::{only_modfetch, require_go};
use crate::support::hg_server::HgServer;
use crate::support::{Forge, vcs_script};

const HOST: &str = "vcs-test.golang.org";

/// What the test scripts ask for below the root of a repository.
const BELOW: &[(&str, &[&str])] = &[
    ("git/empty-v2-without-v1", &["v2"]),
    ("git/gitreposubdir", &["foo/subdir"]),
    ("git/gitreposubdirv2", &["subdir", "subdir/v2"]),
    ("git/hello", &["v9", "sub/v9"]),
    ("git/issue47650", &["cmd/issue47650"]),
    ("git/issue61415", &["nested"]),
    ("git/odd-tags", &["v2", "v3"]),
    ("git/prefixtagtests", &["sub"]),
    ("git/querytest", &["v2"]),
    ("git/v2repo", &["v2"]),
    ("git/v2sub", &["v2"]),
    ("git/v3pkg", &["v3"]),
    ("git/vgotest1", &["v2", "submod"]),
];

/// Makes the repositories of a system that are wanted; their names.
fn make(vcs: &str, forge: &Forge, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let Some(scripts) = vcs_script::folder() else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(scripts.join(vcs)).unwrap().flatten() {
        let name = entry
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let folder = match vcs {
            "git" => forge.repository(&name),
            _ => forge.repository("hg").join(&name),
        };
        fs::create_dir_all(&folder).unwrap();
        vcs_script::run(&fs::read_to_string(entry.path()).unwrap(), &folder);
        // One of them is missing on purpose.
        if folder.join(format!(".{vcs}")).is_dir() {
            names.push(name);
        }
    }
    names.sort();
    assert!(names.len() > 1, "{names:?}");
    names
}

/// Puts to both: the versions, and everything that a tag or branch is named, and more.
fn compare_repository(forge: &Forge, gits: &[&str], place: &str, refs: &[String]) {
    let (vcs, _) = place.split_once('/').unwrap();
    let root = format!("{HOST}/{place}.{vcs}");
    let below = BELOW.iter().find(|(name, _)| *name == place);
    let below = below.map_or(&[][..], |(_, below)| *below).iter();
    let paths = std::iter::once(root.clone()).chain(below.map(|path| format!("{root}/{path}")));
    for path in paths {
        compare(forge, gits, &["list", "-m", "-versions", &path]);
        let others = ["latest", "nonexist", "v0.0.0-20220101120101-123456789abc"];
        let asked = refs.iter().map(String::as_str).chain(others);
        let asked: Vec<String> = asked.map(|name| format!("{path}@{name}")).collect();
        let command = ["download", "-json"].into_iter();
        let all: Vec<&str> = command.chain(asked.iter().map(String::as_str)).collect();
        compare(forge, gits, &all);
    }
}

/// Tags and branches without the folders that they are in, and HEAD's hash.
fn git_refs(forge: &Forge, name: &str) -> Vec<String> {
    let say = |arguments: &[&str]| {
        let ran = Command::new("git")
            .args(arguments)
            .current_dir(forge.repository(name))
            .output();
        String::from_utf8(ran.unwrap().stdout).unwrap()
    };
    let refs = say(&[
        "for-each-ref",
        "--format=%(refname:short)",
        "refs/heads",
        "refs/tags",
    ]);
    let mut names: Vec<String> = refs
        .lines()
        .filter_map(|name| name.rsplit('/').next())
        .map(str::to_owned)
        .collect();
    // Also a commit that may have no name.
    let hashes = say(&["rev-list", "--all", "--max-count=2"]);
    names.extend(hashes.lines().map(|hash| hash[..12].to_owned()));
    // For such a query go reads the tags that begin with it and no others. It then offers versions
    // without go.mod beside newer ones with go.mod, which it does not list.
    let is_prefix = |name: &str| name.starts_with('v') && name.matches('.').count() < 2;
    names.retain(|name| !is_prefix(name));
    names.sort();
    names.dedup();
    names
}

/// Every third repository, so that three tests share the work.
fn compare_git(part: usize) {
    require_go!();
    only_modfetch!();
    let forge = Forge::start();
    for name in make("git", &forge, |_| true).iter().skip(part).step_by(3) {
        let refs = git_refs(&forge, name);
        compare_repository(&forge, GITS, &format!("git/{name}"), &refs);
    }
}

#[test]
fn repositories_of_gos_tests_are_as_by_go() {
    compare_git(0);
}

#[test]
fn repositories_of_gos_tests_second_part_are_as_by_go() {
    compare_git(1);
}

#[test]
fn repositories_of_gos_tests_third_part_are_as_by_go() {
    compare_git(2);
}

#[test]
fn mercurial_repositories_of_gos_tests_are_as_by_go() {
    require_go!();
    only_modfetch!();
    if !has_program("hg") {
        return;
    }
    let forge = Forge::start();
    let names = make("hg", &forge, |name| ["hello", "tagtests"].contains(&name));
    if names.is_empty() {
        return;
    }
    let server = HgServer::start(&forge.repository("hg"));
    forge.serve_hg(&server);
    let refs = ["v0.2.1", "v0.2.2", "default", "v0.9.0"].map(str::to_owned);
    compare_repository(&forge, &["program"], "hg/tagtests", &refs);
    // `reuse_hg`: what has not changed is not asked for again.
    for asked in ["hello.hg@latest", "tagtests.hg@v0.2.2"] {
        let command = ["download", "-json", &format!("{HOST}/hg/{asked}")];
        let first = both(&forge, &command, None, "program");
        both(&forge, &command, Some(&first), "program");
        let changed = first
            .replace("r1:", "r1:x")
            .replace("\"Hash\": \"", "\"Hash\": \"0");
        assert_ne!(changed, first);
        both(&forge, &command, Some(&changed), "program");
    }
}
