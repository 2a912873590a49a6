//! From modules to outcomes: what the cache has whole needs no dispatcher.

use std::fs;

use super::Scheduler;
use super::outcome::Outcome;
use super::prefetch::Prefetch;
use super::work::Work;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::fetch::Want;
use crate::fetch::threads::on_two;
use crate::gomod::{FIPS140, GoVersion, ModuleVersion, look_up};
use crate::map::Map;
use crate::trust::SumPart;

/// What a look at a module came to.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are settled: a box each would take more"
)]
enum Looked {
    /// It is on its way, and was not looked at.
    Begun,
    /// Something is to be done for it.
    Lacking(Box<Work>),
    /// It is whole, or has failed.
    Settled(Outcome),
}

impl Scheduler<'_> {
    /// Completes the cache entries of `modules`; one outcome for each, in their order.
    pub fn download(self, modules: &[ModuleVersion]) -> Vec<Outcome> {
        self.download_with(modules, Prefetch::none())
    }

    /// As [`Scheduler::download`], continuing what was begun.
    pub fn download_with(self, modules: &[ModuleVersion], prefetch: Prefetch<'_>) -> Vec<Outcome> {
        let mut slots: Vec<usize> = Vec::with_capacity(modules.len());
        let mut index_of: Map<&ModuleVersion, usize> = Map::default();
        let mut distinct = Vec::new();
        for module in modules {
            slots.push(*index_of.entry(module).or_insert_with(|| {
                distinct.push(module);
                distinct.len() - 1
            }));
        }
        self.run.say(&Event::ModulesPlanned {
            modules: distinct.len(),
        });
        let looked = on_two(&distinct, |&module| match prefetch.has(module) {
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
                    self.run.say(&Event::ModuleFinished {
                        module: &outcome.module,
                        failed: outcome.error.is_some(),
                    });
                    Some(outcome)
                }
            });
        }
        let wanted = |module: &ModuleVersion| index_of.contains_key(module);
        let works = match prefetch.finish(wanted, works) {
            Ok(works) => works,
            Err(works) if works.is_empty() => works,
            Err(works) => self.dispatch(works, None),
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
    fn look_and_settle(self, module: &ModuleVersion) -> Looked {
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
    pub(super) fn look(self, module: &ModuleVersion) -> Result<Work> {
        let (run, files) = (self.run, self.run.files());
        let entry = run.cache.entry(module)?;
        let mut work = Work::of(entry, run.want, run.link.clone());
        work.info = files.cached_info(&work.entry).transpose();
        if run.want < Want::GoMod {
            return Ok(work);
        }
        if let Some(h1) = run.checked_gomod_sum(module) {
            work.gomod = Some(Ok(h1));
        } else if !run.sums.must_ask(module, SumPart::GoMod) {
            work.gomod = files.cached_gomod_sum(&work.entry).transpose();
        }
        if run.want >= Want::Zip && module.path().as_str() == FIPS140 {
            work.zip = Some(Err(bundled_with_go()));
        } else if run.want >= Want::Zip && !run.sums.must_ask(module, SumPart::Zip) {
            work.zip = files.complete(&work.entry).transpose();
        }
        Ok(work)
    }

    /// Turns the results of the parts into one outcome; the first failure in go's order counts.
    fn settle(self, module: &ModuleVersion, work: Work) -> Outcome {
        let mut outcome = Outcome::new(module);
        outcome.traffic = self.run.traffic(module);
        let filled =
            fill(&mut outcome, work).and_then(|()| self.refuse_newer(module, &mut outcome));
        outcome.error = filled.err();
        outcome
    }

    /// Refuses a module that needs a newer go, as `go` does when everything is there already. The
    /// go.mod in the directory is that of the cache, or `verify` complains: where this run has
    /// checked that one, it is not read once more. In a warm run of 250 modules that was 1,250 of
    /// 5,209 system calls.
    fn refuse_newer(self, module: &ModuleVersion, outcome: &mut Outcome) -> Result<()> {
        let Some(running) = &self.run.running else {
            return Ok(());
        };
        if self.run.suits(module) {
            return Ok(());
        }
        let gomod = match (
            outcome.directory(),
            outcome.zip_path(),
            outcome.gomod_path(),
        ) {
            (Some(directory), ..) => directory.join("go.mod"),
            (None, Some(_), Some(gomod)) => gomod,
            _ => return Ok(()),
        };
        // A module from the time before go.mod files has none.
        let Ok(gomod) = fs::read(gomod) else {
            return Ok(());
        };
        let needed = look_up(&gomod, "go").and_then(GoVersion::parse);
        let checked = needed.map_or(Ok(()), |needed| running.check(module, &needed));
        outcome.has_directory &= checked.is_ok();
        checked
    }
}

/// Refuses a zip of golang.org/fips140: go links what comes with its distribution, whose hash it
/// knows, and a copy from elsewhere could only stand in for it.
///
/// Source: golang/go `cmd/go/internal/modfetch/fetch.go`, `ErrFIPS140` (go1.26.9, go1.27.2;
/// CVE-2026-94444).
fn bundled_with_go() -> Error {
    let text = format!("{FIPS140} is bundled with the Go distribution and cannot be downloaded");
    Error::new(Kind::Security, text).hint(format!(
        "go needs no copy of it: leave it out with --exclude {FIPS140}"
    ))
}

fn fill(outcome: &mut Outcome, work: Work) -> Result<()> {
    let entry = &*outcome.entry.insert(Box::new(work.entry));
    // The dispatcher settles every part that is wanted of every work.
    let never_tried = || Error::new(Kind::Other, format!("{}: not tried", entry.module()));
    outcome.info = Some(work.info.ok_or_else(never_tried)??);
    if work.want >= Want::GoMod {
        outcome.gomod_sum = Some(work.gomod.ok_or_else(never_tried)??);
    }
    if work.want >= Want::Zip {
        outcome.sum = Some(work.zip.ok_or_else(never_tried)??);
    }
    outcome.has_directory = work.want >= Want::Extracted;
    Ok(())
}
