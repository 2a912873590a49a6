//! `serve`: what is refused, and what nobody is asked about.

use std::fs;
use std::time::Duration;

use super::{site, upstream};
use crate::integrity::sumdb::database;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::script::Request;
use crate::support::served::Served;
use crate::support::sumdb::NAME;
use crate::support::{Proxy, Sandbox, require_go};

#[test]
fn serve_policy_is_403_with_the_reason_and_private_asks_nobody() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let gosumdb = database.gosumdb();
    let site = site(&proxy.url(), &gosumdb);
    let arguments = [
        "--deny",
        "example.com/calc,example.com/text@v1.1.0",
        "--private",
        "example.com/tool",
    ];
    let server = Served::start(&site, &arguments);
    let denied = server.get("/example.com/calc/@v/list");
    assert_eq!(denied.status, 403);
    assert!(denied.text().contains("--deny"));
    assert_eq!(server.get("/example.com/text/@v/v1.1.0.mod").status, 403);
    let list = server.get("/example.com/text/@v/list");
    assert_eq!(list.text(), "v1.0.0\nv1.2.0\nv1.3.0-rc.1\n");
    proxy.forget();
    assert_eq!(server.get("/example.com/tool/@v/list").status, 404);
    assert_eq!(server.get("/example.com/tool/@v/v0.5.0.zip").status, 404);
    let lookup = server.get(&format!("/sumdb/{NAME}/lookup/example.com/tool@v0.5.0"));
    assert_eq!(lookup.status, 403);
    assert_eq!(proxy.requests().len(), 0);
    if require_go().is_some() {
        // go prints the reason and asks nobody else.
        let go = Sandbox::new()
            .go_mod("require example.com/calc v1.0.0")
            .env("GOPROXY", &format!("{},{}", server.url(), proxy.url()))
            .env("GOSUMDB", &gosumdb);
        go.go(["mod", "download"]).fails(1).stderr_has("--deny");
        assert_eq!(proxy.requests().len(), 0);
    }
}

#[test]
fn serve_min_age_counts_from_when_the_database_knew() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let site = site(&proxy.url(), &database.gosumdb());
    let arguments = ["--min-age", "7d", "--min-age-exempt", "example.com/calc"];
    let server = Served::start(&site, &arguments);
    // Not known until a moment ago, whatever its .info says.
    let young = server.get("/example.com/text/@v/v1.2.0.mod");
    assert_eq!(young.status, 403, "{}", young.text());
    assert!(young.text().contains("--min-age"));
    assert_eq!(server.get("/example.com/text/@v/list").text(), "");
    assert_eq!(server.get("/example.com/calc/@v/v1.0.0.mod").status, 200);
    server.stop().ok();
    // The record was fetched eight days ago.
    let lookup = format!("cache/download/sumdb/{NAME}/lookup/example.com/text@v1.2.0");
    let file = fs::File::options()
        .append(true)
        .open(site.cached(&lookup))
        .unwrap();
    let then = std::time::SystemTime::now() - Duration::from_secs(8 * 86_400);
    file.set_modified(then).unwrap();
    let server = Served::start(&site, &arguments);
    assert_eq!(server.get("/example.com/text/@v/v1.2.0.mod").status, 200);
}

#[test]
fn serve_clients_that_export_its_env_get_private_modules_and_leak_none() {
    only_modfetch!();
    require_go!();
    let database = database();
    let proxy = upstream(&database);
    let own = Module::new(
        "corp.example.com/own",
        "v1.0.0",
        vec![(
            "go.mod".to_owned(),
            b"module corp.example.com/own\n".to_vec(),
        )],
    );
    let others = Proxy::of_modules(vec![own]);
    let filler = site(&others.url(), "off");
    let filled = Served::start(&filler, &[]);
    for file in ["info", "mod", "zip"] {
        let path = format!("/corp.example.com/own/@v/v1.0.0.{file}");
        assert_eq!(filled.get(&path).status, 200);
    }
    filled.stop().ok();
    let site = site(&proxy.url(), &database.gosumdb());
    let local = filler.cache().display().to_string();
    let arguments = ["--private", "corp.example.com", "--local", &local];
    let server = Served::start(&site, &arguments);
    let requirement = "require corp.example.com/own v1.0.0";
    // Without its exports the database is asked, by way of this server, which refuses.
    let naive = Sandbox::new()
        .go_mod(requirement)
        .env("GOPROXY", &server.url())
        .env("GOSUMDB", &database.gosumdb());
    naive
        .go(["mod", "download"])
        .fails(1)
        .stderr_has("private, and not looked up in the checksum database");
    let listen = ["serve", "--env", "--listen", server.address()];
    let exports = site.run([&listen[..], &arguments].concat());
    let mut told = Sandbox::new().go_mod(requirement);
    for line in exports.ok().output().lines() {
        let (name, value) = line
            .strip_prefix("export ")
            .and_then(|pair| pair.split_once('='))
            .unwrap_or_else(|| panic!("{line:?} is no export"));
        told = told.env(name, value.trim_matches('\''));
    }
    told.go(["mod", "download"]).ok();
    let listed = told.go(["list", "-m", "corp.example.com/own@latest"]);
    listed.ok().stdout("corp.example.com/own v1.0.0\n");
    let leaked = |request: &Request| request.path.contains("corp.example.com");
    let asked = proxy.requests();
    assert!(!asked.iter().any(leaked), "{asked:?}");
}

#[test]
fn serve_go_shows_that_a_version_is_too_young_and_stops() {
    only_modfetch!();
    require_go!();
    let database = database();
    let proxy = upstream(&database);
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &["--min-age", "7d"]);
    let other = Proxy::serve();
    let go = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .env("GOPROXY", &format!("{},{}", server.url(), other.url()));
    go.go(["mod", "download"])
        .fails(1)
        .stderr_has("403 Forbidden")
        .stderr_has("--min-age");
    assert_eq!(other.requests().len(), 0);
}
