//! Where the client keeps what it has proven: go's places, shared with every `go`.
//!
//! | file | content | written |
//! |---|---|---|
//! | `$GOMODCACHE/cache/download/sumdb/NAME/lookup/P@V` | a response, as received | renamed into place |
//! | `$GOMODCACHE/cache/download/sumdb/NAME/tile/8/...` | a tile | renamed into place |
//! | `$GOPATH/pkg/sumdb/NAME/latest` | the newest signed head | in place, under its lock |
//!
//! `go` writes all three in place and under locks. What it reads it proves again, and so do we:
//! a file that is torn or altered is as good as none. The head alone must not be lost, because
//! what it recorded can be nowhere else; so its lock is held for the comparison and the one
//! write, and for nothing that could wait.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::fsio::{FileLock, Locks, begin_write, write_atomically};
use crate::layout;

/// A cached file that is longer is not read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The files of one database.
#[derive(Clone, Debug)]
pub struct Store {
    cache: PathBuf,
    latest: Option<PathBuf>,
    writable: bool,
    locks: Locks,
}

/// How the attempt to replace the newest head ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The file has the new head.
    Done,
    /// Another process wrote this one meanwhile; nothing was changed.
    Found(Vec<u8>),
}

impl Store {
    /// Names the files of the database `name`; touches nothing. Without a GOPATH there is no
    /// place for the newest head.
    #[must_use]
    pub fn new(gomodcache: &Path, gopath: Option<&Path>, name: &str) -> Store {
        Store {
            cache: gomodcache.join(layout::DOWNLOAD).join(layout::sumdb(name)),
            latest: gopath.map(|path| path.join(layout::sumdb_head(name))),
            locks: Locks::default(),
            writable: true,
        }
    }

    /// The files of a database that stands in `directory`, with its newest head in the file `latest`.
    #[must_use]
    pub fn at(directory: &Path, latest: &Path) -> Store {
        Store {
            cache: directory.to_owned(),
            latest: Some(latest.to_owned()),
            locks: Locks::default(),
            writable: true,
        }
    }

    /// The same files, to be read only: what would be written is not, no lock is taken, and all
    /// the same nothing is a failure. Without a GOPATH, no head was seen.
    #[must_use]
    pub fn read_only(self) -> Store {
        Store {
            writable: false,
            ..self
        }
    }

    /// True if nothing will be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        !self.writable
    }

    /// The same files, waiting for the lock of the newest head in this way.
    #[must_use]
    pub fn with_locks(self, locks: Locks) -> Store {
        Store { locks, ..self }
    }

    /// The content of a cached file; `None` if there is none, or none that is readable.
    #[must_use]
    pub fn read(&self, file: &str) -> Option<Vec<u8>> {
        let data = read_bounded(&self.cache.join(file)).ok()?;
        (!data.is_empty()).then_some(data)
    }

    /// When a cached file was written; `None` if there is none.
    #[must_use]
    pub fn modified(&self, file: &str) -> Option<SystemTime> {
        fs::metadata(self.cache.join(file)).ok()?.modified().ok()
    }

    /// Caches a file. Returns whether that worked: a cache that cannot be written is no failure.
    pub fn write(&self, file: &str, data: &[u8]) -> bool {
        if !self.writable {
            return false;
        }
        let written = write_atomically(&self.cache.join(file), data).is_ok();
        failpoints::reached(match file.starts_with("lookup/") {
            true => "lookup-written",
            false => "tile-written",
        });
        written
    }

    /// The file of the newest head.
    ///
    /// # Errors
    /// [`Kind::Input`] in go's words if there is no GOPATH.
    pub fn latest_path(&self) -> Result<&Path> {
        self.latest.as_deref().ok_or_else(|| {
            Error::new(Kind::Input, "could not locate sumdb file: missing $GOPATH")
                .hint("set GOPATH or HOME to an absolute path")
        })
    }

    /// The newest head; empty if none was kept yet. `is_whole` tells a head from a torn file: it
    /// may be read in the middle of a write, and is then read again under its lock.
    ///
    /// # Errors
    /// [`Kind::LocalIo`], [`Kind::LockTimeout`], [`Kind::Input`].
    pub fn read_latest(&self, is_whole: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        if !self.writable && self.latest.is_none() {
            return Ok(Vec::new());
        }
        let path = self.latest_path()?;
        match read_bounded(path) {
            Ok(data) if is_whole(&data) || !self.writable => Ok(data),
            Ok(data) => match self.locks.acquire(path, None) {
                Ok(mut lock) => read_locked(&mut lock, path),
                Err(error) if error.kind() == Kind::LockTimeout => Err(error),
                // No process can be writing to a file that is read-only for all of us.
                Err(_) => Ok(data),
            },
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(cause) => Err(Error::io("cannot read", path, cause)),
        }
    }

    /// Replaces the newest head, if it is still `expected` or there is none.
    ///
    /// # Errors
    /// [`Kind::LocalIo`], [`Kind::LockTimeout`], [`Kind::Input`].
    pub fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance> {
        if !self.writable {
            return Ok(Advance::Done);
        }
        let path = self.latest_path()?;
        let mut lock = self.locks.acquire(path, None)?;
        let _writing = begin_write();
        let found = read_locked(&mut lock, path)?;
        if found == new {
            return Ok(Advance::Done);
        }
        if !found.is_empty() && found != expected {
            return Ok(Advance::Found(found));
        }
        overwrite(lock.file(), found.len(), new)
            .map_err(|cause| Error::io("cannot write", path, cause))?;
        failpoints::reached("head-written");
        Ok(Advance::Done)
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut data)?;
    if data.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("file too large"));
    }
    Ok(data)
}

fn read_locked(lock: &mut FileLock, path: &Path) -> Result<Vec<u8>> {
    let read = |file: &mut File| {
        let mut data = Vec::new();
        file.rewind()?;
        file.take(MAX_FILE_BYTES).read_to_end(&mut data)?;
        Ok(data)
    };
    read(lock.file()).map_err(|cause| Error::io("cannot read", path, cause))
}

/// One write of everything, so that no killed process leaves half a head. An empty file, which
/// is what a shorter head passes through, is read as none.
fn overwrite(file: &mut File, old_length: usize, new: &[u8]) -> io::Result<()> {
    if new.len() < old_length {
        file.set_len(0)?;
    }
    file.rewind()?;
    file.write_all(new)
}

/// Where a cached file is.
#[cfg(test)]
pub(super) fn file_of(store: &Store, file: &str) -> PathBuf {
    store.cache.join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_go_has_them_and_nothing_is_made_without_need() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, gopath) = (dir.path().join("mod"), dir.path().join("gopath"));
        let store = Store::new(&cache, Some(&gopath), "h.com/db");
        assert_eq!(store.read("lookup/a@v1"), None);
        assert_eq!(store.read_latest(|_| true).unwrap(), b"");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(store.write("lookup/a@v1", b"x"));
        let file = cache.join("cache/download/sumdb/h.com/db/lookup/a@v1");
        assert_eq!(fs::read(&file).unwrap(), b"x");
        assert_eq!(store.read("lookup/a@v1").unwrap(), b"x");
        // What go leaves for a moment between making and filling a file.
        fs::write(&file, "").unwrap();
        assert_eq!(store.read("lookup/a@v1"), None);
        assert_eq!(store.advance_latest(b"", b"one").unwrap(), Advance::Done);
        let latest = gopath.join("pkg/sumdb/h.com/db/latest");
        assert_eq!(fs::read(latest).unwrap(), b"one");
    }

    #[test]
    fn the_newest_head_is_replaced_only_if_it_is_the_one_that_was_seen() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path(), Some(dir.path()), "db");
        let read = || store.read_latest(|_| true).unwrap();
        assert_eq!(store.advance_latest(b"x", b"first").unwrap(), Advance::Done);
        let found = Advance::Found(b"first".to_vec());
        assert_eq!(store.advance_latest(b"", b"2").unwrap(), found);
        assert_eq!(store.advance_latest(b"other", b"2").unwrap(), found);
        assert_eq!(read(), b"first");
        assert_eq!(store.advance_latest(b"first", b"2").unwrap(), Advance::Done);
        assert_eq!(read(), b"2");
        assert_eq!(store.advance_latest(b"lost", b"2").unwrap(), Advance::Done);
    }

    #[test]
    fn without_gopath_there_is_no_place_for_a_head() {
        let store = Store::new(Path::new("/x"), None, "db");
        let error = store.read_latest(|_| true).unwrap_err();
        assert!(
            error
                .chain()
                .starts_with("could not locate sumdb file: missing $GOPATH")
        );
    }

    #[test]
    fn a_head_that_is_not_whole_is_read_again_under_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path(), Some(dir.path()), "db");
        store.advance_latest(b"", b"whole").unwrap();
        let path = store.latest_path().unwrap().to_owned();
        let held = FileLock::acquire(&path).unwrap();
        fs::write(&path, "who").unwrap();
        std::thread::scope(|scope| {
            let (sent, received) = crossbeam_channel::bounded(1);
            let store = &store;
            let reader = scope.spawn(move || {
                store.read_latest(|data| {
                    let _ = sent.send(());
                    data == b"whole"
                })
            });
            received.recv().unwrap();
            fs::write(&path, "whole").unwrap();
            drop(held);
            assert_eq!(reader.join().unwrap().unwrap(), b"whole");
        });
    }
}
