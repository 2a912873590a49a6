//! `download --no-extract` and `download --mod-only`: what is fetched, and that go and a later run go on from there.

use crate::support::{Proxy, Sandbox, require_go};

#[test]
fn download_no_extract_keeps_zips_that_go_extracts() {
    require_go!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--no-extract", "-json"]);
    let json = run.ok().stdout.clone();
    assert!(
        json.contains("\"Zip\"") && json.contains("\"Sum\""),
        "{json}"
    );
    assert!(!json.contains("\"Dir\""), "{json}");
    let picture = sandbox.picture();
    assert!(picture.has("cache/download/example.com/words/@v/v1.1.0.zip"));
    assert!(picture.has("cache/download/example.com/words/@v/v1.1.0.ziphash"));
    assert!(!picture.has("example.com/words@v1.1.0"));
    // Complete as far as it was wanted: nothing is asked.
    proxy.forget();
    sandbox.run(["download", "--no-extract"]).ok();
    assert_eq!(proxy.requests().len(), 0);
    let sandbox = sandbox.env("GOPROXY", "off").env("GOFLAGS", "-mod=mod");
    sandbox.go(["build", "./..."]).ok();
    sandbox
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
}

#[test]
fn download_after_no_extract_extracts_without_requests() {
    let proxy = Proxy::serve();
    let whole = Sandbox::with("hello", &proxy);
    whole.run(["download"]).ok();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download", "--no-extract"]).ok();
    proxy.forget();
    sandbox
        .run(["download", "--dry-run"])
        .fails(10)
        .stdout_has("v1.1.0 dir\n");
    sandbox.run(["download"]).ok();
    assert_eq!(proxy.requests().len(), 0);
    whole
        .picture()
        .assert_same(&sandbox.picture(), "caches filled at once and in two steps");
}

#[test]
fn download_no_extract_wrong_zip_leaves_no_zip() {
    let proxy = Proxy::serve().corrupting(
        "example.com/words/@v/v1.1.0.zip",
        40,
        crate::support::Times(usize::MAX),
    );
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download", "--no-extract"]).fails(5);
    assert!(
        !sandbox
            .picture()
            .has("cache/download/example.com/words/@v/v1.1.0.zip")
    );
}

#[test]
fn download_mod_only_fetches_no_zip_and_go_goes_on() {
    require_go!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let json = sandbox
        .run(["download", "--mod-only", "-json"])
        .ok()
        .stdout
        .clone();
    assert!(
        json.contains("\"GoModSum\"") && !json.contains("\"Zip\""),
        "{json}"
    );
    assert_eq!(proxy.hits("*.zip"), 0);
    let picture = sandbox.picture();
    assert!(picture.has("cache/download/example.com/words/@v/v1.1.0.mod"));
    assert!(picture.has("cache/download/example.com/words/@v/v1.1.0.info"));
    proxy.forget();
    sandbox.run(["download", "--mod-only"]).ok();
    sandbox
        .run(["download", "--mod-only", "--dry-run"])
        .ok()
        .stdout("");
    assert_eq!(proxy.requests().len(), 0);
    sandbox.go(["mod", "download"]).ok();
    let gos = Sandbox::with("hello", &proxy);
    gos.go(["mod", "download"]).ok();
    gos.picture()
        .assert_same(&sandbox.picture(), "caches filled by go, and by both");
}

#[test]
fn download_no_extract_with_mod_only_is_a_usage_error() {
    let sandbox = Sandbox::with("hello", &Proxy::serve());
    let run = sandbox.run(["download", "--no-extract", "--mod-only"]);
    run.fails(2).stderr_has("cannot be used together");
}
