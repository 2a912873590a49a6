//! The engine: from module versions to complete cache entries, with as much at once as helps.
//!
//! This is the one area with concurrency and the only one that holds both a source and a cache.
//!
//! | folder | idea |
//! |---|---|
//! | `conductor` | many modules at once: from versions to outcomes ([`Outcome`]), or begun [`Ahead`] |
//! | `sums` | go.sum examined and [`Evidence`] heard, without a download |
//! | `queries` | from `latest` or a branch to a version, and how versions stand ([`Question`], [`Answer`]) |
//! | `graph` | reading the requirement graph, putting the requirements of go.mod right |
//! | `cached` | what the cache has, for those who plan ([`Stock`]) or list ([`Local`]) |
//! | `version` | one version: `.info` and `.mod`, the two halves of a zip |
//! | `threads` | the two pools, and how many files they may open |
//!
//! A folder uses those below it and none above. What they share is the [`Fetcher`], which each of
//! them gives methods.
//!
//! # How the work flows
//! The calling thread is the conductor: it keeps all state, looks into the cache, hands out work
//! and collects results. What the cache has whole goes no further: a warm run starts neither
//! pool, only one short-lived thread that looks as well, if there is much to look at.
//!
//! - The *transfer pool* (`jobs` threads) does what blocks: requests, and waiting for the locks
//!   of other processes. `.info`, `.mod` and `.zip` of a module start together, each goes as its
//!   own job; the queue is first in, first out.
//! - Where the requirement graph has to be fetched first, the modules that go.mod lists are begun
//!   meanwhile, by a conductor on a thread of its own, as far as nobody sees it: fetched, checked,
//!   unpacked below their marks. The graph then says which of them become visible, and what else
//!   there is to do ([`Ahead`]).
//! - A bounded channel carries finished zips, each with the version lock it was fetched under, to
//!   the conductor. It takes the next one only when the *compute pool* (one thread a core) has
//!   room, so when the disk is behind, transfers wait and memory stays bounded.
//! - The compute pool inflates, hashes and writes each zip in one pass ([`crate::modzip`]), and
//!   commits it. A compute job never waits for the network, a lock or a channel.
//! - A zip that was put together from the pieces of several transfers and turns out to be wrong
//!   goes back to the transfer pool once, to be fetched from its first byte. One that came whole
//!   and is wrong has failed.
//!
//! A lock that another process holds is tried first and waited for last, behind all other work:
//! two processes that start on the same list share it out among them.
//!
//! No wait for the lock of a version keeps another such lock from being released, so nobody waits
//! for ever:
//! - Such a lock is waited for on the transfer pool alone, and all its threads may be at it. What
//!   a held lock still needs is queued there before the first of these waits, or done by the compute
//!   pool.
//! - What was begun ahead keeps its locks while the graph is read and go.mod and go.sum are
//!   written. That waits for servers, for the locks of `list`, go.mod and go.sum, and for no
//!   version's; and nobody, `go` neither, waits for a version's lock while holding one of those.
//!
//! A zip is committed only when `.info` and `.mod` are there: a module that fails leaves what it
//! left with `go`.

mod cached;
mod conductor;
mod graph;
mod queries;
mod sums;
mod threads;
mod version;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use cached::{Local, Stock};
pub use conductor::{Ahead, Outcome, Traffic};
pub use queries::{Admit, Answer, Question, Release, ReleaseQuestion, is_unknown, unasked};
pub use sums::{Evidence, SumLine, SumState};
pub use threads::on_cores;

use queries::Memo;
use threads::Pools;

use crate::cache::Cache;
use crate::config::Overlay;
use crate::error::Error;
use crate::gomod::{GoVersion, H1, ModuleVersion, Running};
use crate::http::Fetched;
use crate::map::Map;
use crate::project::{BuildMod, MissingReplace};
use crate::source::{LowerCache, Source};
use crate::trust::SumPolicy;

/// What a run of the engine is told about, while it happens. Called from many threads.
pub trait Watch: Sync {
    /// So many modules will be completed.
    fn planned(&self, modules: usize);
    /// One more go.mod of the requirement graph was fetched.
    fn graph_grew(&self);
    /// A file of a module is being fetched; told for each of them.
    fn started(&self, module: &ModuleVersion);
    /// A zip that was put together from pieces is wrong, and is being fetched again as a whole.
    fn again(&self, module: &ModuleVersion, cause: &Error);
    /// A module is complete or has failed.
    fn finished(&self, module: &ModuleVersion, failed: bool);
}

/// How the engine works.
#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    /// Transfers at once.
    pub jobs: usize,
    /// `-modcacherw`: extracted directories stay writable.
    pub writable: bool,
    /// Start nothing new after the first failure.
    pub fail_fast: bool,
    /// What is kept of go.mod files and metadata.
    pub keep: Keep,
}

/// What the cache gets of the small files that a run fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: it is only looked at.
    Nothing,
    /// What can be written: who asks has an answer without it.
    IfPossible,
    /// Everything.
    All,
}

/// Fetches into one cache from one source, for one run.
pub struct Fetcher<'a> {
    cache: &'a Cache,
    source: &'a dyn Source,
    lower: &'a [LowerCache],
    lower_bytes: AtomicU64,
    warnings: Mutex<Vec<String>>,
    /// It was told that the cache cannot be used.
    unkept: AtomicBool,
    missing_replace: MissingReplace,
    sums: &'a SumPolicy,
    watch: &'a dyn Watch,
    settings: FetchSettings,
    /// What stands in for the go.mod files of local replacements.
    overlay: Overlay,
    pools: Pools,
    traffic: Mutex<HashMap<ModuleVersion, Traffic>>,
    /// The go.mod files in the cache that were checked in this run.
    gomods: Mutex<Map<ModuleVersion, H1>>,
    /// What refuses modules that need a newer go.
    running: Option<Running>,
    /// The go version that the run acts as.
    local: GoVersion,
    memo: Memo,
    /// go.mod stays as it is, and the graph is read only from go.mod files that go.sum knows.
    readonly: Option<BuildMod>,
    stopped: AtomicBool,
}

impl<'a> Fetcher<'a> {
    /// Makes a fetcher; no thread starts and nothing is touched until something is missing.
    pub fn new(
        cache: &'a Cache,
        source: &'a dyn Source,
        sums: &'a SumPolicy,
        watch: &'a dyn Watch,
        settings: FetchSettings,
    ) -> Fetcher<'a> {
        Fetcher {
            cache,
            source,
            lower: &[],
            lower_bytes: AtomicU64::new(0),
            warnings: Mutex::default(),
            unkept: AtomicBool::new(false),
            missing_replace: MissingReplace::default(),
            sums,
            watch,
            settings,
            overlay: Overlay::default(),
            pools: Pools::new(settings.jobs),
            traffic: Mutex::default(),
            gomods: Mutex::default(),
            memo: Memo::default(),
            readonly: None,
            running: None,
            local: GoVersion::emulated(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Reads other files in place of some.
    #[must_use]
    pub fn with_overlay(mut self, overlay: Overlay) -> Fetcher<'a> {
        self.overlay = overlay;
        self
    }

    /// Refuses what is too new for the go version that the run acts as.
    #[must_use]
    pub fn acting_as(mut self, running: Running) -> Fetcher<'a> {
        self.local = running.version().clone();
        self.running = Some(running);
        self
    }

    /// Refuses nothing where `go` would run a newer toolchain instead: to be used for what `go`
    /// does so for.
    #[must_use]
    pub fn switching(mut self) -> Fetcher<'a> {
        self.running = self.running.filter(|running| !running.may_switch());
        self
    }

    /// Takes the value out of a transfer and books its bytes to the module.
    fn book<T>(&self, module: &ModuleVersion, fetched: Fetched<T>) -> T {
        let mut all = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let traffic = all.entry(module.clone()).or_default();
        traffic.bytes += fetched.bytes;
        traffic.resumed += fetched.resumed;
        traffic.retries += fetched.retries;
        fetched.value
    }

    /// What was kept of a zip turned out to be of no use: nothing was saved by it.
    fn begin_again(&self, module: &ModuleVersion, cause: &Error) {
        self.watch.again(module, cause);
        let mut all = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let traffic = all.entry(module.clone()).or_default();
        traffic.resumed = 0;
        traffic.retries += 1;
    }

    fn traffic(&self, module: &ModuleVersion) -> Traffic {
        let all = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(module).copied().unwrap_or_default()
    }

    fn failed(&self) {
        if self.settings.fail_fast {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
