//! go.mod and go.sum after a download: what `go mod download` would have left, to the byte.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use modfetch::internals::fsio::FileLock;
use modfetch::internals::gomod::modfile::ModFile;

use crate::commands::plan::planned_is_fetched;
use crate::support::compare::{compare_with_go, same, talk};
use crate::support::fixtures::Module;
use crate::support::go::{acting_version, only_modfetch};
use crate::support::random_project::{RandomProject, Rng};
use crate::support::{Proxy, Sandbox, require_go};

/// A go.mod that says the same in another form: blocks, comments, blank lines.
fn dress(rng: &mut Rng, text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        let verb = line.split(' ').next().unwrap_or_default();
        let blocks = ["require", "exclude", "replace"].contains(&verb);
        if block.is_some_and(|open| open != verb || rng.percent(20)) {
            if rng.percent(15) {
                lines.push("\t// the last".to_owned());
            }
            lines.push(")".to_owned());
            block = None;
        }
        if rng.percent(10) {
            lines.push("// About what follows.".to_owned());
        }
        if rng.percent(10) {
            lines.push(String::new());
        }
        let end = match rng.below(12) {
            0 if !line.is_empty() && !line.contains("//") => " // why",
            1 if line.ends_with("// indirect") => "; why",
            _ => "",
        };
        if blocks && block.is_none() && rng.percent(60) {
            lines.push(format!("{verb} ("));
            block = Some(verb);
        }
        let line = match block {
            Some(verb) => line.replacen(&format!("{verb} "), "\t", 1),
            None => line.to_owned(),
        };
        lines.push(line + end);
    }
    if block.is_some() {
        lines.push(")".to_owned());
    }
    if rng.percent(10) {
        lines.push("\n// The end.".to_owned());
    }
    lines.join("\n") + "\n"
}

fn generated(seed: u64) -> RandomProject {
    let mut generated = RandomProject::of(seed);
    let mut rng = Rng::new(seed ^ 0x6d6f_6477_7269_7465);
    for (name, text) in &mut generated.files {
        if name == "go.mod" {
            *text = dress(&mut rng, text);
        }
    }
    generated
}

/// Lines, each once: what go says of each requirement of a path, modfetch says of the path.
pub(crate) fn once(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

#[test]
fn download_random_projects_are_written_as_go() {
    compare_with_go(generated, |generated| {
        let proxy = Proxy::of_modules(generated.modules.clone());
        let sandbox = || generated.place(Sandbox::new().proxy(&proxy));
        let (ours, gos) = (sandbox(), sandbox());
        let named;
        let arguments: &[&str] = match generated.seed % 4 {
            0 | 1 => &[],
            2 => &["all"],
            _ => {
                let module = &generated.modules[0];
                let (path, version) = (&module.path, &module.version);
                named = match generated.seed % 8 {
                    3 => format!("{path}@{version}"),
                    _ => path.clone(),
                };
                &[&named]
            }
        };
        let words = || ["download"].into_iter().chain(arguments.iter().copied());
        let run = ours.run(words());
        let go = gos.go(["mod"].into_iter().chain(words()));
        let said_alike = (run.code == Some(0)) == (go.code == Some(0))
            && run.stdout == go.stdout
            && once(&talk(&run)) == once(&talk(&go));
        run.demand(
            said_alike,
            &format!(
                "{arguments:?}\n{}\n----- go: {:?}\n{}{}",
                generated.describe(),
                go.code,
                go.stdout,
                go.stderr
            ),
        );
        let file = |sandbox: &Sandbox, name| fs::read_to_string(sandbox.project_dir().join(name));
        let after = |sandbox: &Sandbox| {
            // There may be no go.sum.
            ["go.mod", "go.sum"].map(|name| file(sandbox, name).unwrap_or_default())
        };
        let (got, want) = (after(&ours), after(&gos));
        run.demand(
            got == want,
            &format!(
                "go leaves\n{}\n{}\nnot\n{}\n{}\n{arguments:?} {}",
                want[0],
                want[1],
                got[0],
                got[1],
                generated.describe()
            ),
        );
        if go.code == Some(0) {
            let what = format!(
                "the cache after download {arguments:?}\n{}",
                generated.describe()
            );
            let fetched = gos.picture();
            ours.picture().assert_same(&fetched, &what);
            let plan = ["plan", "-json"].into_iter();
            let planned = sandbox().run(plan.chain(arguments.iter().copied()));
            // What go reads to resolve a query is not planned.
            let whole = |(name, text): &(String, String)| {
                name != "go.mod" || ModFile::parse("go.mod", text.as_bytes()).is_ok()
            };
            let exact = generated.seed % 8 != 3 && generated.files.iter().all(whole);
            planned_is_fetched(&planned, &fetched, exact, &what);
        }
        go.code == Some(0)
    });
}

/// Without a go line go reads the graph by the old rules, and then writes all of it that counts to
/// go.mod, so that it need not read it for a path that is named.
#[test]
fn download_updated_go_mod_reads_no_graph() {
    require_go!();
    only_modfetch!();
    let generated = RandomProject::made(
        &[(
            "go.mod",
            "module m.com/m\nrequire b.com/b v1.0.0\nrequire n.com/n v1.0.0\n",
        )],
        &[
            (
                "n.com/n",
                "v1.0.0",
                "module n.com/n\nrequire a.com/a v1.0.0\n",
            ),
            (
                "b.com/b",
                "v1.0.0",
                "module b.com/b\nrequire a.com/a v1.1.0\n",
            ),
            ("a.com/a", "v1.0.0", "module a.com/a\n"),
            ("a.com/a", "v1.1.0", "module a.com/a\n"),
        ],
    );
    let proxy = Proxy::of_modules(generated.modules.clone());
    for named in ["n.com/n", "a.com/a", "..."] {
        let sandbox = || generated.place(Sandbox::new().proxy(&proxy));
        let (ours, gos) = (sandbox(), sandbox());
        let run = ours.run(["download", named]);
        let go = gos.go(["mod", "download", named]);
        same(&run, &go, named);
        let (got, want) = (ours.project_picture(), gos.project_picture());
        got.assert_same(&want, &format!("the project after {named}"));
    }
}

/// A branch, releases and a pre-release, some of which no proxy lists.
pub(crate) fn queried() -> Proxy {
    let plain = |path, version| Module::bare(path, version, "");
    let commit = "v0.0.0-20240501000000-0123456789ab";
    let info = format!("{{\"Version\":\"{commit}\",\"Time\":\"2024-05-01T00:00:00Z\"}}");
    Proxy::of_modules(vec![
        plain("example.org/m", "v1.0.0"),
        plain("example.org/m", "v1.2.3"),
        plain("example.org/m", "v1.2.9"),
        plain("example.org/m", "v1.3.0-rc.1"),
        plain("example.org/n", commit),
        plain("gopkg.in/old.v1", "v1.0.0"),
    ])
    .with_file("example.org/n/@v/main.info", info.as_str())
    .with_file("example.org/n/@v/0123456789ab.info", info.as_str())
    .with_file("example.org/n/@v/list", "")
}

#[test]
fn download_queries_in_go_mod_are_resolved_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = queried();
    let rows = [
        "require example.org/m v1.2 // short",
        "require (\n\texample.org/n main // branch\n\n\texample.org/m v1 // indirect\n)",
        "require example.org/n 0123456789ab\nexclude example.org/m v1.2",
        "require example.org/m latest\nreplace example.org/m latest => example.org/n main",
        "require example.org/m >=v1.2.4\nretract v1",
        "require example.org/m v1.0.0\nretract [v0.1, v0.2]",
        "require example.org/m v9\nrequire example.org/n gone\nrequire example.org/m upgrade",
        "require example.org/absent v1",
        "require example.org/m v1.2.3+meta",
        "replace example.org/m => ./m v1\nrequire example.org/m v1.0",
        "require gopkg.in/old.v1 v0.0.0-gopkgin-v1.0.0",
        "require example.org/m \"v1\"",
    ];
    for (index, row) in rows.into_iter().enumerate() {
        for go_line in ["go 1.16", "go 1.20"] {
            let text = format!("module main.org/m\n\n{go_line}\n\n// What is asked.\n{row}\n");
            let sandbox = || Sandbox::new().proxy(&proxy).file("go.mod", &text);
            let (ours, gos) = (sandbox(), sandbox());
            let commands = [&["graph"][..], &["download"]];
            for command in &commands[index % 2..] {
                let run = ours.run(command.iter().copied());
                let go = gos.go(["mod"].into_iter().chain(command.iter().copied()));
                same(&run, &go, &format!("{command:?}\n{text}"));
                ours.project_picture()
                    .assert_same(&gos.project_picture(), &format!("{command:?}\n{text}"));
            }
        }
    }
}

/// A go.mod that every command which may write puts right.
pub(crate) const UNTIDY: &str = "module main.org/m\n\nrequire example.org/m v1.2 // why\n";

#[test]
fn download_locked_offline_or_dry_run_does_not_write_go_mod() {
    only_modfetch!();
    let proxy = queried();
    let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
    sandbox.run(["download", "--offline"]).fails(11);
    let done = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
    done.run(["download"]).ok();
    let sandbox = sandbox.go_sum(&done.read("go.sum"));
    let needed = "updates to go.mod needed, disabled by --locked; to update it:\n\tgo mod tidy";
    let locked = sandbox.run(["download", "--locked"]);
    locked.fails(10).stderr_has(needed);
    sandbox.run(["download", "--dry-run"]).fails(10);
    sandbox.run(["graph"]).ok();
    // A check opens no socket.
    let refused = "go.mod:3: require example.org/m: version \"v1.2\" invalid: must be of the \
                   form v1.2.3";
    sandbox.run(["verify"]).fails(3).stderr_has(refused);
    assert_eq!(sandbox.read("go.mod"), UNTIDY);
    sandbox.run(["download"]).ok();
    assert_eq!(
        sandbox.read("go.mod"),
        format!(
            "module main.org/m\n\ngo {}\n\nrequire example.org/m v1.2.9 // why\n",
            acting_version()
        )
    );
    // What is right is not written again, whatever it looks like.
    let spaced = sandbox.edit("go.mod", |text| text.replace("go 1", "go    1"));
    let before = spaced.project_picture();
    spaced.run(["download", "--offline"]).ok();
    before.assert_same(&spaced.project_picture(), "the project");
}

#[test]
fn download_unwritable_go_mod_is_reported_and_kept() {
    only_modfetch!();
    let proxy = queried();
    let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
    let file = sandbox.project_dir().join("go.mod");
    let held = FileLock::acquire(&file).unwrap();
    let run = sandbox.run(["download", "--lock-timeout=0"]);
    run.fails(9)
        .stderr_has("modfetch: updating go.mod: cannot lock [ROOT]/project/go.mod: ");
    drop(held);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let sandbox = sandbox.unprivileged();
    sandbox
        .run(["download"])
        .fails(8)
        .stderr_has("modfetch: updating go.mod: open [ROOT]/project/go.mod: permission denied");
    assert_eq!(sandbox.read("go.mod"), UNTIDY);
}

#[test]
fn download_killed_while_writing_go_mod_leaves_valid_file() {
    only_modfetch!();
    let proxy = queried();
    let done = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
    done.run(["download"]).ok();
    for step in ["mod-grown", "mod-written"] {
        let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
        let killed = sandbox.env("MODFETCH_TEST_KILL_AT", step);
        assert_eq!(killed.run(["download"]).code, None, "{step}");
        let left = killed.read("go.mod");
        let whole = [UNTIDY, &done.read("go.mod")];
        assert!(
            whole.contains(&&*format!("{}\n", left.trim_end())),
            "{left}"
        );
        let next = killed.env("MODFETCH_TEST_KILL_AT", "");
        next.run(["download"]).ok();
        assert_eq!(
            next.read("go.mod").trim_end(),
            done.read("go.mod").trim_end()
        );
    }
}
