//! `modfetch download` from a server that misbehaves at random, and from hosts that are dead.
//!
//! `cargo bench --bench faults -- [--runs N] [--go-runs N] [--modules N] [--rates 1,5,20]
//! [--seed N] [--at-once N]`
//!
//! At random: so many percent of all answers are faults of eleven kinds (see `chaos`), with
//! `Retry-After: 1`. Each run starts with an empty cache, and is good if the program succeeds and
//! the cache is the one that go makes from a server that is well. `--stall-timeout` is 1 s, or
//! stalls would be most of the time. go runs beside it, for at most 60 s, since it waits for a
//! stalled body without limit.
//!
//! Dead: nobody listens, nobody answers, every answer is 503. The time for all modules should be
//! about that for one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a program for developers that shares the test kit"
)]

#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use support::chaos::Chaos;
use support::many_modules::ManyModules;
use support::tree::Picture;
use support::{HeadEnd, Proxy, Sandbox, Times, require_go};

/// Longer than anything should take.
const LIMIT: Duration = Duration::from_secs(600);

struct Options {
    runs: u64,
    go_runs: u64,
    modules: usize,
    rates: Vec<u64>,
    seed: u64,
    at_once: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says so; `cargo test --all-targets` runs this program as well.
    if !arguments.iter().any(|argument| argument == "--bench") {
        eprintln!("skipped: run by cargo bench only");
        return ExitCode::SUCCESS;
    }
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("faults: {error}");
            return ExitCode::from(2);
        }
    };
    let mut good = true;
    if let Some(right) = right_tree(&options) {
        for &rate in &options.rates {
            good &= at_random(&options, rate, &right);
        }
    }
    dead(&options);
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn parse(arguments: &[String]) -> io::Result<Options> {
    let mut options = Options {
        runs: 100,
        go_runs: 3,
        modules: 250,
        rates: vec![1, 5, 20],
        seed: 1,
        at_once: 4,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--bench" {
            continue;
        }
        let value = rest.next().map_or("", String::as_str);
        let number = || value.parse::<u64>().map_err(io::Error::other);
        match argument.as_str() {
            "--runs" => options.runs = number()?,
            "--go-runs" => options.go_runs = number()?,
            "--modules" => options.modules = value.parse().map_err(io::Error::other)?,
            "--at-once" => options.at_once = number()?,
            "--seed" => options.seed = number()?,
            "--rates" => {
                let list: Result<_, _> = value.split(',').map(str::parse).collect();
                options.rates = list.map_err(io::Error::other)?;
            }
            other => return Err(io::Error::other(format!("unknown argument {other}"))),
        }
    }
    Ok(options)
}

fn many(options: &Options) -> ManyModules {
    ManyModules::new(options.modules, 2000)
}

/// What go makes of a server that is well.
fn right_tree(options: &Options) -> Option<Picture> {
    require_go()?;
    let many = many(options);
    let proxy = Proxy::of_modules(many.modules.clone());
    let sandbox = many.sandbox().proxy(&proxy).limit(LIMIT);
    sandbox.go(["mod", "download"]).ok();
    Some(sandbox.picture())
}

fn at_random(options: &Options, rate: u64, right: &Picture) -> bool {
    let many = many(options);
    let run = |seed| {
        let proxy = Proxy::of_modules(many.modules.clone());
        proxy.enable_chaos(Some(Chaos::new(seed, rate, "1")));
        let sandbox = many.sandbox().proxy(&proxy).limit(LIMIT);
        let done = sandbox.run(["download", "--stall-timeout=1s"]);
        let differences = right.diff(&sandbox.picture());
        (
            seed,
            done,
            differences,
            proxy.hits("*"),
            proxy.chaos_counts(),
        )
    };
    let mut seconds = Vec::new();
    let (mut succeeded, mut same, mut requests) = (0, 0, 0);
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for (seed, done, differences, hits, chaos_counts) in each_seed(options, options.runs, &run) {
        seconds.push(done.took.as_secs_f64());
        requests += hits;
        for (name, count) in chaos_counts {
            *faults.entry(name).or_default() += count;
        }
        if done.code == Some(0) {
            succeeded += 1;
        } else {
            println!("seed {seed}: {:?}\n{}", done.code, done.stderr);
        }
        same += u64::from(differences.is_empty());
        if done.code == Some(0) && !differences.is_empty() {
            println!("seed {seed}: {}", differences.join("\n"));
        }
    }
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
    let longest = seconds.last().copied().unwrap_or_default();
    let (runs, modules) = (options.runs, options.modules);
    println!("{rate} % faults, {modules} modules, modfetch: {succeeded} of {runs} runs succeed, ");
    println!("    {same} trees are right; median {middle:.1} s, longest {longest:.1} s");
    println!("    {requests} requests, faults: {faults:?}");

    let run = |seed| {
        let proxy = Proxy::of_modules(many.modules.clone());
        proxy.enable_chaos(Some(Chaos::new(seed, rate, "1")));
        let sandbox = many.sandbox().proxy(&proxy).limit(LIMIT);
        match sandbox.shell("timeout 60 go mod download").code {
            Some(0) => "succeed",
            Some(124) => "hang",
            _ => "fail",
        }
    };
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for end in each_seed(options, options.go_runs, &run) {
        *ends.entry(end).or_default() += 1;
    }
    println!("    go, {} runs: {ends:?}", options.go_runs);
    succeeded == options.runs && same == options.runs
}

/// Runs once for each seed, several at a time: most of a run is waiting.
fn each_seed<T: Send>(options: &Options, runs: u64, run: &(dyn Fn(u64) -> T + Sync)) -> Vec<T> {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs {
                return done;
            }
            done.push(run(options.seed + number));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.at_once.max(1))
            .map(|_| scope.spawn(worker))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .flat_map(|done| done.expect("a run that fails does not panic"))
            .collect()
    })
}

fn dead(options: &Options) {
    let silent = || Proxy::serve().truncating_headers("*", 0, HeadEnd::Stall, Times::ALWAYS);
    let failing = || Proxy::serve().failing("*", 503, Times::ALWAYS);
    let refused = || {
        let proxy = Proxy::serve();
        proxy.stop();
        proxy
    };
    let hosts: [(&str, &dyn Fn() -> Proxy); 3] = [
        ("nobody listens", &refused),
        ("nobody answers (stall 2 s)", &silent),
        ("503 always", &failing),
    ];
    for (name, make) in hosts {
        for modules in [1, options.modules] {
            let many = ManyModules::new(modules, 10);
            let proxy = make();
            let sandbox = Sandbox::new()
                .file("list", &many.list())
                .proxy(&proxy)
                .limit(LIMIT);
            let done = sandbox.run(["download", "--from=list", "--stall-timeout=2s"]);
            println!(
                "{name}, {modules} modules: exit status {:?}, {:.1} s, {} requests, {} lines",
                done.code,
                done.took.as_secs_f64(),
                proxy.hits("*"),
                done.stderr.lines().count(),
            );
        }
    }
}
