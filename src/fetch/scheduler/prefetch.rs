//! What is begun while the requirement graph is still being read: the modules that go.mod lists.
//!
//! As good as every one of them will be needed as it is listed: a version that the graph raises is
//! one that a user wrote into go.mod by hand and go has not corrected. So the waits for the
//! network, and the processor's work, need not come one after the other. Begun is only what go.sum
//! has the sum of, so that no more is asked of anybody than without.
//!
//! Begun is not done: until the graph says that the module is needed, its zip is a part and its
//! directory has its mark, as those of any run that is under way, and its `.info` is in memory. What
//! turns out to be superfluous is removed, and the cache is what it would have been, except for a file
//! that was a lock. The locks of versions are held for that long; why every wait for them
//! ends is in [`super::super`].
//!
//! The graph goes first: it has at least half of the threads, and only so many modules are begun as
//! there are files for. Zips come before `.info` files: only they make work for the processor, and it is
//! idle until the first has come. Nor does a run wait for what is not needed: that takes no more bytes, and
//! when nothing else is left, its connections are closed.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::thread::{self, Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use super::Scheduler;
use super::dispatch::{Dispatcher, finished_report};
use super::work::{Report, Verdict, Work};
use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::fetch::Want;
use crate::fetch::cached::CacheReader;
use crate::fetch::threads::holdable;
use crate::fetch::version::{OnContention, ReadyZip, ResumeMode, StagedModule};
use crate::gomod::ModuleVersion;
use crate::source::Info;
use crate::trust::SumPart;

/// So many modules are looked at to know whether the cache is full.
const SAMPLE: usize = 3;

/// What was begun. Dropped, it is given up.
#[must_use = "what was begun is given up when this is dropped"]
pub struct Prefetch<'s>(Option<RunningPrefetch<'s>>);

struct RunningPrefetch<'s> {
    modules: HashSet<ModuleVersion>,
    verdicts: Sender<Verdict>,
    dispatcher: ScopedJoinHandle<'s, Vec<Work>>,
}

impl Prefetch<'_> {
    /// Nothing was begun.
    pub fn none() -> Self {
        Prefetch(None)
    }

    pub(super) fn has(&self, module: &ModuleVersion) -> bool {
        let begun = self.0.as_ref();
        begun.is_some_and(|begun| begun.modules.contains(module))
    }

    /// Continues those that are wanted, removes the others, does `more` as well, and waits for
    /// all. `more` comes back if nothing was begun.
    pub(super) fn finish(
        self,
        wanted: impl Fn(&ModuleVersion) -> bool,
        more: Vec<Work>,
    ) -> Result<Vec<Work>, Vec<Work>> {
        let Some(begun) = self.0 else {
            return Err(more);
        };
        let needed = begun.modules.into_iter().filter(wanted).collect();
        // It is waited for until it comes: the dispatcher is there.
        let _ = begun.verdicts.send(Verdict { needed, more });
        let works = begun.dispatcher.join();
        Ok(works.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl Scheduler<'_> {
    /// Does `run`, which is to read a graph and to download. If that graph has to be fetched, the
    /// modules that are `likely` to be needed are begun meanwhile, to be continued by
    /// [`Scheduler::download_with`].
    pub fn with_prefetch<T>(
        self,
        mut likely: impl Iterator<Item = ModuleVersion>,
        work: impl FnOnce(Prefetch<'_>) -> T,
    ) -> T {
        // A cache that has these has most, and then there is little to wait for.
        let mut modules: Vec<ModuleVersion> = likely.by_ref().take(SAMPLE).collect();
        let nothing_to_unpack = self.run.want < Want::Zip;
        if nothing_to_unpack
            || modules
                .iter()
                .all(|module| CacheReader::new(self.run).has_gomod(module))
        {
            return work(Prefetch::none());
        }
        modules.extend(likely);
        modules.retain(|module| self.run.sums.suffices(module, SumPart::Zip));
        thread::scope(|scope| work(self.begin(scope, &modules)))
    }

    /// Begins with what the cache lacks of these, on a thread of `scope`.
    fn begin<'s>(self, scope: &'s Scope<'s, '_>, likely: &[ModuleVersion]) -> Prefetch<'s>
    where
        Self: 's,
    {
        let mut modules = HashSet::new();
        let mut works = Vec::new();
        for module in likely {
            if !modules.contains(module)
                && let Ok(mut work) = self.look(module)
                && work.zip.is_none()
            {
                modules.insert(module.clone());
                work.link = self.run.part();
                works.push(work);
            }
        }
        let room = self.prefetch_room();
        if works.is_empty() || room.is_none_or(|(at_once, _)| at_once == 0) {
            return Prefetch::none();
        }
        let (verdicts, verdicts_out) = bounded(1);
        let dispatch = move || self.dispatch(works, Some(&verdicts_out));
        let thread = thread::Builder::new().name("prefetch".to_owned());
        // Without a thread nothing is lost but time.
        let dispatcher = thread.spawn_scoped(scope, dispatch).ok();
        Prefetch(dispatcher.map(|dispatcher| RunningPrefetch {
            modules,
            verdicts,
            dispatcher,
        }))
    }

    /// How many transfers may go on ahead, and how many modules may be begun.
    fn prefetch_room(self) -> Option<(usize, usize)> {
        let threads = self.run.engine.pools.transfer().ok()?.current_num_threads();
        Some((threads / 2, holdable(threads)))
    }
}

impl Work {
    /// Takes in what was prepared, or could not be written.
    pub(super) fn put(&mut self, staged: Result<StagedModule, ReadyZip>) {
        self.early.zip_awaited = false;
        match staged {
            Ok(staged) => self.early.staged = Some(Box::new(staged)),
            Err(ready) => self.held = Some(Box::new(ready)),
        }
    }
}

fn unneeded(entry: &CacheEntry) -> Error {
    Error::new(Kind::Other, format!("{}: not needed", entry.module()))
}

impl<'scope, 'f: 'scope> Dispatcher<'_, 'scope, 'f> {
    /// Begins works until it is known which are needed, and then continues those, and starts
    /// the others. `None` if no dispatcher is left to report.
    pub(super) fn run_prefetch(
        &mut self,
        reports: &Receiver<Report>,
        ready: &Receiver<ReadyZip>,
        verdicts: &Receiver<Verdict>,
    ) -> Option<()> {
        let (at_once, most) = Scheduler::new(self.run).prefetch_room()?;
        let mut infos = 0;
        let verdict = loop {
            while self.next < most.min(self.works.len()) && self.in_flight < at_once {
                self.begin_zip(self.next);
                self.next += 1;
            }
            while infos < self.next && self.in_flight < at_once {
                self.begin_info(infos);
                infos += 1;
            }
            let no_room = never();
            select! {
                recv(reports) -> report => self.note(report.ok()?),
                recv(if self.has_room() { ready } else { &no_room }) -> zip => {
                    self.stage(zip.ok()?);
                }
                // Without a verdict the graph has failed.
                recv(verdicts) -> verdict => break verdict.ok(),
            }
        };
        self.decide(verdict);
        Some(())
    }

    /// Queues the transfer of the zip of a module that is likely to be needed. Its go.mod is the graph's.
    fn begin_zip(&mut self, index: usize) {
        self.works[index].early.zip_awaited = true;
        self.in_flight += 1;
        self.start_zip(index, OnContention::Defer, ResumeMode::Resume);
    }

    /// Queues the transfer of its `.info`, if that is not there.
    fn begin_info(&mut self, index: usize) {
        let work = &mut self.works[index];
        if work.info.is_none() {
            work.early.info_awaited = true;
            self.in_flight += 1;
            self.transfer(index, move |files, entry| {
                let info = files.run.begin(entry.module(), || files.fetch_info(entry));
                Report::InfoPrefetched(index, info.map(Box::new))
            });
        }
    }

    /// Takes in a report while it is not known what is needed: nothing becomes visible.
    fn note(&mut self, report: Report) {
        match report {
            Report::InfoPrefetched(index, info) => {
                self.in_flight -= 1;
                self.works[index].early.info_awaited = false;
                match info {
                    Ok(info) => self.works[index].early.info = Some(info),
                    Err(error) => self.works[index].info = Some(Err(error)),
                }
            }
            Report::Zip(index, zip) => {
                self.in_flight -= 1;
                self.works[index].early.zip_awaited = false;
                self.works[index].zip = Some(zip);
            }
            Report::Busy(index, mode) => {
                self.in_flight -= 1;
                self.works[index].early.zip_awaited = false;
                self.works[index].early.once_more = Some(mode);
            }
            Report::Unpacked(index, zip) => {
                self.computing -= 1;
                self.works[index].early.zip_awaited = false;
                self.works[index].zip = Some(zip);
            }
            Report::Refetch(index) => {
                self.computing -= 1;
                self.works[index].early.zip_awaited = false;
                self.works[index].early.once_more = Some(ResumeMode::Restart);
            }
            Report::Staged(index, staged) => {
                self.computing -= 1;
                self.works[index].put(*staged);
            }
            // No job that has been begun reports these.
            Report::Info(..) | Report::GoMod(..) | Report::Meta(..) => {}
        }
    }

    /// Does with a fetched zip what no reader sees.
    fn stage(&mut self, zip: ReadyZip) {
        self.in_flight -= 1;
        self.computing += 1;
        let index = zip.index;
        self.compute(index, move |files, entry| {
            let lower = zip.lower.clone();
            match files.stage(entry, zip) {
                Ok(staged) => {
                    failpoints::reached("ahead-prepared");
                    Report::Staged(index, Box::new(Ok(staged)))
                }
                Err(failed) => match *failed {
                    // It is tried again when it is known to be needed; that failure is reported.
                    (zip, error) if error.kind() == Kind::LocalIo => {
                        Report::Staged(index, Box::new(Err(zip)))
                    }
                    (zip, error) => {
                        let finished = files.unstaged(entry, zip, error);
                        finished_report(files, index, entry, lower.as_deref(), finished)
                    }
                },
            }
        });
    }

    fn decide(&mut self, verdict: Option<Verdict>) {
        // What comes of a graph that failed is kept for the next run.
        self.keeps_unneeded = verdict.is_none();
        let Verdict { needed, more } = verdict.unwrap_or_default();
        let begun = self.works.len();
        let is_needed = |work: &Work| needed.contains(work.entry.module());
        let mut late = Vec::new();
        for index in 0..self.next {
            if !is_needed(&self.works[index]) {
                self.give_up(index);
            } else if self.confirm(index) {
                late.push(index);
            }
        }
        // In turns, so that zips keep the processor busy all the time, and nothing is left to wait for at the end.
        let mut late = late.into_iter();
        for index in self.next..begun {
            if is_needed(&self.works[index]) {
                self.find_gomod(index);
                self.start(index);
                late.next()
                    .into_iter()
                    .for_each(|late| self.start_info(late));
            } else {
                self.give_up(index);
            }
        }
        late.for_each(|late| self.start_info(late));
        for work in more {
            self.works.push(work);
            self.start(self.works.len() - 1);
        }
        // Last, as always: who waits for a lock keeps a thread.
        for index in 0..begun {
            if let Some(mode) = self.works[index].early.once_more.take() {
                self.start_zip(index, OnContention::Wait, mode);
            }
        }
        for index in 0..begun {
            if self.works[index].is_settled() {
                self.tell_settled(index);
            }
        }
    }

    /// Takes the sum of the go.mod that the graph has read.
    fn find_gomod(&mut self, index: usize) {
        let run = self.run;
        let work = &mut self.works[index];
        if work.gomod.is_none() && !run.sums.must_ask(work.entry.module(), SumPart::GoMod) {
            work.gomod = run.files().cached_gomod_sum(&work.entry).transpose();
        }
    }

    /// It was begun and is needed: what is there becomes visible. True if its `.info` is still to be asked for.
    fn confirm(&mut self, index: usize) -> bool {
        self.find_gomod(index);
        let work = &mut self.works[index];
        let asks_info = work.info.is_none() && !work.early.info_awaited;
        let info = work.early.info.take();
        let lacks_info = asks_info && info.is_none();
        if let Some(info) = info {
            self.keep_info(index, Ok(info));
        }
        if self.works[index].gomod.is_none() {
            self.start_gomod(index);
        }
        self.advance(index);
        lacks_info
    }

    /// Stores an `.info` that was fetched ahead. On the compute pool: all threads of the other one
    /// may be waiting for locks, of processes that wait for the lock which this keeps from release.
    pub(super) fn keep_info(&mut self, index: usize, info: Result<Box<Info>>) {
        let work = &mut self.works[index];
        work.early.info_awaited = false;
        match info {
            _ if work.early.unneeded => work.info = Some(Err(unneeded(&work.entry))),
            Err(error) => work.info = Some(Err(error)),
            Ok(info) => {
                self.compute(index, move |files, entry| {
                    Report::Info(index, Box::new(files.keep_info(entry, *info)))
                });
            }
        }
    }

    /// Makes visible what was prepared, unless the module has failed already.
    pub(super) fn publish(&mut self, index: usize, staged: StagedModule) {
        if self.drops(index) {
            return;
        }
        self.computing += 1;
        self.compute(index, move |files, entry| {
            Report::Unpacked(index, files.publish(entry, staged))
        });
    }

    /// It is not needed.
    fn give_up(&mut self, index: usize) {
        let work = &mut self.works[index];
        work.early.unneeded = true;
        // Superfluous modules are no reason to wait for a silent server.
        work.link.cancel.cancel();
        work.early.once_more = None;
        if !work.early.info_awaited {
            work.info = Some(Err(unneeded(&work.entry)));
        }
        work.gomod = Some(Err(unneeded(&work.entry)));
        if !work.early.zip_awaited {
            self.leave(index);
        }
    }

    /// Removes what came of the zip of a module that is not needed.
    pub(super) fn leave(&mut self, index: usize) -> usize {
        let work = &mut self.works[index];
        work.early.zip_awaited = false;
        let staged = work.early.staged.take();
        let staged = staged.map(|staged| staged.discard());
        let held = work.held.take().map(|held| *held);
        for ready in [staged, held].into_iter().flatten() {
            if !self.keeps_unneeded {
                ready.discard();
            }
        }
        failpoints::reached("ahead-withdrawn");
        work.zip = Some(Err(unneeded(&work.entry)));
        index
    }
}
