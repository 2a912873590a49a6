//! `serve`: the files of versions, as clients ask for them.

use std::fs;

use super::{client, site, upstream};
use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, require_go};

#[test]
fn serve_clients_download_and_verify_through_it_online_and_offline() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let gosumdb = database.gosumdb();
    let site = site(&proxy.url(), &gosumdb);
    let server = Served::start(&site, &[]);
    let first = client(&server, &gosumdb);
    first.run(["download"]).ok();
    let sums = first.read("go.sum");
    assert!(
        sums.contains("example.com/text v1.2.0/go.mod h1:"),
        "{sums}"
    );
    // One request for each file, whoever asks and however often.
    let second = client(&server, &gosumdb);
    second.run(["download"]).ok();
    assert_eq!(second.read("go.sum"), sums);
    for file in ["info", "mod", "zip"] {
        assert_eq!(
            proxy.hits(&format!("example.com/text/@v/v1.2.0.{file}")),
            1,
            "{file}"
        );
    }
    assert_eq!(proxy.hits(&SumDb::lookup("example.com/text@v1.2.0")), 1);
    if require_go().is_some() {
        let go = client(&server, &gosumdb);
        go.go(["mod", "download"]).ok();
        go.go(["mod", "verify"])
            .ok()
            .stdout("all modules verified\n");
        assert_eq!(go.read("go.sum"), sums);
    }
    server.stop().ok();
    // What it has kept is enough for others, the checksum database too.
    proxy.stop();
    let server = Served::start(&site, &["--offline"]);
    let offline = client(&server, &gosumdb);
    offline.run(["download"]).ok();
    assert_eq!(offline.read("go.sum"), sums);
    if require_go().is_some() {
        let go = client(&server, &gosumdb);
        go.go(["mod", "download"]).ok();
        assert_eq!(go.read("go.sum"), sums);
    }
    let missing = server.get("/example.com/calc/@v/v1.0.0.zip");
    assert_eq!(missing.status, 404);
    assert!(
        missing.text().contains("fetching is disabled by --offline"),
        "{}",
        missing.text()
    );
}

#[test]
fn serve_a_file_needs_no_other_file() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    let gomod = server.get("/example.com/text/@v/v1.2.0.mod");
    assert_eq!((gomod.status, gomod.field("X-Cache")), (200, Some("MISS")));
    assert_eq!(
        gomod.field("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(proxy.requests().len(), 1);
    let again = server.get("/example.com/text/@v/v1.2.0.mod");
    assert_eq!(
        (again.field("X-Cache"), &again.body),
        (Some("HIT"), &gomod.body)
    );
    assert_eq!(proxy.requests().len(), 1);
    let zip = server.get("/example.com/text/@v/v1.2.0.zip");
    assert_eq!(zip.field("Content-Type"), Some("application/zip"));
    let zip = server.get("/example.com/text/@v/v1.2.0.zip");
    let recorded = site.cached("cache/download/example.com/text/@v/v1.2.0.ziphash");
    let h1 = fs::read_to_string(recorded).unwrap();
    assert_eq!(zip.field("ETag"), Some(format!("\"{h1}\"").as_str()));
    let tag = format!("\"{h1}\"");
    let fields = [("If-None-Match", tag.as_str())];
    assert_eq!(
        server
            .ask("GET", "/example.com/text/@v/v1.2.0.zip", &fields)
            .status,
        304
    );
    let part = server.ask(
        "GET",
        "/example.com/text/@v/v1.2.0.zip",
        &[("Range", "bytes=2-5")],
    );
    assert_eq!((part.status, &part.body[..]), (206, &zip.body[2..6]));
    let head = server.ask("HEAD", "/example.com/text/@v/v1.2.0.zip", &[]);
    assert_eq!(
        head.field("Content-Length"),
        Some(zip.body.len().to_string().as_str())
    );
    // Both spellings of an exclamation mark are one name.
    let upper = [
        "/example.com/!upper/!camel!case/@v/v1.0.0.mod",
        "/example.com/%21upper/%21camel%21case/@v/v1.0.0.mod",
    ];
    let bodies: Vec<Vec<u8>> = upper.iter().map(|path| server.get(path).body).collect();
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0].starts_with(b"module example.com/Upper/CamelCase"));
}
