//! What differs between operating systems, behind one interface: the rest of the crate has no `#[cfg]` for it.
//!
//! `unix` and `windows` export the same names; each item is documented in `unix`, and in `windows` where it
//! differs. Errors are the system's ([`std::io::Error`]); the callers name their subject.
//!
//! | file | idea |
//! |---|---|
//! | `files` | reading and writing by position, and files that are created in a special way |
//! | `metadata` | modes, times, sizes, owners, and which names lead to one file |
//! | `directory` | a directory that is held open while much is created below it |
//! | `removal` | the deletion of a whole tree |
//! | `volume` | the file system of a directory: space, access times, locks |
//! | `paths` | where a user's files are, and what separates paths |
//! | `process` | limits, groups and the end of processes; the terminal |
//!
//! Windows has no mode bits. There this area does as Go's `os` package: a file without the read-only attribute has
//! mode 0666, one with it has 0444, a directory has 0111 in addition; to set a mode means to set that attribute by
//! the bit 0200. Files of an extracted module are therefore read-only, as `go` leaves them.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::Path;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// True of a path that does not depend on the working directory: on Windows one with a drive or a share.
pub(crate) fn is_absolute(path: &str) -> bool {
    Path::new(path).is_absolute()
}

/// Why a file system refuses a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockRefusal {
    /// It has locks, and none to give: the lock service of NFS does not answer.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows does not say so"))]
    NoneLeft,
    /// It has no locks.
    NotSupported,
}

/// What a directory has under a name. A symbolic link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Directory,
    File,
    Link,
    Other,
}

/// What a file system has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpaceLeft {
    /// For this user, in bytes.
    pub(crate) bytes: u64,
    /// Files that can still be created; `None` where the file system does not count them.
    pub(crate) files: Option<u64>,
}
