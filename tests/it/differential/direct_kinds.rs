//! Repositories of every kind that go's own tests know, made anew: odd tags, branches named like
//! versions, folders of major versions, retractions, histories that were rewritten.

use std::collections::BTreeMap;
use std::fs;

use crate::commands::json::without_extra;
use crate::support::go::{only_modfetch, require_go};
use crate::support::{Forge, Sandbox};

/// Name, folders below it that are modules, and how it is made.
const KINDS: &[(&str, &[&str], &str)] = &[
    (
        "oddtags",
        &["v2", "v3"],
        "echo text > README; commit one; git tag v2.0.0+incompatible
         git rm -q README; printf 'module v.test/oddtags\\n\\ngo 1.18\\n' > go.mod; commit two
         git tag v0.1.0+build-metadata; git tag v0.2; git tag 1.0.0; git tag v0.1.0.0
         git checkout -q -b v3-dev; printf 'module v.test/oddtags/v3\\n' > go.mod; commit three
         git tag v3.0.0-20200126005321-000000000000; git checkout -q main",
    ),
    (
        "v2sub",
        &["v2"],
        "mkdir v2; echo 'package v2sub' > v2sub.go; printf 'module v.test/v2sub/v2\\n' > v2/go.mod
         echo 'package v2sub' > v2/v2sub.go; commit one; git tag v2.0.0; echo x > x.txt; commit two",
    ),
    (
        "branches",
        &[],
        "mkdir pkg; printf 'module v.test/branches\\n' > go.mod; echo 'package pkg' > pkg/p.go
         commit one; git tag v0.1.0; git branch v2.0.0; git checkout -q -b v1.0.0; echo x > x.txt
         commit two; git checkout -q -b v3.0.0-devel; echo y > y.txt; commit three
         git tag v4.0.0-beta.1; git checkout -q main",
    ),
    (
        "aftertag",
        &[],
        "printf 'module v.test/aftertag\\n' > go.mod; commit one; git tag v1.0.0; echo x > x.txt
         commit two",
    ),
    (
        "retracted",
        &[],
        "printf 'module v.test/retracted\\n\\ngo 1.16\\n\\nretract v1.0.0\\n' > go.mod; commit one
         git tag v1.0.0; echo x > x.txt; commit two",
    ),
    (
        "retractall",
        &[],
        "printf 'module v.test/retractall\\n' > go.mod; commit one; git tag v1.0.0; commit two
         git tag v1.1.0; printf 'module v.test/retractall\\n\\n// all wrong\\nretract [v1.0.0, v1.2.0]\\n' > go.mod
         commit three; git tag v1.2.0",
    ),
    (
        "emptyv2",
        &["v2"],
        "printf 'module v.test/emptyv2/v2\\n\\ngo 1.14\\n' > go.mod; commit one; git tag v2.0.0",
    ),
    (
        "legacy",
        &["v2"],
        "echo 'package legacy' > x.go; commit one; git tag v1.0.0; echo '// x' >> x.go; commit two
         git tag v2.0.0; echo '// y' >> x.go; commit three; git checkout -q v1.0.0
         echo '// a' >> x.go; commit four; git tag v1.1.0-pre; echo '// b' >> x.go; commit five
         git tag v1.2.0; echo '// c' >> x.go; commit six; git tag morework; git checkout -q main",
    ),
    (
        "prefix",
        &["sub", "sub/v2"],
        "mkdir sub; printf 'module v.test/prefix/sub\\n' > sub/go.mod; echo 'package sub' > sub/s.go
         commit one; git tag v0.0.1; git tag sub/v0.0.9; commit two; git tag v0.0.2
         git tag sub/v0.0.10; git tag sub/v0.0.1-rc.1; commit three; git tag v0.0.3",
    ),
    (
        "notags",
        &[],
        "printf 'module v.test/notags\\n' > go.mod; commit one; commit two; git branch other",
    ),
    (
        "merged",
        &[],
        "printf 'module v.test/merged\\n' > go.mod; commit one; git tag v0.1.0
         git checkout -q -b side; echo s > s.txt; commit two; git tag v0.5.0-rc.1
         git checkout -q main; echo m > m.txt; commit three
         GIT_COMMITTER_DATE='1580000099 +0000' GIT_AUTHOR_DATE='1580000099 +0000' \
         git merge -q --no-ff -m merge side; echo x > x.txt; commit four",
    ),
];

fn forge(kind: &(&str, &[&str], &str)) -> Forge {
    let forge = Forge::start();
    let (name, below, script) = kind;
    forge.git(name, script).import_git(name, below);
    forge
}

/// What both say, with the path of their caches cut out, and without origins: what go says there of one
/// of several queries depends on the others of the same run. `direct` and `direct_reuse` compare
/// origins, one query a run.
fn said(sandbox: &Sandbox, text: &str) -> String {
    let cache = sandbox.cache().display().to_string();
    let mut lines: Vec<String> = Vec::new();
    let mut within = false;
    for line in text.replace(&cache, "CACHE").lines() {
        if line == "\t\"Origin\": {" {
            within = true;
        }
        match line {
            "\t}" | "\t}," if within => within = false,
            "}" => {
                let last = lines.pop().unwrap_or_default();
                lines.push(last.trim_end_matches(',').to_owned());
                lines.push("}".to_owned());
            }
            _ if within => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// The names in a zip, in their order.
fn entries(sandbox: &Sandbox, zip: &str) -> Vec<String> {
    let file = fs::File::open(sandbox.cached(zip)).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut names = Vec::new();
    for place in 0..archive.len() {
        names.push(
            archive
                .by_index_raw(place)
                .unwrap()
                .name()
                .unwrap()
                .into_owned(),
        );
    }
    names
}

/// How modfetch asks git repositories.
pub const GITS: &[&str] = &["program", "builtin"];

/// Runs one command in empty caches: by go, and by modfetch with each of `gits`.
#[track_caller]
pub fn compare(forge: &Forge, gits: &[&str], command: &[&str]) {
    let gos = forge.sandbox();
    let is_list = command[0] == "list";
    let by_go = match is_list {
        true => gos.go(command.iter().copied()),
        false => gos.go(["mod"].into_iter().chain(command.iter().copied())),
    };
    let wanted = said(&gos, &by_go.stdout);
    for git in gits {
        let ours = forge.sandbox().env("MODFETCH_GIT", git);
        let by_us = ours.run(command.iter().copied());
        let got = match is_list {
            true => said(&ours, &by_us.stdout),
            false => said(&ours, &without_extra(&by_us.stdout)),
        };
        let asked = format!("{command:?} by {git}");
        let text = format!("{asked}: wanted\n{wanted}\n{}", by_go.stderr);
        by_us.demand(got == wanted, &text);
        let same = (by_us.code == Some(0)) == (by_go.code == Some(0));
        by_us.demand(same, &format!("{asked} as go: {}", by_go.stderr));
        if !is_list {
            compare_files(&ours, &gos, &asked);
        }
    }
}

/// Of what does not exist go leaves folders and locks; the files of what exists are the same.
#[track_caller]
fn compare_files(ours: &Sandbox, gos: &Sandbox, asked: &str) {
    let files = |sandbox: &Sandbox| -> BTreeMap<String, String> {
        let ends = [".info", ".mod", ".ziphash"];
        let picture = sandbox.picture();
        let paths = picture.paths().into_iter();
        let paths = paths.filter(|path| path.starts_with("cache/download/"));
        let paths = paths.filter(|path| ends.iter().any(|end| path.ends_with(end)));
        let read = |path: &str| {
            let data = fs::read_to_string(sandbox.cached(path)).unwrap();
            match data.split_once(",\"Origin\"") {
                Some((before, _)) if path.ends_with(".info") => before.to_owned(),
                _ => data,
            }
        };
        paths.map(|path| (path.to_owned(), read(path))).collect()
    };
    assert_eq!(files(ours), files(gos), "{asked}");
    let picture = gos.picture();
    for zip in picture.paths() {
        if zip.ends_with(".zip") {
            assert_eq!(entries(ours, zip), entries(gos, zip), "{asked}");
        }
    }
}

/// Puts to both what can be asked of a repository: its versions, its newest, its branches and tags.
fn compare_kinds(kinds: &[(&str, &[&str], &str)]) {
    require_go!();
    only_modfetch!();
    for kind in kinds {
        let forge = forge(kind);
        let (name, below, _) = kind;
        let refs = std::process::Command::new("git")
            .args(["for-each-ref", "--format=%(refname:short)"])
            .current_dir(forge.repository(name))
            .output()
            .unwrap();
        let refs = String::from_utf8(refs.stdout).unwrap();
        let paths = std::iter::once(format!("v.test/{name}"));
        let paths = paths.chain(below.iter().map(|sub| format!("v.test/{name}/{sub}")));
        for path in paths {
            let versions = ["list", "-m", "-versions", &path];
            compare(&forge, GITS, &versions);
            let with_retracted = ["list", "-m", "-retracted", "-versions", &path];
            compare(&forge, GITS, &with_retracted);
            let mut asked = vec!["latest".to_owned(), "HEAD".to_owned(), "v1".to_owned()];
            asked.extend(["<v1.0.0", ">=v0.1.0", "v0", "nothing"].map(str::to_owned));
            asked.extend(refs.lines().map(|name| {
                let last = name.rsplit('/').next().unwrap_or(name);
                last.to_owned()
            }));
            asked.sort();
            asked.dedup();
            let asked: Vec<String> = asked.iter().map(|one| format!("{path}@{one}")).collect();
            // One run for all: each of them is an object of its own.
            let all: Vec<&str> = ["download", "-json"]
                .into_iter()
                .chain(asked.iter().map(String::as_str))
                .collect();
            compare(&forge, GITS, &all);
        }
    }
}

#[test]
fn repositories_of_odd_names_are_as_by_go() {
    compare_kinds(&KINDS[..4]);
}

#[test]
fn repositories_of_branches_like_versions_are_as_by_go() {
    compare_kinds(&KINDS[4..8]);
}

#[test]
fn repositories_of_odd_content_are_as_by_go() {
    compare_kinds(&KINDS[8..]);
}

/// A tag that was moved after caching, a branch whose history was rewritten, a branch that is gone.
#[test]
fn repositories_that_change_are_seen_as_by_go() {
    require_go!();
    only_modfetch!();
    for git in ["program", "builtin"] {
        let forge = Forge::start();
        let script = "printf 'module v.test/moved\\n' > go.mod; commit one; git tag v1.0.0
            echo x > x.txt; commit two; git branch side; git branch gone";
        forge.git("moved", script).import_git("moved", &[]);
        let (ours, gos) = (forge.sandbox().env("MODFETCH_GIT", git), forge.sandbox());
        let compare = |asked: &str| {
            let by_us = ours.run(["download", "-json", asked]);
            let by_go = gos.go(["mod", "download", "-json", asked]);
            let got = said(&ours, &without_extra(&by_us.stdout));
            let wanted = said(&gos, &by_go.stdout);
            by_us.demand(
                got == wanted,
                &format!("{asked} by {git}: wanted\n{wanted}"),
            );
        };
        compare("v.test/moved@v1.0.0");
        compare("v.test/moved@side");
        forge.git(
            "moved",
            "git checkout -q --orphan anew; echo new > new.txt; commit three; git tag -f v1.0.0
             git branch -f side; git branch -D gone; git branch -M anew main",
        );
        for asked in ["v1.0.0", "side", "gone", "main", "latest"] {
            compare(&format!("v.test/moved@{asked}"));
        }
    }
}
