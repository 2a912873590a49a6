//! Writes `testdata/mod` as a `file://` GOPROXY tree that stock `go` and modfetch read alike.
//!
//! Usage: `cargo run --example goproxy -- testdata/mod target/goproxy`. The target folder is
//! brought up to date: files that are already right keep their times.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]
#![allow(
    unreachable_pub,
    reason = "the test kit shares a file with this program"
)]

#[path = "../it/support/fixtures.rs"]
#[allow(dead_code, reason = "the test kit uses more of it")]
mod fixtures;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(archives), Some(target), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: goproxy ARCHIVES TARGET");
        return ExitCode::from(2);
    };
    let tree = fixtures::Fixtures::read(&archives).tree();
    for (path, data) in &tree {
        let file = target.join(path);
        if let Err(error) = write(&file, data) {
            eprintln!("goproxy: cannot write {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    }
    let shown = fs::canonicalize(&target).unwrap_or(target);
    println!("GOPROXY=file://{}", shown.display());
    ExitCode::SUCCESS
}

fn write(file: &Path, data: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|old| old == data) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, data)
}
