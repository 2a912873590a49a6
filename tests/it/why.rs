//! `modfetch why -m`: chains that are in the graph, none shorter, in the form of go.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::support::go::only_modfetch;
use crate::support::world::World;
use crate::support::{Proxy, Sandbox, require_go};

/// Worlds that are looked at.
const WORLDS: u64 = 36;

fn objects(json: &str) -> Vec<Value> {
    let objects = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    objects.map(|object| object.expect("an object")).collect()
}

/// How many requirements each node is away from the main module, by the lines of `graph`.
fn distances<'t>(graph: &'t str, main: &'t str) -> HashMap<&'t str, usize> {
    let edges: Vec<(&str, &str)> = graph
        .lines()
        .map(|line| line.split_once(' ').expect("two nodes"))
        .collect();
    let mut known = HashMap::from([(main, 0)]);
    loop {
        let mut grown = known.clone();
        for (from, to) in &edges {
            if let Some(far) = known.get(from).map(|far| far + 1) {
                let near = grown.entry(to).or_insert(far);
                *near = far.min(*near);
            }
        }
        if grown == known {
            return known;
        }
        known = grown;
    }
}

#[test]
fn chains_are_requirements_and_as_short_as_can_be() {
    if !only_modfetch() {
        return;
    }
    let mut explained = 0;
    for seed in 0..WORLDS {
        let world = World::of(seed);
        let proxy = Proxy::of_modules(world.modules.clone());
        let sandbox = world.place(Sandbox::new().proxy(&proxy));
        // The same text as go's: see graph.rs.
        let graph = sandbox.run(["graph"]);
        let why = sandbox.run(["why", "-m", "-json", "all"]);
        assert_eq!(graph.code, why.code, "{}", world.describe());
        if graph.code != Some(0) {
            why.stdout("");
            assert_eq!(graph.stderr, why.stderr);
            continue;
        }
        let selected: HashSet<String> = objects(&sandbox.run(["graph", "-json"]).stdout)
            .iter()
            .filter(|node| node["Selected"] == true)
            .map(|node| format!("{}@{}", node["Path"], node["Version"]).replace('"', ""))
            .filter(|node| !node.starts_with("go@") && !node.starts_with("toolchain@"))
            .collect();
        let mut ends = HashSet::new();
        let answers = objects(&why.stdout);
        let main = answers[0]["Path"].as_str().expect("a path");
        assert_eq!(answers[0]["Chain"], serde_json::json!([main]));
        let distances = distances(&graph.stdout, main);
        for answer in &answers[1..] {
            let chain = answer["Chain"].as_array().expect("a chain");
            let chain: Vec<&str> = chain.iter().map(|node| node.as_str().unwrap()).collect();
            for pair in chain.windows(2) {
                let line = format!("{} {}\n", pair[0], pair[1]);
                assert!(graph.stdout.contains(&line), "{line}{}", world.describe());
            }
            let end = *chain.last().unwrap();
            assert_eq!(chain.len() - 1, distances[end], "{}", world.describe());
            let named = format!("{}@{}", answer["Path"], answer["Version"]).replace('"', "");
            assert_eq!(end, named);
            ends.insert(end.to_owned());
            explained += 1;
        }
        assert_eq!(ends, selected, "{}", world.describe());
    }
    assert!(explained > 60, "only {explained} chains");
}

const GO_MOD: &str = "module m.com/m\ngo 1.21\nrequire example.com/greet v1.0.0\n\
    require example.com/words v1.1.0\n";

#[test]
fn stanzas_have_the_form_of_go() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy).go_mod(GO_MOD);
    let before = sandbox.project_picture();
    let text = "\
# example.com/text
m.com/m
example.com/greet@v1.0.0
example.com/text@v1.1.0

# example.com/none
(main module does not need module example.com/none)

# m.com/m
m.com/m

# toolchain
m.com/m
go@1.21
toolchain@go1.21
";
    let modules = [
        "example.com/text",
        "example.com/none",
        "m.com/m",
        "toolchain",
    ];
    sandbox
        .run(["mod", "why", "-m"].into_iter().chain(modules))
        .ok()
        .stdout(text);
    sandbox
        .run(["why", "-m"])
        .ok()
        .stdout("# m.com/m\nm.com/m\n");
    let two = "# example.com/words\nm.com/m\nexample.com/words@v1.1.0\n\n\
        # example.com/letters\nm.com/m\nexample.com/words@v1.1.0\nexample.com/letters@v0.2.0\n";
    let run = sandbox.run([
        "why",
        "-m",
        "example.com/words",
        "example.com/l...",
        "none/...",
    ]);
    run.ok()
        .stdout(two)
        .stderr_has("warning: pattern \"none/...\" matched no module dependencies");
    let json = "{\n\t\"Path\": \"example.com/none\",\n\t\"Main\": false\n}\n\
        {\n\t\"Path\": \"example.com/text\",\n\t\"Main\": false,\n\t\"Version\": \"v1.1.0\",\n\t\
        \"Chain\": [\"m.com/m\",\"example.com/greet@v1.0.0\",\"example.com/text@v1.1.0\"]\n}\n";
    sandbox
        .run(["why", "-m", "-json", "example.com/none", "example.com/text"])
        .ok()
        .stdout(json);
    sandbox
        .project_picture()
        .assert_same(&before, "the project");
}

#[test]
fn a_workspace_has_several_main_modules() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new()
        .proxy(&proxy)
        .file("go.work", "go 1.22\nuse (\n\t./a\n\t./b\n)\n")
        .file("a/go.mod", "module m.com/a\ngo 1.21\n")
        .file(
            "b/go.mod",
            "module m.com/b\ngo 1.21\nrequire example.com/greet v1.0.0\n",
        );
    let text = "\
# m.com/a
m.com/a

# m.com/b
m.com/b

# example.com/greet
m.com/b
example.com/greet@v1.0.0

# go
go@1.22
";
    let modules = ["m.com/...", "example.com/greet", "go"];
    let run = sandbox.run(["why", "-m"].into_iter().chain(modules));
    run.ok().stdout(text);
    let mains = sandbox.run(["why", "-m"]);
    mains
        .ok()
        .stdout("# m.com/a\nm.com/a\n\n# m.com/b\nm.com/b\n");
}

#[test]
fn what_go_refuses_is_refused_in_its_words() {
    if !only_modfetch() || require_go().is_none() {
        return;
    }
    let proxy = Proxy::serve();
    let inside = || Sandbox::with("hello", &proxy);
    let rows: [(Sandbox, &[&str]); 5] = [
        (inside(), &["-m", "example.com/text@v1.0.0"]),
        (inside(), &["-m", "./x"]),
        (inside(), &["-m", "a\\b"]),
        (Sandbox::new(), &["-m", "all"]),
        (Sandbox::new().env("GO111MODULE", "off"), &["-m", "all"]),
    ];
    for (sandbox, arguments) in rows {
        let words = || ["mod", "why"].into_iter().chain(arguments.iter().copied());
        let (run, go) = (sandbox.run(words()), sandbox.go(words()));
        let said = go.stderr.replace("go: ", "modfetch: ");
        let ours: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| !line.starts_with("hint: "))
            .collect();
        run.demand(
            go.code == Some(1) && ours.join("\n") == said.trim_end(),
            &said,
        );
        run.stdout("");
    }
    // Those that are not needed, and the main module, are told in go's words.
    let sandbox = inside();
    let words = ["mod", "why", "-m", "none.com/x", "example.com/hello"];
    let (run, go) = (sandbox.run(words), sandbox.go(words));
    run.ok().stdout(&go.ok().stdout);
}

#[test]
fn packages_are_not_explained() {
    if !only_modfetch() {
        return;
    }
    let sandbox = Sandbox::new().go_mod(GO_MOD);
    sandbox.run(["why", "example.com/text"]).fails(2).stderr(
        "modfetch: why without -m is about packages, which modfetch does not read\n\
         hint: explain modules: modfetch why -m example.com/text\n",
    );
    sandbox
        .run(["why", "-m", "-vendor", "all"])
        .fails(2)
        .stderr("modfetch: flag -vendor is not supported\nhint: modfetch looks at no imports\n");
    let help = sandbox.run(["help", "why"]);
    help.ok()
        .stdout_has("It is another question than go's: go looks for packages");
}
