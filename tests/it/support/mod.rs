//! The test kit: a scripted proxy, sandboxes to run programs in, and pictures of folders.
//!
//! The program under test is the built `modfetch`; with `MODFETCH_TEST_PROGRAM=go` it is the real
//! go command (`download` becomes `go mod download`), which shows that the expectations hold.

mod answer;
pub mod chaos;
pub mod compare;
pub mod forge;
pub mod go;
mod guards;
pub mod hg_server;
pub mod listed;
pub mod long_log;
pub mod many_modules;
pub mod proxy;
pub mod run;
pub mod sampling;
pub mod sandbox;
pub mod script;
pub mod served;
mod serving;
pub mod skips;
pub mod sums;

pub mod fixtures;
pub mod random_project;
pub mod sumdb;
pub mod tamper;
mod tls;
pub mod tree;
pub mod vcs_script;

use std::thread;
use std::time::{Duration, Instant};

pub use forge::Forge;
pub use go::require_go;
pub use proxy::Proxy;
pub use run::Run;
pub use sandbox::Sandbox;
pub use script::{HeadEnd, Times};

/// Waits until something is to be seen from outside.
///
/// # Panics
/// After 30 seconds.
#[track_caller]
pub fn until(what: &str, seen: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !seen() {
        assert!(Instant::now() < deadline, "{what} was never there");
        thread::sleep(Duration::from_millis(2));
    }
}
