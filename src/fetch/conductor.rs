//! The conductor: hands out the work of many modules, collects what comes back.

mod ahead;

use std::fs;

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use rayon::Scope;

pub use ahead::Ahead;
use ahead::{Early, Verdict};

use super::compute::{Finished, Prepared};
use super::pools::{cores, on_two};
use super::transfer::{Begin, OnContention, Ready, Transferred};
use super::{Fetcher, Outcome};
use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::map::Map;
use crate::module::{GoVersion, H1, ModuleVersion, look_up};
use crate::source::{Info, LowerCache};
use crate::trust::Part;

/// Zips that are fetched and not yet being unpacked, for each core.
const READY_PER_CORE: usize = 2;

/// What a job tells the conductor.
enum Report<'a> {
    Info(usize, Box<Result<Info>>),
    /// Fetched, but not kept.
    InfoAhead(usize, Result<Box<Info>>),
    GoMod(usize, Result<H1>),
    Zip(usize, Result<H1>),
    /// As `Zip`, from the compute pool, where it leaves room.
    Unpacked(usize, Result<H1>),
    /// From the compute pool as well: to be fetched again as a whole.
    Again(usize),
    /// From the compute pool as well: whole, but for being visible. Or this machine's disk could
    /// not take it.
    Prepared(usize, Box<Result<Prepared<'a>, Ready<'a>>>),
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
    /// What is made of it before it is known to be needed.
    early: Early<'a>,
}

impl<'a> Work<'a> {
    fn of(entry: Entry) -> Work<'a> {
        Work {
            entry,
            info: None,
            gomod: None,
            zip: None,
            held: None,
            early: Early::default(),
        }
    }

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

    fn not_unpacked(&self) -> Error {
        let text = format!("{}: not unpacked", self.entry.module());
        Error::new(Kind::Other, text)
    }

    fn is_settled(&self) -> bool {
        self.info.is_some() && self.gomod.is_some() && self.zip.is_some()
    }
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
        let mut settled: Vec<Option<Outcome>> = vec![None; distinct.len()];
        let unbegun: Vec<usize> = (0..distinct.len())
            .filter(|&index| !ahead.has(distinct[index]))
            .collect();
        let mut works = Vec::new();
        let looked = on_two(&unbegun, |&index| self.look(distinct[index]));
        for (&index, look) in unbegun.iter().zip(looked) {
            let module = distinct[index];
            let outcome = match look {
                Ok(work) if !work.is_settled() => {
                    works.push(work);
                    continue;
                }
                Ok(work) => self.settle(module, work),
                Err(error) => Outcome {
                    error: Some(error),
                    ..Outcome::new(module)
                },
            };
            self.watch.finished(module, outcome.error.is_some());
            settled[index] = Some(outcome);
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

    /// Runs the two pools until every work is settled. With `verdicts` the works are only likely
    /// to be needed, until one says which are.
    fn conduct(
        &self,
        mut works: Vec<Work<'a>>,
        verdicts: Option<&Receiver<Verdict<'a>>>,
    ) -> Vec<Work<'a>> {
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
                    next: 0,
                    in_flight: 0,
                    keeps_unneeded: false,
                }
                .run(&reports, &ready, verdicts);
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
    reports_in: Sender<Report<'a>>,
    ready_in: Sender<Ready<'a>>,
    computing: usize,
    /// Of works that are only likely: the next one to begin, and how many transfers go on.
    next: usize,
    in_flight: usize,
    /// What turns out not to be needed stays, as far as a later run could go on with it.
    keeps_unneeded: bool,
}

impl<'scope, 'f: 'scope, 'a> Conductor<'_, 'scope, 'f, 'a>
where
    'a: 'scope,
{
    fn run(
        mut self,
        reports: &Receiver<Report<'a>>,
        ready: &Receiver<Ready<'a>>,
        verdicts: Option<&Receiver<Verdict<'a>>>,
    ) {
        if let Some(verdicts) = verdicts
            && self.run_ahead(reports, ready, verdicts).is_none()
        {
            return;
        }
        if verdicts.is_none() {
            for index in 0..self.works.len() {
                self.start(index);
            }
        }
        let (mut needed, mut unneeded) = (0, 0);
        for work in self.works.iter().filter(|work| !work.is_settled()) {
            match work.early.unneeded.is_set() {
                true => unneeded += 1,
                false => needed += 1,
            }
        }
        while needed + unneeded > 0 {
            if needed == 0 {
                // Nobody waits for a silent server for the sake of what is not needed.
                self.fetcher.source.hang_up();
            }
            let no_room = never();
            let index = select! {
                recv(reports) -> report => match report {
                    Ok(report) => self.take_report(report),
                    Err(_) => return,
                },
                recv(if self.has_room() { ready } else { &no_room }) -> zip => match zip {
                    Ok(zip) => self.take_zip(zip),
                    Err(_) => return,
                },
            };
            if let Some(index) = index
                && self.works[index].is_settled()
            {
                match self.works[index].early.unneeded.is_set() {
                    true => unneeded -= 1,
                    false => needed -= 1,
                }
                self.tell_settled(index);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.computing < cores() * READY_PER_CORE
    }

    fn tell_settled(&self, index: usize) {
        let work = &self.works[index];
        if work.early.unneeded.is_set() {
            return;
        }
        let failed = work.has_failed();
        self.fetcher.watch.finished(work.entry.module(), failed);
        if failed {
            self.fetcher.failed();
        }
    }

    /// Queues what a module lacks, all at once.
    fn start(&mut self, index: usize) {
        let fetcher = self.fetcher;
        if self.works[index].info.is_none() {
            let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
            self.transfers.spawn(move |_| {
                fetcher.watch.started(entry.module());
                let info = fetcher.unless_stopped(&entry, || fetcher.info(&entry));
                // The conductor outlives its jobs; were it gone, nobody would miss the report.
                let _ = reports.send(Report::Info(index, Box::new(info)));
            });
        }
        if self.works[index].gomod.is_none() {
            self.start_gomod(index);
        }
        if self.works[index].zip.is_none() {
            self.start_zip(index, OnContention::Defer, Begin::Anywhere);
        }
    }

    fn start_gomod(&self, index: usize) {
        let fetcher = self.fetcher;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.transfers.spawn(move |_| {
            fetcher.watch.started(entry.module());
            let gomod = fetcher.unless_stopped(&entry, || Ok(fetcher.gomod(&entry)?.h1));
            let _ = reports.send(Report::GoMod(index, gomod));
        });
    }

    fn start_zip(&self, index: usize, on_contention: OnContention, begin: Begin) {
        let fetcher = self.fetcher;
        let entry = self.works[index].entry.clone();
        let unneeded = self.works[index].early.unneeded.clone();
        let (reports, ready) = (self.reports_in.clone(), self.ready_in.clone());
        self.transfers.spawn(move |_| {
            let transfer = || fetcher.transfer_zip(index, &entry, on_contention, begin, &unneeded);
            let _ = match fetcher.unless_stopped(&entry, transfer) {
                Ok(Transferred::Ready(zip)) => return drop(ready.send(zip)),
                Ok(Transferred::Complete(h1)) => reports.send(Report::Zip(index, Ok(h1))),
                Ok(Transferred::Busy) => reports.send(Report::Busy(index, begin)),
                Err(error) => reports.send(Report::Zip(index, Err(error))),
            };
        });
    }

    /// Takes in a report; returns the module whose state it changed.
    fn take_report(&mut self, report: Report<'a>) -> Option<usize> {
        let index = match report {
            Report::Busy(index, _) if self.works[index].early.unneeded.is_set() => {
                self.leave(index)
            }
            Report::Busy(index, begin) => {
                self.start_zip(index, OnContention::Wait, begin);
                return None;
            }
            Report::Again(index) => {
                self.computing -= 1;
                if !self.works[index].early.unneeded.is_set() {
                    self.start_zip(index, OnContention::Defer, Begin::FromFirstByte);
                    return None;
                }
                self.leave(index)
            }
            Report::Prepared(index, prepared) => {
                self.computing -= 1;
                self.works[index].put(*prepared);
                match self.works[index].early.unneeded.is_set() {
                    true => self.leave(index),
                    false => index,
                }
            }
            Report::InfoAhead(index, info) => {
                self.keep_info(index, info);
                index
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
        self.advance(index);
        Some(index)
    }

    /// Unpacks or makes visible what only waited for the small files.
    fn advance(&mut self, index: usize) {
        let work = &mut self.works[index];
        if work.meta().is_none() {
            return;
        }
        if let Some(held) = work.held.take() {
            self.unpack(held);
        } else if let Some(prepared) = work.early.prepared.take() {
            self.reveal(index, prepared);
        }
    }

    /// Takes in a fetched zip: unpacks it now, or keeps it until the small files are there.
    fn take_zip(&mut self, zip: Ready<'a>) -> Option<usize> {
        let index = zip.index;
        if self.works[index].early.unneeded.is_set() {
            self.works[index].held = Some(zip);
            self.leave(index);
        } else if self.works[index].meta().is_none() {
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
            self.works[index].zip = Some(Err(self.works[index].not_unpacked()));
            return;
        }
        self.computing += 1;
        let fetcher = self.fetcher;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.computes.spawn(move |_| {
            let lower = zip.lower;
            let finished = fetcher.finish_zip(&entry, zip);
            let _ = reports.send(fetcher.finished(index, &entry, lower, finished));
        });
    }
}

impl Fetcher<'_> {
    /// What the conductor is told of the end of a computing half.
    fn finished<'r>(
        &self,
        index: usize,
        entry: &Entry,
        lower: Option<&LowerCache>,
        finished: Finished,
    ) -> Report<'r> {
        match finished {
            Finished::Done(h1) => Report::Unpacked(index, h1),
            Finished::Again(cause) => {
                match lower {
                    Some(lower) => self.damaged(lower, &cause),
                    None => self.begin_again(entry.module(), &cause),
                }
                Report::Again(index)
            }
        }
    }

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
