//! The computing half of a zip: one inflation that checks, hashes and writes, then the commit.

use std::fs::File;

use super::Fetcher;
use super::meta::cached;
use super::transfer::{Pieces, Ready};
use crate::cache::{Entry, VersionLock, ZipPart};
use crate::error::{Error, Kind, Result};
use crate::module::H1;
use crate::modzip::ModuleZip;
use crate::trust::Part;

/// How the computing half ended.
pub(super) enum Finished {
    /// The entry is complete, or it failed.
    Done(Result<H1>),
    /// The zip was put together from several transfers and is wrong, for this reason. It is gone,
    /// and is to be fetched whole. Not under the same lock: who holds one may have to wait for a
    /// thread that waits for another.
    Again(Error),
}

impl Fetcher<'_> {
    /// Completes zip, ziphash and directory of an entry whose lock is held.
    ///
    /// The directory is made below its `.partial` mark and loses it only after the hash agreed
    /// and the zip is in its place. On any failure the directory goes first, then the mark. A new
    /// zip goes if it is wrong; if something else failed, it need not be fetched again.
    pub(super) fn finish_zip(&self, entry: &Entry, ready: Ready<'_>) -> Finished {
        let Ready { lock, mut zip, .. } = ready;
        let was_cached = zip.is_none();
        let done = self.unpack(entry, &lock, &mut zip);
        let Err(error) = done else {
            return Finished::Done(done);
        };
        if was_cached {
            return Finished::Done(Err(cached(error, &entry.zip_path())));
        }
        if error.kind() == Kind::Security
            && let Some((part, pieces)) = zip
        {
            part.discard();
            if pieces == Pieces::Several {
                return Finished::Again(error);
            }
        }
        Finished::Done(Err(error))
    }

    fn unpack(
        &self,
        entry: &Entry,
        lock: &VersionLock,
        zip: &mut Option<(ZipPart, Pieces)>,
    ) -> Result<H1> {
        let file = match &zip {
            Some((part, _)) => entry.named(part.reader())?,
            None => {
                let path = entry.zip_path();
                let opened = File::open(&path);
                entry.named(opened.map_err(|cause| Error::io("cannot open", &path, cause)))?
            }
        };
        let archive = ModuleZip::open(file, entry.module())?;
        if entry.has_directory() {
            let h1 = archive.hash()?;
            self.accept(entry, lock, zip, &h1)?;
            return Ok(h1);
        }
        let unpack = || {
            let partial = entry.begin_directory(lock)?;
            let h1 = archive.extract(partial.directory())?;
            Ok::<_, Error>((partial, h1))
        };
        let (partial, h1) = match unpack() {
            Ok(unpacked) => unpacked,
            Err(error) => {
                if error.kind() == Kind::LocalIo && zip.is_some() {
                    // Where there is no room for the directory, there may be for the zip, which
                    // then is not asked for again. Best effort: the failure is told as it was.
                    let _ = archive
                        .hash()
                        .and_then(|h1| self.accept(entry, lock, zip, &h1));
                }
                return Err(error);
            }
        };
        self.accept(entry, lock, zip, &h1)?;
        partial.finish(|directory| {
            if !self.settings.writable {
                archive.seal(directory);
            }
        })?;
        Ok(h1)
    }

    /// Checks the hash of the content, and only then makes zip and ziphash visible.
    fn accept(
        &self,
        entry: &Entry,
        lock: &VersionLock,
        zip: &mut Option<(ZipPart, Pieces)>,
        h1: &H1,
    ) -> Result<()> {
        self.sums.check(entry.module(), Part::Zip, h1)?;
        match zip.take() {
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
