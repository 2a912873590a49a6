//! What a whole process shares: the cache, the source, the threads.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::single::InfoFile;
use super::threads::Pools;
use super::{CachedFile, Want};
use crate::cache::Cache;
use crate::error::Result;
use crate::gomod::ModuleVersion;
use crate::memo::{Memo, MemoSettings};
use crate::source::{LowerSource, Source};

/// What an [`Engine`] is made of.
pub struct EngineParts {
    /// The module cache that is filled.
    pub cache: Cache,
    /// Where modules come from.
    pub source: Arc<dyn Source>,
    /// Caches that are only read and stores, looked into before the source is asked, in this order.
    pub read_only: Vec<Arc<dyn LowerSource>>,
    /// Transfers at once, at most.
    pub jobs: usize,
    /// `-modcacherw`: extracted directories stay writable.
    pub writable: bool,
}

/// Fetches into one cache from one source. Shared by everything that a process does at the same time, for as long as
/// the process runs: each piece of work is a [`Run`](super::Run).
///
/// No thread starts and nothing is touched until something is missing. What is remembered is bounded, and a failure is
/// never remembered here.
pub struct Engine {
    pub(super) cache: Cache,
    pub(super) source: Arc<dyn Source>,
    pub(super) read_only: Vec<Arc<dyn LowerSource>>,
    pub(super) writable: bool,
    pub(super) pools: Pools,
    /// Held by the run that hands out work on the pools.
    pub(super) dispatching: Mutex<()>,
    /// Small files that are being fetched now: one request for all who ask.
    pub(super) infos: Memo<ModuleVersion, InfoFile>,
    pub(super) files: Memo<(ModuleVersion, Want), CachedFile>,
}

/// Files under way are forgotten when they are there, so this bounds nothing but requests at once.
const UNDER_WAY: MemoSettings = MemoSettings {
    capacity: 1 << 16,
    failure_ttl: Duration::ZERO,
};

impl Engine {
    /// Makes an engine; nothing is read or asked yet.
    #[must_use]
    pub fn new(parts: EngineParts) -> Arc<Engine> {
        Arc::new(Engine {
            cache: parts.cache,
            source: parts.source,
            read_only: parts.read_only,
            writable: parts.writable,
            pools: Pools::new(parts.jobs),
            dispatching: Mutex::default(),
            infos: Memo::new(UNDER_WAY),
            files: Memo::new(UNDER_WAY),
        })
    }

    /// The module cache that is filled.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Does `work` on the pool of one thread a core. It must not wait for the network, for a lock or for other work of
    /// that pool.
    ///
    /// # Errors
    /// Those of `work`; [`Kind::Other`](crate::Kind::Other) if no thread can be started.
    pub fn on_compute<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.pools.compute()?.install(work)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
