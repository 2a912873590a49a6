//! What module caches that are only read, and stores, have is taken from there first.

use std::sync::Arc;

use super::ModuleFiles;
use crate::error::{Error, Kind, Reason, Result};
use crate::gomod::ModuleVersion;
use crate::http::Fetched;
use crate::source::LowerSource;

/// Why nothing came from below the source: the failure of a store that may have had it, if there was one.
pub(in crate::fetch) struct NotBelow(Option<Error>);

impl NotBelow {
    /// Nothing below the source has it, or has it right.
    pub(in crate::fetch) const NOTHING: NotBelow = NotBelow(None);

    /// What is not found elsewhere may be in a store that failed: that is no "not found".
    pub(in crate::fetch) fn judge(self, error: Error, module: &ModuleVersion) -> Error {
        match (self.0, error.kind()) {
            (Some(failed), Kind::NotFound | Kind::Offline) => failed.about(module),
            _ => error,
        }
    }
}

impl<'r> ModuleFiles<'r> {
    /// Asks one cache after the other for what `ask` asks, and returns it with the cache that
    /// had it. A cache that cannot be read is passed over with a warning.
    pub(in crate::fetch) fn ask_read_only<T>(
        self,
        mut ask: impl FnMut(&'r dyn LowerSource) -> Result<Fetched<T>>,
    ) -> Result<(T, &'r Arc<dyn LowerSource>), NotBelow> {
        let mut failed = None;
        for cache in &self.run.engine.read_only {
            match ask(&**cache) {
                Ok(taken) => {
                    self.run.record_read_only(taken.bytes);
                    return Ok((taken.value, cache));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    self.damaged(&**cache, &error);
                    if error.reason() == Some(Reason::StoreFailed) {
                        failed = Some(error);
                    }
                }
            }
        }
        Err(NotBelow(failed))
    }

    /// Warns of something in such a cache that is not what it should be.
    pub(in crate::fetch) fn damaged(self, cache: &dyn LowerSource, error: &Error) {
        let (root, text) = (cache.shown(), error.chain());
        // A mismatch has an explanation for those who have no other copy.
        let reason = text.lines().next().unwrap_or_default();
        self.run
            .warn(format!("warning: passing over what {root} has: {reason}"));
    }
}
