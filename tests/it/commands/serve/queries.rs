//! `serve`: lists, `@latest` and branches: what they say, how old they are, and how upstream is asked again.

use super::site;
use crate::support::go::only_modfetch;
use crate::support::script::Fault;
use crate::support::served::Served;
use crate::support::{Proxy, Sandbox, Times, require_go};

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

const MAIN: &str = r#"{"Version":"v1.2.0","Time":"2020-01-02T03:04:05Z"}"#;

#[test]
fn serve_expired_answers_are_asked_for_again_by_their_tags() {
    only_modfetch!();
    let proxy = Proxy::serve().with_file("example.com/text/@v/main.info", MAIN);
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &["--ttl", "0s"]);
    let queries = [
        "/example.com/text/@v/list",
        "/example.com/text/@latest",
        "/example.com/text/@v/main.info",
    ];
    let first = queries.map(|query| server.get(query));
    for answer in &first {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    proxy.forget();
    for (query, first) in queries.iter().zip(&first) {
        let again = server.get(query);
        assert_eq!((again.status, again.text()), (200, first.text()), "{query}");
        assert_eq!(again.field("X-Cache"), Some("EXPIRED"), "{query}");
    }
    let asked = proxy.requests();
    let statuses: Vec<u16> = asked.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [304; 3], "{asked:?}");
    assert_eq!(proxy.bytes_sent(), 0);
    // What has changed comes.
    let list = b"v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\nv1.4.0\n";
    proxy.put("example.com/text/@v/list", Some(list[..].into()));
    let again = server.get(queries[0]);
    assert_eq!(again.body, list);
}

#[test]
fn serve_404_and_410_come_with_the_text_of_upstream() {
    only_modfetch!();
    let kind = ("Content-Type", "text/plain; charset=utf-8");
    let proxy = Proxy::serve()
        .failing_with(
            "example.com/text/*",
            410,
            &[kind],
            "not found: taken back by its author\n",
            Times::ALWAYS,
        )
        .failing_with(
            "example.com/calc/*",
            403,
            &[kind],
            "forbidden: under embargo\n",
            Times::ALWAYS,
        )
        .failing_with(
            "example.com/tool/*",
            500,
            &[kind],
            "broken\n",
            Times::ALWAYS,
        );
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    for file in [
        "list",
        "main.info",
        "v1.2.0.info",
        "v1.2.0.mod",
        "v1.2.0.zip",
    ] {
        let gone = server.get(&format!("/example.com/text/@v/{file}"));
        assert_eq!(gone.status, 410, "{file}");
        let text = gone.text();
        assert!(
            text.starts_with("not found: ") && text.contains("taken back by its author"),
            "{text}"
        );
        let absent = server.get(&format!("/example.com/absent/@v/{file}"));
        assert_eq!(absent.status, 404, "{file}");
        assert!(absent.text().starts_with("not found: "), "{file}");
    }
    let refused = server.get("/example.com/calc/@v/v1.0.0.mod");
    assert_eq!(refused.status, 403);
    assert!(
        refused.text().contains("under embargo"),
        "{}",
        refused.text()
    );
    assert_eq!(server.get("/example.com/tool/@v/v0.5.0.mod").status, 502);
    if require_go().is_none() {
        return;
    }
    // go asks the next proxy after 410, and stops after anything else.
    let other = Proxy::serve();
    let goproxy = format!("{},{}", server.url(), other.url());
    let go = |requirement: &str| {
        let go = Sandbox::new()
            .go_mod(&format!("require {requirement}"))
            .env("GOPROXY", &goproxy);
        go.go(["mod", "download"])
    };
    go("example.com/text v1.2.0").ok();
    assert_eq!(other.hits("example.com/text/@v/v1.2.0.zip"), 1);
    other.forget();
    go("example.com/calc v1.0.0")
        .fails(1)
        .stderr_has("under embargo");
    go("example.com/tool v0.5.0").fails(1).stderr_has("500");
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn serve_go_gets_the_answers_through_it_that_it_gets_without() {
    only_modfetch!();
    require_go!();
    let pseudo = "v0.0.0-20240102030405-abcdef123456";
    let proxy = Proxy::serve()
        .with_file("example.com/text/@v/main.info", MAIN)
        // No @latest: go looks into the list.
        .with_file("example.com/nightly/@v/list", format!("{pseudo}\n"))
        .without_file("example.com/nightly/@latest");
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &[]);
    let answers = |goproxy: &str| {
        let go = Sandbox::new().go_mod("").env("GOPROXY", goproxy);
        let form = "{{.Path}} {{.Version}} {{.Time}} {{.Versions}} {{.Error}}";
        let run = go.go([
            "list",
            "-m",
            "-e",
            "-versions",
            "-f",
            form,
            "example.com/text@latest",
            "example.com/text@v1.1",
            "example.com/text@<v1.2.0",
            "example.com/text@main",
            "example.com/nightly@latest",
            "example.com/calc/v2@latest",
            "example.com/old@latest",
            "example.com/Upper/CamelCase@latest",
            "example.com/recalled@latest",
            "example.com/text@v9",
            "example.com/absent@latest",
        ]);
        let output = run.output();
        output.replace(goproxy, "PROXY")
    };
    let direct = answers(&proxy.url());
    assert!(
        direct.contains(pseudo) && direct.contains("example.com/absent"),
        "{direct}"
    );
    let without_texts = |answers: &str| -> Vec<String> {
        let lines = answers.lines();
        let lines = lines.filter(|line| line.starts_with("example.com/"));
        lines
            .map(|line| {
                line.split("reading PROXY")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    let through = answers(&server.url());
    assert_eq!(without_texts(&through), without_texts(&direct), "{through}");
}
