//! `-reuse` and `Origin`: what go takes over from an earlier run, and what it says of where modules
//! come from.

use crate::commands::json::without_extra;
use crate::support::compare::in_one_wording;
use crate::support::fixtures::Module;
use crate::support::{Proxy, Run, Sandbox, require_go};

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

/// `.info` with an origin, of which all that may be told is told.
fn info(version: &str, reference: &str) -> String {
    format!(
        "{{\"Version\":\"{version}\",\"Time\":\"2024-05-01T00:00:00Z\",\"Origin\":{{\"VCS\":\"git\",\
         \"URL\":\"https://example.org/m\",\"Subdir\":\"sub\",\"Hash\":\"{HASH}\",\"Ref\":\"{reference}\",\
         \"TagPrefix\":\"v\",\"TagSum\":\"t1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\",\
         \"RepoSum\":\"r1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"}}}}"
    )
}

const COMMIT: &str = "v1.0.1-0.20240501000000-0123456789ab";

fn proxy() -> Proxy {
    let module = |version: &str| {
        let files = vec![("go.mod".to_owned(), b"module example.org/m\n".to_vec())];
        Module::new("example.org/m", version, files)
    };
    let tagged = info("v1.0.0", "refs/tags/v1.0.0");
    let commit = info(COMMIT, "refs/heads/main");
    Proxy::of_modules(vec![module("v1.0.0"), module(COMMIT)])
        .with_file("example.org/m/@v/v1.0.0.info", tagged.as_str())
        .with_file("example.org/m/@v/stable.info", tagged.as_str())
        .with_file(&format!("example.org/m/@v/{COMMIT}.info"), commit.as_str())
        .with_file("example.org/m/@v/main.info", commit.as_str())
        .with_file("example.org/m/@v/0123456789ab.info", commit.as_str())
        .with_file("example.org/m/@v/list", "v1.0.0\n")
        .with_file("example.org/m/@latest", tagged.as_str())
}

const QUERIES: &[&str] = &[
    "v1.0.0",
    "latest",
    "v1",
    "stable",
    "main",
    "0123456789ab",
    COMMIT,
    "v1.9.9",
    "none-such",
];

/// The objects of a run, with the cache named alike.
fn objects(run: &Run, sandbox: &Sandbox) -> String {
    let root = sandbox.cache().display().to_string();
    run.stdout.replace(&root, "[CACHE]")
}

/// Once cold, and once more in an empty cache with what the first run printed.
#[test]
fn download_reuse_matches_go() {
    require_go!();
    for query in QUERIES {
        let proxy = proxy();
        let argument = format!("example.org/m@{query}");
        let mut earlier: Option<String> = None;
        for round in ["first", "again"] {
            let mut ours = Sandbox::new().proxy(&proxy);
            let mut gos = Sandbox::new().proxy(&proxy);
            let mut line = vec!["download", "-json"];
            if let Some(text) = &earlier {
                ours = ours.file("old.json", text);
                gos = gos.file("old.json", text);
                line.push("-reuse=old.json");
            }
            line.push(&argument);
            let by_go = gos.go(["mod"].into_iter().chain(line.iter().copied()));
            let by_us = ours.run(line.iter().copied());
            let (wanted, got) = (objects(&by_go, &gos), objects(&by_us, &ours));
            let got = without_extra(&got);
            by_us.demand(got == wanted, &format!("{query} {round}: wanted\n{wanted}"));
            by_us.demand((by_us.code == Some(0)) == (by_go.code == Some(0)), query);
            // Of what does not exist go leaves a lock and its folders.
            if by_go.code == Some(0) {
                gos.picture().assert_same(&ours.picture(), query);
            }
            // What go itself prints is what is read next.
            earlier = Some(by_go.stdout.clone());
        }
    }
}

#[test]
fn download_json_origin_matches_go() {
    let proxy = proxy();
    let sandbox = Sandbox::new().proxy(&proxy);
    let run = sandbox.run(["download", "-json", "example.org/m@main"]);
    run.ok()
        .stdout_has(&format!("\t\t\"Hash\": \"{HASH}\""))
        .stdout_has("\t\t\"Ref\": \"refs/heads/main\"");
    let run = sandbox.run(["download", "-json", "example.org/m@v1"]);
    run.ok()
        .demand(!run.stdout.contains("Origin"), "a list has no origin");
}

#[test]
fn download_reuse_invalid_file_fails_as_go() {
    require_go!();
    let texts = [
        "{\"Path\":1}",
        "{\"Path\":\"a\"} x",
        "{\"Path\":\"a\"",
        "{\"Replace\":{\"Origin\":{\"Ref\":[]}}}",
        "{\"Error\":true}",
        "{\"Replace\":{\"Error\":{\"Err\":1}}}",
        "[]",
        "3",
        "",
        "{\"Error\":\"text\"}\n{\"Error\":{\"Err\":\"text\"}}",
    ];
    let proxy = proxy();
    let line = ["download", "-reuse=old.json", "example.org/m@v1.0.0"];
    for text in texts {
        let sandbox = || Sandbox::new().proxy(&proxy).file("old.json", text);
        let (ours, gos) = (sandbox(), sandbox());
        let by_go = gos.go(["mod"].into_iter().chain(line));
        let by_us = ours.run(line);
        let wanted = by_go.stderr.replace("go: ", "modfetch: ");
        by_us.demand(
            in_one_wording(&by_us.stderr) == in_one_wording(&wanted),
            &format!("{text}: wanted {wanted}"),
        );
        by_us.demand((by_us.code == Some(0)) == (by_go.code == Some(0)), text);
    }
    let sandbox = Sandbox::new().proxy(&proxy);
    let run = sandbox.run(line);
    run.fails(8)
        .stderr("modfetch: open old.json: no such file or directory\n");
}

#[test]
fn download_reuse_inside_module_fails_as_go() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "-reuse=none.json"]);
    run.demand(
        run.stderr
            .contains("modfetch mod download -reuse cannot be used inside a module\n"),
        "the words of go",
    );
    run.demand(run.code != Some(0), "it fails");
    // An empty name is none.
    sandbox.run(["download", "-reuse="]).ok();
}
