//! The file system of a directory.

use std::io;
use std::path::Path;

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use rustix::io::Errno;

use crate::system::{LockRefusal, SpaceLeft};

/// Whether this user may create files in a directory.
pub(crate) fn check_writable(directory: &Path) -> io::Result<()> {
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// What the file system of a path has left.
pub(crate) fn space_left(path: &Path) -> io::Result<SpaceLeft> {
    let found = statvfs(path)?;
    Ok(SpaceLeft {
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        // Some file systems do not count files and say 0 of 0.
        files: (found.f_files > 0).then_some(found.f_favail),
    })
}

/// False if the file system is mounted so that reading leaves no trace.
pub(crate) fn keeps_access_times(path: &Path) -> bool {
    statvfs(path).is_ok_and(|found| !found.f_flag.contains(StatVfsMountFlags::NOATIME))
}

/// Why a file system refused a lock, where the error says so.
pub(crate) fn lock_refusal(cause: &io::Error) -> Option<LockRefusal> {
    match Errno::from_io_error(cause)? {
        Errno::NOLCK => Some(LockRefusal::NoneLeft),
        Errno::NOSYS | Errno::OPNOTSUPP => Some(LockRefusal::NotSupported),
        _ => None,
    }
}
