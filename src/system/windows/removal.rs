//! The deletion of a tree. What is read-only cannot be deleted, and becomes writable before.

use std::fs;
use std::io;
use std::path::Path;

use super::{remove_file, set_mode};

/// Removes a file, a link, or a directory with everything in it.
pub(crate) fn delete_tree(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if found.is_symlink() {
        // A link to a directory counts as one here.
        return fs::remove_dir(path).or_else(|_| fs::remove_file(path));
    }
    if !found.is_dir() {
        return remove_file(path);
    }
    for entry in fs::read_dir(path)? {
        delete_tree(&entry?.path())?;
    }
    if found.permissions().readonly() {
        set_mode(path, 0o700)?;
    }
    fs::remove_dir(path)
}

/// Removes a directory with everything in it, read-only or not.
pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    delete_tree(path)
}
