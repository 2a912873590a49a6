//! What module caches that are only read have is taken from there first.

use super::ModuleFiles;
use crate::error::{Error, Result};
use crate::http::Fetched;
use crate::source::ReadOnlyCache;

impl<'r> ModuleFiles<'r> {
    /// Asks one cache after the other for what `ask` asks, and returns it with the cache that
    /// had it. A cache that cannot be read is passed over with a warning.
    pub(in crate::fetch) fn ask_read_only<T>(
        self,
        mut ask: impl FnMut(&'r ReadOnlyCache) -> Result<Fetched<T>>,
    ) -> Option<(T, &'r ReadOnlyCache)> {
        for cache in &self.run.engine.read_only {
            match ask(cache) {
                Ok(taken) => {
                    self.run.record_read_only(taken.bytes);
                    return Some((taken.value, cache));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => self.damaged(cache, &error),
            }
        }
        None
    }

    /// Warns of something in such a cache that is not what it should be.
    pub(in crate::fetch) fn damaged(self, cache: &ReadOnlyCache, error: &Error) {
        let (root, text) = (cache.root().display(), error.chain());
        // A mismatch has an explanation for those who have no other copy.
        let reason = text.lines().next().unwrap_or_default();
        self.run
            .warn(format!("warning: passing over what {root} has: {reason}"));
    }
}
