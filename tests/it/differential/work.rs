//! Workspaces: what go does in one, beside go.

use std::collections::HashSet;

use crate::commands::json::without_extra;
use crate::commands::plan::planned_is_fetched;
use crate::commands::why::explained_by;
use crate::support::compare::{both_complain, compare_with_go, same};
use crate::support::go::only_modfetch;
use crate::support::random_project::RandomProject;
use crate::support::{Proxy, Sandbox, require_go};

#[test]
fn graph_random_workspaces_match_go() {
    compare_with_go(RandomProject::with_workspace, graph);
}

/// True if there was a graph to compare.
fn graph(generated: &RandomProject) -> bool {
    let proxy = Proxy::of_modules(generated.modules.clone());
    let sandbox = || generated.place(Sandbox::new().proxy(&proxy));
    let (ours, gos) = (sandbox(), sandbox());
    let mut whole = false;
    // From the root, from within a module, and as a newer go has it.
    let other = [["-C", "m0"], ["-go", "1.26"]];
    let other = other[usize::try_from(generated.seed % 2).expect("it is small")];
    for flags in [&[][..], &other[..]] {
        let arguments = || ["graph"].into_iter().chain(flags.iter().copied());
        let run = ours.run(arguments());
        let go = gos.go(["mod"].into_iter().chain(arguments()));
        let story = format!("{flags:?}\n{}", generated.describe());
        if !both_complain(&run, &go, &story) {
            same(&run, &go, &story);
        }
        if go.code == Some(0) {
            whole = true;
            let cache = ours.picture();
            cache.assert_same(&gos.picture(), &format!("the cache after graph {story}"));
            if flags.is_empty() {
                explained_by(&go.stdout, &ours, generated);
            }
        }
    }
    let what = format!(
        "the project after graph, graph {other:?}\n{}",
        generated.describe()
    );
    let project = ours.project_picture();
    project.assert_same(&gos.project_picture(), &what);
    whole
}

#[test]
fn download_random_workspaces_match_go() {
    compare_with_go(RandomProject::with_workspace, download);
}

/// True if go could download everything.
fn download(generated: &RandomProject) -> bool {
    let proxy = Proxy::of_modules(generated.modules.clone());
    let sandbox = || generated.place(Sandbox::new().proxy(&proxy));
    let module = &generated.modules[generated.modules.len() / 2];
    let (path, version) = (&module.path, &module.version);
    let named = [
        vec!["-json".to_owned()],
        vec!["all".to_owned()],
        vec!["-json".to_owned(), path.clone()],
        vec![format!("{path}@{version}")],
        vec![
            "-json".to_owned(),
            format!("{path}@upgrade"),
            "example.com/two".to_owned(),
        ],
    ];
    let named = &named[usize::try_from(generated.seed % 5).expect("it is small")];
    let mut whole = false;
    for arguments in [named, &Vec::new()] {
        let (ours, gos) = (sandbox(), sandbox());
        let planned = sandbox().run(["plan", "-json"].into_iter().chain(plain(arguments)));
        let words = arguments.iter().map(String::as_str);
        let words: Vec<&str> = ["download"].into_iter().chain(words).collect();
        let mut run = ours.run(words.iter().copied());
        let mut go = gos.go(["mod"].iter().chain(&words).copied());
        run.stdout = without_extra(&run.stdout.replace(&cache(&ours), "[CACHE]"));
        go.stdout = go.stdout.replace(&cache(&gos), "[CACHE]");
        let story = format!("after {words:?}\n{}", generated.describe());
        if both_complain(&run, &go, &story) {
            return false;
        }
        // What go says of each requirement of a module, modfetch says of the module.
        run.stderr = once(&run.stderr);
        go.stderr = once(&go.stderr);
        same(&run, &go, &story);
        let project = ours.project_picture();
        project.assert_same(&gos.project_picture(), &story);
        whole = go.code == Some(0);
        if whole {
            let fetched = gos.picture();
            ours.picture().assert_same(&fetched, &story);
            let exact = !plain(arguments).any(|word| word.contains('@'));
            planned_is_fetched(&planned, &fetched, exact, &story);
        }
        if whole && words == ["download"] {
            // Verify asks nobody, so that of a graph with gaps it says another reason.
            same(&ours.run(["verify"]), &gos.go(["mod", "verify"]), &story);
        }
    }
    whole
}

/// A text without the lines that it had before.
fn once(text: &str) -> String {
    let mut seen = HashSet::new();
    let lines = text.lines().filter(|line| seen.insert(*line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The modules among arguments.
fn plain(arguments: &[String]) -> impl Iterator<Item = &str> {
    let flags = |word: &&str| !word.starts_with('-');
    arguments.iter().map(String::as_str).filter(flags)
}

fn cache(sandbox: &Sandbox) -> String {
    sandbox.cache().display().to_string()
}

/// A workspace of these files.
fn workspace(files: &[(&str, &str)]) -> Sandbox {
    let put = |sandbox: Sandbox, (name, text): &(&str, &str)| sandbox.file(name, text);
    files.iter().fold(Sandbox::new(), put)
}

const A: (&str, &str) = ("a/go.mod", "module m.com/a\ngo 1.21\n");
const B: (&str, &str) = ("b/go.mod", "module m.com/b\ngo 1.20\n");
const BOTH: (&str, &str) = ("go.work", "go 1.21\nuse ./a\nuse ./b\n");

#[test]
fn commands_invalid_go_work_fail_as_go() {
    require_go!();
    only_modfetch!();
    let work = |text| ("go.work", text);
    let in_a = |text| ("a/go.mod", text);
    let in_b = |text| ("b/go.mod", text);
    let one = "go 1.21\nuse ./a\n";
    let rows: &[(&[(&str, &str)], i32)] = &[
        // No go.mod, for one and for two.
        (&[work("go 1.21\nuse ./none\nuse ./neither\n")], 8),
        (&[BOTH, A], 8),
        (&[work("go 1.21\nuse ./a\nuse a\n"), A], 3),
        (&[work("go 1.21\nuse ./a\nuse ./a/../a\n"), A], 3),
        (&[work("go 1.21\nfoo\n"), A], 3),
        (&[work("go 1.21\nuse ./a ./b\n"), A], 3),
        // Modules that are newer than the workspace.
        (
            &[
                BOTH,
                in_a("module m.com/a\ngo 1.22\n"),
                in_b("module m.com/b\ngo 1.23.1\n"),
            ],
            3,
        ),
        (&[work("use ./a\nuse ./b\n"), A, B], 3),
        // Malformed ones; the last of them is no failure of reading.
        (&[BOTH, in_a("module m.com/a\nfoo\n"), in_b("go 1.21\n")], 3),
        (&[work(one), in_a("module go\n")], 3),
        (&[work(one), in_a("module m.com/-/..\n")], 3),
        // Replacements.
        (
            &[
                BOTH,
                in_a("module m.com/a\nreplace x.com/x => ./x\n"),
                in_b("module m.com/b\nreplace x.com/x => ./x\n"),
            ],
            3,
        ),
        (
            &[
                BOTH,
                in_a("module m.com/a\nreplace x.com/x v1.0.0 => y.com/x v1.0.0\n"),
                in_b("module m.com/b\nreplace x.com/x v1.0.0 => y.com/x v1.1.0\n"),
            ],
            3,
        ),
        (
            &[
                work("go 1.21\nuse ./a\nreplace x.com/x => ./x\nreplace x.com/x => ./y\n"),
                A,
            ],
            3,
        ),
        (
            &[
                work(one),
                in_a("module m.com/a\nreplace x.com/x => ./x\nreplace x.com/x => ./y\n"),
            ],
            3,
        ),
    ];
    for (files, code) in rows {
        for folder in [".", "b/sub"] {
            let sandbox = workspace(files).file("b/sub/x", "");
            let arguments = ["graph", "-C", folder];
            let go = sandbox.go(["mod"].into_iter().chain(arguments));
            let run = sandbox.run(arguments);
            same(&run, &go, &format!("{files:?} in {folder}"));
            run.fails(*code)
                .stdout("")
                .stderr_has("hint: set GOWORK=off to work");
        }
    }
    // Settings: the environment, and what else is typed.
    let rows: &[(&str, &str, &[&str], i32)] = &[
        ("GOWORK", "relative", &["graph"], 3),
        ("GOWORK", "/none/go.work", &["graph"], 8),
        ("GO111MODULE", "off", &["graph"], 3),
        ("X", "", &["graph", "-modfile=x.mod"], 2),
        ("X", "", &["graph", "-go=1.20"], 3),
        ("X", "", &["download", "./x"], 2),
        (
            "X",
            "",
            &[
                "download",
                "m.com/b",
                "m.com/a@upgrade",
                "m.com/a",
                "x.com/x",
            ],
            4,
        ),
    ];
    for (name, value, arguments, code) in rows {
        let sandbox = workspace(&[BOTH, A, B]).env(name, value);
        let go = sandbox.go(["mod"].iter().chain(*arguments).copied());
        let run = sandbox.run(arguments.iter().copied());
        same(&run, &go, &format!("{name}={value} {arguments:?}"));
        run.fails(*code);
    }
}

#[test]
fn download_workspace_is_found_from_subdirectories() {
    require_go!();
    only_modfetch!();
    let beside = |sandbox: &Sandbox, arguments: &[&str]| {
        let go = sandbox.go(["mod"].iter().chain(arguments).copied());
        let run = sandbox.run(arguments.iter().copied());
        same(&run, &go, &format!("{arguments:?}"));
        run
    };
    let sandbox = workspace(&[BOTH, A, B])
        .file("other/x", "")
        .file("c/go.mod", "module c\n");
    let want = "go@1.21 toolchain@go1.21\nm.com/a go@1.21\n";
    for folder in [".", "a", "other", "c"] {
        beside(&sandbox, &["graph", "-C", folder]).ok().stdout(want);
    }
    let sandbox = sandbox.env("GOWORK", "off");
    beside(&sandbox, &["graph", "-C", "c"])
        .ok()
        .stdout("c go@1.16\n");
    beside(&sandbox, &["graph"]).fails(2);
    // Another name is as good, and decides about the file of sums.
    let file = sandbox.project_dir().join("c/x.work");
    let sandbox = sandbox
        .file("c/x.work", "use ../b\n")
        .env("GOWORK", &file.display().to_string());
    beside(&sandbox, &["graph", "-C", "a"]).ok().stdout("");

    let empty = workspace(&[("go.work", "go 1.23\n"), A]);
    beside(&empty, &["graph"]).ok().stdout("");
    beside(&empty, &["verify"])
        .ok()
        .stdout("all modules verified\n");
    for arguments in [
        &["download"][..],
        &["download", "all"],
        &["download", "x.com/x@upgrade"],
    ] {
        let run = beside(&empty, arguments);
        run.fails(2)
            .stderr_has("no modules were found in the current workspace");
    }
}

/// Whatever stands for a version in a go.mod of a workspace is resolved, and no go.mod is written;
/// `list` records what it found out, as `download` does.
#[test]
fn download_workspace_queries_are_resolved_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let b = (
        "b/go.mod",
        "module m.com/b\ngo 1.20\nrequire example.com/text latest\n",
    );
    for (line, commands) in [
        (
            "require example.com/greet v1",
            &["list -m all", "mod graph"],
        ),
        (
            "require example.com/text v1.1",
            &["mod download", "list -m"],
        ),
        (
            "exclude example.com/text v1.1",
            &["list -m all", "mod graph"],
        ),
        (
            "require example.com/greet nowhere",
            &["list -m all", "list -m"],
        ),
    ] {
        for work in ["go 1.20\nuse ./a\nuse ./b\n", "go 1.21\nuse ./a\nuse ./b\n"] {
            let a = format!("module m.com/a\ngo 1.20\n{line}\n");
            let files = [("go.work", work), ("a/go.mod", &a), b];
            let (ours, gos) = (
                workspace(&files).proxy(&proxy),
                workspace(&files).proxy(&proxy),
            );
            for command in commands {
                let (run, go) = (ours.run(command.split(' ')), gos.go(command.split(' ')));
                same(&run, &go, &format!("{line}: {command}"));
                ours.project_picture()
                    .assert_same(&gos.project_picture(), &format!("{line}: {command}"));
            }
        }
    }
}

/// Two modules that know words and text each in their own way, with go.sum files of their own.
fn two(proxy: &Proxy) -> Sandbox {
    let a = "module m.com/a\ngo 1.21\nrequire example.com/greet v1.0.0\nrequire m.com/b v0.0.0\n\
             replace m.com/b => ../b\n";
    let b = "module m.com/b\ngo 1.20\nrequire example.com/text v1.1.0\n";
    workspace(&[BOTH, ("a/go.mod", a), ("b/go.mod", b)]).proxy(proxy)
}

#[test]
fn download_workspace_new_sums_go_to_go_work_sum() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let (ours, gos) = (two(&proxy), two(&proxy));
    // What each module needs alone is in its own go.sum.
    for sandbox in [&ours, &gos] {
        let alone = "cd b && GOWORK=off go mod download all && GOWORK=off go mod download";
        sandbox.shell(alone).ok();
        assert!(
            sandbox
                .read("b/go.sum")
                .contains("example.com/text v1.1.0 h1:")
        );
    }
    ours.run(["download"]).ok().stdout("").stderr("");
    gos.go(["mod", "download"]).ok();
    ours.project_picture()
        .assert_same(&gos.project_picture(), "the project");
    let recorded = ours.read("go.work.sum");
    assert!(
        recorded.contains("example.com/greet v1.0.0 h1:"),
        "{recorded}"
    );
    assert!(!recorded.contains("example.com/text v1.1.0 "), "{recorded}");

    // Each file is asked, and what it says named.
    ours.run(["sum", "--check"]).ok().stdout("");
    let whole = ours.read("b/go.sum");
    let ours = ours.edit("b/go.sum", |text| {
        text.replace("/go.mod h1:", "/go.mod h1:x")
    });
    for arguments in [&["graph"][..], &["download"], &["sum", "--check"]] {
        let run = ours.run(arguments.iter().copied());
        run.fails(5).stderr_has("/b/go.sum:     h1:x");
    }
    let ours = ours.file("b/go.sum", &whole);
    // Lines that are missing are told, and written where go would.
    let ours = ours.edit("go.work.sum", |text| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("example.com/greet "));
        lines.map(|line| format!("{line}\n")).collect()
    });
    let check = ours.run(["sum", "--check"]);
    check
        .fails(10)
        .stdout_has("missing example.com/greet v1.0.0 h1:");
    ours.run(["sum", "--write"])
        .ok()
        .stdout_has("added example.com/greet v1.0.0/go.mod h1:");
    assert_eq!(ours.read("go.work.sum"), recorded);
    // A line that a go.sum has, too, goes when the file is written for another one.
    let dropped = whole.lines().next().expect("it has lines").to_owned() + "\n";
    let greet = |text: String| text.replace("example.com/greet v1.0.0 h1:", "example.com/x v1 h1:");
    for sandbox in [&ours, &gos] {
        let text = greet(sandbox.read("go.work.sum")) + &dropped;
        sandbox.write("../project/go.work.sum", text.as_bytes());
    }
    ours.run(["download"]).ok();
    gos.go(["mod", "download"]).ok();
    ours.project_picture()
        .assert_same(&gos.project_picture(), "the project");
    assert!(!ours.read("go.work.sum").contains(&dropped));
}

#[test]
fn download_workspace_queries_in_go_mod_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let needs = "module a.com/a\n\ngo 1.21\n\nrequire example.com/text v1.1\n";
    let files = [("go.work", "go 1.21\n\nuse ./a\n"), ("a/go.mod", needs)];
    let sandbox = || workspace(&files).proxy(&proxy);
    let (ours, gos) = (sandbox(), sandbox());
    let lines: [&[&str]; 3] = [
        &["list", "-m", "all"],
        &["mod", "graph"],
        &["mod", "download"],
    ];
    for line in lines {
        let run = ours.run(line.iter().copied());
        same(&run, &gos.go(line.iter().copied()), &format!("{line:?}"));
        run.ok();
    }
    let project = ours.project_picture();
    project.assert_same(&gos.project_picture(), "the project");
    assert_eq!(ours.read("a/go.mod"), needs);
}

#[test]
fn doctor_workspace_checks_every_module() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = two(&proxy);
    let run = sandbox.run(["doctor", "--offline"]);
    run.stdout_has("m.com/a m.com/b, 3 requirements")
        .stdout_has("2 modules in use");
    let broken = sandbox.file("go.work", "go 1.20\nuse ./a\nuse ./none\n");
    let run = broken.run(["doctor", "--offline"]);
    run.fails(10)
        .stdout_has("module a listed in go.work file requires go >= 1.21");
    run.stdout_has("cannot load module none listed in go.work file");
}
