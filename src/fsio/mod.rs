//! Files and paths: the ways to lock, write and name files that several areas need.
//!
//! | file | idea |
//! |---|---|
//! | `lock` | advisory locks, the same `flock(2)` that `go` takes |
//! | `temp` | a file that is created beside its place, written and renamed |
//! | `in_place` | a file that is rewritten in place under its own lock |
//! | `write_barrier` | small writes that finish before the program ends on a signal |
//! | `lexical` | paths as go computes them, by text alone |
//!
//! Nothing here knows a module cache: its names are in `layout`, its protocol in `cache`.

mod in_place;
mod lexical;
mod lock;
mod temp;
mod write_barrier;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use in_place::{NewText, read_whole, rewrite};
pub(crate) use lexical::join as join_path;
pub use lexical::{clean as clean_path, relative as relative_path, short as short_path};
pub(crate) use lock::open_or_create;
pub use lock::{FileLock, Locks};
pub use temp::{TempFile, write_atomically};
pub use write_barrier::{begin_write, drain_writes};

use crate::error::{Error, Result};

/// A path in the same directory: `path` with `end` added to its name.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Creates `dir` and its parents.
///
/// # Errors
/// [`crate::Kind::LocalIo`], naming the directory.
pub(crate) fn create_dir_all(dir: &Path) -> Result<()> {
    let mut made = fs::create_dir_all(dir);
    for _ in 0..MAX_VANISHED {
        match &made {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            // The standard library looks what is there after the system has refused, and by then it may be gone.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && !is_taken(dir) => {}
            _ => break,
        }
        made = fs::create_dir_all(dir);
    }
    made.map_err(|cause| Error::io("cannot create directory", dir, cause))
}

/// True if something that is no directory has this name.
fn is_taken(dir: &Path) -> bool {
    dir.symlink_metadata().is_ok_and(|found| !found.is_dir())
}

/// So often a directory that has just been made, or was just there, may be gone again.
const MAX_VANISHED: usize = 100;

/// Creates what belongs to `path`, and the directory of `path` before that if it is missing. A directory that has just
/// been made may be gone again: another thread or process removes those that are empty.
///
/// # Errors
/// [`crate::Kind::LocalIo`] for the directory; the inner result is that of `create`.
pub(crate) fn in_directory_of<T>(
    path: &Path,
    mut create: impl FnMut() -> io::Result<T>,
) -> Result<io::Result<T>> {
    let mut made = create();
    for _ in 0..MAX_VANISHED {
        match (&made, path.parent()) {
            (Err(cause), Some(parent)) if cause.kind() == io::ErrorKind::NotFound => {
                create_dir_all(parent)?;
                made = create();
            }
            _ => break,
        }
    }
    Ok(made)
}
