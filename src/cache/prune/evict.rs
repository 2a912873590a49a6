//! Removing one thing from the cache, in the order that `prune`'s documentation gives.

use std::fs;
use std::io;
use std::path::Path;

use super::plan::{Evicted, Eviction};
use super::trash::{Discarded, Trash};
use crate::cache::{Cache, CacheEntry, RecordPiece, SpaceKind, VersionLock};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::fsio::FileLock;
use crate::gomod::ModuleVersion;
use crate::layout::{self, DOWNLOAD, VCS};
use crate::system;

/// What came of removing one thing.
#[derive(Debug)]
pub(super) enum Removal {
    /// It is out of sight.
    Done(Option<Discarded>),
    /// Another process holds its lock.
    Locked,
    /// It was used since the plan was made.
    Used,
}

impl Cache {
    /// Puts one thing out of sight.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]; what was removed before is gone, and the rest is sound.
    pub(super) fn evict(&self, eviction: &Eviction, trash: &Trash) -> Result<Removal> {
        match &eviction.what {
            Evicted::Version(module, pieces) => {
                let entry = self.entry(module)?;
                entry.named(self.evict_version(&entry, pieces, eviction.used, trash))
            }
            Evicted::Store(SpaceKind::Vcs, name) => self.evict_repository(name, trash),
            Evicted::Store(_, name) => {
                let dir = self.below(&[DOWNLOAD, "/", &layout::sumdb(name)]);
                trash.take(&dir).map(Removal::Done)
            }
        }
    }

    /// Writes the list of a module's versions anew, after `.mod` files were removed. `module` is one of them.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub(super) fn relist(&self, module: &ModuleVersion) -> Result<()> {
        self.entry(module)?.refresh_list()?;
        failpoints::reached("prune-list-written");
        Ok(())
    }

    fn evict_version(
        &self,
        entry: &CacheEntry,
        pieces: &[RecordPiece],
        used: u64,
        trash: &Trash,
    ) -> Result<Removal> {
        let Some(lock) = entry.try_lock()? else {
            return Ok(Removal::Locked);
        };
        failpoints::reached("prune-locked");
        let goes = |piece: RecordPiece| pieces.contains(&piece);
        let mut seen = vec![entry.ziphash_path()];
        seen.extend(goes(RecordPiece::GoMod).then(|| entry.gomod_path()));
        let is_used = || seen.iter().any(|file| accessed(file) > used);
        if is_used() {
            return Ok(Removal::Used);
        }
        let mut discarded = None;
        if goes(RecordPiece::Tree) {
            discarded = trash.take(entry.directory())?;
            failpoints::reached("prune-directory-renamed");
            // A build that has begun to use it in this moment reads the directory next.
            if is_used()
                && let Some(discarded) = discarded.take()
            {
                discarded.put_back(entry.directory())?;
                return Ok(Removal::Used);
            }
            remove(&entry.partial_path())?;
        }
        if goes(RecordPiece::ZipHash) {
            remove(&entry.ziphash_path())?;
            failpoints::reached("prune-ziphash-removed");
        }
        if goes(RecordPiece::Zip) {
            remove(&entry.zip_path())?;
            failpoints::reached("prune-zip-removed");
        }
        if goes(RecordPiece::Unfinished) {
            entry.sweep_part(&lock);
        }
        if goes(RecordPiece::Info) {
            remove(&entry.info_path())?;
            failpoints::reached("prune-info-removed");
        }
        if goes(RecordPiece::GoMod) {
            remove(&entry.gomod_path())?;
            failpoints::reached("prune-mod-removed");
        }
        release(lock);
        Ok(Removal::Done(discarded))
    }

    /// A repository has its lock and its description beside it, as `go` has them.
    ///
    /// Source: golang/go `cmd/go/internal/modfetch/codehost/codehost.go`, `WorkDir`.
    fn evict_repository(&self, name: &str, trash: &Trash) -> Result<Removal> {
        let dir = self.below(&[VCS, "/", name]);
        let beside = |end: &str| self.below(&[VCS, "/", name, end]);
        let Some(_lock) = FileLock::try_acquire(&beside(".lock"))? else {
            return Ok(Removal::Locked);
        };
        let discarded = trash.take(&dir)?;
        failpoints::reached("prune-repository-renamed");
        remove(&beside(".info"))?;
        Ok(Removal::Done(discarded))
    }
}

fn release(lock: VersionLock) {
    drop(lock);
    failpoints::reached("prune-unlocked");
}

/// Removes a file, which need not be there.
fn remove(file: &Path) -> Result<()> {
    match system::remove_file(file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("cannot remove", file, cause))
        }
        _ => Ok(()),
    }
}

/// When a file was last read, in seconds since 1970; 0 if it is not there.
fn accessed(file: &Path) -> u64 {
    let found = fs::metadata(file);
    found.map_or(0, |found| {
        u64::try_from(system::accessed(&found)).unwrap_or(0)
    })
}
