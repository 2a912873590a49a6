//! Mending what a check found: damaged pieces are moved away, and fetched or made again.
//!
//! # What always holds
//! - Only what go.sum or the checksum database vouches for is touched: what comes instead is
//!   checked against the same.
//! - Only versions that no other process works on: the version lock is tried, and under it everything is looked
//!   at again.
//! - Nothing is deleted ([`crate::cache::Cache::quarantine`]), and everything new comes by the
//!   engine's way. Where no source has a file that go.sum accepts, it may be go.sum that is wrong:
//!   all is put back.
//! - Without the network only a good zip mends: its directory is extracted again, its ziphash
//!   written again.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{PieceStatus, Verifier, VerifyReport};
use crate::cache::EntryPiece;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Run, Scheduler};
use crate::gomod::ModuleVersion;
use crate::trust::{SumPart, SumPolicy};

/// Mends entries of one cache.
pub struct Repairer<'a> {
    /// What they are checked with.
    pub verifier: Verifier<'a>,
    /// The engine that completes them. It has not read the cache before: what it remembers may
    /// be what is moved away.
    pub run: Run,
    /// What must vouch for them.
    pub sums: &'a SumPolicy,
    /// Nothing can be fetched.
    pub offline: bool,
}

/// What became of a damaged entry.
#[derive(Debug)]
pub struct RepairOutcome {
    /// Which.
    pub module: ModuleVersion,
    /// Where the damaged pieces are; `None` if none had to be moved.
    pub quarantine: Option<PathBuf>,
    /// Why it is not whole.
    pub error: Option<Error>,
}

/// What is left to do for an entry whose damaged pieces are out of the way.
enum AfterRemoval {
    /// The engine has to complete it.
    Complete,
    /// Nothing: it had a go.mod and nothing else, which comes with the next graph.
    Nothing,
}

impl Repairer<'_> {
    /// Mends what the reports say is damaged; one result for each that has a problem, in order.
    pub fn repair(&self, reports: &[VerifyReport]) -> Vec<RepairOutcome> {
        let mut repairs = Vec::new();
        let mut complete = Vec::new();
        for report in reports.iter().filter(|report| !report.problems.is_empty()) {
            let mut quarantine = None;
            let cleared = self.clear(report, &mut quarantine);
            if let Ok(AfterRemoval::Complete) = cleared {
                complete.push(report.module.clone());
            }
            repairs.push(RepairOutcome {
                module: report.module.clone(),
                quarantine,
                error: cleared.err(),
            });
        }
        let outcomes = Scheduler::new(&self.run).download(&complete);
        let failed = outcomes
            .into_iter()
            .map(|outcome| (outcome.module, outcome.error));
        let mut failed: HashMap<ModuleVersion, Option<Error>> = failed.collect();
        for repaired in &mut repairs {
            if repaired.error.is_none() {
                repaired.error = failed.remove(&repaired.module).flatten();
                self.put_back(repaired);
            }
        }
        repairs
    }

    /// Puts everything back if the others have nothing better.
    fn put_back(&self, repaired: &mut RepairOutcome) {
        let RepairOutcome {
            module,
            quarantine: Some(from),
            error: Some(error),
        } = repaired
        else {
            return;
        };
        if !matches!(error.kind(), Kind::Security | Kind::NotFound) {
            return;
        }
        let cache = self.verifier.cache;
        let put_back = || {
            let entry = cache.entry(module)?;
            let lock = entry.try_lock()?;
            lock.map(|lock| cache.put_back(&entry, from, &lock))
                .transpose()
        };
        // What cannot be put back stays where the message says that it is.
        if let Ok(Some(())) = put_back() {
            let hint = "the cached files were put back: no source has a verified copy";
            *error = error.clone().hint(hint);
            repaired.quarantine = from.exists().then(|| from.clone());
        }
    }

    /// Moves the damaged pieces of an entry away, if it may be mended.
    fn clear(
        &self,
        report: &VerifyReport,
        quarantine: &mut Option<PathBuf>,
    ) -> Result<AfterRemoval> {
        let module = &report.module;
        let refuse = |kind, why: &str| Err(Error::new(kind, why));
        if report.errors().any(|error| error.kind() != Kind::Security) {
            return refuse(Kind::LocalIo, "it cannot be read");
        }
        let cache = self.verifier.cache;
        let entry = cache.entry(module)?;
        let Some(lock) = entry.try_lock()? else {
            let lock = entry.lock_path();
            let why = format!(
                "another process is at work on it and holds {}",
                lock.display()
            );
            return Err(Error::new(Kind::LockTimeout, why));
        };
        // Another process may have mended it, or made it anew.
        let report = self.verifier.check_one(module);
        if report.problems.is_empty() {
            return Ok(AfterRemoval::Nothing);
        }
        let damaged = |verdict: PieceStatus| verdict == PieceStatus::Mismatch;
        let zip_parts = [report.zip, report.dir, report.ziphash];
        // A ziphash that is missing beside a zip is damage as well.
        let unsummed = report.ziphash == PieceStatus::Absent && report.zip != PieceStatus::Absent;
        let zip_damaged = zip_parts.into_iter().any(damaged) || unsummed;
        let gomod_damaged = damaged(report.gomod);
        if !zip_damaged && !gomod_damaged {
            return refuse(
                Kind::Security,
                "what vouches for it is damaged, not the module",
            );
        }
        for (part, damaged) in [(SumPart::Zip, zip_damaged), (SumPart::GoMod, gomod_damaged)] {
            if damaged && !self.sums.vouched(module, part)? {
                return refuse(
                    Kind::Security,
                    "neither go.sum nor the checksum database vouches for it",
                );
            }
        }
        if self.offline && (gomod_damaged || report.zip != PieceStatus::Ok) {
            return refuse(
                Kind::Offline,
                "there is no good zip, and nothing can be fetched",
            );
        }
        let pieces: Vec<EntryPiece> = [
            (EntryPiece::Zip, report.zip),
            (EntryPiece::Dir, report.dir),
            (EntryPiece::ZipHash, report.ziphash),
            (EntryPiece::GoMod, report.gomod),
        ]
        .into_iter()
        .filter(|(_, verdict)| damaged(*verdict))
        .map(|(piece, _)| piece)
        .collect();
        if !pieces.is_empty() {
            *quarantine = Some(cache.quarantine(&entry, &pieces, &lock)?);
        }
        let had_zip = zip_parts
            .iter()
            .any(|verdict| *verdict != PieceStatus::Absent);
        Ok(if had_zip {
            AfterRemoval::Complete
        } else {
            AfterRemoval::Nothing
        })
    }
}
