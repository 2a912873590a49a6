//! A file that grows while it is sent, whose end is held back until it is proven.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::inbox::BodyWaker;

/// How much of a file is held back until it may end: an archive without it is none.
pub const HELD_BACK: u64 = 64 << 10;

/// How a live file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveEnd {
    /// All of it may be sent.
    Whole,
    /// No more of it may be sent: it is wrong, or it stops short.
    Broken,
}

#[derive(Debug, Default)]
struct LiveState {
    /// Bytes that have been written.
    written: u64,
    length: Option<u64>,
    end: Option<LiveEnd>,
    waiting: Vec<BodyWaker>,
}

/// One file with one writer and any number of readers.
#[derive(Debug)]
pub struct LiveFile {
    file: Arc<File>,
    state: Mutex<LiveState>,
}

/// What a reader may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes before this one may be sent.
    pub released: u64,
    /// How it ended, if it did.
    pub end: Option<LiveEnd>,
}

impl LiveFile {
    /// A file of which `written` bytes are there, to be read by position.
    #[must_use]
    pub fn new(file: File, written: u64, length: Option<u64>) -> LiveFile {
        let state = LiveState {
            written,
            length,
            ..LiveState::default()
        };
        LiveFile {
            file: Arc::new(file),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, LiveState> {
        // Every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// The length of the whole, if it is known before the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let state = self.state();
        let whole = state.end == Some(LiveEnd::Whole);
        state.length.or(whole.then_some(state.written))
    }

    /// What may be sent now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let state = self.state();
        let released = match state.end {
            Some(LiveEnd::Whole) => state.written,
            _ => state.written.saturating_sub(HELD_BACK),
        };
        Progress {
            released,
            end: state.end,
        }
    }

    /// Has `waker` woken at the next change, unless more than `seen` bytes may be sent already, or
    /// it has ended: then false.
    #[must_use]
    pub fn wait(&self, seen: u64, waker: BodyWaker) -> bool {
        let mut state = self.state();
        if state.end.is_some() || state.written.saturating_sub(HELD_BACK) > seen {
            return false;
        }
        state.waiting.push(waker);
        true
    }

    /// Bytes that have been written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.state().written
    }

    /// More bytes have been written: `written` in all.
    pub fn grow(&self, written: u64) {
        let mut state = self.state();
        state.written = written;
        wake(state);
    }

    /// It has ended.
    pub fn end(&self, end: LiveEnd) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        wake(state);
    }
}

fn wake(mut state: MutexGuard<'_, LiveState>) {
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    for waker in waiting {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_piece_waits_for_the_end() {
        let live = LiveFile::new(tempfile::tempfile().unwrap(), 0, None);
        live.grow(HELD_BACK);
        assert_eq!(live.progress().released, 0);
        live.grow(HELD_BACK + 10);
        assert_eq!(live.progress().released, 10);
        assert_eq!(live.length(), None);
        live.end(LiveEnd::Whole);
        let want = Progress {
            released: HELD_BACK + 10,
            end: Some(LiveEnd::Whole),
        };
        assert_eq!(live.progress(), want);
        assert_eq!(live.length(), Some(HELD_BACK + 10));
    }

    #[test]
    fn what_is_broken_releases_nothing_more() {
        let live = LiveFile::new(tempfile::tempfile().unwrap(), 5, Some(5));
        live.end(LiveEnd::Broken);
        live.end(LiveEnd::Whole);
        assert_eq!(live.progress().released, 0);
        assert_eq!(live.progress().end, Some(LiveEnd::Broken));
    }
}
