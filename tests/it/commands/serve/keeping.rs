//! `serve`: what is kept: after kills, by two servers, on a full disk, within a size.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{LARGE, large_module, site};
use crate::support::go::{only_modfetch, variable};
use crate::support::script::Fault;
use crate::support::served::{Served, ask};
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Sandbox, Times, until};

#[test]
fn serve_killed_while_it_fetches_serves_right_bytes_afterwards() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let zip = large.zip();
    let proxy = Proxy::of_modules(vec![large]).limiting(2_000_000);
    database.serve_on(&proxy);
    let site = site(&proxy.url(), &database.gosumdb());
    let place = site.cached("cache/download/example.com/large/@v/v1.0.0.zip");
    let rounds = variable("MODFETCH_TEST_KILLS").map_or(12, |count| count.parse().unwrap());
    for round in 0..rounds {
        let server = Served::start(&site, &[]);
        let address = server.address().to_owned();
        let asking = thread::spawn(move || {
            let asked = std::panic::catch_unwind(|| ask(&address, "GET", LARGE, &[]));
            asked.ok()
        });
        // Some moment of the transfer, or after it.
        thread::sleep(Duration::from_millis(15 * (round % 20)));
        server.signal(Signal::SIGKILL);
        if let Some(answer) = asking.join().unwrap() {
            let right = answer.body == zip;
            assert!(
                !answer.whole || answer.status != 200 || right,
                "{}",
                answer.head
            );
        }
        // What was kept is right; and is fetched again in the next round.
        if place.with_extension("ziphash").exists() {
            assert!(fs::read(&place).unwrap() == zip);
            fs::remove_file(&place).unwrap();
            fs::remove_file(place.with_extension("ziphash")).unwrap();
        }
    }
    let server = Served::start(&site, &[]);
    assert!(server.get(LARGE).body == zip);
    assert!(server.get(LARGE).body == zip);
}

#[test]
fn serve_two_servers_share_one_cache() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]).limiting(4_000_000);
    let site = site(&proxy.url(), "off");
    let servers = [Served::start(&site, &[]), Served::start(&site, &[])];
    let asking: Vec<_> = (0..8)
        .map(|number: usize| {
            let address = servers[number % 2].address().to_owned();
            thread::spawn(move || ask(&address, "GET", LARGE, &[]))
        })
        .collect();
    let zip = large_module().zip();
    for asking in asking {
        let answer = asking.join().unwrap();
        assert!(answer.whole && answer.body == zip, "{}", answer.head);
    }
    assert_eq!(proxy.hits("example.com/large/@v/v1.0.0.zip"), 1);
}

#[test]
fn serve_max_size_evicts_zips_and_keeps_the_rest() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &["--max-size", "100K"]);
    let folder = site.cached("cache/download/example.com/large/@v");
    for file in ["info", "mod", "zip"] {
        assert_eq!(
            server
                .get(&format!("/example.com/large/@v/v1.0.0.{file}"))
                .status,
            200
        );
    }
    until("the eviction", || !folder.join("v1.0.0.zip").exists());
    assert!(folder.join("v1.0.0.mod").exists() && folder.join("v1.0.0.info").exists());
    let list = server.get("/example.com/large/@v/list");
    assert_eq!(list.text(), "v1.0.0\n");
    assert_eq!(server.get(LARGE).body, large_module().zip());
}

#[test]
fn serve_max_size_keeps_what_upstream_lost_unless_it_may_go() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    assert_eq!(server.get(LARGE).status, 200);
    server.stop().ok();
    proxy.script(
        "*",
        Fault::Status(410, Vec::new(), Vec::new()),
        Times::ALWAYS,
    );
    proxy.forget();
    let zip = site.cached("cache/download/example.com/large/@v/v1.0.0.zip");
    let server = Served::start(&site, &["--max-size", "100K"]);
    until("the question whether upstream has it", || {
        proxy.hits("example.com/large/@v/v1.0.0.info") > 0
    });
    assert_eq!(server.get(LARGE).body, large_module().zip());
    server.stop().ok();
    assert!(zip.exists());
    let server = Served::start(&site, &["--max-size", "100K", "--evict-unavailable"]);
    until("the eviction", || !zip.exists());
    server.stop().ok();
}

#[test]
fn serve_recheck_moves_a_wrong_zip_away() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    assert_eq!(server.get(LARGE).status, 200);
    server.stop().ok();
    let zip = "cache/download/example.com/large/@v/v1.0.0.zip";
    let mut data = fs::read(site.cached(zip)).unwrap();
    data[200_000] ^= 1;
    fs::write(site.cached(zip), data).unwrap();
    let server = Served::start(&site, &["--recheck", "1s"]);
    until("the alarm", || server.said().contains("security:"));
    until("the move", || !site.cached(zip).exists());
    assert!(server.get(LARGE).body == large_module().zip());
}

#[test]
fn serve_full_disk_is_an_error_and_loses_nothing() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    // No file may be longer than this.
    let script = "ulimit -f 100; exec modfetch serve --listen 127.0.0.1:0";
    let running = site.spawn_shell(script);
    running.until_stderr_has("listening on ");
    until("the whole line", || running.stderr_so_far().contains('\n'));
    let said = running.stderr_so_far();
    let address = said.trim().split_once("://").unwrap().1.to_owned();
    let answer = ask(&address, "GET", LARGE, &[]);
    assert!(answer.status == 500 || !answer.whole, "{}", answer.head);
    assert!(
        !site
            .cached("cache/download/example.com/large/@v/v1.0.0.zip")
            .exists()
    );
    // Small files still fit.
    assert_eq!(
        ask(&address, "GET", "/example.com/large/@v/v1.0.0.mod", &[]).status,
        200
    );
    running.signal(Signal::SIGTERM);
    running.wait();
}

#[test]
fn serve_records_use_where_prune_looks() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = Sandbox::with("hello", &proxy);
    site.run(["download"]).ok();
    crate::commands::cache::age_cache(site.cache(), 40);
    let planned = |site: &Sandbox| {
        site.run(["cache", "prune", "--older", "30d", "-n"])
            .ok()
            .stdout
            .clone()
    };
    assert!(planned(&site).contains("example.com/text@v1.2.0"));
    let server = Served::start(
        &site,
        &["--offline", "--cache", &site.cache().display().to_string()],
    );
    assert_eq!(server.get("/example.com/text/@v/v1.2.0.zip").status, 200);
    assert_eq!(server.get("/example.com/greet/@v/v1.1.0.mod").status, 200);
    // It writes the record before it ends.
    server.stop().ok();
    let usage = fs::read_to_string(site.cached("cache/modfetch/usage")).unwrap();
    let has = |end: &str| usage.lines().any(|line| line.ends_with(end));
    assert!(
        has(" example.com/text@v1.2.0") && has(" example.com/greet@v1.1.0/go.mod"),
        "{usage}"
    );
    assert!(!has(" example.com/greet@v1.1.0"), "{usage}");
    let planned = planned(&site);
    assert!(!planned.contains("example.com/text@v1.2.0"), "{planned}");
    assert!(planned.contains("example.com/greet@v1.1.0"), "{planned}");
}
