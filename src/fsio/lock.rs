//! Advisory locks on files, the same `flock(2)` that `go` takes.
//!
//! Lock files stay when the lock is released: removing one would let two owners exist, one of
//! the unlinked file and one of its successor. A dead owner holds nothing, the kernel lets go.
//!
//! Without a limit a wait is the kernel's: first come, first served, beside every waiting `go`,
//! and no wake-up in vain. With a limit the lock is tried again and again: `flock` knows no
//! time-out, a thread that sits in it could not be called back and would take the lock when
//! no caller wants it any more, and a signal to wake it would need code that is not safe. The same holds for a wait that
//! ends with the work it is for.
//!
//! # Which locks there are, and their order
//! | lock | covers | held for |
//! |---|---|---|
//! | `V.lock` ([`VersionLock`](crate::cache::VersionLock)) | zip, ziphash, directory and part of one version | a transfer and its extraction |
//! | `cache/lock` | the rewrite of go.sum, go.mod, go.work.sum | a read and a write |
//! | the file itself: go.mod, go.sum, a saved tree head | its content | a read and a write |
//! | `list` | the list of versions of one module | a read of one directory |
//!
//! - The order is that of the table: the holder of a lock takes only those below it. So `list` is innermost, and no thread,
//!   `go` neither, waits for a version's lock while holding one of the others.
//! - Who holds the lock of a version waits for that of no other version. Several may be held at once, each obtained
//!   by trying ([`FileLock::try_acquire`]) or as the only one that its thread waits for; a wait never keeps another
//!   such lock from being released:
//!   - A version's lock is waited for on the transfer pool of [`fetch`](crate::fetch), behind all other work of the
//!     run, or on a thread that belongs to one request. All threads of the pool may be at it: what a held lock still
//!     needs was queued there before the first of these waits, or is done by the compute pool, which waits for no lock.
//!     For that reason one run at a time hands out work on an engine's pools.
//!   - What was prefetched keeps its locks while the graph is read and go.mod and go.sum are written. That waits for
//!     servers and for locks further down the table, and for no version's.
//! - No lock is held while a thread is joined that may wait for one.
//! - A complete entry needs none: whoever obtains a lock looks again, since the work may have been done meanwhile.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::in_directory_of;
use crate::cancel::CancelToken;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink};
use crate::gomod::ModuleVersion;
use crate::system::{self, LockRefusal};

/// How locks are waited for: for how long, for which work, and where waits are reported. By default for ever, for work that
/// nothing ends, and nowhere.
#[derive(Clone, Default)]
pub struct Locks {
    limit: Option<Duration>,
    events: Option<Arc<dyn EventSink>>,
    /// Ends waits; `None` where they are the kernel's.
    cancel: Option<CancelToken>,
}

impl Locks {
    /// Waits for `limit` at most, if there is one.
    #[must_use]
    pub fn new(limit: Option<Duration>, events: Arc<dyn EventSink>) -> Locks {
        Locks {
            limit,
            events: Some(events),
            cancel: None,
        }
    }

    /// The same waits for one piece of work, which end with it. The kernel cannot be asked to end a wait, so the lock
    /// is tried again and again then.
    #[must_use]
    pub fn bind(&self, cancel: CancelToken, events: Arc<dyn EventSink>) -> Locks {
        Locks {
            limit: self.limit,
            events: Some(events),
            cancel: Some(cancel),
        }
    }

    /// Waits for the lock on `path`, creating the file and its directory; `module` is whom it is
    /// for.
    ///
    /// # Errors
    /// [`Kind::LocalIo`]: the file cannot be opened, or its file system has no locks;
    /// [`Kind::LockTimeout`], naming the file and, where it can be found out, who holds it.
    pub fn acquire(&self, path: &Path, module: Option<&ModuleVersion>) -> Result<FileLock> {
        for _ in 0..MAX_REPLACED {
            let lock = self.acquire_what_is_there(path, module)?;
            if lock.is_at(path) {
                return Ok(lock);
            }
        }
        self.acquire_what_is_there(path, module)
    }

    fn acquire_what_is_there(
        &self,
        path: &Path,
        module: Option<&ModuleVersion>,
    ) -> Result<FileLock> {
        let lock = FileLock::open(path)?;
        if lock.try_take(path)? {
            return Ok(lock);
        }
        let say = |event: &Event<'_>| {
            if let Some(events) = &self.events {
                events.event(event);
            }
        };
        say(&Event::LockWaiting { lock: path, module });
        let taken = match (self.limit, &self.cancel) {
            (None, None) => lock.wait(path),
            (limit, cancel) => lock.poll(path, limit, cancel.as_ref()),
        };
        say(&Event::LockWaited { lock: path });
        taken.map(|()| lock)
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// So often the file that was locked may have been removed meanwhile, by a process that had the lock before. After
/// that, it is taken for a file system that cannot say which file is which.
const MAX_REPLACED: usize = 1000;

/// An exclusive lock, released when dropped.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Waits for the lock on `path` for as long as it takes, without an event.
    ///
    /// # Errors
    /// As [`Locks::acquire`].
    pub fn acquire(path: &Path) -> Result<FileLock> {
        Locks::default().acquire(path, None)
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// As [`Locks::acquire`].
    pub fn try_acquire(path: &Path) -> Result<Option<FileLock>> {
        for _ in 0..MAX_REPLACED {
            let lock = FileLock::open(path)?;
            match lock.try_take(path)? {
                true if lock.is_at(path) => return Ok(Some(lock)),
                true => {}
                false => return Ok(None),
            }
        }
        let lock = FileLock::open(path)?;
        Ok(lock.try_take(path)?.then_some(lock))
    }

    /// The locked file, to be handed to a program that works under the lock.
    #[must_use]
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// The locked file, open for reading and writing.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// True if the locked file is still the one at `path`: it may have been removed, and made anew
    /// by another process that locked a file of its own.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        system::is_at(&self.file, path)
    }

    fn open(path: &Path) -> Result<FileLock> {
        let file = in_directory_of(path, || open_or_create(path))?;
        // Where what is locked is what is read, these are go's words.
        let verb = match path.extension() {
            Some(end) if end == "lock" => "cannot open lock file",
            _ => "open",
        };
        let file = file.map_err(|cause| Error::io(verb, path, cause))?;
        Ok(FileLock { file })
    }

    /// Whether the lock was free and is ours now.
    fn try_take(&self, path: &Path) -> Result<bool> {
        loop {
            match try_lock_exclusive(&self.file) {
                Ok(()) => return Ok(true),
                Err(TryLockError::WouldBlock) => return Ok(false),
                Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(cause)) => return Err(cannot_lock(path, cause)),
            }
        }
    }

    fn wait(&self, path: &Path) -> Result<()> {
        retry_interrupted(|| lock_exclusive(&self.file)).map_err(|cause| cannot_lock(path, cause))
    }

    /// Tries again until `limit` has passed or the work is cancelled, soon at first: most locks are held for a moment.
    fn poll(
        &self,
        path: &Path,
        limit: Option<Duration>,
        cancel: Option<&CancelToken>,
    ) -> Result<()> {
        let begun = Instant::now();
        let end = cancel.and_then(CancelToken::deadline).map(|end| end.left());
        let limit = limit.into_iter().chain(end).min();
        let mut pause = FIRST_PAUSE;
        loop {
            let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            if let Some(limit) = limit.filter(|_| left.is_some_and(|left| left.is_zero())) {
                return Err(too_late(path, limit, &self.file));
            }
            let pause_now = left.map_or(pause, |left| pause.min(left));
            match cancel {
                Some(cancel) => {
                    cancel.wait(pause_now);
                    if cancel.is_cancelled() {
                        cancel.check(&format_args!("cannot lock {}", path.display()))?;
                    }
                }
                None => thread::sleep(pause_now),
            }
            if self.try_take(path)? {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Twenty system calls a second cost little, and so short a delay is not noticed.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

#[expect(clippy::disallowed_methods, reason = "the one place that locks")]
fn lock_exclusive(file: &File) -> io::Result<()> {
    file.lock()
}

#[expect(clippy::disallowed_methods, reason = "the one place that locks")]
fn try_lock_exclusive(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// Takes a shared lock, which goes when the file is closed, if it can be had within `limit`.
pub(super) fn share(file: &File, limit: Duration) {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    while let Err(TryLockError::WouldBlock) = file.try_lock_shared()
        && begun.elapsed() < limit
    {
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
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

/// Opens a file for reading and writing as it is; an empty one is made where there is none.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn cannot_lock(path: &Path, cause: io::Error) -> Error {
    let dir = path.parent().unwrap_or(path).display();
    let hint = match system::lock_refusal(&cause) {
        Some(LockRefusal::NoneLeft) => Some(format!(
            "the file system of {dir} has no locks to give: on NFS, its lock service does not \
             answer; mount it with local_lock=flock, or use another file system"
        )),
        Some(LockRefusal::NotSupported) => Some(format!(
            "the file system of {dir} does not know locks (flock), so programs that share it could \
             spoil each other's work; use another file system"
        )),
        None => None,
    };
    let error = Error::new(Kind::LocalIo, format!("cannot lock {}", path.display())).because(cause);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn too_late(path: &Path, limit: Duration, file: &File) -> Error {
    let holder = system::lock_holder(file).unwrap_or_else(|| "another process".to_owned());
    let held = match limit.is_zero() {
        true => "holds it".to_owned(),
        false => format!("has held it for {limit:?}"),
    };
    let text = format!("cannot lock {}: {holder} {held}", path.display());
    Error::new(Kind::LockTimeout, text)
        .hint("it may be at work: try again; --lock-timeout (MODFETCH_LOCK_TIMEOUT) sets the limit")
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
        thread::scope(|scope| {
            scope.spawn(|| sent.send(FileLock::acquire(&path).map(drop)));
            // Whatever the scheduler does, no other thread may have it while it is held.
            assert!(FileLock::try_acquire(&path).unwrap().is_none());
            assert!(received.try_recv().is_err());
            drop(held);
            received.recv().unwrap().unwrap();
        });
    }

    #[test]
    fn a_wait_with_a_limit_ends_with_the_lock_or_with_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v1.lock");
        let locks = |limit| Locks {
            limit: Some(limit),
            ..Locks::default()
        };
        let held = FileLock::acquire(&path).unwrap();
        for (limit, held) in [(0, "holds it"), (5, "has held it for 5ms")] {
            let limit = Duration::from_millis(limit);
            let error = locks(limit).acquire(&path, None).unwrap_err();
            assert_eq!(error.kind(), Kind::LockTimeout);
            let chain = error.chain();
            let named = format!("cannot lock {}: ", path.display());
            assert!(chain.starts_with(&named), "{chain}");
            assert!(chain.ends_with(held), "{chain}");
        }
        thread::scope(|scope| {
            let patient = scope.spawn(|| {
                let got = locks(Duration::from_secs(3600)).acquire(&path, None);
                got.map(drop)
            });
            drop(held);
            patient.join().unwrap().unwrap();
        });
    }

    #[cfg(unix)]
    #[test]
    fn file_systems_without_locks_are_told_apart() {
        use rustix::io::Errno;
        let rows = [
            (
                Errno::NOLCK,
                "cannot lock /c/v1.lock: no locks available",
                "lock service",
            ),
            (
                Errno::NOSYS,
                "cannot lock /c/v1.lock: function not implemented",
                "does not know",
            ),
            (
                Errno::OPNOTSUPP,
                "cannot lock /c/v1.lock: operation not supported",
                "does not know",
            ),
            (Errno::IO, "cannot lock /c/v1.lock: input/output error", ""),
        ];
        for (errno, want, hint) in rows {
            let error = cannot_lock(Path::new("/c/v1.lock"), errno.into());
            assert_eq!(error.kind(), Kind::LocalIo);
            assert_eq!(error.chain().to_lowercase(), want);
            assert_eq!(error.hints().is_empty(), hint.is_empty());
            assert!(error.hints().iter().all(|told| told.contains(hint)));
        }
    }

    #[test]
    fn a_lock_that_cannot_be_opened_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = FileLock::acquire(dir.path()).unwrap_err();
        assert_eq!(error.kind(), Kind::LocalIo);
        assert!(
            error
                .chain()
                .starts_with(&format!("open {}", dir.path().display()))
        );
    }
}
