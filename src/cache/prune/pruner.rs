//! One run of `prune`: one at a time, on all cores.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::evict::Removal;
use super::plan::{Evicted, Eviction, PrunePlan};
use super::trash::{Discarded, Trash};
use crate::cache::scan::in_parallel;
use crate::cache::usage::Uses;
use crate::cache::{Cache, Inventory, RecordPiece, Space};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::fsio::FileLock;

/// The right to evict, which one process at a time has.
#[must_use = "the lock is released when it is dropped"]
#[derive(Debug)]
pub struct Pruner<'c> {
    cache: &'c Cache,
    trash: Trash,
    _lock: FileLock,
}

/// What came of one eviction.
#[derive(Debug)]
pub enum PruneOutcome {
    /// It is gone.
    Removed,
    /// Another process holds its lock: it stays.
    Locked,
    /// It was used while the plan was made: it stays.
    Used,
    /// It could not be removed, or not deleted.
    Failed(Error),
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Pruned {
    /// By the order of the plan.
    pub outcomes: Vec<PruneOutcome>,
    /// What was freed.
    pub space: Space,
}

impl Cache {
    /// Obtains the right to evict, and deletes what an interrupted run has left; `None` if another
    /// process has it.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]: the cache cannot be written.
    pub fn begin_prune(&self) -> Result<Option<Pruner<'_>>> {
        let Some(lock) = FileLock::try_acquire(&self.state_file("prune.lock"))? else {
            return Ok(None);
        };
        let trash = Trash::at(self.state_file("trash"))?;
        trash.sweep();
        Ok(Some(Pruner {
            cache: self,
            trash,
            _lock: lock,
        }))
    }
}

impl Pruner<'_> {
    /// Carries out a plan that was made of this inventory, and keeps index and usage log in step.
    /// `seen` is called from many threads, once for each eviction when its outcome is known.
    ///
    /// # Errors
    /// [`crate::Kind::Other`] if no thread can be started; what fails in part is in the outcomes.
    pub fn run(
        self,
        plan: &PrunePlan,
        mut inventory: Inventory,
        seen: &(dyn Fn(&Eviction, &PruneOutcome) + Sync),
    ) -> Result<Pruned> {
        let uses = self.cache.recorded_uses(inventory.taken);
        let outcomes: Vec<Mutex<Option<PruneOutcome>>> =
            plan.evictions.iter().map(|_| Mutex::default()).collect();
        in_parallel(|scope| {
            let mut places = &outcomes[..];
            // Those of one module are neighbours.
            for group in plan.evictions.chunk_by(of_one_module) {
                let (pruner, uses) = (&self, &uses);
                let (mine, others) = places.split_at(group.len());
                places = others;
                scope.spawn(move |_| {
                    let outcomes = pruner.remove_all(group, uses);
                    for ((eviction, outcome), place) in group.iter().zip(outcomes).zip(mine) {
                        seen(eviction, &outcome);
                        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                    }
                });
            }
        })?;
        let outcomes = outcomes.into_iter().filter_map(|place| {
            let outcome = place.into_inner();
            outcome.unwrap_or_else(PoisonError::into_inner)
        });
        let mut pruned = Pruned {
            outcomes: outcomes.collect(),
            space: Space::default(),
        };
        for (eviction, outcome) in plan.evictions.iter().zip(&pruned.outcomes) {
            if let PruneOutcome::Removed = outcome {
                pruned.space += eviction.space;
                inventory.forget(eviction);
            }
        }
        inventory
            .versions
            .retain(|record| !record.total().is_empty());
        self.cache.keep_index(&inventory);
        // Best effort, as all that concerns the log.
        let names = inventory.versions.iter().filter_map(|record| record.name());
        let names: HashSet<String> = names.collect();
        let _ = self.cache.compact_uses(|name| names.contains(name));
        Ok(pruned)
    }

    /// Removes what goes of one module; the outcomes in that order.
    fn remove_all(&self, evictions: &[Eviction], uses: &Uses) -> Vec<PruneOutcome> {
        let mut unlisted = None;
        let mut trash = Vec::new();
        let mut outcomes = Vec::with_capacity(evictions.len());
        for (place, eviction) in evictions.iter().enumerate() {
            outcomes.push(match self.put_away(eviction, uses) {
                Ok(discarded) => {
                    trash.extend(discarded.map(|discarded| (place, discarded)));
                    if let Evicted::Version(module, pieces) = &eviction.what
                        && pieces.contains(&RecordPiece::GoMod)
                    {
                        unlisted = Some((place, module));
                    }
                    PruneOutcome::Removed
                }
                Err(stays) => stays,
            });
        }
        if let Some((place, module)) = unlisted
            && let Err(error) = self.cache.relist(module)
        {
            outcomes[place] = PruneOutcome::Failed(error.about(module));
        }
        for (place, discarded) in trash {
            let deleted = discarded.delete();
            failpoints::reached("prune-trash-deleted");
            if let Err(error) = deleted {
                outcomes[place] = PruneOutcome::Failed(error);
            }
        }
        outcomes
    }

    /// Puts one thing out of sight, if it was not used meanwhile.
    fn put_away(
        &self,
        eviction: &Eviction,
        uses: &Uses,
    ) -> Result<Option<Discarded>, PruneOutcome> {
        if let Evicted::Version(module, pieces) = &eviction.what {
            let (content, gomod) = uses.of_module(module);
            let used = match pieces.contains(&RecordPiece::GoMod) {
                true => gomod,
                false => content,
            };
            if used > eviction.used {
                return Err(PruneOutcome::Used);
            }
        }
        match self.cache.evict(eviction, &self.trash) {
            Ok(Removal::Done(discarded)) => Ok(discarded),
            Ok(Removal::Locked) => Err(PruneOutcome::Locked),
            Ok(Removal::Used) => Err(PruneOutcome::Used),
            Err(error) => Err(PruneOutcome::Failed(error)),
        }
    }
}

/// True for two versions of a module.
fn of_one_module(one: &Eviction, two: &Eviction) -> bool {
    match (&one.what, &two.what) {
        (Evicted::Version(one, _), Evicted::Version(two, _)) => one.path() == two.path(),
        _ => false,
    }
}
