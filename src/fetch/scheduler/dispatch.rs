//! Hands out the work of many modules, and collects what comes back.
//!
//! All state is on the dispatching thread; jobs on the two pools send reports. In order:
//! 1. For each module the jobs that it lacks are queued on the transfer pool, all at once: `.info`, `.mod`, zip
//!    ([`Dispatcher::start`]). With a [`Prefetch`](super::Prefetch) only `.info` and zip are begun, and nothing becomes
//!    visible until the graph says what is needed (`prefetch`).
//! 2. The job for a zip tries the version's lock. If another process holds it, it reports `Busy` and is queued again
//!    behind everything else, this time to wait.
//! 3. A zip that has come goes over a bounded channel, which is looked into only when the compute pool has room: when
//!    the disk is behind, transfers wait. It is held until `.info` and `.mod` are there ([`Dispatcher::advance`]).
//! 4. The compute pool hashes and extracts it in one pass, compares the hash with what vouches for it, and makes zip
//!    and directory visible.
//! 5. A zip that was resumed and is wrong reports `Refetch`, and goes back to 2 once, to be fetched from its first
//!    byte.
//! 6. A module is settled when each part that is wanted has a result; when all are, the works go back to `download`,
//!    which makes outcomes of them.
//!
//! One run at a time dispatches on an engine: with two, the jobs of one could fill the transfer pool waiting for locks
//! that the other holds and whose work is queued behind them.

use std::sync::PoisonError;

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use rayon::Scope;

use super::Scheduler;
use super::work::{Report, Verdict, Work};
use crate::cache::CacheEntry;
use crate::error::Error;
use crate::event::Event;
use crate::fetch::threads::cores;
use crate::fetch::version::{
    Finished, ModuleFiles, OnContention, ReadyZip, ResumeMode, Transferred,
};
use crate::fetch::{Run, Want};
use crate::source::LowerSource;
use crate::trust::SumPart;

/// Zips that are fetched and not yet being unpacked, for each core.
const READY_PER_CORE: usize = 2;

impl Scheduler<'_> {
    /// Runs the two pools until every work is settled. With `verdicts` the works are only likely
    /// to be needed, until one says which are.
    pub(super) fn dispatch(
        self,
        mut works: Vec<Work>,
        verdicts: Option<&Receiver<Verdict>>,
    ) -> Vec<Work> {
        let dispatching = &self.run.engine.dispatching;
        let _alone = dispatching.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = &self.run.engine.pools;
        let pools = pools.transfer().and_then(|t| Ok((t, pools.compute()?)));
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
                Dispatcher {
                    run: self.run,
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

pub(super) struct Dispatcher<'c, 'scope, 'f> {
    pub(super) run: &'f Run,
    pub(super) works: &'c mut Vec<Work>,
    pub(super) transfers: &'c Scope<'scope>,
    pub(super) computes: &'c Scope<'scope>,
    pub(super) reports_in: Sender<Report>,
    ready_in: Sender<ReadyZip>,
    pub(super) computing: usize,
    /// Of works that are only likely: the next one to begin, and how many transfers go on.
    pub(super) next: usize,
    pub(super) in_flight: usize,
    /// A transfer that turns out to be superfluous is kept as far as a later run can resume it.
    pub(super) keeps_unneeded: bool,
}

impl<'scope, 'f: 'scope> Dispatcher<'_, 'scope, 'f> {
    fn run(
        mut self,
        reports: &Receiver<Report>,
        ready: &Receiver<ReadyZip>,
        verdicts: Option<&Receiver<Verdict>>,
    ) {
        if let Some(verdicts) = verdicts
            && self.run_prefetch(reports, ready, verdicts).is_none()
        {
            return;
        }
        if verdicts.is_none() {
            for index in 0..self.works.len() {
                self.start(index);
            }
        }
        let mut outstanding = self.works.iter().filter(|work| !work.is_settled()).count();
        while outstanding > 0 {
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
                outstanding -= 1;
                self.tell_settled(index);
            }
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.computing < cores() * READY_PER_CORE
    }

    pub(super) fn tell_settled(&self, index: usize) {
        let work = &self.works[index];
        if work.early.unneeded {
            return;
        }
        let failed = work.has_failed();
        self.run.say(&Event::ModuleFinished {
            module: work.entry.module(),
            failed,
        });
        if failed {
            self.run.note_failure();
        }
    }

    /// Queues what a module lacks, all at once.
    pub(super) fn start(&mut self, index: usize) {
        let work = &self.works[index];
        let wants = |least| work.want >= least;
        let gomod = work.gomod.is_none() && wants(Want::GoMod);
        let zip = work.zip.is_none() && wants(Want::Zip);
        let sums = &self.run.sums;
        let together = work.info.is_none()
            && gomod
            && sums.believes_anything(work.entry.module(), SumPart::GoMod);
        if together {
            self.transfer(index, move |files, entry| {
                let both = files
                    .run
                    .begin(entry.module(), || Ok(files.unproven_meta(entry)));
                let failed = |error: Error| (Err(error.clone()), Err(error));
                Report::Meta(index, Box::new(both.unwrap_or_else(failed)))
            });
        } else if work.info.is_none() {
            self.start_info(index);
        }
        if gomod && !together {
            self.start_gomod(index);
        }
        if zip {
            self.start_zip(index, OnContention::Defer, ResumeMode::Resume);
        }
    }

    pub(super) fn start_info(&self, index: usize) {
        self.transfer(index, move |files, entry| {
            let info = files.run.begin(entry.module(), || files.info(entry));
            Report::Info(index, Box::new(info))
        });
    }

    pub(super) fn start_gomod(&self, index: usize) {
        self.transfer(index, move |files, entry| {
            let gomod = files
                .run
                .begin(entry.module(), || Ok(files.gomod(entry)?.h1));
            Report::GoMod(index, gomod)
        });
    }

    /// Queues the transfer of a small file, which ends with a report.
    pub(super) fn transfer(
        &self,
        index: usize,
        job: impl FnOnce(ModuleFiles<'_>, &CacheEntry) -> Report + Send + 'scope,
    ) {
        let (run, work) = (self.run, &self.works[index]);
        let (entry, link, reports) = (
            work.entry.clone(),
            work.link.clone(),
            self.reports_in.clone(),
        );
        self.transfers.spawn(move |_| {
            run.say(&Event::ModuleStarted {
                module: entry.module(),
            });
            // The dispatcher outlives its jobs; without it the report has no reader.
            let _ = reports.send(job(run.files_through(&link), &entry));
        });
    }

    /// Queues a job of the compute pool, which ends with a report.
    pub(super) fn compute(
        &self,
        index: usize,
        job: impl FnOnce(ModuleFiles<'_>, &CacheEntry) -> Report + Send + 'scope,
    ) {
        let run = self.run;
        let (entry, reports) = (self.works[index].entry.clone(), self.reports_in.clone());
        self.computes.spawn(move |_| {
            let _ = reports.send(job(run.files(), &entry));
        });
    }

    pub(super) fn start_zip(&self, index: usize, on_contention: OnContention, mode: ResumeMode) {
        let run = self.run;
        let (entry, link) = (
            self.works[index].entry.clone(),
            self.works[index].link.clone(),
        );
        let (reports, ready) = (self.reports_in.clone(), self.ready_in.clone());
        self.transfers.spawn(move |_| {
            let files = run.files_through(&link);
            let transfer = || files.transfer_zip(index, &entry, on_contention, mode);
            let _ = match run.begin(entry.module(), transfer) {
                Ok(Transferred::Ready(zip)) => return drop(ready.send(zip)),
                Ok(Transferred::Complete(h1)) => reports.send(Report::Zip(index, Ok(h1))),
                Ok(Transferred::Busy) => reports.send(Report::Busy(index, mode)),
                Err(error) => reports.send(Report::Zip(index, Err(error))),
            };
        });
    }

    /// Takes in a report; returns the module whose state it changed.
    fn take_report(&mut self, report: Report) -> Option<usize> {
        let index = match report {
            Report::Busy(index, _) if self.works[index].early.unneeded => self.leave(index),
            Report::Busy(index, mode) => {
                self.start_zip(index, OnContention::Wait, mode);
                return None;
            }
            Report::Refetch(index) => {
                self.computing -= 1;
                if !self.works[index].early.unneeded {
                    self.start_zip(index, OnContention::Defer, ResumeMode::Restart);
                    return None;
                }
                self.leave(index)
            }
            Report::Staged(index, staged) => {
                self.computing -= 1;
                self.works[index].put(*staged);
                match self.works[index].early.unneeded {
                    true => self.leave(index),
                    false => index,
                }
            }
            Report::InfoPrefetched(index, info) => {
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
            Report::Meta(index, both) => {
                let (info, gomod) = *both;
                self.works[index].info = Some(info);
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
        } else if let Some(staged) = work.early.staged.take() {
            self.publish(index, *staged);
        }
    }

    /// Takes in a fetched zip: unpacks it now, or keeps it until the small files are there.
    fn take_zip(&mut self, zip: ReadyZip) -> Option<usize> {
        let index = zip.index;
        if self.works[index].early.unneeded {
            self.works[index].held = Some(Box::new(zip));
            self.leave(index);
        } else if self.works[index].meta().is_none() {
            self.works[index].held = Some(Box::new(zip));
        } else {
            self.unpack(zip);
        }
        Some(index)
    }

    fn unpack(&mut self, zip: ReadyZip) {
        let index = zip.index;
        if self.drops(index) {
            return;
        }
        self.computing += 1;
        self.compute(index, move |files, entry| {
            let lower = zip.lower.clone();
            let finished = files.finish_zip(entry, zip);
            finished_report(files, index, entry, lower.as_deref(), finished)
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

/// The report to the dispatcher at the end of a computing half.
pub(super) fn finished_report(
    files: ModuleFiles<'_>,
    index: usize,
    entry: &CacheEntry,
    read_only: Option<&dyn LowerSource>,
    finished: Finished,
) -> Report {
    match finished {
        Finished::Done(h1) => Report::Unpacked(index, h1),
        Finished::Refetch(cause) => {
            match read_only {
                Some(cache) => files.damaged(cache, &cause),
                None => files.run.record_refetch(entry.module(), &cause),
            }
            Report::Refetch(index)
        }
    }
}
