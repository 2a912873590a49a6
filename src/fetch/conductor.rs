//! The conductor: hands out the work of many modules, collects what comes back.

use std::fs;

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use rayon::Scope;

use super::compute::Finished;
use super::pools::{cores, on_two};
use super::transfer::{Begin, OnContention, Ready, Transferred};
use super::{Fetcher, Outcome};
use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::map::Map;
use crate::module::{GoVersion, H1, ModuleVersion, look_up};
use crate::source::Info;
use crate::trust::Part;

/// Zips that are fetched and not yet being unpacked, for each core.
const READY_PER_CORE: usize = 2;

/// What a job tells the conductor.
enum Report {
    Info(usize, Box<Result<Info>>),
    GoMod(usize, Result<H1>),
    Zip(usize, Result<H1>),
    /// As `Zip`, from the compute pool, where it leaves room.
    Unpacked(usize, Result<H1>),
    /// From the compute pool as well: to be fetched again as a whole.
    Again(usize),
    /// Another process holds the lock.
    Busy(usize, Begin),
}

/// One module on its way.
struct Work<'a> {
    entry: Entry,
    info: Option<Result<Info>>,
    gomod: Option<Result<H1>>,
    zip: Option<Result<H1>>,
    /// Fetched, but `.info` or `.mod` are still missing.
    held: Option<Ready<'a>>,
}

impl Work<'_> {
    /// `Some(true)` if both small files are there, `Some(false)` if one has failed.
    fn meta(&self) -> Option<bool> {
        match (&self.info, &self.gomod) {
            (Some(Err(_)), _) | (_, Some(Err(_))) => Some(false),
            (Some(Ok(_)), Some(Ok(_))) => Some(true),
            _ => None,
        }
    }

    fn has_failed(&self) -> bool {
        self.meta() == Some(false) || matches!(self.zip, Some(Err(_)))
    }

    fn is_settled(&self) -> bool {
        self.info.is_some() && self.gomod.is_some() && self.zip.is_some()
    }
}

impl<'a> Fetcher<'a> {
    /// Completes the cache entries of `modules`; one outcome for each, in their order.
    pub fn download(&self, modules: &[ModuleVersion]) -> Vec<Outcome> {
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
        let mut settled: Vec<Option<Outcome>> = Vec::with_capacity(distinct.len());
        let mut works = Vec::new();
        let looked = on_two(&distinct, |module| self.look(module));
        for (index, (module, look)) in distinct.iter().zip(looked).enumerate() {
            match look {
                Ok(work) if !work.is_settled() => {
                    works.push((index, work));
                    settled.push(None);
                    continue;
                }
                Ok(work) => settled.push(Some(self.settle(module, work))),
                Err(error) => {
                    settled.push(Some(Outcome {
                        error: Some(error),
                        ..Outcome::new(module)
                    }));
                }
            }
            let failed = settled[index]
                .as_ref()
                .is_some_and(|outcome| outcome.error.is_some());
            self.watch.finished(module, failed);
        }
        if !works.is_empty() {
            let (places, works): (Vec<usize>, Vec<Work<'a>>) = works.into_iter().unzip();
            for (place, work) in places.into_iter().zip(self.conduct(works)) {
                let module = distinct[place];
                settled[place] = Some(self.settle(module, work));
            }
        }
        // Every slot was filled above, by one of the three ways.
        let outcomes = settled
            .into_iter()
            .zip(&distinct)
            .map(|(outcome, module)| outcome.unwrap_or_else(|| Outcome::new(module)));
        if slots.len() == distinct.len() {
            return outcomes.collect();
        }
        let outcomes: Vec<Outcome> = outcomes.collect();
        slots
            .into_iter()
            .map(|slot| outcomes[slot].clone())
            .collect()
    }

    /// What the cache has of a module, without a lock. What only the checksum database can
    /// vouch for is left to the transfer pool, which asks about many at a time.
    fn look(&self, module: &ModuleVersion) -> Result<Work<'a>> {
        let entry = self.cache.entry(module)?;
        let info = self.cached_info(&entry).transpose();
        let (mut gomod, mut zip) = (None, None);
        if let Some(h1) = self.checked_gomod_sum(module) {
            gomod = Some(Ok(h1));
        } else if !self.sums.must_ask(module, Part::GoMod) {
            gomod = self.cached_gomod_sum(&entry).transpose();
        }
        if !self.sums.must_ask(module, Part::Zip) {
            zip = self.complete(&entry).transpose();
        }
        Ok(Work {
            entry,
            info,
            gomod,
            zip,
            held: None,
        })
    }

    /// Runs the two pools until every work is settled.
    fn conduct(&self, mut works: Vec<Work<'a>>) -> Vec<Work<'a>> {
        let pools = self
            .pools
            .transfer()
            .and_then(|t| Ok((t, self.pools.compute()?)));
        let (transfer, compute) = match pools {
            Ok(pools) => pools,
            Err(error) => {
                for work in &mut works {
                    work.info = Some(Err(error.clone()));
                    work.gomod = Some(Err(error.clone()));
                    work.zip = Some(Err(error.clone()));
                }
                return works;
            }
        };
        let (reports_in, reports) = unbounded();
        let (ready_in, ready) = bounded(cores() * READY_PER_CORE);
        transfer.in_place_scope(|transfers| {
            compute.in_place_scope(|computes| {
                Conductor {
                    fetcher: self,
                    works: &mut works,
                    transfers,
                    computes,
                    reports_in,
                    ready_in,
                    computing: 0,
                }
                .run(&reports, &ready);
            });
        });
        works
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
        let (Some(running), Some(directory)) = (&self.running, &outcome.directory) else {
            return Ok(());
        };
        // A module from the time before go.mod files has none.
        let Ok(gomod) = fs::read(directory.join("go.mod")) else {
            return Ok(());
        };
        let needed = look_up(&gomod, "go").and_then(GoVersion::parse);
        match needed.and_then(|needed| running.refusal(&module.to_string(), &needed)) {
            None => Ok(()),
            Some(text) => {
                outcome.directory = None;
                Err(Error::too_new(text))
            }
        }
    }
}

fn fill(outcome: &mut Outcome, work: Work<'_>) -> Result<()> {
    // The conductor settles all three parts of every work.
    let never_tried = || Error::new(Kind::Other, format!("{}: not tried", work.entry.module()));
    outcome.info = Some(work.info.ok_or_else(never_tried)??);
    outcome.info_path = Some(work.entry.info_path());
    outcome.gomod_sum = Some(work.gomod.ok_or_else(never_tried)??);
    outcome.gomod_path = Some(work.entry.gomod_path());
    outcome.sum = Some(work.zip.ok_or_else(never_tried)??);
    outcome.zip_path = Some(work.entry.zip_path());
    outcome.directory = Some(work.entry.directory().to_owned());
    Ok(())
}

struct Conductor<'c, 'scope, 'f, 'a> {
    fetcher: &'f Fetcher<'a>,
    works: &'c mut Vec<Work<'a>>,
    transfers: &'c Scope<'scope>,
    computes: &'c Scope<'scope>,
    reports_in: Sender<Report>,
    ready_in: Sender<Ready<'a>>,
    computing: usize,
}

impl<'scope, 'f: 'scope, 'a> Conductor<'_, 'scope, 'f, 'a>
where
    'a: 'scope,
{
    fn run(mut self, reports: &Receiver<Report>, ready: &Receiver<Ready<'a>>) {
        for index in 0..self.works.len() {
            self.start(index);
        }
        let mut open = self.works.iter().filter(|work| !work.is_settled()).count();
        while open > 0 {
            let no_room = never();
            let has_room = self.computing < cores() * READY_PER_CORE;
            let index = select! {
                recv(reports) -> report => match report {
                    Ok(report) => self.take_report(report),
                    Err(_) => return,
                },
                recv(if has_room { ready } else { &no_room }) -> zip => match zip {
                    Ok(zip) => self.take_zip(zip),
                    Err(_) => return,
                },
            };
            if let Some(index) = index
                && self.works[index].is_settled()
            {
                open -= 1;
                let work = &self.works[index];
                self.fetcher
                    .watch
                    .finished(work.entry.module(), work.has_failed());
                if work.has_failed() {
                    self.fetcher.failed();
                }
            }
        }
    }

    /// Queues what a module lacks, all at once.
    fn start(&mut self, index: usize) {
        let fetcher = self.fetcher;
        let work = &self.works[index];
        if work.info.is_none() {
            let (entry, reports) = (work.entry.clone(), self.reports_in.clone());
            self.transfers.spawn(move |_| {
                fetcher.watch.started(entry.module());
                let info = fetcher.unless_stopped(&entry, || fetcher.info(&entry));
                // The conductor outlives its jobs; were it gone, nobody would miss the report.
                let _ = reports.send(Report::Info(index, Box::new(info)));
            });
        }
        if work.gomod.is_none() {
            let (entry, reports) = (work.entry.clone(), self.reports_in.clone());
            self.transfers.spawn(move |_| {
                fetcher.watch.started(entry.module());
                let gomod = fetcher.unless_stopped(&entry, || Ok(fetcher.gomod(&entry)?.h1));
                let _ = reports.send(Report::GoMod(index, gomod));
            });
        }
        if work.zip.is_none() {
            self.start_zip(index, OnContention::Defer, Begin::Anywhere);
        }
    }

    fn start_zip(&self, index: usize, on_contention: OnContention, begin: Begin) {
        let fetcher = self.fetcher;
        let entry = self.works[index].entry.clone();
        let (reports, ready) = (self.reports_in.clone(), self.ready_in.clone());
        self.transfers.spawn(move |_| {
            let transfer = || fetcher.transfer_zip(index, &entry, on_contention, begin);
            let _ = match fetcher.unless_stopped(&entry, transfer) {
                Ok(Transferred::Ready(zip)) => return drop(ready.send(zip)),
                Ok(Transferred::Complete(h1)) => reports.send(Report::Zip(index, Ok(h1))),
                Ok(Transferred::Busy) => reports.send(Report::Busy(index, begin)),
                Err(error) => reports.send(Report::Zip(index, Err(error))),
            };
        });
    }

    /// Takes in a report; returns the module whose state it changed.
    fn take_report(&mut self, report: Report) -> Option<usize> {
        let index = match report {
            Report::Busy(index, begin) => {
                self.start_zip(index, OnContention::Wait, begin);
                return None;
            }
            Report::Again(index) => {
                self.computing -= 1;
                self.start_zip(index, OnContention::Defer, Begin::FromFirstByte);
                return None;
            }
            Report::Info(index, info) => {
                self.works[index].info = Some(*info);
                index
            }
            Report::GoMod(index, gomod) => {
                self.works[index].gomod = Some(gomod);
                index
            }
            Report::Zip(index, zip) => {
                self.works[index].zip = Some(zip);
                index
            }
            Report::Unpacked(index, zip) => {
                self.computing -= 1;
                self.works[index].zip = Some(zip);
                index
            }
        };
        if self.works[index].held.is_some()
            && self.works[index].meta().is_some()
            && let Some(held) = self.works[index].held.take()
        {
            self.unpack(held);
        }
        Some(index)
    }

    /// Takes in a fetched zip: unpacks it now, or keeps it until the small files are there.
    fn take_zip(&mut self, zip: Ready<'a>) -> Option<usize> {
        let index = zip.index;
        if self.works[index].meta().is_none() {
            self.works[index].held = Some(zip);
        } else {
            self.unpack(zip);
        }
        Some(index)
    }

    fn unpack(&mut self, zip: Ready<'a>) {
        let index = zip.index;
        if self.works[index].meta() == Some(false) {
            // The module has failed already: the zip is dropped, its temporary goes with it.
            let text = format!("{}: not unpacked", self.works[index].entry.module());
            self.works[index].zip = Some(Err(Error::new(Kind::Other, text)));
            return;
        }
        self.computing += 1;
        let fetcher = self.fetcher;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.computes.spawn(move |_| {
            let lower = zip.lower;
            let _ = reports.send(match fetcher.finish_zip(&entry, zip) {
                Finished::Done(h1) => Report::Unpacked(index, h1),
                Finished::Again(cause) => {
                    match lower {
                        Some(lower) => fetcher.damaged(lower, &cause),
                        None => fetcher.begin_again(entry.module(), &cause),
                    }
                    Report::Again(index)
                }
            });
        });
    }
}

impl Fetcher<'_> {
    fn unless_stopped<T>(&self, entry: &Entry, act: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_stopped() {
            return Err(Error::new(
                Kind::Other,
                format!("{}: not fetched after an earlier failure", entry.module()),
            ));
        }
        act()
    }
}
