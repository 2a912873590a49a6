//! The checksum database end to end: what is proven, kept and refused, beside the real go.

use std::path::Path;

use crate::support::fixtures::{Bytes, Fixtures};
use crate::support::go::only_modfetch;
use crate::support::proxy::fixtures_tree;
use crate::support::script::Fault;
use crate::support::sumdb::{NAME, SumDb};
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox, Times, require_go};

const TEXT: &str = "require example.com/text v1.2.0";
const TEXT_LOOKUP: &str = "example.com/text@v1.2.0";

pub fn database() -> SumDb {
    let fixtures = Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"));
    SumDb::of(fixtures.modules())
}

/// A project that needs what the database says about text, and nothing else.
pub fn sandbox(database: &SumDb, goproxy: &str) -> Sandbox {
    Sandbox::new()
        .go_mod(TEXT)
        .env("GOPROXY", goproxy)
        .env("GOSUMDB", &database.gosumdb())
        .env("MODFETCH_RETRIES", "0")
}

pub fn serve(database: &SumDb) -> Proxy {
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    proxy
}

/// What of the database is kept: in the cache, and the newest head.
fn kept(sandbox: &Sandbox) -> (Picture, Picture) {
    let cache = sandbox.picture();
    let cache =
        cache.without(|path| !path.starts_with("cache/download/sumdb/") || path.ends_with('/'));
    (cache, Picture::of(&sandbox.gopath_dir()))
}

#[track_caller]
fn assert_same_kept(one: &Sandbox, other: &(Picture, Picture), what: &str) {
    let now = kept(one);
    now.0.assert_same(&other.0, what);
    now.1.assert_same(&other.1, what);
}

#[test]
fn download_sumdb_requests_each_file_once() {
    let database = database();
    let proxy = serve(&database);
    let sandbox = sandbox(&database, &proxy.url());
    sandbox.run(["download"]).ok();
    let asked: Vec<String> = proxy
        .requests()
        .iter()
        .filter(|request| request.path.contains("sumdb/"))
        .map(|request| request.path.trim_start_matches('/').to_owned())
        .collect();
    let want = [
        format!("sumdb/{NAME}/supported"),
        SumDb::lookup(TEXT_LOOKUP),
        database.tile(),
    ];
    assert_eq!(asked, want);
    let (cache, heads) = kept(&sandbox);
    assert!(cache.has(&format!("cache/download/sumdb/{NAME}/lookup/{TEXT_LOOKUP}")));
    assert!(heads.has(&format!("pkg/sumdb/{NAME}/latest")));
    let sums = sandbox.read("go.sum");
    assert!(
        sums.contains("example.com/text v1.2.0/go.mod h1:"),
        "{sums}"
    );
}

#[test]
fn download_sumdb_cached_records_need_no_network() {
    let database = database();
    let proxy = serve(&database);
    let sandbox = sandbox(&database, &proxy.url());
    sandbox.run(["download"]).ok();
    let sums = sandbox.read("go.sum");
    proxy.forget();
    let sandbox = sandbox.go_sum("");
    sandbox.run(["download"]).ok();
    assert_eq!(sandbox.read("go.sum"), sums);
    assert_eq!(proxy.connections(), 0, "a socket was opened");
    only_modfetch!();
    let sandbox = sandbox.go_sum("").env("GOPROXY", "off");
    sandbox.run(["download"]).ok();
    assert_eq!(sandbox.read("go.sum"), sums);
    // Everything but what the database said is there.
    sandbox.remove("cache/download/sumdb");
    for (name, value, text) in [
        ("GOPROXY", "off", "disabled by GOPROXY=off"),
        ("MODFETCH_OFFLINE", "true", "disabled by --offline"),
    ] {
        let other = Sandbox::new()
            .go_mod(TEXT)
            .cache_of(&sandbox)
            .proxy(&proxy)
            .env("GOSUMDB", &database.gosumdb())
            .env(name, value);
        other.run(["download"]).fails(11).stderr_has(text);
        assert_eq!(proxy.connections(), 0, "a socket was opened");
    }
}

#[test]
fn download_sumdb_cache_is_shared_with_go() {
    require_go!();
    let database = database();
    let (our_proxy, go_proxy) = (serve(&database), serve(&database));
    let ours = sandbox(&database, &our_proxy.url());
    let gos = sandbox(&database, &go_proxy.url());
    ours.run(["download"]).ok();
    gos.go(["mod", "download"]).ok();
    assert_same_kept(&ours, &kept(&gos), "what go and we kept");
    let sums = ours.read("go.sum");
    // Each goes on with the other's files. The network is off: nobody listens, nobody is asked.
    our_proxy.stop();
    go_proxy.stop();
    let ours = ours.go_sum("").env("GOPROXY", "off");
    let gos = gos.go_sum("").env("GOPROXY", "off");
    ours.go(["mod", "download"]).ok();
    gos.run(["download", "--offline"]).ok();
    assert_eq!(ours.read("go.sum"), sums);
    assert_eq!(gos.read("go.sum"), sums);
    // It was what is kept that proved: without it, go cannot go on.
    ours.remove(&format!("cache/download/sumdb/{NAME}/lookup"));
    ours.go_sum("").go(["mod", "download"]).fails(1);
}

#[test]
fn download_sumdb_growing_log_is_followed_as_go() {
    require_go!();
    let (small, large) = (database(), database().with_filler("example.com/new"));
    let run = |program: fn(&Sandbox)| {
        let proxy = serve(&small);
        let sandbox = sandbox(&small, &proxy.url());
        program(&sandbox);
        large.serve_on(&proxy);
        let sandbox =
            sandbox.go_mod("require (\n\texample.com/text v1.2.0\n\texample.com/tool v0.5.0\n)");
        program(&sandbox);
        sandbox
    };
    let ours = run(|sandbox| {
        sandbox.run(["download"]).ok();
    });
    let gos = run(|sandbox| {
        sandbox.go(["mod", "download"]).ok();
    });
    assert_same_kept(&ours, &kept(&gos), "what go and we kept");
    assert_eq!(ours.read("go.sum"), gos.read("go.sum"));
}

#[test]
fn download_sumdb_unproven_answer_exits_5_and_leaves_nothing() {
    let database = database();
    let lookup = SumDb::lookup(TEXT_LOOKUP);
    let tile = database.tile();
    let files = database.files();
    let file = |path: &str| {
        files
            .iter()
            .find(|(name, _)| name == path)
            .unwrap()
            .1
            .clone()
    };
    let altered = |path: &str, at: usize| {
        let mut data = file(path);
        data[at] ^= 1;
        Some(data)
    };
    let other = SumDb::lookup("example.com/text@v1.1.0");
    let rows: &[(&str, Option<Vec<u8>>, i32, &str)] = &[
        (
            &lookup,
            altered(&lookup, 60),
            5,
            "cannot authenticate record data in server response",
        ),
        (
            &lookup,
            altered(&lookup, file(&lookup).len() - 30),
            5,
            "invalid signature for key",
        ),
        (
            &lookup,
            Some(file(&other)),
            5,
            "checksum missing from sumdb response\n\nSECURITY ERROR\nThis download does NOT match one reported by the checksum server.\n",
        ),
        (&lookup, None, 4, "404 Not Found"),
        (&tile, altered(&tile, 3), 5, "downloaded inconsistent tile"),
        (
            &tile,
            Some(file(&tile)[1..].to_vec()),
            5,
            "downloaded tile of wrong length",
        ),
        (&tile, None, 6, "404 Not Found"),
    ];
    for (path, data, code, text) in rows {
        let proxy = serve(&database);
        proxy.put(path, data.clone().map(Bytes::from));
        let sandbox = sandbox(&database, &proxy.url());
        let run = sandbox.run(["download"]);
        run.fails(*code);
        if !only_modfetch() {
            continue;
        }
        run.stderr_has(text);
        let (cache, heads) = kept(&sandbox);
        let lookups = cache
            .paths()
            .iter()
            .filter(|path| path.contains("/lookup/"))
            .count();
        assert_eq!(lookups, 0, "{text}: {:?}", cache.paths());
        if *code != 5 || !text.starts_with("checksum missing") {
            assert_eq!(heads.paths(), [""; 0], "{text}");
        }
        assert!(!sandbox.picture().has("example.com/text@v1.2.0"), "{text}");
        // When the database is well again, so are we.
        database.serve_on(&proxy);
        sandbox.run(["download"]).ok();
    }
}

#[test]
fn download_sumdb_unreachable_exits_6() {
    let database = database();
    let rows = [
        (SumDb::lookup(TEXT_LOOKUP), 500, 6),
        (database.tile(), 503, 6),
        (format!("sumdb/{NAME}/supported"), 500, 6),
        (format!("sumdb/{NAME}/supported"), 403, 7),
    ];
    for (path, status, code) in rows {
        let proxy = serve(&database).failing(&path, status, Times::ALWAYS);
        let sandbox = sandbox(&database, &proxy.url());
        sandbox
            .run(["download"])
            .fails(code)
            .stderr_has(&format!("{status} "));
    }
    // Nobody listens there, and proxies are not asked.
    let proxy = serve(&database);
    let gosumdb = format!("{} http://127.0.0.1:9/db", database.gosumdb());
    let sandbox = sandbox(&database, &proxy.url()).env("GOSUMDB", &gosumdb);
    sandbox.run(["download"]).fails(6);
    assert_eq!(proxy.hits("sumdb/*"), 0);
}

#[test]
fn download_sumdb_transient_failure_is_retried() {
    only_modfetch!();
    let database = database();
    let proxy = serve(&database)
        .failing(&SumDb::lookup(TEXT_LOOKUP), 503, Times(1))
        .truncating(&database.tile(), 40, Times(1));
    let sandbox = sandbox(&database, &proxy.url()).env("MODFETCH_RETRIES", "2");
    sandbox.run(["download"]).ok();
}

#[test]
fn download_sumdb_forked_log_exits_5_with_proof() {
    // Larger than what was seen, and rolled back to fewer records.
    let seen = || {
        database()
            .with_filler("example.com/b")
            .with_filler("example.com/c")
    };
    let larger = || seen().with_filler("example.com/d").with_other_past();
    let smaller = || database().with_other_past();
    for (fork, old, new) in [
        (larger(), seen().size(), larger().size()),
        (smaller(), smaller().size(), seen().size()),
    ] {
        let database = seen();
        let proxy = serve(&database);
        let sandbox = sandbox(&database, &proxy.url());
        sandbox.run(["download"]).ok();
        let before = kept(&sandbox);
        // The fork has its own lookups; tiles of its size are its own.
        fork.serve_on(&proxy);
        let sandbox = sandbox.go_mod("require example.com/tool v0.5.0").go_sum("");
        let run = sandbox.run(["download"]);
        run.fails(5)
            .stderr_has("go.sum database server misbehavior detected!")
            .stderr_has(&format!("old database:\n\tgo.sum database tree\n\t{old}\n"))
            .stderr_has(&format!("new database:\n\tgo.sum database tree\n\t{new}\n"))
            .stderr_has("proof of misbehavior:\n\t");
        assert!(!sandbox.picture().has("example.com/tool@v0.5.0"));
        if only_modfetch() {
            assert_same_kept(&sandbox, &before, "before and after the fork");
        }
    }
}

#[test]
fn download_sumdb_file_tree_succeeds() {
    let database = database();
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, data: &[u8]| {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, data).unwrap();
    };
    fixtures_tree()
        .iter()
        .for_each(|(path, data)| put(path, data));
    database
        .files()
        .iter()
        .for_each(|(path, data)| put(path, data));
    let root = folder.path().display();
    // Beside the modules, and in a place of its own.
    sandbox(&database, &format!("file://{root}"))
        .run(["download"])
        .ok();
    let gosumdb = format!("{} file://{root}/sumdb/{NAME}", database.gosumdb());
    let proxy = Proxy::serve();
    let sandbox = sandbox(&database, &proxy.url()).env("GOSUMDB", &gosumdb);
    sandbox.run(["download"]).ok();
    assert_eq!(proxy.hits("sumdb/*"), 0);
}

#[test]
fn download_sumdb_cached_modules_are_looked_up_concurrently() {
    only_modfetch!();
    let database = database();
    let full = Sandbox::with("hello", &Proxy::serve());
    let proxy = serve(&database);
    let full = full.proxy(&proxy);
    full.run(["download"]).ok();
    let unproven = || {
        Sandbox::new()
            .project("hello")
            .cache_of(&full)
            .proxy(&proxy)
            .env("GOSUMDB", &database.gosumdb())
            .go_sum("")
    };
    let sums = full.read("go.sum");
    let roots = 13;
    for command in [
        &["download"][..],
        &["download", "--dry-run"],
        &["sum", "--check"],
    ] {
        proxy.forget();
        let sandbox = unproven();
        // Every lookup is held until all those of go.mod are under way.
        proxy.script(
            &format!("sumdb/{NAME}/lookup/*"),
            Fault::Stall(0),
            Times(roots),
        );
        let running = sandbox.spawn(command.iter().copied());
        proxy.wait_for_stalls(roots);
        proxy.release();
        let run = running.wait();
        proxy.heal();
        if command == ["sum", "--check"] {
            run.fails(10);
        } else {
            run.ok();
        }
        assert_eq!(proxy.hits("example.com/*"), 0, "what is cached was fetched");
        sandbox.remove("cache/download/sumdb");
    }
    // Once more, and then nothing is asked, because all that it takes is kept.
    let sandbox = unproven();
    sandbox.run(["download"]).ok();
    assert!(
        sandbox
            .read("go.sum")
            .lines()
            .all(|line| sums.contains(line))
    );
    proxy.forget();
    let sandbox = sandbox.go_sum("");
    sandbox.run(["download"]).ok();
    assert_eq!(proxy.connections(), 0, "a socket was opened");
}

#[test]
fn download_sumdb_read_only_cache_is_proven_without_lock() {
    only_modfetch!();
    let database = database();
    let proxy = serve(&database);
    let full = sandbox(&database, &proxy.url());
    full.run(["download"]).ok();
    full.seal_cache();
    let sandbox = sandbox(&database, &proxy.url())
        .cache_of(&full)
        .unprivileged();
    sandbox.run(["download"]).ok();
    assert!(
        sandbox
            .read("go.sum")
            .contains("example.com/text v1.2.0/go.mod h1:")
    );
}

#[test]
fn download_sumdb_late_record_is_retried() {
    only_modfetch!();
    let database = database();
    let late = |status: u16| {
        let proxy = serve(&database).failing(&SumDb::lookup(TEXT_LOOKUP), status, Times(2));
        (sandbox(&database, &proxy.url()), proxy)
    };
    for (status, command) in [(404, "download"), (410, "sum")] {
        let (patient, proxy) = late(status);
        let arguments: &[&str] = match command {
            "sum" => &["sum", "--write", "-v", "--wait-published=1m"],
            _ => &["download", "-v", "--wait-published=1m"],
        };
        patient
            .run(arguments.iter().copied())
            .ok()
            .stderr_has("# retry in 0.5s: ")
            .stderr_has("# retry in 1.0s: ")
            .stderr_has(&format!("{status} "));
        assert_eq!(proxy.hits(&SumDb::lookup(TEXT_LOOKUP)), 3);
    }
    let (hasty, proxy) = late(404);
    hasty.run(["download"]).fails(4);
    assert_eq!(proxy.hits(&SumDb::lookup(TEXT_LOOKUP)), 1);
    // The last wait is cut to what is left of the time; other failures are not waited for.
    let (timely, _proxy) = late(404);
    let timely = timely.env("MODFETCH_WAIT_PUBLISHED", "600ms");
    timely.run(["download"]).ok();
    let (hasty, _proxy) = late(404);
    let hasty = hasty.env("MODFETCH_WAIT_PUBLISHED", "50ms");
    hasty.run(["download"]).fails(4);
    let (refused, proxy) = late(500);
    let refused = refused.env("MODFETCH_WAIT_PUBLISHED", "1m");
    refused.run(["download"]).fails(6);
    assert_eq!(proxy.hits(&SumDb::lookup(TEXT_LOOKUP)), 1);
}

#[test]
fn download_sumdb_many_modules_share_tiles() {
    let database = database();
    let proxy = serve(&database);
    let sandbox = Sandbox::with("hello", &proxy)
        .go_sum("")
        .env("GOSUMDB", &database.gosumdb());
    sandbox.run(["download"]).ok();
    assert_eq!(proxy.hits(&database.tile()), 1);
    assert_eq!(proxy.hits(&format!("sumdb/{NAME}/supported")), 1);
    let requests = proxy.requests();
    let mut lookups: Vec<_> = requests.iter().map(|request| &request.path).collect();
    lookups.retain(|path| path.contains("/lookup/"));
    let all = lookups.len();
    lookups.sort();
    lookups.dedup();
    assert_eq!(lookups.len(), all, "a lookup was requested twice");
    assert!(all > 3);
}
