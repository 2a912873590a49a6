//! The blocking half of a zip: its lock, the second look, the bytes.

use std::io::{self, Write};

use super::Fetcher;
use super::meta::cached;
use crate::cache::{Entry, TempFile, VersionLock};
use crate::error::Result;
use crate::module::H1;
use crate::transport::Sink;
use crate::trust::Part;

/// What to do with a version lock that another process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnContention {
    /// Come back later: other work is waiting.
    Defer,
    /// Nothing else is left to do.
    Wait,
}

/// A zip that is ready to be hashed and unpacked, and the lock that covers it.
pub(super) struct Ready {
    pub(super) index: usize,
    pub(super) lock: VersionLock,
    /// The new zip; `None` if the cache has one that lacks its hash or its directory.
    pub(super) zip: Option<TempFile>,
}

/// How the transfer of a zip ended.
pub(super) enum Transferred {
    /// It is whole already: another process made it. Its recorded hash was checked.
    Complete(H1),
    /// It is to be hashed and unpacked.
    Ready(Ready),
    /// Another process holds the lock.
    Busy,
}

impl Fetcher<'_> {
    /// The recorded hash of an entry that lacks nothing, checked against go.sum. Takes no lock.
    pub(super) fn complete(&self, entry: &Entry) -> Result<Option<H1>> {
        let Some(h1) = entry.read_ziphash()? else {
            return Ok(None);
        };
        if !entry.has_zip() || !entry.has_directory() {
            return Ok(None);
        }
        let checked = self.sums.check(entry.module(), Part::Zip, &h1);
        checked.map_err(|error| cached(error, &entry.ziphash_path()))?;
        Ok(Some(h1))
    }

    /// Obtains the lock, looks again, and fetches the zip if the cache has none.
    pub(super) fn transfer_zip(
        &self,
        index: usize,
        entry: &Entry,
        on_contention: OnContention,
    ) -> Result<Transferred> {
        // Before anything is created: what would be refused anyway is not fetched. And before the
        // lock: the check is made under it, and then does not wait for a database.
        self.sums.ask(entry.module(), Part::Zip)?;
        // It may have lacked nothing but somebody to vouch for it: that takes no lock.
        if let Some(h1) = self.complete(entry)? {
            return Ok(Transferred::Complete(h1));
        }
        let lock = match (entry.try_lock()?, on_contention) {
            (Some(lock), _) => lock,
            (None, OnContention::Defer) => return Ok(Transferred::Busy),
            (None, OnContention::Wait) => {
                self.watch.waiting(entry.module(), &entry.lock_path());
                entry.lock()?
            }
        };
        if let Some(h1) = self.complete(entry)? {
            return Ok(Transferred::Complete(h1));
        }
        if entry.has_zip() {
            return Ok(Transferred::Ready(Ready {
                index,
                lock,
                zip: None,
            }));
        }
        self.watch.started(entry.module());
        let mut sink = ZipSink(entry.zip_temp(&lock)?);
        let fetched = self.source.zip(entry.module(), &mut sink)?;
        self.book(entry.module(), fetched);
        Ok(Transferred::Ready(Ready {
            index,
            lock,
            zip: Some(sink.0),
        }))
    }
}

/// A temporary as a place for bytes that may have to start again.
pub(super) struct ZipSink(pub(super) TempFile);

impl Write for ZipSink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for ZipSink {
    fn restart(&mut self) -> io::Result<()> {
        self.0.truncate()
    }
}
