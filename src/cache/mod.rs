//! GOMODCACHE: a protocol shared with every `go` that uses the same directory.
//!
//! With `P` the escaped path and `V` the escaped version, below the root:
//!
//! | file | content | made |
//! |---|---|---|
//! | `cache/download/P/@v/V.info` | the version's metadata, as go re-marshals it | renamed into place |
//! | `cache/download/P/@v/V.mod` | the go.mod | renamed into place, `list` edited before |
//! | `cache/download/P/@v/V.zip` | the module zip | renamed into place, its `V.ziphash` first |
//! | `cache/download/P/@v/V.ziphash` | 47 bytes, no newline | renamed into place |
//! | `cache/download/P/@v/V.zip.part` | what has come of the zip | renamed to the zip, or kept for later |
//! | `cache/download/P/@v/V.zip.part.from` | what that is the beginning of | there while it is |
//! | `cache/download/P/@v/V.lock` | empty | never removed |
//! | `cache/download/P/@v/V.partial` | empty | there while `P@V/` is being made or unmade |
//! | `cache/download/P/@v/list` | versions that have a `.mod` | edited in place under its own lock |
//! | `cache/modfetch/usage` | which versions modfetch used, and when | see `usage` |
//! | `cache/modfetch/index` | what the last look at all of it found | renamed into place |
//! | `cache/modfetch/prune.lock` | empty | held while versions are evicted |
//! | `cache/modfetch/trash/` | what is being removed | renamed there, ours alone |
//! | `cache/modfetch/quarantine/P@V/N/` | damaged pieces | renamed there, ours alone |
//! | `P@V/` | the extracted module | below its `.partial`, sealed to 0555 |
//! | `cache/lock` | empty | held while go.sum is rewritten |
//! | `../NAME.modfetch-clean-N` | a whole cache | renamed there to be removed |
//!
//! # Rules
//! - A complete entry is immutable and is read without a lock. A lock is taken only to create.
//! - `V.lock` covers the zip, its hash and the directory. Its holder alone may touch
//!   `V.zip.part` and its companion (`go` takes no notice of them), and sweeps what go has left in
//!   `V.zip<digits>.tmp`. It travels with the part from the transfer to the extraction: letting go
//!   in between would let another process go on writing what is being unpacked.
//! - A part is put to use only if whoever sent it says that it still has the same content, and
//!   its hash decides like that of any other zip. Those of other versions that no transfer has continued
//!   for a week are swept, each under its own lock.
//! - `.info` and `.mod` need no lock: whoever writes them writes the same bytes, and a rename
//!   replaces them whole. A temporary of theirs that a killed process left is swept when it is old.
//! - Which locks there are and in which order they are taken is said in `fsio/lock.rs`. A version is listed
//!   before its `.mod` appears, and a directory is sealed before its mark goes (`go` does both the
//!   other way round): killed in between, the next run finds something missing and repairs it.
//! - Nothing is synced to disk, as go does not: after a power failure a file may be torn. A torn
//!   ziphash is remade from the zip, and every zip is hashed before it is unpacked.
//! - The root must be absolute; nothing is created below it until something is written.
//!
//! Source: golang/go `cmd/go/internal/modfetch/{cache,fetch}.go`.

mod archive;
mod clear;
mod entry;
mod goroot;
mod index;
mod inventory;
mod list;
mod part;
mod partial;
mod prune;
mod quarantine;
mod record;
mod scan;
mod survey;
mod usage;
mod version_lock;

use crate::system::with_main_separators;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

pub use archive::{ExportItem, Exported, ImportTrust, Imported};
pub use entry::{CacheEntry, Extracted, RecordedHash};
pub use goroot::prepare_goroot;
pub use index::TreeSizes;
pub use part::{PartOrigin, ZipPart};
pub use partial::Partial;
pub use prune::{
    Evicted, Eviction, KeepSet, KeptForm, NamePattern, PruneLevel, PruneOutcome, PrunePlan,
    PruneReason, PruneRules, Pruned,
};
pub use quarantine::EntryPiece;
pub use record::{Inventory, RecordPiece, Space, SpaceKind, StoreRecord, VersionRecord};
pub use survey::Survey;
pub use version_lock::VersionLock;

use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, Locks};
use crate::gomod::{ModulePath, ModuleVersion, compare, is_pseudo_version};
use crate::layout;

/// A module cache at an absolute path, which need not exist yet.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    locks: Locks,
}

impl Cache {
    /// Names the cache at `root`; touches nothing but the root's metadata.
    ///
    /// # Errors
    /// [`Kind::Input`] in go's words if `root` is relative; [`Kind::LocalIo`] if it exists and
    /// is not a directory.
    pub fn at(root: &Path) -> Result<Cache> {
        if !root.is_absolute() {
            return Err(Error::new(
                Kind::Input,
                format!("GOMODCACHE entry is relative; must be absolute path: {root:?}."),
            ));
        }
        match fs::metadata(root) {
            Ok(found) if !found.is_dir() => Err(Error::new(
                Kind::LocalIo,
                format!("could not create module cache: {root:?} is not a directory"),
            )),
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("cannot read module cache", root, cause))
            }
            _ => Ok(Cache {
                root: root.to_owned(),
                locks: Locks::default(),
            }),
        }
    }

    /// The same cache, waiting for locks in this way.
    #[must_use]
    pub fn with_locks(self, locks: Locks) -> Cache {
        Cache { locks, ..self }
    }

    /// How locks are waited for.
    #[must_use]
    pub fn locks(&self) -> &Locks {
        &self.locks
    }

    /// The directory that GOMODCACHE names.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root, in one piece: a warm run makes thousands.
    fn below(&self, pieces: &[&str]) -> PathBuf {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut path = OsString::with_capacity(self.root.as_os_str().len() + 1 + length);
        path.push(&self.root);
        if !self.root.as_os_str().as_encoded_bytes().ends_with(b"/") {
            path.push(MAIN_SEPARATOR_STR);
        }
        path.extend(pieces.iter().map(OsStr::new));
        // On Windows `/` would do, and is not what go prints.
        with_main_separators(path)
    }

    /// A file of modfetch's own, which `go` ignores.
    fn state_file(&self, name: &str) -> PathBuf {
        self.below(&[layout::OWN, "/", name])
    }

    /// Where the pieces of one module version are, or will be.
    ///
    /// # Errors
    /// [`Kind::Input`] if the path or version may not be fetched.
    pub fn entry(&self, module: &ModuleVersion) -> Result<CacheEntry> {
        CacheEntry::new(self, module)
    }

    /// The highest cached pseudo-version of a commit, of which at least twelve hexadecimal digits
    /// are given; `None` for anything else.
    ///
    /// # Errors
    /// [`Kind::Input`] if the path may not be fetched.
    ///
    /// Source: golang/go `cmd/go/internal/modfetch/cache.go`, `readDiskStatByHash`.
    pub fn pseudo_version_of(&self, path: &ModulePath, commit: &str) -> Result<Option<String>> {
        let is_hash = commit
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let Some(short) = commit.get(..12).filter(|_| is_hash) else {
            return Ok(None);
        };
        let folder = self
            .root
            .join(layout::DOWNLOAD)
            .join(layout::versions(&path.escape()?));
        let suffix = format!("-{short}.info");
        let versions = fs::read_dir(folder).into_iter().flatten();
        let versions = versions.flatten().filter_map(|file| {
            let name = file.file_name();
            let version = name.to_str()?.strip_suffix(".info")?;
            let fits = name.to_str()?.ends_with(&suffix) && is_pseudo_version(version);
            fits.then(|| version.to_owned())
        });
        Ok(versions.max_by(|a, b| compare(a, b)))
    }

    /// The lock that old and new `go` commands take while they rewrite go.mod or go.sum.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if the file cannot be created or locked, [`Kind::LockTimeout`].
    pub fn side_lock(&self) -> Result<FileLock> {
        let file = self.root.join(layout::SIDE_LOCK);
        self.locks.acquire(&file, None)
    }
}
