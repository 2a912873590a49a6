//! Consumers that have seen other heads than the bundle's, with every stock go at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::site::{H0, H1, H2, H3, Upstream, latest_of, unpack};
use crate::support::go::only_modfetch;
use crate::support::{Sandbox, go, require_go};

/// The folders of the go commands at hand: the one in PATH, and go1.27 if it was fetched before.
fn gos() -> Vec<PathBuf> {
    let mut gos = Vec::new();
    let path = go::variable("PATH").unwrap_or_default();
    let home = go::variable("HOME").unwrap_or_default();
    for toolchain in ["local", "go1.27.4"] {
        let output = Command::new("go")
            .args(["env", "GOROOT"])
            .env_clear()
            .envs([("PATH", &path), ("HOME", &home)])
            .envs([
                ("GOTOOLCHAIN", toolchain),
                ("GOPROXY", "off"),
                ("GOFLAGS", ""),
            ])
            .current_dir("/")
            .output()
            .unwrap();
        let goroot = String::from_utf8(output.stdout).unwrap();
        match output.status.success() && !goroot.trim().is_empty() {
            true => gos.push(PathBuf::from(goroot.trim()).join("bin")),
            false => crate::support::skips::record("no go1.27 in the module cache"),
        }
    }
    gos
}

fn with_go(machine: Sandbox, folder: &Path) -> Sandbox {
    let path = format!(
        "{}:{}",
        folder.display(),
        go::variable("PATH").unwrap_or_default()
    );
    machine.env("PATH", &path)
}

/// Lets a machine see the head H3, with the tiles that go caches for it.
fn look_at_h3(upstream: &Upstream, machine: &Sandbox) {
    let later = Upstream::at(H3);
    let line = format!(
        "GOPROXY={} go mod download example.com/a@v1.1.0 && rm -rf {}/cache/download/example.com",
        later.url(),
        machine.cache().display()
    );
    machine.shell(&line).ok();
    assert_eq!(
        fs::read_to_string(latest_of(machine)).unwrap(),
        upstream.log.head(H3)
    );
}

/// Copies an unpacked bundle; both are URLs in the end.
fn copy_tree(tree: &str, to: &Path) -> String {
    let _ = fs::remove_dir_all(to);
    let status = Command::new("cp")
        .arg("-r")
        .arg(tree.trim_start_matches("file://"))
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
    format!("file://{}", to.display())
}

/// Puts another note into the records whose file names satisfy `is`.
fn renew_notes(tree: &str, is: impl Fn(&str) -> bool, note: &str) {
    let lookups = format!(
        "{}/sumdb/sums.example.com/lookup",
        tree.trim_start_matches("file://")
    );
    let (mut unread, mut renewed) = (vec![PathBuf::from(lookups)], 0);
    while let Some(path) = unread.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            unread.extend(entries.map(|entry| entry.unwrap().path()));
        } else if is(path.file_name().unwrap().to_str().unwrap()) {
            let text = fs::read_to_string(&path).unwrap();
            let record = text.split_once("go.sum database tree").unwrap().0;
            fs::write(&path, format!("{record}{note}")).unwrap();
            renewed += 1;
        }
    }
    assert!(renewed > 0, "no record was renewed");
}

#[test]
fn bundle_heads_of_consumers_go_as_predicted() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H2);
    let (maker, plain) = upstream.bundle(&[]);
    let since = |size: usize| {
        let head = maker.project_dir().join(format!("head{size}"));
        fs::write(&head, upstream.log.head(size)).unwrap();
        let file = maker.project_dir().join(format!("since{size}.tar"));
        let (head, file) = (head.display().to_string(), file.display().to_string());
        maker
            .run(["bundle", "create", "-o", &file, "--since", &head])
            .ok();
        file
    };
    let (since_h0, since_h1) = (since(H0), since(H1));
    let tree = |file: &str| {
        let folder = format!("tree-{}", file.rsplit('/').next().unwrap());
        unpack(file, &maker.project_dir().join(folder))
    };
    let trees = [tree(&plain), tree(&since_h0), tree(&since_h1)];
    for go in gos() {
        let none = with_go(upstream.closed().env("GOPROXY", &trees[0]), &go);
        none.go(["mod", "download"]).ok();
        assert_eq!(
            fs::read_to_string(latest_of(&none)).unwrap(),
            upstream.log.head(H2)
        );
        for (size, with_since) in [(H0, &trees[1]), (H1, &trees[2])] {
            let older = || with_go(upstream.closed_with_head(size), &go);
            let refused = older().env("GOPROXY", &trees[0]).go(["mod", "download"]);
            refused.fails(1).stderr_has("/tile/8/");
            let machine = older().env("GOPROXY", with_since);
            machine.go(["mod", "download"]).ok();
            assert_eq!(
                fs::read_to_string(latest_of(&machine)).unwrap(),
                upstream.log.head(H2)
            );
        }
        let newer = with_go(upstream.closed_with_head(H3), &go).env("GOPROXY", &trees[0]);
        newer
            .go(["mod", "download"])
            .fails(1)
            .stderr_has("checking tree#141000");
        let newer = with_go(upstream.closed(), &go);
        look_at_h3(&upstream, &newer);
        let newer = newer.env("GOPROXY", &trees[0]);
        let refused = newer.go(["mod", "download"]);
        refused
            .fails(1)
            .stderr_has("checking tree#132000 against tree#141000");
        // The same tree, with the consumer's own note in every record.
        let own = copy_tree(&trees[0], &maker.project_dir().join("own"));
        renew_notes(&own, |_| true, &upstream.log.head(H3));
        let renewed = newer.env("GOPROXY", &own);
        renewed.go(["mod", "download"]).ok();
        assert_eq!(
            fs::read_to_string(latest_of(&renewed)).unwrap(),
            upstream.log.head(H3)
        );
        // Records that came with two heads, and the same with the newest one in all of them.
        let mixed = copy_tree(&trees[0], &maker.project_dir().join("mixed"));
        renew_notes(
            &mixed,
            |name| name.starts_with("a@"),
            &upstream.log.head(H1),
        );
        let none = || with_go(upstream.closed().env("GOPROXY", &mixed), &go);
        let refused = none().go(["mod", "download"]);
        refused.fails(1).stderr_has("/tile/8/");
        renew_notes(&mixed, |_| true, &upstream.log.head(H2));
        none().go(["mod", "download"]).ok();
        // Nothing of the database, and a go.sum that is complete, or has go.mod lines alone.
        let bare = maker.project_dir().join("bare.tar").display().to_string();
        maker
            .run(["bundle", "create", "-o", &bare, "--no-sumdb"])
            .ok();
        let bare = unpack(&bare, &maker.project_dir().join("bare"));
        maker.run(["sum", "--write"]).ok();
        let sums = maker.read("go.sum");
        let complete = with_go(upstream.closed_with_head(H3), &go)
            .env("GOPROXY", &bare)
            .go_sum(&sums);
        complete.go(["mod", "download"]).ok();
        let gomods: String = sums
            .lines()
            .filter(|line| line.contains("/go.mod "))
            .map(|line| format!("{line}\n"))
            .collect();
        let partial = with_go(upstream.closed_with_head(H3), &go)
            .env("GOPROXY", &bare)
            .go_sum(&gomods);
        partial.go(["mod", "download"]).fails(1);
    }
}

#[test]
fn bundle_import_heads_of_consumers_go_as_predicted() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H2);
    let (maker, plain) = upstream.bundle(&[]);
    let after = |machine: &Sandbox| fs::read_to_string(latest_of(machine)).unwrap();
    let none = upstream.closed();
    none.run(["bundle", "import", &plain])
        .ok()
        .stdout_has("2 zips added");
    assert_eq!(after(&none), upstream.log.head(H2));
    none.go(["mod", "download"]).ok();
    // Older heads, which need a bundle that knows of them; the message says which.
    for size in [H0, H1] {
        let older = upstream.closed_with_head(size);
        let refused = older.run(["bundle", "import", &plain]);
        refused.fails(11).stderr_has(&format!(
            "this machine has seen tree#{size} of sums.example.com"
        ));
        refused.stderr_has("bundle create --since");
        assert_eq!(after(&older), upstream.log.head(size));
        assert!(!older.cache().join("example.com").exists());
        let head = latest_of(&older).display().to_string();
        let file = maker.project_dir().join("made.tar").display().to_string();
        maker
            .run(["bundle", "create", "-o", &file, "--since", &head])
            .ok();
        older.run(["bundle", "import", &file]).ok();
        assert_eq!(after(&older), upstream.log.head(H2));
        older.go(["mod", "download"]).ok();
    }
    // A newer head, without the tiles that it needs.
    let newer = upstream.closed_with_head(H3);
    let refused = newer.run(["bundle", "import", &plain]);
    refused
        .fails(11)
        .stderr_has("this machine has seen tree#141000");
    assert_eq!(after(&newer), upstream.log.head(H3));
    // A newer head with its tiles: the records are proven under that one.
    let newer = upstream.closed();
    look_at_h3(&upstream, &newer);
    newer.run(["bundle", "import", &plain]).ok();
    assert_eq!(after(&newer), upstream.log.head(H3));
    newer.go(["mod", "download"]).ok();
    assert_eq!(after(&newer), upstream.log.head(H3));
    // A fork of the log: nothing of it becomes visible, and both heads are in the message.
    let fork = crate::support::long_log::LongLog::of_flavour(H0, [], "fork ");
    let forked = upstream.closed();
    fs::create_dir_all(latest_of(&forked).parent().unwrap()).unwrap();
    fs::write(latest_of(&forked), fork.head(H0)).unwrap();
    let head = maker.project_dir().join("made.tar").display().to_string();
    let true_head = maker.project_dir().join("h0");
    fs::write(&true_head, upstream.log.head(H0)).unwrap();
    maker
        .run(["bundle", "create", "-o", &head, "--since", "h0"])
        .ok();
    let refused = forked.run(["bundle", "import", &head]);
    refused
        .fails(5)
        .stderr_has("go.sum database server misbehavior detected!");
    assert_eq!(
        fs::read_to_string(latest_of(&forked)).unwrap(),
        fork.head(H0)
    );
    assert!(!forked.cache().join("example.com").exists());
}
