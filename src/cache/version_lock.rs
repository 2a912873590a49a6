//! The lock of one version, as a value that functions demand.

use std::path::Path;
use std::sync::Arc;

use crate::fsio::FileLock;

/// The lock of one version: who holds it alone may write its zip, ziphash and directory. It is
/// released with the last clone.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Clone, Debug)]
pub struct VersionLock {
    held: Arc<FileLock>,
}

impl VersionLock {
    /// True if the locked file is still the one at `path`: where a cache was removed, another process
    /// may have made it anew, and locked a file of its own.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.held.is_at(path)
    }
}

impl From<FileLock> for VersionLock {
    fn from(held: FileLock) -> VersionLock {
        VersionLock {
            held: Arc::new(held),
        }
    }
}
