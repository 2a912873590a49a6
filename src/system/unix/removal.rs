//! The deletion of a tree in one pass, by names relative to open directories.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::Errno;

/// Removes a file, a link, or a directory with everything in it: a sealed directory is opened up when it refuses.
///
/// A directory costs six system calls, a file in it one.
pub(crate) fn delete_tree(path: &Path) -> io::Result<()> {
    match delete_directory(CWD, path) {
        Err(Errno::NOENT) => Ok(()),
        // A link is no directory, whatever it leads to.
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(unlinkat(CWD, path, AtFlags::empty())?),
        other => Ok(other?),
    }
}

fn delete_directory(
    parent: impl AsFd,
    name: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(&parent, name, flags, Mode::empty())?;
    empty(Dir::new(dir)?)?;
    unlinkat(&parent, name, AtFlags::REMOVEDIR)
}

fn empty(mut entries: Dir) -> rustix::io::Result<()> {
    let mut opened = false;
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let dir = entries.fd()?;
        match delete_entry(dir, name, entry.file_type()) {
            Err(Errno::ACCESS) if !opened => {
                opened = true;
                fchmod(dir, Mode::RWXU)?;
                delete_entry(dir, name, entry.file_type())?;
            }
            other => other?,
        }
    }
    Ok(())
}

fn delete_entry(dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> rustix::io::Result<()> {
    if kind != FileType::Directory {
        match unlinkat(dir, name, AtFlags::empty()) {
            // Not every file system says in its directories what is one. POSIX says EPERM, Linux EISDIR.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(Errno::NOENT) => return Ok(()),
            other => return other,
        }
    }
    delete_directory(dir, name)
}

/// Removes a directory with everything in it that is not sealed; errors are those of std.
pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}
