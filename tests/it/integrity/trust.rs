//! Nothing unverified becomes visible: go.sum, the checksum database, and what exempts from it.

use std::path::Path;

use crate::support::fixtures::Fixtures;
use crate::support::go::only_modfetch;
use crate::support::sumdb::SumDb;
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox, Times, require_go};

const TEXT: &str = "cache/download/example.com/text/@v/v1.2.0";

/// What follows "SECURITY ERROR" when go.sum disagrees.
const GO_SUM_DISAGREES: &str =
    "SECURITY ERROR\nThis download does NOT match an earlier download recorded in go.sum.\n";

/// What follows it when the checksum database disagrees.
const SUMDB_DISAGREES: &str =
    "SECURITY ERROR\nThis download does NOT match the one reported by the checksum server.\n";

fn fixtures() -> Fixtures {
    Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"))
}

#[track_caller]
fn assert_text_is_invisible(sandbox: &Sandbox) {
    let picture = sandbox.picture();
    for path in [&format!("{TEXT}.zip"), "example.com/text@v1.2.0"] {
        assert!(!picture.has(path), "{path} is visible");
    }
}

/// Exchanges the sum of a line of go.sum for that of another line.
fn with_wrong_sum(go_sum: &str, subject: &str) -> String {
    let wrong = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    go_sum
        .lines()
        .map(|line| match line.strip_prefix(subject) {
            Some(_) => format!("{subject} {wrong}\n"),
            None => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn download_zip_not_matching_go_sum_exits_5() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy).edit("go.sum", |text| {
        with_wrong_sum(&text, "example.com/text v1.2.0")
    });
    let run = sandbox.run(["download"]);
    run.fails(5)
        .stderr_has("verifying example.com/text@v1.2.0: checksum mismatch\n\tdownloaded: h1:4+Q7j6hTqUHZiqevWq8GY7TDWCa1p8FZX3F9rH3W/oc=\n\tgo.sum:     h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
        .stderr_has(GO_SUM_DISAGREES);
    assert_text_is_invisible(&sandbox);
    // Go stops at once; we fetch what can be fetched.
    if only_modfetch() {
        assert!(
            sandbox.picture().has("example.com/tool@v0.5.0/tool.go"),
            "the others are there"
        );
    }
    // A cache on the way may have spoilt it: once more, and not oftener.
    let most = if only_modfetch() { 2 } else { 1 };
    assert_eq!(proxy.hits("example.com/text/@v/v1.2.0.zip"), most);
}

#[test]
fn download_go_mod_not_matching_go_sum_exits_5() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy).edit("go.sum", |text| {
        with_wrong_sum(&text, "example.com/text v1.2.0/go.mod")
    });
    let run = sandbox.run(["download"]);
    run.fails(5)
        .stderr_has("verifying example.com/text@v1.2.0/go.mod: checksum mismatch\n\tdownloaded: h1:4KYMyjJWf0MdG09LOcJuKzB6t97QX4kkVt1rpAZxQi4=\n\tgo.sum:     h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
        .stderr_has(GO_SUM_DISAGREES);
    assert_text_is_invisible(&sandbox);
    assert!(
        !sandbox.picture().has(&format!("{TEXT}.mod")),
        "the refused go.mod is visible"
    );
}

#[test]
fn download_one_flipped_bit_is_detected() {
    let size = crate::support::proxy::fixtures_tree()["example.com/text/@v/v1.2.0.zip"].len();
    for at in [0, 14, 40, size / 2, size - 30, size - 3] {
        let proxy = Proxy::serve().corrupting("example.com/text/@v/v1.2.0.zip", at, Times::ALWAYS);
        let sandbox = Sandbox::with("hello", &proxy);
        let run = sandbox.run(["download"]);
        // A changed time stamp or comment length is no changed content, for go neither.
        if run.code == Some(0) {
            let Some(_) = require_go() else { continue };
            Sandbox::with("hello", &proxy).go(["mod", "download"]).ok();
            continue;
        }
        run.fails(5);
        assert_text_is_invisible(&sandbox);
    }
}

#[test]
fn download_cached_ziphash_not_matching_go_sum_exits_5() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let sandbox = sandbox.edit("go.sum", |text| {
        with_wrong_sum(&text, "example.com/text v1.2.0")
    });
    sandbox
        .run(["download"])
        .fails(5)
        .stderr_has("checksum mismatch")
        .stderr_has(GO_SUM_DISAGREES);
}

#[test]
fn download_without_go_sum_line_asks_database() {
    require_go!();
    let fixtures = fixtures();
    let database = SumDb::of(fixtures.modules());
    let sandbox = |proxy: &Proxy| {
        database.serve_on(proxy);
        Sandbox::new()
            .go_mod("require (\n\texample.com/text v1.2.0\n\texample.com/Upper/CamelCase v1.0.0\n)")
            .proxy(proxy)
            .env("GOSUMDB", &database.gosumdb())
    };
    let (our_proxy, go_proxy) = (Proxy::serve(), Proxy::serve());
    let (ours, gos) = (sandbox(&our_proxy), sandbox(&go_proxy));
    gos.go(["mod", "download"]).ok();
    ours.run(["download"]).ok();
    // What was learnt from the database is there as well.
    gos.picture()
        .assert_same(&ours.picture(), "the caches of go and ours");
    let heads = |sandbox: &Sandbox| Picture::of(&sandbox.gopath_dir());
    heads(&gos).assert_same(&heads(&ours), "the newest heads of go and ours");
    gos.project_picture()
        .assert_same(&ours.project_picture(), "the projects of go and ours");
    assert_eq!(our_proxy.hits(&SumDb::lookup("example.com/text@v1.2.0")), 1);
    assert_eq!(
        our_proxy.hits(&SumDb::lookup("example.com/!upper/!camel!case@v1.0.0")),
        1
    );
}

#[test]
fn download_database_mismatch_exits_5() {
    let fixtures = fixtures();
    let database = SumDb::of(fixtures.modules()).claiming("example.com/text@v1.2.0", |text| {
        text.replace(
            "h1:4+Q7j6hTqUHZiqevWq8GY7TDWCa1p8FZX3F9rH3W/oc=",
            "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        )
    });
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .proxy(&proxy)
        .env("GOSUMDB", &database.gosumdb());
    sandbox
        .run(["download"])
        .fails(5)
        .stderr_has("checksum mismatch")
        .stderr_has(SUMDB_DISAGREES);
    assert_text_is_invisible(&sandbox);
}

#[test]
fn download_forged_signature_exits_5() {
    let fixtures = fixtures();
    let database = SumDb::of(fixtures.modules());
    let other = database.gosumdb();
    let (name, _) = other.split_once('+').unwrap();
    // Another key of the same name: the public key of RFC 8032, test 1, and its hash in go's way.
    let key = format!("{name}+afcd0237+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .proxy(&proxy)
        .env("GOSUMDB", &key);
    let run = sandbox.run(["download"]);
    run.fails(5).stderr_has("note has no verifiable signatures");
    assert_text_is_invisible(&sandbox);
}

#[test]
fn download_unknown_to_database_is_refused() {
    let fixtures = fixtures();
    let others = fixtures
        .modules()
        .iter()
        .filter(|module| module.path != "example.com/text");
    let database = SumDb::of(others);
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .proxy(&proxy)
        .env("GOSUMDB", &database.gosumdb());
    let run = sandbox.run(["download"]);
    run.demand(run.code != Some(0), "an unknown module was taken")
        .stderr_has("404 Not Found");
    assert_text_is_invisible(&sandbox);
}

#[test]
fn download_exempt_modules_do_not_ask_database() {
    for (name, value) in [
        ("GONOSUMDB", "example.com/*"),
        ("GOPRIVATE", "example.com"),
        ("GOSUMDB", "off"),
    ] {
        let fixtures = fixtures();
        let database = SumDb::of(fixtures.modules());
        let proxy = Proxy::serve();
        database.serve_on(&proxy);
        let sandbox = Sandbox::new()
            .go_mod("require example.com/text v1.2.0")
            .proxy(&proxy)
            .env("GOSUMDB", &database.gosumdb())
            .env("GONOPROXY", "none")
            .env(name, value);
        sandbox.run(["download"]).ok();
        assert!(
            sandbox.picture().has("example.com/text@v1.2.0/text.go"),
            "{name}"
        );
        assert_eq!(proxy.hits("sumdb/*"), 0, "{name}");
    }
}
