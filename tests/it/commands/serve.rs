//! `serve`: what clients get, what is kept, and what is refused.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::integrity::sumdb::database;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::script::Fault;
use crate::support::served::{Served, ask};
use crate::support::sumdb::{NAME, SumDb};
use crate::support::{Proxy, Sandbox, Times, require_go, until};

const TEXT: &str = "require example.com/text v1.2.0";

/// A server's own sandbox.
fn site(goproxy: &str, gosumdb: &str) -> Sandbox {
    Sandbox::new()
        .env("GOPROXY", goproxy)
        .env("GOSUMDB", gosumdb)
        .env("MODFETCH_RETRIES", "0")
}

/// A client of it, with nothing of its own.
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

/// A module whose zip is longer than what is held back.
fn large_module() -> Module {
    // Bytes that no compressor makes shorter.
    let mut state: u64 = 88_172_645_463_325_252;
    let noise: Vec<u8> = (0..400_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect();
    let gomod = b"module example.com/large\n".to_vec();
    let files = vec![
        ("go.mod".to_owned(), gomod),
        ("noise.bin".to_owned(), noise),
    ];
    Module::new("example.com/large", "v1.0.0", files)
}

#[test]
fn serve_records_use_where_prune_looks() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = Sandbox::with("hello", &proxy);
    site.run(["download"]).ok();
    super::cache::age_cache(site.cache(), 40);
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

const LARGE: &str = "/example.com/large/@v/v1.0.0.zip";

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

#[test]
fn serve_a_wrong_zip_is_cut_and_not_kept() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let proxy = Proxy::of_modules(vec![large_module()]);
    database.serve_on(&proxy);
    // In the noise: the archive is sound, its sum is not.
    let proxy = proxy.corrupting("example.com/large/@v/v1.0.0.zip", 200_000, Times(1));
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    let wrong = server.get(LARGE);
    assert!(wrong.status != 200 || !wrong.whole, "{}", wrong.head);
    assert!(wrong.body.len() < large.zip().len());
    until("the alarm", || server.said().contains("security:"));
    let folder = site.cached("cache/download/example.com/large/@v");
    let kept = |name: &str| folder.join(name).exists();
    assert!(!kept("v1.0.0.zip") && !kept("v1.0.0.ziphash"));
    assert!(
        server
            .get("/metrics")
            .text()
            .contains("modfetch_security_events_total 1")
    );
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
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
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
fn serve_lists_and_queries_have_an_age_and_outlive_upstream() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &["--ttl", "0s"]);
    let list = server.get("/example.com/text/@v/list");
    assert_eq!(list.text(), "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\n");
    assert_eq!(
        (list.field("X-Cache"), list.field("Age")),
        (Some("MISS"), Some("0"))
    );
    let latest = server.get("/example.com/text/@latest");
    assert!(
        latest.text().contains("\"Version\":\"v1.2.0\""),
        "{}",
        latest.text()
    );
    let absent = server.get("/example.com/absent/@v/list");
    assert_eq!(absent.status, 404);
    assert!(
        absent.text().starts_with("not found: "),
        "{}",
        absent.text()
    );
    // Versions that upstream has lost are listed all the same.
    proxy.put("example.com/text/@v/list", Some(b"v1.2.0\n"[..].into()));
    let list = server.get("/example.com/text/@v/list");
    assert_eq!(list.text(), "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\n");
    proxy.script(
        "*",
        Fault::Status(503, Vec::new(), Vec::new()),
        Times::ALWAYS,
    );
    let stale = server.get("/example.com/text/@v/list");
    assert_eq!((stale.status, stale.field("X-Cache")), (200, Some("STALE")));
    assert_eq!(stale.text(), list.text());
    let unknown = server.get("/example.com/calc/@v/list");
    assert_eq!(unknown.status, 502);
    server.stop().ok();
    // After a restart as well; and a fresh answer asks upstream for nothing.
    let server = Served::start(&site, &["--ttl", "1h"]);
    proxy.forget();
    let list = server.get("/example.com/text/@v/list");
    assert_eq!((list.status, list.field("X-Cache")), (200, Some("HIT")));
    assert_eq!(proxy.requests().len(), 0);
    let no_fetch = [("Disable-Module-Fetch", "true")];
    let kept = server.ask("GET", "/example.com/text/@v/v1.1.0.zip", &no_fetch);
    assert_eq!(
        (kept.status, kept.text().as_str()),
        (404, "not found: temporarily unavailable\n")
    );
    assert_eq!(proxy.requests().len(), 0);
}

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
fn serve_checksum_database_shows_one_head() {
    only_modfetch!();
    let older = database();
    let proxy = upstream(&older);
    let site = site(&proxy.url(), &older.gosumdb());
    let server = Served::start(&site, &[]);
    let lookup = |name: &str| server.get(&format!("/sumdb/{NAME}/lookup/{name}"));
    let supported = server.get(&format!("/sumdb/{NAME}/supported"));
    assert_eq!((supported.status, proxy.requests().len()), (200, 0));
    assert_eq!(server.get("/sumdb/other.example.com/supported").status, 404);
    let head = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    let first = lookup("example.com/text@v1.2.0");
    assert_eq!(first.status, 200, "{}", first.text());
    // The log grows: a record that was kept is then shown under the newer head.
    let newer = database().with_filler("example.com/filler");
    newer.serve_on(&proxy);
    let second = lookup("example.com/calc@v1.0.0");
    assert_ne!(head(&first.text()), head(&second.text()));
    let again = lookup("example.com/text@v1.2.0");
    assert_eq!(head(&again.text()), head(&second.text()));
    let record = |text: &str| text.split_once("\n\n").unwrap().0.to_owned();
    assert_eq!(record(&again.text()), record(&first.text()));
    // Tiles are proven and kept; what is not in the log is 404.
    assert_eq!(server.get(&format!("/{}", newer.tile())).status, 200);
    assert_eq!(lookup("example.com/absent@v1.0.0").status, 404);
    assert_eq!(server.get(&format!("/sumdb/{NAME}/tile/8/0/0")).status, 404);
    assert_eq!(
        server.get(&format!("/sumdb/{NAME}/latest")).text(),
        head(&second.text())
    );
}

#[test]
fn serve_tree_is_a_goproxy_of_files_that_it_fills() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let gosumdb = database.gosumdb();
    let site = site(&proxy.url(), &gosumdb);
    let tree = site.project_dir().join("tree");
    let named = tree.display().to_string();
    let server = Served::start(&site, &["--tree", &named]);
    client(&server, &gosumdb).run(["download"]).ok();
    server.stop().ok();
    assert!(tree.join("example.com/text/@v/v1.2.0.zip").is_file());
    // Without a server, as a tree of files.
    let url = format!("file://{named}");
    let files = Sandbox::new().go_mod(TEXT).env("GOPROXY", &url);
    files.run(["download"]).ok();
    let server = Served::start(&site, &["--tree", &named, "--offline"]);
    client(&server, &gosumdb).run(["download"]).ok();
    assert_eq!(server.get("/.modfetch/cache/lock").status, 404);
}

#[test]
fn serve_local_trees_come_first_and_are_listed() {
    only_modfetch!();
    let own = Module::new(
        "example.com/text",
        "v1.9.0",
        vec![("go.mod".to_owned(), b"module example.com/text\n".to_vec())],
    );
    let other = Proxy::of_modules(vec![own]);
    let filler = site(&other.url(), "off");
    let filled = Served::start(&filler, &[]);
    for file in ["info", "mod", "zip"] {
        assert_eq!(
            filled
                .get(&format!("/example.com/text/@v/v1.9.0.{file}"))
                .status,
            200
        );
    }
    filled.stop().ok();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let local = filler.cache().display().to_string();
    let server = Served::start(&site, &["--local", &local]);
    let list = server.get("/example.com/text/@v/list");
    assert_eq!(list.text(), "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\nv1.9.0\n");
    let latest = server.get("/example.com/text/@latest");
    assert!(
        latest.text().contains("\"Version\":\"v1.9.0\""),
        "{}",
        latest.text()
    );
    assert_eq!(server.get("/example.com/text/@v/v1.9.0.zip").status, 200);
    assert_eq!(proxy.hits("example.com/text/@v/v1.9.0.zip"), 0);
}

#[test]
fn serve_users_need_a_password_or_a_token_and_supervisors_none() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off")
        // `htpasswd -nbBC 5 ann secret`, of apache2-utils 2.4.
        .file(
            "users",
            "ann:$2y$05$bzwgE0E9nfie8u3XumAJNuAZ087U88Kl49G.dJusLrMT9d9ncGcAO\n",
        )
        .file("tokens", "0123456789abcdef\n");
    let server = Served::start(
        &site,
        &[
            "--htpasswd",
            "users",
            "--tokens",
            "tokens",
            "--access-log",
            "json",
        ],
    );
    let list = "/example.com/text/@v/list";
    let ask = |authorization: &str| {
        let fields = [("Authorization", authorization)];
        server.ask("GET", list, &fields).status
    };
    assert_eq!(server.get(list).status, 401);
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(ask("Bearer 0123456789abcdef"), 200);
    assert_eq!(ask("Bearer wrong"), 401);
    assert_eq!(ask("Basic YW5uOnNlY3JldA=="), 200);
    assert_eq!(ask("Basic YW5uOnNlY3JldA=="), 200);
    assert_eq!(ask("Basic YW5uOndyb25n"), 401);
    // Another token after SIGHUP.
    fs::write(site.project_dir().join("tokens"), "fedcba9876543210\n").unwrap();
    server.signal(Signal::SIGHUP);
    until("the new token", || ask("Bearer fedcba9876543210") == 200);
    assert_eq!(ask("Bearer 0123456789abcdef"), 401);
    if require_go().is_some() {
        let go = client(&server, "off");
        let host = server.address().split_once(':').unwrap().0;
        // Credentials of netrc go over plain HTTP to no other host than this one.
        let netrc = format!("machine {host}\nlogin ann\npassword secret\n");
        let go = go.file(".netrc", &netrc);
        let place = go.project_dir().join(".netrc").display().to_string();
        let go = go.env("NETRC", &place);
        go.go(["mod", "download"]);
    }
    let log = server.stop();
    log.ok()
        .stdout_has("\"path\":\"/example.com/text/@v/list\"");
    for secret in ["0123456789abcdef", "YW5uOnNlY3JldA", "secret"] {
        log.demand(
            !log.output().contains(secret) && !log.talk().contains(secret),
            "no secret in it",
        );
    }
}

#[test]
fn serve_killed_while_it_fetches_serves_right_bytes_afterwards() {
    only_modfetch!();
    let large = large_module();
    let database = SumDb::of([&large]);
    let zip = large.zip();
    let proxy = Proxy::of_modules(vec![large]).limiting(2_000_000);
    database.serve_on(&proxy);
    let site = site(&proxy.url(), &database.gosumdb());
    for round in 0..12 {
        let server = Served::start(&site, &[]);
        let address = server.address().to_owned();
        let asking = thread::spawn(move || {
            let asked = std::panic::catch_unwind(|| ask(&address, "GET", LARGE, &[]));
            asked.ok()
        });
        thread::sleep(Duration::from_millis(15 * round));
        server.signal(Signal::SIGKILL);
        if let Some(answer) = asking.join().unwrap() {
            let right = answer.body == zip;
            assert!(
                !answer.whole || answer.status != 200 || right,
                "{}",
                answer.head
            );
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
fn serve_env_prints_what_clients_export() {
    only_modfetch!();
    let run = site("off", "sum.golang.org").run([
        "serve",
        "--env",
        "--listen",
        ":3001",
        "--private",
        "corp.example.com",
    ]);
    run.ok().stdout(
        "export GOPROXY=http://localhost:3001\nexport GOSUMDB='sum.golang.org'\n\
         export GONOSUMDB='corp.example.com'\nexport GONOPROXY=none\n",
    );
}

#[test]
fn serve_request_ids_and_traces_go_upstream_and_come_back() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &["--access-log", "text"]);
    let fields = [
        ("X-Request-Id", "job-7"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let answer = server.ask("GET", "/example.com/text/@v/v1.2.0.mod", &fields);
    assert_eq!(answer.field("X-Request-Id"), Some("job-7"));
    assert!(
        server
            .get("/livez")
            .field("X-Request-Id")
            .is_some_and(|id| id.len() == 16)
    );
    server
        .stop()
        .ok()
        .stdout_has(" GET /example.com/text/@v/v1.2.0.mod 200 ")
        .stdout_has(" MISS job-7");
}

#[test]
fn serve_page_lists_what_is_kept_without_scripts() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    client(&server, &database.gosumdb()).run(["download"]).ok();
    server.stop().ok();
    let server = Served::start(&site, &["--offline"]);
    until("the count", || {
        server.get("/").text().contains("example.com/text")
    });
    let page = server.get("/?module=example.com/text").text();
    assert!(
        page.contains("v1.2.0") && page.contains(&format!("{NAME}, record ")),
        "{page}"
    );
    assert!(!page.contains("<script"));
    let hostile = server.get("/?q=%22%3E%3Cscript%3E").text();
    assert!(!hostile.contains("<script"));
}

/// A certificate for 127.0.0.1 and its key, of an authority made for it, and one for a client.
fn write_certificates(folder: &std::path::Path) {
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    let key = || KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = key();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let leaf = |name: &str, purpose| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = key();
        (
            params.signed_by(&key, &issuer).unwrap().pem(),
            key.serialize_pem(),
        )
    };
    let (server, server_key) = leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
    let (client, client_key) = leaf("client.example.com", ExtendedKeyUsagePurpose::ClientAuth);
    for (name, text) in [
        ("ca.pem", &ca.pem()),
        ("server.pem", &server),
        ("server.key", &server_key),
        ("client.pem", &client),
        ("client.key", &client_key),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn serve_tls_with_client_certificates_serves_those_who_have_one() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    write_certificates(&site.project_dir());
    let tls = [
        "--tls-cert",
        "server.pem",
        "--tls-key",
        "server.key",
        "--tls-client-ca",
        "ca.pem",
    ];
    let server = Served::start(&site, &tls);
    let file = |name: &str| site.project_dir().join(name).display().to_string();
    let client = || {
        Sandbox::new()
            .go_mod("require example.com/large v1.0.0")
            .env("GOPROXY", &format!("https://{}", server.address()))
            .env("SSL_CERT_FILE", &file("ca.pem"))
            .env("MODFETCH_RETRIES", "0")
    };
    let (cert, key) = (file("client.pem"), file("client.key"));
    let with = ["download", "--client-cert", &cert, "--client-key", &key];
    client().run(with).ok();
    client().run(["download"]).fails(7);
    // Another certificate for the connections to come.
    let other = Sandbox::new();
    write_certificates(&other.project_dir());
    for name in ["server.pem", "server.key"] {
        fs::copy(
            other.project_dir().join(name),
            site.project_dir().join(name),
        )
        .unwrap();
    }
    server.signal(Signal::SIGHUP);
    until("the new certificate", || {
        server.said().contains("read again")
    });
    client().run(with).fails(6);
}

#[test]
fn serve_sockets_of_systemd_are_taken_over_and_it_says_ready() {
    if !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    // What systemd does, by a program that most systems have.
    let script = r#"
import os, socket, subprocess, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify")
notify.settimeout(30)
child = os.fork()
if child == 0:
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET="notify")
    os.execvp("modfetch", ["modfetch", "serve", "--listen", "systemd"])
said = [notify.recv(64)]
answer = socket.create_connection(listener.getsockname())
answer.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
status = answer.recv(64).split(b"\r\n")[0]
os.kill(child, 15)
said.append(notify.recv(64))
print(said, status, os.waitpid(child, 0)[1])
"#;
    let site = site.file("systemd.py", script);
    let run = site.shell("command -v python3 >/dev/null || { echo skipped: no python3; exit 0; }; python3 systemd.py");
    if run.output().starts_with("skipped") {
        return eprintln!("{}", run.output());
    }
    run.ok()
        .stdout("[b'READY=1', b'STOPPING=1'] b'HTTP/1.1 200 OK' 0\n");
    // Without such a socket it says so.
    site.run(["serve", "--listen", "systemd"])
        .fails(2)
        .stderr_has("handed over no socket");
}

#[test]
fn serve_min_age_counts_from_when_the_database_knew() {
    if !only_modfetch() {
        return;
    }
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
fn serve_recheck_moves_a_wrong_zip_away() {
    if !only_modfetch() {
        return;
    }
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
    if !only_modfetch() {
        return;
    }
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
