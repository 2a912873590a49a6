//! The deletion of a tree in one pass, by names relative to open directories.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::Errno;

/// Removes a file, a link, or a directory with everything in it: a sealed directory is opened up when it refuses.
pub(crate) fn delete_tree(path: &Path) -> io::Result<()> {
    Ok(delete_at(CWD, path)?)
}

fn delete_at(parent: impl AsFd, name: impl rustix::path::Arg + Copy) -> rustix::io::Result<()> {
    match unlinkat(&parent, name, AtFlags::empty()) {
        // POSIX says EPERM, Linux EISDIR.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(Errno::NOENT) => return Ok(()),
        other => return other,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(&parent, name, flags, Mode::empty())?;
    empty(&dir)?;
    unlinkat(&parent, name, AtFlags::REMOVEDIR)
}

fn empty(dir: &OwnedFd) -> rustix::io::Result<()> {
    let mut opened = false;
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let remove = || match entry.file_type() {
            FileType::Directory => delete_directory(dir, name),
            _ => delete_at(dir, name),
        };
        match remove() {
            Err(Errno::ACCESS) if !opened => {
                opened = true;
                fchmod(dir, Mode::RWXU)?;
                remove()?;
            }
            other => other?,
        }
    }
    Ok(())
}

/// [`delete_at`] for what is known to be a directory.
fn delete_directory(parent: &OwnedFd, name: &CStr) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(parent, name, flags, Mode::empty())?;
    empty(&dir)?;
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// Removes a directory with everything in it that is not sealed; errors are those of std.
pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}
