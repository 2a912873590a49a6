//! What is cached against what vouches for it: go.sum, the ziphash, the checksum database.
//!
//! A module version has up to four pieces in the cache: zip, directory, ziphash, go.mod. Each is
//! read once and compared with
//!
//! 1. go.sum, where it has a line: whatever the other pieces say;
//! 2. what the checksum database has logged, if that was asked for: from cached files, proven;
//! 3. the ziphash, as `go mod verify` does, and alone where nothing else vouches.
//!
//! `go mod verify` knows the third only: zip, directory and ziphash that were altered alike pass
//! it. Here they do not.
//!
//! # What always holds
//! - A check fetches, writes and locks nothing ([`Repairer`] does): a complete entry is immutable, and one that another
//!   process is just making is marked. Whoever finds a difference looks at the mark again.
//! - What an interrupted run leaves (`.partial`, a torn ziphash without a zip, temporaries) is
//!   unfinished, which is no difference.
//! - Memory: a name and two hashes for each file of the modules at hand (one a core, seldom
//!   more), and the buffers of [`crate::modzip`].
//!
//! This area holds both cache and trust, as [`crate::fetch`] does, which it uses for threads.
//!
//! Source: golang/go `cmd/go/internal/modcmd/verify.go`, and `modfetch/cache.go`, `DownloadDir`.

mod database;
mod judge;
mod pieces;
mod repair;
mod report;

use rayon::prelude::*;

pub use database::DatabaseProof;
pub use repair::{RepairOutcome, Repairer};
pub use report::{PieceStatus, VerifyProblem, VerifyReport};

use crate::cache::Cache;
use crate::error::Result;
use crate::event::{Event, EventSink};
use crate::fetch::on_cores;
use crate::gomod::ModuleVersion;
use crate::trust::SumPolicy;

/// What cached modules are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'a> {
    /// Where they are.
    pub cache: &'a Cache,
    /// go.sum; `None` where there is no project.
    pub sums: Option<&'a SumPolicy>,
    /// The checksum database, if it is to be looked into.
    pub proof: Option<&'a DatabaseProof>,
}

impl Verifier<'_> {
    /// Checks modules, one a core at a time and the files of large ones side by side; one report
    /// for each, in their order. What is wrong is in the reports; `events` receives the progress.
    ///
    /// # Errors
    /// [`crate::Kind::Other`]: no thread can be started.
    pub fn check(
        &self,
        modules: &[ModuleVersion],
        events: &dyn EventSink,
    ) -> Result<Vec<VerifyReport>> {
        if modules.is_empty() {
            return Ok(Vec::new());
        }
        events.event(&Event::TaskStarted {
            task: "verifying modules",
            items: Some(modules.len() as u64),
            bytes: None,
        });
        let check = |module| {
            let report = self.check_one(module);
            events.event(&Event::TaskAdvanced { items: 1, bytes: 0 });
            report
        };
        on_cores(|| Ok(modules.par_iter().with_max_len(1).map(check).collect()))
    }
}
