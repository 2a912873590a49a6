//! What a signal does to a run that may be in the middle of something.
//!
//! | signal | effect |
//! |---|---|
//! | SIGINT, SIGTERM | small writes are finished, one message, then the end: status 130 or 143 |
//! | the same again | the end at once |
//! | SIGXFSZ | none: the write fails instead, and says which file is too large |
//! | SIGPIPE | none (Rust's default): the write fails, which `report` takes for a quiet end |
//! | SIGHUP and others | the system's default |
//!
//! A server ([`for_server`]) goes on after the first SIGINT or SIGTERM until it has served what was begun, and reads its
//! files again on SIGHUP.
//!
//! Nothing is cleaned up: whatever a killed run leaves is sound, and what it fetched is worth
//! keeping. As `go`, the program dies of the signal as `go` does, so that a shell sees which one it
//! was; a shell shows 130 and 143 then, too. Otherwise it exits with that status, which also works
//! for the first process of a container, which no signal of its own can kill.
//!
//! A signal that was ignored when the program started (`nohup`, `&` in a script) stays ignored.
//!
//! On Windows Ctrl-C takes the place of SIGINT, and the status is always 130; there is no SIGHUP.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
pub(crate) use system::{for_server, watch};

use crate::fsio::drain_writes;
use crate::proc::kill_groups;

/// How the program ends by a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With exit status 128 and the signal's number.
    #[default]
    Status,
    /// By the signal itself.
    Signal,
}

/// The longest wait for small writes, and for the message: together well below a second.
const WRITING: Duration = Duration::from_millis(400);
const TELLING: Duration = Duration::from_millis(300);

/// Ends what this process has started, finishes small writes and has `tell` say why: the program is about to end.
fn wind_up(name: &'static str, tell: impl FnOnce(&'static str) + Send + 'static) {
    kill_groups();
    drain_writes(WRITING);
    let (done, told) = bounded(1);
    // In a thread of its own: a terminal that takes nothing must not keep the program alive.
    let telling = thread::Builder::new().spawn(move || {
        tell(name);
        let _ = done.send(());
    });
    if telling.is_ok() {
        let _ = told.recv_timeout(TELLING);
    }
}
