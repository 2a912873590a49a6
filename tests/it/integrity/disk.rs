//! No room, or no more of a file allowed: a clear failure, nothing wrong left, and the next run
//! goes on.

use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, sums};

/// How many modules there are.
pub const MODULES: usize = 8;
/// How many bytes the file of each has.
pub const FILE_BYTES: usize = 200 << 10;

/// Modules that do not get smaller when they are packed.
pub fn modules() -> Vec<Module> {
    let noise = |seed: usize| -> Vec<u8> {
        let mut state = seed as u64 + 1;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..FILE_BYTES).map(next).collect()
    };
    (0..MODULES)
        .map(|number| {
            let path = format!("example.com/big{number}");
            let gomod = format!("module {path}\n").into_bytes();
            let files = vec![
                ("go.mod".into(), gomod),
                ("noise.bin".into(), noise(number)),
            ];
            Module::new(&path, "v1.0.0", files)
        })
        .collect()
}

/// A project that needs all of them.
pub fn sandbox(proxy: &Proxy) -> Sandbox {
    let requires = (0..MODULES).map(|number| format!("require example.com/big{number} v1.0.0\n"));
    Sandbox::new()
        .go_mod(&requires.collect::<String>())
        .proxy(proxy)
}

#[test]
fn download_disk_full_exits_8_and_keeps_finished_modules() {
    only_modfetch!();
    let proxy = Proxy::of_modules(modules());
    let sandbox = sandbox(&proxy);
    if !sandbox.can_mount() {
        return;
    }
    // Zips and folders take twice the files; there is room for once. One after the other: all at
    // once they could fill the disk with halves.
    let half = MODULES * FILE_BYTES;
    let run = sandbox.shell(&format!(
        "mkdir $GOMODCACHE; exec unshare -rm sh -euc '
            mount -t tmpfs -o size={half} none $GOMODCACHE
            modfetch download --jobs 1 2>failed || echo status $?
            find $GOMODCACHE -name \"*.zip\" | sed s,.*/cache/download/,,
            find $GOMODCACHE -name \"*.partial\"
            mount -o remount,size={} $GOMODCACHE
            modfetch download
            find $GOMODCACHE -name noise.bin -size {FILE_BYTES}c | grep -c .'",
        4 * half
    ));
    run.ok().stderr("");
    let mut lines = run.stdout.lines();
    run.demand(lines.next() == Some("status 8"), "exit status 8 wanted");
    run.demand(
        run.stdout.ends_with(&format!("\n{MODULES}\n")),
        "all files wanted",
    );
    let said = sandbox.read("failed");
    run.demand(said.contains("no space left on device"), &said);
    let cache = sandbox.cached("").display().to_string();
    for line in said.lines().filter(|line| !line.starts_with("hint: ")) {
        run.demand(
            line.contains(&cache),
            &format!("the path is not told in: {line}"),
        );
    }
    let (mut kept, mut again) = (0, 0);
    for zip in lines.filter(|line| line.ends_with(".zip")) {
        kept += 1;
        again += proxy.hits(zip) - 1;
    }
    run.demand(!run.stdout.contains(".partial"), "a folder is half made");
    run.demand(
        kept > 0 && again == 0,
        &format!("{again} of {kept} were fetched again"),
    );
}

#[test]
fn download_disk_full_during_prefetch_leaves_nothing_partial() {
    only_modfetch!();
    let modules = modules();
    let lines: String = modules.iter().map(sums::lines).collect();
    let proxy = Proxy::of_modules(modules);
    let sandbox = sandbox(&proxy).go_sum(&lines);
    if !sandbox.can_mount() {
        return;
    }
    let half = MODULES * FILE_BYTES;
    let run = sandbox.shell(&format!(
        "mkdir $GOMODCACHE; exec unshare -rm sh -euc '
            mount -t tmpfs -o size={half} none $GOMODCACHE
            modfetch download 2>failed || echo status $?
            find $GOMODCACHE -name \"*.partial\"
            mount -o remount,size={} $GOMODCACHE
            modfetch download
            find $GOMODCACHE -name \"*.part*\"
            find $GOMODCACHE -name noise.bin -size {FILE_BYTES}c | grep -c .'",
        4 * half
    ));
    run.ok()
        .stderr("")
        .stdout(&format!("status 8\n{MODULES}\n"));
    let said = sandbox.read("failed");
    run.demand(said.contains("no space left on device"), &said);
}

/// `RLIMIT_FSIZE` makes writes fail anywhere, and would kill who does not mind SIGXFSZ.
#[test]
fn download_file_size_limit_exits_8_without_signal() {
    only_modfetch!();
    let proxy = Proxy::of_modules(modules());
    let sandbox = sandbox(&proxy);
    // In blocks of 512 bytes or, in some shells, 1024.
    let run = sandbox.shell("ulimit -f 100; exec modfetch download");
    run.fails(8).stderr_has("file too large");
    run.stderr_has("[ROOT]/modcache/cache/download/example.com/big0/@v/");
    assert!(
        !sandbox.picture().has("example.com/big0@v1.0.0"),
        "a folder is visible"
    );
    sandbox.run(["download"]).ok().stderr("");
}

#[test]
fn download_unwritable_directory_is_named() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let owner = Sandbox::with("hello", &proxy);
    owner.run(["download"]).ok();
    let folder = "cache/download/example.com/text/@v";
    owner.remove(&format!("{folder}/v1.2.0.info"));
    let sandbox = Sandbox::with("hello", &proxy)
        .cache_of(&owner)
        .unprivileged();
    let run = sandbox.run(["download"]);
    let place = owner.cached(folder).display().to_string();
    run.fails(8).stderr_has("permission denied");
    run.demand(run.stderr.contains(&place), &place);
}
