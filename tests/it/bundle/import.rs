//! A bundle becomes the cache that a download makes, and goes on after a kill and a full disk.
//!
//! `MODFETCH_TEST_KILLS=100` makes more kills at random moments.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher as _;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::site::{H2, Upstream};
use crate::support::go::{only_modfetch, variable};
use crate::support::require_go;

#[test]
fn bundle_import_cache_is_what_a_download_makes() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (maker, bundle) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed.run(["bundle", "import", &bundle]).ok();
    let wanted = upstream.machine();
    wanted.run(["download"]).ok();
    let (ours, theirs) = (closed.picture(), wanted.picture());
    let left_out = |name: &str| {
        // What the bundle has beside what go needs: the newest go.mod and its proof.
        name.contains("v1.3.0")
            || name.contains("/tile/")
            || name.ends_with("/list")
            || name.starts_with("cache/modfetch")
    };
    theirs.without_locks().without(left_out).assert_same(
        &ours.without_locks().without(left_out),
        "the caches of a download and an import",
    );
    closed.run(["download", "--offline"]).ok();
    closed
        .run(["bundle", "import", &bundle])
        .ok()
        .stdout_has("0 zips added, 2 were complete");
    let log = fs::read_to_string(closed.cached("cache/modfetch/imports.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
    let sha256 = maker.shell("sha256sum site.tar").stdout;
    let sha256 = sha256.split(' ').next().unwrap();
    assert!(log.contains(&format!("\"sha256\":\"{sha256}\"")), "{log}");
    require_go!();
    closed
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
    closed.go(["build", "-mod=mod", "-o", "x", "."]).ok();
}

#[test]
fn bundle_import_pipe_without_extraction_leaves_zips_to_go() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed
        .shell(&format!("modfetch bundle verify - < {bundle}"))
        .ok();
    closed
        .shell(&format!(
            "cat {bundle} | modfetch bundle import --no-extract -"
        ))
        .ok();
    assert!(!closed.cache().join("example.com").exists());
    assert!(
        closed
            .cached("cache/download/example.com/a/@v/v1.0.0.zip")
            .exists()
    );
    require_go!();
    closed.go(["mod", "download"]).ok();
}

#[test]
fn bundle_import_killed_anywhere_goes_on() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    let steps = [
        ("temporary-written", 2),
        ("tile-written", 2),
        ("lookup-written", 2),
        ("head-written", 1),
        ("mod-temporary-written", 2),
        ("list-edited", 2),
        ("mod-renamed", 2),
        ("part-whole", 2),
        ("partial-made", 2),
        ("directory-sealed", 2),
        ("ziphash-written", 2),
        ("zip-renamed", 2),
        ("partial-removed", 2),
    ];
    let done = upstream.closed();
    done.run(["bundle", "import", &bundle]).ok();
    let done = done.picture().without_locks().without_own_state();
    for (step, times) in steps {
        for time in 1..=times {
            let closed = upstream
                .closed()
                .env("MODFETCH_TEST_KILL_AT", &format!("{step}:{time}"));
            let killed = closed.run(["bundle", "import", &bundle]);
            killed.demand(killed.code.is_none(), &format!("a kill at {step}"));
            let closed = closed.env("MODFETCH_TEST_KILL_AT", "");
            closed.run(["verify", "--cache"]).ok();
            closed.run(["bundle", "import", &bundle]).ok();
            let whole = closed.picture().without_locks().without_own_state();
            let whole = whole.without(|name| name.ends_with(".tmp"));
            done.assert_same(
                &whole,
                &format!("an import and one after a kill at {step}:{time}"),
            );
        }
    }
}

#[test]
fn bundle_import_killed_at_any_moment_goes_on() {
    only_modfetch!();
    let kills = variable("MODFETCH_TEST_KILLS").and_then(|count| count.parse().ok());
    let kills: usize = kills.unwrap_or(3);
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    let import = ["bundle", "import", bundle.as_str()];
    let done = upstream.closed();
    let longest = done.run(import).ok().took.as_micros() as u64;
    let done = done.picture().without_locks().without_own_state();
    let (mut hit, mut tried) = (0, 0);
    while hit < kills && tried < 4 * kills {
        tried += 1;
        let moment = Duration::from_micros(RandomState::new().hash_one(tried) % longest);
        let closed = upstream.closed();
        let running = closed.spawn(import);
        thread::sleep(moment);
        running.signal(Signal::SIGKILL);
        // A run that was over before its moment says nothing.
        if running.wait().code.is_some() {
            continue;
        }
        hit += 1;
        closed.run(["verify", "--cache"]).ok();
        closed.run(import).ok();
        let whole = closed.picture().without_locks().without_own_state();
        let whole = whole.without(|name| name.ends_with(".tmp"));
        done.assert_same(
            &whole,
            &format!("an import and one killed after {moment:?}"),
        );
    }
    assert!(hit > 0, "no run was killed before its end");
    eprintln!("{hit} of {tried} runs were killed before their end");
}

/// Exit code 8, nothing by halves, and the next run goes on from there.
#[test]
fn bundle_import_disk_full_exits_8_and_goes_on() {
    only_modfetch!();
    let modules = crate::integrity::disk::modules();
    let proxy = crate::support::Proxy::of_modules(modules);
    let maker = crate::integrity::disk::sandbox(&proxy);
    if !maker.can_mount() {
        return;
    }
    maker
        .run(["bundle", "create", "-o", "big.tar", "--no-sumdb"])
        .ok();
    let (all, each) = (
        crate::integrity::disk::MODULES,
        crate::integrity::disk::FILE_BYTES,
    );
    // Zips and folders take twice the files; there is room for once.
    let run = maker.shell(&format!(
        "rm -rf $GOMODCACHE; mkdir $GOMODCACHE; exec unshare -rm sh -euc '
            mount -t tmpfs -o size={} none $GOMODCACHE
            modfetch bundle import big.tar 2>failed || echo status $?
            find $GOMODCACHE -name \"*.partial\"
            modfetch verify --cache >verified 2>&1 || cat verified
            mount -o remount,size={} $GOMODCACHE
            modfetch bundle import big.tar | tail -n 1
            find $GOMODCACHE -name noise.bin -size {each}c | grep -c .'",
        all * each,
        4 * all * each
    ));
    run.ok().stderr("");
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [status, added, count] = lines[..] else {
        panic!("three lines wanted: {lines:?}");
    };
    assert_eq!((status, count), ("status 8", all.to_string().as_str()));
    // Some were complete before, and are not read again.
    assert!(!added.starts_with(&format!("{all} zips added")), "{added}");
    let said = maker.read("failed");
    run.demand(said.contains("no space left on device"), &said);
    run.demand(
        said.contains("hint: when that is put right, run it again"),
        &said,
    );
}
