//! Takes events from workers, and owns the thread that prints.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::mode::{ProgressMode, ProgressSettings};
use super::request;
use super::state::ProgressState;
use super::terminal::StatusLines;
use crate::event::{Event, EventSink};
use crate::gomod::ModuleVersion;
use crate::report::count::human;
use crate::report::json::{JsonObject, info};
use crate::report::summary::TrafficCounts;

/// A redraw this often is smooth and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);
/// Where lines cannot be redrawn, one this often.
const PLAIN_LINE: Duration = Duration::from_secs(2);
/// Waiting for a lock for this long is worth a line even without `-v` and a terminal.
const WAITING: Duration = Duration::from_secs(1);

/// Shows what happens, from a thread of its own; threadless until there is something to show.
#[derive(Debug)]
pub struct ProgressReporter {
    shared: Arc<ReporterShared>,
    /// A thread prints: asked before a line is made.
    prints: AtomicBool,
    printing: Mutex<Printing>,
}

/// What workers and the printing thread have in common.
#[derive(Debug)]
struct ReporterShared {
    settings: ProgressSettings,
    mode: ProgressMode,
    begun: Instant,
    received: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    resumed: AtomicU64,
    state: Mutex<ProgressState>,
}

#[derive(Debug)]
enum Printing {
    /// Nothing has been worth a thread.
    Idle,
    Thread {
        lines: Sender<String>,
        thread: JoinHandle<()>,
    },
    /// Results are being printed.
    Over,
}

impl ProgressReporter {
    /// Starts the printing thread, if the settings say that there will be something to print.
    #[must_use]
    pub fn start(settings: ProgressSettings) -> ProgressReporter {
        let mode = settings.mode();
        let reporter = ProgressReporter {
            shared: Arc::new(ReporterShared {
                settings,
                mode,
                begun: Instant::now(),
                received: AtomicU64::new(0),
                requests: AtomicU64::new(0),
                retries: AtomicU64::new(0),
                resumed: AtomicU64::new(0),
                state: Mutex::default(),
            }),
            prints: AtomicBool::new(false),
            printing: Mutex::new(Printing::Idle),
        };
        if mode != ProgressMode::Nothing || settings.requests || settings.verbose {
            reporter.begin(&mut reporter.printing());
        }
        reporter
    }

    fn printing(&self) -> MutexGuard<'_, Printing> {
        self.printing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, if there was none yet. Without one nothing is shown; that is no failure.
    fn begin(&self, printing: &mut Printing) {
        if !matches!(printing, Printing::Idle) {
            return;
        }
        let (lines, to_print) = unbounded();
        let printer = ProgressPrinter::new(&self.shared);
        let thread = thread::Builder::new().name("report".into());
        if let Ok(thread) = thread.spawn(move || printer.run(&to_print)) {
            *printing = Printing::Thread { lines, thread };
            self.prints.store(true, Ordering::Relaxed);
        }
    }

    /// What went over the network so far; of bytes, also those of `file://` proxies.
    #[must_use]
    pub fn traffic(&self) -> TrafficCounts {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        TrafficCounts {
            bytes: count(&self.shared.received),
            requests: count(&self.shared.requests),
            retries: count(&self.shared.retries),
            resumed: count(&self.shared.resumed),
        }
    }

    /// How many modules are done with, and of how many; of none before that is known.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let state = self.shared.state();
        (state.finished, state.planned.unwrap_or(0))
    }

    /// Takes the progress away and waits until every line is printed. What happens
    /// afterwards is not shown: results are being printed.
    pub fn clear(&self) {
        self.prints.store(false, Ordering::Relaxed);
        let printing = mem::replace(&mut *self.printing(), Printing::Over);
        if let Printing::Thread { lines, thread } = printing {
            drop(lines);
            // A printing thread that failed has nothing more to say.
            let _ = thread.join();
        }
    }

    fn print(&self, line: impl FnOnce() -> String) {
        if !self.prints.load(Ordering::Relaxed) {
            return;
        }
        if let Printing::Thread { lines, .. } = &*self.printing() {
            // The thread lives until the sender is dropped.
            let _ = lines.send(line());
        }
    }

    /// Prints an event where progress is events.
    fn print_event(
        &self,
        event: &'static str,
        module: Option<&ModuleVersion>,
        fill: impl FnOnce(&mut JsonObject),
    ) {
        if self.shared.mode == ProgressMode::Events {
            self.print(|| {
                let mut object = self.shared.json(event, module);
                fill(&mut object);
                object.compact()
            });
        }
    }

    /// Prints a line of talk, if this is a run that talks: `-v` or `-x`.
    fn print_talk(&self, line: impl FnOnce() -> String) {
        let ProgressSettings {
            verbose, requests, ..
        } = self.shared.settings;
        if self.shared.mode != ProgressMode::Events && (verbose || requests) {
            self.print(|| info(self.shared.settings.log, &line()).into_owned());
        }
    }
}

impl Drop for ProgressReporter {
    fn drop(&mut self) {
        self.clear();
    }
}

impl EventSink for ProgressReporter {
    fn event(&self, event: &Event<'_>) {
        let shared = &*self.shared;
        let add = |to: &AtomicU64, more: u64| {
            to.fetch_add(more, Ordering::Relaxed);
        };
        match *event {
            Event::TaskStarted { task, items, bytes } => {
                shared.state().start_task(task, items, bytes);
                self.print_event("task", None, |object| {
                    object.string("task", task);
                    items
                        .into_iter()
                        .for_each(|items| object.number("items", items));
                    bytes
                        .into_iter()
                        .for_each(|bytes| object.number("bytes", bytes));
                });
            }
            Event::TaskAdvanced { items, bytes } => shared.state().advance_task(items, bytes),
            Event::ModulesPlanned { modules } => {
                shared.state().plan(modules);
                let modules = modules as u64;
                self.print_event("plan", None, |object| object.number("modules", modules));
            }
            Event::GoModFetched => shared.state().go_mods += 1,
            Event::ModuleStarted { module } => {
                let shows = shared.mode != ProgressMode::Nothing;
                if shows && shared.state().start(module, Instant::now()) {
                    self.print_event("start", Some(module), |_| ());
                }
            }
            Event::ModuleRefetched { module, cause } => {
                add(&shared.retries, 1);
                self.print_event("refetch", Some(module), |object| {
                    object.string("cause", &cause.chain());
                });
                self.print_talk(|| {
                    format!(
                        "# {module}: what has come is wrong, fetching it again from the first byte: {}",
                        cause.chain().lines().next().unwrap_or_default()
                    )
                });
            }
            Event::ModuleFinished { module, failed } => {
                shared.state().finish(module);
                let event = if failed { "fail" } else { "done" };
                self.print_event(event, Some(module), |_| ());
            }
            Event::LockWaiting { lock, module } if !shared.settings.quiet => {
                let lock = lock.display().to_string();
                shared.state().wait(lock, module, Instant::now());
                self.begin(&mut self.printing());
            }
            Event::LockWaited { lock } => shared.state().waited(&lock.display().to_string()),
            Event::BodyReceived { bytes, .. } => add(&shared.received, bytes),
            Event::RequestRetried {
                url, wait, cause, ..
            } => {
                add(&shared.retries, 1);
                self.print_event("retry", None, |object| {
                    object.string("url", url);
                    object.string("cause", &cause.chain());
                    object.number("wait_ms", wait.as_millis() as u64);
                });
                self.print_talk(|| {
                    let chain = cause.chain();
                    let first_line = chain.lines().next().unwrap_or_default();
                    format!("# retry in {:.1}s: {first_line}", wait.as_secs_f64())
                });
            }
            Event::RequestResumed { url, bytes } => {
                self.print_event("resume", None, |object| {
                    object.string("url", url);
                    object.number("bytes", bytes);
                });
                self.print_talk(|| format!("# resuming {url} after {}", human(bytes)));
            }
            // What several tries resumed counts once, as far as the last of them did.
            Event::RequestFinished { resumed, .. } => add(&shared.resumed, resumed),
            Event::HostOpened { host, cause } => {
                self.print_event("host-open", None, |object| {
                    object.string("host", host);
                    object.string("cause", cause);
                });
                self.print_talk(|| {
                    format!("# {host}: circuit breaker open, not contacted for a while: {cause}")
                });
            }
            Event::ProgramStarted { command } if shared.settings.requests => {
                self.print(|| info(shared.settings.log, command).into_owned());
            }
            Event::ProgramFinished { command, elapsed } if shared.settings.requests => {
                let line = request::program_over(command, elapsed);
                self.print(|| info(shared.settings.log, &line).into_owned());
            }
            Event::RequestStarted { url, .. } if shared.settings.requests => {
                self.print(|| info(shared.settings.log, &request::begun(url)).into_owned());
            }
            Event::ExchangeFinished(over) => {
                add(&shared.requests, 1);
                if shared.settings.requests {
                    self.print(|| request::over(over, shared.settings.log));
                }
            }
            _ => {}
        }
    }
}

impl ReporterShared {
    fn state(&self) -> MutexGuard<'_, ProgressState> {
        // Each change is small and whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn json(&self, event: &str, module: Option<&ModuleVersion>) -> JsonObject {
        let mut object = JsonObject::new();
        object.number("t", self.begun.elapsed().as_millis() as u64);
        object.string("ev", event);
        if let Some(module) = module {
            object.string("mod", module.path().as_str());
            object.string("ver", module.version().as_str());
        }
        object
    }
}

/// The printing thread.
struct ProgressPrinter {
    shared: Arc<ReporterShared>,
    status: StatusLines,
    /// What the last `bytes` and `advance` events said.
    said_bytes: u64,
    said_task: Option<(&'static str, u64, u64)>,
}

impl ProgressPrinter {
    fn new(shared: &Arc<ReporterShared>) -> ProgressPrinter {
        ProgressPrinter {
            shared: Arc::clone(shared),
            status: StatusLines::default(),
            said_bytes: 0,
            said_task: None,
        }
    }

    fn run(mut self, lines: &Receiver<String>) {
        let begun = self.shared.begun;
        let (mut next_draw, mut next_plain) = (begun + REDRAW, begun + PLAIN_LINE);
        loop {
            match lines.recv_timeout(REDRAW) {
                Ok(line) => self.print(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            if now < next_draw {
                continue;
            }
            next_draw = now + REDRAW;
            self.say_long_waits(now);
            let (received, retried) = self.counts();
            let mut state = self.shared.state();
            state.note(now, received);
            match self.shared.mode {
                ProgressMode::Bar => {
                    let lines = state.lines(now, received, retried);
                    drop(state);
                    self.status.draw(&lines);
                }
                ProgressMode::Lines if now >= next_plain => {
                    next_plain = now + PLAIN_LINE;
                    let line = state.line(received, retried);
                    drop(state);
                    self.say(&line);
                }
                ProgressMode::Events => {
                    drop(state);
                    self.say_counts();
                }
                ProgressMode::Lines | ProgressMode::Nothing => {}
            }
        }
        self.say_counts();
        self.status.clear();
    }

    fn counts(&self) -> (u64, u64) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        (count(&self.shared.received), count(&self.shared.retries))
    }

    /// In JSON, how many bytes came and how far the task is, if that is news.
    fn say_counts(&mut self) {
        if self.shared.mode != ProgressMode::Events {
            return;
        }
        let (received, _) = self.counts();
        if self.said_bytes != received {
            self.said_bytes = received;
            let mut object = self.shared.json("bytes", None);
            object.number("received", received);
            self.print(&object.compact());
        }
        let done = self.shared.state().task_done();
        if self.said_task != done {
            self.said_task = done;
            if let Some((task, items, bytes)) = done {
                let mut object = self.shared.json("advance", None);
                object.string("task", task);
                object.number("items", items);
                object.number("bytes", bytes);
                self.print(&object.compact());
            }
        }
    }

    fn say_long_waits(&mut self, now: Instant) {
        let waits = self.shared.state().take_long_waits(now, WAITING);
        for (lock, module) in waits {
            if self.shared.mode == ProgressMode::Events {
                let mut object = self.shared.json("wait", module.as_ref());
                object.string("lock", &lock);
                self.print(&object.compact());
            } else {
                let module = module.map(|module| format!("{module} "));
                let module = module.unwrap_or_default();
                self.say(&format!(
                    "waiting for another process: {module}(lock {lock})"
                ));
            }
        }
    }

    /// Prints a line of talk, in the form that was asked for.
    fn say(&mut self, line: &str) {
        let line = info(self.shared.settings.log, line).into_owned();
        self.print(&line);
    }

    fn print(&mut self, line: &str) {
        if self.shared.mode == ProgressMode::Bar {
            return self.status.print_above(line);
        }
        // There is nowhere to report that stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Log, Progress};
    use std::path::Path;

    fn waiting(module: &ModuleVersion) -> Event<'_> {
        Event::LockWaiting {
            lock: Path::new("v1.0.0.lock"),
            module: Some(module),
        }
    }

    #[test]
    fn a_thread_starts_when_there_is_something_to_show() {
        let silent = ProgressSettings {
            progress: Progress::Never,
            log: Log::Text,
            requests: false,
            verbose: false,
            quiet: false,
        };
        let prints = |settings, act: fn(&ProgressReporter, &ModuleVersion)| {
            let reporter = ProgressReporter::start(settings);
            let module = ModuleVersion::parse("a.com/a", "v1.0.0").unwrap();
            act(&reporter, &module);
            matches!(*reporter.printing(), Printing::Thread { .. })
        };
        let wait: fn(&ProgressReporter, &ModuleVersion) =
            |reporter, module| reporter.event(&waiting(module));
        assert!(!prints(silent, |reporter, module| {
            reporter.event(&Event::ModuleStarted { module });
        }));
        assert!(prints(silent, wait));
        let quiet = ProgressSettings {
            quiet: true,
            ..silent
        };
        assert!(!prints(quiet, wait));
        let requests = ProgressSettings {
            requests: true,
            ..silent
        };
        assert!(prints(requests, |_, _| ()));
        // After the end, when results are printed, nothing starts again.
        assert!(!prints(silent, |reporter, module| {
            reporter.clear();
            reporter.event(&waiting(module));
        }));
    }
}
