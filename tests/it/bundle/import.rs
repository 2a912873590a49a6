//! A bundle becomes the cache that a download makes, and goes on after a kill.

use std::fs;

use super::site::{H2, Upstream};
use crate::support::go::only_modfetch;
use crate::support::require_go;

#[test]
fn bundle_import_cache_is_what_a_download_makes() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (maker, bundle) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed.run(["bundle", "import", &bundle]).ok();
    let wanted = upstream.machine();
    wanted.run(["download"]).ok();
    let (ours, theirs) = (closed.picture(), wanted.picture());
    let left_out = |name: &str| {
        // What the bundle has beside what go needs: the newest go.mod and its proof.
        name.contains("v1.3.0")
            || name.contains("/tile/")
            || name.ends_with("/list")
            || name.starts_with("cache/modfetch")
    };
    theirs.without_locks().without(left_out).assert_same(
        &ours.without_locks().without(left_out),
        "the caches of a download and an import",
    );
    closed.run(["download", "--offline"]).ok();
    closed
        .run(["bundle", "import", &bundle])
        .ok()
        .stdout_has("0 zips added, 2 were complete");
    let log = fs::read_to_string(closed.cached("cache/modfetch/imports.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
    let sha256 = maker.shell("sha256sum site.tar").stdout;
    let sha256 = sha256.split(' ').next().unwrap();
    assert!(log.contains(&format!("\"sha256\":\"{sha256}\"")), "{log}");
    require_go!();
    closed
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
    closed.go(["build", "-mod=mod", "-o", "x", "."]).ok();
}

#[test]
fn bundle_import_pipe_without_extraction_leaves_zips_to_go() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed
        .shell(&format!("modfetch bundle verify - < {bundle}"))
        .ok();
    closed
        .shell(&format!(
            "cat {bundle} | modfetch bundle import --no-extract -"
        ))
        .ok();
    assert!(!closed.cache().join("example.com").exists());
    assert!(
        closed
            .cached("cache/download/example.com/a/@v/v1.0.0.zip")
            .exists()
    );
    require_go!();
    closed.go(["mod", "download"]).ok();
}

#[test]
fn bundle_import_killed_anywhere_goes_on() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    let steps = [
        ("temporary-written", 2),
        ("tile-written", 2),
        ("lookup-written", 2),
        ("head-written", 1),
        ("mod-temporary-written", 2),
        ("list-edited", 2),
        ("mod-renamed", 2),
        ("part-whole", 2),
        ("partial-made", 2),
        ("directory-sealed", 2),
        ("ziphash-written", 2),
        ("zip-renamed", 2),
        ("partial-removed", 2),
    ];
    let done = upstream.closed();
    done.run(["bundle", "import", &bundle]).ok();
    let done = done.picture().without_locks().without_own_state();
    for (step, times) in steps {
        for time in 1..=times {
            let closed = upstream
                .closed()
                .env("MODFETCH_TEST_KILL_AT", &format!("{step}:{time}"));
            let killed = closed.run(["bundle", "import", &bundle]);
            killed.demand(killed.code.is_none(), &format!("a kill at {step}"));
            let closed = closed.env("MODFETCH_TEST_KILL_AT", "");
            closed.run(["verify", "--cache"]).ok();
            closed.run(["bundle", "import", &bundle]).ok();
            let whole = closed.picture().without_locks().without_own_state();
            let whole = whole.without(|name| name.ends_with(".tmp"));
            done.assert_same(
                &whole,
                &format!("an import and one after a kill at {step}:{time}"),
            );
        }
    }
}
