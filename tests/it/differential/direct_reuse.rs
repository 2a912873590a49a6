//! `-reuse` of what comes from repositories: taken over where go takes it over, and asked again where
//! something has changed.

use std::fs;

use crate::commands::json::without_extra;
use crate::support::go::{only_modfetch, require_go};
use crate::support::{Forge, Sandbox};

const PLAIN: &str = "
printf 'module v.test/hello\\n' > go.mod; echo 'package hello' > h.go; commit one; commit two
";

const TAGGED: &str = "
printf 'module v.test/tags\\n' > go.mod; mkdir sub; printf 'module v.test/tags/sub\\n' > sub/go.mod
echo 'package tags' > t.go; commit one; git tag v0.2.1; git tag sub/v0.0.9; commit two
git tag v0.2.2; git tag sub/v0.0.10; commit three
";

fn forge() -> Forge {
    let forge = Forge::start();
    let below = &["v9", "sub/v9"];
    forge.git("hello", PLAIN).import_git("hello", below);
    forge.git("tags", TAGGED).import_git("tags", &["sub"]);
    forge
}

/// What a run printed, with the path of its cache cut out.
fn said(sandbox: &Sandbox, stdout: &str) -> String {
    let cache = sandbox.cache().display().to_string();
    without_extra(stdout).replace(&cache, "CACHE")
}

/// Runs both in empty caches, with what an earlier run printed; returns what go printed.
#[track_caller]
pub fn both(forge: &Forge, command: &[&str], old: Option<&str>, git: &str) -> String {
    let with = |sandbox: Sandbox| match old {
        Some(old) => sandbox.file("old.json", old),
        None => sandbox,
    };
    let (ours, gos) = (
        with(forge.sandbox().env("MODFETCH_GIT", git)),
        with(forge.sandbox()),
    );
    let mut line = command.to_vec();
    if old.is_some() {
        line.insert(if line[0] == "list" { 2 } else { 1 }, "-reuse=old.json");
    }
    let by_us = ours.run(line.iter().copied());
    let by_go = match line[0] {
        "list" => gos.go(line.iter().copied()),
        _ => gos.go(["mod"].into_iter().chain(line.iter().copied())),
    };
    let (got, wanted) = (said(&ours, &by_us.stdout), said(&gos, &by_go.stdout));
    by_us.demand(got == wanted, &format!("{line:?}: wanted\n{wanted}"));
    let same = (by_us.code == Some(0)) == (by_go.code == Some(0));
    by_us.demand(same, &format!("as go: {}", by_go.stderr));
    let fetched = |sandbox: &Sandbox| {
        let clones = fs::read_dir(sandbox.cached("cache/vcs"));
        let mut clones = clones.into_iter().flatten().flatten();
        clones.any(|entry| entry.path().is_dir())
    };
    let reused = wanted.contains("\"Reuse\": true");
    by_us.demand(!(reused && fetched(&ours)), "what is reused is not fetched");
    by_go.stdout
}

/// Once without an earlier run, then with what that run printed, as it is and with each change.
fn rounds(git: &str) {
    require_go!();
    only_modfetch!();
    let forge = forge();
    let hash = |name: &str| {
        let output = std::process::Command::new("git")
            .args(["rev-parse", name])
            .current_dir(forge.repository("hello"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (main, unknown) = (hash("main"), "1".repeat(40));
    let pseudo = format!("v0.0.0-20200126005322-{}", &main[..12]);
    let asked: &[(&str, &[(&str, &str)])] = &[
        ("v.test/hello@latest", &[("\"t1:", "\"t1:x")]),
        (&format!("v.test/hello@{pseudo}"), &[]),
        (&format!("v.test/hello@{}", &main[..12]), &[]),
        ("v.test/hello/v9@latest", &[]),
        ("v.test/hello/sub/v9@latest", &[]),
        ("v.test/hello@nonexist", &[("\"r1:", "\"r1:x")]),
        (&format!("v.test/hello@{unknown}"), &[]),
        ("v.test/hello@v0.0.0-20220101120101-123456789abc", &[]),
        ("v.test/tags@latest", &[]),
        (
            "v.test/tags@v0.2.2",
            &[
                ("git/tags\"", "git/other\""),
                ("\"VCS\": \"git\"", "\"VCS\": \"hg\""),
                ("\t\t\"Ref\"", "\t\t\"Subdir\": \"sub\",\n\t\t\"Ref\""),
                ("\"Hash\": \"", "\"Hash\": \"0"),
            ],
        ),
        ("v.test/tags@main", &[]),
        ("v.test/tags/sub@latest", &[]),
    ];
    let mut all = String::new();
    for (asked, changes) in asked {
        let command = ["download", "-json", asked];
        let first = both(&forge, &command, None, git);
        all.push_str(&first);
        both(&forge, &command, Some(&first), git);
        for (from, to) in *changes {
            let changed = first.replace(from, to);
            assert_ne!(changed, first, "{from}");
            both(&forge, &command, Some(&changed), git);
        }
    }
    let several: Vec<&str> = ["download", "-json"]
        .into_iter()
        .chain(asked.iter().map(|(asked, _)| *asked))
        .collect();
    both(&forge, &several, Some(&all), git);
}

#[test]
fn reuse_of_repositories_by_the_program_is_as_by_go() {
    rounds("program");
}

#[test]
fn reuse_of_repositories_by_the_builtin_client_is_as_by_go() {
    rounds("builtin");
}
