//! What is asked of the other side of a git repository.

use std::path::Path;

use super::odb::ObjectId;
use super::refs::Refs;
use crate::error::Result;
use crate::fsio::FileLock;
use crate::source::direct::repository::unknown_revision;

/// The folder of a bare repository that its user has locked.
pub(in crate::source::direct) struct LockedClone<'a> {
    pub(in crate::source::direct) dir: &'a Path,
    pub(in crate::source::direct) lock: &'a FileLock,
}

/// The other side: by the program git, or by the built-in client. Each method that brings
/// something gets the clone that it is for.
pub(in crate::source::direct) trait GitRemote: Send + Sync {
    /// What asks, for messages.
    fn name(&self) -> &'static str;

    /// Its branches and tags.
    fn refs(&self) -> Result<Refs>;

    /// True if [`GitRemote::fetch_by_name`] takes fewer requests than [`GitRemote::refs`] and a fetch.
    fn fetches_by_name(&self) -> bool {
        false
    }

    /// Brings what the ref of this name leads to, without its history, and the ref.
    fn fetch_by_name(&self, _: &LockedClone<'_>, name: &str) -> Result<()> {
        Err(unknown_revision(name))
    }

    /// Brings commits without their history, each with a ref that leads to it; `HEAD` stands for
    /// a commit that is known by its hash alone.
    fn fetch_tips(&self, clone: &LockedClone<'_>, wanted: &[(String, ObjectId)]) -> Result<()>;

    /// Brings all branches and tags with all that they lead to.
    fn fetch_everything(&self, clone: &LockedClone<'_>) -> Result<()>;

    /// Brings all commits of all branches and tags, and files only if they cannot be left out.
    fn fetch_history(&self, clone: &LockedClone<'_>) -> Result<()>;
}
