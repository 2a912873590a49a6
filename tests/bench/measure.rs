//! Runs one program and says what it took.
//!
//! The benchmark starts itself again as a small wrapper for each run: the kernel's account of
//! a finished child (`RUSAGE_CHILDREN`) holds for all children of a process together, and its
//! peak memory is never below what the starting process had, so the wrapper must be small.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub wall: Duration,
    pub user: Duration,
    pub system: Duration,
    /// Peak resident memory in KiB.
    pub peak_kib: u64,
    /// The exit status, -1 if a signal ended it.
    pub status: i32,
}

/// Runs a command line through the wrapper, with exactly this environment.
pub fn run(
    command: &[String],
    environment: &[(String, String)],
    folder: &Path,
    report: &Path,
) -> io::Result<Usage> {
    let errors = fs::File::create(report.with_extension("stderr"))?;
    Command::new(std::env::current_exe()?)
        .arg("measure")
        .arg(report)
        .args(command)
        .env_clear()
        .envs(environment.iter().cloned())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .status()?;
    let text = fs::read_to_string(report)?;
    let numbers: Vec<i64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [wall, user, system, peak, status] = numbers[..] else {
        return Err(io::Error::other(format!("the wrapper reported {text:?}")));
    };
    let micros = |n: i64| Duration::from_micros(u64::try_from(n).unwrap_or(0));
    Ok(Usage {
        wall: micros(wall),
        user: micros(user),
        system: micros(system),
        peak_kib: u64::try_from(peak).unwrap_or(0),
        status: i32::try_from(status).unwrap_or(-1),
    })
}

/// The wrapper: `measure REPORT PROGRAM ARGUMENT...`.
pub fn wrapper(arguments: &[String]) -> ExitCode {
    let [report, program, rest @ ..] = arguments else {
        return ExitCode::from(2);
    };
    let started = Instant::now();
    let status = Command::new(program).args(rest).status();
    let wall = started.elapsed().as_micros();
    let code = status.ok().and_then(|status| status.code()).unwrap_or(-1);
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return ExitCode::FAILURE;
    };
    let line = format!(
        "{wall} {} {} {} {code}\n",
        usage.user_time().num_microseconds(),
        usage.system_time().num_microseconds(),
        usage.max_rss(),
    );
    match fs::write(report, line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
