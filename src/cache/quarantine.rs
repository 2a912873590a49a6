//! Moving damaged pieces of an entry out of the way, so that they can be looked at.
//!
//! `cache/modfetch/quarantine/P@V/N/` holds what was moved at one time, N counting from 1; `go`
//! ignores it, and `go clean -modcache` removes it with all the rest. Each piece is renamed whole:
//! no reader sees a directory that is half there.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Cache, Entry, VersionLock, create_dir_all};
use crate::error::{Error, Result};

/// A piece of an entry that may be damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The zip.
    Zip,
    /// The extracted directory.
    Dir,
    /// The recorded hash.
    ZipHash,
    /// The go.mod.
    GoMod,
}

impl Piece {
    /// As messages name it; go's word where go has one.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Piece::Zip => "zip",
            Piece::Dir => "dir",
            Piece::ZipHash => "ziphash",
            Piece::GoMod => "go.mod",
        }
    }

    fn place(self, entry: &Entry) -> PathBuf {
        match self {
            Piece::Zip => entry.zip_path(),
            Piece::Dir => entry.directory().to_owned(),
            Piece::ZipHash => entry.ziphash_path(),
            Piece::GoMod => entry.gomod_path(),
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
        entry: &Entry,
        pieces: &[Piece],
        _lock: &VersionLock,
    ) -> Result<PathBuf> {
        let escaped = entry.module().escape()?;
        let name = format!("{}@{}", escaped.path(), escaped.version());
        let below = self.root.join("cache/modfetch/quarantine").join(name);
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

/// Makes a new directory that nobody else puts anything into.
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
    let mode = found.permissions().mode();
    if found.is_dir() && mode & 0o200 == 0 {
        fs::set_permissions(from, Permissions::from_mode(mode | 0o200))?;
        fs::rename(from, to)?;
        return fs::set_permissions(to, found.permissions());
    }
    fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::ModuleVersion;

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
            fs::set_permissions(entry.directory(), Permissions::from_mode(0o555)).unwrap();
            fs::write(entry.zip_path(), round).unwrap();
            let pieces = [Piece::Zip, Piece::Dir, Piece::GoMod];
            let target = cache.quarantine(&entry, &pieces, &lock).unwrap();
            let want = format!("cache/modfetch/quarantine/a.com/!up@v1.0.0/{round}");
            assert_eq!(target, root.path().join(want));
            assert_eq!(fs::read_to_string(target.join("zip")).unwrap(), round);
            assert_eq!(fs::read_to_string(target.join("dir/x.go")).unwrap(), round);
            assert!(!entry.directory().exists() && !entry.zip_path().exists());
            fs::set_permissions(target.join("dir"), Permissions::from_mode(0o755)).unwrap();
        }
        assert!(
            cache.modules().unwrap().is_empty(),
            "quarantine is no entry"
        );
    }
}
