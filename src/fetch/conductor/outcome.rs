//! What became of one module version.

use std::path::PathBuf;

use crate::error::Error;
use crate::module::{H1, ModuleVersion};
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
    /// The cached `.info`.
    pub info_path: Option<PathBuf>,
    /// The cached `.mod`.
    pub gomod_path: Option<PathBuf>,
    /// The h1 of the go.mod.
    pub gomod_sum: Option<H1>,
    /// The cached `.zip`.
    pub zip_path: Option<PathBuf>,
    /// The h1 of the zip.
    pub sum: Option<H1>,
    /// The extracted directory.
    pub directory: Option<PathBuf>,
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
            info_path: None,
            gomod_path: None,
            gomod_sum: None,
            zip_path: None,
            sum: None,
            directory: None,
            error: None,
            traffic: Traffic::default(),
        }
    }
}
