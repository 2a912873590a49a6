//! From modules to outcomes: what the cache has whole needs no conductor.

use std::fs;

use super::ahead::Ahead;
use super::outcome::Outcome;
use super::work::Work;
use crate::error::{Error, Kind, Result};
use crate::fetch::Fetcher;
use crate::fetch::threads::on_two;
use crate::gomod::{GoVersion, ModuleVersion, look_up};
use crate::map::Map;
use crate::trust::Part;

/// What a look at a module came to.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are settled: a box each would take more"
)]
enum Looked<'a> {
    /// It is on its way, and was not looked at.
    Begun,
    /// Something is to be done for it.
    Lacking(Box<Work<'a>>),
    /// It is whole, or has failed.
    Settled(Outcome),
}

impl<'a> Fetcher<'a> {
    /// Completes the cache entries of `modules`; one outcome for each, in their order.
    pub fn download(&self, modules: &[ModuleVersion]) -> Vec<Outcome> {
        self.download_with(modules, Ahead::none())
    }

    /// As [`Fetcher::download`], going on with what was begun.
    pub fn download_with(&self, modules: &[ModuleVersion], ahead: Ahead<'_, 'a>) -> Vec<Outcome> {
        let mut slots: Vec<usize> = Vec::with_capacity(modules.len());
        let mut index_of: Map<&ModuleVersion, usize> = Map::default();
        let mut distinct = Vec::new();
        for module in modules {
            slots.push(*index_of.entry(module).or_insert_with(|| {
                distinct.push(module);
                distinct.len() - 1
            }));
        }
        self.watch.planned(distinct.len());
        let looked = on_two(&distinct, |&module| match ahead.has(module) {
            true => Looked::Begun,
            false => self.look_and_settle(module),
        });
        let mut works = Vec::new();
        let mut settled = Vec::with_capacity(distinct.len());
        for looked in looked {
            settled.push(match looked {
                Looked::Begun => None,
                Looked::Lacking(work) => {
                    works.push(*work);
                    None
                }
                Looked::Settled(outcome) => {
                    self.watch
                        .finished(&outcome.module, outcome.error.is_some());
                    Some(outcome)
                }
            });
        }
        let wanted = |module: &ModuleVersion| index_of.contains_key(module);
        let works = match ahead.go_on(wanted, works) {
            Ok(works) => works,
            Err(works) if works.is_empty() => works,
            Err(works) => self.conduct(works, None),
        };
        for work in works {
            // What was begun and turned out not to be needed has no outcome.
            if let Some(&index) = index_of.get(work.entry.module()) {
                settled[index] = Some(self.settle(distinct[index], work));
            }
        }
        // Every slot was filled above, by one of the three ways.
        let outcomes = settled
            .into_iter()
            .zip(&distinct)
            .map(|(outcome, module)| outcome.unwrap_or_else(|| Outcome::new(module)));
        let outcomes: Vec<Outcome> = outcomes.collect();
        if slots.len() == distinct.len() {
            return outcomes;
        }
        slots
            .into_iter()
            .map(|slot| outcomes[slot].clone())
            .collect()
    }

    /// Looks at a module, and settles it if the cache lacks nothing of it.
    fn look_and_settle(&self, module: &ModuleVersion) -> Looked<'a> {
        let outcome = match self.look(module) {
            Ok(work) if !work.is_settled() => return Looked::Lacking(Box::new(work)),
            Ok(work) => self.settle(module, work),
            Err(error) => Outcome {
                error: Some(error),
                ..Outcome::new(module)
            },
        };
        Looked::Settled(outcome)
    }

    /// What the cache has of a module, without a lock. What only the checksum database can
    /// vouch for is left to the transfer pool, which asks about many at a time.
    pub(super) fn look(&self, module: &ModuleVersion) -> Result<Work<'a>> {
        let entry = self.cache.entry(module)?;
        let mut work = Work::of(entry);
        work.info = self.cached_info(&work.entry).transpose();
        if let Some(h1) = self.checked_gomod_sum(module) {
            work.gomod = Some(Ok(h1));
        } else if !self.sums.must_ask(module, Part::GoMod) {
            work.gomod = self.cached_gomod_sum(&work.entry).transpose();
        }
        if !self.sums.must_ask(module, Part::Zip) {
            work.zip = self.complete(&work.entry).transpose();
        }
        Ok(work)
    }

    /// Turns the results of the parts into one outcome; the first failure in go's order counts.
    fn settle(&self, module: &ModuleVersion, work: Work<'a>) -> Outcome {
        let mut outcome = Outcome::new(module);
        outcome.traffic = self.traffic(module);
        let filled =
            fill(&mut outcome, work).and_then(|()| self.refuse_newer(module, &mut outcome));
        outcome.error = filled.err();
        outcome
    }

    /// Refuses a module that needs a newer go, as `go` does when everything is there already.
    fn refuse_newer(&self, module: &ModuleVersion, outcome: &mut Outcome) -> Result<()> {
        let (Some(running), Some(directory)) = (&self.running, outcome.directory()) else {
            return Ok(());
        };
        // A module from the time before go.mod files has none.
        let Ok(gomod) = fs::read(directory.join("go.mod")) else {
            return Ok(());
        };
        let needed = look_up(&gomod, "go").and_then(GoVersion::parse);
        let refused = needed.filter(|needed| running.refuses(needed));
        match refused.and_then(|needed| running.refusal(&module.to_string(), &needed)) {
            None => Ok(()),
            Some(text) => {
                outcome.has_directory = false;
                Err(Error::too_new(text))
            }
        }
    }
}

fn fill(outcome: &mut Outcome, work: Work<'_>) -> Result<()> {
    let entry = &*outcome.entry.insert(Box::new(work.entry));
    // The conductor settles all three parts of every work.
    let never_tried = || Error::new(Kind::Other, format!("{}: not tried", entry.module()));
    outcome.info = Some(work.info.ok_or_else(never_tried)??);
    outcome.gomod_sum = Some(work.gomod.ok_or_else(never_tried)??);
    outcome.sum = Some(work.zip.ok_or_else(never_tried)??);
    outcome.has_directory = true;
    Ok(())
}
