//! `modfetch graph`: the text of `go mod graph`, to the byte.

use serde_json::Value;

use crate::commands::why::explained_by;
use crate::support::compare::{compare_with_go, same};
use crate::support::go::{acting_version, only_modfetch};
use crate::support::random_project::RandomProject;
use crate::support::{Proxy, Sandbox, require_go};

/// `a@v1 b@v2` lines of the objects that `-json` prints.
fn edges(json: &str) -> String {
    let mut text = String::new();
    for object in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
        let object = object.expect("a sequence of objects");
        let path = object["Path"].as_str().expect("a path");
        let from = match object["Version"].as_str() {
            Some(version) => format!("{path}@{version}"),
            None => path.to_owned(),
        };
        for to in object["Requires"].as_array().into_iter().flatten() {
            text += &format!("{from} {}\n", to.as_str().expect("a name"));
        }
    }
    text
}

#[test]
fn graph_projects_match_go() {
    require_go!();
    let proxy = Proxy::serve();
    for project in ["hello", "legacy"] {
        for flags in [
            &["graph"][..],
            &["graph", "-go=1.16"],
            &["graph", "-go=1.26"],
        ] {
            let (ours, gos) = (
                Sandbox::with(project, &proxy),
                Sandbox::with(project, &proxy),
            );
            let run = ours.run(flags.iter().copied());
            let go = gos.go(["mod"].into_iter().chain(flags.iter().copied()));
            same(&run, &go, &format!("{project} {flags:?}"));
            ours.picture().assert_same(&gos.picture(), "the cache");
            ours.project_picture()
                .assert_same(&gos.project_picture(), "the project");
        }
    }
}

#[test]
fn graph_random_projects_match_go() {
    compare_with_go(RandomProject::of, compare);
}

/// True if there was a graph to compare.
fn compare(generated: &RandomProject) -> bool {
    let proxy = Proxy::of_modules(generated.modules.clone());
    let sandbox = || generated.place(Sandbox::new().proxy(&proxy));
    let (ours, gos) = (sandbox(), sandbox());
    let versions = ["", "-go=1.16", "-go=1.17", "-go=1.26"];
    // Without -go and with one of them: each generated costs time.
    let mut whole = false;
    let other = versions[1 + usize::try_from(generated.seed % 3).expect("it is small")];
    for flag in [versions[0], other] {
        let flags = || ["graph", flag].into_iter().filter(|word| !word.is_empty());
        let run = ours.run(flags());
        let go = gos.go(["mod"].into_iter().chain(flags()));
        let what = format!("after graph {flag}\n{}", generated.describe());
        same(&run, &go, &what);
        if go.code == Some(0) {
            whole = true;
            let cache = ours.picture();
            cache.assert_same(&gos.picture(), &format!("the cache {what}"));
            if flag.is_empty() {
                explained_by(&go.stdout, &ours, generated);
            }
            let json = ours.run(flags().chain(["-json"]));
            let equal = edges(&json.stdout) == go.stdout;
            json.demand(equal, &format!("-json is another graph {what}"));
        }
    }
    let what = format!(
        "the project after graph, graph {other}\n{}",
        generated.describe()
    );
    let project = ours.project_picture();
    project.assert_same(&gos.project_picture(), &what);
    whole
}

#[test]
fn graph_invalid_input_fails_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let hello = || Sandbox::with("hello", &proxy);
    let required = |line: &str| Sandbox::new().proxy(&proxy).go_mod(line);
    let rows: Vec<(Sandbox, &[&str], i32)> = vec![
        (hello(), &["graph", "more"], 2),
        (hello(), &["graph", "-go=1.20"], 3),
        (Sandbox::new(), &["graph"], 2),
        (hello().env("GO111MODULE", "off"), &["graph"], 3),
        (hello().env("GOWORK", "relative"), &["graph"], 3),
        (hello().file("go.mod", "module m\nbad\n"), &["graph"], 3),
        (required("require example.com/gone v1.0.0"), &["graph"], 4),
        (
            required("require example.com/text v1.2.0\nreplace example.com/text => ./none"),
            &["graph"],
            8,
        ),
    ];
    for (sandbox, arguments, code) in rows {
        let go = sandbox.go(["mod"].into_iter().chain(arguments.iter().copied()));
        let run = sandbox.run(arguments.iter().copied());
        same(&run, &go, &format!("{arguments:?}"));
        run.fails(code).stdout("");
    }
    // go tells how it is used as well, and its patch release.
    // The release that the program was compared with, whatever it acts as.
    for (version, why) in [
        ("x", "expecting a Go version like \"1.27.4\"".to_owned()),
        ("1", "expecting a Go version like \"1.27.4\"".to_owned()),
        (
            "1.99",
            format!("maximum supported Go version is {}", acting_version()),
        ),
    ] {
        let flag = format!("-go={version}");
        let said = format!("modfetch: invalid value \"{version}\" for flag -go: {why}\n");
        hello().run(["graph", &flag]).fails(2).stderr(&said);
        let go = hello().go(["mod", "graph", &flag]);
        go.demand(
            go.code == Some(2)
                && go
                    .stderr
                    .contains(why.trim_end_matches(['4', '7', '6', '8', '.', '"'])),
            &said,
        );
    }
}

#[test]
fn graph_incomplete_prints_nothing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let offline = Sandbox::with("legacy", &proxy);
    offline.run(["graph", "--offline"]).fails(11).stdout("");
    // Once it is cached no socket is needed, and go.sum is checked.
    offline.run(["graph"]).ok();
    let requests = proxy.requests().len();
    offline
        .run(["graph", "--offline"])
        .ok()
        .stdout_has("example.com/legacy go@1.16\n");
    offline.run(["graph"]).ok();
    assert_eq!(proxy.requests().len(), requests);
    let damaged = Sandbox::with("hello", &proxy).edit("go.sum", |text| {
        text.replace(
            "CamelCase v1.0.0/go.mod h1:Y",
            "CamelCase v1.0.0/go.mod h1:Z",
        )
    });
    damaged.run(["graph"]).fails(5).stdout("");
}

#[test]
fn graph_formats_show_selected_and_replaced() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy).go_mod(
        "module m.com/m\ngo 1.21\nrequire example.com/greet v1.0.0\n\
         require example.com/words v1.1.0\nreplace example.com/words => example.com/words v1.0.0\n",
    );
    sandbox.run(["graph"]).ok().stdout(TEXT);
    sandbox.run(["graph", "-json"]).ok().stdout(JSON);
    sandbox.run(["graph", "--dot"]).ok().stdout(DOT);
    let both = sandbox.run(["graph", "--dot", "-json"]);
    both.fails(2)
        .stderr("modfetch: -json and --dot cannot be used together\n");
}

/// What go1.26.8 prints.
const TEXT: &str = "\
m.com/m example.com/greet@v1.0.0
m.com/m example.com/words@v1.1.0
m.com/m go@1.21
example.com/greet@v1.0.0 example.com/text@v1.1.0
example.com/greet@v1.0.0 example.com/words@v1.0.0
example.com/greet@v1.0.0 example.com/letters@v0.1.0
example.com/words@v1.1.0 example.com/letters@v0.1.0
go@1.21 toolchain@go1.21
";
/// The same requirements; read are the go.mod files of greet, words v1.1.0 and, for words is of
/// go 1.16, letters.
const JSON: &str = r#"{
	"Path": "m.com/m",
	"Main": true,
	"Requires": ["example.com/greet@v1.0.0","example.com/words@v1.1.0","go@1.21"]
}
{
	"Path": "example.com/greet",
	"Version": "v1.0.0",
	"Selected": true,
	"Pruned": false,
	"Requires": ["example.com/text@v1.1.0","example.com/words@v1.0.0","example.com/letters@v0.1.0"]
}
{
	"Path": "example.com/words",
	"Version": "v1.1.0",
	"Selected": true,
	"ReplacedBy": "example.com/words@v1.0.0",
	"Pruned": false,
	"Requires": ["example.com/letters@v0.1.0"]
}
{
	"Path": "go",
	"Version": "1.21",
	"Selected": true,
	"Pruned": false,
	"Requires": ["toolchain@go1.21"]
}
{
	"Path": "example.com/text",
	"Version": "v1.1.0",
	"Selected": true,
	"Pruned": true
}
{
	"Path": "example.com/words",
	"Version": "v1.0.0",
	"Selected": false,
	"ReplacedBy": "example.com/words@v1.0.0",
	"Pruned": true
}
{
	"Path": "example.com/letters",
	"Version": "v0.1.0",
	"Selected": true,
	"Pruned": false
}
{
	"Path": "toolchain",
	"Version": "go1.21",
	"Selected": true,
	"Pruned": false
}
"#;
/// The same; words v1.0.0 is below v1.1.0.
const DOT: &str = r#"digraph modules {
	rankdir=LR;
	node [shape=box];
	"m.com/m" -> "example.com/greet@v1.0.0";
	"m.com/m" -> "example.com/words@v1.1.0";
	"m.com/m" -> "go@1.21";
	"example.com/greet@v1.0.0" -> "example.com/text@v1.1.0";
	"example.com/greet@v1.0.0" -> "example.com/words@v1.0.0";
	"example.com/greet@v1.0.0" -> "example.com/letters@v0.1.0";
	"example.com/words@v1.1.0" -> "example.com/letters@v0.1.0";
	"go@1.21" -> "toolchain@go1.21";
	"example.com/words@v1.0.0" [style=dashed];
}
"#;
