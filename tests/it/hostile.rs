//! A proxy that lies: what it says is named, refused, and never becomes visible.

use crate::support::go::{Program, under_test};
use crate::support::universe::zip_of;
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
fn info_and_go_mod_that_are_something_else_are_refused() {
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

/// Zips that break a rule, or look as if they did.
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
        (
            "another version's prefix",
            with(&["example.com/text@v1.2.1/a.go"]),
        ),
        ("no prefix", with(&["a.go"])),
        ("an absolute name", with(&["/etc/passwd"])),
        ("a way out", with(&[&below("../../escape.go")])),
        ("a way out at once", with(&["../escape.go"])),
        ("a dot element", with(&[&below("a/./b.go")])),
        ("an empty element", with(&[&below("a//b.go")])),
        ("a backslash", with(&[&below("a\\b.go")])),
        ("a colon", with(&[&below("c:b.go")])),
        ("a control character", with(&[&below("a\u{7}b.go")])),
        (
            "two names equal but for case",
            with(&[&below("a.go"), &below("A.go")]),
        ),
        (
            "a file that is a folder as well",
            with(&[&below("a"), &below("a/b.go")]),
        ),
        ("GO.MOD", with(&[&below("GO.MOD")])),
        ("a nested go.mod", with(&[&below("sub/go.mod")])),
        ("a device name", with(&[&below("aux.go")])),
        ("a trailing dot", with(&[&below("a.")])),
        ("the prefix alone", with(&[prefix])),
        ("not a zip", b"<html>not a zip</html>".to_vec()),
        ("nothing", Vec::new()),
        ("an empty zip", zip_of([])),
        (
            "bytes before the zip",
            [&b"#!/bin/sh\n"[..], &with(&[])].concat(),
        ),
        ("bytes after the zip", [&with(&[])[..], b"tail"].concat()),
        ("half a zip", with(&[&below("b.go")])[..120].to_vec()),
    ]
}

/// Those that go takes, because no rule of the module zip speaks against them.
const HARMLESS: &[&str] = &[
    "an empty zip",
    "bytes before the zip",
    "bytes after the zip",
];

#[test]
fn zips_that_break_a_rule_are_refused_and_named() {
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
fn a_body_of_endless_length_is_cut_off() {
    // An .info has no business being larger than a few kilobytes; go reads 16 MiB of go.mod.
    let huge = vec![b' '; 40 << 20];
    let proxy = Proxy::serve().answering(MOD, "text/plain", &huge, Times::ALWAYS);
    let sandbox = sandbox(&proxy);
    let run = sandbox.run(["download"]);
    assert_refused(&sandbox, &run);
}
