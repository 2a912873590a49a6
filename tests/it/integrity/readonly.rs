//! A cache that may not be written to: complete it works, incomplete it fails by name.
//!
//! Where tests run as root, for whom modes do not hold, programs run as `nobody`.

use std::path::Path;

use crate::support::fixtures::Fixtures;
use crate::support::go::only_modfetch;
use crate::support::sandbox::change_modes;
use crate::support::sumdb::SumDb;
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox};

#[test]
fn download_complete_read_only_cache_succeeds() {
    for project in ["hello", "legacy"] {
        let proxy = Proxy::serve();
        let filled = Sandbox::with(project, &proxy);
        filled.run(["download"]).ok();
        filled.seal_cache();
        let before = filled.picture();
        proxy.forget();
        let reader = Sandbox::with(project, &proxy)
            .cache_of(&filled)
            .unprivileged();
        reader.run(["download"]).ok().stdout("").stderr("");
        reader
            .run(["download", "-json"])
            .ok()
            .stderr("")
            .stdout_has("\t\"Dir\": ");
        assert_eq!(proxy.connections(), 0);
        before.assert_same(&filled.picture(), "the cache before and after");
    }
}

#[test]
fn download_read_only_cache_uses_cached_checksum_database() {
    only_modfetch!();
    let fixtures = Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"));
    let database = SumDb::of(fixtures.modules());
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let with = |sandbox: Sandbox| sandbox.go_sum("").env("GOSUMDB", &database.gosumdb());
    let filled = with(Sandbox::with("hello", &proxy));
    filled.run(["download"]).ok();
    filled.seal_cache();
    change_modes(&filled.gopath_dir(), &|mode| mode & !0o222);
    let before = (filled.picture(), Picture::of(&filled.gopath_dir()));
    proxy.forget();
    let gopath = filled.gopath_dir().display().to_string();
    let reader = with(Sandbox::with("hello", &proxy)).env("GOPATH", &gopath);
    let reader = reader.cache_of(&filled).unprivileged();
    // Its project is its own.
    let sum = reader.project_dir().join("go.sum");
    std::os::unix::fs::chown(sum, Some(65534), None).ok();
    reader.run(["download"]).ok().stdout("").stderr("");
    assert_eq!(reader.read("go.sum"), filled.read("go.sum"));
    assert_eq!(proxy.connections(), 0);
    before
        .0
        .assert_same(&filled.picture(), "the cache before and after");
    let heads = Picture::of(&filled.gopath_dir());
    before.1.assert_same(&heads, "the heads before and after");
}

#[test]
fn download_incomplete_read_only_cache_names_path() {
    let proxy = Proxy::serve();
    let filled = Sandbox::with("hello", &proxy);
    filled.run(["download"]).ok();
    let entry = "cache/download/example.com/greet/@v/v1.1.0";
    filled.remove(&format!("{entry}.zip"));
    filled.remove("example.com/greet@v1.1.0");
    filled.remove(&format!("{entry}.lock"));
    filled.seal_cache();
    let reader = Sandbox::with("hello", &proxy)
        .cache_of(&filled)
        .unprivileged();
    let run = reader.run(["download"]);
    run.fails(8).stderr_has("permission denied");
    let folder = filled
        .cached("cache/download/example.com/greet/@v")
        .display()
        .to_string();
    run.demand(
        run.stderr.contains(&folder),
        &format!("standard error should name {folder}"),
    );
}

#[test]
fn download_cache_that_cannot_be_created_names_path() {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy).env("GOMODCACHE", "/proc/modcache");
    let run = sandbox.run(["download"]);
    run.fails(8).demand(
        run.stderr.contains("/proc/modcache"),
        "the path should be named",
    );
}

#[test]
fn list_read_only_cache_answers_with_warning() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let commands: &[&[&str]] = &[
        &["list", "-m", "-u", "all"],
        &["list", "-m", "-json", "example.com/text@latest"],
        &["list", "-m", "-e", "-u", "all"],
        &["graph"],
        &["why", "-m", "example.com/words"],
    ];
    for command in commands {
        let line = || command.iter().copied();
        let wanted = Sandbox::with("hello", &proxy).run(line());
        wanted.ok();
        for mode in [0o555, 0o000] {
            let reader = Sandbox::with("hello", &proxy).unprivileged();
            std::fs::create_dir_all(reader.cache()).unwrap();
            change_modes(reader.cache(), &|_| mode);
            let run = reader.run(line());
            run.ok()
                .stderr_has("warning: ")
                .stderr_has("permission denied");
            // One word on it is enough.
            run.demand(run.stderr.lines().count() == 1, "a single warning");
            // Where the go.mod files are is not said: they are nowhere.
            let told = |text: &str| {
                let lines = text.lines().filter(|line| !line.contains("\"GoMod\": "));
                lines
                    .map(|line| line.trim_end_matches(',').to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(told(&run.stdout), told(&wanted.stdout), "{command:?}");
        }
    }
}
