//! Tests that were skipped: counted in a file, for the standard harness reports them as passed.
//!
//! Each run of this crate begins the file anew; the target `skipped`, which cargo runs after this
//! one, prints what it counts.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;

/// The file: a reason, a tabulator and the test's name a line.
fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("skipped-tests");
        // What an earlier run left.
        let _ = fs::remove_file(&file);
        file
    })
}

/// Begins the file of this run, which may be left empty.
pub fn begin() {
    file();
}

/// Counts the test of the current thread as skipped.
///
/// # Panics
/// If the file cannot be written: a skip that nobody sees is a test that does not exist.
pub fn record(reason: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("a thread without a name");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file())
        .unwrap_or_else(|error| panic!("cannot open {}: {error}", file().display()));
    // One write, so that lines of several threads do not mix.
    file.write_all(format!("{reason}\t{test}\n").as_bytes())
        .unwrap_or_else(|error| panic!("cannot count a skipped test: {error}"));
}
