//! What became of one module version.

use std::path::{Path, PathBuf};

use crate::cache::CacheEntry;
use crate::error::Error;
use crate::gomod::{H1, ModuleVersion};
use crate::source::Info;

/// What one module cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of bodies received, by the tries that worked.
    pub bytes: u64,
    /// Bytes that cut transfers of this run or of earlier ones had left, and that did not come
    /// again.
    pub resumed: u64,
    /// Requests made again.
    pub retries: u32,
}

/// The pieces of a module version as far as they were obtained, in the order `go` obtains them:
/// what comes after a failure is `None`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which module version.
    pub module: ModuleVersion,
    /// Its metadata.
    pub info: Option<Info>,
    /// The h1 of the go.mod.
    pub gomod_sum: Option<H1>,
    /// The h1 of the zip.
    pub sum: Option<H1>,
    /// The module is extracted.
    pub(super) has_directory: bool,
    /// Where all that is.
    pub(super) entry: Option<Box<CacheEntry>>,
    /// Why it is incomplete, if it is.
    pub error: Option<Error>,
    /// What this run fetched for it.
    pub traffic: Traffic,
}

impl Outcome {
    pub(in crate::fetch) fn new(module: &ModuleVersion) -> Outcome {
        Outcome {
            module: module.clone(),
            info: None,
            gomod_sum: None,
            sum: None,
            has_directory: false,
            entry: None,
            error: None,
            traffic: Traffic::default(),
        }
    }

    /// The cached `.info`.
    #[must_use]
    pub fn info_path(&self) -> Option<PathBuf> {
        let entry = self.entry.as_ref().filter(|_| self.info.is_some());
        entry.map(|entry| entry.info_path())
    }

    /// The cached `.mod`.
    #[must_use]
    pub fn gomod_path(&self) -> Option<PathBuf> {
        let entry = self.entry.as_ref().filter(|_| self.gomod_sum.is_some());
        entry.map(|entry| entry.gomod_path())
    }

    /// The cached `.zip`.
    #[must_use]
    pub fn zip_path(&self) -> Option<PathBuf> {
        let entry = self.entry.as_ref().filter(|_| self.sum.is_some());
        entry.map(|entry| entry.zip_path())
    }

    /// The extracted directory.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        let entry = self.entry.as_ref().filter(|_| self.has_directory);
        entry.map(|entry| entry.directory())
    }
}
