//! What was typed and what was read: command lines and files that make no sense, in go's words.

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, skips};

/// Runs `download` beside a go.mod and a go.sum.
#[track_caller]
fn fails_with(go_mod: &str, go_sum: Option<&str>, code: i32, wanted: &str) {
    let proxy = Proxy::serve();
    let mut sandbox = Sandbox::new().go_mod(go_mod).proxy(&proxy);
    if let Some(text) = go_sum {
        sandbox = sandbox.go_sum(text);
    }
    let before = sandbox.project_picture();
    let run = sandbox.run(["download"]);
    run.fails(code).stdout("").stderr_has(wanted);
    before.assert_same(&sandbox.project_picture(), "the project before and after");
    // Go asks for a go.mod before it reads go.sum.
    if go_sum.is_none() {
        assert_eq!(
            proxy.hits("*"),
            0,
            "a request for a project that makes no sense"
        );
    }
}

#[test]
fn download_malformed_go_mod_exits_3() {
    fails_with(
        "frobnicate x",
        None,
        3,
        "modfetch: errors parsing go.mod:\ngo.mod:5: unknown directive: frobnicate\n",
    );
    fails_with(
        "require example.com/text v2.0.0",
        None,
        3,
        "modfetch: errors parsing go.mod:\ngo.mod:5: require example.com/text: version \"v2.0.0\" invalid: should be v0 or v1, not v2\n",
    );
}

#[test]
fn download_malformed_go_sum_exits_3() {
    fails_with(
        "require example.com/text v1.2.0",
        Some("one two\n"),
        3,
        "malformed go.sum:\n[ROOT]/project/go.sum:1: wrong number of fields 2\n",
    );
}

#[test]
fn download_unknown_flag_exits_2() {
    let run = Sandbox::new().project("hello").run(["download", "-nosuch"]);
    // The words are each program's own.
    run.fails(2).stdout("").stderr_has("-nosuch");
}

#[test]
fn download_without_project_or_arguments_fails() {
    let run = Sandbox::new().run(["download"]);
    run.demand(run.code != Some(0), "success with nothing to do it to");
    run.stdout("").stderr_has("no modules specified");
}

#[test]
fn download_arguments_without_project_succeeds() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy);
    sandbox
        .run(["download", "example.com/text@v1.2.0"])
        .ok()
        .stdout("");
    assert!(sandbox.picture().has("example.com/text@v1.2.0/text.go"));
    assert!(
        sandbox.project_picture().paths().is_empty(),
        "files appeared in the project"
    );
}

#[test]
fn download_unknown_module_exits_4() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "example.com/none@v1.0.0"]);
    let info = format!(
        "{}/example.com/none/@v/v1.0.0.info: 404 Not Found",
        proxy.url()
    );
    run.fails(4)
        .stderr_has(&format!(
            "modfetch: example.com/none@v1.0.0: reading {info}"
        ))
        .stderr_has("server response: not found: example.com/none/@v/v1.0.0.info");
}

#[test]
fn download_project_without_requirements_does_nothing() {
    let run = Sandbox::new().go_mod("").run(["download"]);
    run.ok()
        .stdout("")
        .stderr("modfetch: no module dependencies to download\n");
}

#[test]
fn download_main_module_argument_is_skipped() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let main = sandbox.read("go.mod");
    let main = main.lines().find_map(|line| line.strip_prefix("module "));
    let main = main.expect("hello has a module line");
    let skipping = |argument: &str| {
        format!("modfetch: skipping download of {argument} that resolves to the main module\n")
    };
    for suffix in ["", "@upgrade", "@patch"] {
        let argument = format!("{main}{suffix}");
        let run = sandbox.run(["download", "-json", &argument]);
        run.ok().stdout("").stderr(&skipping(&argument));
    }
    // A word for each, and what is named beside them is fetched.
    let line = ["download", main, "example.com/text@v1.2.0", main];
    let run = sandbox.run(line);
    run.ok().stdout("").stderr(&skipping(main).repeat(2));
    assert!(sandbox.picture().has("example.com/text@v1.2.0/text.go"));
}

#[test]
fn commands_read_go_mod_from_disk_once() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let strace = sandbox.shell("strace -f -o /dev/null true || echo none");
    if !strace.stdout.is_empty() {
        skips::record("there is no strace");
        return;
    }
    let file = sandbox.project_dir().join("go.mod");
    let opened = format!("\"{}\"", file.display());
    for command in [
        "download",
        "verify",
        "list -m all",
        "graph",
        "why -m example.com/words",
        "plan",
        "sum --check",
    ] {
        let traced = "exec strace -f -e trace=open,openat -o ../trace modfetch";
        sandbox.shell(&format!("{traced} {command}")).ok();
        let trace = sandbox.project_dir().join("../trace");
        let trace = std::fs::read_to_string(trace).unwrap();
        let times = trace.lines().filter(|line| line.contains(&opened)).count();
        assert_eq!(times, 1, "{command} opens {opened}:\n{trace}");
    }
}
