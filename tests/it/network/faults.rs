//! Servers that misbehave at random, and hosts that are dead: see `make faults` for more of it.

use std::time::Duration;

use crate::support::chaos::Chaos;
use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::{HeadEnd, Proxy, Sandbox, Times, require_go};

#[test]
fn download_random_faults_give_same_cache() {
    only_modfetch!();
    let many = ManyModules::new(30, 500);
    let well = Proxy::of_modules(many.modules.clone());
    let right = many.sandbox().proxy(&well);
    match require_go() {
        Some(_) => right.go(["mod", "download"]).ok(),
        None => right.run(["download"]).ok(),
    };
    let right = right.picture();
    for (seed, percent) in [(1, 5), (2, 20), (3, 20)] {
        let proxy = Proxy::of_modules(many.modules.clone());
        proxy.enable_chaos(Some(Chaos::new(seed, percent, "0").without_stalls()));
        let sandbox = many.sandbox().proxy(&proxy);
        let run = sandbox.run(["download"]);
        run.ok().stdout("").stderr("");
        let faults: usize = proxy.chaos_counts().values().sum();
        assert_eq!(proxy.hits("*"), 90 + faults, "seed {seed}");
        assert!(percent < 20 || faults > 5, "seed {seed} is too tame");
        right.assert_same(&sandbox.picture(), "trees with and without faults");
    }
    // Silent as well: how often that is noticed is a matter of time.
    let proxy = Proxy::of_modules(many.modules.clone());
    proxy.enable_chaos(Some(Chaos::new(4, 10, "0")));
    let sandbox = many.sandbox().proxy(&proxy);
    let flags = ["download", "--stall-timeout=500ms", "--retries=100"];
    sandbox.run(flags).ok().stdout("").stderr("");
    right.assert_same(&sandbox.picture(), "trees with and without stalls");
}

#[test]
fn download_truncated_header_is_retried() {
    only_modfetch!();
    let zip = "example.com/m000/@v/v1.0.0.zip";
    for end in [HeadEnd::Close, HeadEnd::Reset, HeadEnd::Stall] {
        // Nothing at all, half a status line, half a header field.
        for after in [0, 5, 30] {
            let many = ManyModules::new(1, 100);
            let proxy = Proxy::of_modules(many.modules.clone());
            let proxy = proxy.truncating_headers(zip, after, end, Times(1));
            let sandbox = many.sandbox().proxy(&proxy);
            // Short only where it is waited for: elsewhere a slow machine must not stall.
            let patience = match end {
                HeadEnd::Stall => "--stall-timeout=300ms",
                HeadEnd::Close | HeadEnd::Reset => "--stall-timeout=30s",
            };
            sandbox.run(["download", patience]).ok();
            assert_eq!(proxy.hits(zip), 2, "{end:?} after {after}");
        }
    }
}

/// Downloads `count` modules by name from a proxy that is no good.
fn download(count: usize, proxy: &str, flags: &[&str]) -> crate::support::Run {
    let sandbox = Sandbox::new()
        .file("list", &ManyModules::new(count, 10).list())
        .env("MODFETCH_RETRIES", "1")
        .env("GOPROXY", proxy);
    let arguments = ["download", "--from=list"];
    sandbox.run(arguments.iter().chain(flags).copied())
}

/// A host where nobody listens any more.
fn dead() -> Proxy {
    let proxy = Proxy::serve();
    proxy.stop();
    proxy
}

#[test]
fn download_dead_host_is_reported_once() {
    only_modfetch!();
    let proxy = dead();
    let (url, host) = (proxy.url(), proxy.url().replace("http://", ""));
    let run = download(250, &url, &[]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    run.fails(6).demand(lines.len() == 2, "two lines wanted");
    run.demand(
        lines[0].ends_with(&format!(
            "cannot connect to {host}: connection refused (tried 2 times)"
        )),
        "the reason should be first",
    );
    run.demand(
        lines[1].starts_with(&format!(
            "modfetch: 249 more modules failed because {host} is failing: "
        )) && lines[1].ends_with(" and 244 more"),
        "the rest should be second",
    );
    // As JSON each module has its error; one that was asked for says how often.
    let run = download(250, &url, &["-json"]);
    run.fails(6).stderr("");
    let errors = run.stdout.matches("\"Error\": \"example.com/m").count();
    run.demand(errors == 250, "250 errors wanted");
    run.stdout_has("connection refused (tried 2 times)\"")
        .stdout_has(&format!(
            "not tried, because {host} is failing: cannot connect to"
        ));
    // With -v it is told when it happens.
    download(100, &url, &["-v"]).fails(6).stderr_has(&format!(
        "# {host}: circuit breaker open, not contacted for a while: cannot connect to"
    ));
}

#[test]
fn download_dead_host_requests_are_bounded() {
    only_modfetch!();
    // Those that are under way find out, at least four, with two tries each, and four times eight
    // at most; 250 modules would make 1500.
    let proxies = [
        Proxy::serve().failing("*", 503, Times::ALWAYS),
        Proxy::serve().truncating_headers("*", 0, HeadEnd::Stall, Times::ALWAYS),
        Proxy::serve().sending_garbage("*", Times::ALWAYS),
    ];
    for proxy in proxies {
        let run = download(250, &proxy.url(), &["-j8", "--stall-timeout=100ms"]);
        run.fails(6);
        let hits = proxy.hits("*");
        run.demand((8..=64).contains(&hits), &format!("{hits} requests"));
    }
}

#[test]
fn download_dead_host_falls_back_to_next_proxy() {
    only_modfetch!();
    let many = ManyModules::new(100, 100);
    let well = Proxy::of_modules(many.modules.clone());
    let proxies = [dead(), Proxy::serve().failing("*", 502, Times::ALWAYS)];
    for first in proxies {
        let list = format!("{}|{}", first.url(), well.url());
        let sandbox = many.sandbox().env("GOPROXY", &list);
        let sandbox = sandbox.env("MODFETCH_RETRIES", "1");
        sandbox.run(["download"]).ok().stderr("");
        assert!(first.hits("*") <= 64 * 2, "{} requests", first.hits("*"));
        // After a comma, only "not found" moves on.
        let list = format!("{},{}", first.url(), well.url());
        download(100, &list, &[]).fails(6);
    }
}

#[test]
fn download_rate_limits_hold_without_stall_timeouts() {
    only_modfetch!();
    let many = ManyModules::new(10, 2000);
    let proxy = Proxy::of_modules(many.modules.clone());
    // 30 requests, two of them at once: nothing is there for the others for more than a second.
    let sandbox = many.sandbox().proxy(&proxy).limit(Duration::from_secs(30));
    let run = sandbox.run([
        "download",
        "--max-requests-per-second=20",
        "--stall-timeout=1s",
    ]);
    run.ok().stderr("");
    run.demand(run.took >= Duration::from_millis(1300), "28 waits of 50 ms");
    assert_eq!(proxy.hits("*"), 30);
    // Some 25 KB of bodies at 20 KiB a second, of which a tenth of a second's come at once.
    let sandbox = many.sandbox().proxy(&proxy);
    let sandbox = sandbox.env("MODFETCH_LIMIT_RATE", "20K");
    let run = sandbox.run(["download", "--stall-timeout=1s"]);
    run.ok().stderr("");
    run.demand(run.took >= Duration::from_secs(1), "a second's worth");
    assert_eq!(proxy.hits("*"), 60, "nothing was tried again");
}

#[test]
fn download_retry_after_pauses_whole_host() {
    only_modfetch!();
    let many = ManyModules::new(30, 100);
    let proxy = Proxy::of_modules(many.modules.clone()).failing_with(
        "example.com/m000/@v/v1.0.0.mod",
        429,
        &[("Retry-After", "1")],
        "",
        Times(1),
    );
    // One at a time, so that the order is certain: the first request is refused.
    let sandbox = many.sandbox().proxy(&proxy);
    let run = sandbox.run(["download", "-j2", "--jobs-per-host=1"]);
    run.ok();
    run.demand(run.took >= Duration::from_secs(1), "a second was asked for");
    assert_eq!(proxy.hits("*"), 91);
}
