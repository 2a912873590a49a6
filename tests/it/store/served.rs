//! `serve --store`: several servers over one store.

use std::collections::BTreeSet;

use modfetch::internals::store::{Existing, ObjectStore, Operation};

use super::engines::{self, Gate, Mode, objects, url, with_keys};
use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::served::{Served, ask};
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Sandbox, require_go, until};

const TEXT: &str = "require example.com/text v1.2.0";
const AT: &str = "example.com/text/@v/v1.2.0";

fn site(goproxy: &str, gosumdb: &str) -> Sandbox {
    let sandbox = Sandbox::new()
        .env("GOPROXY", goproxy)
        .env("GOSUMDB", gosumdb);
    with_keys(sandbox)
}

fn client(server: &Served, gosumdb: &str) -> Sandbox {
    Sandbox::new()
        .go_mod(TEXT)
        .env("GOPROXY", &server.url())
        .env("GOSUMDB", gosumdb)
}

fn upstream(database: &SumDb) -> Proxy {
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    proxy
}

fn names(store: &ObjectStore) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let listed = store.list("", &mut |object| {
        names.insert(object.name);
        Ok(())
    });
    listed.unwrap();
    names
}

fn read(store: &ObjectStore, name: &str) -> Vec<u8> {
    store.get(name, 1 << 30).unwrap().value
}

/// A server fills the store and ends when all is there; returns the sums of its client.
fn fill(proxy: &Proxy, gosumdb: &str, address: &str) -> String {
    let site = site(&proxy.url(), gosumdb);
    let server = Served::start(&site, &["--store", &url(address)]);
    let first = client(&server, gosumdb);
    first.run(["download"]).ok();
    let metrics = server.get("/metrics").text();
    assert!(
        metrics.contains("modfetch_store_requests_total{operation=\"get\"}"),
        "{metrics}"
    );
    server.stop().ok();
    first.read("go.sum")
}

#[test]
fn serve_a_second_server_needs_nothing_but_the_store() {
    only_modfetch!();
    engines::on_each(|address| {
        let database = database();
        let (proxy, gosumdb) = (upstream(&database), database.gosumdb());
        let sums = fill(&proxy, &gosumdb, address);
        let found = names(&objects(address));
        for end in ["info", "mod", "zip", "ziphash"] {
            assert!(found.contains(&format!("{AT}.{end}")), "{found:?}");
        }
        assert_eq!(
            read(&objects(address), "example.com/text/@v/list"),
            b"v1.2.0\n"
        );
        // One that has an upstream asks it for lists alone; one that has none needs none.
        for mode in ["--rate=1000", "--offline"] {
            let site = site(&proxy.url(), &gosumdb);
            let server = Served::start(&site, &["--store", &url(address), mode]);
            let second = client(&server, &gosumdb);
            second.run(["download"]).ok();
            assert_eq!(second.read("go.sum"), sums, "{mode}");
            if require_go().is_some() {
                let go = client(&server, &gosumdb);
                go.go(["mod", "download"]).ok();
                assert_eq!(go.read("go.sum"), sums, "{mode}");
            }
            for end in ["info", "mod", "zip"] {
                assert_eq!(proxy.hits(&format!("{AT}.{end}")), 1, "{mode}: {end}");
            }
            assert_eq!(
                proxy.hits(&SumDb::lookup("example.com/text@v1.2.0")),
                1,
                "{mode}"
            );
            let list = server.get("/example.com/text/@v/list").text();
            assert!(list.contains("v1.2.0\n"), "{mode}: {list}");
            let missing = server.get("/example.com/none/@v/v1.0.0.mod");
            assert_eq!(missing.status, 404, "{mode}: {}", missing.text());
            server.stop().ok();
            proxy.stop();
        }
    });
}

#[test]
fn serve_what_the_store_has_wrong_comes_from_upstream_and_is_replaced() {
    only_modfetch!();
    engines::on_each(|address| {
        let database = database();
        let (proxy, gosumdb) = (upstream(&database), database.gosumdb());
        let sums = fill(&proxy, &gosumdb, address);
        let store = objects(address);
        let good: Vec<Vec<u8>> = ["zip", "mod"]
            .map(|end| read(&store, &format!("{AT}.{end}")))
            .into();
        let spoil = || {
            for (end, good) in ["zip", "mod"].iter().zip(&good) {
                let mut bad = good.clone();
                let middle = bad.len() / 2;
                bad[middle] ^= 1;
                store
                    .put(&format!("{AT}.{end}"), &bad, Existing::Replace)
                    .unwrap();
            }
        };
        spoil();
        // Without upstream nothing wrong is handed out.
        let alone = site(&proxy.url(), &gosumdb);
        let server = Served::start(&alone, &["--store", &url(address), "--offline"]);
        for end in ["zip", "mod"] {
            let answer = server.get(&format!("/{AT}.{end}"));
            assert_ne!(answer.status, 200, "{end}: {}", answer.head);
        }
        server.stop().ok();
        let healing = site(&proxy.url(), &gosumdb);
        let server = Served::start(&healing, &["--store", &url(address)]);
        let second = client(&server, &gosumdb);
        second.run(["download"]).ok();
        assert_eq!(second.read("go.sum"), sums);
        let metrics = server.get("/metrics").text();
        assert!(
            metrics.contains("modfetch_store_replaced_total 2"),
            "{metrics}"
        );
        server.stop().ok();
        for (end, good) in ["zip", "mod"].iter().zip(&good) {
            assert!(
                read(&store, &format!("{AT}.{end}")) == *good,
                "{end} is healed"
            );
        }
    });
}

#[test]
fn serve_half_an_upload_is_completed() {
    only_modfetch!();
    let Some(engine) = engines::moto() else {
        return;
    };
    let (database, address) = (database(), engine.address.as_str());
    let (proxy, gosumdb) = (upstream(&database), database.gosumdb());
    let sums = fill(&proxy, &gosumdb, address);
    let store = objects(address);
    for lost in [
        vec!["info"],
        vec!["info", "mod"],
        vec!["info", "mod", "zip"],
    ] {
        for end in &lost {
            store.delete(&format!("{AT}.{end}")).unwrap();
        }
        proxy.forget();
        let again = site(&proxy.url(), &gosumdb);
        let server = Served::start(&again, &["--store", &url(address)]);
        let second = client(&server, &gosumdb);
        second.run(["download"]).ok();
        assert_eq!(second.read("go.sum"), sums);
        server.stop().ok();
        // What the store had was not fetched.
        for end in ["info", "mod", "zip"] {
            let want = usize::from(lost.contains(&end));
            assert_eq!(proxy.hits(&format!("{AT}.{end}")), want, "{lost:?}: {end}");
            assert!(
                names(&store).contains(&format!("{AT}.{end}")),
                "{lost:?}: {end}"
            );
        }
    }
}

#[test]
fn serve_a_store_that_fails_is_passed_over_or_answered_by_503() {
    only_modfetch!();
    let Some(engine) = engines::moto() else {
        return;
    };
    let database = database();
    let (proxy, gosumdb) = (upstream(&database), database.gosumdb());
    let gate = Gate::before(&engine.address);
    let sums = fill(&proxy, &gosumdb, &gate.address);
    for mode in [Mode::Failing, Mode::Silent] {
        gate.set(mode);
        let hasty = || {
            let site = site(&proxy.url(), &gosumdb).env("MODFETCH_RETRIES", "0");
            site.env("MODFETCH_STALL_TIMEOUT", "1s")
        };
        let online = hasty();
        let server = Served::start(&online, &["--store", &url(&gate.address), "--drain", "1s"]);
        let second = client(&server, &gosumdb);
        second.run(["download"]).ok();
        assert_eq!(second.read("go.sum"), sums);
        assert_eq!(server.get("/readyz").status, 200);
        drop(server);
        let alone = hasty();
        let server = Served::start(&alone, &["--store", &url(&gate.address), "--offline"]);
        let answer = server.get(&format!("/{AT}.info"));
        assert_eq!(answer.status, 503, "{}", answer.text());
        let text = answer.text();
        assert!(text.contains("s3://modcache/go"), "{text}");
        assert_eq!(server.get("/readyz").status, 503);
        // It works again when the store does, which the server finds out by itself.
        gate.set(Mode::Open);
        until("the store works", || server.get("/readyz").status == 200);
        until("files come", || {
            server.get(&format!("/{AT}.info")).status == 200
        });
    }
}

#[test]
fn serve_clients_are_sent_to_the_store_for_verified_zips() {
    only_modfetch!();
    engines::on_each(|address| {
        let database = database();
        let (proxy, gosumdb) = (upstream(&database), database.gosumdb());
        let sums = fill(&proxy, &gosumdb, address);
        let site = site(&proxy.url(), &gosumdb);
        let server = Served::start(&site, &["--store", &url(address), "--redirect"]);
        let zip = format!("/{AT}.zip");
        let first = server.get(&zip);
        assert_eq!(first.status, 200, "not yet verified: {}", first.head);
        let second = server.get(&zip);
        assert_eq!(second.status, 302, "{}", second.head);
        assert_eq!(second.field("Cache-Control"), Some("no-store"));
        let place = second.field("Location").expect("a place").to_owned();
        let target = place
            .strip_prefix(&format!("http://{address}"))
            .expect("the store");
        let direct = ask(address, "GET", target, &[]);
        assert!(direct.status == 200 && direct.body == first.body);
        assert_eq!(server.ask("HEAD", &zip, &[]).status, 200);
        let third = client(&server, &gosumdb);
        third.run(["download"]).ok();
        assert_eq!(third.read("go.sum"), sums);
        if require_go().is_some() {
            let go = client(&server, &gosumdb);
            go.go(["mod", "download"]).ok();
            assert_eq!(go.read("go.sum"), sums);
        }
        server.stop().ok();
    });
}

#[test]
fn store_large_files_go_up_in_parts() {
    only_modfetch!();
    let data: Vec<u8> = (0..(17_u32 << 20))
        .map(|at| (at >> 7) as u8 ^ at as u8)
        .collect();
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &data).unwrap();
    engines::on_each(|address| {
        let store = objects(address);
        for existing in [Existing::Keep, Existing::Keep, Existing::Replace] {
            let sent = store.put_file("a/b.zip", &file, existing).unwrap();
            assert_eq!(sent, data.len() as u64);
            assert_eq!(store.head("a/b.zip").unwrap(), Some(sent));
        }
        assert!(read(&store, "a/b.zip") == data);
        assert_eq!(names(&store).into_iter().collect::<Vec<_>>(), ["a/b.zip"]);
        // Three uploads of begin, three parts, end; an engine that keeps what is there has the second one given up.
        let count = store.count(Operation::Multipart);
        assert!(matches!(count.requests, 15 | 16), "{}", count.requests);
        assert_eq!(count.failures, 0);
        // A GET goes on from where an earlier one was cut: ranges are the transfer's own affair.
        let link = store.presigned_url("a/b.zip", 60).expect("keys are there");
        let target = link.strip_prefix(&format!("http://{address}")).unwrap();
        let range = [("Range", "bytes=8388608-8388611")];
        let answer = ask(address, "GET", target, &range);
        assert_eq!(answer.body, data[8_388_608..8_388_612]);
    });
}
