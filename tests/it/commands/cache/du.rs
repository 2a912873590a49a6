//! `cache du` and `cache list`.

use std::process::Command;

use super::{age_cache, age_version, filled};
use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox};

/// The value of a member, as it is written; the first of that name.
fn member(json: &str, key: &str) -> String {
    let start = format!("\"{key}\": ");
    let line = json
        .lines()
        .find_map(|line| line.trim().strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("no {key} in {json}"));
    line.trim_end_matches(',').to_owned()
}

#[test]
fn du_total_is_what_du_says() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = filled(&proxy);
    // The index takes space, too, when it is there.
    sandbox.run(["cache", "du"]).ok();
    let run = sandbox.run(["cache", "du", "-json", "--scan"]);
    let Ok(du) = Command::new("du")
        .args(["-s", "-B1"])
        .arg(sandbox.cache())
        .output()
    else {
        return;
    };
    let du = String::from_utf8(du.stdout).unwrap();
    assert_eq!(
        du.split_whitespace().next().unwrap(),
        member(&run.ok().stdout, "Bytes")
    );
    let versions = sandbox.run(["cache", "du", "--by", "version"]);
    versions.ok().stdout_has("example.com/many@v1.0.0\n");
    let modules = sandbox.run(["cache", "du", "--by", "module"]);
    modules.ok().stdout_has("  example.com/many\n");
    sandbox
        .run(["cache", "du", "--by", "size"])
        .fails(2)
        .stderr_has("want kind, module or version");
}

#[test]
fn du_with_projects_tells_who_needs_what() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = filled(&proxy).file(
        "other/go.mod",
        "module example.com/other\n\ngo 1.21\n\nrequire example.com/calc v1.0.0\n",
    );
    sandbox.run(["download", "-C", "other"]).ok();
    sandbox.run(["download", "example.com/words@v1.0.0"]).ok();
    let run = sandbox.run([
        "cache",
        "du",
        "--by",
        "version",
        "--keep-from",
        ".",
        "--keep-from",
        "other/go.mod",
    ]);
    run.ok()
        .stdout_has("  example.com/calc@v1.0.0  (needed by other/go.mod)\n");
    run.stdout_has("  example.com/greet@v1.1.0  (needed by .)\n");
    run.stdout_has("  example.com/words@v1.0.0  (not needed)\n");
    run.stdout_has("  needed by . (");
    run.stdout_has("  needed by other/go.mod (2 versions)\n");
    run.stdout_has("  needed by none of them (");
    let nowhere = Sandbox::new().run(["cache", "du", "--keep-from", "."]);
    nowhere
        .fails(2)
        .stderr_has(".: there is no go.mod here or above");
}

#[test]
fn du_without_scan_counts_what_modfetch_fetched_since() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = filled(&proxy);
    let by_version = ["cache", "du", "--by", "version"];
    sandbox.run(by_version).ok();
    sandbox.run(["download", "example.com/words@v1.0.0"]).ok();
    sandbox
        .run(by_version)
        .ok()
        .stdout_has("example.com/words@v1.0.0\n");
    // What others remove shows when it is looked at again.
    sandbox.remove("example.com/many@v1.0.0");
    for file in ["info", "mod", "zip", "ziphash"] {
        sandbox.remove(&format!("cache/download/example.com/many/@v/v1.0.0.{file}"));
    }
    sandbox
        .run(by_version)
        .ok()
        .stdout_has("example.com/many@v1.0.0\n");
    let run = sandbox.run(["cache", "du", "--by", "version", "--scan"]);
    run.ok()
        .demand(!run.stdout.contains("example.com/many"), "it is gone");
}

#[test]
fn list_shows_last_use_and_what_is_missing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = filled(&proxy);
    age_cache(sandbox.cache(), 40);
    age_version(sandbox.cache(), "example.com/greet@v1.1.0", 90);
    sandbox.remove("cache/download/example.com/many/@v/v1.0.0.zip");
    sandbox.remove("example.com/words@v1.1.0");
    let run = sandbox.run(["cache", "list", "example.com/..."]);
    run.ok()
        .stdout_has("     90 days ago  example.com/greet@v1.1.0\n");
    run.stdout_has("     40 days ago  example.com/many@v1.0.0  (lacks zip)\n");
    run.stdout_has("  example.com/words@v1.1.0  (lacks dir)\n");
    run.stdout_has("  example.com/text@v1.0.0  (go.mod only)\n");
    run.demand(!run.stdout.contains("gopkg.in"), "only what matches");
    // A download is a use, whatever the access times say.
    sandbox.run(["download"]).ok();
    age_version(sandbox.cache(), "example.com/greet@v1.1.0", 90);
    let run = sandbox.run(["cache", "list", "-json", "example.com/greet"]);
    let used: u64 = member(&run.ok().stdout, "LastUsed").parse().unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    run.demand(now.as_secs() - used < 3600, "used just now");
    let run = sandbox.run(["cache", "list", "example.com/none"]);
    run.ok()
        .stdout("")
        .stderr_has("\"example.com/none\" matched no version");
    Sandbox::new().run(["cache", "list"]).ok().stdout("");
}
