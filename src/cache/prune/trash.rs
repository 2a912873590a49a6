//! `cache/modfetch/trash`: what was renamed out of sight and is to be deleted.

use std::fs::{self, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::fsio::create_dir_all;
use crate::modzip;
use crate::system::{delete_tree, set_mode};

/// The place for what one pruner removes.
#[derive(Debug)]
pub(super) struct Trash {
    dir: PathBuf,
    next: AtomicU64,
}

/// Something in the trash.
#[must_use = "what is not deleted stays until the next prune"]
#[derive(Debug)]
pub(super) struct Discarded {
    path: PathBuf,
    /// What it had before it was opened up for the move.
    permissions: Option<Permissions>,
}

impl Trash {
    /// Makes the place. The caller holds the lock of pruners.
    pub(super) fn at(dir: PathBuf) -> Result<Trash> {
        create_dir_all(&dir)?;
        Ok(Trash {
            dir,
            next: AtomicU64::new(0),
        })
    }

    /// Deletes what an earlier pruner has left. What cannot be deleted stays.
    pub(super) fn sweep(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let left = Discarded {
                path: entry.path(),
                permissions: None,
            };
            let _ = left.delete();
        }
    }

    /// Renames a file or directory into the trash; `None` if it is not there.
    ///
    /// A sealed directory cannot get another parent: it is opened up for the move.
    pub(super) fn take(&self, path: &Path) -> Result<Option<Discarded>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let target = self.dir.join(format!("{}-{number}", process::id()));
        let mut permissions = None;
        let moved = match fs::rename(path, &target) {
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                let found = fs::symlink_metadata(path).map(|found| found.permissions());
                permissions = found.ok();
                let opened = set_mode(path, 0o755);
                opened.and_then(|()| fs::rename(path, &target))
            }
            other => other,
        };
        match moved {
            Ok(()) => Ok(Some(Discarded {
                path: target,
                permissions,
            })),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::io("cannot move away", path, cause)),
        }
    }
}

impl Discarded {
    /// Renames it back to where it was.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the place; it is then deleted by the next pruner.
    pub(super) fn put_back(self, path: &Path) -> Result<()> {
        let moved = fs::rename(&self.path, path);
        moved.map_err(|cause| Error::io("cannot move back", path, cause))?;
        if let Some(permissions) = self.permissions {
            // Writable it is as good.
            let _ = fs::set_permissions(path, permissions);
        }
        Ok(())
    }

    /// Deletes it with everything in it.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming it.
    pub(super) fn delete(self) -> Result<()> {
        match delete_tree(&self.path) {
            Ok(()) => Ok(()),
            // Deeper than there are files to be open, or stranger: the slow way tells why.
            Err(_) => modzip::remove_tree(&self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::link_directory;

    #[test]
    fn sealed_trees_links_and_files_are_deleted_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        let tree = dir.path().join("a@v1.0.0");
        fs::create_dir_all(tree.join("x/y")).unwrap();
        fs::write(tree.join("x/y/file"), "").unwrap();
        fs::write(tree.join("file"), "").unwrap();
        link_directory(&outside, &tree.join("x/link")).unwrap();
        for sealed in ["x/y", "x", ""] {
            set_mode(&tree.join(sealed), 0o555).unwrap();
        }
        let trash = Trash::at(dir.path().join("cache/modfetch/trash")).unwrap();
        trash.take(&tree).unwrap().unwrap().put_back(&tree).unwrap();
        assert!(tree.join("x/y/file").exists());
        trash.take(&tree).unwrap().unwrap().delete().unwrap();
        assert!(!tree.exists() && outside.join("kept").exists());
        assert!(trash.take(&tree).unwrap().is_none());
        fs::write(&tree, "a file").unwrap();
        let left = trash.take(&tree).unwrap().unwrap();
        drop(left);
        assert_eq!(fs::read_dir(&trash.dir).unwrap().count(), 1);
        trash.sweep();
        assert_eq!(fs::read_dir(&trash.dir).unwrap().count(), 0);
    }
}
