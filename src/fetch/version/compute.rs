//! The computing half of a zip: one inflation that checks, hashes and writes, then the commit.

use std::fs::File;

use super::ModuleFiles;
use super::meta::cached;
use super::transfer::{ReadyZip, ZipAssembly};
use crate::cache::{CacheEntry, Partial};
use crate::error::{Error, Kind, Result};
use crate::fetch::Want;
use crate::gomod::H1;
use crate::modzip::ModuleZip;
use crate::trust::SumPart;

/// How the computing half ended.
pub(in crate::fetch) enum Finished {
    /// The entry is complete, or it failed.
    Done(Result<H1>),
    /// The zip is wrong, for this reason, and may not be so the next time. It is gone,
    /// and is to be fetched whole. Not under the same lock: who holds one may have to wait for a
    /// thread that waits for another.
    Refetch(Error),
}

/// A zip that was checked, and its directory, complete and still with its mark. No reader sees either until
/// both are published; dropped, the directory goes, and of the zip what no later transfer can resume.
pub(in crate::fetch) struct StagedModule {
    pub(in crate::fetch) ready: ReadyZip,
    /// `None` if the directory was there, or is not wanted.
    partial: Option<Partial>,
    h1: H1,
}

impl StagedModule {
    /// Removes the directory.
    pub(in crate::fetch) fn discard(self) -> ReadyZip {
        drop(self.partial);
        self.ready
    }
}

impl ModuleFiles<'_> {
    /// Completes zip, ziphash and directory of an entry whose lock is held.
    ///
    /// The directory is made below its `.partial` mark and loses it only after the hash agreed
    /// and the zip is in its place. On any failure the directory goes first, then the mark. A new
    /// zip goes if it is wrong; if something else failed, it need not be fetched again.
    pub(in crate::fetch) fn finish_zip(self, entry: &CacheEntry, ready: ReadyZip) -> Finished {
        match self.stage(entry, ready) {
            Ok(staged) => Finished::Done(self.publish(entry, staged)),
            Err(failed) => {
                let (mut ready, error) = *failed;
                if error.kind() == Kind::LocalIo && ready.zip.is_some() {
                    // Where there is no room for the directory, there may be for the zip, which
                    // then is not asked for again. Best effort: the first failure is reported.
                    let _ = self.hash_zip(entry, &ready).and_then(|h1| {
                        self.run.sums.check(entry.module(), SumPart::Zip, &h1)?;
                        self.commit(entry, &mut ready, &h1)
                    });
                }
                self.unstaged(entry, ready, error)
            }
        }
    }

    /// Does all of it that no reader sees, the check of the hash included.
    ///
    /// # Errors
    /// Why not, with what was to be staged.
    pub(in crate::fetch) fn stage(
        self,
        entry: &CacheEntry,
        ready: ReadyZip,
    ) -> Result<StagedModule, Box<(ReadyZip, Error)>> {
        match self.unpack(entry, &ready) {
            Ok((partial, h1)) => Ok(StagedModule { ready, partial, h1 }),
            Err(error) => Err(Box::new((ready, error))),
        }
    }

    /// What a failure to stage a module comes to.
    pub(in crate::fetch) fn unstaged(
        self,
        entry: &CacheEntry,
        ready: ReadyZip,
        error: Error,
    ) -> Finished {
        if ready.was_cached() {
            return Finished::Done(Err(cached(error, &entry.zip_path())));
        }
        if error.kind() == Kind::Security
            && let Some((part, assembly)) = ready.zip
        {
            part.discard();
            return match assembly {
                ZipAssembly::Doubtful => Finished::Refetch(error),
                ZipAssembly::Final => {
                    Finished::Done(Err(self.run.wrong_again(entry.module(), error)))
                }
            };
        }
        Finished::Done(Err(error))
    }

    /// Makes zip, ziphash and directory visible.
    pub(in crate::fetch) fn publish(self, entry: &CacheEntry, staged: StagedModule) -> Result<H1> {
        let StagedModule {
            mut ready,
            partial,
            h1,
        } = staged;
        if ready.was_cached() {
            let committed = self.commit(entry, &mut ready, &h1);
            committed.map_err(|error| cached(error, &entry.zip_path()))?;
        } else {
            self.commit(entry, &mut ready, &h1)?;
        }
        if let Some(partial) = partial {
            partial.finish()?;
        }
        Ok(h1)
    }

    fn open_zip(self, entry: &CacheEntry, ready: &ReadyZip) -> Result<ModuleZip> {
        let file = match &ready.zip {
            Some((part, _)) => entry.named(part.reader())?,
            None => {
                let path = entry.zip_path();
                let opened = File::open(&path);
                entry.named(opened.map_err(|cause| Error::io("cannot open", &path, cause)))?
            }
        };
        ModuleZip::open(file, entry.module())
    }

    fn hash_zip(self, entry: &CacheEntry, ready: &ReadyZip) -> Result<H1> {
        self.open_zip(entry, ready)?.hash()
    }

    fn unpack(self, entry: &CacheEntry, ready: &ReadyZip) -> Result<(Option<Partial>, H1)> {
        let archive = self.open_zip(entry, ready)?;
        if self.want() < Want::Extracted || entry.has_directory() {
            let h1 = archive.hash()?;
            self.run.sums.check(entry.module(), SumPart::Zip, &h1)?;
            return Ok((None, h1));
        }
        let partial = entry.begin_directory(&ready.lock)?;
        let h1 = archive.extract(partial.directory())?;
        self.run.sums.check(entry.module(), SumPart::Zip, &h1)?;
        partial.seal(|directory| {
            if !self.run.engine.writable {
                archive.seal(directory);
            }
        });
        Ok((Some(partial), h1))
    }

    /// Makes zip and ziphash visible, whose hash was checked.
    fn commit(self, entry: &CacheEntry, ready: &mut ReadyZip, h1: &H1) -> Result<()> {
        let lock = &ready.lock;
        match ready.zip.take() {
            Some((part, _)) => entry.commit_zip(lock, part, h1),
            None => match entry.read_ziphash()? {
                Some(recorded) if recorded != *h1 => Err(Error::new(
                    Kind::Security,
                    format!(
                        "{}: zip has been modified ({})\n\tzip:     {h1}\n\tziphash: {recorded}",
                        entry.module(),
                        entry.zip_path().display()
                    ),
                )),
                Some(_) => Ok(()),
                None => entry.commit_ziphash(lock, h1),
            },
        }
    }
}
