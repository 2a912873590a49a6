//! `modfetch graph`: the text of `go mod graph`, to the byte.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::go::{only_modfetch, variable};
use crate::support::world::World;
use crate::support::{Proxy, Run, Sandbox, require_go};

/// Worlds in a run that does not say how many.
const WORLDS: u64 = 48;

/// What go said, as modfetch says it: its name, and no hints.
fn talk(run: &Run) -> String {
    let text = run.talk();
    let said = text.lines().filter(|line| !line.starts_with("hint: "));
    let said: Vec<String> = said
        .map(|line| match line.strip_prefix("go: ") {
            Some(rest) => format!("modfetch: {rest}"),
            None => line.to_owned(),
        })
        .collect();
    said.join("\n")
}

#[track_caller]
fn same(ours: &Run, go: &Run, what: &str) {
    let equal = (ours.code == Some(0)) == (go.code == Some(0))
        && ours.stdout == go.stdout
        && talk(ours) == talk(go);
    let story = || {
        format!(
            "{what}\n----- go: {:?}\n{}{}",
            go.code, go.stdout, go.stderr
        )
    };
    if !equal {
        ours.demand(false, &story());
    }
}

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
fn projects_have_the_graph_that_go_prints() {
    if require_go().is_none() {
        return;
    }
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
fn worlds_have_the_graph_that_go_prints() {
    if require_go().is_none() || !only_modfetch() {
        return;
    }
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let (first, end) = match number("MODFETCH_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("MODFETCH_CASES").unwrap_or(WORLDS)),
    };
    let next = AtomicU64::new(first);
    let whole = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            if compare(&World::of(seed)) {
                whole.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    // Worlds that only fail would compare nothing but errors.
    let (whole, all) = (whole.into_inner(), end - first);
    assert!(all == 1 || whole * 2 > all, "{whole} of {all} have a graph");
}

/// True if there was a graph to compare.
fn compare(world: &World) -> bool {
    let proxy = Proxy::of_modules(world.modules.clone());
    let sandbox = || world.place(Sandbox::new().proxy(&proxy));
    let (ours, gos) = (sandbox(), sandbox());
    let versions = ["", "-go=1.16", "-go=1.17", "-go=1.26"];
    // Without -go and with one of them: each world costs time.
    let mut whole = false;
    let other = versions[1 + usize::try_from(world.seed % 3).expect("it is small")];
    for flag in [versions[0], other] {
        let flags = || ["graph", flag].into_iter().filter(|word| !word.is_empty());
        let run = ours.run(flags());
        let go = gos.go(["mod"].into_iter().chain(flags()));
        same(&run, &go, &format!("{flag}\n{}", world.describe()));
        if go.code == Some(0) {
            whole = true;
            ours.picture().assert_same(&gos.picture(), "the cache");
            let json = ours.run(flags().chain(["-json"]));
            let equal = edges(&json.stdout) == go.stdout;
            json.demand(
                equal,
                &format!("-json is another graph\n{}", world.describe()),
            );
        }
    }
    ours.project_picture()
        .assert_same(&gos.project_picture(), "the project");
    whole
}
