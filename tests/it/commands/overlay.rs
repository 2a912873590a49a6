//! `-overlay`: other files in place of some, as go has it.

use std::fs;

use crate::support::compare::{both_complain, same, talk};
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sampling::sample;
use crate::support::{Proxy, Run, Sandbox, require_go};

fn proxy() -> Proxy {
    Proxy::of_modules(vec![
        Module::bare("ex.com/a", "v1.0.0", "go 1.20\n"),
        Module::bare("ex.com/a", "v1.1.0", "go 1.20\n"),
        Module::bare("ex.com/b", "v1.0.0", "go 1.16\n\nrequire ex.com/a v1.1.0\n"),
    ])
}

const GO_MOD: &str = "module m\n\ngo 1.21\n\nrequire ex.com/a v1.0.0\n";

/// A project with what may stand in for its files, none of which is one of go's names.
fn project(proxy: &Proxy, overlay: &str) -> Sandbox {
    let sandbox = Sandbox::new().proxy(proxy).go_mod(GO_MOD);
    let sum = "ex.com/a v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let files = [
        ("o.json", overlay),
        ("wrong.sum", sum),
        (
            "other",
            "module other\n\ngo 1.21\n\nrequire ex.com/b v1.0.0\n\nrequire ex.com/a v1.1.0 // indirect\n",
        ),
        (
            "local",
            "module m\n\ngo 1.21\n\nrequire ex.com/a v1.0.0\n\nreplace ex.com/a => ./l\n",
        ),
        ("newer", "module m\n\ngo 1.99\n"),
        ("broken", "module\n"),
        ("unlined", "module m\n\nrequire ex.com/a v1.0.0\n"),
        ("l/go.mod", "module ex.com/a\n\ngo 1.20\n"),
        (
            "l2",
            "module ex.com/a\n\ngo 1.19\n\nrequire ex.com/b v1.0.0\n",
        ),
        ("work", "go 1.21\n\nuse ./l\n"),
        ("empty", ""),
        (
            "whole.mod",
            "module m\n\ngo 1.16\n\nrequire ex.com/a v1.1.0\n\nrequire ex.com/b v1.0.0\n",
        ),
        ("is-work", "## workspace\n"),
    ];
    files
        .into_iter()
        .fold(sandbox, |sandbox, (name, text)| sandbox.file(name, text))
}

/// Each of go's commands that reads the project says and leaves what go says and leaves.
#[test]
fn commands_overlay_matches_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let overlays = [
        r#"{"Replace":{"go.mod":"other"}}"#,
        r#"{"Replace":{"./l/../go.mod":"./other"}}"#,
        r#"{"Replace":{"go.mod":""}}"#,
        r#"{"Replace":{"go.mod":"absent"}}"#,
        r#"{"Replace":{"go.mod":"newer"}}"#,
        r#"{"Replace":{"go.mod":"broken"}}"#,
        r#"{"Replace":{"go.mod":"unlined"}}"#,
        r#"{"Replace":{"go.mod":"local"}}"#,
        r#"{"Replace":{"go.mod":"local","l/go.mod":"l2"}}"#,
        r#"{"Replace":{"go.mod":"local","l/go.mod":""}}"#,
        r#"{"Replace":{"go.mod":"local","l":""}}"#,
        r#"{"Replace":{"go.sum":"wrong.sum"}}"#,
        r#"{"Replace":{"go.sum":""}}"#,
        r#"{"Replace":{"go.sum":"empty"}}"#,
        r#"{"Replace":{"go.mod":"other","go.sum":"absent"}}"#,
        r#"{"Replace":{"go.work":"work"}}"#,
        r#"{"Replace":{"go.work":"work","l/go.mod":"l2"}}"#,
        r#"{"Replace":{"go.work":"work","l/go.mod":""}}"#,
        r#"{"Replace":{"go.work":"work","l/go.mod":"absent"}}"#,
        r#"{"Replace":{"go.work":"work","go.work.sum":"empty"}}"#,
        r#"{"Replace":{"vendor/modules.txt":"empty"}}"#,
        r#"{"Replace":{"vendor/modules.txt":"is-work"}}"#,
        r#"{"Replace":{"vendor/modules.txt":"","vendor/x":"empty"}}"#,
        r#"{"Replace":{"o":"empty","o/p":"empty"}}"#,
        r#"{"Replace":{"o":1}}"#,
        "",
    ];
    let commands: [(&[&str], &[&str]); 7] = [
        (&["list", "-m"], &["all"]),
        (
            &["list", "-m"],
            &["-f", "{{.Path}} {{.GoMod}} {{.Dir}}", "m", "other"],
        ),
        (&["list", "-m", "-mod=mod"], &["all"]),
        (&["mod", "graph"], &[]),
        (&["mod", "download"], &[]),
        (&["mod", "download"], &["all"]),
        (&["mod", "download"], &["ex.com/b@v1.0.0"]),
    ];
    std::thread::scope(|scope| {
        for overlays in overlays.chunks(overlays.len().div_ceil(4)) {
            let proxy = &proxy;
            scope.spawn(move || {
                for overlay in overlays {
                    let part = sample(overlay.len(), 2, commands.iter().enumerate());
                    for (at, (command, arguments)) in part {
                        let (ours, gos) = (project(proxy, overlay), project(proxy, overlay));
                        // As a flag and from GOFLAGS by turns.
                        let flag: &[&str] = if at % 2 == 0 {
                            &["-overlay=o.json"]
                        } else {
                            &[]
                        };
                        let goflags = if at % 2 == 0 { "" } else { "-overlay=o.json" };
                        let words = || [*command, flag, *arguments].concat();
                        let (ours, gos) =
                            (ours.env("GOFLAGS", goflags), gos.env("GOFLAGS", goflags));
                        let (run, go) = (ours.run(words()), gos.go(words()));
                        let what = format!("{command:?} {arguments:?} {overlay}");
                        // Of a checksum mismatch go dies without saying who it is.
                        if both_complain(&run, &go, &what) {
                            continue;
                        }
                        same(&run, &go, &what);
                        ours.project_picture()
                            .assert_same(&gos.project_picture(), &what);
                    }
                }
            });
        }
    });
}

/// What an overlay has is never written, and where it would have to be, that is said.
#[test]
fn download_overlay_file_is_not_written() {
    let proxy = proxy();
    let text = |name: &str| {
        format!(
            "updates to {name} needed, but {name} is part of the overlay specified with -overlay"
        )
    };
    for (overlay, name) in [
        (r#"{"Replace":{"go.mod":"unlined"}}"#, "go.mod"),
        (r#"{"Replace":{"go.sum":"empty"}}"#, "go.sum"),
    ] {
        let sandbox = project(&proxy, overlay);
        let before = sandbox.project_picture();
        let run = sandbox.run(["mod", "download", "-overlay=o.json"]);
        assert_ne!(run.code, Some(0));
        assert!(talk(&run).contains(&text(name)), "{}", talk(&run));
        sandbox
            .project_picture()
            .assert_same(&before, "the project");
    }
}

#[test]
fn commands_invalid_overlay_fail() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let sandbox = project(&proxy, "");
    for command in [
        &["list", "-m", "-overlay=absent.json"][..],
        &["list", "-m", "-overlay=l", "all"],
        &["mod", "verify", "-overlay=absent.json"],
        &["mod", "why", "-m", "-overlay=absent.json", "m"],
        &["mod", "graph", "-overlay", "absent.json"],
        &["list", "-m", "-overlay=", "all"],
    ] {
        let words = || command.iter().copied();
        same(
            &sandbox.run(words()),
            &sandbox.go(words()),
            &command.join(" "),
        );
    }
    let cached = sandbox.cache().join("x").display().to_string();
    let overlay = format!(r#"{{"Replace":{{"{cached}":"empty"}}}}"#);
    fs::write(sandbox.project_dir().join("o.json"), overlay).unwrap();
    let words = ["list", "-m", "-overlay=o.json"];
    same(&sandbox.run(words), &sandbox.go(words), "the module cache");
    let env = sandbox.env("GOFLAGS", "-overlay=absent.json");
    same(&env.run(["env", "GOMOD"]), &env.go(["env", "GOMOD"]), "env");
}

/// A check and a repair read the graph of what stands in for the files.
#[test]
fn verify_overlay_is_read() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let overlays = [
        r#"{"Replace":{}}"#,
        r#"{"Replace":{"go.mod":"other"}}"#,
        r#"{"Replace":{"go.mod":"local"}}"#,
        r#"{"Replace":{"go.mod":"local","l/go.mod":"l2"}}"#,
        r#"{"Replace":{"go.mod":"local","l/go.mod":""}}"#,
        r#"{"Replace":{"go.work":"work","l/go.mod":"l2"}}"#,
        r#"{"Replace":{"go.mod":"broken"}}"#,
    ];
    let damaged = "ex.com/b v1.0.0: dir has been modified ([ROOT]/modcache/ex.com/b@v1.0.0)\n";
    // Below a line of go we say what differs.
    let of_go = |run: &Run| {
        let said = talk(run);
        let lines = said.lines().filter(|line| !line.starts_with('\t'));
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut found = 0;
    for overlay in overlays {
        let sandbox = || {
            let sandbox = project(&proxy, overlay);
            sandbox.run(["download", "all"]).ok();
            sandbox.run(["download", "-modfile=whole.mod", "all"]).ok();
            let sums = sandbox.read("go.sum") + &sandbox.read("whole.sum");
            let sandbox = sandbox.file("go.sum", &sums).file("go.work.sum", &sums);
            sandbox.remove("ex.com/b@v1.0.0/x.go");
            sandbox
        };
        let (ours, gos) = (sandbox(), sandbox());
        let (run, go) = (
            ours.run(["mod", "verify", "-overlay=o.json"]),
            gos.go(["mod", "verify", "-overlay=o.json"]),
        );
        let equal = (run.code == Some(0)) == (go.code == Some(0))
            && of_go(&run) == talk(&go)
            && run.output() == go.output();
        run.demand(equal, &format!("{overlay}\n{}{}", go.stdout, go.stderr));
        if go.talk().contains(damaged) {
            found += 1;
            ours.run(["verify", "--repair", "-overlay=o.json"]).ok();
            assert!(ours.cached("ex.com/b@v1.0.0/x.go").exists(), "{overlay}");
        }
    }
    assert_eq!(found, 3);
}

/// What a download needs of the project, in an image say.
#[test]
fn plan_overlay_names_replacement_files() {
    only_modfetch!();
    let proxy = proxy();
    let rows = [
        (r#"{"Replace":{"go.mod":"other"}}"#, "other\no.json\n"),
        (
            r#"{"Replace":{"go.mod":"local","l/go.mod":"l2","go.sum":"empty"}}"#,
            "local\nempty\nl2\no.json\n",
        ),
        (
            r#"{"Replace":{"go.mod":"local","x":"empty"}}"#,
            "local\nl/go.mod\no.json\n",
        ),
        (
            r#"{"Replace":{"go.work":"work","l/go.mod":"l2"}}"#,
            "work\nl2\no.json\n",
        ),
    ];
    for (overlay, want) in rows {
        let sandbox = project(&proxy, overlay);
        let run = sandbox.run(["plan", "-files", "-overlay=o.json"]);
        run.ok().stdout(want);
        // Nothing but these is needed.
        let copy = Sandbox::new().proxy(&proxy);
        let names = run.stdout.lines();
        let copy = names.fold(copy, |copy, name| copy.file(name, &sandbox.read(name)));
        let words = ["list", "-m", "-overlay=o.json"];
        let listed = copy.run(words);
        listed.ok();
        assert_eq!(listed.stdout, sandbox.run(words).stdout);
    }
    let gone = project(&proxy, r#"{"Replace":{"go.mod":"local","l/go.mod":""}}"#);
    gone.run(["plan", "-files", "-overlay=o.json"])
        .fails(8)
        .stdout("local\no.json\n")
        .stderr("modfetch: l/go.mod is missing: it replaces a module\n");
}
