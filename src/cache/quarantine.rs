//! Moving damaged pieces of an entry out of the way, so that they can be looked at.
//!
//! `cache/modfetch/quarantine/P@V/N/` holds what was moved at one time, N counting from 1; `go`
//! ignores it, and `go clean -modcache` removes it with all the rest. Each piece is renamed whole:
//! no reader sees a directory that is half there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Cache, CacheEntry, VersionLock};
use crate::error::{Error, Result};
use crate::fsio::create_dir_all;
use crate::layout;
use crate::system::{mode, set_mode};

/// A piece of an entry that may be damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryPiece {
    /// The zip.
    Zip,
    /// The extracted directory.
    Dir,
    /// The recorded hash.
    ZipHash,
    /// The go.mod.
    GoMod,
}

impl EntryPiece {
    /// As messages name it; go's word where go has one.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            EntryPiece::Zip => "zip",
            EntryPiece::Dir => "dir",
            EntryPiece::ZipHash => "ziphash",
            EntryPiece::GoMod => "go.mod",
        }
    }

    fn place(self, entry: &CacheEntry) -> PathBuf {
        match self {
            EntryPiece::Zip => entry.zip_path(),
            EntryPiece::Dir => entry.directory().to_owned(),
            EntryPiece::ZipHash => entry.ziphash_path(),
            EntryPiece::GoMod => entry.gomod_path(),
        }
    }
}

impl Cache {
    /// Moves pieces of an entry to a new place in the quarantine, which is returned. A piece that
    /// is not there any more is none to move.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]; what was moved before stays moved.
    pub fn quarantine(
        &self,
        entry: &CacheEntry,
        pieces: &[EntryPiece],
        _lock: &VersionLock,
    ) -> Result<PathBuf> {
        let escaped = entry.module().escape()?;
        let name = layout::extracted(&escaped);
        let below = self.root.join(layout::QUARANTINE).join(name);
        create_dir_all(&below)?;
        let target = claim(&below)?;
        for piece in pieces {
            let from = piece.place(entry);
            let to = target.join(piece.noun());
            match rename(&from, &to) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(|cause| Error::io("cannot move away", &from, cause))?,
            }
        }
        Ok(target)
    }
}

impl Cache {
    /// Moves pieces back from where [`Cache::quarantine`] put them, except where something has
    /// come in their place. The place in the quarantine goes if nothing is left in it.
    ///
    /// # Errors
    /// As [`Cache::quarantine`].
    pub fn put_back(&self, entry: &CacheEntry, from: &Path, _lock: &VersionLock) -> Result<()> {
        for piece in [
            EntryPiece::Zip,
            EntryPiece::Dir,
            EntryPiece::ZipHash,
            EntryPiece::GoMod,
        ] {
            let (from, to) = (from.join(piece.noun()), piece.place(entry));
            if fs::symlink_metadata(&to).is_ok() || fs::symlink_metadata(&from).is_err() {
                continue;
            }
            rename(&from, &to).map_err(|cause| Error::io("cannot move back", &from, cause))?;
        }
        // It may hold what was not moved.
        let _ = fs::remove_dir(from);
        Ok(())
    }
}

/// Makes a new directory that no other process writes to.
fn claim(below: &Path) -> Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let target = below.join(number.to_string());
        match fs::create_dir(&target) {
            Ok(()) => return Ok(target),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => {
                number += 1;
            }
            Err(cause) => return Err(Error::io("cannot create", &target, cause)),
        }
    }
}

/// A sealed directory cannot get another parent: it is opened up for the move.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(from)?;
    let mode = mode(&found.permissions());
    if found.is_dir() && mode & 0o200 == 0 {
        set_mode(from, mode | 0o200)?;
        fs::rename(from, to)?;
        return fs::set_permissions(to, found.permissions());
    }
    fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::ModuleVersion;

    #[test]
    fn pieces_are_moved_whole_and_each_time_to_a_new_place() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        let module = ModuleVersion::parse("a.com/Up", "v1.0.0").unwrap();
        let entry = cache.entry(&module).unwrap();
        let lock = entry.lock().unwrap();
        for round in ["1", "2"] {
            fs::create_dir_all(entry.directory()).unwrap();
            fs::write(entry.directory().join("x.go"), round).unwrap();
            set_mode(entry.directory(), 0o555).unwrap();
            fs::write(entry.zip_path(), round).unwrap();
            let pieces = [EntryPiece::Zip, EntryPiece::Dir, EntryPiece::GoMod];
            let target = cache.quarantine(&entry, &pieces, &lock).unwrap();
            let want = format!("cache/modfetch/quarantine/a.com/!up@v1.0.0/{round}");
            assert_eq!(target, root.path().join(want));
            assert_eq!(fs::read_to_string(target.join("zip")).unwrap(), round);
            assert_eq!(fs::read_to_string(target.join("dir/x.go")).unwrap(), round);
            assert!(!entry.directory().exists() && !entry.zip_path().exists());
            set_mode(&target.join("dir"), 0o755).unwrap();
        }
        assert!(
            cache.modules().unwrap().is_empty(),
            "quarantine is no entry"
        );
        fs::write(entry.zip_path(), "new").unwrap();
        let from = root
            .path()
            .join("cache/modfetch/quarantine/a.com/!up@v1.0.0");
        cache.put_back(&entry, &from.join("1"), &lock).unwrap();
        assert_eq!(fs::read_to_string(entry.zip_path()).unwrap(), "new");
        let file = entry.directory().join("x.go");
        assert_eq!(fs::read_to_string(file).unwrap(), "1");
        assert!(from.join("1").exists());
        fs::remove_file(entry.zip_path()).unwrap();
        fs::remove_dir_all(entry.directory()).unwrap();
        cache.put_back(&entry, &from.join("2"), &lock).unwrap();
        assert_eq!(fs::read_to_string(entry.zip_path()).unwrap(), "2");
        assert!(entry.directory().exists() && !from.join("2").exists());
    }
}
