//! The blocking half of a zip: its lock, the second look, the bytes.

use std::io::{self, Write};

use super::Fetcher;
use super::meta::cached;
use crate::cache::{Entry, TempFile, VersionLock};
use crate::error::{Error, Result};
use crate::io_text;
use crate::module::H1;
use crate::source::{LowerCache, Source};
use crate::steps;
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
pub(super) struct Ready<'a> {
    pub(super) index: usize,
    pub(super) lock: VersionLock,
    /// The new zip; `None` if the cache has one that lacks its hash or its directory.
    pub(super) zip: Option<TempFile>,
    /// The cache, only read, that the new zip is from.
    pub(super) lower: Option<&'a LowerCache>,
}

/// Whether a zip may come from a cache that is only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lower {
    First,
    /// What one of them has was damaged.
    Never,
}

/// How the transfer of a zip ended.
pub(super) enum Transferred<'a> {
    /// It is whole already: another process made it. Its recorded hash was checked.
    Complete(H1),
    /// It is to be hashed and unpacked.
    Ready(Ready<'a>),
    /// Another process holds the lock.
    Busy,
}

impl<'a> Fetcher<'a> {
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
        lower: Lower,
    ) -> Result<Transferred<'a>> {
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
            (None, OnContention::Wait) => entry.lock()?,
        };
        if let Some(h1) = self.complete(entry)? {
            return Ok(Transferred::Complete(h1));
        }
        if entry.has_zip() {
            return Ok(Transferred::Ready(Ready {
                index,
                lock,
                zip: None,
                lower: None,
            }));
        }
        self.watch.started(entry.module());
        let mut sink = ZipSink(entry.zip_temp(&lock)?);
        let module = entry.module();
        steps::reached("part-begun");
        let taken = match lower {
            Lower::First => self.ask_lower(|lower| {
                sink.restart().map_err(|cause| {
                    Error::io("cannot write", sink.0.path(), cause).context(module.to_string())
                })?;
                lower.zip(module, &mut sink)
            }),
            Lower::Never => None,
        };
        if taken.is_none() {
            let fetched = self.source.zip(module, &mut sink)?;
            self.book(module, fetched);
        }
        steps::reached("part-whole");
        Ok(Transferred::Ready(Ready {
            index,
            lock,
            zip: Some(sink.0),
            lower: taken.map(|(_, lower)| lower),
        }))
    }
}

/// A temporary as a place for bytes that may have to start again.
pub(super) struct ZipSink(pub(super) TempFile);

impl Write for ZipSink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Who reads from the network does not know where it goes.
        self.0.write(data).map_err(|cause| {
            let text = format!("{}: {}", self.0.path().display(), io_text(&cause));
            io::Error::new(cause.kind(), text)
        })
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
