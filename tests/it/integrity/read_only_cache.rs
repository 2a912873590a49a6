//! Module caches that are only read: taken from first, never written, never believed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox};

const ENTRY: &str = "cache/download/example.com/text/@v/v1.2.0";

/// A complete cache that nobody may write to.
fn lower(proxy: &Proxy) -> Sandbox {
    let lower = Sandbox::with("hello", proxy);
    lower.run(["download"]).ok();
    proxy.forget();
    lower
}

#[test]
fn download_modules_of_read_only_cache_are_not_fetched() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let lower = lower(&proxy);
    lower.seal_cache();
    let before = lower.picture();
    let dir = lower.cached("").display().to_string();
    let ro = format!("--ro-cache={dir}");
    let sandbox = Sandbox::with("hello", &proxy);
    let sandbox = sandbox.unprivileged();
    let upper = sandbox.cached("");
    fs::create_dir(&upper).unwrap();
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o777)).unwrap();
    let run = sandbox.run(["download", "--offline", "-v", &ro]);
    run.ok()
        .stderr_has("modfetch: 13 modules, 0 fetched, ")
        .stderr_has("; 0 B received, ");
    run.stderr_has(" kB from read-only caches, ");
    let upper = sandbox.picture();
    lower
        .picture()
        .assert_same(&before, "the lower cache after and before");
    let proxied = Sandbox::with("hello", &proxy);
    proxied.run(["download"]).ok();
    proxied
        .picture()
        .assert_same(&upper, "a fetched cache and one taken from another");
    proxy.forget();
    // The variable, relative, and a list of which the first has nothing.
    let sandbox = Sandbox::with("hello", &proxy).env("MODFETCH_RO_CACHE", &format!("empty:{dir}"));
    fs::create_dir(sandbox.project_dir().join("empty")).unwrap();
    sandbox.run(["download"]).ok().stderr("");
    assert_eq!(proxy.connections(), 0, "a socket was opened");
}

#[test]
fn download_modules_missing_in_read_only_cache_are_fetched() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let lower = lower(&proxy);
    lower.remove(&format!("{ENTRY}.zip"));
    lower.remove("cache/download/example.com/greet/@v/v1.1.0.info");
    lower.write(
        "cache/download/example.com/words/@v/v1.1.0.ziphash",
        b"h1:torn",
    );
    let ro = format!("--ro-cache={}", lower.cached("").display());
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download", "--offline", &ro]).fails(11);
    sandbox.run(["download", &ro]).ok().stderr("");
    let mut asked: Vec<String> = proxy.requests().into_iter().map(|r| r.path).collect();
    asked.sort_unstable();
    assert_eq!(
        asked,
        [
            "example.com/greet/@v/v1.1.0.info",
            "example.com/text/@v/v1.2.0.zip",
            "example.com/words/@v/v1.1.0.zip",
        ]
    );
}

#[test]
fn download_damaged_read_only_cache_is_reported_and_bypassed() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let whole = Sandbox::with("hello", &proxy);
    whole.run(["download"]).ok();
    let lower = lower(&proxy);
    let mut zip = fs::read(lower.cached(&format!("{ENTRY}.zip"))).unwrap();
    zip[60] ^= 1;
    lower.write(&format!("{ENTRY}.zip"), &zip);
    let dir = lower.cached("").display().to_string();
    let ro = format!("--ro-cache={dir}");
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--offline", &ro]);
    run.fails(11);
    let told = |name: &str| format!("warning: passing over what {dir} has: {name}");
    run.stderr_has(&told("example.com/text@v1.2.0: "));
    assert!(
        !sandbox.picture().has("example.com/text@v1.2.0"),
        "a folder is visible"
    );
    lower.write(
        "cache/download/example.com/greet/@v/v1.1.0.mod",
        b"module example.com/greet\n",
    );
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--offline", &ro]);
    run.fails(11)
        .stderr_has(&told("verifying example.com/greet@v1.1.0/go.mod: "));
    let run = sandbox.run(["download", &ro]);
    run.ok();
    for name in [
        "example.com/text@v1.2.0: ",
        "verifying example.com/greet@v1.1.0/go.mod: ",
    ] {
        run.demand(run.stderr.contains(&told(name)), name);
    }
    whole
        .picture()
        .assert_same(&sandbox.picture(), "a clean cache and this");
}

#[test]
fn download_missing_read_only_cache_fails() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "--ro-cache", "missing"]);
    run.fails(8).stderr_has(
        "cannot read module cache [ROOT]/project/missing: no such file or directory\nhint: ",
    );
    assert_eq!(proxy.connections(), 0);
}
