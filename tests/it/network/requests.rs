//! What goes wrong between a proxy and us: what is tried again, what is not, and what is said.

use std::time::Duration;

use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::{Proxy, Sandbox, Times, require_go};

const TOOL: &str = "example.com/tool/@v/v0.5.0.zip";

/// Modules without requirements, and the project that requires them all.
pub fn many(count: usize, bytes_each: usize) -> (Vec<Module>, Sandbox) {
    let many = ManyModules::new(count, bytes_each);
    let sandbox = many.sandbox();
    (many.modules, sandbox)
}

#[test]
fn download_user_agent_names_modfetch_or_what_is_asked_for() {
    only_modfetch!();
    let own = concat!("modfetch/", env!("CARGO_PKG_VERSION"));
    for (flag, want) in [
        ("", own),
        ("--user-agent=Go-http-client/1.1", "Go-http-client/1.1"),
    ] {
        let (modules, sandbox) = many(1, 100);
        let proxy = Proxy::of_modules(modules);
        let line = ["download", flag]
            .into_iter()
            .filter(|word| !word.is_empty());
        sandbox.proxy(&proxy).run(line).ok();
        let requests = proxy.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(request.header("user-agent"), Some(want));
        }
    }
    let run = Sandbox::new().run(["download", "--user-agent=a\u{1}b"]);
    run.fails(2).stderr_has("want printable ASCII characters");
}

#[test]
fn download_transient_failures_are_retried() {
    only_modfetch!();
    let (modules, sandbox) = many(100, 2000);
    let proxy = Proxy::of_modules(modules)
        .failing("example.com/m010/@v/v1.0.0.zip", 503, Times(1))
        .truncating("example.com/m020/@v/v1.0.0.zip", 700, Times(1))
        .stalling("example.com/m030/@v/v1.0.0.zip", 700, Times(1))
        .resetting("example.com/m040/@v/v1.0.0.zip", 700, Times(1))
        .failing("example.com/m050/@v/v1.0.0.mod", 502, Times(1))
        .truncating("example.com/m060/@v/v1.0.0.info", 5, Times(1))
        .sending_garbage("example.com/m070/@v/v1.0.0.zip", Times(1));
    let sandbox = sandbox.proxy(&proxy).env("MODFETCH_STALL_TIMEOUT", "1s");
    sandbox.run(["download"]).ok();
    for (path, hits) in [
        ("example.com/m010/@v/v1.0.0.zip", 2),
        ("example.com/m020/@v/v1.0.0.zip", 2),
        ("example.com/m030/@v/v1.0.0.zip", 2),
        ("example.com/m040/@v/v1.0.0.zip", 2),
        ("example.com/m050/@v/v1.0.0.mod", 2),
        ("example.com/m060/@v/v1.0.0.info", 2),
        ("example.com/m070/@v/v1.0.0.zip", 2),
        ("example.com/m080/@v/v1.0.0.zip", 1),
    ] {
        assert_eq!(proxy.hits(path), hits, "{path}");
    }
    assert_eq!(proxy.hits("*"), 307);
}

#[test]
fn download_not_found_is_not_retried() {
    for (missing, wanted) in [
        (
            TOOL,
            "modfetch: example.com/tool@v0.5.0: reading [URL]/example.com/tool/@v/v0.5.0.zip: 404 Not Found",
        ),
        (
            "example.com/tool/@v/v0.5.0.mod",
            "modfetch: example.com/tool@v0.5.0: reading [URL]/example.com/tool/@v/v0.5.0.mod: 404 Not Found",
        ),
    ] {
        let proxy = Proxy::serve().without_file(missing);
        let run = Sandbox::with("hello", &proxy).run(["download"]);
        run.fails(4)
            .stderr_has(&wanted.replace("[URL]", &proxy.url()));
        // Proxies explain themselves in the body, and go shows that.
        run.stderr_has(&format!("server response: not found: {missing}"));
        assert_eq!(proxy.hits(missing), 1);
    }
}

#[test]
fn download_forbidden_is_not_retried() {
    for (status, wanted) in [(401, "401 Unauthorized"), (403, "403 Forbidden")] {
        let proxy = Proxy::serve().failing(TOOL, status, Times::ALWAYS);
        let run = Sandbox::with("hello", &proxy).run(["download"]);
        run.fails(7)
            .stderr_has(&format!("reading {}/{TOOL}: {wanted}", proxy.url()));
        assert_eq!(proxy.hits(TOOL), 1);
    }
}

#[test]
fn download_permanent_failure_exits_6_after_all_tries() {
    let proxy = Proxy::serve().failing(TOOL, 503, Times::ALWAYS);
    let sandbox = Sandbox::with("hello", &proxy).env("MODFETCH_RETRIES", "2");
    let run = sandbox.run(["download"]);
    run.fails(6).stderr_has(&format!(
        "reading {}/{TOOL}: 503 Service Unavailable",
        proxy.url()
    ));
    if only_modfetch() {
        // Two more, and two for bad luck: the others were answered meanwhile.
        assert_eq!(proxy.hits(TOOL), 5);
    }
    let picture = sandbox.picture();
    assert!(
        picture.has("example.com/text@v1.2.0/text.go"),
        "the others are there"
    );
    assert!(
        !picture.has("example.com/tool@v0.5.0"),
        "half a module is there"
    );
}

#[test]
fn download_unreachable_proxy_exits_6() {
    let sandbox = Sandbox::new()
        .project("hello")
        .env("GOPROXY", "http://127.0.0.1:1");
    let sandbox = sandbox.env("MODFETCH_RETRIES", "1");
    sandbox
        .run(["download"])
        .fails(6)
        .stderr_has("connection refused");
}

#[test]
fn download_goproxy_off_empty_cache_exits_11() {
    let run = Sandbox::new().project("hello").run(["download"]);
    run.fails(11)
        .stderr_has("module lookup disabled by GOPROXY=off");
}

#[test]
fn download_retry_after_is_obeyed() {
    only_modfetch!();
    let proxy = Proxy::serve().failing_with(TOOL, 429, &[("Retry-After", "2")], "", Times(1));
    let run = Sandbox::with("hello", &proxy).run(["download"]);
    run.ok()
        .demand(run.took >= Duration::from_secs(2), "asked again too early");
}

#[test]
fn download_content_changed_between_tries_restarts_transfer() {
    only_modfetch!();
    let size = 1 << 20;
    let (modules, sandbox) = many(1, size);
    let (path, zip) = (modules[0].url("zip"), modules[0].zip());
    // The first answer is the start of something else with another entity tag.
    let other = vec![b'x'; size];
    let proxy =
        Proxy::of_modules(modules)
            .with_file(&path, other)
            .stalling(&path, size / 2, Times(1));
    let sandbox = sandbox.proxy(&proxy).env("MODFETCH_STALL_TIMEOUT", "1s");
    let running = sandbox.spawn(["download"]);
    proxy.wait_for_stalls(1);
    proxy.put(&path, Some(zip.into()));
    running.wait().ok();
    assert_eq!(proxy.hits(&path), 2);
}

#[test]
fn download_many_modules_transfers_are_concurrent_and_bounded() {
    only_modfetch!();
    for (jobs, least, most, delay) in [("64", 30, 64, 150), ("3", 2, 3, 10)] {
        let delay = Duration::from_millis(delay);
        let (modules, sandbox) = many(60, 100);
        let proxy = Proxy::of_modules(modules).delaying("*", delay, Times::ALWAYS);
        sandbox
            .proxy(&proxy)
            .env("MODFETCH_JOBS", jobs)
            .run(["download"])
            .ok();
        let seen = proxy.max_in_flight();
        assert!(
            (least..=most).contains(&seen),
            "{seen} in flight with {jobs} jobs"
        );
    }
}

#[test]
fn download_goproxy_list_comma_and_pipe_fall_back() {
    // Separator, what the first proxy answers, whether the second is asked.
    for (separator, status, moves_on) in [
        (",", 404, true),
        (",", 410, true),
        (",", 403, false),
        ("|", 403, true),
        ("|", 500, true),
    ] {
        let first = Proxy::serve().failing("*", status, Times::ALWAYS);
        let second = Proxy::serve();
        let list = format!("{}{separator}{}", first.url(), second.url());
        let sandbox = Sandbox::new().project("hello").env("GOPROXY", &list);
        let run = sandbox.env("MODFETCH_RETRIES", "0").run(["download"]);
        assert_eq!(second.hits("*") > 0, moves_on, "{status} {separator}");
        run.demand(
            (run.code == Some(0)) == moves_on,
            &format!("{status} {separator}"),
        );
    }
}

#[test]
fn download_redirects_are_followed() {
    let target = Proxy::serve();
    let proxy = Proxy::serve();
    let url = format!("{}/{TOOL}", target.url());
    let proxy = proxy.redirecting(TOOL, &url, Times::ALWAYS);
    Sandbox::with("hello", &proxy).run(["download"]).ok();
    assert_eq!(target.hits(TOOL), 1);
}

#[test]
fn download_https_trusts_named_authority_only() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::serve_tls(folder.path());
    let sandbox = Sandbox::with("hello", &proxy).env("MODFETCH_RETRIES", "0");
    let run = sandbox.run(["download"]);
    run.demand(run.code != Some(0), "a certificate of nobody was trusted");
    assert_eq!(proxy.hits("*"), 0);
    let sandbox = sandbox.env("SSL_CERT_FILE", &proxy.ca().display().to_string());
    sandbox.run(["download"]).ok();
    assert_eq!(proxy.hits(TOOL), 1);
}

#[test]
fn download_several_failures_are_reported_in_module_order() {
    require_go!();
    let proxy = Proxy::serve()
        .without_file("example.com/calc/v2/@v/v2.1.0.zip")
        .failing("example.com/many/@v/v1.0.0.zip", 403, Times::ALWAYS)
        .without_file(TOOL);
    let gos = Sandbox::with("hello", &proxy).go(["mod", "download"]);
    gos.fails(1);
    let told = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("@v") && line.contains(": reading "))
            .map(|line| {
                line.trim_start_matches("go: ")
                    .trim_start_matches("modfetch: ")
                    .to_owned()
            })
            .collect()
    };
    let ours = Sandbox::with("hello", &proxy).run(["download"]);
    ours.fails(7);
    assert_eq!(told(&ours.stderr), told(&gos.stderr));
    assert_eq!(told(&gos.stderr).len(), 3);
}
