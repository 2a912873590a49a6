//! A damaged or unfinished cache is made whole by the next run, and is then what go makes.

use nix::sys::signal::Signal;

use crate::support::{Proxy, Sandbox, Times};

const ENTRY: &str = "cache/download/example.com/greet/@v/v1.1.0";
const FOLDER: &str = "example.com/greet@v1.1.0";

#[test]
fn download_missing_cache_files_are_recreated() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let whole = sandbox.picture();
    let file = |suffix: &str| format!("{ENTRY}.{suffix}");
    for missing in [
        vec![file("info")],
        vec![file("mod")],
        vec![file("zip")],
        vec![file("ziphash")],
        vec![FOLDER.to_owned()],
        vec![file("zip"), file("ziphash")],
        vec![file("zip"), FOLDER.to_owned()],
        vec![file("ziphash"), FOLDER.to_owned()],
        vec![
            file("info"),
            file("mod"),
            file("zip"),
            file("ziphash"),
            FOLDER.to_owned(),
        ],
    ] {
        for path in &missing {
            sandbox.remove(path);
        }
        sandbox.run(["download"]).ok();
        let what = format!("the cache before and after {missing:?} went");
        whole.assert_same(&sandbox.picture(), &what);
    }
}

#[test]
fn download_partial_directory_is_extracted_again() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let whole = sandbox.picture();
    proxy.forget();
    sandbox.remove(&format!("{FOLDER}/greet.go"));
    sandbox.write(&format!("{ENTRY}.partial"), b"");
    sandbox.run(["download"]).ok();
    whole.assert_same(&sandbox.picture(), "the cache before and after");
    assert_eq!(proxy.hits("*"), 0, "the zip was there");
}

#[test]
fn download_torn_ziphash_and_stale_temporaries_are_replaced() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let whole = sandbox.picture();
    sandbox.write(&format!("{ENTRY}.ziphash"), b"h1:torn");
    sandbox.remove(&format!("{ENTRY}.zip"));
    sandbox.write(&format!("{ENTRY}.zip12345.tmp"), b"half of a zip");
    sandbox.run(["download"]).ok();
    whole.assert_same(&sandbox.picture(), "the cache before and after");
}

#[test]
fn download_killed_during_transfer_is_repaired_by_next_run() {
    let clean = Sandbox::with("hello", &Proxy::serve());
    let zip = "example.com/greet/@v/v1.1.0.zip";
    let proxy = Proxy::serve().stalling(zip, 100, Times(1));
    let sandbox = Sandbox::with("hello", &proxy);
    let running = sandbox.spawn(["download"]);
    proxy.wait_for_stalls(1);
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().code, None);
    let picture = sandbox.picture();
    assert!(!picture.has(&format!("{ENTRY}.zip")), "a zip is visible");
    assert!(!picture.has(FOLDER), "a folder is visible");
    sandbox.run(["download"]).ok();

    let healthy = Proxy::serve();
    let clean = clean.proxy(&healthy);
    clean.run(["download"]).ok();
    // A small file that was being written then leaves its temporary, as with go: its writer holds
    // no lock, so nobody may sweep it.
    let small_temporary =
        |path: &str| path.ends_with(".tmp") && (path.contains(".info") || path.contains(".mod"));
    clean.picture().assert_same(
        &sandbox.picture().without(small_temporary),
        "a clean cache and the one after a kill",
    );
}
