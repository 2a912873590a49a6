//! Removing a whole cache, so that no reader sees half of it.
//!
//! `go clean -modcache` removes entry by entry in sight, under no lock. A build that looks into a
//! module of which some files are gone remembers what it found; and who is unpacking one goes on
//! in the directory that it makes anew, without the mark that was removed with the rest. So:
//!
//! 1. The root is renamed, beside itself, and removed there. Where it cannot be renamed (a mount
//!    point, a parent that may not be written to) its entries are, each as a whole, into a
//!    directory within.
//! 2. Version locks that are held in what was moved belong to processes at work, `go` among them.
//!    They are waited for, and what such a process has left in the new cache without mark and zip
//!    is removed.
//! 3. What an interrupted run has left to be removed, the next one removes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::process;

use super::inventory::{WalkStep, walk};
use super::{Cache, VersionLock};
use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, beside};
use crate::gomod::ModuleVersion;
use crate::modzip;
use crate::system::set_mode;

/// Behind the name of a cache, or alone in it, before the number of the process that removes it.
const MARK: &str = ".modfetch-clean-";

impl Cache {
    /// Removes everything at and below the root; if that is a symbolic link, the link. That there
    /// is nothing is no error.
    ///
    /// # Errors
    /// [`Kind::Input`] if the root is `/`; [`Kind::LocalIo`] if something cannot be removed: what is
    /// left is a sound cache, or waits beside it for the next try; [`Kind::LockTimeout`].
    pub fn clear(&self) -> Result<()> {
        let (Some(parent), Some(name)) = (self.root.parent(), self.root.file_name()) else {
            let text = format!("cannot clean {}: no module cache", self.root.display());
            return Err(Error::new(Kind::Input, text));
        };
        // Without the slash that GOMODCACHE may end in.
        let root = parent.join(name);
        let found = match fs::symlink_metadata(&root) {
            Ok(found) => found,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return sweep(parent, name),
            Err(cause) => return Err(Error::io("cannot read", &root, cause)),
        };
        if !found.is_dir() {
            return gone(fs::remove_file(&root)).map_err(|cause| cannot_remove(&root, cause));
        }
        let moved = beside(&root, &format!("{MARK}{}", process::id()));
        match rename(&root, &moved) {
            Ok(()) => {
                self.outlive(&moved)?;
                sweep(parent, name)
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => sweep(parent, name),
            Err(_) => self.clear_within(&root),
        }
    }

    /// Removes what is in a root that cannot be moved itself, and then the root.
    fn clear_within(&self, root: &Path) -> Result<()> {
        let moved = root.join(format!("{MARK}{}", process::id()));
        open_up(root);
        let made = fs::create_dir(&moved);
        made.map_err(|cause| Error::io("cannot create directory", &moved, cause))?;
        for entry in entries(root)? {
            if !is_marked(&entry, "") {
                let from = root.join(&entry);
                let moving = gone(rename(&from, &moved.join(&entry)));
                moving.map_err(|cause| cannot_remove(&from, cause))?;
            }
        }
        self.outlive(&moved)?;
        sweep(root, "".as_ref())?;
        gone(fs::remove_dir(root)).map_err(|cause| cannot_remove(root, cause))
    }

    /// Waits for those who hold a version lock in a cache that was moved away, and removes what
    /// they could not finish where it was.
    fn outlive(&self, moved: &Path) -> Result<()> {
        let mut held = Vec::new();
        let download = moved.join("cache/download");
        // In a directory that cannot be read there is no process to wait for.
        let _ = walk(&download, &mut |entry, path| {
            let Some(module) = path.strip_suffix("/@v") else {
                return Ok(if path == "sumdb" {
                    WalkStep::Skip
                } else {
                    WalkStep::Enter
                });
            };
            for name in entries(&entry.path())? {
                let version = name.to_str().and_then(|name| name.strip_suffix(".lock"));
                let module = version.map(|version| ModuleVersion::unescape(module, version));
                let path = entry.path().join(&name);
                if let Some(Ok(module)) = module
                    && let Ok(None) = FileLock::try_acquire(&path)
                {
                    held.push((module, path));
                }
            }
            Ok(WalkStep::Skip)
        });
        for (module, path) in held {
            drop(self.locks.acquire(&path, Some(&module))?);
            self.remove_remnant(&module, moved)?;
        }
        Ok(())
    }

    /// Removes a directory of a module that another process wrote to after its mark was removed.
    fn remove_remnant(&self, module: &ModuleVersion, moved: &Path) -> Result<()> {
        let entry = self.entry(module)?;
        let directory = entry.directory();
        if fs::symlink_metadata(directory).is_err() {
            return Ok(());
        }
        let _lock: VersionLock = entry.lock()?;
        if entry.has_directory() && !entry.ziphash_path().exists() {
            let target = moved.join(format!("remnant-{}", module.to_string().replace('/', "-")));
            let moving = gone(rename(directory, &target));
            moving.map_err(|cause| cannot_remove(directory, cause))?;
        }
        Ok(())
    }
}

/// Removes what this run or an earlier one has moved: in `parent`, named after `name`.
fn sweep(parent: &Path, name: &OsStr) -> Result<()> {
    let prefix = name.to_string_lossy();
    for entry in entries(parent).unwrap_or_default() {
        if is_marked(&entry, &prefix) {
            let path = parent.join(&entry);
            modzip::remove_tree(&path)?;
        }
    }
    Ok(())
}

fn is_marked(entry: &OsString, prefix: &str) -> bool {
    let entry = entry.to_string_lossy();
    let rest = entry.strip_prefix(prefix);
    rest.and_then(|rest| rest.strip_prefix(MARK))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Lets a directory be emptied, if that is ours to decide.
fn open_up(directory: &Path) {
    let _ = set_mode(directory, 0o700);
}

fn entries(directory: &Path) -> Result<Vec<OsString>> {
    let cannot_read = |cause| Error::io("cannot read", directory, cause);
    let entries = fs::read_dir(directory).map_err(cannot_read)?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    names.collect::<io::Result<_>>().map_err(cannot_read)
}

/// Moves a file or directory. A sealed directory cannot get another parent: it is opened up.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            let found = fs::symlink_metadata(from)?;
            if found.is_dir() {
                open_up(from);
            }
            fs::rename(from, to)
        }
        other => other,
    }
}

/// It is no error if another process has removed it first.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn cannot_remove(path: &Path, cause: io::Error) -> Error {
    Error::io("cannot remove", path, cause)
}
