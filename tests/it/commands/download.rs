//! `download` fills a cache that is go's, and reads the one that go filled.

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, require_go};

/// Command lines that must do the same as go's, in a copy of a project.
const LINES: &[(&str, &[&str])] = &[
    ("hello", &["download"]),
    ("hello", &["download", "all"]),
    ("hello", &["download", "example.com/text"]),
    ("hello", &["download", "example.com/text@v1.0.0"]),
    (
        "hello",
        &[
            "download",
            "example.com/text@v1.1.0",
            "example.com/calc/v2@v2.0.0",
        ],
    ),
    (
        "hello",
        &["download", "example.com/...", "example.com/text"],
    ),
    ("hello", &["download", "example.com/text@v1.3.0-rc.1"]),
    ("hello", &["download", "example.com/recalled@v1.0.0"]),
    ("hello", &["download", "-modcacherw", "example.com/many"]),
    ("legacy", &["download"]),
    ("legacy", &["download", "all"]),
    ("legacy", &["download", "example.com/text"]),
    ("legacy", &["download", "example.com/recalled"]),
];

#[test]
fn download_command_lines_match_go() {
    require_go!();
    for (project, line) in LINES {
        let ours = Sandbox::with(project, &Proxy::serve());
        let gos = Sandbox::with(project, &Proxy::serve());
        // One proxy each: ports are not part of what is compared.
        let (our_proxy, go_proxy) = (Proxy::serve(), Proxy::serve());
        let (ours, gos) = (ours.proxy(&our_proxy), gos.proxy(&go_proxy));
        let mut go_line = vec!["mod"];
        go_line.extend_from_slice(line);
        let by_go = gos.go(go_line);
        by_go.ok();
        ours.run(line.iter().copied()).ok().stdout(&by_go.stdout);
        let what = format!("the caches of go and ours after {line:?} in {project}");
        gos.picture().assert_same(&ours.picture(), &what);
        let what = format!("the projects of go and ours after {line:?} in {project}");
        gos.project_picture()
            .assert_same(&ours.project_picture(), &what);
    }
}

#[test]
fn download_empty_cache_is_filled_and_project_unchanged() {
    for project in ["hello", "legacy"] {
        let proxy = Proxy::serve();
        let sandbox = Sandbox::with(project, &proxy);
        let before = sandbox.project_picture();
        sandbox.run(["download"]).ok().stdout("");
        before.assert_same(&sandbox.project_picture(), "the project before and after");
        assert!(
            sandbox
                .picture()
                .has("cache/download/example.com/words/@v/v1.1.0.zip")
        );
        assert!(sandbox.picture().has("example.com/words@v1.1.0/words.go"));
        for request in proxy.requests() {
            assert_eq!(
                proxy.hits(&request.path),
                1,
                "{} was asked for again",
                request.path
            );
        }
    }
}

#[test]
fn download_complete_cache_opens_no_socket() {
    for project in ["hello", "legacy"] {
        let proxy = Proxy::serve();
        let sandbox = Sandbox::with(project, &proxy);
        sandbox.run(["download"]).ok();
        let before = sandbox.picture();
        assert!(
            before.has("example.com/words@v1.1.0/words.go"),
            "nothing was downloaded"
        );
        proxy.forget();
        sandbox.run(["download"]).ok().stdout("").stderr("");
        assert_eq!((proxy.connections(), proxy.bytes_sent()), (0, 0));
        let sandbox = sandbox.env("GOPROXY", "off");
        sandbox.run(["download"]).ok().stdout("").stderr("");
        before.assert_same(&sandbox.picture(), "the cache before and after");
    }
}

#[test]
fn download_cache_filled_by_go_opens_no_socket() {
    require_go!();
    for project in ["hello", "legacy"] {
        let proxy = Proxy::serve();
        let sandbox = Sandbox::with(project, &proxy);
        sandbox.go(["mod", "download"]).ok();
        let before = sandbox.picture();
        proxy.forget();
        sandbox.run(["download"]).ok().stdout("").stderr("");
        assert_eq!((proxy.connections(), proxy.bytes_sent()), (0, 0));
        let sandbox = sandbox.env("GOPROXY", "off");
        // Objects, to see that the cache was looked at.
        let run = sandbox.run(["download", "-json"]);
        run.ok()
            .stderr("")
            .stdout_has("\t\"Dir\": \"[ROOT]/modcache/example.com/words@v1.1.0\"");
        before.assert_same(&sandbox.picture(), "the cache before and after");
    }
}

#[test]
fn download_result_is_accepted_by_go_build_and_verify() {
    require_go!();
    for (project, says) in [
        (
            "hello",
            "HELLO WORLD A v1.2.0 6\nHump blue 2024-01-02 15 sub true tool 1\nfour levels down\n<nil>\n",
        ),
        (
            "legacy",
            "hello world z 3 12 gamma beta alpha patched v1.0.0\n",
        ),
    ] {
        let proxy = Proxy::serve();
        let sandbox = Sandbox::with(project, &proxy);
        sandbox.run(["download"]).ok();
        let sandbox = sandbox.env("GOPROXY", "off").env("GOFLAGS", "-mod=mod");
        sandbox.go(["build", "./..."]).ok();
        sandbox.go(["run", "."]).ok().stdout(says);
        sandbox
            .go(["mod", "verify"])
            .ok()
            .stdout("all modules verified\n");
    }
}

#[test]
fn download_file_goproxy_succeeds() {
    let proxy = Proxy::serve();
    let over_http = Sandbox::with("hello", &proxy);
    over_http.run(["download"]).ok();
    let folder = tempfile::tempdir().unwrap();
    for (path, data) in crate::support::proxy::fixtures_tree().iter() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, data).unwrap();
    }
    let url = format!("file://{}", folder.path().display());
    let from_files = Sandbox::new().project("hello").env("GOPROXY", &url);
    from_files.run(["download"]).ok();
    assert!(
        from_files
            .picture()
            .has("example.com/words@v1.1.0/words.go")
    );
    over_http.picture().assert_same(
        &from_files.picture(),
        "caches filled over http and from files",
    );
}

#[test]
fn download_goproxy_without_sense_fails_only_when_it_is_needed() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let full = Sandbox::with("hello", &proxy);
    full.run(["download"]).ok();
    let later = format!("{},ftp://x.com", proxy.url());
    for list in ["none", ",", "ftp://x.com", "file:x", &later] {
        let full = Sandbox::with("hello", &proxy)
            .cache_of(&full)
            .env("GOPROXY", list);
        full.run(["download"]).ok().stderr("");
        let empty = || Sandbox::with("hello", &proxy).env("GOPROXY", list);
        let run = empty().run(["download"]);
        run.fails(3).stderr_has("GOPROXY");
        let go = empty().go(["mod", "download"]);
        go.demand(go.code != Some(0), list);
    }
}
