//! What a version control system can say of a repository: the one trait behind which git,
//! Mercurial, Subversion and Fossil are.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/codehost.go`, `Repo`.

use std::io::Write;

use crate::error::{Error, Kind, Result};
use crate::gomod::Time;
use crate::modzip::RepositoryFile;
use crate::source::VcsOrigin;

/// A tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RepositoryTag {
    pub(super) name: String,
    /// The commit; empty where the system does not say it with the names.
    pub(super) commit: String,
}

/// The tags whose names begin in some way, sorted, and what that answer depends on.
#[derive(Clone, Debug)]
pub(super) struct TagList {
    pub(super) tags: Vec<RepositoryTag>,
    pub(super) origin: VcsOrigin,
}

/// A commit, and how it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    /// The whole identifier.
    pub(super) id: String,
    /// What a pseudo-version has of it.
    pub(super) short: String,
    /// The tag that was asked for, else the identifier.
    pub(super) version: String,
    pub(super) time: Time,
    pub(super) origin: VcsOrigin,
}

/// A revision that could not be found, and what that depends on.
#[derive(Clone, Debug)]
pub(super) struct NotResolved {
    pub(super) error: Error,
    pub(super) origin: Option<Box<VcsOrigin>>,
}

impl From<Error> for NotResolved {
    fn from(error: Error) -> NotResolved {
        NotResolved {
            error,
            origin: None,
        }
    }
}

/// `unknown revision REV`, as for go.
pub(super) fn unknown_revision(revision: &str) -> Error {
    Error::new(Kind::NotFound, format!("unknown revision {revision}"))
}

/// Refuses what an earlier run has found in another place.
pub(super) fn check_place(old: &VcsOrigin, vcs: &str, url: &str, subdir: &str) -> Result<()> {
    let changed = |text: String| Err(Error::new(Kind::Other, text));
    if old.vcs != vcs || old.url != url {
        let (old_vcs, old_url) = (&old.vcs, &old.url);
        return changed(format!(
            "origin moved from {old_vcs} {old_url:?} to {vcs} {url:?}"
        ));
    }
    if old.subdir != subdir {
        return changed(format!("origin moved from {:?} to {subdir:?}", old.subdir));
    }
    Ok(())
}

/// Refuses what the program of a system cannot do, as go says it.
pub(super) fn unsupported(vcs: &str, what: &str) -> Error {
    let text = format!("vcs {vcs}: {what}: unsupported operation");
    Error::new(Kind::Other, text)
}

/// The repository has nothing that could be a version.
pub(super) fn no_commits() -> Error {
    Error::new(Kind::NotFound, "no commits")
}

/// A repository, asked from many threads.
pub(super) trait Repository: Send + Sync {
    /// Refuses if what `old` depends on has changed since.
    fn check_reuse(&self, old: &VcsOrigin, subdir: &str) -> Result<()>;

    /// Asks the server for something harmless, and says what there is; `None` where that would take a
    /// clone.
    fn reach(&self) -> Result<Option<String>>;

    /// The tags whose names begin with `prefix`.
    fn tags(&self, prefix: &str) -> Result<TagList>;

    /// The tags of a commit, sorted.
    fn tags_of(&self, revision: &Revision) -> Result<Vec<String>>;

    /// The commit that a tag, a branch, or an identifier or its beginning stands for.
    fn stat(&self, revision: &str) -> Result<Revision, NotResolved>;

    /// The newest commit of the main branch.
    fn latest(&self) -> Result<Revision, NotResolved>;

    /// A file of at most `limit` bytes; `None` if there is none. Revisions are what
    /// [`Repository::stat`] takes.
    fn read_file(&self, revision: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>>;

    /// The highest tag, in semantic order, that begins with `prefix`, is `allowed`, and is at or
    /// before a commit; `None` if there is none, or the system cannot say.
    fn recent_tag(
        &self,
        revision: &Revision,
        prefix: &str,
        allowed: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<String>>;

    /// Whether a tag is at or before a commit.
    fn descends_from(&self, revision: &Revision, tag: &str) -> Result<bool>;

    /// The files of a folder, empty for the root, at a revision.
    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn RepositoryTree + '_>>;
}

/// The files of a folder.
pub(super) trait RepositoryTree {
    /// In the order that go has them in its zips.
    fn files(&self) -> &[RepositoryFile];

    /// Writes the content of a file, named by its index.
    fn copy(&mut self, index: usize, out: &mut dyn Write) -> Result<()>;
}
