//! Where what is not kept comes from.

use std::fs::File;

use crate::error::Result;
use crate::gomod::{ModulePath, ModuleVersion};
use crate::source::Info;

use super::route::FileKind;

/// Sees a zip while it arrives, before it is proven.
pub trait Tap: Send + Sync {
    /// The first byte comes next, or comes again. `partial` reads the file as it grows; `length`
    /// is that of the whole, where it is known.
    fn begin(&self, partial: File, length: Option<u64>);

    /// So many bytes, from the first on, can be read.
    fn arrived(&self, bytes: u64);

    /// The bytes since the last `begin`, so many in all, are the zip, which is proven and kept.
    fn proven(&self, bytes: u64);
}

/// What a request passes on.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The id of the request.
    pub request_id: String,
    /// `traceparent`, as it came.
    pub traceparent: Option<String>,
}

impl Trace {
    /// The headers of requests upstream.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let id = Some(&self.request_id).filter(|id| !id.is_empty());
        let named = [
            ("X-Request-Id", id),
            ("traceparent", self.traceparent.as_ref()),
        ];
        let sent = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        sent.map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }
}

/// Fetches, proves and keeps; blocks. From many threads at once.
pub trait Upstream: Send + Sync {
    /// Brings a file of a version into the tree.
    ///
    /// # Errors
    /// Those of source, proof and disk.
    fn fetch(
        &self,
        module: &ModuleVersion,
        kind: FileKind,
        tap: Option<&dyn Tap>,
        trace: &Trace,
    ) -> Result<()>;

    /// The released and pre-released versions.
    ///
    /// # Errors
    /// Those of the source.
    fn versions(&self, path: &ModulePath, trace: &Trace) -> Result<Vec<String>>;

    /// The version that stands for a module.
    ///
    /// # Errors
    /// Those of the source.
    fn latest(&self, path: &ModulePath, trace: &Trace) -> Result<Info>;

    /// The version that a branch, tag or commit stands for.
    ///
    /// # Errors
    /// Those of the source.
    fn revision(&self, path: &ModulePath, revision: &str, trace: &Trace) -> Result<Info>;
}

/// Looks after what is kept; blocks.
pub trait Keeper: Send + Sync {
    /// Removes the zip of a version, if nothing uses it and it may go; false if it stays.
    ///
    /// # Errors
    /// The file system's.
    fn remove_zip(&self, module: &ModuleVersion) -> Result<bool>;

    /// Compares a kept zip with its record, and moves it away if it is wrong.
    ///
    /// # Errors
    /// [`crate::Kind::Security`]: it is wrong.
    fn verify_zip(&self, module: &ModuleVersion, file: File) -> Result<()>;

    /// Records that versions were used: their go.mod, or their content as well.
    fn record_use(&self, gomods: &[ModuleVersion], zips: &[ModuleVersion]);
}
