//! go and toolchain lines that are newer than the go version that a run acts as.

use crate::support::compare::talk;
use crate::support::fixtures::Module;
use crate::support::go::{acting_version, only_modfetch};
use crate::support::{Proxy, Run, Sandbox, require_go};

/// Newer than any go that these tests meet.
const NEW: &str = "1.99";

fn proxy() -> Proxy {
    Proxy::of_modules(vec![
        Module::bare("ex.com/new", "v1.0.0", "go 1.99\n"),
        Module::bare("ex.com/odd", "v1.0.0", "go 1.99\nunheard of\n"),
        Module::bare("ex.com/leaf", "v1.0.0", "go 1.20\n"),
        Module::bare(
            "ex.com/mid",
            "v1.0.0",
            "go 1.21\n\nrequire ex.com/new v1.0.0\n",
        ),
        Module::bare(
            "ex.com/mid",
            "v1.1.0",
            "go 1.16\n\nrequire ex.com/new v1.0.0\n",
        ),
        Module::bare("ex.com/asks", "v1.0.0", "go 1.21\n\ntoolchain go1.99.0\n"),
    ])
}

/// The version of the go that is installed.
fn installed() -> String {
    let go = Sandbox::new().go(["env", "GOVERSION"]);
    go.ok();
    go.stdout.trim().trim_start_matches("go").to_owned()
}

fn sandbox(proxy: &Proxy, gomod: &str) -> Sandbox {
    let sandbox = Sandbox::new()
        .proxy(proxy)
        .env("MODFETCH_GO_VERSION", &installed());
    match gomod {
        "" => sandbox,
        _ => sandbox.go_mod(&format!("module example.com/main\n\n{gomod}")),
    }
}

/// Demands what go says, prints and leaves behind.
#[track_caller]
fn same(ours: &Sandbox, gos: &Sandbox, arguments: &[&str], code: i32) {
    if arguments == ["verify"] {
        // It fetches nothing, where go would.
        ours.run(["graph"]);
        gos.go(["mod", "graph"]);
    }
    let run = ours.run(arguments.iter().copied());
    let go = gos.go(["mod"].into_iter().chain(arguments.iter().copied()));
    let root = |run: &Run, sandbox: &Sandbox| {
        let cache = sandbox.cache().display().to_string();
        run.stdout.replace(&cache, "[CACHE]")
    };
    let equal = run.code == Some(code)
        && (code == 0) == (go.code == Some(0))
        && talk(&run) == talk(&go)
        && without_own_keys(&root(&run, ours)) == without_own_keys(&root(&go, gos));
    let (stdout, stderr) = (&go.stdout, &go.stderr);
    let story = format!("{code} and, of go: {:?}\n{stdout}{stderr}", go.code);
    run.demand(equal, &story);
    ours.project_picture()
        .assert_same(&gos.project_picture(), "the project");
    ours.picture().assert_same(&gos.picture(), "the cache");
}

/// JSON without what only modfetch tells, and without commas, which depend on it.
fn without_own_keys(json: &str) -> String {
    let own = ["\t\"ErrorKind\"", "\t\"Bytes\"", "\t\"Retries\""];
    let lines = json
        .lines()
        .filter(|line| !own.iter().any(|key| line.starts_with(key)));
    lines.map(|line| line.trim_end_matches(',')).collect()
}

#[test]
fn commands_go_line_too_new_fail_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let new = "go 1.99\n";
    let direct = "go 1.21\n\nrequire ex.com/new v1.0.0\n";
    let replaced =
        "go 1.21\n\nrequire ex.com/leaf v1.0.0\n\nreplace ex.com/leaf => ex.com/new v1.0.0\n";
    let toolchain = "go 1.21\n\ntoolchain go1.99.0\n\nrequire ex.com/leaf v1.0.0\n";
    let below = "go 1.21\n\nrequire ex.com/mid v1.0.0\n";
    let whole = "go 1.16\n\nrequire ex.com/mid v1.1.0\n";
    let rows: &[(&str, &[&str], i32)] = &[
        (new, &["download"], 3),
        (new, &["graph"], 3),
        (new, &["verify"], 3),
        (new, &["download", "ex.com/leaf@v1.0.0"], 3),
        // What the newer go brought is not what is wrong with it.
        ("go 1.99\nunheard of\n", &["graph"], 3),
        ("go 1.99.0.0x\n", &["graph"], 3),
        ("go 1.99\nrequire \"x\n", &["graph"], 3),
        (toolchain, &["download"], 0),
        (toolchain, &["graph"], 0),
        (toolchain, &["verify"], 0),
        (direct, &["download"], 3),
        (direct, &["graph"], 3),
        (direct, &["verify"], 3),
        (direct, &["download", "-json", "ex.com/new"], 3),
        (replaced, &["graph"], 3),
        (replaced, &["download"], 3),
        (direct, &["download", "all"], 3),
        (whole, &["download"], 3),
        (below, &["download"], 0),
        (below, &["graph"], 0),
        (below, &["verify"], 0),
        (whole, &["graph"], 3),
        (whole, &["verify"], 3),
        (
            "",
            &[
                "download",
                "-json",
                "ex.com/new@v1.0.0",
                "ex.com/leaf@v1.0.0",
            ],
            3,
        ),
        ("", &["download", "ex.com/odd@v1.0.0"], 3),
        (
            "",
            &[
                "download",
                "-json",
                "ex.com/mid@v1.0.0",
                "ex.com/asks@latest",
            ],
            0,
        ),
    ];
    for (gomod, arguments, code) in rows {
        let (ours, gos) = (sandbox(&proxy, gomod), sandbox(&proxy, gomod));
        same(&ours, &gos, arguments, *code);
    }
}

#[test]
fn commands_replaced_directory_too_new_is_named_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let sandbox = || {
        let gomod = "go 1.21\n\nrequire ex.com/leaf v1.0.0\n\nreplace ex.com/leaf => ./leaf\n";
        sandbox(&proxy, gomod).file("leaf/go.mod", "module x\n\ngo 1.99\n")
    };
    for command in ["graph", "verify", "download"] {
        same(&sandbox(), &sandbox(), &[command], 3);
    }
}

#[test]
fn commands_workspace_too_new_fail_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    // (GOTOOLCHAIN, go.work, go.mod)
    let rows = [
        ("local", "go 1.99\nuse .\n", "go 1.21\n"),
        ("local", "go 1.99\nunheard of\nuse .\n", "go 1.21\n"),
        ("local", "go 1.21\nuse .\n", "go 1.99\n"),
        ("auto", "go 1.21\nuse .\n", "go 1.99\n"),
        (
            "local",
            "go 1.21\nuse .\n",
            "go 1.21\n\nrequire ex.com/new v1.0.0\n",
        ),
        (
            "auto",
            "go 1.21\nuse .\n",
            "go 1.21\n\nrequire ex.com/new v1.0.0\n",
        ),
    ];
    for (setting, work, gomod) in rows {
        let sandbox = || {
            let sandbox = sandbox(&proxy, gomod).file("go.work", work);
            sandbox.env("GOTOOLCHAIN", setting)
        };
        same(&sandbox(), &sandbox(), &["graph"], 3);
        if setting == "local" {
            same(&sandbox(), &sandbox(), &["download"], 3);
        }
    }
    let work = sandbox(&proxy, "go 1.99\n").file("go.work", "go 1.99\nuse .\n");
    work.env("GOTOOLCHAIN", "auto").run(["graph"]).ok();
}

#[test]
fn commands_invalid_gotoolchain_fail_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let direct = "go 1.21\n\nrequire ex.com/new v1.0.0\n";
    // (GOTOOLCHAIN, go.mod, command)
    let rows = [
        ("bash", "go 1.21\n", "graph"),
        ("foo+auto", "go 1.21\n", "download"),
        ("go1.25.0+foo", "go 1.21\n", "verify"),
        ("auto", "go 1.21\ntoolchain foo\n", "graph"),
        ("auto", "go 1.99\ntoolchain default\n", "graph"),
        // These do not switch, in go either.
        ("auto", direct, "graph"),
        ("path", direct, "graph"),
        ("local+auto", direct, "verify"),
    ];
    for (setting, gomod, command) in rows {
        let sandbox = || sandbox(&proxy, gomod).env("GOTOOLCHAIN", setting);
        same(&sandbox(), &sandbox(), &[command], 3);
    }
}

#[test]
fn download_gotoolchain_auto_continues_with_warning() {
    only_modfetch!();
    let proxy = proxy();
    let new = format!("module m\n\ngo {NEW}\n\nrequire ex.com/new v1.0.0\n");
    let warning =
        "modfetch: warning: [ROOT]/project/go.mod says go 1.99; the rules of go 1.27 are applied\n";
    for setting in ["auto", "path", "go1.99.0", "go1.20.3", "local+auto"] {
        let sandbox = Sandbox::new().proxy(&proxy).env("GOTOOLCHAIN", setting);
        let sandbox = sandbox.go_mod(&new);
        sandbox.run(["download"]).ok().stderr(warning);
        sandbox
            .run(["graph"])
            .ok()
            .stdout_has("m ex.com/new@v1.0.0\n");
        sandbox.run(["verify"]).ok();
    }
    let direct = "module m\n\ngo 1.21\n\nrequire ex.com/new v1.0.0\n";
    let sandbox = Sandbox::new().proxy(&proxy).env("GOTOOLCHAIN", "auto");
    let sandbox = sandbox.go_mod(direct);
    sandbox.run(["plan"]).ok().stderr("");
    sandbox.run(["download"]).ok().stderr("");
    sandbox.run(["sum", "--check"]).fails(10).stderr("");
    sandbox
        .run(["graph"])
        .fails(3)
        .stderr_has(&format!(
            "module ex.com/new@v1.0.0 requires go >= 1.99 (running go {})\n",
            acting_version()
        ))
        .stderr_has("hint: act as a newer go: --go-version VERSION\n");
    sandbox.run(["graph", "--go-version=1.99"]).ok();
}

#[test]
fn download_go_version_flag_selects_rules() {
    only_modfetch!();
    let proxy = proxy();
    let sandbox = || Sandbox::new().proxy(&proxy).go_mod("module m\n\ngo 1.30\n");
    let refused = |version: &str| {
        format!("go.mod requires go >= 1.30 (running go {version}; GOTOOLCHAIN=local)\n")
    };
    sandbox()
        .run(["graph"])
        .fails(3)
        .stderr_has(&refused(&acting_version()));
    let older = sandbox().env("GOLANG_VERSION", "1.25.1");
    older.run(["graph"]).fails(3).stderr_has(&refused("1.25.1"));
    older
        .run(["graph", "--go-version=go1.29.1"])
        .fails(3)
        .stderr_has(&refused("1.29.1"));
    older.run(["env", "GOVERSION"]).ok().stdout("go1.25.1\n");
    sandbox()
        .env("MODFETCH_GO_VERSION", "1.30")
        .run(["graph", "-go=1.30"])
        .ok();
    sandbox()
        .env("MODFETCH_GO_VERSION", "tip")
        .run(["graph"])
        .fails(3)
        .stderr("modfetch: invalid value \"tip\" for MODFETCH_GO_VERSION: want a Go version such as 1.27.4\n");
    sandbox()
        .run(["version", "-json"])
        .ok()
        .stdout_has("\"Go\": \"1.27.4\"");
}
