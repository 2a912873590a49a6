//! `modfetch why -m`: chains that are in the graph, none shorter, in the form of go. In projects they
//! are compared with go's graph where that is compared with ours.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::support::go::only_modfetch;
use crate::support::random_project::RandomProject;
use crate::support::{Proxy, Sandbox, require_go};

fn objects(json: &str) -> Vec<Value> {
    let objects = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    objects.map(|object| object.expect("an object")).collect()
}

/// How many requirements each node of go's graph is away from those where it starts.
fn distances<'t>(graph: &'t str, starts: &[&'t str]) -> HashMap<&'t str, usize> {
    let mut required: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in graph.lines() {
        let (from, to) = line.split_once(' ').expect("two nodes");
        required.entry(from).or_default().push(to);
    }
    let mut known: HashMap<&str, usize> = starts.iter().map(|start| (*start, 0)).collect();
    let mut queue: VecDeque<&str> = starts.iter().copied().collect();
    while let Some(node) = queue.pop_front() {
        let far = known[node] + 1;
        for to in required.get(node).into_iter().flatten() {
            if !known.contains_key(to) {
                known.insert(to, far);
                queue.push_back(to);
            }
        }
    }
    known
}

/// The order of versions as far as projects have them: numbers, then a release after what leads to
/// it. What stands after a `+` does not count.
fn order(version: &str) -> (Vec<u64>, bool, &str) {
    let version = version.split('+').next().unwrap_or_default();
    let (numbers, before) = version.split_once('-').unwrap_or((version, ""));
    let numbers = numbers.trim_start_matches('v').split('.');
    let numbers = numbers.map(|number| number.parse().expect("a number"));
    (numbers.collect(), before.is_empty(), before)
}

/// Demands that `why -m -json all` of a sandbox of this generated explains by `graph`, the text that go
/// printed of it: every module of the graph is there, at the highest version that anything
/// requires, by a chain of its lines from a main module, as short as one can be.
#[track_caller]
pub fn explained_by(graph: &str, sandbox: &Sandbox, generated: &RandomProject) {
    let why = sandbox.run(["why", "-m", "-json", "all"]);
    let story = || generated.describe();
    why.demand(why.code == Some(0), &story());
    let answers = objects(&why.stdout);
    let mains = answers.iter().filter(|answer| answer["Main"] == true);
    let mains: Vec<&str> = mains.map(|main| main["Path"].as_str().unwrap()).collect();
    for main in &mains {
        let line = format!("module {main}\n");
        let is_one = |(name, text): &(String, String)| {
            let in_use = !name.contains("folder") && name.ends_with("go.mod");
            in_use && text.starts_with(&line)
        };
        why.demand(generated.files.iter().any(is_one), &story());
    }
    let lines: HashSet<&str> = graph.lines().collect();
    let nodes: BTreeSet<&str> = graph.lines().flat_map(|line| line.split(' ')).collect();
    let distances = distances(graph, &mains);
    let mut highest: HashMap<&str, &str> = HashMap::new();
    for node in &nodes {
        match node.split_once('@') {
            None => why.demand(mains.contains(node), &story()),
            Some(("go" | "toolchain", _)) => continue,
            // Of a main module no other version counts.
            Some((path, _)) if mains.contains(&path) => continue,
            Some((path, version)) => {
                let known = highest.entry(path).or_insert(version);
                if order(version) > order(known) {
                    *known = version;
                }
                continue;
            }
        };
    }
    for answer in &answers {
        let path = answer["Path"].as_str().expect("a path");
        let chain = answer["Chain"].as_array().expect("a chain");
        let chain: Vec<&str> = chain.iter().map(|node| node.as_str().unwrap()).collect();
        if mains.contains(&path) {
            why.demand(chain == [path], &story());
            continue;
        }
        let version = answer["Version"].as_str().expect("a version");
        let (first, last) = (chain[0], chain[chain.len() - 1]);
        let mut steps = chain.windows(2).map(|pair| pair.join(" "));
        let held = highest.remove(path) == Some(version)
            && last == format!("{path}@{version}")
            && mains.contains(&first)
            && distances.get(last) == Some(&(chain.len() - 1))
            && steps.all(|step| lines.contains(&*step));
        why.demand(
            held,
            &format!("the chain to {path}: {chain:?}\n{}", story()),
        );
    }
    why.demand(highest.is_empty(), &format!("of {highest:?}\n{}", story()));
    // The same for those that are no modules, where a workspace asks for them itself.
    let tools = objects(
        &sandbox
            .run(["why", "-m", "-json", "go", "toolchain"])
            .stdout,
    );
    for answer in &tools {
        let Some(chain) = answer["Chain"].as_array() else {
            continue;
        };
        let chain: Vec<&str> = chain.iter().map(|node| node.as_str().unwrap()).collect();
        let mut steps = chain.windows(2).map(|pair| pair.join(" "));
        let last = chain[chain.len() - 1];
        let by_work = generated.is_workspace() && chain[0].contains('@');
        let held = steps.all(|step| lines.contains(&*step))
            && (by_work || distances.get(last) == Some(&(chain.len() - 1)));
        why.demand(held, &format!("the chain {chain:?}\n{}", story()));
    }
}

const GO_MOD: &str = "module m.com/m\ngo 1.21\nrequire example.com/greet v1.0.0\n\
    require example.com/words v1.1.0\n";

#[test]
fn why_m_output_matches_go() {
    only_modfetch!();
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
fn why_m_workspace_matches_go() {
    only_modfetch!();
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
fn why_m_invalid_input_fails_as_go() {
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
fn why_without_m_fails() {
    only_modfetch!();
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
