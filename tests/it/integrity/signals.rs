//! What signals and closed pipes do to a run: a quick end, a sound cache, no panic.

use nix::sys::signal::Signal;

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, Times, until};

const ZIP: &str = "example.com/greet/@v/v1.1.0.zip";

/// A sandbox whose download waits for the zip of greet.
fn stalled() -> (Proxy, Sandbox) {
    let proxy = Proxy::serve().stalling(ZIP, 100, Times(1));
    let sandbox = Sandbox::with("hello", &proxy).env("MODFETCH_STALL_TIMEOUT", "1h");
    (proxy, sandbox)
}

#[test]
fn download_interrupted_exits_with_signal_code_and_next_run_resumes() {
    only_modfetch!();
    let whole = Sandbox::with("hello", &Proxy::serve());
    let healthy = Proxy::serve();
    let whole = whole.proxy(&healthy);
    whole.run(["download"]).ok();
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (proxy, sandbox) = stalled();
        let running = sandbox.spawn(["download"]);
        proxy.wait_for_stalls(1);
        // A zip may stall before the graph is known; this is there only afterwards.
        let info = sandbox.cached("cache/download/example.com/many/@v/v1.0.0.info");
        until("an .info", || info.exists());
        running.signal(signal);
        let run = running.wait();
        run.fails(code)
            .stdout("")
            .stderr_has(&format!("modfetch: interrupted by {signal} after "));
        run.stderr_has(" of 13 modules\nhint: what was fetched is kept");
        let left = sandbox.picture();
        run.demand(!left.has("example.com/greet@v1.1.0"), "a folder is visible");
        sandbox.run(["download"]).ok().stderr("");
        whole
            .picture()
            .assert_same(&sandbox.picture(), "a clean cache and one after a signal");
    }
}

#[test]
fn download_interrupted_with_json_log_prints_one_json_line() {
    only_modfetch!();
    let (proxy, sandbox) = stalled();
    let running = sandbox.spawn(["download", "--log=json", "-q"]);
    proxy.wait_for_stalls(1);
    running.signal(Signal::SIGTERM);
    let run = running.wait();
    run.fails(143)
        .stderr_has("{\"level\":\"error\",\"message\":\"interrupted by SIGTERM ");
    run.demand(run.stderr.lines().count() == 1, "one line wanted");
}

#[test]
fn go_mod_download_interrupted_dies_of_signal() {
    only_modfetch!();
    let (proxy, sandbox) = stalled();
    let running =
        sandbox.spawn_shell("ln -s \"$(command -v modfetch)\" ../go; exec ../go mod download");
    proxy.wait_for_stalls(1);
    running.signal(Signal::SIGINT);
    let run = running.wait();
    run.demand(run.code.is_none(), "death by a signal wanted")
        .stderr_has("go: interrupted by SIGINT");
}

/// Waiting for a lock is a system call that knows nothing of us.
#[test]
fn download_interrupted_while_waiting_for_lock_exits_130() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let lock = sandbox.cached("cache/download/example.com/text/@v/v1.2.0.lock");
    let held = modfetch::internals::fsio::FileLock::acquire(&lock).unwrap();
    let running = sandbox.spawn(["download"]);
    running.until_stderr_has("waiting for another process");
    running.signal(Signal::SIGINT);
    running.wait().fails(130);
    drop(held);
}

#[test]
fn download_ignored_sigint_stays_ignored() {
    only_modfetch!();
    let (proxy, sandbox) = stalled();
    let running = sandbox.spawn_shell("trap '' INT; exec modfetch download");
    proxy.wait_for_stalls(1);
    running.signal(Signal::SIGINT);
    proxy.release();
    running.wait().ok().stderr("");
}

#[test]
fn commands_closed_stdout_pipe_exit_0() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("legacy", &proxy);
    // What a pipe takes at once is less than this many objects; true reads nothing at all.
    for command in [
        "download -json",
        "download --dry-run",
        "download --help",
        "env",
        "env -json",
        "help",
        "version",
    ] {
        let script = format!("{{ modfetch {command}; echo $? >status; }} | true");
        let run = sandbox.shell(&script);
        run.ok().stdout("").stderr("");
        let status = sandbox.read("status");
        run.demand(
            status == "0\n" || command.contains("dry-run") && status == "10\n",
            &status,
        );
        sandbox
            .shell(&format!("modfetch {command} >&- || [ $? = 10 ]"))
            .ok();
    }
    let run = sandbox.shell("modfetch env >/dev/full");
    run.fails(8)
        .stderr_has("cannot write to stdout: no space left on device");
}
