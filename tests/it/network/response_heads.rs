//! Heads of answers as servers and the boxes before them send them: what go takes is taken, and what the status line
//! says is shown.

use crate::support::many_modules::ManyModules;
use crate::support::script::Fault;
use crate::support::{Proxy, Sandbox, Times, go::only_modfetch, require_go};

const MODULE: &str = "example.com/text@v1.0.0";
const LENGTH: &str = "Content-Length: [LENGTH]\r\n";

fn fields(count: usize) -> String {
    (0..count).map(|i| format!("X-Field-{i}: v\r\n")).collect()
}

/// Odd heads with status 200, each whole but for what is odd.
fn heads() -> Vec<(&'static str, String)> {
    let long = "v".repeat(32 << 10);
    vec![
        (
            "folded lines",
            format!("HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n\tthree\r\n{LENGTH}\r\n"),
        ),
        (
            "a folded length",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n [LENGTH]\r\n\r\n".to_owned(),
        ),
        (
            "another version",
            format!("HTTP/1.2 200 OK\r\n{LENGTH}\r\n"),
        ),
        (
            "128 fields and one",
            format!("HTTP/1.1 200 OK\r\n{}{LENGTH}\r\n", fields(128)),
        ),
        (
            "1,000 fields",
            format!("HTTP/1.1 200 OK\r\n{}{LENGTH}\r\n", fields(1000)),
        ),
        (
            "a field of 32 KiB",
            format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\n{LENGTH}\r\n"),
        ),
        (
            "early hints",
            format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>;\r\n rel=preload\r\n\r\n\
                 HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK\r\n{LENGTH}\r\n"
            ),
        ),
        ("no reason", format!("HTTP/1.1 200\r\n{LENGTH}\r\n")),
        (
            "a reason that steers terminals",
            format!("HTTP/1.1 200 a\u{1b}[31mb\r\n{LENGTH}\r\n"),
        ),
        (
            "bare line feeds",
            "HTTP/1.1 200 OK\nX-A: b\n c\nContent-Length: [LENGTH]\n\n".to_owned(),
        ),
    ]
}

fn odd_proxy(many: &ManyModules, head: &str) -> Proxy {
    let proxy = Proxy::of_modules(many.modules.clone());
    proxy.script("*", Fault::RawHead(head.to_owned()), Times::ALWAYS);
    proxy
}

#[test]
fn download_odd_response_head_is_taken_on_one_connection() {
    only_modfetch!();
    let many = ManyModules::new(3, 1000);
    let well = Proxy::of_modules(many.modules.clone());
    let right = many.sandbox().proxy(&well);
    right.run(["download"]).ok();
    for (what, head) in heads() {
        let proxy = odd_proxy(&many, &head);
        let sandbox = many.sandbox().proxy(&proxy);
        let run = sandbox.run(["download", "--jobs", "1"]);
        run.ok().stdout("").stderr("");
        right.picture().assert_same(&sandbox.picture(), what);
        assert_eq!(proxy.hits("*"), 9, "{what}: nothing is asked twice");
        // Behind each head the body ended where it should.
        assert!(proxy.connections() <= 4, "{what}: {}", proxy.connections());
    }
}

#[test]
fn go_takes_the_odd_response_heads() {
    require_go!();
    let many = ManyModules::new(1, 1000);
    for (what, head) in heads() {
        let proxy = odd_proxy(&many, &head);
        let run = many.sandbox().proxy(&proxy).go(["mod", "download"]);
        run.demand(run.code == Some(0), what);
    }
}

#[test]
fn download_response_head_past_the_limit_is_refused() {
    only_modfetch!();
    let many = ManyModules::new(1, 1000);
    let long = "v".repeat(64 << 10);
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    let heads = [
        format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\n{LENGTH}\r\n"),
        // Interim answers count as well.
        format!("{}HTTP/1.1 200 OK\r\n{LENGTH}\r\n", hint.repeat(1500)),
    ];
    for head in heads {
        let proxy = odd_proxy(&many, &head);
        let run = many.sandbox().proxy(&proxy).run(["download"]);
        run.fails(6).stderr_has("the response header is too large");
    }
}

#[test]
fn download_reason_of_the_status_line_is_shown() {
    only_modfetch!();
    let rows = [
        (
            "HTTP/1.1 403 Requested item is quarantined",
            7,
            ".info: 403 Requested item is quarantined\n",
        ),
        ("HTTP/1.2 404 été \u{1b}[31m", 4, ".info: 404 été ?[31m\n"),
        ("HTTP/1.1 404", 4, ".info: 404 Not Found\n"),
    ];
    for (line, code, want) in rows {
        let head = format!("{line}\r\nContent-Length: [LENGTH]\r\n\r\n");
        let proxy = Proxy::serve();
        proxy.script("*", Fault::RawHead(head), Times::ALWAYS);
        let sandbox = Sandbox::new().proxy(&proxy);
        let run = sandbox.run(["list", "-m", MODULE]);
        run.fails(code).stderr_has(want);
    }
}

#[test]
fn download_reason_that_may_repeat_credentials_is_hidden() {
    only_modfetch!();
    let head = "HTTP/1.1 403 no entry for s3cr3t\r\nContent-Length: [LENGTH]\r\n\r\n";
    let proxy = Proxy::serve();
    proxy.script("*", Fault::RawHead(head.to_owned()), Times::ALWAYS);
    let url = proxy.url().replace("http://", "http://user:s3cr3t@");
    let sandbox = Sandbox::new().env("GOPROXY", &url);
    for arguments in [
        &["download", MODULE][..],
        &["download", "-x", MODULE],
        &["list", "-m", MODULE],
        &["doctor"],
    ] {
        let run = sandbox.run(arguments.iter().copied());
        run.demand(run.code != Some(0), "it is refused");
        let said = run.output() + &run.talk();
        run.demand(!said.contains("s3cr3t"), "the secret is shown");
        run.demand(said.contains("403 Forbidden"), "the status is not shown");
    }
}
