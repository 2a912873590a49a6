//! `cache prune` beside go, and killed: no build ever meets half a module, and what is left is sound.
//!
//! A go that has seen half a directory remembers that in GOCACHE for good. So every build here uses the
//! GOCACHE of all that went before. `MODFETCH_TEST_KILLS=200` makes more kills, and
//! `MODFETCH_TEST_ROUNDS=20` more rounds of many programs at once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::commands::cache::age_cache;
use crate::support::go::{only_modfetch, variable};
use crate::support::{Proxy, Sandbox, require_go};

const BUILD: [&str; 4] = ["build", "-o", "hello.out", "."];
const PRUNE: [&str; 4] = ["cache", "prune", "--older", "30d"];

/// Each step of an eviction, in their order, and at which of the times it is reached.
const STEPS: [(&str, usize); 16] = [
    ("prune-locked", 1),
    ("prune-directory-renamed", 1),
    ("prune-directory-renamed", 5),
    ("prune-ziphash-removed", 1),
    ("prune-ziphash-removed", 4),
    ("prune-zip-removed", 1),
    ("prune-zip-removed", 7),
    ("prune-info-removed", 2),
    ("prune-mod-removed", 1),
    ("prune-mod-removed", 6),
    ("prune-list-written", 3),
    ("prune-unlocked", 1),
    ("prune-unlocked", 9),
    ("prune-trash-deleted", 2),
    // The index, before and after.
    ("temporary-written", 1),
    ("temporary-written", 2),
];

fn number(name: &str, usual: usize) -> usize {
    variable(name)
        .and_then(|count| count.parse().ok())
        .unwrap_or(usual)
}

/// A project whose modules are cached, and were not used for 40 days.
fn aged(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy);
    sandbox.go(["mod", "download"]).ok();
    sandbox.go(BUILD).ok();
    age_cache(sandbox.cache(), 40);
    sandbox
}

/// Demands that go goes on with what a killed prune has left, that the next prune finishes, and that go
/// goes on with that.
fn survives(sandbox: &Sandbox, when: &str) {
    let build = sandbox.go(BUILD);
    build.ok().demand(true, when);
    sandbox
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
    age_cache(sandbox.cache(), 40);
    let run = sandbox.run(PRUNE);
    run.ok()
        .demand(!sandbox.cached("example.com/greet@v1.1.0").exists(), when);
    let trash = sandbox.cached("cache/modfetch/trash");
    let left = std::fs::read_dir(trash).unwrap().count();
    run.demand(left == 0, &format!("killed {when}: the trash is empty"));
    sandbox.go(BUILD).ok();
    age_cache(sandbox.cache(), 40);
}

#[test]
fn prune_killed_at_any_named_step_leaves_what_go_builds_from() {
    require_go!();
    only_modfetch!();
    if !cfg!(debug_assertions) {
        return; // A release build has no steps to be killed at.
    }
    let proxy = Proxy::serve();
    let mut sandbox = aged(&proxy);
    for (step, time) in STEPS {
        let when = format!("{step}:{time}");
        sandbox = sandbox.env("MODFETCH_TEST_KILL_AT", &when);
        let run = sandbox.run(PRUNE);
        run.demand(run.code.is_none(), &format!("not killed at {when}"));
        sandbox = sandbox.env("MODFETCH_TEST_KILL_AT", "");
        survives(&sandbox, &when);
    }
}

#[test]
fn prune_killed_at_any_moment_leaves_what_go_builds_from() {
    require_go!();
    only_modfetch!();
    let kills = number("MODFETCH_TEST_KILLS", 5);
    let proxy = Proxy::serve();
    let sandbox = aged(&proxy);
    let whole = sandbox.run(PRUNE);
    let longest = whole.ok().took.as_micros() as u64;
    sandbox.go(BUILD).ok();
    age_cache(sandbox.cache(), 40);
    let (mut hit, mut tried) = (0, 0);
    while hit < kills && tried < 4 * kills {
        tried += 1;
        let moment = Duration::from_micros(RandomState::new().hash_one(tried) % longest);
        let running = sandbox.spawn(PRUNE);
        thread::sleep(moment);
        running.signal(Signal::SIGKILL);
        // A run that was over before its moment says nothing.
        if running.wait().code.is_none() {
            hit += 1;
        }
        survives(&sandbox, &format!("after {moment:?}"));
    }
    assert!(hit > 0, "no run was killed before its end");
}

#[test]
fn prune_beside_builds_and_downloads_disturbs_none() {
    require_go!();
    only_modfetch!();
    let rounds = number("MODFETCH_TEST_ROUNDS", 2);
    let proxy = Proxy::serve();
    let sandbox = aged(&proxy);
    let other = Sandbox::with("hello", &proxy).cache_of(&sandbox);
    for round in 0..rounds {
        // Most of what is there is old, and all of it is wanted.
        age_cache(sandbox.cache(), 40);
        let programs = [
            sandbox.spawn_go(BUILD),
            other.spawn_go(["vet", "."]),
            sandbox.spawn_go(["mod", "download"]),
            other.spawn(["download"]),
        ];
        // What go has not used by now is evicted and comes again; the rest is in its time of grace.
        let moment = RandomState::new().hash_one(round) % 300;
        thread::sleep(Duration::from_millis(moment));
        let prunes = [sandbox.spawn(PRUNE), other.spawn(PRUNE)];
        for program in programs.into_iter().chain(prunes) {
            let run = program.wait();
            run.ok().demand(true, &format!("round {round}"));
        }
        sandbox.go(BUILD).ok();
        sandbox.go(["mod", "verify"]).ok();
    }
}
