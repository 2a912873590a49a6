//! What module caches that are only read have is taken from there first.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::fetch::Fetcher;
use crate::http::Fetched;
use crate::source::LowerCache;

impl<'a> Fetcher<'a> {
    /// The same fetcher, which looks into these caches, in their order, before it asks its source.
    #[must_use]
    pub fn with_lower(self, lower: &'a [LowerCache]) -> Fetcher<'a> {
        Fetcher { lower, ..self }
    }

    /// Bytes that were taken from those caches.
    #[must_use]
    pub fn lower_bytes(&self) -> u64 {
        self.lower_bytes.load(Ordering::Relaxed)
    }

    /// Says that the cache is of no use, with the first reason: the others will be alike.
    pub(in crate::fetch) fn warn_once(&self, warning: String) {
        if !self.unkept.swap(true, Ordering::Relaxed) {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            warnings.push(warning);
        }
    }

    /// What is worth a word and was no failure, since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks one cache after the other for what `ask` asks, and returns it with the cache that
    /// had it. One that cannot be read is told of and passed over.
    pub(in crate::fetch) fn ask_lower<T>(
        &self,
        mut ask: impl FnMut(&'a LowerCache) -> Result<Fetched<T>>,
    ) -> Option<(T, &'a LowerCache)> {
        for lower in self.lower {
            match ask(lower) {
                Ok(taken) => {
                    self.lower_bytes.fetch_add(taken.bytes, Ordering::Relaxed);
                    return Some((taken.value, lower));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => self.damaged(lower, &error),
            }
        }
        None
    }

    /// Tells of something in such a cache that is not what it should be.
    pub(in crate::fetch) fn damaged(&self, lower: &LowerCache, error: &Error) {
        let (root, text) = (lower.root().display(), error.chain());
        // A mismatch has an explanation for those who have no other copy.
        let reason = text.lines().next().unwrap_or_default();
        let warning = format!("warning: passing over what {root} has: {reason}");
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.push(warning);
    }
}
