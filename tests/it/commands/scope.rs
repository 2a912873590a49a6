//! `--scope`, `--exclude` and `--missing-replace`: which modules, where go gives no choice.

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, require_go};

/// The modules whose zips are cached, `PATH@VERSION` escaped, sorted.
fn zips(sandbox: &Sandbox) -> Vec<String> {
    let picture = sandbox.picture();
    let paths = picture.paths();
    let zips = paths.iter().filter_map(|path| {
        let file = path.strip_prefix("cache/download/")?.strip_suffix(".zip")?;
        Some(file.replace("/@v/", "@"))
    });
    let mut zips: Vec<String> = zips.collect();
    zips.sort();
    zips
}

fn after(project: &str, line: &[&str]) -> Vec<String> {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with(project, &proxy);
    sandbox.run(line.iter().copied()).ok();
    zips(&sandbox)
}

/// A project whose build list has more than go.mod lists.
const WIDE: &str = "require example.com/words v1.1.0\n";

fn wide(go: &str) -> String {
    format!("module example.com/main\n\ngo {go}\n\n{WIDE}")
}

fn after_wide(go: &str, line: &[&str]) -> Vec<String> {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy).go_mod(&wide(go));
    sandbox.run(line.iter().copied()).ok();
    zips(&sandbox)
}

#[test]
fn download_scope_matches_go_of_other_go_line() {
    only_modfetch!();
    let listed = ["example.com/words@v1.1.0"];
    assert_eq!(after_wide("1.21", &["download"]), listed);
    let all = after_wide("1.21", &["download", "all"]);
    assert!(all.len() > 1, "{all:?}");
    assert_eq!(after_wide("1.21", &["download", "--scope=all"]), all);
    assert_eq!(
        after_wide("1.21", &["download", "--scope", "listed"]),
        listed
    );
    assert_eq!(after_wide("1.16", &["download"]), all);
    assert_eq!(after_wide("1.16", &["download", "--scope=listed"]), listed);
    assert_eq!(after_wide("1.16", &["download", "--scope=all"]), all);
}

/// The same without a flag is what go does.
#[test]
fn download_default_scope_depends_on_go_line() {
    require_go!();
    for go in ["1.16", "1.21"] {
        let proxy = Proxy::serve();
        let gos = Sandbox::new().proxy(&proxy).go_mod(&wide(go));
        gos.go(["mod", "download"]).ok();
        assert_eq!(after_wide(go, &["download"]), zips(&gos), "{go}");
    }
}

#[test]
fn verify_sum_scope_limits_modules() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy).go_mod(&wide("1.21"));
    sandbox.run(["download", "--scope=all"]).ok();
    let names = |run: crate::support::Run| -> Vec<String> {
        run.ok();
        let lines = run.stdout.lines();
        lines
            .filter_map(|line| line.strip_prefix("\t\"Path\": ").map(str::to_owned))
            .collect()
    };
    let all = names(sandbox.run(["verify", "-json"]));
    assert!(all.len() > 1, "{all:?}");
    assert_eq!(names(sandbox.run(["verify", "-json", "--scope=all"])), all);
    let listed = names(sandbox.run(["verify", "-json", "--scope=listed"]));
    assert_eq!(listed, ["\"example.com/words\","]);
    let excluded = names(sandbox.run(["verify", "-json", "--exclude=example.com/words"]));
    assert_eq!(excluded.len(), all.len() - 1);
    assert!(!excluded.contains(&listed[0]));
    // A go.sum of what is listed lacks zips of the rest.
    let write = sandbox.run(["sum", "--write"]);
    write.demand(matches!(write.code, Some(0)), "it is written");
    sandbox.run(["sum", "--check"]).ok();
    sandbox.run(["sum", "--check", "--scope=all"]).fails(10);
    sandbox.run(["sum", "--write", "--scope=all"]).ok();
    sandbox
        .run(["sum", "--check", "--scope=all"])
        .ok()
        .stdout("");
}

#[test]
fn download_excluded_modules_are_skipped() {
    only_modfetch!();
    let whole = after("hello", &["download"]);
    let without = after(
        "hello",
        &[
            "download",
            "--exclude=example.com/calc/...",
            "--exclude",
            "gopkg.in/...",
            "--exclude=example.com/text",
        ],
    );
    let left_out = [
        "example.com/calc/v2@v2.1.0",
        "example.com/text@v1.2.0",
        "gopkg.in/tiny.v1@v1.0.2",
    ];
    let wanted: Vec<String> = whole
        .into_iter()
        .filter(|name| !left_out.contains(&name.as_str()))
        .collect();
    assert_eq!(without, wanted);
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--exclude=example.com/typo", "all"]);
    run.ok()
        .stderr("warning: --exclude \"example.com/typo\" matched no module\n");
    // A replaced module goes by the name of what is fetched for it.
    let legacy = after("legacy", &["download", "--exclude=example.com/patched"]);
    assert!(!legacy.contains(&"example.com/patched@v1.0.0".to_owned()));
    assert!(legacy.contains(&"example.com/greet@v1.0.0".to_owned()));
}

/// In a workspace go means all; what its modules list is less.
#[test]
fn download_workspace_scope_is_supported() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let workspace = || {
        Sandbox::new()
            .proxy(&proxy)
            .file("go.work", "go 1.21\n\nuse (\n\t./a\n\t./b\n)\n")
            .file(
                "a/go.mod",
                "module example.com/a\n\ngo 1.21\n\nrequire example.com/words v1.1.0\n",
            )
            .file(
                "b/go.mod",
                "module example.com/b\n\ngo 1.21\n\nrequire (\n\texample.com/tool v0.5.0\n\
                 \texample.com/words v1.1.0\n)\n",
            )
    };
    let after = |line: &[&str]| {
        let sandbox = workspace();
        sandbox.run(line.iter().copied()).ok();
        zips(&sandbox)
    };
    let all = after(&["download"]);
    assert_eq!(after(&["download", "--scope=all"]), all);
    let listed = ["example.com/tool@v0.5.0", "example.com/words@v1.1.0"];
    assert_eq!(after(&["download", "--scope=listed"]), listed);
    assert!(all.len() > listed.len(), "{all:?}");
    let urls = workspace().run(["plan", "-urls"]).stdout;
    assert_eq!(
        urls.lines().filter(|url| url.ends_with(".zip")).count(),
        all.len()
    );
    let urls = workspace().run(["plan", "-urls", "--scope=listed"]).stdout;
    assert_eq!(
        urls.lines().filter(|url| url.ends_with(".zip")).count(),
        2,
        "{urls}"
    );
}

#[test]
fn download_invalid_scope_is_named() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    for (line, text) in [
        (&["download", "--scope=some"][..], "want listed or all"),
        (
            &["download", "--scope=all", "example.com/text"],
            "cannot be used with them",
        ),
        (
            &["download", "--scope=all", "--from=list"],
            "cannot be used with them",
        ),
        (&["download", "--exclude=a.com/a@v1.0.0"], "and no version"),
        (
            &["download", "--missing-replace=perhaps"],
            "want error, warn or ignore",
        ),
        (&["verify", "--cache", "--scope=all"], "no --scope"),
        (
            &["sum", "--explain", "--scope=all", "a.com/a@v1.0.0"],
            "needs --check or --write",
        ),
        (&["graph", "--scope=all"], "unknown flag --scope"),
    ] {
        sandbox.run(line.iter().copied()).fails(2).stderr_has(text);
    }
    assert_eq!(proxy.requests().len(), 0);
}

/// `legacy` without the folder that replaces a module, as a Dockerfile has it that copies go.mod
/// and go.sum only.
fn bare(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("legacy", proxy);
    std::fs::remove_dir_all(sandbox.project_dir().join("letters")).unwrap();
    sandbox
}

const WARNING: &str = "warning: example.com/letters@v0.2.0 is replaced by ./letters, and \
                       letters/go.mod is missing: what it requires is left out\n";

#[test]
fn download_missing_replacement_can_be_skipped() {
    let proxy = Proxy::serve();
    let error = bare(&proxy).run(["download"]);
    // As go.
    error
        .fails(8)
        .stderr_has("letters/go.mod: no such file or directory");
    only_modfetch!();
    bare(&proxy)
        .run(["download", "--missing-replace=error"])
        .fails(8);
    let whole = after("legacy", &["download"]);
    for (word, told) in [("warn", WARNING), ("ignore", "")] {
        let flag = format!("--missing-replace={word}");
        let sandbox = bare(&proxy);
        let before = sandbox.project_picture();
        sandbox
            .run(["download", "--locked", &flag])
            .ok()
            .stderr(told);
        assert_eq!(zips(&sandbox), whole, "{word}");
        sandbox
            .project_picture()
            .assert_same(&before, "go.sum stays");
        sandbox
            .run(["download", "--dry-run", &flag])
            .ok()
            .stdout("")
            .stderr(told);
        sandbox
            .run(["verify", &flag])
            .ok()
            .stdout("all modules verified\n")
            .stderr(told);
        sandbox.run(["plan", &flag]).ok().stderr(told);
    }
    // What is there and cannot be read is no missing one.
    let broken = bare(&proxy).file("letters/go.mod", "module (\n");
    broken
        .run(["download", "--missing-replace=ignore"])
        .fails(3);
}

/// What is fetched then is all that a build with the folder in place needs.
#[test]
fn download_scope_requirements_is_enough_for_go_build() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let first = bare(&proxy);
    first
        .run(["download", "--locked", "--missing-replace=ignore"])
        .ok();
    let second = Sandbox::with("legacy", &proxy)
        .cache_of(&first)
        .env("GOPROXY", "off");
    second.go(["build", "./..."]).ok();
}
