//! From a zip that arrives to clients that read it meanwhile.
//!
//! Clients are given the growing file as soon as there is more of it than is held back, and its
//! end only when these very bytes are proven: that the cache has the zip in the end is not enough, since after a
//! wrong transfer another process may have put it there. Should the transfer begin again from its first byte, the bytes
//! that come are compared with those that were there, by length and SHA-256: if they are the same,
//! clients see a pause and nothing else. If they differ, clients are cut, and those who come later
//! get the new ones.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::http1::{HELD_BACK, LiveEnd, LiveFile};
use super::upstream::Tap;

use crate::system::FileAt as _;

/// How much is read at once to be hashed.
const CHUNK: usize = 64 << 10;

/// Called with the file that clients may be sent, and with `None` when it is of no use any more.
type Publish = Box<dyn Fn(Option<&Arc<LiveFile>>) + Send + Sync>;

/// See the module.
pub(super) struct StreamingTap {
    publish: Publish,
    state: Mutex<StreamState>,
}

#[derive(Default)]
struct StreamState {
    file: Option<File>,
    length: Option<u64>,
    live: Option<Arc<LiveFile>>,
    /// Of the bytes that were hashed.
    hash: Sha256,
    hashed: u64,
    /// What was there when the transfer began again, to be found again.
    before: Option<(u64, [u8; 32])>,
    /// How many bytes were proven to be the whole, since the transfer began last.
    proven: Option<u64>,
}

impl StreamingTap {
    pub(super) fn new(
        publish: impl Fn(Option<&Arc<LiveFile>>) + Send + Sync + 'static,
    ) -> StreamingTap {
        StreamingTap {
            publish: Box::new(publish),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transfer is over: clients get the last piece if what they have been given is proven.
    pub(super) fn end(&self) {
        let mut state = self.state();
        // What is still to be found again was not.
        let is_same = state.before.is_none();
        let proven = state.proven.take();
        if let Some(live) = state.live.take() {
            if is_same && proven == Some(live.written()) {
                live.end(LiveEnd::Whole);
            } else {
                (self.publish)(None);
                live.end(LiveEnd::Broken);
            }
        }
    }
}

impl StreamState {
    /// Hashes what is there up to `end`.
    fn hash_to(&mut self, end: u64) -> std::io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut room = [0; CHUNK];
        while self.hashed < end {
            let wanted = usize::try_from(end - self.hashed).map_or(CHUNK, |left| left.min(CHUNK));
            file.read_exact_at(&mut room[..wanted], self.hashed)?;
            self.hash.update(&room[..wanted]);
            self.hashed += wanted as u64;
        }
        Ok(())
    }
}

impl Tap for StreamingTap {
    fn begin(&self, partial: File, length: Option<u64>) {
        let mut state = self.state();
        state.proven = None;
        if state.live.is_some() && state.before.is_none() {
            let digest = state.hash.clone().finalize().into();
            state.before = Some((state.hashed, digest));
        }
        state.hash = Sha256::new();
        state.hashed = 0;
        if length != state.length {
            // Clients have the length of the first answer: they must not take the beginning of a longer file for all
            // of it.
            if let Some(live) = state.live.take() {
                (self.publish)(None);
                live.end(LiveEnd::Broken);
            }
            state.before = None;
            state.length = length;
        }
        state.file = Some(partial);
    }

    fn arrived(&self, bytes: u64) {
        let mut state = self.state();
        let state = &mut *state;
        if let Some((count, digest)) = state.before {
            if bytes < count {
                return;
            }
            let found = state.hash_to(count).map(|()| state.hash.clone().finalize());
            state.before = None;
            if found.is_ok_and(|found| <[u8; 32]>::from(found) == digest) {
                // As if nothing had happened.
            } else if let Some(live) = state.live.take() {
                // First withdrawn: who asks from now on is not given what is cut.
                (self.publish)(None);
                live.end(LiveEnd::Broken);
            }
        }
        // A file that cannot be read is no longer to be recognized, and is cut if it starts again.
        let _ = state.hash_to(bytes);
        if let Some(live) = &state.live {
            live.grow(bytes);
        } else if bytes > HELD_BACK
            && let Some(file) = state.file.as_ref().and_then(|file| file.try_clone().ok())
        {
            let live = Arc::new(LiveFile::new(file, bytes, state.length));
            state.live = Some(Arc::clone(&live));
            (self.publish)(Some(&live));
        }
    }

    fn proven(&self, bytes: u64) {
        self.state().proven = Some(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, Write as _};

    struct Transfer {
        file: File,
        tap: Arc<StreamingTap>,
        published: Arc<Mutex<Vec<Option<Arc<LiveFile>>>>>,
    }

    fn transfer() -> Transfer {
        let published: Arc<Mutex<Vec<Option<Arc<LiveFile>>>>> = Arc::default();
        let list = Arc::clone(&published);
        let tap = StreamingTap::new(move |live: Option<&Arc<LiveFile>>| {
            list.lock().unwrap().push(live.cloned());
        });
        Transfer {
            file: tempfile::tempfile().unwrap(),
            tap: Arc::new(tap),
            published,
        }
    }

    impl Transfer {
        fn begin(&mut self) {
            self.begin_of(None);
        }

        fn begin_of(&mut self, length: Option<u64>) {
            self.file.set_len(0).unwrap();
            self.file.rewind().unwrap();
            self.tap.begin(self.file.try_clone().unwrap(), length);
        }

        fn write(&mut self, data: &[u8]) {
            self.file.write_all(data).unwrap();
            self.tap.arrived(self.file.stream_position().unwrap());
        }

        fn end_proven(&self) {
            self.tap.proven(self.file.metadata().unwrap().len());
            self.tap.end();
        }

        fn live(&self, at: usize) -> Arc<LiveFile> {
            self.published.lock().unwrap()[at].clone().unwrap()
        }
    }

    #[test]
    fn a_transfer_that_begins_again_with_the_same_bytes_is_a_pause() {
        let mut transfer = transfer();
        transfer.begin();
        transfer.write(&[1; 70_000]);
        let live = transfer.live(0);
        let seen = live.progress().released;
        transfer.begin();
        transfer.write(&[1; 10_000]);
        transfer.write(&[1; 90_000]);
        assert!(live.progress().released > seen);
        transfer.end_proven();
        assert_eq!(live.progress().released, 100_000);
        assert_eq!(live.progress().end, Some(LiveEnd::Whole));
        assert_eq!(transfer.published.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_transfer_that_begins_again_with_other_bytes_cuts_who_has_the_first() {
        let mut transfer = transfer();
        transfer.begin();
        transfer.write(&[1; 70_000]);
        let first = transfer.live(0);
        transfer.begin();
        transfer.write(&[2; 80_000]);
        assert_eq!(first.progress().end, Some(LiveEnd::Broken));
        // Withdrawn, and another published.
        assert!(transfer.published.lock().unwrap()[1].is_none());
        let second = transfer.live(2);
        transfer.end_proven();
        assert_eq!(second.progress().end, Some(LiveEnd::Whole));
    }

    #[test]
    fn the_beginning_of_a_longer_file_is_not_sent_as_the_whole() {
        let mut transfer = transfer();
        transfer.begin_of(Some(70_000));
        transfer.write(&[1; 70_000]);
        let first = transfer.live(0);
        transfer.begin_of(Some(200_000));
        transfer.write(&[1; 200_000]);
        transfer.end_proven();
        assert_eq!(first.progress().end, Some(LiveEnd::Broken));
        assert!(first.progress().released < 70_000);
        let second = transfer.live(2);
        assert_eq!(second.progress().end, Some(LiveEnd::Whole));
        assert_eq!(second.length(), Some(200_000));
    }

    #[test]
    fn bytes_that_are_not_proven_are_not_ended_as_whole() {
        // The zip is in the cache in the end, put there by another process: nothing is known of these bytes.
        let mut transfer = transfer();
        transfer.begin();
        transfer.write(&[1; 70_000]);
        let live = transfer.live(0);
        transfer.tap.end();
        assert_eq!(live.progress().end, Some(LiveEnd::Broken));
        assert!(transfer.published.lock().unwrap()[1].is_none());
    }

    #[test]
    fn a_proof_is_about_the_bytes_before_it() {
        for (again, proven) in [(true, 70_000), (false, 69_999)] {
            let mut transfer = transfer();
            transfer.begin();
            transfer.write(&[1; 70_000]);
            let live = transfer.live(0);
            transfer.tap.proven(proven);
            if again {
                transfer.begin();
                transfer.write(&[1; 70_000]);
            }
            transfer.tap.end();
            assert_eq!(live.progress().end, Some(LiveEnd::Broken), "{again}");
        }
    }

    #[test]
    fn a_short_file_is_never_published() {
        let mut transfer = transfer();
        transfer.begin();
        transfer.write(&[1; 60_000]);
        transfer.tap.end();
        assert!(transfer.published.lock().unwrap().is_empty());
    }
}
