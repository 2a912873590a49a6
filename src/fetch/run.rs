//! One piece of work on an engine: what it wants, where its events go, what ends it, what it has cost.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::Engine;
use super::queries::SourceAnswers;
use super::threads::on_two;
use super::version::{Link, ModuleFiles, VerifiedGoMod};
use super::{Traffic, Want};
use crate::cache::Cache;
use crate::cancel::CancelToken;
use crate::config::Overlay;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink, NoEvents};
use crate::gomod::{ActingVersion, GoVersion, H1, ModuleVersion, look_up};
use crate::http::{Fetched, KnownBodies, RequestContext};
use crate::map::Map;
use crate::project::{BuildMod, MissingReplace};
use crate::source::wrong_twice;
use crate::trust::SumPolicy;

/// What the cache gets of the small files that a run fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: it is only looked at.
    Nothing,
    /// What can be written: who asks has an answer without it.
    IfPossible,
    /// Everything.
    All,
}

/// How a [`Run`] works.
#[derive(Clone)]
pub struct RunOptions {
    /// go.sum, and what stands behind it.
    pub sums: Arc<SumPolicy>,
    /// Receives the events.
    pub events: Arc<dyn EventSink>,
    /// Ends the run early. A run that nothing ends waits for the locks of other processes in the kernel's queue.
    pub cancel: Option<CancelToken>,
    /// Headers that the requests have beside their own, as `traceparent`; nothing secret.
    pub headers: Vec<(String, String)>,
    /// Answers of earlier runs: for those it is asked whether they have changed.
    pub known: Option<Arc<KnownBodies>>,
    /// What is wanted of each module that [`Scheduler`](super::Scheduler) completes.
    pub want: Want,
    /// What is kept of go.mod files and metadata.
    pub keep: Keep,
    /// Start nothing new after the first failure.
    pub fail_fast: bool,
    /// The go version that the run acts as: what needs a newer one is refused.
    pub running: Option<ActingVersion>,
    /// Where `go` would run a newer toolchain instead of refusing, nothing is refused.
    pub switches: bool,
    /// What stands in for the go.mod files of local replacements.
    pub overlay: Overlay,
    /// What becomes of local replacements that are missing.
    pub missing_replace: MissingReplace,
    /// The graph is read only from go.mod files that go.sum knows, and only from the roots that are there, as
    /// `-mod=readonly` has it outside workspaces.
    pub readonly: Option<BuildMod>,
}

impl RunOptions {
    /// A run that reports no events, keeps everything and is about whole modules.
    #[must_use]
    pub fn new(sums: Arc<SumPolicy>) -> RunOptions {
        RunOptions {
            sums,
            events: Arc::new(NoEvents),
            cancel: None,
            headers: Vec::new(),
            known: None,
            want: Want::Extracted,
            keep: Keep::All,
            fail_fast: false,
            running: None,
            switches: false,
            overlay: Overlay::default(),
            missing_replace: MissingReplace::default(),
            readonly: None,
        }
    }
}

/// One piece of work on an [`Engine`]: a command, or what a client has asked for. It remembers what it has learnt, the
/// failures too, and is dropped when it is done.
pub struct Run {
    pub(super) engine: Arc<Engine>,
    /// The engine's, whose waits for locks are this run's.
    pub(super) cache: Cache,
    /// The engine's source, whose requests are this run's.
    pub(super) link: Link,
    pub(super) sums: Arc<SumPolicy>,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) want: Want,
    pub(super) keep: Keep,
    pub(super) overlay: Overlay,
    pub(super) missing_replace: MissingReplace,
    pub(super) readonly: Option<BuildMod>,
    /// What refuses modules that need a newer go.
    pub(super) running: Option<ActingVersion>,
    /// The go version that the run acts as.
    pub(super) local: GoVersion,
    pub(super) answers: SourceAnswers,
    fail_fast: bool,
    context: RequestContext,
    /// Cancelled where nothing new shall begin: with the run, or after the first failure.
    beginning: CancelToken,
    traffic: Mutex<HashMap<ModuleVersion, Traffic>>,
    /// What was wrong with zips that are fetched once more.
    first_faults: Mutex<HashMap<ModuleVersion, Error>>,
    read_only_bytes: AtomicU64,
    warnings: Mutex<Vec<String>>,
    /// It was said that the cache cannot be used.
    unkept: AtomicBool,
    /// The go.mod files in the cache that were checked in this run.
    gomods: Mutex<Map<ModuleVersion, CheckedGoMod>>,
}

impl Run {
    /// Begins a piece of work.
    #[must_use]
    pub fn new(engine: &Arc<Engine>, options: RunOptions) -> Run {
        let RunOptions {
            sums,
            events,
            cancel,
            headers,
            known,
            want,
            keep,
            fail_fast,
            running,
            switches,
            overlay,
            missing_replace,
            readonly,
        } = options;
        let cache = match &cancel {
            Some(cancel) => {
                let locks = engine.cache.locks();
                let locks = locks.bind(cancel.clone(), Arc::clone(&events));
                engine.cache.clone().with_locks(locks)
            }
            None => engine.cache.clone(),
        };
        let cancel = cancel.unwrap_or_default();
        let context = RequestContext {
            cancel,
            events: Arc::clone(&events),
            headers,
            known,
        };
        let local = running.as_ref().map(|running| running.version().clone());
        let refuses = |running: &ActingVersion| !(switches && running.may_switch());
        Run {
            engine: Arc::clone(engine),
            cache,
            link: Link {
                source: engine.source.bind(&context),
                cancel: context.cancel.clone(),
            },
            sums,
            events,
            want,
            keep,
            overlay,
            missing_replace,
            readonly,
            running: running.filter(refuses),
            local: local.unwrap_or_else(GoVersion::emulated),
            answers: SourceAnswers::default(),
            fail_fast,
            beginning: context.cancel.child(),
            context,
            traffic: Mutex::default(),
            first_faults: Mutex::default(),
            read_only_bytes: AtomicU64::new(0),
            warnings: Mutex::default(),
            unkept: AtomicBool::new(false),
            gomods: Mutex::default(),
        }
    }

    /// The engine that it works on.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// What ends it.
    #[must_use]
    pub fn cancel(&self) -> &CancelToken {
        &self.context.cancel
    }

    /// go.sum, and what stands behind it.
    #[must_use]
    pub fn sums(&self) -> &SumPolicy {
        &self.sums
    }

    /// What was fetched for a module.
    #[must_use]
    pub fn traffic(&self, module: &ModuleVersion) -> Traffic {
        let all = lock(&self.traffic);
        all.get(module).copied().unwrap_or_default()
    }

    /// Bytes that were taken from caches that are only read.
    #[must_use]
    pub fn read_only_bytes(&self) -> u64 {
        self.read_only_bytes.load(Ordering::Relaxed)
    }

    /// What is worth a word and was no failure, since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.warnings))
    }

    /// The go version that the run acts as.
    #[must_use]
    pub fn local_version(&self) -> &GoVersion {
        &self.local
    }

    /// True if a go version is newer than the one that the run acts as.
    #[must_use]
    pub fn is_too_new(&self, go: &str) -> bool {
        let running = self.running.as_ref();
        GoVersion::parse(go)
            .zip(running)
            .is_some_and(|(go, running)| running.refuses(&go))
    }

    /// Does `work` to each of `items`, the results in their order: at once those that `at_hand` has
    /// without a fetch, the others as many at a time as transfers are allowed.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn for_each<T: Sync, R: Send>(
        &self,
        items: &[T],
        at_hand: impl Fn(&T) -> Option<R> + Sync,
        work: impl Fn(&T) -> R + Sync,
    ) -> Result<Vec<R>> {
        let mut results = on_two(items, at_hand);
        let missing = results.iter().filter(|result| result.is_none()).count();
        if missing > 0 {
            self.start_task("asking about modules", missing);
            self.engine.pools.transfer()?.in_place_scope(|scope| {
                for (item, result) in items.iter().zip(&mut results) {
                    if result.is_none() {
                        scope.spawn(|_| {
                            *result = Some(work(item));
                            self.say(&Event::TaskAdvanced { items: 1, bytes: 0 });
                        });
                    }
                }
            });
        }
        // The scope ends when each of them has its result.
        Ok(results.into_iter().flatten().collect())
    }

    /// The files of single module versions.
    pub(super) fn files(&self) -> ModuleFiles<'_> {
        self.files_through(&self.link)
    }

    /// The same, through a link of a part of the run.
    pub(super) fn files_through<'r>(&'r self, link: &'r Link) -> ModuleFiles<'r> {
        ModuleFiles {
            run: self,
            link,
            tap: None,
            zip_alone: false,
        }
    }

    /// A link for a part of the run, which can end before the rest.
    pub(super) fn part(&self) -> Link {
        let context = RequestContext {
            cancel: self.context.cancel.child(),
            ..self.context.clone()
        };
        Link {
            source: self.engine.source.bind(&context),
            cancel: context.cancel,
        }
    }

    /// Tells that a long piece of work begins, which is not about completing modules.
    pub(super) fn start_task(&self, task: &'static str, items: usize) {
        self.say(&Event::TaskStarted {
            task,
            items: Some(items as u64),
            bytes: None,
        });
    }

    /// Tells of something.
    pub(super) fn say(&self, event: &Event<'_>) {
        self.events.event(event);
    }

    /// Takes the value out of a transfer and records its bytes for the module.
    pub(super) fn record_traffic<T>(&self, module: &ModuleVersion, fetched: Fetched<T>) -> T {
        let mut all = lock(&self.traffic);
        let traffic = all.entry(module.clone()).or_default();
        traffic.bytes += fetched.bytes;
        traffic.resumed += fetched.resumed;
        traffic.retries += fetched.retries;
        fetched.value
    }

    /// Records that what came of a module's file is wrong and is fetched once more: nothing was saved by
    /// what was kept of it.
    pub(super) fn record_refetch(&self, module: &ModuleVersion, cause: &Error) {
        self.say(&Event::ModuleRefetched { module, cause });
        lock(&self.first_faults).insert(module.clone(), cause.clone());
        let mut all = lock(&self.traffic);
        let traffic = all.entry(module.clone()).or_default();
        traffic.resumed = 0;
        traffic.retries += 1;
    }

    /// The error of a zip that is wrong once more, with what was wrong with it before.
    pub(super) fn wrong_again(&self, module: &ModuleVersion, error: Error) -> Error {
        match lock(&self.first_faults).get(module) {
            Some(first) => wrong_twice(error, first),
            None => error,
        }
    }

    pub(super) fn record_read_only(&self, bytes: u64) {
        self.read_only_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn warn(&self, warning: String) {
        lock(&self.warnings).push(warning);
    }

    /// Says that the cache is of no use, with the first reason: the others will be alike.
    pub(super) fn warn_unkept(&self, warning: String) {
        if !self.unkept.swap(true, Ordering::Relaxed) {
            self.warn(warning);
        }
    }

    /// The h1 of a `.mod` that this run has checked: the graph has read most of them already.
    pub(super) fn checked_gomod_sum(&self, module: &ModuleVersion) -> Option<H1> {
        lock(&self.gomods).get(module).map(|found| found.h1.clone())
    }

    /// True if this run has checked the `.mod` of a module, and its go line is not too new.
    pub(super) fn suits(&self, module: &ModuleVersion) -> bool {
        lock(&self.gomods)
            .get(module)
            .is_some_and(|found| found.suits)
    }

    /// Makes room for what is remembered of so many more, at once: threads wait for each other there.
    pub(super) fn expect_gomods(&self, count: usize) {
        lock(&self.gomods).reserve(count);
    }

    pub(super) fn remember_gomod(&self, module: &ModuleVersion, gomod: &VerifiedGoMod) {
        let needed = look_up(&gomod.data, "go").and_then(GoVersion::parse);
        let running = self.running.as_ref().zip(needed);
        let checked = CheckedGoMod {
            h1: gomod.h1.clone(),
            suits: running.is_none_or(|(running, needed)| !running.refuses(&needed)),
        };
        lock(&self.gomods).insert(module.clone(), checked);
    }

    /// A module has failed: with `--fail-fast` nothing new begins.
    pub(super) fn note_failure(&self) {
        if self.fail_fast {
            self.beginning.cancel();
        }
    }

    /// Begins something, unless nothing new shall begin.
    pub(super) fn begin<T>(
        &self,
        module: &ModuleVersion,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.beginning.is_cancelled() {
            self.context.cancel.check(module)?;
            let text = "not fetched after an earlier failure";
            return Err(Error::new(Kind::Other, text).about(module));
        }
        act()
    }
}

/// What is remembered of a `.mod` that was checked.
#[derive(Debug)]
struct CheckedGoMod {
    h1: H1,
    /// The run does not refuse its go line.
    suits: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in them is whole after each change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("engine", &self.engine)
            .field("want", &self.want)
            .finish_non_exhaustive()
    }
}
