//! The blocking half of a zip: its lock, the second look, the bytes.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use super::ModuleFiles;
use super::meta::cached;
use crate::cache::{CacheEntry, PartOrigin, VersionLock, ZipPart};
use crate::cancel::{CancelToken, Cancelled};
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::failpoints;
use crate::fetch::{Want, ZipTap};
use crate::gomod::{H1, ModuleVersion};
use crate::http::{BodySink, PartialBody, Resumable, Validator};
use crate::source::LowerSource;
use crate::trust::SumPart;

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
pub(in crate::fetch) enum ResumeMode {
    /// Bytes that an earlier transfer left are taken, and what caches have that are only read.
    Resume,
    /// What has come was wrong: all of it is fetched, past caches on the way, for the last time.
    Restart,
}

/// A zip that is ready to be hashed and unpacked, and the lock that covers it.
pub(in crate::fetch) struct ReadyZip {
    pub(in crate::fetch) index: usize,
    /// The new zip; `None` if the cache has one that lacks its hash or its directory.
    pub(in crate::fetch) zip: Option<(ZipPart, ZipAssembly)>,
    /// Behind the zip, so that it is dropped after it: a part is only removed under the lock.
    pub(in crate::fetch) lock: VersionLock,
    /// The cache, only read, that the new zip is from.
    pub(in crate::fetch) lower: Option<Arc<dyn LowerSource>>,
}

impl ReadyZip {
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
pub(in crate::fetch) enum ZipAssembly {
    /// It is fetched once more: it was put together from several transfers, is from a cache that is only
    /// read, or some cache on the way may have spoilt it.
    Doubtful,
    /// It is wrong.
    Final,
}

/// How the transfer of a zip ended.
pub(in crate::fetch) enum Transferred {
    /// It is whole already: another process made it. Its recorded hash was checked.
    Complete(H1),
    /// It is to be hashed and unpacked.
    Ready(ReadyZip),
    /// Another process holds the lock.
    Busy,
}

impl ModuleFiles<'_> {
    /// The recorded hash of an entry that lacks nothing, checked against go.sum. Takes no lock.
    pub(in crate::fetch) fn complete(self, entry: &CacheEntry) -> Result<Option<H1>> {
        self.complete_for(entry, self.want())
    }

    /// As [`ModuleFiles::complete`], where this is wanted.
    pub(in crate::fetch) fn complete_for(
        self,
        entry: &CacheEntry,
        want: Want,
    ) -> Result<Option<H1>> {
        let Some(h1) = entry.read_ziphash()? else {
            return Ok(None);
        };
        let extracted = want < Want::Extracted || entry.has_directory();
        if !entry.has_zip() || !extracted {
            return Ok(None);
        }
        let checked = self.run.sums.check(entry.module(), SumPart::Zip, &h1);
        checked.map_err(|error| cached(error, &entry.ziphash_path()))?;
        Ok(Some(h1))
    }

    /// Obtains the lock, looks again, and fetches the zip if the cache has none.
    pub(in crate::fetch) fn transfer_zip(
        self,
        index: usize,
        entry: &CacheEntry,
        on_contention: OnContention,
        mode: ResumeMode,
    ) -> Result<Transferred> {
        if self.zip_alone {
            // The database is being asked meanwhile.
            self.run.sums.precheck(entry.module(), SumPart::Zip)?;
        } else {
            // Before anything is created: what would be refused anyway is not fetched. And before the
            // lock: the check is made under it, and then does not wait for a database.
            self.run.sums.ask(entry.module(), SumPart::Zip)?;
        }
        // Only a proof of its hash may have been missing: that takes no lock.
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
            return Ok(Transferred::Ready(ReadyZip {
                index,
                lock,
                zip: None,
                lower: None,
            }));
        }
        let ready = self.fetch_zip(index, entry, lock, mode)?;
        Ok(Transferred::Ready(ready))
    }
}

impl ModuleFiles<'_> {
    fn fetch_zip(
        self,
        index: usize,
        entry: &CacheEntry,
        lock: VersionLock,
        mode: ResumeMode,
    ) -> Result<ReadyZip> {
        self.run.say(&Event::ModuleStarted {
            module: entry.module(),
        });
        let mut part = entry.zip_part(&lock)?;
        if mode == ResumeMode::Restart {
            part.discard();
            part = entry.zip_part(&lock)?;
        }
        let known = !(self.run.sums).believes_anything(entry.module(), SumPart::Zip);
        let mut sink = ZipSink {
            part,
            known,
            refused: None,
            cancel: &self.link.cancel,
            tap: self.tap,
            bytes: 0,
            length: None,
            expected: None,
            begun: false,
        };
        failpoints::reached("part-begun");
        let mut not_below = None;
        if mode == ResumeMode::Resume {
            let asked = self.ask_read_only(|cache| match cache.zip(entry.module(), &mut sink) {
                // That is not its fault.
                Err(_) if self.link.cancel.is_cancelled() => {
                    Err(Error::new(Kind::NotFound, "not needed"))
                }
                taken => taken,
            });
            match asked {
                Ok(((), cache)) => {
                    failpoints::reached("part-whole");
                    return Ok(ReadyZip {
                        index,
                        lock,
                        zip: Some((sink.part, ZipAssembly::Doubtful)),
                        lower: Some(Arc::clone(cache)),
                    });
                }
                Err(why) => not_below = Some(why),
            }
        }
        let past_caches = self.link.source.past_caches(entry.module().path());
        let source = match (mode, &past_caches) {
            (ResumeMode::Restart, Some(source)) => source,
            _ => &self.link.source,
        };
        let fetched = match source.zip(entry.module(), &mut sink) {
            Ok(fetched) => fetched,
            Err(error) => {
                let error = sink.left_by(error, entry.module());
                return Err(match not_below {
                    Some(why) => why.judge(error, entry.module()),
                    None => error,
                });
            }
        };
        let assembly = match mode {
            ResumeMode::Resume if fetched.resumed > 0 || past_caches.is_some() => {
                ZipAssembly::Doubtful
            }
            _ => ZipAssembly::Final,
        };
        self.run.record_traffic(entry.module(), fetched);
        failpoints::reached("part-whole");
        Ok(ReadyZip {
            index,
            lock,
            zip: Some((sink.part, assembly)),
            lower: None,
        })
    }
}

/// A part as a place for bytes that may have to start again, or may go on.
struct ZipSink<'f> {
    part: ZipPart,
    /// The hash of the whole is known: it can tell whether what was put together is right, also where the
    /// sender names no validator.
    known: bool,
    /// Why it could not take bytes: the transport knows no paths.
    refused: Option<io::Error>,
    cancel: &'f CancelToken,
    tap: Option<&'f dyn ZipTap>,
    /// Bytes in the part, and in the whole if that is known.
    bytes: u64,
    length: Option<u64>,
    /// What was announced of the body that comes next.
    expected: Option<u64>,
    /// The tap knows where they are.
    begun: bool,
}

impl ZipSink<'_> {
    fn refuse_cancelled(&self) -> io::Result<()> {
        match self.cancel.is_cancelled() {
            true => Err(io::Error::other(Cancelled)),
            false => Ok(()),
        }
    }

    /// Shows the tap so many more bytes.
    fn show(&mut self, more: usize) -> io::Result<()> {
        self.bytes += more as u64;
        let Some(tap) = self.tap else {
            return Ok(());
        };
        if !self.begun {
            self.begun = true;
            // What an earlier transfer left is there as well.
            if let Some((origin, kept)) = self.part.kept() {
                self.length = Some(origin.length);
                self.bytes = self.bytes.max(kept);
            }
            // Opened again: a clone would share the place where the next byte is written.
            tap.begin(File::open(self.part.path())?, self.length);
        }
        tap.arrived(self.bytes);
        Ok(())
    }

    /// Decides on what a failed transfer leaves, and names the file if that was the trouble.
    fn left_by(self, error: Error, module: &ModuleVersion) -> Error {
        let path = self.part.path();
        let error = match self.refused {
            // Another proxy may have been asked since, and failed otherwise.
            Some(cause) if error.kind() == Kind::LocalIo => {
                let error = Error::io("cannot write", path, cause).about(module);
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
        self.refuse_cancelled()?;
        let written = self.part.write(data);
        let written = self.note(written)?;
        self.show(written)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.part.flush()
    }
}

impl BodySink for ZipSink<'_> {
    fn expect(&mut self, length: u64) {
        self.expected = Some(length);
    }

    fn restart(&mut self, resumable: Option<&Resumable>) -> io::Result<()> {
        self.refuse_cancelled()?;
        let safe = |resumable: &&Resumable| self.known || resumable.validator.is_some();
        let origin = resumable.filter(safe).map(|resumable| PartOrigin {
            url: resumable.url.clone(),
            validator: (resumable.validator.as_ref()).map(|known| known.as_str().to_owned()),
            length: resumable.length,
        });
        let restarted = self.part.restart(origin.as_ref());
        self.note(restarted)?;
        self.begun = false;
        self.bytes = 0;
        let announced = origin.map(|origin| origin.length);
        self.length = self.expected.take().or(announced);
        self.show(0)
    }

    fn kept(&self) -> Option<PartialBody> {
        let (origin, bytes) = self.part.kept()?;
        let validator = match &origin.validator {
            Some(text) => Some(Validator::parse(text)?),
            None if self.known => None,
            None => return None,
        };
        let of = Resumable {
            url: origin.url.clone(),
            validator,
            length: origin.length,
        };
        Some(PartialBody { of, bytes })
    }
}
