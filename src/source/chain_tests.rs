//! GOPROXY's rules, over trees of files and a server.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::event::NoEvents;
use crate::http::{RetryPolicy, Settings};
use crate::http::{Server, Then, reply};

fn client() -> Client {
    let retry = RetryPolicy {
        retries: 0,
        ..RetryPolicy::default()
    };
    Client::new(
        Settings {
            retry,
            ..Settings::default()
        },
        Arc::new(NoEvents),
    )
}

fn chain(goproxy: &str) -> Chain {
    Chain::parse(
        goproxy,
        "GOPROXY",
        PrefixPatterns::parse("private.com"),
        client(),
        Arc::new(crate::source::Offline("direct")),
    )
    .unwrap()
}

fn module(version: &str) -> ModuleVersion {
    ModuleVersion::parse("a.com/m", version).unwrap()
}

fn path(text: &str) -> ModulePath {
    ModulePath::parse(text).unwrap()
}

/// A tree with one module; answers its file URL.
fn tree(dir: &Path, name: &str, files: &[(&str, &str)]) -> String {
    for (file, text) in files {
        let file = dir.join(name).join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    format!("file://{}/{name}", dir.display())
}

#[test]
fn lists_are_refused_as_go_refuses_them() {
    // Texts of go1.26.8, but for the user name.
    let rows = [
        (
            "",
            "GOPROXY list is not the empty string, but contains no entries",
        ),
        (
            " , |",
            "GOPROXY list is not the empty string, but contains no entries",
        ),
        ("foo", "invalid proxy URL missing scheme: foo"),
        ("/tmp/x", "invalid proxy URL missing scheme: /tmp/x"),
        (
            "ftp://u:p@h",
            "invalid proxy URL scheme (must be https, http, file): ftp://xxxxx@h",
        ),
        (
            "file://h/x",
            "invalid file:// proxy URL with non-path elements: file://h/x",
        ),
        (
            "file:/x",
            "invalid file:// proxy URL with non-path elements: file:/x",
        ),
        ("direct,foo", ""),
        ("off|foo", ""),
        ("proxy.example.com", ""),
        ("h:8080/x|https://u:p@h", ""),
    ];
    for (goproxy, want) in rows {
        let parsed = Chain::parse(
            goproxy,
            "from X",
            PrefixPatterns::default(),
            client(),
            Arc::new(crate::source::Offline("direct")),
        );
        let text = parsed.map_or_else(|error| error.chain(), |_| String::new());
        let want = if want.is_empty() {
            String::new()
        } else {
            format!("invalid GOPROXY (from X): {want}")
        };
        assert_eq!(text, want, "{goproxy:?}");
    }
}

#[test]
fn the_next_hop_is_asked_by_gos_rules() {
    let server = Server::start(|target, _, wire| {
        let status = match target.split('/').nth(1) {
            Some("gone") => "410 Gone",
            Some("missing") => "404 Not Found",
            Some("denied") => "403 Forbidden",
            Some("broken") => "503 Service Unavailable",
            _ => "200 OK",
        };
        reply(wire, status, "", "module a.com/m\n")
    });
    let url = |name: &str| server.url(&format!("/{name}"));
    let fail = |name: &str, status: &str| {
        let url = url(name);
        format!("a.com/m@v1.0.0: reading {url}/a.com/m/@v/v1.0.0.mod: {status}")
    };
    let off = "a.com/m@v1.0.0: module lookup disabled by GOPROXY=off".to_owned();
    let gone = fail("gone", "410 Gone");
    let missing = fail("missing", "404 Not Found");
    let denied = fail("denied", "403 Forbidden");
    let broken = fail("broken", "503 Service Unavailable");
    let direct = "a.com/m@v1.0.0: module lookup disabled by direct".to_owned();
    let rows = [
        ("ok", Ok(())),
        ("missing,gone,ok", Ok(())),
        ("missing,gone", Err((gone, Kind::NotFound))),
        ("gone,missing", Err((missing, Kind::NotFound))),
        ("denied,ok", Err((denied.clone(), Kind::Auth))),
        ("denied|ok", Ok(())),
        ("broken,ok", Err((broken.clone(), Kind::Network))),
        (
            "missing,broken|missing",
            Err((broken.clone(), Kind::Network)),
        ),
        ("broken|denied", Err((denied.clone(), Kind::Auth))),
        ("off", Err((off.clone(), Kind::Offline))),
        ("missing,off", Err((off, Kind::NotFound))),
        ("broken|off", Err((broken, Kind::Network))),
        ("direct", Err((direct.clone(), Kind::Offline))),
        ("missing,direct", Err((direct.clone(), Kind::Offline))),
        ("broken|direct", Err((direct, Kind::Offline))),
        ("denied,direct", Err((denied, Kind::Auth))),
    ];
    for (list, want) in rows {
        let mut goproxy = String::new();
        for word in list.split_inclusive([',', '|']) {
            let name = word.trim_end_matches([',', '|']);
            let entry = if matches!(name, "off" | "direct") {
                name.into()
            } else {
                url(name)
            };
            goproxy.push_str(&entry);
            goproxy.push_str(&word[name.len()..]);
        }
        let got = chain(&goproxy).gomod(&module("v1.0.0"));
        let got = got
            .map(|_| ())
            .map_err(|error| (error.chain(), error.kind()));
        assert_eq!(got, want, "{list}");
    }
}

#[test]
fn hints_say_what_was_not_tried() {
    let temp = tempfile::tempdir().unwrap();
    let empty = tree(temp.path(), "empty", &[]);
    let error = chain(&format!("{empty},off"))
        .gomod(&module("v1.0.0"))
        .unwrap_err();
    assert!(
        error.hints()[0].contains("no such file or directory"),
        "{:?}",
        error.hints()
    );
    let private = path("private.com/m");
    for list in ["off", "direct", &empty] {
        let error = chain(list).versions(&private).unwrap_err();
        assert_eq!(
            error.chain(),
            "module private.com/m: module lookup disabled by direct"
        );
        assert_eq!(error.kind(), Kind::Offline);
    }
}

#[test]
fn trees_answer_as_for_go() {
    let temp = tempfile::tempdir().unwrap();
    let pseudo_old = "v0.0.0-20200102030405-abcdefabcdef";
    let pseudo_new = "v0.0.0-20210102030405-abcdefabcdef";
    let list = format!("v1.10.0\nv1.2.0 2020-01-02T03:04:05Z\n\n{pseudo_old}\nx\nv1.2.0-a\nv1.2\n");
    let commits = format!("{pseudo_new}\n{pseudo_old}\nv1.0.0\n");
    let info = |version: &str| format!("{{\"Version\":\"{version}\"}}");
    let proxy = tree(
        temp.path(),
        "a b",
        &[
            ("a.com/m/@v/list", &list),
            ("a.com/m/@v/v1.0.0.info", "<html>"),
            ("a.com/m/@v/v1.0.1.info", &info("v1.0.0")),
            ("a.com/m/@v/master.info", &info(pseudo_old)),
            ("a.com/m/@latest", &info("v1.10.0")),
            ("a.com/m/@v/v1.10.0.mod", "module a.com/m\n"),
            ("a.com/m/@v/v1.10.0.zip", "PK"),
            ("a.com/commits/@v/list", &commits),
            (
                &format!("a.com/commits/@v/{pseudo_new}.info"),
                &info(pseudo_new),
            ),
            ("a.com/empty/@v/list", ""),
            (
                "github.com/!azure/x/@v/v1.0.0-!r!c.mod",
                "module github.com/Azure/x\n",
            ),
        ],
    );
    let base = proxy.replace("a b", "a%20b");
    let chain = chain(&base);
    let m = path("a.com/m");
    assert_eq!(
        chain.versions(&m).unwrap(),
        ["v1.2.0-a", "v1.2", "v1.2.0", "v1.10.0"]
    );
    assert_eq!(chain.latest(&m).unwrap().value.version, "v1.10.0");
    assert_eq!(
        chain.latest(&path("a.com/commits")).unwrap().value.version,
        pseudo_new
    );
    assert_eq!(chain.info(&m, "master").unwrap().value.version, pseudo_old);
    assert_eq!(
        chain.gomod(&module("v1.10.0")).unwrap().value,
        b"module a.com/m\n"
    );
    let azure = ModuleVersion::parse("github.com/Azure/x", "v1.0.0-RC").unwrap();
    assert_eq!(chain.gomod(&azure).unwrap().bytes, 26);
    let mut zip = Vec::new();
    assert_eq!(chain.zip(&module("v1.10.0"), &mut zip).unwrap().bytes, 2);
    assert_eq!(zip, b"PK");
    // Texts of go1.26.8 for such a tree.
    let rows = [
        (
            "v1.0.0",
            "a.com/m@v1.0.0: invalid response from proxy \"BASE\": invalid character '<' \
             looking for beginning of value",
        ),
        (
            "v1.0.1",
            "a.com/m@v1.0.1: proxy returned info for version v1.0.0 instead of requested version",
        ),
        (
            "v1.0.2",
            "a.com/m@v1.0.2: reading BASE/a.com/m/@v/v1.0.2.info: no such file or directory",
        ),
        (
            "dev",
            "a.com/m@dev: invalid version: reading BASE/a.com/m/@v/dev.info: \
             no such file or directory",
        ),
        (
            "a/b",
            "a.com/m@a/b: invalid version: version \"a/b\" invalid: disallowed version string",
        ),
    ];
    for (revision, want) in rows {
        let error = chain.info(&m, revision).unwrap_err();
        assert_eq!(error.chain(), want.replace("BASE", &base));
    }
    let rows = [
        (
            "a.com/x",
            "module a.com/x: reading BASE/a.com/x/@v/list: no such file or directory",
        ),
        ("a.com/empty", "module a.com/empty: no commits"),
    ];
    for (name, want) in rows {
        let error = chain.latest(&path(name)).unwrap_err();
        assert_eq!(
            (error.chain(), error.kind()),
            (want.replace("BASE", &base), Kind::NotFound)
        );
    }
}

#[test]
fn a_zip_starts_anew_at_the_next_hop() {
    let server = Server::start(|target, _, wire| {
        if target.starts_with("/cut") {
            crate::http::raw(wire, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
            return Then::Close;
        }
        if target.starts_with("/huge") {
            let length = (500u64 << 20) + 1;
            crate::http::raw(
                wire,
                &format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
            );
            return Then::Close;
        }
        reply(wire, "200 OK", "", "whole")
    });
    let mut zip = Vec::new();
    let list = format!("{}|{}", server.url("/cut"), server.url("/good"));
    chain(&list).zip(&module("v1.0.0"), &mut zip).unwrap();
    assert_eq!(zip, b"whole");
    let error = chain(&server.url("/huge"))
        .zip(&module("v1.0.0"), &mut zip)
        .unwrap_err();
    assert_eq!(
        error.chain(),
        "a.com/m@v1.0.0: downloaded zip file too large"
    );
    assert_eq!(error.kind(), Kind::Security);
}
