//! What is begun before the requirement graph is known: early, and of no effect if it was in vain.

use modfetch::internals::fsio::FileLock;
use nix::sys::signal::Signal;

use crate::support::fixtures::{Fixtures, Module};
use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::sampling::sample;
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
fn prefetch_zips_arrive_while_graph_loads() {
    only_modfetch!();
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
fn prefetch_with_one_job_loads_graph_first() {
    only_modfetch!();
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
    let fixtures = Fixtures::read(&folder);
    let is_words = |module: &&Module| module.url("zip") == "example.com/words/@v/v1.0.0.zip";
    let words = fixtures.modules().iter().find(is_words).unwrap();
    let lines = sums::lines(words);
    Sandbox::with("hello", proxy)
        .edit("go.mod", |text| {
            text.replace("example.com/words v1.1.0", "example.com/words v1.0.0")
        })
        .edit("go.sum", |text| text + &lines)
}

#[test]
fn prefetch_superseded_version_leaves_nothing() {
    only_modfetch!();
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

    require_go!();
    let plain = Proxy::serve();
    let gos = raised(&plain);
    gos.go(["mod", "download"]).ok();
    let what = "the caches of go and ours where the graph raises a version";
    gos.picture().assert_same(&picture, what);
}

#[test]
fn prefetch_graph_failure_leaves_nothing_visible() {
    only_modfetch!();
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

/// With a stall time-out that no test lives to see.
fn patient(sandbox: Sandbox) -> Sandbox {
    sandbox.env("MODFETCH_STALL_TIMEOUT", "1h")
}

#[test]
fn prefetch_graph_failure_stops_stalled_transfers() {
    only_modfetch!();
    // Silent before the header, and in the middle of a body.
    for (file, after) in [("zip", 0), ("zip", 100), ("info", 0)] {
        let silent = format!("*/calc/v2/@v/v2.1.0.{file}");
        let proxy = Proxy::serve()
            .failing(&silent, 404, Times::ALWAYS)
            .stalling(GREET_MOD, 0, Times(1))
            .with_file(
                "example.com/greet/@v/v1.1.0.mod",
                "module example.com/other\n",
            );
        let second = Proxy::serve().stalling(&silent, after, Times::ALWAYS);
        let sandbox = patient(Sandbox::with("hello", &proxy));
        let sandbox = sandbox.env("GOPROXY", &format!("{},{}", proxy.url(), second.url()));
        let running = sandbox.spawn(["download"]);
        proxy.wait_for_stalls(1);
        second.wait_for_stalls(1);
        proxy.release();
        let run = running.wait();
        run.fails(5).stderr_has("greet@v1.1.0");
        run.demand(!run.stderr.contains("calc"), "nothing else is told");
        assert_eq!(visible(&sandbox), [""; 0], "{silent}");
        assert_eq!(second.hits(&silent), 1, "{silent} was tried again");
    }
}

#[test]
fn prefetch_superseded_version_is_not_waited_for() {
    only_modfetch!();
    for (file, after) in [("zip", 0), ("zip", 100), ("info", 0)] {
        let silent = format!("*/words/@v/v1.0.0.{file}");
        let proxy = Proxy::serve().stalling(&silent, after, Times::ALWAYS);
        let sandbox = patient(raised(&proxy));
        let run = sandbox.run(["download", "-v"]);
        run.ok();
        run.demand(!run.stderr.contains("words@v1.0.0"), "nothing to tell");
        let picture = sandbox.picture();
        assert!(picture.has("example.com/words@v1.1.0/go.mod"));
        assert!(!picture.has("cache/download/example.com/words/@v/v1.0.0.zip"));
        assert!(proxy.hits(&silent) <= 1, "{silent} was tried again");
    }
}

/// A wait for the lock of one version must not keep that of another from release: who holds the one
/// may wait for the other.
#[test]
fn prefetch_with_all_threads_waiting_publishes_modules() {
    only_modfetch!();
    let many = ManyModules::new(20, 100);
    let proxy = Proxy::of_modules(many.modules.clone());
    let proxy = proxy.stalling("*/m000/@v/v1.0.0.info", 0, Times(1));
    let sandbox = patient(many.sandbox().proxy(&proxy));
    let file = |number: usize, end: &str| {
        sandbox.cached(&format!(
            "cache/download/example.com/m{number:03}/@v/v1.0.0.{end}"
        ))
    };
    let held: Vec<FileLock> = (1..20)
        .map(|number| FileLock::acquire(&file(number, "lock")).unwrap())
        .collect();
    let running = sandbox.spawn(["download", "-j4"]);
    proxy.wait_for_stalls(1);
    // All but the thread that waits for the answer.
    for number in 1..4 {
        let said = format!("waiting for another process: example.com/m{number:03}@v1.0.0");
        running.until_stderr_has(&said);
    }
    assert!(!file(0, "zip").exists(), "begun ahead, and not visible yet");
    proxy.release();
    let lock = file(0, "lock");
    until("the lock of what is complete", || {
        file(0, "zip").exists() && FileLock::try_acquire(&lock).unwrap().is_some()
    });
    drop(held);
    running.wait().ok();
    assert_eq!(proxy.hits("*.zip"), 20, "once");
}

#[test]
fn prefetch_hash_mismatch_is_reported_once() {
    only_modfetch!();
    let proxy = Proxy::serve().stalling(GREET_MOD, 0, Times(1)).corrupting(
        "*/calc/v2/@v/v2.1.0.zip",
        200,
        Times::ALWAYS,
    );
    let sandbox = Sandbox::with("hello", &proxy);
    let running = sandbox.spawn(["download", "-json"]);
    proxy.wait_for_stalls(1);
    until("the wrong one", || {
        proxy.hits("*/calc/v2/@v/v2.1.0.zip") > 0
    });
    proxy.release();
    let run = running.wait();
    run.fails(5);
    let told = run
        .stdout
        .matches("\"Error\": \"example.com/calc/v2@v2.1.0: ")
        .count();
    run.demand(told == 1, "one error");
    let picture = sandbox.picture();
    let of_calc = |path: &&str| path.contains("calc/v2@") || path.contains("calc/@v/v2.1.0.zip");
    let left: Vec<&str> = picture.paths().into_iter().filter(of_calc).collect();
    assert_eq!(left, [""; 0]);
    assert!(picture.has("example.com/many@v1.0.0/go.mod"), "the others");
    proxy.heal();
    sandbox.run(["download"]).ok();
}

/// Whether the graph is known before the kill.
#[derive(Clone, Copy)]
enum Graph {
    Never,
    Comes,
    /// When there is something to withdraw.
    Late,
}

#[test]
fn prefetch_killed_leaves_valid_cache() {
    require_go!();
    if !only_modfetch() || !cfg!(debug_assertions) {
        return;
    }
    let steps = [
        ("part-begun:1", Graph::Never),
        ("part-whole:2", Graph::Never),
        ("partial-made:1", Graph::Never),
        ("file-being-unpacked:3", Graph::Never),
        ("directory-sealed:2", Graph::Never),
        ("ahead-prepared:1", Graph::Never),
        ("ahead-prepared:13", Graph::Never),
        ("ahead-withdrawn:1", Graph::Late),
        ("ziphash-written:1", Graph::Comes),
        ("zip-renamed:2", Graph::Comes),
        ("partial-removed:1", Graph::Comes),
        ("partial-removed:9", Graph::Comes),
    ];
    let proxy = Proxy::serve();
    let whole = raised(&proxy);
    whole.go(["mod", "download"]).ok();
    // Of what nobody needs, marked remains stay, as those of go do.
    let of_nobody = |path: &str| {
        path.ends_with(".tmp") || path.contains("words/@v/v1.0.0.") || path.contains("words@v1.0.0")
    };
    let whole = whole.picture().without(of_nobody);
    for (step, graph) in sample(0, 5, steps) {
        let proxy = match graph {
            Graph::Never | Graph::Late => Proxy::serve().stalling(GREET_MOD, 0, Times(1)),
            Graph::Comes => Proxy::serve(),
        };
        let sandbox = patient(raised(&proxy)).env("MODFETCH_TEST_KILL_AT", step);
        let running = sandbox.spawn(["download"]);
        if matches!(graph, Graph::Late) {
            let lower = sandbox.cached("example.com/words@v1.0.0");
            until("an unpacked module", || lower.exists());
            proxy.release();
        }
        let run = running.wait();
        run.demand(run.code.is_none(), &format!("not killed at {step}"));
        proxy.heal();
        let left = visible(&sandbox);
        assert!(
            !left
                .iter()
                .any(|path| path.contains("words") && path.contains("v1.0.0"))
        );
        let verifier = raised(&proxy).with_copied_cache(&sandbox);
        verifier.go(["mod", "verify"]).ok();
        let sandbox = sandbox.env("MODFETCH_TEST_KILL_AT", "");
        sandbox.run(["download"]).ok().stderr("");
        let what = format!("go's cache and one completed after a kill at {step}");
        let completed = sandbox.picture().without(of_nobody);
        whole.assert_same(&completed, &what);
    }
}

#[test]
fn prefetch_interrupted_exits_with_signal_code() {
    only_modfetch!();
    let proxy = Proxy::serve().stalling(GREET_MOD, 0, Times(1));
    let sandbox = patient(Sandbox::with("hello", &proxy));
    let running = sandbox.spawn(["download"]);
    until("an unpacked module", || {
        sandbox.cached("example.com/many@v1.0.0/go.mod").exists()
    });
    running.signal(Signal::SIGINT);
    let run = running.wait();
    run.fails(130)
        .stderr_has("interrupted by SIGINT before it was known what is missing");
    assert_eq!(visible(&sandbox), [""; 0]);
    sandbox.run(["download"]).ok().stderr("");
}

/// Who goes on in a cache that was removed meanwhile would take another's part and mark for its own.
#[test]
fn prefetch_cache_removed_meanwhile_is_recreated_or_fails() {
    only_modfetch!();
    let zip = "*/many/@v/v1.0.0.zip";
    let slow_graph = Proxy::serve().stalling(GREET_MOD, 0, Times(1));
    let first = patient(Sandbox::with("hello", &slow_graph));
    let running = first.spawn(["download"]);
    let file = first.cached("example.com/many@v1.0.0/go.mod");
    until("an unpacked module", || file.exists());
    let cache = first.cached("");
    let moved = cache.with_file_name("moved");
    std::fs::rename(&cache, &moved).unwrap();

    let slow_zip = Proxy::serve().stalling(zip, 100, Times(1));
    let second = patient(Sandbox::with("hello", &slow_zip)).cache_of(&first);
    let other = second.spawn(["download"]);
    slow_zip.wait_for_stalls(1);
    let part = first.cached("cache/download/example.com/many/@v/v1.0.0.zip.part");
    until("the other's part", || part.exists());
    slow_graph.release();
    running.wait().fails(8).stderr_has("the lock is gone");
    assert!(part.exists(), "the other's part");
    assert!(
        !first
            .cached("cache/download/example.com/many/@v/v1.0.0.zip")
            .exists()
    );
    slow_zip.release();
    // Both may have unpacked one module in one place, which the other is told.
    other.wait();
    second.run(["download"]).ok();
    second.run(["verify"]).ok();
}

/// Whatever the limits are, the cache is the same.
#[test]
fn prefetch_narrow_limits_give_same_result() {
    only_modfetch!();
    let many = ManyModules::new(20, 5_000);
    let whole = Proxy::of_modules(many.modules.clone());
    let reference = many.sandbox().proxy(&whole);
    reference.run(["download", "--jobs=1"]).ok();
    let reference = reference.picture();
    for limits in [
        "ulimit -n 48; exec modfetch download",
        "ulimit -n 64; exec modfetch download",
        "ulimit -n 1024; exec modfetch download -j 1000",
        "exec modfetch download -j 2 --jobs-per-host=1",
        "exec modfetch download -j 3 --fail-fast",
    ] {
        let proxy = Proxy::of_modules(many.modules.clone());
        let sandbox = many.sandbox().proxy(&proxy);
        sandbox.shell(limits).ok().stdout("").stderr("");
        assert_eq!(proxy.hits("*"), 60, "{limits}");
        reference.assert_same(&sandbox.picture(), limits);
    }
}

#[test]
fn prefetch_read_only_cache_is_used() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let whole = Sandbox::with("hello", &proxy);
    whole.run(["download"]).ok();
    let lower = Sandbox::with("hello", &proxy).with_copied_cache(&whole);
    for gone in [
        "cache/download/example.com/calc",
        "cache/download/example.com/many/@v/v1.0.0.ziphash",
    ] {
        lower.remove(gone);
    }
    let cut = proxy.stalling(GREET_MOD, 0, Times(1));
    let sandbox = Sandbox::with("hello", &cut);
    let sandbox = sandbox.env("MODFETCH_RO_CACHE", &lower.cached("").display().to_string());
    let running = sandbox.spawn(["download"]);
    until("an unpacked module", || {
        sandbox.cached("example.com/many@v1.0.0/go.mod").exists()
    });
    cut.release();
    running.wait().ok();
    whole
        .picture()
        .assert_same(&sandbox.picture(), "with and without a lower cache");
}

#[test]
fn prefetch_offline_opens_no_socket() {
    only_modfetch!();
    for arguments in [&["download", "--offline"][..], &["download"]] {
        let proxy = Proxy::serve();
        let mut sandbox = Sandbox::with("hello", &proxy);
        if arguments.len() == 1 {
            sandbox = sandbox.env("GOPROXY", "off");
        }
        let run = sandbox.run(arguments.iter().copied());
        run.fails(11);
        assert_eq!(proxy.hits("*"), 0);
        assert!(!sandbox.cached("example.com").exists());
    }
}
