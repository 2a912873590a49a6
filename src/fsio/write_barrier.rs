//! Small writes that should not be cut in two by the end of the program.
//!
//! Whatever a killed process leaves is sound. But a run that gets a signal has a moment, and
//! spends it on finishing what takes no time: small files, which then leave no temporary, and the
//! two files that are edited in place (go.sum, the newest head of a checksum database).

use std::sync::{PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

static WRITING: RwLock<()> = RwLock::new(());

/// Keeps [`drain_writes`] from returning while it lives. Not to be held while waiting for anything.
#[must_use = "it ends when it is dropped"]
#[derive(Debug)]
pub struct WriteGuard {
    _guard: RwLockReadGuard<'static, ()>,
}

/// Begins a small write.
pub fn begin_write() -> WriteGuard {
    WriteGuard {
        _guard: WRITING.read().unwrap_or_else(PoisonError::into_inner),
    }
}

/// Waits until no small write is going on, but not longer than `limit`, and lets none begin any
/// more: the program is about to end.
pub fn drain_writes(limit: Duration) {
    let until = Instant::now().checked_add(limit);
    loop {
        match WRITING.try_write() {
            Ok(guard) => return std::mem::forget(guard),
            Err(TryLockError::Poisoned(_)) => return,
            Err(TryLockError::WouldBlock) => {}
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
