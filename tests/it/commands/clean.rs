//! `modfetch clean -modcache`: what `go clean -modcache` removes, says and refuses.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use modfetch::internals::fsio::FileLock;

use crate::support::go::only_modfetch;
use crate::support::sandbox::change_modes;
use crate::support::{Proxy, Run, Sandbox, Times, require_go, until};

const CLEAN: [&str; 2] = ["clean", "-modcache"];

/// A sandbox whose cache is filled.
fn filled(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy);
    sandbox.run(["download"]).ok();
    sandbox
}

/// What is beside the cache and named after it.
fn leftovers(sandbox: &Sandbox) -> Vec<String> {
    let folder = sandbox.cache().parent().unwrap();
    let names = fs::read_dir(folder).unwrap().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.contains("modfetch-clean"))
        .collect()
}

#[track_caller]
fn same(ours: &Run, go: &Run) {
    let code = ours
        .code
        .map(|code| if code == 2 { 2 } else { code.min(1) });
    let talk = go.talk().replace("go: ", "modfetch: ");
    let talked = ours.talk();
    let said = talked.lines().filter(|line| !line.starts_with("hint: "));
    let said: String = said.map(|line| format!("{line}\n")).collect();
    let equal = (code == Some(0)) == (go.code == Some(0)) && said == talk;
    let story = format!("go: {:?}\n{}{}", go.code, go.stdout, go.stderr);
    ours.demand(equal, &story);
}

#[test]
fn clean_modcache_matches_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let told = "rm -rf [ROOT]/modcache\n";
    let rows: &[(&[&str], &str, bool)] = &[
        (&["clean", "-modcache", "-n"], told, true),
        (&["clean", "-n", "-x", "-modcache"], told, true),
        (&["clean", "-modcache", "-x"], told, false),
        (&["clean", "--modcache"], "", false),
        (&["clean", "-modcache", "package"], "", true),
    ];
    for (arguments, stdout, stays) in rows {
        let (ours, gos) = (filled(&proxy), filled(&proxy));
        let run = ours.run(arguments.iter().copied());
        let go = gos.go(arguments.iter().copied());
        run.stdout(stdout);
        go.stdout(stdout);
        same(&run, &go);
        assert_eq!(ours.cache().exists(), *stays, "{arguments:?}");
        assert_eq!(gos.cache().exists(), *stays, "{arguments:?}");
        assert!(leftovers(&ours).is_empty());
    }
}

#[test]
fn clean_missing_or_sealed_cache_succeeds() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let missing = Sandbox::new();
    missing.run(CLEAN).ok().stdout("").stderr("");
    // Read-only throughout.
    let sealed = filled(&proxy);
    sealed.seal_cache();
    sealed.run(CLEAN).ok().stdout("").stderr("");
    assert!(!sealed.cache().exists());
    // A go.mod that cannot be read is none of its business, nor is one that is missing.
    let broken = filled(&proxy)
        .file("go.mod", "bad\n")
        .file("go.work", "bad\n");
    broken.run(CLEAN).ok().stdout("").stderr("");
    assert!(!broken.cache().exists());
}

#[test]
fn clean_symlinks_are_removed_and_not_followed() {
    only_modfetch!();
    let sandbox = filled(&Proxy::serve());
    let outside = sandbox.project_dir().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("keep"), "kept").unwrap();
    let before = sandbox.project_picture();
    symlink(&outside, sandbox.cached("link")).unwrap();
    symlink(&outside, sandbox.cached("cache/link")).unwrap();
    sandbox.run(CLEAN).ok();
    assert!(!sandbox.cache().exists());
    sandbox.project_picture().assert_same(&before, "outside");
    // As go: of a cache that is a link, the link.
    symlink(&outside, sandbox.cache()).unwrap();
    sandbox.run(CLEAN).ok();
    assert!(fs::symlink_metadata(sandbox.cache()).is_err());
    sandbox.project_picture().assert_same(&before, "outside");
}

#[test]
fn clean_directory_that_is_no_module_cache_is_refused() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = filled(&proxy);
    let rows: &[(&[&str], i32, &str)] = &[
        (
            &["clean"],
            2,
            "modfetch: clean cleans -modcache only: packages and other caches are go's",
        ),
        (
            &["clean", "-modcache=false"],
            2,
            "modfetch: clean cleans -modcache only",
        ),
        (
            &["clean", "-modcache", "-cache"],
            2,
            "modfetch: clean -cache is not supported",
        ),
        (
            &["clean", "-testcache"],
            2,
            "modfetch: clean -testcache is not supported",
        ),
        (
            &["clean", "--fuzzcache"],
            2,
            "modfetch: clean -fuzzcache is not supported",
        ),
        (
            &["clean", "-modcache", "-r"],
            2,
            "modfetch: clean -r is about packages",
        ),
        (
            &["clean", "-i", "-modcache"],
            2,
            "modfetch: clean -i is about packages",
        ),
        (
            &["clean", "-modcache", "-json"],
            2,
            "modfetch: unknown flag -json",
        ),
    ];
    for (arguments, code, text) in rows {
        let run = sandbox.run(arguments.iter().copied());
        run.fails(*code).stdout("").stderr_has(text);
        assert!(sandbox.cache().exists());
    }
    let relative = filled(&proxy).env("GOMODCACHE", "modcache");
    relative
        .run(CLEAN)
        .fails(3)
        .stderr_has("GOMODCACHE entry is relative");
    let root = Sandbox::new().env("GOMODCACHE", "/");
    root.run(CLEAN)
        .fails(3)
        .stderr("modfetch: cannot clean /: no module cache\n");
    let file = Sandbox::new().file("file", "kept");
    let path = file.project_dir().join("file").display().to_string();
    let file = file.env("GOMODCACHE", &path);
    file.run(CLEAN).fails(8).stderr_has("is not a directory");
    assert_eq!(file.read("file"), "kept");
}

#[test]
fn clean_mount_point_is_emptied() {
    only_modfetch!();
    let sandbox = filled(&Proxy::serve());
    // Its parent may not be written to: it cannot be renamed, nor be removed when it is empty.
    let parent = sandbox.project_dir().join("volume");
    fs::create_dir(&parent).unwrap();
    fs::rename(sandbox.cache(), parent.join("mod")).unwrap();
    let root = parent.join("mod").display().to_string();
    let sandbox = sandbox.env("GOMODCACHE", &root).unprivileged();
    // Sealed as well: whoever owns it may open it up.
    change_modes(&parent.join("mod"), &|mode| mode & !0o222);
    hand_over(&parent.join("mod"));
    let run = sandbox.run(CLEAN);
    run.fails(8).stderr_has(&format!(
        "modfetch: cannot remove {}",
        "[ROOT]/project/volume/mod"
    ));
    assert_eq!(fs::read_dir(parent.join("mod")).unwrap().count(), 0);
}

/// Lets `nobody` own a tree, where tests run as root.
fn hand_over(path: &Path) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let owned = std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(path)
        .status();
    assert!(owned.is_ok_and(|status| status.success()), "chown failed");
}

#[test]
fn clean_leftovers_of_interrupted_run_are_removed() {
    only_modfetch!();
    let sandbox = filled(&Proxy::serve());
    let beside = |name: &str| sandbox.cache().with_file_name(name);
    fs::rename(sandbox.cache(), beside("modcache.modfetch-clean-4711")).unwrap();
    for name in [
        "modcache.modfetch-clean-",
        "modcache.modfetch-clean-x",
        "other.modfetch-clean-1",
    ] {
        fs::create_dir(beside(name)).unwrap();
    }
    sandbox.run(CLEAN).ok().stdout("").stderr("");
    assert!(!beside("modcache.modfetch-clean-4711").exists());
    assert_eq!(
        leftovers(&sandbox).len(),
        3,
        "what is somebody else's stays"
    );
}

#[test]
fn clean_during_download_leaves_valid_cache() {
    only_modfetch!();
    let proxy = Proxy::serve().stalling("example.com/text/@v/v1.2.0.zip", 100, Times(1));
    let sandbox = Sandbox::with("hello", &proxy);
    let download = sandbox.spawn(["download"]);
    proxy.wait_for_stalls(1);
    // Before the graph is known nothing else is visible, and a run that loses it gives up at once.
    let other = sandbox.cached("cache/download/example.com/greet/@v/v1.1.0.zip");
    until("another module", || other.exists());
    let clean = sandbox.spawn(["clean", "-modcache"]);
    // Somebody is at work on that version, and is waited for.
    clean.until_stderr_has("text@v1.2.0");
    proxy.release();
    clean.wait().ok();
    // Whether it could finish is a matter of luck; that it ends with a message is not.
    let run = download.wait();
    run.demand(
        run.code
            .is_some_and(|code| code == 0 || !run.stderr.is_empty()),
        "no panic",
    );
    run.demand(!run.stderr.contains("panicked"), "no panic");
    sandbox.run(["download"]).ok();
    sandbox.run(["verify", "--cache"]).ok();
    let alone = filled(&proxy);
    sandbox.picture().assert_same(&alone.picture(), "the cache");
}

#[test]
fn clean_unmarked_directories_are_removed() {
    only_modfetch!();
    let sandbox = filled(&Proxy::serve());
    let lock = sandbox.cached("cache/download/example.com/text/@v/v1.2.0.lock");
    let held = FileLock::acquire(&lock).unwrap();
    let clean = sandbox.spawn(["clean", "-modcache"]);
    clean.until_stderr_has("text@v1.2.0");
    // What a go does that was unpacking: it makes its folders anew, and its mark is gone.
    let half = sandbox.cached("example.com/text@v1.2.0");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("text.go"), "package text\n").unwrap();
    change_modes(&half, &|mode| mode & !0o222);
    drop(held);
    clean.wait().ok();
    assert!(!half.exists(), "half a module in sight");
    assert!(leftovers(&sandbox).is_empty());
}

#[test]
fn clean_lock_timeout_exits_9() {
    only_modfetch!();
    let sandbox = filled(&Proxy::serve()).limit(Duration::from_secs(20));
    let lock = sandbox.cached("cache/download/example.com/text/@v/v1.2.0.lock");
    let _held = FileLock::acquire(&lock).unwrap();
    let run = sandbox.run(["clean", "-modcache", "--lock-timeout", "100ms"]);
    run.fails(9).stderr_has("modfetch: cannot lock ");
}
