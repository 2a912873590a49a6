//! What modfetch's own flags do, each from the outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Run, Sandbox, Times, require_go};

/// A line of the go.sum of `hello`.
const TEXT_ZIP: &str = "example.com/text v1.2.0 h1:";

fn without_line(text: &str, start: &str) -> String {
    let kept = text.lines().filter(|line| !line.starts_with(start));
    kept.map(|line| format!("{line}\n")).collect()
}

#[test]
fn download_locked_incomplete_go_sum_fails_before_fetching() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let sandbox = sandbox.edit("go.sum", |text| without_line(&text, TEXT_ZIP));
    let before = sandbox.project_picture();
    let run = sandbox.run(["download", "--locked"]);
    run.fails(3).stdout("").stderr_has(
        "modfetch: example.com/text@v1.2.0: verifying module: missing go.sum entry, disabled by \
         --locked",
    );
    before.assert_same(&sandbox.project_picture(), "the project before and after");
    assert_eq!(proxy.hits("example.com/text/@v/v1.2.0.zip"), 0);
    assert!(!sandbox.picture().has("example.com/text@v1.2.0"));
}

#[test]
fn download_locked_complete_go_sum_succeeds() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox
        .run(["download", "--locked"])
        .ok()
        .stdout("")
        .stderr("");
}

#[test]
fn download_dry_run_lists_missing_and_changes_nothing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--dry-run"]);
    run.fails(10)
        .stderr("")
        .stdout_has("example.com/text@v1.2.0 info mod zip ziphash dir\n");
    // Only in the graph: example.com/words v1.1.0 is listed, deep's requirements are not.
    assert!(!sandbox.cache().exists(), "a dry run made the cache");
    assert!(
        proxy
            .requests()
            .iter()
            .all(|request| request.path.ends_with(".mod"))
    );
    sandbox.run(["download"]).ok();
    sandbox.remove("cache/download/example.com/text/@v/v1.2.0.ziphash");
    let run = sandbox.run(["download", "--dry-run"]);
    run.fails(10).stdout("example.com/text@v1.2.0 ziphash\n");
    sandbox.run(["download"]).ok();
    sandbox.run(["download", "--dry-run"]).ok().stdout("");
}

#[test]
fn download_offline_names_missing_modules() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--offline"]);
    run.fails(11)
        .stdout("")
        .stderr_has("modfetch: example.com/");
    assert_eq!(proxy.connections(), 0);
    sandbox.run(["download"]).ok();
    proxy.forget();
    sandbox
        .run(["download", "--offline"])
        .ok()
        .stdout("")
        .stderr("");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn download_fail_fast_stops_at_first_failure() {
    only_modfetch!();
    let broken = |arguments: &[&'static str]| -> (Run, usize) {
        // The first file of all: what comes after it has not been asked for.
        let first = "example.com/!upper/!camel!case/@v/v1.0.0.info";
        let proxy = Proxy::serve().failing(first, 403, Times::ALWAYS);
        let sandbox = Sandbox::with("hello", &proxy);
        let line = ["download", "--jobs", "1"]
            .into_iter()
            .chain(arguments.iter().copied());
        let run = sandbox.run(line);
        let zips = sandbox
            .picture()
            .paths()
            .iter()
            .filter(|path| path.ends_with(".zip"))
            .count();
        (run, zips)
    };
    let (run, zips) = broken(&[]);
    run.fails(7)
        .stderr_has("example.com/Upper/CamelCase@v1.0.0: reading ");
    assert_eq!(zips, 12, "all but one");
    let (run, zips) = broken(&["--fail-fast"]);
    run.fails(7)
        .stderr_has("not fetched after an earlier failure");
    assert!(zips < 12, "{zips} zips after the failure");
}

#[test]
fn download_from_reads_file_and_stdin() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy).file(
        "list.txt",
        "# comment\n\nexample.com/text@v1.2.0\n  example.com/tool@v0.5.0\n",
    );
    sandbox.run(["download", "--from", "list.txt"]).ok();
    assert!(sandbox.picture().has("example.com/tool@v0.5.0/tool.go"));
    sandbox
        .shell("echo example.com/words@v1.0.0 | modfetch download --from -")
        .ok();
    assert!(sandbox.picture().has("example.com/words@v1.0.0"));
    let sandbox = sandbox.file("bad.txt", "example.com/text@v1.2.0\nexample.com/tool\n");
    let run = sandbox.run(["download", "--from", "bad.txt"]);
    run.fails(3)
        .stderr_has("bad.txt:2: not a path@version: \"example.com/tool\"");
    // What is no list at all is not read to its end.
    let sandbox = sandbox.file("huge.txt", &"x".repeat(1 << 20));
    let run = sandbox.run(["download", "--from", "huge.txt"]);
    run.fails(3)
        .stderr("modfetch: [ROOT]/project/huge.txt:1: line is longer than 4096 bytes\n");
}

#[test]
fn download_json_log_and_progress_are_json() {
    only_modfetch!();
    let proxy = Proxy::serve().failing("gopkg.in/tiny.v1/@v/v1.0.2.zip", 404, Times::ALWAYS);
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--log", "json", "--progress", "json"]);
    run.fails(4).stdout("");
    let lines: Vec<serde_json::Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let count = |key: &str, value: &str| lines.iter().filter(|line| line[key] == value).count();
    assert_eq!(count("ev", "plan"), 1);
    assert_eq!(count("ev", "done"), 12);
    assert_eq!(count("ev", "fail"), 1);
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "error")
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["kind"], "not-found");
}

/// Each line of standard error as JSON.
#[track_caller]
fn json_lines(run: &Run) -> Vec<serde_json::Value> {
    run.demand(!run.stderr.is_empty(), "something on standard error");
    let value = |line| serde_json::from_str(line).ok();
    let lines: Option<Vec<_>> = run.stderr.lines().map(value).collect();
    run.demand(lines.is_some(), "JSON in every line of standard error");
    lines.unwrap_or_default()
}

#[test]
fn commands_json_output_is_valid_json() {
    only_modfetch!();
    let proxy = Proxy::serve().failing("example.com/text/@v/v1.2.0.zip", 503, Times(1));
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--log=json", "-x", "-v", "--progress=always"]);
    run.ok().stdout("");
    let lines = json_lines(&run);
    for start in ["# get http", "# retry in "] {
        let told = |line: &serde_json::Value| {
            let message = line["message"].as_str().unwrap_or_default();
            line["level"] == "info" && message.starts_with(start)
        };
        run.demand(lines.iter().any(told), start);
    }

    // Before the settings are known, and where they cannot be.
    let by_variable = Sandbox::with("hello", &proxy).env("MODFETCH_LOG", "json");
    let mistakes: [(&Sandbox, &[&str], i32, &str); 8] = [
        (
            &sandbox,
            &["download", "--nosuch", "--log=json"],
            2,
            "usage",
        ),
        (&sandbox, &["--log", "json", "downlaod"], 2, "usage"),
        (
            &sandbox,
            &["download", "--log=json", "--jobs=0"],
            2,
            "usage",
        ),
        (
            &sandbox,
            &["download", "--log=json", "-C", "no"],
            8,
            "local-io",
        ),
        (&sandbox, &["env", "--log=json", "A=b"], 2, "usage"),
        (&by_variable, &["download", "--nosuch"], 2, "usage"),
        (&by_variable, &["download", "--jobs=0"], 2, "usage"),
        (&by_variable, &["env", "A=b"], 2, "usage"),
    ];
    for (sandbox, line, code, kind) in mistakes {
        let run = sandbox.run(line.iter().copied());
        run.fails(code).stdout("");
        let told = json_lines(&run);
        run.demand(told.len() == 1 && told[0]["kind"] == kind, kind);
    }
    // The flag is stronger, and help for the helpless is told too.
    let run = by_variable.run(["download", "--log=text", "--jobs=0"]);
    run.fails(2).stderr_has("modfetch: invalid value");
    let run = by_variable.run([]);
    run.fails(2).stdout("");
    assert_eq!(json_lines(&run)[0]["level"], "info");
}

#[test]
fn commands_go_exit_codes_apply_to_invalid_settings() {
    only_modfetch!();
    let sandbox = Sandbox::new().project("hello").env("MODFETCH_RETRIES", "x");
    let line = ["download"];
    sandbox.run(line).fails(3);
    sandbox.run(["download", "--go-exit-codes"]).fails(1);
    let sandbox = sandbox.env("MODFETCH_GO_EXIT_CODES", "1");
    sandbox
        .run(line)
        .fails(1)
        .stderr_has("modfetch: invalid value \"x\" for MODFETCH_RETRIES");
    sandbox.run(["download", "--go-exit-codes=false"]).fails(3);
    // A command line that cannot be read is 2 for go as well.
    sandbox.run(["download", "--nosuch"]).fails(2);
}

#[test]
fn download_x_traces_requests_as_go() {
    require_go!();
    let trace = |run: &Run| -> Vec<String> {
        let lines = run.stderr.lines().filter(|line| line.starts_with("# get "));
        // Without the time, which is the last word of the second line of each.
        let mut lines: Vec<String> = lines
            .map(|line| line.split(" (").next().unwrap_or_default().to_owned())
            .collect();
        lines.sort();
        lines
    };
    let proxy = Proxy::serve();
    let (ours, gos) = (
        Sandbox::with("hello", &proxy),
        Sandbox::with("hello", &proxy),
    );
    let (by_us, by_go) = (
        ours.run(["download", "-x"]),
        gos.go(["mod", "download", "-x"]),
    );
    by_us.ok();
    by_go.ok();
    assert_eq!(trace(&by_us), trace(&by_go));
}

#[test]
fn download_quiet_and_verbose_print_same_stdout() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("legacy", &proxy);
    // A requirement that go.mod excludes itself is worth a word.
    let sandbox = sandbox.edit("go.mod", |text| {
        text.replace("example.com/recalled v1.0.1", "example.com/recalled v1.1.0")
    });
    let said = "dropping requirement on excluded version example.com/recalled v1.1.0";
    sandbox.run(["download"]).ok().stdout("").stderr_has(said);
    sandbox.run(["download", "-q"]).ok().stdout("").stderr("");
    sandbox
        .run(["download", "-v"])
        .ok()
        .stdout("")
        .stderr_has(" modules, ");
}

#[test]
fn go_link_serves_known_commands_and_refuses_others() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let bin = sandbox.project_dir().join("../bin");
    fs::create_dir(&bin).unwrap();
    symlink(Path::new(env!("CARGO_BIN_EXE_modfetch")), bin.join("go")).unwrap();
    let go = |line: &str| sandbox.shell(&format!("../bin/go {line}"));
    go("mod download").ok().stdout("").stderr("");
    go("env GOMODCACHE").ok().stdout("[ROOT]/modcache\n");
    go("build ./...").fails(2).stdout("").stderr_has("go: ");
    go("mod download --jobs 3")
        .fails(2)
        .stderr_has("flag provided but not defined: -jobs");
    // Every failure is 1, as with go, and is told by go's name.
    let run = go("mod download nosuch.example.com/x@v1.0.0");
    run.fails(1).stderr_has("go: nosuch.example.com/x@v1.0.0: ");
}
