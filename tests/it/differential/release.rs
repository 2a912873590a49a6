//! `go@VERSION` and `toolchain@VERSION`, which are no modules: `list -m` resolves them, `download`
//! does not fetch them, as in go.

use crate::commands::json::without_extra;
use crate::support::compare::{same, talk};
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sampling::{pairs, sample};
use crate::support::{Proxy, Sandbox, require_go};

const TOOLCHAIN: &str = "golang.org/toolchain";

/// Releases that go may have, and such that are newer than any.
const RELEASES: &[&str] = &[
    "1.21rc3", "1.21.0", "1.22.0", "1.22.1", "1.22.12", "1.23rc1", "1.98.0", "1.99.0", "1.99.3",
    "1.100rc1",
];

fn proxy() -> Proxy {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let mut modules = vec![Module::new(
        "ex.com/a",
        "v1.0.0",
        vec![file("go.mod", "module ex.com/a\n\ngo 1.20\n")],
    )];
    for release in RELEASES {
        for platform in ["linux-amd64", "darwin-arm64"] {
            let version = format!("v0.0.1-go{release}.{platform}");
            let module = Module::new(TOOLCHAIN, &version, vec![file("VERSION", release)]);
            modules.push(module);
        }
    }
    // What makes no toolchain.
    let list = Proxy::of_modules(modules.clone());
    let known = modules.iter().filter(|module| module.path == TOOLCHAIN);
    let mut names: Vec<&str> = known.map(|module| module.version.as_str()).collect();
    names.extend([
        "v0.0.1-go1.9.2rc2.linux-amd64",
        "v0.0.1",
        "v0.0.1-go1.22",
        "odd",
    ]);
    list.with_file("golang.org/toolchain/@v/list", names.join("\n"))
}

fn sandbox(proxy: &Proxy, gomod: &str) -> Sandbox {
    let go = Sandbox::new().go(["env", "GOVERSION"]);
    let version = go.ok().stdout.trim().trim_start_matches("go").to_owned();
    let sandbox = Sandbox::new().proxy(proxy);
    let sandbox = sandbox.env("MODFETCH_GO_VERSION", &version);
    match gomod {
        "" => sandbox,
        work if work.contains("use (") => sandbox
            .file("go.work", work)
            .file("a/go.mod", "module m.com/a\n\ngo 1.21\n"),
        gomod => sandbox.go_mod(gomod),
    }
}

/// Without a project; the requirements of several, and workspaces.
const PROJECTS: &[&str] = &[
    "",
    "module m\n\ngo 1.21\n\ntoolchain go1.22.1\n\nrequire ex.com/a v1.0.0\n",
    "module m\n\ngo 1.21\n\ntoolchain default\n",
    "module m\n\ngo 1.16\n",
    "module m\n",
    "module m\n\ngo 1.22.1\n\ntoolchain go1.22.1-custom\n",
    "module m\n\ngo 1.21.3\n\ntoolchain go1.22.9\n",
    "go 1.22\n\ntoolchain go1.22.12\n\nuse (\n\t./a\n)\n",
    "go 1.22\n\nuse (\n)\n",
];

const QUERIES: &[&str] = &[
    "go@latest",
    "go@1.22",
    "go@1.22.0",
    "go@go1.22.0",
    "go@patch",
    "go@upgrade",
    "go@none",
    "go@>1.21",
    "go@>1.21.0",
    "go@>=1.21",
    "go@<1.22",
    "go@<=1.22.0",
    "go@>1.99.0",
    "go@<1.9",
    "go@1.99",
    "go@1.99.1",
    "go@1.99.0",
    "go@1.100",
    "go@1.100rc1",
    "go@1.20",
    "go@master",
    "go@",
    "go@v1.22.0",
    "go",
    "toolchain",
    "toolchain@latest",
    "toolchain@go1.22",
    "toolchain@1.22",
    "toolchain@go1.22.0",
    "toolchain@1.22.0",
    "toolchain@patch",
    "toolchain@upgrade",
    "toolchain@none",
    "toolchain@>go1.22",
    "toolchain@>go1.22.0",
    "toolchain@>=go1.22",
    "toolchain@go1.20.1",
    "toolchain@default",
    "toolchain@go1.22.0-custom",
    "toolchain@go1.99.3",
];

#[test]
fn list_m_go_and_toolchain_queries_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let flags: &[&[&str]] = &[
        &["-json"],
        &["-json", "-u"],
        &["-json", "-versions"],
        &["-json", "-retracted"],
        &["-mod=mod"],
    ];
    for (project, flags) in sample(0, 15, pairs(PROJECTS, flags)) {
        let (ours, gos) = (sandbox(&proxy, project), sandbox(&proxy, project));
        let words = || [&["list", "-m", "-e"][..], flags, QUERIES].concat();
        let (run, go) = (ours.run(words()), gos.go(words()));
        let what = format!("{flags:?} {project}");
        same(&run, &go, &what);
        let told = go.stdout.contains("1.22.12") || go.stderr.contains("-mod may only be set");
        assert!(told, "{what}: {}", go.stderr);
        ours.picture().assert_same(&gos.picture(), &what);
        ours.project_picture()
            .assert_same(&gos.project_picture(), &what);
    }
}

/// One at a time, with what is left in the cache; `-e` would not tell failures.
#[test]
fn list_m_one_release_matches_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let rows: &[&[&str]] = &[
        &["go@1.22"],
        &["toolchain@go1.22"],
        &["go@patch"],
        &["toolchain@patch"],
        &["go@none"],
        &["go@1.100"],
        &["toolchain@1.22"],
        &["go@1.99.1"],
        &["-versions", "go", "toolchain"],
        &["-versions", "go@1.22"],
        &["-u", "go", "toolchain"],
        &[
            "-u",
            "-f",
            "{{.Path}} {{.Version}} {{with .Update}}{{.Version}} {{.Time}}{{end}}",
            "go@1.21.0",
        ],
        &["-u", "ex.com/a@none"],
        &["-e", "-u", "ex.com/a@none", "go@none"],
        &["-mod=vendor", "go@1.22"],
        &["toolchain@latest", "go@latest", "ex.com/a@latest"],
        &["go@-x"],
    ];
    let projects = ["", PROJECTS[1], PROJECTS[3], PROJECTS[7]];
    for (project, row) in sample(0, 17, pairs(&projects, rows)) {
        let (ours, gos) = (sandbox(&proxy, project), sandbox(&proxy, project));
        let words = || [&["list", "-m"][..], row].concat();
        let what = format!("{row:?} {project}");
        same(&ours.run(words()), &gos.go(words()), &what);
        ours.picture().assert_same(&gos.picture(), &what);
    }
}

#[test]
fn list_m_unknown_release_fails_as_go() {
    require_go!();
    only_modfetch!();
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("file://{}", folder.path().display());
    // A list without what it names.
    let listed = Proxy::of_modules(Vec::new()).with_file(
        "golang.org/toolchain/@v/list",
        "v0.0.1-go1.22.0.linux-amd64\nv0.0.1-go1.99.0.linux-amd64\n",
    );
    let whole = proxy();
    let settings = [
        "off".to_owned(),
        gone.clone(),
        format!("{gone},off"),
        format!("{gone}|{}", whole.url()),
        format!("{gone},{}", whole.url()),
        listed.url(),
        format!("{},{}", listed.url(), whole.url()),
    ];
    let rows: &[&[&str]] = &[
        &["go@latest"],
        &["go@1.99.0"],
        &["toolchain@latest"],
        &["toolchain@go1.99.0"],
        &["-versions", "go"],
        &["-versions", "-retracted", "go"],
        &["-e", "-versions", "toolchain"],
        &["-u", "go"],
        &["-u", "-json", "go", "toolchain"],
        &["-retracted", "go@latest"],
        &["go@none"],
        &["go@>1.99.0"],
        &["go@1.22"],
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    for (setting, row) in sample(0, 26, pairs(&settings, rows)) {
        let sandbox = || sandbox(&whole, PROJECTS[1]).env("GOPROXY", setting);
        let (ours, gos) = (sandbox(), sandbox());
        let words = || [&["list", "-m"][..], row].concat();
        let what = format!("{row:?} {setting}");
        same(&ours.run(words()), &gos.go(words()), &what);
        ours.picture().assert_same(&gos.picture(), &what);
    }
}

#[test]
fn download_go_and_toolchain_are_refused_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let arguments = [
        &["go"][..],
        &["toolchain"],
        &["go@patch", "toolchain@latest"],
        &["go@1.22", "go@none", "go@1.99.1", "toolchain@go1.22.0"],
        &["all", "go@1.22.0"],
    ];
    let forms = [&[][..], &["-json"]];
    for (project, (arguments, json)) in sample(0, 18, pairs(PROJECTS, &pairs(&arguments, &forms))) {
        let (ours, gos) = (sandbox(&proxy, project), sandbox(&proxy, project));
        let words = || [&["mod", "download"], json, arguments].concat();
        let (run, go) = (ours.run(words()), gos.go(words()));
        let out = |text: String| match json {
            [] => text,
            _ => without_extra(&text),
        };
        let equal = out(run.output()) == go.output() && talk(&run) == talk(&go);
        let story = format!("{arguments:?} {project}\n{}{}", go.stdout, go.stderr);
        run.demand(equal && run.code != Some(0) && go.code == Some(1), &story);
        ours.picture().assert_same(&gos.picture(), &story);
        ours.project_picture()
            .assert_same(&gos.project_picture(), &story);
    }
    assert_eq!(proxy.hits("golang.org/toolchain/@v/*.zip"), 0);
}

/// What it takes is told.
#[test]
fn plan_toolchain_names_its_module() {
    let proxy = proxy();
    let sandbox = Sandbox::new().proxy(&proxy);
    let run = sandbox.run(["plan", "go@1.22"]);
    run.fails(3)
        .stderr_has("internal error: invalid operation on toolchain module\n")
        .stderr_has("such as golang.org/toolchain@v0.0.1-go1.22.12.linux-amd64\n");
    sandbox
        .run(["plan", "golang.org/toolchain@v0.0.1-go1.22.12.linux-amd64"])
        .ok();
}

/// go.mod files that name go, a toolchain or what is no module where modules stand.
const LINES: &[&str] = &[
    "require go v1.2.3",
    "require go v1.22.0 // indirect",
    "require go 1.22",
    "require go go1.22.0",
    "require go v1.2",
    "require go latest",
    "require go 1.99.1",
    "require go 1.100",
    "require toolchain go1.22.0",
    "exclude go 1.22",
    "exclude toolchain v1.2.3",
    "replace go 1.22 => ./x",
    "replace ex.com/a => go v1.2.3",
    "require std v1.0.0",
    "require nowhere v1.0.0",
    "require nowhere v1.0",
    "retract 1.22",
    "toolchain v1.22.0",
    "toolchain local",
    "go go1.21",
];

#[test]
fn list_m_go_and_toolchain_requirements_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let commands = [
        &["list", "-m"][..],
        &["list", "-m", "all"],
        &["list", "-m", "-mod=mod", "all"],
        &["mod", "graph"],
        &["mod", "download"],
    ];
    for (line, words) in sample(0, 40, pairs(LINES, &commands)) {
        let gomod = match line.starts_with("go ") {
            true => format!("module m\n\n{line}\n"),
            false => format!("module m\n\ngo 1.21\n\n{line}\n"),
        };
        let (ours, gos) = (sandbox(&proxy, &gomod), sandbox(&proxy, &gomod));
        let what = format!("{words:?} {line}");
        let words = || words.iter().copied();
        same(&ours.run(words()), &gos.go(words()), &what);
        ours.picture().assert_same(&gos.picture(), &what);
        ours.project_picture()
            .assert_same(&gos.project_picture(), &what);
    }
}
