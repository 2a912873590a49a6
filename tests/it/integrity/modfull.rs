//! go.mod and go.sum that cannot be written, or that somebody else has written meanwhile: they stay as
//! they are, or as the other has left them, and the next run does what was to be done.

use std::fs;

use crate::differential::modwrite::{UNTIDY, queried};
use crate::support::compare::same;
use crate::support::go::{acting_version, only_modfetch};
use crate::support::{Sandbox, Times, require_go};

/// The bytes of a page: a file of a tmpfs that is full grows up to the next multiple.
const PAGE: usize = 4096;

/// A go.mod of `size` bytes, the last of which are a comment.
fn padded(text: &str, size: usize) -> String {
    let missing = size - text.len() - "// \n".len();
    format!("{text}// {}\n", "x".repeat(missing))
}

/// Lines of go.sum for modules that nothing requires, up to `size` bytes.
fn sums(size: usize) -> String {
    let line = |path: &str| format!("{path} v1.0.0 h1:{}=\n", "A".repeat(43));
    let mut text = String::new();
    while size - text.len() > 3 * line("a.org/x").len() {
        text += &line(&format!("a.org/x{:03}", text.len() / 10));
    }
    let rest = size - text.len() - line("").len();
    text += &line(&format!("b.org/{}", "x".repeat(rest - "b.org/".len())));
    text
}

#[test]
fn download_disk_full_leaves_go_mod_and_go_sum_unchanged() {
    only_modfetch!();
    let proxy = queried();
    let sandbox = Sandbox::new().proxy(&proxy);
    if !sandbox.can_mount() {
        return;
    }
    let tidy = "module main.org/m\n\ngo 1.20\n\nrequire example.org/m v1.2.9\n";
    // Each is a few bytes short of a page, and is to be longer.
    let rows = [
        ("go.mod", padded(UNTIDY, PAGE - 1), String::new()),
        ("go.sum", tidy.to_owned(), sums(PAGE - 9)),
    ];
    for (file, go_mod, go_sum) in rows {
        let free = Sandbox::new().proxy(&proxy).file("go.mod", &go_mod);
        let free = free.go_sum(&go_sum);
        let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", &go_mod);
        let sandbox = sandbox.go_sum(&go_sum);
        free.run(["download"]).ok();
        assert!(free.read(file).len() > PAGE);
        let run = sandbox.shell(
            "exec unshare -rm sh -euc '
                mount -t tmpfs -o size=256k none /mnt
                here=$PWD
                cp go.mod go.sum /mnt
                cd /mnt
                cat /dev/zero >full 2>/dev/null || true
                status=0
                modfetch download 2>$here/failed || status=$?
                echo status $status
                cmp go.mod $here/go.mod
                cmp go.sum $here/go.sum
                rm full
                modfetch download
                cp go.mod go.sum $here'",
        );
        run.ok().stderr("").stdout("status 8\n");
        let said = sandbox.read("failed");
        let wanted = format!(
            "modfetch: updating {file}: cannot write /mnt/{file}: no space left on device\n"
        );
        assert!(said.starts_with(&wanted), "{said}");
        assert!(!said.contains("damaged"), "{said}");
        for file in ["go.mod", "go.sum"] {
            assert_eq!(sandbox.read(file), free.read(file), "{file}");
        }
    }
}

/// A write that fails in the midst of the old text, which the limit lets be put back.
#[test]
fn download_torn_write_of_go_mod_is_undone() {
    only_modfetch!();
    let proxy = queried();
    // It gets shorter, so that nothing fails before the old text is touched.
    let text = "module main.org/m\n\ngo 1.20\n\nrequire example.org/m >=v1.2.4\n";
    let text = padded(text, 8 * PAGE);
    let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", &text);
    sandbox.run(["download"]).ok();
    let after = sandbox.read("go.mod");
    assert!(after.len() < text.len() && after.contains("v1.2.9"));
    let sandbox = sandbox.file("go.mod", &text);
    // In blocks of 512 bytes or, in some shells, 1024.
    let run = sandbox.shell("ulimit -f 8; exec modfetch download");
    run.fails(8)
        .stderr("modfetch: updating go.mod: cannot write [ROOT]/project/go.mod: file too large\n");
    assert!(sandbox.read("go.mod") == text, "it was not put back");
    sandbox.run(["download"]).ok();
    assert!(sandbox.read("go.mod") == after, "it was not written");
}

/// Somebody edits go.mod while versions are looked up.
#[test]
fn download_go_mod_changed_meanwhile_is_not_overwritten() {
    require_go!();
    only_modfetch!();
    let likewise = format!(
        "module main.org/m\n\ngo {}\n\nrequire example.org/m v1.2.9 // why\n",
        acting_version()
    );
    let edits = [
        // What is there now is right, or is for the next run.
        "module main.org/m\n\ngo 1.20\n\nrequire example.org/m v1.0.0\n",
        "module main.org/m\n\nrequire example.org/m v1.2 // why not\n",
        "",
        // Somebody else has done the same.
        &likewise,
    ];
    for edit in edits {
        let runs = [true, false].map(|is_go| {
            let proxy = queried().stalling("example.org/m/@v/v1.2.9.mod", 1, Times(1));
            let sandbox = Sandbox::new().proxy(&proxy).file("go.mod", UNTIDY);
            let running = match is_go {
                true => sandbox.spawn_go(["mod", "download"]),
                false => sandbox.spawn(["download"]),
            };
            proxy.wait_for_stalls(1);
            fs::write(sandbox.project_dir().join("go.mod"), edit).unwrap();
            proxy.release();
            (running.wait(), sandbox)
        });
        let [(go, gos), (run, ours)] = runs;
        same(&run, &go, edit);
        let expected = "updating go.mod: existing contents have changed since last read";
        assert_eq!(run.stderr.contains(expected), !edit.contains("v1.2.9"));
        assert_eq!(ours.read("go.mod"), edit);
        ours.project_picture()
            .assert_same(&gos.project_picture(), edit);
    }
}
