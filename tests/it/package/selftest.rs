//! The kit itself: does the proxy do wrong as told, and do sums and sandboxes agree with go?

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::fixtures::Fixtures;
use crate::support::script::Fault;
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox, Times, require_go, sums, until};

const TEXT: &str = "example.com/text/@v/v1.2.0.zip";

/// One request over a connection of its own; the whole answer, or what came before it broke.
fn get(proxy: &Proxy, path: &str, header: &str) -> Vec<u8> {
    let address = proxy.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn status(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer)
        .split("\r\n")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn body(answer: &[u8]) -> &[u8] {
    let at = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    &answer[at + 4..]
}

#[test]
fn proxy_serves_fixtures_escaped_or_not() {
    let proxy = Proxy::serve();
    let plain = get(&proxy, "example.com/!upper/!camel!case/@v/v1.0.0.mod", "");
    let percent = get(
        &proxy,
        "example.com/%21upper/%21camel%21case/@v/v1.0.0.mod",
        "",
    );
    assert_eq!(status(&plain), "HTTP/1.1 200 OK");
    assert_eq!(
        body(&plain),
        b"module example.com/Upper/CamelCase\n\ngo 1.17\n"
    );
    assert_eq!(body(&percent), body(&plain));
    assert_eq!(
        proxy.hits("example.com/!upper/!camel!case/@v/v1.0.0.mod"),
        2
    );
    assert_eq!(
        body(&get(&proxy, "example.com/text/@v/list", "")),
        b"v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\n"
    );
    assert_eq!(
        status(&get(&proxy, "example.com/none/@v/list", "")),
        "HTTP/1.1 404 Not Found"
    );
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn proxy_each_fault_occurs_the_given_times() {
    let whole = body(&get(&Proxy::serve(), TEXT, "")).to_vec();
    let proxy = Proxy::serve()
        .failing_with(TEXT, 429, &[("Retry-After", "1")], "slowly", Times(1))
        .truncating(TEXT, 10, Times(1))
        .resetting(TEXT, 11, Times(1))
        .sending_garbage(TEXT, Times(1))
        .corrupting(TEXT, 5, Times(1))
        .answering(TEXT, "text/html", b"<html>", Times(1))
        .redirecting(TEXT, "http://127.0.0.1:1/x", Times(1));

    let answer = String::from_utf8(get(&proxy, TEXT, "")).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nslowly"), "{answer}");
    let cut = get(&proxy, TEXT, "");
    assert_eq!(body(&cut), &whole[..10]);
    let promised = format!("Content-Length: {}\r\n", whole.len());
    assert!(String::from_utf8_lossy(&cut).contains(&promised));
    assert!(get(&proxy, TEXT, "").len() < whole.len());
    assert_eq!(status(&get(&proxy, TEXT, "")), "SMTP/1.1 two hundred");
    let corrupt = get(&proxy, TEXT, "");
    assert_eq!(body(&corrupt)[5], !whole[5]);
    assert_eq!(body(&corrupt)[6..], whole[6..]);
    assert_eq!(body(&get(&proxy, TEXT, "")), b"<html>");
    let moved = String::from_utf8(get(&proxy, TEXT, "")).unwrap();
    assert!(
        moved.contains("Location: http://127.0.0.1:1/x\r\n"),
        "{moved}"
    );
    assert_eq!(body(&get(&proxy, TEXT, "")), whole);
    let statuses: Vec<u16> = proxy
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [429, 200, 200, 0, 200, 200, 302, 200]);
}

#[test]
fn proxy_reset_is_a_read_error() {
    let proxy = Proxy::serve().resetting(TEXT, 3, Times(1));
    let mut stream = TcpStream::connect(proxy.url().replace("http://", "")).unwrap();
    write!(stream, "GET /{TEXT} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn proxy_range_is_served_for_same_content_only() {
    let proxy = Proxy::serve();
    let whole = get(&proxy, TEXT, "");
    let text = String::from_utf8_lossy(&whole).into_owned();
    let tag = text
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .unwrap();
    let rest = get(
        &proxy,
        TEXT,
        &format!("Range: bytes=7-\r\nIf-Range: {tag}\r\n"),
    );
    assert_eq!(status(&rest), "HTTP/1.1 206 Partial Content");
    assert_eq!(body(&rest), &body(&whole)[7..]);
    let other = get(&proxy, TEXT, "Range: bytes=7-\r\nIf-Range: \"other\"\r\n");
    assert_eq!(status(&other), "HTTP/1.1 200 OK");
    let beyond = get(&proxy, TEXT, "Range: bytes=99999999-\r\n");
    assert_eq!(status(&beyond), "HTTP/1.1 416 Range Not Satisfiable");
    let without = get(
        &Proxy::serve().without_ranges(),
        TEXT,
        "Range: bytes=7-\r\n",
    );
    assert_eq!(body(&without), body(&whole));
}

#[test]
fn proxy_rate_and_delay_apply_until_healed() {
    let proxy = Proxy::serve()
        .limiting(5_000)
        .delaying(TEXT, Duration::from_millis(50), Times(1));
    let started = Instant::now();
    let size = body(&get(&proxy, TEXT, "")).len();
    let least = Duration::from_secs_f64(size as f64 / 5_000.0) + Duration::from_millis(50);
    assert!(
        started.elapsed() >= least,
        "{size} bytes in {:?}",
        started.elapsed()
    );
    proxy.script(
        TEXT,
        Fault::Status(500, Vec::new(), Vec::new()),
        Times::ALWAYS,
    );
    assert_eq!(
        status(&get(&proxy, TEXT, "")),
        "HTTP/1.1 500 Internal Server Error"
    );
    proxy.heal();
    assert_eq!(status(&get(&proxy, TEXT, "")), "HTTP/1.1 200 OK");
}

#[test]
fn picture_diff_shows_every_difference() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("same", "1");
    write("changed", "1");
    write("gone", "1");
    let before = Picture::of(folder.path());
    assert!(before.diff(&before).is_empty());
    assert_eq!(before.file("same"), Some(&b"1"[..]));
    write("changed", "2");
    write("new", "1");
    let mode = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(folder.path().join("same"), mode).unwrap();
    std::fs::remove_file(folder.path().join("gone")).unwrap();
    let lines = before.diff(&Picture::of(folder.path()));
    let starts: Vec<&str> = lines
        .iter()
        .map(|line| line.split([' ', '\n']).nth(1).unwrap())
        .collect();
    assert_eq!(starts, ["changed", "gone", "same", "new"]);
    let rest = Picture::of(folder.path()).without(|path| path != "new");
    assert_eq!(rest.paths(), ["new"]);
}

#[test]
fn proxy_concurrent_stalls_are_released() {
    let proxy = Proxy::serve().stalling("*.zip", 5, Times(250));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..250)
            .map(|_| scope.spawn(|| get(&proxy, TEXT, "").len()))
            .collect();
        proxy.wait_for_stalls(250);
        proxy.release();
        let sizes: Vec<usize> = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        assert!(
            sizes.iter().all(|&size| size == sizes[0] && size > 300),
            "{sizes:?}"
        );
    });
    assert_eq!(proxy.max_in_flight(), 250);
}

#[test]
fn proxy_drop_ends_all_connections() {
    let proxy = Proxy::serve().stalling(TEXT, 5, Times::ALWAYS).delaying(
        "*.mod",
        Duration::from_secs(3600),
        Times::ALWAYS,
    );
    let idle = TcpStream::connect(proxy.url().replace("http://", "")).unwrap();
    let started = thread::scope(|scope| {
        scope.spawn(|| get(&proxy, TEXT, ""));
        scope.spawn(|| get(&proxy, "example.com/text/@v/v1.2.0.mod", ""));
        proxy.wait_for_stalls(1);
        // The idle connection and both clients, so that the stop refuses none of them.
        until("all connections", || proxy.connections() == 3);
        let started = Instant::now();
        proxy.stop();
        started
    });
    drop(proxy);
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(idle);
}

#[test]
fn sums_of_fixtures_match_go() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = Fixtures::read(&folder.join("testdata/mod"));
    let mut checked = 0;
    for project in ["hello", "legacy"] {
        let path = folder
            .join("testdata/projects")
            .join(project)
            .join("go.sum");
        let go_sum = std::fs::read_to_string(path).unwrap();
        for module in fixtures.modules() {
            for line in sums::lines(module).lines() {
                let (subject, _) = line.rsplit_once(' ').unwrap();
                if go_sum.contains(&format!("{subject} ")) {
                    assert!(go_sum.contains(line), "{project}: {line}");
                    checked += 1;
                }
            }
        }
    }
    let lines = 27 + 14; // Of hello and of legacy.
    assert_eq!(checked, lines);
}

#[test]
fn go_fails_at_each_proxy_fault() {
    require_go!();
    type Spoil = fn(Proxy) -> Proxy;
    let table: [(Spoil, &str); 8] = [
        (
            |p| p.failing(TEXT, 503, Times(1)),
            "503 Service Unavailable",
        ),
        (|p| p.truncating(TEXT, 100, Times(1)), "unexpected EOF"),
        (
            |p| p.resetting(TEXT, 100, Times(1)),
            "connection reset by peer",
        ),
        (|p| p.sending_garbage(TEXT, Times(1)), "malformed HTTP"),
        (
            |p| p.answering(TEXT, "text/html", b"<html></html>", Times(1)),
            "not a valid zip file",
        ),
        (
            |p| p.redirecting(TEXT, "http://127.0.0.1:1/", Times(1)),
            "connection refused",
        ),
        (|p| p.without_file(TEXT), "404 Not Found"),
        (|p| p.demanding("Basic eDp5"), "401 Unauthorized"),
    ];
    for (spoil, wanted) in table {
        let proxy = spoil(Proxy::serve());
        let run = Sandbox::with("hello", &proxy).go(["mod", "download"]);
        run.fails(1).stderr_has(wanted);
    }
}

#[test]
fn go_trusts_certificate_authority_of_proxy() {
    require_go!();
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::serve_tls(folder.path());
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox
        .go(["mod", "download"])
        .fails(1)
        .stderr_has("certificate signed by unknown authority");
    let sandbox = sandbox.env("SSL_CERT_FILE", &proxy.ca().display().to_string());
    sandbox.go(["mod", "download"]).ok();
    assert!(proxy.hits(TEXT) == 1);
}

#[test]
fn run_hanging_program_is_killed() {
    require_go!();
    let proxy = Proxy::serve().stalling(TEXT, 10, Times::ALWAYS);
    let sandbox = Sandbox::with("hello", &proxy).limit(Duration::from_secs(2));
    let started = Instant::now();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sandbox.go(["mod", "download"]);
    }));
    let message = *outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("still running after 2s"), "{message}");
    assert!(message.contains("go mod download"), "{message}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn sandbox_sealed_cache_is_read_only() {
    require_go!();
    let proxy = Proxy::serve();
    let filled = Sandbox::with("hello", &proxy);
    filled.go(["mod", "download", "example.com/text"]).ok();
    filled.seal_cache();
    let sandbox = Sandbox::with("hello", &proxy)
        .cache_of(&filled)
        .unprivileged();
    sandbox.go(["mod", "download", "example.com/text"]).ok();
    sandbox
        .go(["mod", "download", "example.com/tool"])
        .fails(1)
        .stderr_has("permission denied");
}
