//! `cache prune`: each rule, and that go goes on with what is left.

use std::fs;

use modfetch::internals::fsio::FileLock;

use super::{age_cache, age_version, filled};
use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, require_go};

/// A cache with two projects' modules, a version that neither needs, and things of other kinds; nothing
/// was used for 40 days.
fn world(proxy: &Proxy) -> Sandbox {
    let other = "module example.com/other\n\ngo 1.21\n\nrequire example.com/calc v1.0.0\n";
    let sandbox = filled(proxy).file("other/go.mod", other);
    sandbox.run(["download", "-C", "other"]).ok();
    // The first is in the graph of the project as well, the second in none.
    let others = [
        "download",
        "example.com/text@v1.0.0",
        "example.com/words@v1.0.0",
    ];
    sandbox.run(others).ok();
    let put = |path: &str| {
        let path = sandbox.cached(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![b'x'; 5000]).unwrap();
    };
    put("cache/vcs/0123/objects/pack");
    put("cache/vcs/0123.info");
    put("cache/download/sumdb/sum.example.com/tile/8/0/000");
    put("golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64/bin/go");
    put("cache/download/golang.org/toolchain/@v/v0.0.1-go1.26.0.linux-amd64.zip");
    age_cache(sandbox.cache(), 40);
    sandbox
}

/// The names that a dry run prints, with what goes of each.
fn planned(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let all = ["cache", "prune", "-n"].iter().chain(arguments).copied();
    let run = sandbox.run(all);
    let lines = run.ok().stdout.lines();
    let lines = lines.map(|line| {
        let words: Vec<&str> = line.split('\t').collect();
        let bytes: u64 = words[1].parse().expect("a number of bytes");
        assert!(bytes > 0 || words[2] == "directory", "{line}");
        format!("{} {}", words[0], words[2])
    });
    lines.collect()
}

#[test]
fn prune_without_rule_removes_nothing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    let before = sandbox.picture();
    sandbox
        .run(["cache", "prune"])
        .fails(2)
        .stderr_has("modfetch: nothing says what may go");
    sandbox
        .run(["cache", "prune", "--only", "extracted"])
        .fails(2);
    for bad in [
        ["--older", "30"],
        ["--older", "-1d"],
        ["--max-size", "much"],
        ["--grace", "1x"],
        ["--only", "some"],
        ["--zips", "--vcs"],
        ["--ci", "--older=1d"],
        ["--ci", "example.com/..."],
    ] {
        sandbox
            .run(["cache", "prune"].iter().chain(&bad).copied())
            .fails(2)
            .stdout("");
    }
    sandbox.picture().assert_same(&before, "before and after");
}

#[test]
fn prune_by_age_removes_what_was_not_used() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    assert!(planned(&sandbox, &["--older", "41d"]).is_empty());
    let all = planned(&sandbox, &["--older", "30d"]);
    assert!(
        all.contains(&"example.com/words@v1.0.0 all".to_owned()),
        "{all:?}"
    );
    assert!(
        !all.iter()
            .any(|line| line.contains("toolchain") || line.starts_with("vcs")),
        "{all:?}"
    );
    // What a download uses stays: the build list, and the go.mod of the graph.
    sandbox.run(["download"]).ok();
    let want = [
        "example.com/calc@v1.0.0 all",
        "example.com/text@v1.0.0 zip and directory",
        "example.com/words@v1.0.0 all",
    ];
    assert_eq!(planned(&sandbox, &["--older", "30d"]), want);
    let run = sandbox.run(["cache", "prune", "--older", "30d"]);
    run.ok().stdout("").stderr_has("modfetch: freed ");
    for gone in [
        "example.com/calc@v1.0.0",
        "example.com/words@v1.0.0",
        "cache/download/example.com/calc/@v/v1.0.0.mod",
        "cache/download/example.com/text/@v/v1.0.0.zip",
        "cache/download/example.com/words/@v/v1.0.0.mod",
    ] {
        assert!(!sandbox.cached(gone).exists(), "{gone}");
    }
    assert!(
        sandbox
            .cached("cache/download/example.com/calc/@v/v1.0.0.lock")
            .exists()
    );
    let list = sandbox.cached("cache/download/example.com/calc/@v/list");
    assert_eq!(fs::read_to_string(list).unwrap(), "");
    assert!(planned(&sandbox, &["--older", "30d"]).is_empty());
    sandbox.run(["verify"]).ok();
    sandbox.run(["download", "--offline"]).ok();
}

#[test]
fn prune_keeps_what_projects_need() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    let unneeded = planned(&sandbox, &["--keep-from", ".", "--keep-from", "other"]);
    let want = [
        "example.com/text@v1.0.0 zip and directory",
        "example.com/words@v1.0.0 all",
    ];
    assert_eq!(unneeded, want);
    let run = sandbox.run(["cache", "prune", "--keep-from", "go.mod", "-json"]);
    run.ok().stdout_has("\"Path\": \"example.com/calc\",");
    run.stdout_has("\"Reason\": \"not needed\",");
    run.stdout_has("\"Removed\": true");
    sandbox.run(["download", "--offline"]).ok();
    sandbox.run(["graph", "--offline"]).ok();
    sandbox
        .run(["download", "--offline", "-C", "other"])
        .fails(11);
}

#[test]
fn prune_for_ci_leaves_what_the_project_needs_in_one_form() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    for (form, gone, kept) in [
        (
            "--zips",
            "example.com/greet@v1.1.0",
            "cache/download/example.com/greet/@v/v1.1.0.zip",
        ),
        (
            "--trees",
            "cache/download/example.com/greet/@v/v1.1.0.zip",
            "example.com/greet@v1.1.0",
        ),
    ] {
        let sandbox = world(&proxy);
        // All of it was used just now, which is no reason to carry it on.
        sandbox.run(["download"]).ok();
        sandbox.run(["cache", "prune", "--ci", form]).ok();
        assert!(
            sandbox.cached(kept).exists() && !sandbox.cached(gone).exists(),
            "{form}"
        );
        for other in [
            "example.com/words@v1.0.0",
            "example.com/calc@v1.0.0",
            "cache/vcs/0123",
            "cache/vcs/0123.info",
            "cache/download/sumdb/sum.example.com",
            "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64",
        ] {
            assert!(!sandbox.cached(other).exists(), "{form} {other}");
        }
        let build = sandbox.env("GOPROXY", "off");
        build.go(["build", "-o", "hello.out", "."]).ok();
        build.go(["mod", "graph"]).ok();
        build.go(["mod", "verify"]).ok();
    }
}

#[test]
fn prune_levels_leave_what_go_builds_from() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy).env("GOPROXY", "off");
    let build = || {
        sandbox.go(["build", "-o", "hello.out", "."]).ok();
    };
    build();
    for only in ["extracted", "zips", "extracted", "zips"] {
        age_cache(sandbox.cache(), 40);
        sandbox
            .run(["cache", "prune", "--older", "30d", "--only", only])
            .ok();
        let (zip, tree) = (
            sandbox
                .cached("cache/download/example.com/greet/@v/v1.1.0.zip")
                .exists(),
            sandbox.cached("example.com/greet@v1.1.0").exists(),
        );
        // After the zips, directories stay: nothing could make them again.
        let want = match only {
            "extracted" if zip => (true, false),
            "extracted" => (false, true),
            _ => (false, true),
        };
        assert_eq!((zip, tree), want, "{only}");
        build();
    }
}

#[test]
fn prune_to_a_size_takes_the_least_recently_used_first() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    age_version(sandbox.cache(), "example.com/greet@v1.1.0", 90);
    age_version(sandbox.cache(), "example.com/many@v1.0.0", 80);
    // The index takes space, too, when it is there.
    sandbox.run(["cache", "list"]).ok();
    let run = sandbox.run(["cache", "du", "-json", "--scan"]);
    let total = run
        .ok()
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"Bytes\": "));
    let total: u64 = total.unwrap().trim_end_matches(',').parse().unwrap();
    let to = |freed: u64| (total - freed).to_string();
    assert!(planned(&sandbox, &["--max-size", &(total + 8192).to_string()]).is_empty());
    // As much as greet takes, and no more than the index may have grown.
    let first = planned(&sandbox, &["--max-size", &to(9000)]);
    assert_eq!(first, ["example.com/greet@v1.1.0 directory"]);
    let run = sandbox.run(["cache", "prune", "--max-size", &to(30_000)]);
    run.ok();
    assert!(!sandbox.cached("example.com/greet@v1.1.0").exists());
    assert!(!sandbox.cached("example.com/many@v1.0.0").exists());
    let run = sandbox.run(["cache", "prune", "--max-size", "1", "-n"]);
    run.ok().stderr_has(" above --max-size: ");
}

#[test]
fn prune_by_name_spares_what_is_in_use() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    let calc = ["cache", "prune", "example.com/calc@v1.0.0"];
    let lock = sandbox.cached("cache/download/example.com/calc/@v/v1.0.0.lock");
    let held = FileLock::acquire(&lock).unwrap();
    let run = sandbox.run(calc);
    run.ok()
        .stderr_has("example.com/calc@v1.0.0: stays: another process holds its lock");
    assert!(sandbox.cached("example.com/calc@v1.0.0/go.mod").exists());
    drop(held);
    sandbox.run(["download", "-C", "other"]).ok();
    let run = sandbox.run(calc);
    run.ok()
        .stderr_has("1 versions stay because they were used within the time of --grace");
    assert!(sandbox.cached("example.com/calc@v1.0.0/go.mod").exists());
    sandbox
        .run(["cache", "prune", "--grace", "0", "example.com/calc@v1.0.0"])
        .ok();
    assert!(!sandbox.cached("example.com/calc@v1.0.0").exists());
    assert!(sandbox.cached("example.com/calc/v2@v2.1.0").exists());
    let run = sandbox.run(["cache", "prune", "example.com/none"]);
    run.ok()
        .stderr_has("\"example.com/none\" matched no version");
}

#[test]
fn prune_beside_another_one_ends_with_a_word() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    let before = sandbox.picture();
    // Taking a picture is a use.
    age_cache(sandbox.cache(), 40);
    let held = FileLock::acquire(&sandbox.cached("cache/modfetch/prune.lock")).unwrap();
    let run = sandbox.run(["cache", "prune", "--older", "30d"]);
    run.ok()
        .stdout("")
        .stderr("modfetch: another prune of this cache is running: nothing to do\n");
    // A dry run needs no turn.
    assert!(!planned(&sandbox, &["--older", "30d"]).is_empty());
    sandbox.picture().assert_same(&before, "before and after");
    drop(held);
}

#[test]
fn prune_of_kinds_removes_these_alone() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = world(&proxy);
    let toolchain = "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64";
    assert_eq!(planned(&sandbox, &["--vcs"]), ["vcs 0123 all"]);
    assert_eq!(
        planned(&sandbox, &["--sumdb"]),
        ["sumdb sum.example.com all"]
    );
    assert_eq!(
        planned(&sandbox, &[toolchain]),
        [format!("{toolchain} zip and directory")]
    );
    assert!(planned(&sandbox, &["--vcs", "--older", "50d"]).is_empty());
    let before = sandbox.picture();
    sandbox
        .run(["cache", "prune", "--toolchains", "--vcs", "--sumdb"])
        .ok();
    let is_other = |path: &str| {
        [
            "golang.org",
            "cache/vcs",
            "cache/download/golang.org",
            "cache/download/sumdb",
        ]
        .iter()
        .any(|start| path.starts_with(start))
    };
    assert!(!sandbox.cached(toolchain).exists());
    let after = sandbox.picture().without(is_other);
    after.assert_same(&before.without(is_other), "the modules");
}
