//! Advisory locks on files, the same `flock(2)` that `go` takes.
//!
//! Lock files stay when the lock is released: removing one would let two owners exist, one of
//! the unlinked file and one of its successor. A dead owner holds nothing, the kernel lets go.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::create_dir_all;
use crate::error::{Error, Kind, Result};

/// An exclusive lock, released when dropped.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Waits for the lock on `path`, creating the file and its directory.
    ///
    /// # Errors
    /// [`Kind::LocalIo`]: the file cannot be opened, or its file system has no locks.
    pub fn acquire(path: &Path) -> Result<FileLock> {
        let lock = FileLock::open(path)?;
        retry_interrupted(|| lock_exclusive(&lock.file))
            .map_err(|cause| cannot_lock(path, cause))?;
        Ok(lock)
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// As [`FileLock::acquire`].
    pub fn try_acquire(path: &Path) -> Result<Option<FileLock>> {
        let lock = FileLock::open(path)?;
        loop {
            match try_lock_exclusive(&lock.file) {
                Ok(()) => return Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(cause)) => return Err(cannot_lock(path, cause)),
            }
        }
    }

    /// The locked file, open for reading and writing.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    fn open(path: &Path) -> Result<FileLock> {
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
        };
        let file = match open() {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    create_dir_all(parent)?;
                }
                open()
            }
            other => other,
        };
        let file = file.map_err(|cause| Error::io("cannot open lock file", path, cause))?;
        Ok(FileLock { file })
    }
}

/// The lock of one version: who holds it alone may write its zip, ziphash and directory.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Debug)]
pub struct VersionLock {
    /// Held, never looked at.
    pub(super) _held: FileLock,
}

#[expect(clippy::disallowed_methods, reason = "the one place that locks")]
fn lock_exclusive(file: &File) -> io::Result<()> {
    file.lock()
}

#[expect(clippy::disallowed_methods, reason = "the one place that locks")]
fn try_lock_exclusive(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// `flock` is interrupted by any handled signal, and std hands that on.
fn retry_interrupted(mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match act() {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn cannot_lock(path: &Path, cause: io::Error) -> Error {
    let unsupported = cause.kind() == io::ErrorKind::Unsupported;
    let error = Error::new(Kind::LocalIo, format!("cannot lock {}", path.display())).because(cause);
    if unsupported {
        return error.hint("this file system has no locks: put GOMODCACHE on one that has");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_not_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/v1.lock");
        let held = FileLock::acquire(&path).unwrap();
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(held);
        assert!(FileLock::try_acquire(&path).unwrap().is_some());
        assert!(path.exists(), "the file stays");
    }

    #[test]
    fn a_waiter_gets_the_lock_when_the_owner_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v1.lock");
        let held = FileLock::acquire(&path).unwrap();
        let (sent, received) = crossbeam_channel::bounded(1);
        std::thread::scope(|scope| {
            scope.spawn(|| sent.send(FileLock::acquire(&path).map(drop)));
            // Whatever the scheduler does, nobody may have it while it is held.
            assert!(FileLock::try_acquire(&path).unwrap().is_none());
            assert!(received.try_recv().is_err());
            drop(held);
            received.recv().unwrap().unwrap();
        });
    }

    #[test]
    fn a_lock_that_cannot_be_opened_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = FileLock::acquire(dir.path()).unwrap_err();
        assert_eq!(error.kind(), Kind::LocalIo);
        assert!(
            error
                .chain()
                .starts_with(&format!("cannot open lock file {}", dir.path().display()))
        );
    }
}
