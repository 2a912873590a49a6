//! Many processes, one cache: one transfer of each file, and no reader that sees half of it.

use std::time::Duration;

use modfetch::internals::fsio::FileLock;

use crate::support::go::{only_modfetch, variable};
use crate::support::{Proxy, Sandbox, Times, require_go};

#[test]
fn download_beside_go_fetches_each_zip_once() {
    require_go!();
    let reference_proxy = Proxy::serve();
    let reference = Sandbox::with("hello", &reference_proxy);
    reference.go(["mod", "download"]).ok();

    let delay = Duration::from_millis(30);
    let proxy = Proxy::serve().delaying("*", delay, Times::ALWAYS);
    let first = Sandbox::with("hello", &proxy);
    let others: Vec<Sandbox> = (0..3)
        .map(|_| Sandbox::with("hello", &proxy).cache_of(&first))
        .collect();
    let running = [
        first.spawn(["download", "-json"]),
        others[0].spawn(["download", "-json"]),
        others[1].spawn_go(["mod", "download"]),
        others[2].spawn_go(["mod", "download"]),
    ];
    for (number, program) in running.into_iter().enumerate() {
        let run = program.wait();
        run.ok();
        if number < 2 {
            run.stdout_has("example.com/words@v1.1.0\"");
        }
    }
    reference
        .picture()
        .assert_same(&first.picture(), "a cache made alone and one made together");
    let zips: Vec<String> = proxy
        .requests()
        .into_iter()
        .map(|request| request.path)
        .filter(|path| path.ends_with(".zip"))
        .collect();
    assert_eq!(zips.len(), 13, "each zip once: {zips:#?}");
}

#[test]
fn download_many_processes_fetch_each_zip_once() {
    let proxy = Proxy::serve().delaying("*", Duration::from_millis(10), Times::ALWAYS);
    let first = Sandbox::with("legacy", &proxy);
    let others: Vec<Sandbox> = (0..5)
        .map(|_| Sandbox::with("legacy", &proxy).cache_of(&first))
        .collect();
    let running: Vec<_> = others
        .iter()
        .map(|sandbox| sandbox.spawn(["download"]))
        .collect();
    first.run(["download"]).ok();
    for program in running {
        program.wait().ok();
    }
    assert_eq!(proxy.hits("*.zip"), 6, "each zip once");
}

/// The lock that keeps everybody else from making text's zip, from the cache's folder on.
const TEXT_LOCK: &str = "cache/download/example.com/text/@v/v1.2.0.lock";

#[test]
fn download_waiting_for_lock_is_reported() {
    only_modfetch!();
    let said = format!("example.com/text@v1.2.0 (lock [ROOT]/modcache/{TEXT_LOCK})");
    let said = format!("waiting for another process: {said}");
    let event = format!("\"lock\":\"[ROOT]/modcache/{TEXT_LOCK}\"}}\n");
    let rows: [(&[&str], String); 3] = [
        (&[], format!("{said}\n")),
        (
            &["--log=json"],
            format!("{{\"level\":\"info\",\"message\":\"{said}\"}}\n"),
        ),
        (
            &["--progress=json"],
            format!("\"ev\":\"wait\",\"mod\":\"example.com/text\",\"ver\":\"v1.2.0\",{event}"),
        ),
    ];
    let running: Vec<_> = rows
        .iter()
        .map(|(flags, wanted)| {
            let proxy = Proxy::serve();
            let sandbox = Sandbox::with("hello", &proxy);
            let held = FileLock::acquire(&sandbox.cached(TEXT_LOCK)).unwrap();
            let program = sandbox.spawn(["download"].iter().chain(*flags).copied());
            (proxy, sandbox, held, program, wanted)
        })
        .collect();
    for (proxy, sandbox, held, program, wanted) in running {
        program.until_stderr_has(wanted);
        assert!(!sandbox.picture().has("example.com/text@v1.2.0/text.go"));
        drop(held);
        let run = program.wait();
        run.ok().stdout("").stderr_has(wanted);
        if !wanted.contains("\"ev\"") {
            run.stderr(wanted);
        }
        assert!(sandbox.picture().has("example.com/text@v1.2.0/text.go"));
        assert_eq!(proxy.hits("*/text/@v/v1.2.0.zip"), 1);
    }
}

#[test]
fn download_quiet_waiting_for_lock_prints_nothing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let held = FileLock::acquire(&sandbox.cached(TEXT_LOCK)).unwrap();
    let quiet = sandbox.spawn(["download", "-q"]);
    // One that is not quiet, begun later: when it reports its wait, the first had its second, too.
    let other = Sandbox::with("hello", &proxy).cache_of(&sandbox);
    let talking = other.spawn(["download"]);
    talking.until_stderr_has("waiting for another process");
    drop(held);
    quiet.wait().ok().stdout("").stderr("");
    talking.wait().ok();
}

/// One round, or as many as `MODFETCH_TEST_ROUNDS` says.
#[test]
fn download_rounds_of_many_processes_match_go() {
    require_go!();
    let reference_proxy = Proxy::serve();
    let reference = Sandbox::with("hello", &reference_proxy);
    reference.go(["mod", "download"]).ok();
    let mut requests_of_small_files = 0;
    let rounds = variable("MODFETCH_TEST_ROUNDS").map_or(1, |text| text.parse().unwrap());
    for _ in 0..rounds {
        let proxy = Proxy::serve().delaying("*", Duration::from_millis(5), Times::ALWAYS);
        let first = Sandbox::with("hello", &proxy);
        let others: Vec<Sandbox> = (0..11)
            .map(|_| Sandbox::with("hello", &proxy).cache_of(&first))
            .collect();
        let running: Vec<_> = std::iter::once(&first)
            .chain(&others)
            .enumerate()
            .map(|(number, sandbox)| match number % 3 {
                2 => sandbox.spawn_go(["mod", "download"]),
                _ => sandbox.spawn(["download"]),
            })
            .collect();
        for program in running {
            program.wait().ok();
        }
        reference
            .picture()
            .assert_same(&first.picture(), "a cache made alone and one made together");
        assert_eq!(proxy.hits("*.zip"), 13, "each zip once");
        requests_of_small_files += proxy.requests().len() - 13;
    }
    eprintln!("{rounds} rounds of 12 processes: each of 13 zips fetched once in every round;");
    eprintln!("{requests_of_small_files} requests of .info and .mod, which no lock covers");
}
