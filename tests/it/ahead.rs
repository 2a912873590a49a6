//! What is begun before the requirement graph is known: early, and of no effect if it was in vain.

use crate::support::go::only_modfetch;
use crate::support::universe::{Module, Universe};
use crate::support::{Proxy, Sandbox, Times, require_go, sums, until};

const GREET_MOD: &str = "*/greet/@v/v1.1.0.mod";

/// Names what a reader of this cache could take for complete.
fn visible(sandbox: &Sandbox) -> Vec<String> {
    let picture = sandbox.picture();
    let done = |path: &&str| {
        [".zip", ".ziphash", ".info"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    let mut visible: Vec<String> = picture
        .paths()
        .into_iter()
        .filter(done)
        .map(str::to_owned)
        .collect();
    for module in ["many@v1.0.0", "words@v1.1.0", "words@v1.0.0"] {
        let (name, version) = module.split_once('@').unwrap();
        let mark = format!("cache/download/example.com/{name}/@v/{version}.partial");
        let directory = sandbox.cached(&format!("example.com/{module}"));
        if directory.exists() && !sandbox.cached(&mark).exists() {
            visible.push(module.to_owned());
        }
    }
    visible
}

#[test]
fn zips_come_while_the_graph_is_read_and_wait_for_it() {
    if !only_modfetch() {
        return;
    }
    let reference = Sandbox::with("hello", &Proxy::serve());
    let plain = Proxy::serve();
    let reference = reference.proxy(&plain);
    // With one job there is nothing beside the graph.
    reference.run(["download", "--jobs=1"]).ok();

    let proxy = Proxy::serve().stalling(GREET_MOD, 0, Times(1)).stalling(
        "*/text/@v/v1.2.0.zip",
        0,
        Times(1),
    );
    let sandbox = Sandbox::with("hello", &proxy);
    let running = sandbox.spawn(["download"]);
    // Both at the same time: the zip is asked for before the go.mod has come.
    proxy.wait_for_stalls(2);
    until("an unpacked module", || {
        sandbox.cached("example.com/many@v1.0.0/go.mod").exists()
    });
    assert_eq!(visible(&sandbox), [""; 0], "before the graph is known");
    proxy.release();
    running.wait().ok().stdout("").stderr("");
    let what = "a cache that was filled step by step and one that was filled at once";
    reference.picture().assert_same(&sandbox.picture(), what);
    assert_eq!(
        (proxy.hits("*.zip"), proxy.hits("*.info")),
        (13, 13),
        "once"
    );
    assert_eq!(proxy.hits("*"), plain.hits("*"), "and nothing else");
}

#[test]
fn one_job_reads_the_graph_first() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download", "--jobs=1"]).ok();
    let requests = proxy.requests();
    let last_mod = requests.iter().rposition(|r| r.path.ends_with(".mod"));
    let first_zip = requests.iter().position(|r| r.path.ends_with(".zip"));
    assert!(last_mod < first_zip, "{requests:#?}");
}

/// words v1.0.0 is listed, and greet requires v1.1.0 of it.
fn raised(proxy: &Proxy) -> Sandbox {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    let universe = Universe::read(&folder);
    let is_words = |module: &&Module| module.url("zip") == "example.com/words/@v/v1.0.0.zip";
    let words = universe.modules().iter().find(is_words).unwrap();
    let lines = sums::lines(words);
    Sandbox::with("hello", proxy)
        .edit("go.mod", |text| {
            text.replace("example.com/words v1.1.0", "example.com/words v1.0.0")
        })
        .edit("go.sum", |text| text + &lines)
}

#[test]
fn a_version_that_the_graph_raises_leaves_nothing() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve().stalling(GREET_MOD, 0, Times(1));
    let sandbox = raised(&proxy);
    let running = sandbox.spawn(["download", "-json"]);
    until("the version that is listed", || {
        sandbox.cached("example.com/words@v1.0.0/go.mod").exists()
    });
    assert_eq!(visible(&sandbox), [""; 0], "before the graph is known");
    proxy.release();
    let run = running.wait();
    run.ok()
        .stdout_has("\"example.com/words\",\n\t\"Version\": \"v1.1.0\"");
    assert_eq!(run.stdout.matches("example.com/words\"").count(), 1);
    let picture = sandbox.picture();
    let left: Vec<&str> = picture
        .paths()
        .into_iter()
        .filter(|path| path.contains("words@v1.0.0") || path.contains("words/@v/v1.0.0"))
        .collect();
    assert_eq!(left, ["cache/download/example.com/words/@v/v1.0.0.mod"]);

    let Some(_) = require_go() else { return };
    let plain = Proxy::serve();
    let gos = raised(&plain);
    gos.go(["mod", "download"]).ok();
    let what = "the caches of go and ours where the graph raises a version";
    gos.picture().assert_same(&picture, what);
}

#[test]
fn a_graph_that_fails_leaves_nothing_visible() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve().failing(GREET_MOD, 404, Times(1)).stalling(
        "*/text/@v/v1.2.0.mod",
        0,
        Times(1),
    );
    let sandbox = Sandbox::with("hello", &proxy);
    let running = sandbox.spawn(["download"]);
    until("an unpacked module", || {
        sandbox.cached("example.com/many@v1.0.0/go.mod").exists()
    });
    proxy.release();
    running.wait().fails(4);
    assert_eq!(visible(&sandbox), [""; 0]);
    assert!(!sandbox.cached("example.com/many@v1.0.0").exists());
    // What has come is gone on with.
    sandbox.run(["download"]).ok();
    let whole = Sandbox::with("hello", &proxy);
    whole.run(["download"]).ok();
    whole
        .picture()
        .assert_same(&sandbox.picture(), "a second run");
}
