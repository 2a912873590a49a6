//! The lock of one version, as a value that functions demand.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fsio::FileLock;

/// The lock of one version: who holds it alone may write its zip, ziphash and directory. It is
/// released with the last clone.
///
/// Where nothing came of what it was for, its file and the directories that have only that are removed: go takes the
/// lock later and leaves none. A process that waits for the lock looks whether the file is still there ([`FileLock`]);
/// go waits for it only behind a cached go.mod, and then the directory has more than the lock.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Clone, Debug)]
pub struct VersionLock {
    held: Arc<HeldLock>,
}

#[derive(Debug)]
struct HeldLock {
    file: FileLock,
    path: PathBuf,
    /// How many directories above `@v` are the module's path.
    depth: usize,
}

impl VersionLock {
    /// The lock in the file at `path`, for a module whose path has so many elements.
    pub(super) fn new(file: FileLock, path: PathBuf, depth: usize) -> VersionLock {
        let held = HeldLock { file, path, depth };
        VersionLock {
            held: Arc::new(held),
        }
    }

    /// True if the locked file is still the one at `path`: where a cache was removed, another process
    /// may have made it anew, and locked a file of its own.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.held.file.is_at(path)
    }
}

impl HeldLock {
    /// The other locks in the directory; `None` if anything else is there.
    fn beside(&self) -> Option<Vec<PathBuf>> {
        let mut others = Vec::new();
        for file in fs::read_dir(self.path.parent()?).ok()? {
            let path = file.ok()?.path();
            if path.extension().is_none_or(|end| end != "lock") {
                return None;
            }
            if path != self.path {
                others.push(path);
            }
        }
        Some(others)
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // The lock is still held here. What cannot be removed stays.
        let Some(others) = self.beside() else { return };
        if !self.file.is_at(&self.path) || fs::remove_file(&self.path).is_err() {
            return;
        }
        for path in others {
            // Who holds it removes it when that is over.
            if let Ok(Some(_held)) = FileLock::try_acquire(&path) {
                let _ = fs::remove_file(&path);
            }
        }
        let empty = self.path.ancestors().skip(1).take(1 + self.depth);
        let _ = empty.map(fs::remove_dir).take_while(Result::is_ok).count();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::cache::{Cache, CacheEntry};
    use crate::gomod::ModuleVersion;

    fn entry(root: &Path, version: &str) -> CacheEntry {
        let module = ModuleVersion::parse("example.com/a/m", version).unwrap();
        Cache::at(root).unwrap().entry(&module).unwrap()
    }

    #[test]
    fn a_lock_stays_where_more_than_locks_is() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (entry(root.path(), "v1.0.0"), entry(root.path(), "v1.0.1"));
        let (first, second) = (one.lock().unwrap(), two.lock().unwrap());
        drop(first);
        assert!(!one.lock_path().exists() && two.lock_path().exists());
        drop(one.lock().unwrap());
        assert!(two.try_lock().unwrap().is_none(), "it is held");
        let module = two.lock_path().with_extension("mod");
        fs::write(&module, "module m\n").unwrap();
        drop(second);
        assert!(two.lock_path().exists(), "go may wait for it");
        fs::remove_file(module).unwrap();
        drop(one.lock().unwrap());
        let download = root.path().join("cache/download");
        assert_eq!(fs::read_dir(download).unwrap().count(), 0);
    }

    #[test]
    fn many_threads_that_fail_exclude_each_other() {
        let root = tempfile::tempdir().unwrap();
        let (holders, start) = (std::sync::Mutex::new(()), Barrier::new(8));
        thread::scope(|scope| {
            for number in 0..8 {
                let (root, holders, start) = (root.path(), &holders, &start);
                scope.spawn(move || {
                    // Two versions of one module, so that directories are removed while others make them.
                    let entry = entry(root, ["v1.0.0", "v1.0.1"][number % 2]);
                    start.wait();
                    for _ in 0..50 {
                        let lock = entry.lock().unwrap();
                        assert!(lock.is_at(&entry.lock_path()));
                        if number % 2 == 0 {
                            let alone = holders.try_lock();
                            assert!(alone.is_ok(), "two have one lock");
                        }
                        drop(lock);
                    }
                });
            }
        });
        let download = root.path().join("cache/download");
        let left: Vec<_> = fs::read_dir(download).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
