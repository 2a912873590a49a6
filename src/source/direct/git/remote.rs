//! What is asked of the other side of a git repository.

use std::path::Path;

use super::odb::{HashKind, ObjectId};
use super::refs::Refs;
use crate::error::Result;

/// The other side: by the program git, or by the built-in client. Each method that brings
/// something gets the folder of a bare repository, which its caller has locked.
pub(in crate::source::direct) trait GitRemote: Send + Sync {
    /// Its branches and tags.
    fn refs(&self) -> Result<Refs>;

    /// Brings commits without their history, each with a ref that leads to it; `HEAD` stands for
    /// a commit that is known by its hash alone.
    fn fetch_tips(&self, dir: &Path, hash: HashKind, wanted: &[(String, ObjectId)]) -> Result<()>;

    /// Brings all branches and tags with all that they lead to.
    fn fetch_everything(&self, dir: &Path, hash: HashKind) -> Result<()>;

    /// Brings all commits of all branches and tags, and files only if they cannot be left out.
    fn fetch_history(&self, dir: &Path, hash: HashKind) -> Result<()>;
}
