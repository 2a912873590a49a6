//! `verify --repair`: what is damaged is kept aside and made again, if something vouches for it.

use std::fs;

use crate::support::go::only_modfetch;
use crate::support::tamper::{FOLDER, change, entry, filled, forged, proven, put};
use crate::support::{Sandbox, Times, require_go};

const VERIFIED: &str = "all modules verified\n";
const QUARANTINE: &str = "cache/modfetch/quarantine/example.com/greet@v1.1.0/1";

type Tamper = fn(&Sandbox);

fn damage_dir(sandbox: &Sandbox) {
    change(sandbox, &format!("{FOLDER}/greet.go"), |data| {
        data.push(b'\n');
    });
}

/// The directory is out of the cache, where anybody may change it.
fn link_dir(sandbox: &Sandbox) {
    let (folder, outside) = (
        sandbox.cached(FOLDER),
        sandbox.project_dir().join("outside"),
    );
    fs::rename(&folder, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &folder).unwrap();
}

fn damage_zip(sandbox: &Sandbox) {
    sandbox.remove(&entry("zip"));
    sandbox.write(&entry("zip"), &forged().zip());
}

fn damage_ziphash(sandbox: &Sandbox) {
    change(sandbox, &entry("ziphash"), |data| data[5] ^= 1);
}

fn damage_gomod(sandbox: &Sandbox) {
    change(sandbox, &entry("mod"), |data| data.push(b'\n'));
}

fn damage_all(sandbox: &Sandbox) {
    put(sandbox, &forged());
    damage_gomod(sandbox);
}

#[test]
fn verify_repair_damaged_entries_are_replaced_and_quarantined() {
    only_modfetch!();
    let rows: &[(&str, Tamper, &[&str], usize)] = &[
        ("dir", damage_dir, &["dir"], 0),
        ("link to a dir", link_dir, &["dir"], 0),
        ("zip", damage_zip, &["zip"], 1),
        ("ziphash", damage_ziphash, &["ziphash"], 0),
        ("no ziphash", |s| s.remove(&entry("ziphash")), &[], 0),
        ("go.mod", damage_gomod, &["go.mod"], 1),
        ("all", damage_all, &["dir", "go.mod", "zip", "ziphash"], 2),
    ];
    for (what, tamper, kept, requests) in rows {
        let (proxy, sandbox) = filled();
        let whole = sandbox.picture();
        tamper(&sandbox);
        let run = sandbox.run(["verify", "--repair"]);
        run.ok()
            .stdout(VERIFIED)
            .stderr_has("example.com/greet v1.1.0: repaired");
        whole.assert_same(&sandbox.picture(), what);
        assert_eq!(proxy.hits("*"), *requests, "{what}");
        let mut found: Vec<String> = fs::read_dir(sandbox.cached(QUARANTINE))
            .map(|files| {
                files
                    .map(|file| file.unwrap().file_name().into_string().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        found.sort();
        assert_eq!(found, *kept, "{what}");
        if require_go().is_some() {
            sandbox.go(["mod", "verify"]).ok();
        }
        // Nothing is left to do, and what is put aside is nobody's module.
        proxy.forget();
        sandbox
            .run(["verify", "--repair"])
            .ok()
            .stdout(VERIFIED)
            .stderr("");
        sandbox
            .run(["verify", "--cache", "--repair"])
            .ok()
            .stderr("");
        assert_eq!(proxy.connections(), 0, "{what}");
    }
}

#[test]
fn verify_repair_offline_uses_intact_zip_only() {
    only_modfetch!();
    for (tamper, mends) in [
        (damage_dir as Tamper, true),
        (damage_ziphash, true),
        (damage_zip, false),
        (damage_gomod, false),
        (damage_all, false),
    ] {
        let (proxy, sandbox) = filled();
        let whole = sandbox.picture();
        tamper(&sandbox);
        let damaged = sandbox.picture();
        let run = sandbox.run(["verify", "--repair", "--offline"]);
        if mends {
            run.ok().stdout(VERIFIED);
            whole.assert_same(&sandbox.picture(), "the cache before and after");
        } else {
            run.fails(5).stdout("").stderr_has(
                "example.com/greet v1.1.0: not repaired: there is no good zip, and nothing can be \
                 fetched",
            );
            damaged.assert_same(&sandbox.picture(), "the cache before and after");
        }
        assert_eq!(proxy.connections(), 0, "a socket was opened");
    }
}

#[test]
fn verify_repair_unverifiable_or_locked_entries_stay() {
    only_modfetch!();
    let (proxy, sandbox) = filled();
    damage_dir(&sandbox);
    let damaged = sandbox.picture();
    let outside = Sandbox::new().cache_of(&sandbox).proxy(&proxy);
    outside.run(["verify", "--cache", "--repair"]).fails(5).stderr_has(
        "example.com/greet v1.1.0: not repaired: neither go.sum nor the checksum database vouches \
         for it",
    );
    let lock = fs::File::open(sandbox.cached(&entry("lock"))).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "another process, as far as flock goes"
    )]
    lock.lock().unwrap();
    let run = sandbox.run(["verify", "--repair"]);
    run.fails(5)
        .stderr_has("not repaired: another process is at work on it and holds [ROOT]/");
    damaged.assert_same(&sandbox.picture(), "the cache before and after");
    assert_eq!(proxy.hits("*"), 0);
    drop(lock);
    sandbox.run(["verify", "--repair"]).ok();
}

#[test]
fn verify_repair_without_go_sum_uses_checksum_database() {
    only_modfetch!();
    let (proxy, database, sandbox) = proven();
    damage_zip(&sandbox);
    let outside = Sandbox::new()
        .cache_of(&sandbox)
        .proxy(&proxy)
        .env("GOSUMDB", &database.gosumdb());
    outside
        .run(["verify", "--cache", "--repair"])
        .ok()
        .stdout(VERIFIED);
    assert_eq!(proxy.hits("example.com/greet/@v/v1.1.0.zip"), 1);
    // Two pieces against the good one: which it is shows when the zip has come again.
    let zip = fs::read(sandbox.cached(&entry("zip"))).unwrap();
    put(&sandbox, &forged());
    change(&sandbox, &entry("zip"), |data| *data = zip);
    outside
        .run(["verify", "--cache", "--repair"])
        .ok()
        .stdout(VERIFIED);
    sandbox.run(["verify", "--sumdb"]).ok();
}

#[test]
fn verify_repair_unavailable_module_is_reported_and_stays_quarantined() {
    only_modfetch!();
    let (proxy, sandbox) = filled();
    let zip = "example.com/greet/@v/v1.1.0.zip";
    let proxy = proxy.failing(zip, 503, Times::ALWAYS);
    let sandbox = sandbox.env("MODFETCH_RETRIES", "0");
    damage_zip(&sandbox);
    let run = sandbox.run(["verify", "--repair"]);
    run.fails(6)
        .stdout("")
        .stderr_has("example.com/greet v1.1.0: not repaired: ");
    run.stderr_has(&format!(
        "hint: what was damaged is in [ROOT]/modcache/{QUARANTINE}\n"
    ));
    let json = sandbox.run(["verify", "--repair", "-json", "example.com/greet"]);
    json.ok().stdout_has("\t\"Zip\": \"absent\"");
    proxy.heal();
    damage_dir(&sandbox);
    let json = sandbox.run(["verify", "--repair", "-json", "example.com/greet"]);
    json.ok()
        .stdout_has("\t\"Dir\": \"ok\"")
        .stdout_has("\t\"Repair\": \"done\"")
        .stdout_has("/cache/modfetch/quarantine/example.com/greet@v1.1.0/2\"");
}

/// A merge gone wrong in go.sum does not cost anybody a cached module.
#[test]
fn verify_repair_without_better_copy_restores_original() {
    only_modfetch!();
    for (key, suffix) in [("v1.1.0", "zip"), ("v1.1.0/go.mod", "mod")] {
        let (proxy, sandbox) = filled();
        let whole = sandbox.picture();
        let sandbox = sandbox.edit("go.sum", |text| {
            let good = format!("example.com/greet {key} h1:");
            let at = text.find(&good).expect("go.sum knows it") + good.len();
            let (before, after) = text.split_at(at);
            let byte = if after.starts_with('A') { 'B' } else { 'A' };
            format!("{before}{byte}{}", &after[1..])
        });
        let run = sandbox.run(["verify", "--repair", "--cache"]);
        run.fails(5).stdout("").stderr_has("not repaired: ");
        run.stderr_has("hint: the cached files were put back");
        assert_eq!(
            proxy.hits(&format!("example.com/greet/@v/v1.1.0.{suffix}")),
            2,
            "once more past caches, and not oftener"
        );
        let kept = sandbox.cached("cache/modfetch");
        assert!(!sandbox.cached(QUARANTINE).exists());
        fs::remove_dir_all(kept).unwrap();
        whole.assert_same(&sandbox.picture(), key);
    }
}
