//! A proxy that lies: what it says is named, refused, and never becomes visible.

use crate::support::fixtures::zip_of;
use crate::support::go::{Program, only_modfetch, under_test};
use crate::support::{Proxy, Run, Sandbox, Times, require_go};

const INFO: &str = "example.com/text/@v/v1.2.0.info";
const MOD: &str = "example.com/text/@v/v1.2.0.mod";
const ZIP: &str = "example.com/text/@v/v1.2.0.zip";

/// A project without go.sum, so that nothing but the rules speaks against what is served.
fn sandbox(proxy: &Proxy) -> Sandbox {
    Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .proxy(proxy)
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, run: &Run) {
    run.demand(run.code != Some(0), "a lie was taken");
    // Go does not always say which module it is, where the zip cannot be opened.
    if under_test() == Program::Modfetch {
        run.stderr_has("example.com/text@v1.2.0");
    }
    let picture = sandbox.picture();
    let zip = "cache/download/example.com/text/@v/v1.2.0.zip";
    run.demand(
        !picture.has("example.com/text@v1.2.0"),
        "the folder is visible",
    );
    // Go finds most faults of a zip only when it extracts it, and keeps it for the next try.
    run.demand(
        under_test() == Program::Go || !picture.has(zip),
        "the zip is visible",
    );
}

#[test]
fn download_wrong_info_or_go_mod_is_refused() {
    let html = b"<!DOCTYPE html><html><body>Please log in</body></html>";
    let table: [(&str, &str, &[u8], &str); 7] = [
        (
            INFO,
            "application/json",
            br#"{"Version":"v1.1.0"}"#,
            "proxy returned info for version v1.1.0 instead of requested version",
        ),
        (
            INFO,
            "application/json",
            br#"{"Version":"v1.2.0""#,
            "invalid response from proxy",
        ),
        (INFO, "application/json", b"", "invalid response from proxy"),
        (
            INFO,
            "application/json",
            b"{}",
            "proxy returned info for version  instead of requested version",
        ),
        (INFO, "text/html", html, "invalid response from proxy"),
        (
            MOD,
            "text/html",
            html,
            "parsing go.mod: missing module line",
        ),
        (
            MOD,
            "text/plain",
            b"module example.com/other\n",
            "module declares its path as: example.com/other",
        ),
    ];
    for (path, kind, body, wanted) in table {
        let proxy = Proxy::serve().answering(path, kind, body, Times::ALWAYS);
        let sandbox = sandbox(&proxy);
        let run = sandbox.run(["download"]);
        assert_refused(&sandbox, &run);
        run.stderr_has(wanted);
    }
}

/// Zips that are refused at each stage, or look as if they should be. Every single rule has its
/// fixture in `testdata/hostile/zip/`, which the unit tests of modzip show to modfetch and go.
fn hostile_zips() -> Vec<(&'static str, Vec<u8>)> {
    let prefix = "example.com/text@v1.2.0/";
    let with = |names: &[&str]| -> Vec<u8> {
        let good = format!("{prefix}go.mod");
        let mut entries = vec![(good, &b"module example.com/text\n"[..])];
        entries.extend(
            names
                .iter()
                .map(|name| ((*name).to_owned(), &b"content\n"[..])),
        );
        zip_of(entries)
    };
    let below = |name: &str| format!("{prefix}{name}");
    vec![
        (
            "another module's prefix",
            with(&["example.com/other@v1.2.0/a.go"]),
        ),
        ("a way out", with(&[&below("../../escape.go")])),
        (
            "two names equal but for case",
            with(&[&below("a.go"), &below("A.go")]),
        ),
        ("not a zip", b"<html>not a zip</html>".to_vec()),
        ("half a zip", with(&[&below("b.go")])[..120].to_vec()),
        (
            "another content than its checksum",
            replaced(with(&[&below("b.go")]), b"content\n", b"Content\n"),
        ),
        ("an empty zip", zip_of([])),
        ("bytes after the zip", [&with(&[])[..], b"tail"].concat()),
    ]
}

/// Those that go takes, because no rule of the module zip speaks against them.
const HARMLESS: &[&str] = &["an empty zip", "bytes after the zip"];

/// The bytes with every `old` replaced by `new`, of the same length.
fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
    bytes
}

#[test]
fn download_zip_breaking_a_rule_exits_5() {
    for (what, zip) in hostile_zips() {
        let proxy = Proxy::serve().with_file(ZIP, zip);
        let harmless = HARMLESS.contains(&what);
        let gos = require_go().map(|_| {
            let gos = sandbox(&proxy);
            let run = gos.go(["mod", "download"]);
            run.demand(
                (run.code == Some(0)) == harmless,
                &format!("{what}: go thinks otherwise"),
            );
            gos
        });
        let ours = sandbox(&proxy);
        let run = ours.run(["download"]);
        // Stricter than go is allowed, laxer is not.
        if harmless && run.code == Some(0) {
            if let Some(gos) = gos {
                gos.picture().assert_same(&ours.picture(), what);
            }
        } else {
            run.fails(5);
            assert_refused(&ours, &run);
        }
    }
}

#[test]
fn download_endless_body_is_cut_off() {
    // An .info has no business being larger than a few kilobytes; go reads 16 MiB of go.mod.
    let huge = vec![b' '; 40 << 20];
    let proxy = Proxy::serve().answering(MOD, "text/plain", &huge, Times::ALWAYS);
    let sandbox = sandbox(&proxy);
    let run = sandbox.run(["download"]);
    assert_refused(&sandbox, &run);
}

#[test]
fn download_zip_bomb_takes_no_disk_or_memory() {
    only_modfetch!();
    let content = vec![0; 256 << 20];
    let bomb = zip_of([("example.com/text@v1.2.0/a".to_owned(), &content[..])]);
    let declared = |bytes: u32| bytes.to_le_bytes();
    let bomb = replaced(bomb, &declared(256 << 20), &declared(100 << 10));
    assert!(bomb.len() < 1 << 20);
    let proxy = Proxy::serve().with_file(ZIP, bomb);
    let sandbox = sandbox(&proxy);
    // No file of 1 MiB, and less memory than what comes out.
    let run = sandbox.shell("ulimit -f 2048; ulimit -d 131072; modfetch download --jobs 2");
    run.fails(5)
        .stderr_has("is larger than declared size (102400 bytes)");
    assert_refused(&sandbox, &run);
}
