//! The conductor itself: hands out the work of many modules, collects what comes back.

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use rayon::Scope;

use super::work::{Report, Verdict, Work};
use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::fetch::Fetcher;
use crate::fetch::threads::cores;
use crate::fetch::version::{Begin, Finished, OnContention, Ready, Transferred};
use crate::source::LowerCache;

/// Zips that are fetched and not yet being unpacked, for each core.
const READY_PER_CORE: usize = 2;

impl<'a> Fetcher<'a> {
    /// Runs the two pools until every work is settled. With `verdicts` the works are only likely
    /// to be needed, until one says which are.
    pub(super) fn conduct(
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
}

pub(super) struct Conductor<'c, 'scope, 'f, 'a> {
    pub(super) fetcher: &'f Fetcher<'a>,
    pub(super) works: &'c mut Vec<Work<'a>>,
    pub(super) transfers: &'c Scope<'scope>,
    pub(super) computes: &'c Scope<'scope>,
    pub(super) reports_in: Sender<Report<'a>>,
    ready_in: Sender<Ready<'a>>,
    pub(super) computing: usize,
    /// Of works that are only likely: the next one to begin, and how many transfers go on.
    pub(super) next: usize,
    pub(super) in_flight: usize,
    /// What turns out not to be needed stays, as far as a later run could go on with it.
    pub(super) keeps_unneeded: bool,
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

    pub(super) fn has_room(&self) -> bool {
        self.computing < cores() * READY_PER_CORE
    }

    pub(super) fn tell_settled(&self, index: usize) {
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
    pub(super) fn start(&mut self, index: usize) {
        if self.works[index].info.is_none() {
            self.transfer(index, move |fetcher, entry| {
                let info = fetcher.unless_stopped(entry, || fetcher.info(entry));
                Report::Info(index, Box::new(info))
            });
        }
        if self.works[index].gomod.is_none() {
            self.start_gomod(index);
        }
        if self.works[index].zip.is_none() {
            self.start_zip(index, OnContention::Defer, Begin::Anywhere);
        }
    }

    pub(super) fn start_gomod(&self, index: usize) {
        self.transfer(index, move |fetcher, entry| {
            let gomod = fetcher.unless_stopped(entry, || Ok(fetcher.gomod(entry)?.h1));
            Report::GoMod(index, gomod)
        });
    }

    /// Queues the transfer of a small file, which ends with a report.
    pub(super) fn transfer(
        &self,
        index: usize,
        job: impl FnOnce(&'f Fetcher<'a>, &Entry) -> Report<'a> + Send + 'scope,
    ) {
        let fetcher = self.fetcher;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.transfers.spawn(move |_| {
            fetcher.watch.started(entry.module());
            // The conductor outlives its jobs; were it gone, nobody would miss the report.
            let _ = reports.send(job(fetcher, &entry));
        });
    }

    /// Queues a job of the compute pool, which ends with a report.
    pub(super) fn compute(
        &self,
        index: usize,
        job: impl FnOnce(&'f Fetcher<'a>, &Entry) -> Report<'a> + Send + 'scope,
    ) {
        let fetcher = self.fetcher;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.computes.spawn(move |_| {
            let _ = reports.send(job(fetcher, &entry));
        });
    }

    pub(super) fn start_zip(&self, index: usize, on_contention: OnContention, begin: Begin) {
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
    pub(super) fn advance(&mut self, index: usize) {
        let work = &mut self.works[index];
        if work.meta().is_none() {
            return;
        }
        if let Some(held) = work.held.take() {
            self.unpack(*held);
        } else if let Some(prepared) = work.early.prepared.take() {
            self.reveal(index, *prepared);
        }
    }

    /// Takes in a fetched zip: unpacks it now, or keeps it until the small files are there.
    fn take_zip(&mut self, zip: Ready<'a>) -> Option<usize> {
        let index = zip.index;
        if self.works[index].early.unneeded.is_set() {
            self.works[index].held = Some(Box::new(zip));
            self.leave(index);
        } else if self.works[index].meta().is_none() {
            self.works[index].held = Some(Box::new(zip));
        } else {
            self.unpack(zip);
        }
        Some(index)
    }

    fn unpack(&mut self, zip: Ready<'a>) {
        let index = zip.index;
        if self.drops(index) {
            return;
        }
        self.computing += 1;
        self.compute(index, move |fetcher, entry| {
            let lower = zip.lower;
            let finished = fetcher.finish_zip(entry, zip);
            fetcher.finished(index, entry, lower, finished)
        });
    }

    /// True if a module has failed already: its zip is dropped, the temporary goes with it.
    pub(super) fn drops(&mut self, index: usize) -> bool {
        let work = &mut self.works[index];
        let failed = work.meta() == Some(false);
        if failed {
            work.zip = Some(Err(work.not_unpacked()));
        }
        failed
    }
}

impl Fetcher<'_> {
    /// What the conductor is told of the end of a computing half.
    pub(super) fn finished<'r>(
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

    pub(super) fn unless_stopped<T>(
        &self,
        entry: &Entry,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.is_stopped() {
            return Err(Error::new(
                Kind::Other,
                format!("{}: not fetched after an earlier failure", entry.module()),
            ));
        }
        act()
    }
}
