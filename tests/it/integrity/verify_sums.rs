//! `verify` and who vouches for sums: the cached checksum database, and what is wrong with go.sum.

use crate::support::go::only_modfetch;
use crate::support::sumdb::NAME;
use crate::support::tamper::{change, filled, forged, proven, put};
use crate::support::{Sandbox, require_go, sums};

#[test]
fn verify_without_go_sum_uses_cached_checksum_database() {
    only_modfetch!();
    let (proxy, _database, sandbox) = proven();
    let heads = crate::support::tree::Picture::of(&sandbox.gopath_dir());
    let run = sandbox.run(["verify", "--sumdb", "-json", "example.com/greet"]);
    run.ok().stdout_has("\t\"SumDB\": \"ok\"");
    // go.sum altered together with zip, dir and ziphash: only the database knows better.
    put(&sandbox, &forged());
    let real = format!(
        "example.com/greet v1.1.0 {}",
        line_of(&sandbox, "example.com/greet v1.1.0")
    );
    let fake = format!("example.com/greet v1.1.0 {}", sums::of_zip(&forged()));
    let sandbox = sandbox.edit("go.sum", |text| text.replace(&real, &fake));
    sandbox
        .run(["verify"])
        .ok()
        .stdout("all modules verified\n");
    let run = sandbox.run(["verify", "--sumdb"]);
    run.fails(5)
        .stderr_has("example.com/greet v1.1.0: zip has been modified (")
        .stderr_has(&format!("go.sum is not what {NAME} has logged of v1.1.0\n"));
    let outside = Sandbox::new()
        .cache_of(&sandbox)
        .env("GOSUMDB", &_database.gosumdb());
    outside.run(["verify", "--cache", "--sumdb"]).fails(5);
    assert_eq!(proxy.connections(), 0, "a socket was opened");
    let after = crate::support::tree::Picture::of(&sandbox.gopath_dir());
    heads.assert_same(&after, "the newest head before and after");
}

fn line_of(sandbox: &Sandbox, subject: &str) -> String {
    let sums = sandbox.read("go.sum");
    let mut lines = sums.lines();
    let line = lines.find_map(|line| line.strip_prefix(&format!("{subject} ")));
    line.unwrap().to_owned()
}

#[test]
fn verify_altered_checksum_database_proves_nothing() {
    only_modfetch!();
    let (_proxy, database, sandbox) = proven();
    let lookup = format!("cache/download/sumdb/{NAME}/lookup/example.com/greet@v1.1.0");
    change(&sandbox, &lookup, |data| data[20] ^= 1);
    let run = sandbox.run(["verify", "--sumdb"]);
    run.fails(5).stderr_has(&format!(
        "example.com/greet v1.1.0: {NAME}: cannot authenticate record data in server response"
    ));
    // Only that one.
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    sandbox.remove(&lookup);
    let run = sandbox.run(["verify", "--sumdb", "-json", "example.com/greet"]);
    run.ok().stdout_has("\t\"SumDB\": \"absent\"");
    let tile = format!("cache/download/{}", database.tile());
    change(&sandbox, &tile, |data| data[3] ^= 1);
    sandbox
        .run(["verify", "--sumdb"])
        .fails(5)
        .stderr_has("inconsistent tile");
    let exempt = sandbox.env("GONOSUMDB", "example.com,gopkg.in");
    let run = exempt.run(["verify", "--sumdb", "-json"]);
    run.ok();
    assert!(!run.stdout.contains("\"SumDB\": \"ok\""), "{}", run.stdout);
    let off = exempt.env("GOSUMDB", "off");
    off.run(["verify", "--sumdb"])
        .fails(3)
        .stderr_has("GOSUMDB is off");
}

#[test]
fn verify_locked_requires_go_sum_line() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    sandbox.run(["verify", "--locked"]).ok();
    let sandbox = sandbox.go_sum("");
    sandbox.run(["verify"]).ok();
    sandbox
        .run(["verify", "--locked"])
        .fails(3)
        .stderr_has("missing go.sum entry, disabled by --locked");
}

/// Measured: of several lines go lets the first decide. The others would let something through as
/// soon as somebody exchanges them.
#[test]
fn verify_duplicate_go_sum_lines_first_counts() {
    let file = |sandbox: &Sandbox| sandbox.project_dir().join("go.sum");
    for forged_first in [false, true] {
        let (_proxy, sandbox) = filled();
        let sandbox = sandbox.env("GOPROXY", "off");
        let good = std::fs::read_to_string(file(&sandbox)).unwrap();
        let line = format!("example.com/greet v1.1.0 {}\n", sums::of_zip(&forged()));
        let both = match forged_first {
            true => line + &good,
            false => good + &line,
        };
        std::fs::write(file(&sandbox), both).unwrap();
        if only_modfetch() {
            let run = sandbox.run(["verify"]);
            let said = "example.com/greet v1.1.0: go.sum has several sums of v1.1.0\n\tfirst: h1:";
            run.fails(5).stdout("").stderr_has(said);
        }
        put(&sandbox, &forged());
        if only_modfetch() {
            sandbox.run(["verify"]).fails(5).stdout("");
            let run = sandbox.run(["download", "--go-exit-codes", "example.com/greet"]);
            assert_eq!(run.code == Some(0), forged_first);
        }
        if require_go().is_some() {
            let run = sandbox.go(["mod", "download", "example.com/greet"]);
            assert_eq!(run.code == Some(0), forged_first);
        }
    }
}
