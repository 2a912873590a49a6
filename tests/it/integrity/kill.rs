//! SIGKILL at every named step and at random moments: nothing wrong is left, and the next run
//! completes what go would have made.
//!
//! The steps are those of `src/failpoints.rs`. `MODFETCH_TEST_KILLS=200` makes more random ones.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::fixtures::Fixtures;
use crate::support::go::{only_modfetch, variable};
use crate::support::sampling::sample;
use crate::support::skips;
use crate::support::sumdb::SumDb;
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox, Times, require_go};

/// Each step, and at which of the times it is reached.
const STEPS: [(&str, usize); 25] = [
    ("part-begun", 1),
    ("part-begun", 5),
    ("part-whole", 1),
    ("part-whole", 9),
    // .info, .ziphash and what the database said, as they come.
    ("temporary-written", 1),
    ("temporary-written", 7),
    ("temporary-written", 20),
    ("mod-temporary-written", 1),
    ("mod-temporary-written", 10),
    ("list-edited", 1),
    ("list-edited", 7),
    ("mod-renamed", 1),
    ("partial-made", 1),
    ("partial-made", 6),
    ("file-being-unpacked", 2),
    ("file-being-unpacked", 30),
    ("ziphash-written", 3),
    ("zip-renamed", 3),
    ("directory-sealed", 4),
    ("partial-removed", 4),
    ("tile-written", 1),
    ("lookup-written", 4),
    ("head-written", 1),
    ("sum-appended", 1),
    ("sum-ordered", 1),
];

/// A project whose sums the database proves.
struct Scene {
    proxy: Proxy,
    gosumdb: String,
    /// Those that are recorded from the start: none, or all, and then modules are begun while the
    /// graph is read.
    recorded: String,
    /// What go makes of it: cache and go.sum.
    cache: Picture,
    sum: String,
}

impl Scene {
    fn new(proxy: Proxy) -> Scene {
        let fixtures = Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"));
        let database = SumDb::of(fixtures.modules());
        database.serve_on(&proxy);
        let mut scene = Scene {
            proxy,
            gosumdb: database.gosumdb(),
            recorded: String::new(),
            cache: Picture::default(),
            sum: String::new(),
        };
        scene.ask_go();
        scene
    }

    /// The same, with all sums recorded.
    fn with_sums(mut self) -> Scene {
        self.recorded = self.sum.clone();
        self.ask_go();
        self
    }

    fn ask_go(&mut self) {
        let go = self.sandbox();
        go.go(["mod", "download"]).ok();
        self.cache = go.picture();
        self.sum = go.read("go.sum");
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::with("hello", &self.proxy)
            .go_sum(&self.recorded)
            .env("GOSUMDB", &self.gosumdb)
    }

    /// Demands of a cache that a killed run left that all in it is right or marked, and that the
    /// next run completes it.
    fn survives(&self, sandbox: &Sandbox, when: &str) {
        let left = sandbox.picture();
        let marked: Vec<String> = left
            .paths()
            .into_iter()
            .filter_map(|path| path.strip_suffix(".partial"))
            .filter_map(|path| path.strip_prefix("cache/download/"))
            .map(|path| path.replace("/@v/", "@"))
            .collect();
        let unfinished = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let folder = |marked: &String| {
                path == marked
                    || path
                        .strip_prefix(marked.as_str())
                        .is_some_and(|p| p.starts_with('/'))
            };
            name.ends_with(".tmp")
                || name.contains(".part")
                || name == "list"
                || marked.iter().any(folder)
        };
        // What is in sight is what go would have made of it; of a list, the lines.
        let wrong: Vec<String> = left
            .without(unfinished)
            .diff(&self.cache)
            .into_iter()
            .filter(|line| !line.starts_with('+'))
            .collect();
        assert!(wrong.is_empty(), "killed {when}:\n{}", wrong.join("\n"));
        let sum = sandbox.project_dir().join("go.sum");
        let sum = std::fs::read_to_string(sum).unwrap_or_default();
        for line in sum.lines() {
            assert!(
                self.sum.lines().any(|known| known == line),
                "killed {when}: go.sum has {line}"
            );
        }
        let verifier = Sandbox::with("hello", &self.proxy).with_copied_cache(sandbox);
        verifier
            .go(["mod", "verify"])
            .ok()
            .stdout("all modules verified\n");

        sandbox.run(["download"]).ok().stdout("");
        let of_the_dead = |path: &str| path.ends_with(".tmp");
        let what = format!("go's cache and the one completed after a kill {when}");
        self.cache
            .assert_same(&sandbox.picture().without(of_the_dead), &what);
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        assert_eq!(
            sorted(&sandbox.read("go.sum")),
            sorted(&self.sum),
            "killed {when}"
        );
    }
}

#[test]
fn download_killed_at_each_failpoint_leaves_valid_cache() {
    require_go!();
    only_modfetch!();
    if !cfg!(debug_assertions) {
        skips::record("a release build has no failpoints");
        return;
    }
    let scene = Scene::new(Proxy::serve());
    for (step, time) in sample(0, 8, STEPS) {
        let when = format!("{step}:{time}");
        let sandbox = scene.sandbox();
        let killed = scene
            .sandbox()
            .cache_of(&sandbox)
            .env("MODFETCH_TEST_KILL_AT", &when);
        // The project that is killed is the one that goes on.
        let run = killed.run(["download"]);
        run.demand(run.code.is_none(), &format!("not killed at {when}"));
        let killed = killed.env("MODFETCH_TEST_KILL_AT", "");
        scene.survives(&killed, &when);
    }
}

#[test]
fn download_killed_at_random_moments_leaves_valid_cache() {
    kill_at_random(|scene| scene);
}

#[test]
fn download_killed_with_checksum_database_leaves_valid_cache() {
    kill_at_random(Scene::with_sums);
}

fn kill_at_random(prepared: impl FnOnce(Scene) -> Scene) {
    require_go!();
    only_modfetch!();
    let kills = variable("MODFETCH_TEST_KILLS").and_then(|count| count.parse().ok());
    let kills: u64 = kills.unwrap_or(3);
    // Slow enough for the moments to fall into different steps.
    let slow = Proxy::serve().delaying("*", Duration::from_millis(3), Times::ALWAYS);
    let scene = prepared(Scene::new(slow));
    let undisturbed = scene.sandbox().run(["download"]);
    let longest = undisturbed.ok().took.as_micros() as u64;
    let (mut hit, mut tried) = (0, 0);
    // A run that was over before its moment says nothing.
    while hit < kills && tried < 4 * kills {
        tried += 1;
        let sandbox = scene.sandbox();
        let moment = Duration::from_micros(RandomState::new().hash_one(tried) % longest);
        let running = sandbox.spawn(["download"]);
        thread::sleep(moment);
        running.signal(Signal::SIGKILL);
        if running.wait().code.is_none() {
            hit += 1;
            scene.survives(&sandbox, &format!("after {moment:?}"));
        }
    }
    assert!(hit > 0, "no run was killed before its end");
    eprintln!("{hit} of {tried} runs were killed before their end");
}
