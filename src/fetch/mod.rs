//! The engine: from module versions to complete cache entries, with as much at once as helps.
//!
//! This is the one area with concurrency and the only one that holds both a source and a cache.
//!
//! | folder | idea |
//! |---|---|
//! | `scheduler` | [`Scheduler`]: many modules at once, from versions to outcomes ([`Outcome`]), with a [`Prefetch`] |
//! | `single` | single files for those who are asked for one ([`Run::zip`]) |
//! | `sums` | [`SumExaminer`]: go.sum compared with all that vouches for it, without a download |
//! | `queries` | [`QueryResolver`], [`ReleaseResolver`]: from `latest` or a branch to a version; retractions |
//! | `graph` | [`GraphReader`]: reading the requirement graph, putting the requirements of go.mod right |
//! | `cached` | [`CacheReader`]: what the cache has, for plans ([`CacheStatus`]) and listings |
//! | `version` | one version: `.info` and `.mod`, the two halves of a zip |
//! | `run` | [`Run`]: one piece of work, dropped when it is done |
//! | `engine` | [`Engine`]: cache, source and threads, shared by a whole process |
//! | `threads` | the two pools, and how many files they may open |
//!
//! A part uses those below it and none above. Those above `run` are small structs that borrow a [`Run`].
//!
//! # How the work flows
//! The calling thread dispatches: it keeps all state, looks into the cache, hands out work
//! and collects results. What the cache has whole goes no further: a warm run starts neither
//! pool, only one short-lived thread that looks as well, if there is much to look at.
//!
//! - The *transfer pool* (`jobs` threads) does what blocks: requests, and waiting for the locks
//!   of other processes. `.info`, `.mod` and `.zip` of a module start together, each goes as its
//!   own job; the queue is first in, first out.
//! - What is asked for as a single file ([`Run::zip`]) is fetched on the thread that asks, and hashed by the compute pool.
//! - Where the requirement graph has to be fetched first, the modules that go.mod lists are begun
//!   meanwhile, dispatched by a thread of its own, as far as readers cannot see it: fetched, checked,
//!   unpacked below their marks. The graph then says which of them become visible, and what else
//!   there is to do ([`Prefetch`]).
//! - A bounded channel carries finished zips, each with the version lock it was fetched under, to
//!   the dispatcher. It takes the next one only when the *compute pool* (one thread a core) has
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
//! Why every wait for a lock ends is explained in `fsio/lock.rs`.
//!
//! A zip is committed only when `.info` and `.mod` are there: a module that fails leaves what it
//! left with `go`.

mod cached;
mod engine;
mod graph;
mod queries;
mod run;
mod scheduler;
mod single;
mod sums;
mod threads;
mod version;

pub use cached::{CacheReader, CacheStatus};
pub use engine::{Engine, EngineParts};
pub use graph::GraphReader;
pub use queries::{
    QueryResolver, ReleaseQuery, ReleaseResolver, ResolvedVersion, Unresolved, VersionFilter,
    VersionQuery, is_unknown, unasked,
};
pub use run::{Keep, Run, RunOptions};
pub use scheduler::{Outcome, Prefetch, Scheduler, Traffic};
pub use single::{CachedFile, FileOrigin, ZipTap};
pub use sums::{HashEvidence, SumExaminer, SumLine, SumState};
pub use threads::on_cores;

/// What is wanted of a module version; each includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// The metadata.
    Info,
    /// The go.mod as well.
    GoMod,
    /// The zip as well, and its recorded hash.
    Zip,
    /// The files as well, extracted from the zip.
    #[default]
    Extracted,
}
