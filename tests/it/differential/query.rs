//! `download path@query`: the version that go picks, in go's words.

use crate::commands::json::without_extra;
use crate::support::compare::in_one_wording;
use crate::support::fixtures::Module;
use crate::support::sampling::{pairs, sample};
use crate::support::{Proxy, Sandbox, require_go};

/// Versions of `example.org/m`, each with a go.mod, and of its relatives.
fn fixtures() -> Proxy {
    let module = |path: &str, version: &str, gomod: &str| {
        let files = vec![
            ("go.mod".to_owned(), gomod.as_bytes().to_vec()),
            ("m.go".to_owned(), b"package m\n".to_vec()),
        ];
        Module::new(path, version, files)
    };
    let plain =
        |path: &str, version: &str| module(path, version, &format!("module {path}\n\ngo 1.20\n"));
    let mut modules: Vec<Module> = [
        "v0.9.0",
        "v1.0.0-pre",
        "v1.0.0",
        "v1.1.0",
        "v1.1.1",
        "v1.2.0-rc.1",
        "v1.2.0",
        "v1.3.0-beta",
    ]
    .map(|version| plain("example.org/m", version))
    .into();
    modules.push(module(
        "example.org/m",
        "v1.2.1",
        "module example.org/m\n\ngo 1.20\n\n// broken\nretract [v1.2.0, v1.2.1]\n",
    ));
    // No go.mod of its own: +incompatible counts.
    modules.extend(
        ["v1.0.0", "v2.0.0+incompatible", "v3.1.0+incompatible"].map(|version| {
            Module::new(
                "example.org/old",
                version,
                vec![("x.go".into(), b"package old\n".into())],
            )
        }),
    );
    // A go.mod in v1: it does not.
    modules.push(plain("example.org/new", "v1.5.0"));
    modules.push(Module::new(
        "example.org/new",
        "v2.0.0+incompatible",
        vec![("x.go".into(), b"package old\n".into())],
    ));
    modules.push(plain("example.org/m/v2", "v2.0.0"));
    modules.push(plain("example.org/only-pre", "v0.1.0-alpha"));
    let commit = "v0.0.0-20240501000000-0123456789ab";
    modules.push(plain("example.org/untagged", commit));
    let info = format!(
        "{{\"Version\":\"{commit}\",\"Time\":\"2024-05-01T00:00:00Z\",\"Origin\":{{\"VCS\":\"git\",\
         \"URL\":\"https://example.org/untagged\",\"Hash\":\"0123456789abcdef0123456789abcdef01234567\",\
         \"Ref\":\"refs/heads/main\"}}}}"
    );
    let tagged = "{\"Version\":\"v1.1.0\",\"Time\":\"2024-01-01T00:00:00Z\"}";
    Proxy::of_modules(modules)
        .with_file("example.org/untagged/@latest", info.as_str())
        .with_file("example.org/untagged/@v/main.info", info.as_str())
        .with_file("example.org/untagged/@v/0123456789ab.info", info.as_str())
        .with_file("example.org/untagged/@v/list", "")
        .with_file("example.org/m/@v/stable.info", tagged)
        .with_file("example.org/m/@v/v1.1.0+meta.info", tagged)
        .with_file("example.org/m/@v/bad.info", "no JSON")
}

/// A go.mod (none for a run outside a module) and the arguments for it.
const CASES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "example.org/m@latest",
            "example.org/m@upgrade",
            "example.org/m@patch",
            "example.org/m@v0",
            "example.org/m@v1",
            "example.org/m@v1.0",
            "example.org/m@v1.1",
            "example.org/m@v1.2",
            "example.org/m@v1.3",
            "example.org/m@v2",
            "example.org/m@<v1.1.0",
            "example.org/m@<=v1.1.0",
            "example.org/m@>v1.1.0",
            "example.org/m@>=v1.1.0",
            "example.org/m@>=v1.2.0",
            "example.org/m@>v1.2.0",
            "example.org/m@<v1",
            "example.org/m@>=v1.1",
            "example.org/m@<=v1.1",
            "example.org/m@>v1",
            "example.org/m@<one",
            "example.org/m@none",
            "example.org/m@stable",
            "example.org/m@v1.1.0+meta",
            "example.org/m@v1.0.0+meta",
            "example.org/m@bad",
            "example.org/m@refs/heads/x",
            "example.org/m/v2@latest",
            "example.org/m/v2@v2",
            "example.org/m/v2@v1",
            "example.org/m/v3@latest",
            "example.org/old@latest",
            "example.org/old@v1",
            "example.org/old@v2",
            "example.org/old@<v3",
            "example.org/new@latest",
            "example.org/new@v2",
            "example.org/new@>v1.5.0",
            "example.org/only-pre@latest",
            "example.org/only-pre@v0",
            "example.org/untagged@latest",
            "example.org/untagged@main",
            "example.org/untagged@0123456789ab",
            "example.org/untagged@v0",
            "example.org/absent@latest",
            "example.org/absent@v1",
            "example.org/absent@main",
        ],
    ),
    (
        "module main.org/m\ngo 1.20\nrequire (\n\texample.org/m v1.0.0\n\texample.org/old \
         v2.0.0+incompatible\n\texample.org/untagged v0.0.0-20240501000000-0123456789ab\n)\n\
         exclude example.org/m v1.1.1\n",
        &[
            "example.org/m@latest",
            "example.org/m@upgrade",
            "example.org/m@patch",
            "example.org/m@v1.1",
            "example.org/m@v1.1.1",
            "example.org/old@upgrade",
            "example.org/old@patch",
            "example.org/untagged@upgrade",
            "example.org/untagged@patch",
            "example.org/new@upgrade",
            "example.org/new@patch",
            "main.org/m@latest",
        ],
    ),
    (
        "module main.org/m\nrequire example.org/m v1.3.0-beta\nexclude example.org/m v1.1.1\n",
        &[
            "example.org/m@upgrade",
            "example.org/m@patch",
            "example.org/old@upgrade",
        ],
    ),
    (
        "module main.org/m\ngo 1.20\nreplace (\n\texample.org/m v1.9.0 => example.org/m v1.1.0\n\
         \texample.org/absent => example.org/m v1.0.0\n\texample.org/absent/v2 => example.org/m v1.0.0\n\
         \texample.org/new v1.5.0 => ./new\n)\n",
        &[
            "example.org/m@latest",
            "example.org/m@v1.9",
            "example.org/absent@latest",
            "example.org/absent/v2@latest",
            "example.org/new@latest",
        ],
    ),
];

/// Resolves an argument in both programs, in places of their own; stdout and status must agree.
/// True if they succeeded.
fn both(ours: &Sandbox, gos: &Sandbox, argument: &str, what: &str) -> bool {
    let by_us = ours.run(["download", "-json", "--go-exit-codes", argument]);
    let by_go = gos.go(["mod", "download", "-json", argument]);
    let cache = |sandbox: &Sandbox| sandbox.cache().display().to_string();
    let got = without_extra(&by_us.stdout.replace(&cache(ours), "[CACHE]"));
    let wanted = by_go.stdout.replace(&cache(gos), "[CACHE]");
    by_us.demand(
        in_one_wording(&got) == in_one_wording(&wanted) && by_us.code == by_go.code,
        &format!("{argument} {what}: wanted\n{wanted}\ngot\n{got}"),
    );
    by_go.code == Some(0)
}

#[test]
fn download_queries_match_go() {
    require_go!();
    let proxy = fixtures();
    let all = CASES
        .iter()
        .flat_map(|(go_mod, arguments)| pairs(&[*go_mod], arguments));
    for (go_mod, argument) in sample(0, 25, all) {
        let sandbox = || {
            let sandbox = Sandbox::new().proxy(&proxy);
            let sandbox = sandbox.file("new/go.mod", "module example.org/new\n\ngo 1.20\n");
            if go_mod.is_empty() {
                sandbox
            } else {
                sandbox.go_mod(go_mod)
            }
        };
        let (ours, gos) = (sandbox(), sandbox());
        // What fails may leave an empty folder, where a lock was.
        if both(&ours, &gos, argument, &format!("in\n{go_mod}")) {
            let what = format!("the caches of go and ours after {argument} in\n{go_mod}");
            gos.picture().assert_same(&ours.picture(), &what);
        }
    }
}

#[test]
fn download_commit_of_cached_version_needs_no_network() {
    let proxy = fixtures();
    let sandbox = Sandbox::new().proxy(&proxy);
    sandbox.run(["download", "example.org/untagged@main"]).ok();
    proxy.forget();
    let commit = "example.org/untagged@0123456789abcdef0123456789abcdef01234567";
    let run = sandbox.run(["download", "-json", "--offline", commit]);
    run.ok()
        .stdout_has("\"Version\": \"v0.0.0-20240501000000-0123456789ab\"");
    assert_eq!(proxy.connections(), 0);
    let run = sandbox.run(["download", "--offline", "example.org/untagged@main"]);
    run.fails(11)
        .stderr_has("example.org/untagged@main: module lookup disabled by --offline");
}

#[test]
fn download_queries_request_nothing_twice() {
    let proxy = fixtures();
    let sandbox = Sandbox::new().proxy(&proxy);
    for argument in ["example.org/untagged@latest", "example.org/m@latest"] {
        sandbox.run(["download", argument]).ok();
    }
    for request in proxy.requests() {
        assert_eq!(proxy.hits(&request.path), 1, "{}", request.path);
    }
}

#[test]
fn download_query_without_match_exits_4() {
    let proxy = fixtures();
    let sandbox = Sandbox::new().proxy(&proxy);
    let run = sandbox.run(["download", "example.org/m@v7"]);
    run.fails(4)
        .stderr_has("module example.org/m: no matching versions for query \"v7\"");
    let run = sandbox.run(["download", "example.org/m@<x"]);
    run.fails(3)
        .stderr_has("example.org/m@<x: invalid semantic version \"x\" in range \"<x\"");
}

#[test]
fn download_query_proxy_fallback_matches_go() {
    require_go!();
    // The first proxy lists nothing that fits, or does not know the module.
    let first = Proxy::of_modules(Vec::new())
        .with_file("example.org/m/@v/list", "v0.0.1\n")
        .with_file("example.org/new/@v/list", "v1.5.0\n");
    let second = fixtures();
    for separator in [",", "|"] {
        for argument in [
            "example.org/m@v1",
            "example.org/old@latest",
            "example.org/new@latest",
        ] {
            let list = format!("{}{separator}{}", first.url(), second.url());
            let sandbox = || Sandbox::new().env("GOPROXY", &list);
            both(&sandbox(), &sandbox(), argument, &format!("by {separator}"));
        }
    }
}
