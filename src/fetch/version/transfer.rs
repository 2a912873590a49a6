//! The blocking half of a zip: its lock, the second look, the bytes.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::meta::cached;
use crate::cache::{Entry, PartOrigin, VersionLock, ZipPart};
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::fetch::Fetcher;
use crate::gomod::{H1, ModuleVersion};
use crate::http::{Kept, Resumable, Sink, Validator};
use crate::source::{LowerCache, Source};
use crate::trust::Part;

/// What to do with a version lock that another process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum OnContention {
    /// Come back later: other work is waiting.
    Defer,
    /// Nothing else is left to do.
    Wait,
}

/// Where the bytes of a zip are to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum Begin {
    /// What is kept counts, and what caches have that are only read.
    Anywhere,
    /// What was put together from pieces was wrong: all of it is fetched, for the last time.
    FromFirstByte,
}

/// Says of a module that was begun ahead that it is not needed: its transfer takes no more bytes.
#[derive(Clone, Default)]
pub(in crate::fetch) struct Unneeded(Arc<AtomicBool>);

impl Unneeded {
    pub(in crate::fetch) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(in crate::fetch) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// It is set.
    pub(in crate::fetch) fn refuse(&self) -> io::Result<()> {
        match self.is_set() {
            true => Err(io::Error::other("not needed")),
            false => Ok(()),
        }
    }
}

/// A zip that is ready to be hashed and unpacked, and the lock that covers it.
pub(in crate::fetch) struct Ready<'a> {
    pub(in crate::fetch) index: usize,
    /// The new zip; `None` if the cache has one that lacks its hash or its directory.
    pub(in crate::fetch) zip: Option<(ZipPart, Pieces)>,
    /// Behind the zip, so that it is dropped after it: a part is only removed under the lock.
    pub(in crate::fetch) lock: VersionLock,
    /// The cache, only read, that the new zip is from.
    pub(in crate::fetch) lower: Option<&'a LowerCache>,
}

impl Ready<'_> {
    /// True if there is no new zip.
    pub(in crate::fetch) fn was_cached(&self) -> bool {
        self.zip.is_none()
    }

    /// Takes a new zip away, be it complete: it is not wanted.
    pub(in crate::fetch) fn discard(self) {
        if let Some((part, _)) = self.zip {
            part.discard();
        }
    }
}

/// What a wrong hash of a new zip means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum Pieces {
    /// It was put together from several transfers, and perhaps should not have been; or it is
    /// from a cache that is only read.
    Several,
    /// It is wrong.
    Final,
}

/// How the transfer of a zip ended.
pub(in crate::fetch) enum Transferred<'a> {
    /// It is whole already: another process made it. Its recorded hash was checked.
    Complete(H1),
    /// It is to be hashed and unpacked.
    Ready(Ready<'a>),
    /// Another process holds the lock.
    Busy,
}

impl<'a> Fetcher<'a> {
    /// The recorded hash of an entry that lacks nothing, checked against go.sum. Takes no lock.
    pub(in crate::fetch) fn complete(&self, entry: &Entry) -> Result<Option<H1>> {
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
    pub(in crate::fetch) fn transfer_zip(
        &self,
        index: usize,
        entry: &Entry,
        on_contention: OnContention,
        begin: Begin,
        unneeded: &Unneeded,
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
            entry.sweep_part(&lock);
            return Ok(Transferred::Ready(Ready {
                index,
                lock,
                zip: None,
                lower: None,
            }));
        }
        let ready = self.fetch_zip(index, entry, lock, begin, unneeded)?;
        Ok(Transferred::Ready(ready))
    }
}

impl<'a> Fetcher<'a> {
    fn fetch_zip(
        &self,
        index: usize,
        entry: &Entry,
        lock: VersionLock,
        begin: Begin,
        unneeded: &Unneeded,
    ) -> Result<Ready<'a>> {
        self.watch.started(entry.module());
        let mut part = entry.zip_part(&lock)?;
        if begin == Begin::FromFirstByte {
            part.discard();
            part = entry.zip_part(&lock)?;
        }
        let mut sink = ZipSink {
            part,
            refused: None,
            unneeded,
        };
        failpoints::reached("part-begun");
        if begin == Begin::Anywhere
            && let Some(((), lower)) =
                self.ask_lower(|lower| match lower.zip(entry.module(), &mut sink) {
                    // That is not its fault.
                    Err(_) if unneeded.is_set() => Err(Error::new(Kind::NotFound, "not needed")),
                    taken => taken,
                })
        {
            failpoints::reached("part-whole");
            return Ok(Ready {
                index,
                lock,
                zip: Some((sink.part, Pieces::Several)),
                lower: Some(lower),
            });
        }
        let fetched = match self.source.zip(entry.module(), &mut sink) {
            Ok(fetched) => fetched,
            Err(error) => return Err(sink.left_by(error, entry.module())),
        };
        let pieces = match begin {
            Begin::Anywhere if fetched.resumed > 0 => Pieces::Several,
            _ => Pieces::Final,
        };
        self.book(entry.module(), fetched);
        failpoints::reached("part-whole");
        Ok(Ready {
            index,
            lock,
            zip: Some((sink.part, pieces)),
            lower: None,
        })
    }
}

/// A part as a place for bytes that may have to start again, or may go on.
struct ZipSink<'f> {
    part: ZipPart,
    /// Why it could not take bytes: the transport knows no paths.
    refused: Option<io::Error>,
    unneeded: &'f Unneeded,
}

impl ZipSink<'_> {
    /// Decides on what a failed transfer leaves, and names the file if that was the trouble.
    fn left_by(self, error: Error, module: &ModuleVersion) -> Error {
        let path = self.part.path();
        let error = match self.refused {
            // Another proxy may have been asked since, and failed otherwise.
            Some(cause) if error.kind() == Kind::LocalIo => {
                let error = Error::io("cannot write", path, cause).context(module.to_string());
                if self.part.kept().is_some_and(|(_, bytes)| bytes > 0) {
                    error.hint("what has come is kept there, and the next run goes on from it")
                } else {
                    error
                }
            }
            _ => error,
        };
        // Too large: the rest of it is not wanted either.
        if error.kind() == Kind::Security {
            self.part.discard();
        }
        error
    }

    /// Remembers a failure, and hands on its like.
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|cause| {
            let like = match cause.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => cause.kind().into(),
            };
            // A write that a signal interrupted is made again, and has not failed.
            if cause.kind() != io::ErrorKind::Interrupted {
                self.refused = Some(cause);
            }
            like
        })
    }
}

impl Write for ZipSink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.unneeded.refuse()?;
        let written = self.part.write(data);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.part.flush()
    }
}

impl Sink for ZipSink<'_> {
    fn restart(&mut self, resumable: Option<&Resumable>) -> io::Result<()> {
        self.unneeded.refuse()?;
        let origin = resumable.map(|resumable| PartOrigin {
            url: resumable.url.clone(),
            validator: resumable.validator.as_str().to_owned(),
            length: resumable.length,
        });
        let restarted = self.part.restart(origin.as_ref());
        self.note(restarted)
    }

    fn kept(&self) -> Option<Kept> {
        let (origin, bytes) = self.part.kept()?;
        let of = Resumable {
            url: origin.url.clone(),
            validator: Validator::parse(&origin.validator)?,
            length: origin.length,
        };
        Some(Kept { of, bytes })
    }
}
