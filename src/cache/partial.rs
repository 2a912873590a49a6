//! A module directory while it is being made, below its mark.

use std::fs;
use std::io;
use std::path::Path;

use super::entry::CacheEntry;
use super::version_lock::VersionLock;
use crate::error::{Error, Result};
use crate::fsio::create_dir_all;
use crate::{failpoints, modzip};

impl CacheEntry {
    /// Begins to make the directory: marks it, removes what an interrupted run left.
    ///
    /// Until it is finished no reader takes the directory for whole.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub fn begin_directory(&self, lock: &VersionLock) -> Result<Partial> {
        let mark = self.partial_path();
        let begin = || {
            if let Some(parent) = self.directory().parent() {
                create_dir_all(parent)?;
            }
            create_dir_all(self.versions())?;
            fs::write(&mark, b"").map_err(|cause| Error::io("cannot create", &mark, cause))
        };
        self.named(begin())?;
        failpoints::reached("partial-made");
        let partial = Partial {
            entry: self.clone(),
            done: false,
            lock: lock.clone(),
        };
        match fs::symlink_metadata(self.directory()) {
            Ok(_) => self.named(modzip::remove_tree(self.directory()))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => {
                return self.named(Err(Error::io("cannot read", self.directory(), cause)));
            }
        }
        Ok(partial)
    }
}

impl CacheEntry {
    /// Removes the parents of a directory that is gone, where nothing else is in them.
    fn remove_empty_parents(&self) {
        let elements = self.module().path().as_str().split('/').count();
        let parents = self.directory().ancestors().skip(1).take(elements - 1);
        let _ = parents
            .map(fs::remove_dir)
            .take_while(Result::is_ok)
            .count();
    }
}

/// A module directory in the making; dropped before it is finished, it is removed, the directory
/// first and then its mark.
#[must_use = "an unfinished directory is removed when this is dropped"]
#[derive(Debug)]
pub struct Partial {
    entry: CacheEntry,
    done: bool,
    lock: VersionLock,
}

impl Partial {
    /// Where to extract; does not exist yet.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.entry.directory()
    }

    /// Makes the directory read-only by `seal`, before it is whole. `go` seals it afterwards;
    /// killed in between, it would stay writable for good.
    pub fn seal(&self, seal: impl FnOnce(&Path)) {
        seal(self.entry.directory());
        failpoints::reached("directory-sealed");
    }

    /// Declares the directory whole.
    ///
    /// # Errors
    /// As [`CacheEntry::commit_zip`].
    pub fn finish(mut self) -> Result<()> {
        self.entry.demand_place(&self.lock)?;
        let mark = self.entry.partial_path();
        let removed = fs::remove_file(&mark);
        self.entry
            .named(removed.map_err(|cause| Error::io("cannot remove", &mark, cause)))?;
        self.done = true;
        failpoints::reached("partial-removed");
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let directory = self.entry.directory();
        // The mark outlives the directory: if that cannot be removed, no reader may take it for
        // whole. A failure is left to the next run, which finds the mark. Where the cache was
        // removed meanwhile, what is there is another process's.
        if !self.done
            && self.lock.is_at(&self.entry.lock_path())
            && (!directory.exists() || modzip::remove_tree(directory).is_ok())
        {
            let _ = fs::remove_file(self.entry.partial_path());
            self.entry.remove_empty_parents();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::gomod::ModuleVersion;

    #[test]
    fn an_unfinished_directory_disappears_before_its_mark() {
        let root = tempfile::tempdir().unwrap();
        let module = ModuleVersion::parse("example.com/m", "v1.0.0").unwrap();
        let entry = Cache::at(root.path()).unwrap().entry(&module).unwrap();
        let lock = entry.lock().unwrap();
        let partial = entry.begin_directory(&lock).unwrap();
        fs::create_dir(partial.directory()).unwrap();
        fs::write(partial.directory().join("x.go"), "").unwrap();
        assert!(!entry.has_directory(), "marked");
        drop(partial);
        assert!(!entry.partial_path().exists());
        // Nor do its parents stay, nor, with the lock, what was made for that.
        drop(lock);
        let left: Vec<_> = fs::read_dir(root.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        let download = root.path().join("cache/download");
        assert_eq!(fs::read_dir(download).unwrap().count(), 0);
    }
}
