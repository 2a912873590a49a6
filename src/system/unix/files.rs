//! Files: by position, and created in a special way.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
pub(crate) use std::os::unix::fs::FileExt as FileAt;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{read, retry_on_intr};

/// Room for nearly every small file of a cache.
const SMALL_FILE: usize = 8 * 1024;

/// Reads a file that is likely small into an empty room, until a read brings nothing: on some file
/// systems one may bring less than there is, and the sum of a go.mod without a known sum would be
/// that of a half. In a warm run the kernel is asked for little else: not for the size of the file,
/// as [`fs::read`] does, nor, as std does on some systems, whether it is closed on exec.
pub(crate) fn read_small(path: &Path, room: &mut Vec<u8>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = retry_on_intr(|| open(path, flags, Mode::empty()))?;
    loop {
        if room.capacity() == room.len() {
            room.reserve(SMALL_FILE);
        }
        if retry_on_intr(|| read(&file, spare_capacity(room)))? == 0 {
            return Ok(());
        }
    }
}

/// The open file once more, for reading by position while its owner writes to it. `path` is where it is.
pub(crate) fn reopen(file: &File, _path: &Path) -> io::Result<File> {
    file.try_clone()
}

/// Creates a file with mode 0444 less the umask, open for writing; none may be there.
pub(crate) fn create_read_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o444).open(path)
}

/// Creates a file that goes when it is closed; none may be at `path`, and soon none is.
pub(crate) fn create_unnamed(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(path)?;
    // A name that stays is one file too many, and no failure.
    let _ = fs::remove_file(path);
    Ok(file)
}

/// A file in memory, where the system has those.
#[cfg(target_os = "linux")]
pub(crate) fn memory_file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let file = memfd_create("modfetch-bundle", MemfdFlags::CLOEXEC)?;
    Ok(File::from(file))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a symbolic link to a directory.
pub(crate) fn link_directory(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Removes a file, also one that may not be written to.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// The path of a `file` URL.
///
/// # Errors
/// What is wrong with it, in go's words.
pub(crate) fn path_from_bytes(bytes: Vec<u8>) -> Result<PathBuf, String> {
    Ok(OsString::from_vec(bytes).into())
}

/// Makes a symbolic link, for tests.
#[cfg(test)]
pub(crate) fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}
