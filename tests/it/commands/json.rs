//! `download -json`: go's objects to the byte, then only our own keys.

use crate::support::{Proxy, Run, Sandbox, require_go};

/// The keys that may follow go's in an object.
const EXTRA: &[&str] = &[
    "ErrorKind",
    "From",
    "Bytes",
    "Resumed",
    "Retries",
    "ZipSHA256",
];

/// Takes our keys out of objects, so that what remains must be go's output.
///
/// # Panics
/// If one of go's keys stands after one of ours.
pub fn without_extra(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut seen_extra = false;
    for line in text.lines() {
        let key = line
            .strip_prefix("\t\"")
            .and_then(|rest| rest.split('"').next());
        if key.is_some_and(|key| EXTRA.contains(&key)) {
            seen_extra = true;
            continue;
        }
        assert!(
            !(seen_extra && key.is_some()),
            "a key of go after ours: {line}"
        );
        if line == "}" {
            if seen_extra && let Some(last) = lines.last_mut() {
                *last = last.trim_end_matches(',').to_owned();
            }
            seen_extra = false;
        }
        lines.push(line.to_owned());
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Runs both on caches of their own against one proxy, whose URL is part of error texts.
fn both(project: &str, arguments: &[&str], proxy: &Proxy) -> (Run, String, Run) {
    let ours = Sandbox::with(project, proxy);
    let gos = Sandbox::with(project, proxy);
    let line = || {
        ["download", "-json"]
            .into_iter()
            .chain(arguments.iter().copied())
    };
    let by_us = ours.run(line());
    let by_go = gos.go(["mod"].into_iter().chain(line()));
    let root = |sandbox: &Sandbox| sandbox.cache().display().to_string();
    let wanted = by_go.stdout.replace(&root(&gos), "[CACHE]");
    let got = without_extra(&by_us.stdout.replace(&root(&ours), "[CACHE]"));
    by_us.demand(
        got == wanted,
        &format!("{project} {arguments:?}: wanted\n{wanted}\ngot\n{got}"),
    );
    (by_us, got, by_go)
}

#[test]
fn download_json_objects_match_go() {
    require_go!();
    let proxy = Proxy::serve();
    for (project, arguments) in [
        ("hello", &[][..]),
        ("hello", &["all"]),
        (
            "hello",
            &[
                "example.com/text@v1.0.0",
                "example.com/old",
                "example.com/nightly@v0.0.0-20240102030405-abcdef123456",
            ],
        ),
        ("legacy", &[]),
        ("legacy", &["example.com/text", "example.com/greet"]),
    ] {
        let (by_us, got, _) = both(project, arguments, &proxy);
        by_us.ok();
        assert!(got.contains("\t\"Path\": "), "no object at all");
    }
}

#[test]
fn download_json_warm_cache_prints_same_objects() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let cold = sandbox.run(["download", "-json"]);
    let warm = sandbox.run(["download", "-json"]);
    cold.ok().stdout_has("\t\"GoModSum\": \"h1:");
    warm.ok().stderr("");
    assert_eq!(without_extra(&cold.stdout), without_extra(&warm.stdout));
}

#[test]
fn download_json_missing_version_has_error_field() {
    require_go!();
    let proxy = Proxy::serve();
    let arguments = [
        "example.com/text@v1.2.0",
        "example.com/text@v1.77.0",
        "example.com/none@v1.0.0",
    ];
    let (by_us, got, by_go) = both("hello", &arguments, &proxy);
    by_go.fails(1);
    by_us.fails(4);
    assert_eq!(got.matches("\t\"Error\": ").count(), 2, "{got}");
}

#[test]
fn download_json_missing_zip_has_error_field() {
    require_go!();
    let proxy = Proxy::serve().without_file("example.com/tool/@v/v0.5.0.zip");
    let (by_us, got, by_go) = both("hello", &[], &proxy);
    by_go.fails(1);
    by_us.fails(4);
    assert_eq!(got.matches("\t\"Error\": ").count(), 1, "{got}");
}
