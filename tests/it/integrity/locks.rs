//! Locks that others hold: waiting is told and limited, and the dead hold nothing.

use modfetch::internals::fsio::FileLock;
use nix::sys::signal::Signal;

use crate::support::go::only_modfetch;
use crate::support::skips;
use crate::support::{Proxy, Sandbox, Times};

#[test]
fn commands_waiting_for_lock_name_its_file() {
    only_modfetch!();
    // The list of a module whose go.mod is missing, and go.sum.
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let list = "cache/download/example.com/words/@v/list";
    let held = FileLock::acquire(&sandbox.cached(list)).unwrap();
    let running = sandbox.spawn(["download"]);
    let said = format!(
        "waiting for another process: example.com/words@v1.1.0 (lock [ROOT]/modcache/{list})\n"
    );
    running.until_stderr_has(&said);
    drop(held);
    running.wait().ok().stderr(&said);

    let sandbox = sandbox.go_sum("");
    let sum = sandbox.project_dir().join("go.sum");
    let held = FileLock::acquire(&sum).unwrap();
    let running = sandbox.spawn(["download"]);
    let said = "waiting for another process: (lock [ROOT]/project/go.sum)\n";
    running.until_stderr_has(said);
    drop(held);
    running.wait().ok().stderr(said);
    assert!(sandbox.read("go.sum").contains("example.com/text v1.2.0"));
}

#[test]
fn commands_lock_timeout_exits_9() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let lock = "cache/download/example.com/text/@v/v1.2.0.lock";
    let held = FileLock::acquire(&sandbox.cached(lock)).unwrap();
    let run = sandbox.run(["download", "--lock-timeout=0"]);
    let failed = format!("example.com/text@v1.2.0: cannot lock [ROOT]/modcache/{lock}: ");
    run.fails(9).stderr_has(&failed);
    run.stderr_has(" holds it\nhint: ");
    // Who holds it is this process, where the system tells.
    let us = format!("process {} (", std::process::id());
    let told = std::fs::read_to_string("/proc/locks")
        .is_ok_and(|locks| locks.contains(&format!(" {} ", std::process::id())));
    run.demand(!told || run.stderr.contains(&us), &us);
    // All others came.
    run.demand(
        sandbox.picture().has("example.com/greet@v1.1.0"),
        "the others were not fetched",
    );
    drop(held);
    let sandbox = sandbox.env("MODFETCH_LOCK_TIMEOUT", "1h");
    sandbox.run(["download"]).ok();
    let held = FileLock::acquire(&sandbox.project_dir().join("go.sum")).unwrap();
    let sandbox = sandbox.go_sum("");
    // A run that has a time does not wait for longer.
    let run = sandbox.run(["download", "--timeout=200ms", "--offline"]);
    let failed = "updating go.sum: cannot lock [ROOT]/project/go.sum: ";
    run.fails(9).stderr_has(failed);
    let run = sandbox.run(["download", "--lock-timeout", "10ms"]);
    run.fails(9).stderr_has(failed);
    drop(held);
    sandbox.run(["download", "--lock-timeout", "soon"]).fails(2);
    sandbox.run(["download", "--lock-timeout", "none"]).ok();
}

#[test]
fn download_lock_of_dead_process_does_not_block() {
    let proxy = Proxy::serve().stalling("example.com/greet/@v/v1.1.0.zip", 100, Times(1));
    let owner = Sandbox::with("hello", &proxy);
    let other = Sandbox::with("hello", &proxy).cache_of(&owner);
    let dying = owner.spawn(["download"]);
    proxy.wait_for_stalls(1);
    let waiting = other.spawn(["download"]);
    if only_modfetch() {
        waiting.until_stderr_has("waiting for another process: example.com/greet@v1.1.0");
    }
    dying.signal(Signal::SIGKILL);
    waiting.wait().ok();
    assert!(other.picture().has("example.com/greet@v1.1.0"));
    dying.wait();
}

#[test]
fn download_file_system_without_locks_is_explained() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    if !sandbox
        .shell("strace -f -o /dev/null true || echo none")
        .stdout
        .is_empty()
    {
        skips::record("there is no strace");
        return;
    }
    for (errno, text, hint) in [
        (
            "ENOLCK",
            "no locks available",
            "its lock service does not answer",
        ),
        ("ENOSYS", "function not implemented", "does not know locks"),
        (
            "EOPNOTSUPP",
            "operation not supported",
            "does not know locks",
        ),
    ] {
        let run = sandbox.shell(&format!(
            "exec strace -f -o /dev/null -e inject=flock:error={errno} modfetch download"
        ));
        run.fails(8).stderr_has(hint);
        run.demand(run.stderr.to_lowercase().contains(text), text);
    }
    // Interrupted, it is tried again.
    sandbox
        .shell(
            "exec strace -f -o /dev/null -e inject=flock:error=EINTR:when=1..3 modfetch download",
        )
        .ok();
}
