//! The file system of a directory.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::system::{LockRefusal, SpaceLeft};

/// `ERROR_INVALID_FUNCTION` and `ERROR_NOT_SUPPORTED`: a driver that has no locks.
const NO_LOCKS: [i32; 2] = [1, 50];

/// Whether a directory is there: who may write to it is in lists that std does not read, and the first write tells.
pub(crate) fn check_writable(directory: &Path) -> io::Result<()> {
    directory.metadata().map(drop)
}

/// Std does not ask for it.
pub(crate) fn space_left(_path: &Path) -> io::Result<SpaceLeft> {
    Err(io::ErrorKind::Unsupported.into())
}

/// False: by default Windows does not keep them on large volumes, and whether it does is not seen from a program.
pub(crate) fn keeps_access_times(_path: &Path) -> bool {
    false
}

/// Who holds a lock is not known without unsafe code.
pub(crate) fn lock_holder(_file: &File) -> Option<String> {
    None
}

/// Why a file system refused a lock, where the error says so.
pub(crate) fn lock_refusal(cause: &io::Error) -> Option<LockRefusal> {
    let code = cause.raw_os_error()?;
    NO_LOCKS
        .contains(&code)
        .then_some(LockRefusal::NotSupported)
}
