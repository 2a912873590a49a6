//! `serve`: zips that go out while they arrive.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use super::{LARGE, large_module, site};
use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::served::{Served, ask};
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Times, until};

#[test]
fn serve_a_wrong_zip_is_cut_and_not_kept() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let proxy = Proxy::of_modules(vec![large_module()]);
    database.serve_on(&proxy);
    // In the noise: the archive is sound, its sum is not.
    let proxy = proxy.corrupting("example.com/large/@v/v1.0.0.zip", 200_000, Times(2));
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    let wrong = server.get(LARGE);
    assert!(wrong.status != 200 || !wrong.whole, "{}", wrong.head);
    assert!(wrong.body.len() < large.zip().len());
    // Two transfers were wrong, and each counts.
    until("the alarms", || {
        let metrics = server.get("/metrics").text();
        metrics.contains("modfetch_security_events_total 2\n")
    });
    assert!(server.said().contains("security:"));
    let folder = site.cached("cache/download/example.com/large/@v");
    let kept = |name: &str| folder.join(name).exists();
    assert!(!kept("v1.0.0.zip") && !kept("v1.0.0.ziphash"));
    let right = server.get(LARGE);
    assert!(right.whole && right.body == large.zip(), "{}", right.head);
}

#[test]
fn serve_many_clients_share_one_request_and_get_bytes_as_they_come() {
    only_modfetch!();
    let zip = large_module().zip();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let proxy = proxy.stalling("example.com/large/@v/v1.0.0.zip", 300_000, Times(1));
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    let address = server.address().to_owned();
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || ask(&address, "GET", LARGE, &[]))
        })
        .collect();
    proxy.wait_for_stalls(1);
    // One that comes late, reads what is there, and leaves.
    {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream
            .write_all(format!("GET {LARGE} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
            .unwrap();
        let mut early = vec![0; 200_000];
        stream.read_exact(&mut early).unwrap();
    }
    proxy.release();
    for client in clients {
        let answer = client.join().unwrap();
        assert!(
            answer.status == 200 && answer.whole && answer.body == zip,
            "{}",
            answer.head
        );
    }
    assert_eq!(proxy.hits("example.com/large/@v/v1.0.0.zip"), 1);
}

#[test]
fn serve_a_zip_goes_out_while_the_database_is_asked() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let zip = large.zip();
    let proxy = Proxy::of_modules(vec![large]);
    database.serve_on(&proxy);
    let lookup = SumDb::lookup("example.com/large@v1.0.0");
    let proxy = proxy.stalling(&lookup, 0, Times(1));
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("GET {LARGE} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut early = vec![0; 200_000];
    stream.read_exact(&mut early).unwrap();
    proxy.wait_for_stalls(1);
    proxy.release();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(early.len() + rest.len() > zip.len());
    let again = server.get(LARGE);
    assert_eq!(again.field("X-Cache"), Some("HIT"));
    assert!(again.body == zip);
}

#[test]
fn serve_a_transfer_that_is_cut_and_begun_again_is_a_pause_for_clients() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]).without_ranges();
    let proxy = proxy.truncating("example.com/large/@v/v1.0.0.zip", 300_000, Times(1));
    let site = site(&proxy.url(), "off").env("MODFETCH_RETRIES", "2");
    let server = Served::start(&site, &[]);
    let answer = server.get(LARGE);
    assert!(
        answer.whole && answer.body == large_module().zip(),
        "{}",
        answer.head
    );
    assert_eq!(proxy.hits("example.com/large/@v/v1.0.0.zip"), 2);
}

#[test]
fn serve_a_wrong_zip_that_is_right_the_next_time_is_logged() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let zip = large.zip();
    let proxy = Proxy::of_modules(vec![large]);
    database.serve_on(&proxy);
    let proxy = proxy.corrupting("example.com/large/@v/v1.0.0.zip", 200_000, Times(1));
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    // Whoever was given the wrong beginning is cut.
    let first = server.get(LARGE);
    assert!(!first.whole || first.body == zip, "{}", first.head);
    until("the alarm", || server.said().contains("security:"));
    let metrics = server.get("/metrics").text();
    assert!(
        metrics.contains("modfetch_security_events_total 1\n"),
        "{metrics}"
    );
    let again = server.get(LARGE);
    assert!(again.whole && again.body == zip, "{}", again.head);
}

#[test]
fn serve_cold_download_asks_upstream_for_each_file_once_and_all_at_the_same_time() {
    only_modfetch!();
    let many = ManyModules::new(32, 100);
    let proxy = Proxy::of_modules(many.modules.clone()).stalling("*.zip", 0, Times::ALWAYS);
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    let client = many
        .sandbox()
        .env("GOPROXY", &server.url())
        .env("GOSUMDB", "off");
    let download = client.spawn(["download", "--jobs", "64"]);
    // As many as the client wants: the server holds none back.
    proxy.wait_for_stalls(many.modules.len());
    proxy.release();
    download.wait().ok();
    for kind in ["*.info", "*.mod", "*.zip"] {
        assert_eq!(proxy.hits(kind), many.modules.len(), "{kind}");
    }
    assert_eq!(proxy.requests().len(), 3 * many.modules.len());
}
