//! What a bundle has in it, and that equal inputs give equal bytes.

use std::fs;
use std::process::Command;

use super::site::{H1, H2, Upstream, unpack};
use crate::support::go::only_modfetch;
use crate::support::{Sandbox, require_go};

fn members(bundle: &str) -> Vec<String> {
    let output = Command::new("tar").args(["-tf", bundle]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bundle_create_project_is_what_go_reads_and_no_more() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (_machine, bundle) = upstream.bundle(&[]);
    let names = members(&bundle);
    // 132,000 = 2 * 65,536 + 3 * 256 + 160. The records are 300, 66,000, 5 and 400: level-0 tiles 1,
    // 257, 0 and 1, their parents, and the edge of the tree, which is the first.
    let want = "\
modfetch-bundle.json
sumdb/sums.example.com/supported
sumdb/sums.example.com/latest
sumdb/sums.example.com/tile/8/2/000.p/2
sumdb/sums.example.com/tile/8/1/002.p/3
sumdb/sums.example.com/tile/8/0/515.p/160
sumdb/sums.example.com/tile/8/1/000
sumdb/sums.example.com/tile/8/0/000
sumdb/sums.example.com/tile/8/1/001
sumdb/sums.example.com/tile/8/0/257
sumdb/sums.example.com/tile/8/0/001
sumdb/sums.example.com/lookup/example.com/!upper/b@v1.0.0
sumdb/sums.example.com/lookup/example.com/!upper/b@v1.2.0
sumdb/sums.example.com/lookup/example.com/a@v1.0.0
sumdb/sums.example.com/lookup/example.com/a@v1.3.0
example.com/!upper/b/@v/list
example.com/a/@v/list
example.com/!upper/b/@v/v1.0.0.mod
example.com/!upper/b/@v/v1.2.0.info
example.com/!upper/b/@v/v1.2.0.mod
example.com/!upper/b/@v/v1.2.0.zip
example.com/a/@v/v1.0.0.info
example.com/a/@v/v1.0.0.mod
example.com/a/@v/v1.0.0.zip
example.com/a/@v/v1.3.0.info
example.com/a/@v/v1.3.0.mod";
    assert_eq!(names.join("\n"), want);
}

#[test]
fn bundle_create_equal_inputs_give_equal_bytes() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (first, bundle) = upstream.bundle(&["--jobs", "64"]);
    let bytes = fs::read(&bundle).unwrap();
    // Again from the full cache, and offline: then the newest versions come from the first bundle.
    let again = first.project_dir().join("again.tar").display().to_string();
    first
        .run(["bundle", "create", "-o", &again, "--jobs", "1"])
        .ok();
    assert!(
        fs::read(&again).unwrap() == bytes,
        "a full cache makes a difference"
    );
    first
        .run([
            "bundle",
            "create",
            "-o",
            &again,
            "--offline",
            "--as-of",
            &bundle,
        ])
        .ok();
    assert!(
        fs::read(&again).unwrap() == bytes,
        "--offline makes a difference"
    );
    // Another machine, where go has filled the cache.
    let (second, bundle) = upstream.bundle(&[]);
    assert!(
        fs::read(&bundle).unwrap() == bytes,
        "another machine makes a difference"
    );
    let to_stdout = second.shell("modfetch bundle create -o - | cmp - site.tar");
    to_stdout.ok();
    require_go!();
    let third = upstream.machine();
    third.go(["mod", "download"]).ok();
    third
        .run(["bundle", "create", "-o", "x.tar", "--jobs", "3"])
        .ok();
    let made = fs::read(third.project_dir().join("x.tar")).unwrap();
    assert!(made == bytes, "a cache that go filled makes a difference");
    // On a later day, when the log has grown.
    upstream.log.write(upstream.root(), super::site::H3);
    let fourth = upstream.machine();
    fourth
        .run(["bundle", "create", "-o", "x.tar", "--as-of", &bundle])
        .ok();
    let made = fs::read(fourth.project_dir().join("x.tar")).unwrap();
    assert!(made == bytes, "another day makes a difference");
}

#[test]
fn bundle_create_since_adds_what_an_older_head_needs() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (machine, plain) = upstream.bundle(&[]);
    let head = machine.project_dir().join("head");
    fs::write(&head, upstream.log.head(H1)).unwrap();
    let file = machine
        .project_dir()
        .join("since.tar")
        .display()
        .to_string();
    let head = head.display().to_string();
    machine
        .run(["bundle", "create", "-o", &file, "--since", &head])
        .ok();
    let (plain, since) = (members(&plain), members(&file));
    let mut added: Vec<&str> = since
        .iter()
        .filter(|name| !plain.contains(name))
        .map(String::as_str)
        .collect();
    added.sort_unstable();
    // 66,120 = 65,536 + 2 * 256 + 72: its edge is in full tiles by now but for level 2, where go
    // asks for the shorter one by its name.
    let root = "sumdb/sums.example.com/tile/8";
    assert_eq!(
        added,
        [format!("{root}/0/258"), format!("{root}/2/000.p/1")]
    );
    // A head of another log is refused.
    let fork = crate::support::long_log::LongLog::of_flavour(H1, [], "fork ");
    fs::write(machine.project_dir().join("fork"), fork.head(H1)).unwrap();
    let refused = machine.run(["bundle", "create", "-o", &file, "--since", "fork"]);
    refused
        .fails(5)
        .stderr_has("go.sum database server misbehavior detected!");
}

#[test]
fn bundle_create_several_projects_and_named_modules_share_one_bundle() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let machine = upstream
        .machine()
        .file(
            "one/go.mod",
            "module one\n\ngo 1.21\n\nrequire example.com/a v1.0.0\n",
        )
        .file("two/go.work", "go 1.21\n\nuse ./x\n")
        .file(
            "two/x/go.mod",
            "module x\n\ngo 1.21\n\nrequire example.com/Upper/b v1.2.0\n",
        );
    let line = [
        "bundle",
        "create",
        "-o",
        "all.tar",
        "-C",
        "one",
        "-C",
        "two",
        "example.com/a@v1.1.0",
    ];
    machine.run(line).ok();
    let names = members(&machine.project_dir().join("all.tar").display().to_string());
    let zips: Vec<&String> = names.iter().filter(|name| name.ends_with(".zip")).collect();
    // A workspace downloads its whole build list.
    let want = [
        "example.com/!upper/b/@v/v1.2.0.zip",
        "example.com/a/@v/v1.0.0.zip",
        "example.com/a/@v/v1.1.0.zip",
    ];
    assert_eq!(zips, want);
}

#[test]
fn bundle_create_no_sumdb_leaves_the_proof_to_go_sum() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (machine, bundle) = upstream.bundle(&["--no-sumdb"]);
    assert!(
        !members(&bundle)
            .iter()
            .any(|name| name.starts_with("sumdb/"))
    );
    machine
        .run(["bundle", "verify", &bundle])
        .fails(5)
        .stderr_has("vouches for it");
    // go.sum has what go needs. The newest go.mod of a module, which it lacks, is left out.
    machine.run(["sum", "--write"]).ok();
    let sums = machine.read("go.sum");
    let line = ["bundle", "verify", "--go-sum", "go.sum", "site.tar"];
    machine.run(line).ok().stdout_has("by go.sum");
    let altered = sums.replacen("h1:", "h1:AAAA", 1);
    let machine = machine.file("altered.sum", &altered);
    let line = ["bundle", "verify", "--go-sum", "altered.sum", "site.tar"];
    machine.run(line).fails(5).stderr_has("checksum mismatch");
}

#[test]
fn bundle_create_archive_is_read_by_every_tar() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (machine, bundle) = upstream.bundle(&[]);
    let want = machine.shell("tar -tf site.tar").ok().stdout.clone();
    for other in ["busybox tar", "bsdtar"] {
        let found = machine.shell(&format!(
            "command -v {} || true",
            other.split(' ').next().unwrap()
        ));
        if found.stdout.is_empty() {
            crate::support::skips::record("no busybox or bsdtar");
            continue;
        }
        machine
            .shell(&format!("{other} -tf site.tar"))
            .ok()
            .stdout(&want);
    }
    let _ = bundle;
}

#[test]
fn bundle_create_unpacked_tree_is_a_goproxy_for_go() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H2);
    let (machine, bundle) = upstream.bundle(&[]);
    let url = unpack(&bundle, &machine.project_dir().join("tree"));
    let closed: Sandbox = upstream.machine().env("GOPROXY", &url);
    closed.go(["mod", "download"]).ok();
    // Retractions are known inside, by the newest go.mod.
    let listed = closed.go([
        "list",
        "-m",
        "-retracted",
        "-f",
        "{{.Retracted}}",
        "example.com/a",
    ]);
    listed.ok().stdout("[wrong]\n");
}
