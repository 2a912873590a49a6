//! What is told while the work goes on: progress, `-x`, retries, waiting for locks.
//!
//! Workers send small messages over a channel and never wait for the terminal. One thread keeps
//! the picture and prints. It starts with the run if progress or requests are to be told, and
//! otherwise with the first wait for a lock.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::count::{human, retries};
use super::json::{JsonObject, info};
use super::shown::{LiveSettings, Shown};
use crate::cache::LockWatch;
use crate::error::Error;
use crate::fetch::Watch;
use crate::module::ModuleVersion;
use crate::transport::{Event, Observer};

/// A redraw this often is smooth and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);
/// Where lines cannot be redrawn, one this often.
const PLAIN_LINE: Duration = Duration::from_secs(2);
/// A module in the works for this long is named.
const SLOW: Duration = Duration::from_secs(3);
/// Waiting for a lock for this long is worth a line even without `-v` and a terminal.
const WAITING: Duration = Duration::from_secs(1);

enum Message {
    GraphGrew,
    Planned(usize),
    Started(ModuleVersion),
    Finished {
        module: ModuleVersion,
        failed: bool,
    },
    Waiting {
        lock: String,
        module: Option<ModuleVersion>,
    },
    Waited {
        lock: String,
    },
    Retry {
        url: String,
        wait: Duration,
        cause: String,
    },
    Resume {
        url: String,
        bytes: u64,
    },
    Again {
        module: ModuleVersion,
        cause: String,
    },
    Line(String),
}

/// Prints what happens, from a thread of its own; threadless until there is something to tell.
#[derive(Debug)]
pub struct Live {
    settings: LiveSettings,
    received: Arc<AtomicU64>,
    /// Modules that will be completed, and those that are or have failed.
    planned: AtomicUsize,
    finished: AtomicUsize,
    retries: Arc<AtomicU64>,
    resumed: AtomicU64,
    /// A thread prints: asked before a message is made.
    prints: AtomicBool,
    printing: Mutex<Printing>,
}

#[derive(Debug)]
enum Printing {
    /// Nothing has been worth a thread.
    Idle,
    Thread {
        sender: Sender<Message>,
        thread: JoinHandle<()>,
    },
    /// Results are being printed.
    Over,
}

impl Live {
    /// Starts the printing thread, if the settings say that there will be something to print.
    #[must_use]
    pub fn start(settings: LiveSettings) -> Live {
        let live = Live {
            settings,
            received: Arc::default(),
            retries: Arc::default(),
            resumed: AtomicU64::new(0),
            planned: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            prints: AtomicBool::new(false),
            printing: Mutex::new(Printing::Idle),
        };
        if settings.shown() != Shown::Nothing || settings.requests || settings.verbose {
            live.begin(&mut live.printing());
        }
        live
    }

    fn printing(&self) -> MutexGuard<'_, Printing> {
        self.printing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, if there was none yet. Without one nothing is told; that is no failure.
    fn begin(&self, printing: &mut Printing) {
        if !matches!(printing, Printing::Idle) {
            return;
        }
        let (sender, messages) = unbounded();
        let picture = Picture::new(self.settings, &self.received, &self.retries);
        let thread = thread::Builder::new().name("report".into());
        if let Ok(thread) = thread.spawn(move || picture.run(&messages)) {
            *printing = Printing::Thread { sender, thread };
            self.prints.store(true, Ordering::Relaxed);
        }
    }

    /// Bytes of bodies received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How many modules are done with, and of how many; of none before that is known.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        (count(&self.finished), count(&self.planned))
    }

    /// Requests made again so far.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Bytes so far that were kept of cut transfers and did not come again.
    #[must_use]
    pub fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// Takes the progress line away and waits until everything told is printed. What is told
    /// afterwards is lost: results are being printed.
    pub fn clear(&self) {
        self.prints.store(false, Ordering::Relaxed);
        let printing = mem::replace(&mut *self.printing(), Printing::Over);
        if let Printing::Thread { sender, thread } = printing {
            drop(sender);
            // A printing thread that failed has nothing more to say.
            let _ = thread.join();
        }
    }

    fn tell(&self, message: impl FnOnce() -> Message) {
        if !self.prints.load(Ordering::Relaxed) {
            return;
        }
        if let Printing::Thread { sender, .. } = &*self.printing() {
            // The thread lives until the sender is dropped.
            let _ = sender.send(message());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Watch for Live {
    fn planned(&self, modules: usize) {
        self.planned.store(modules, Ordering::Relaxed);
        self.tell(|| Message::Planned(modules));
    }

    fn graph_grew(&self) {
        self.tell(|| Message::GraphGrew);
    }

    fn started(&self, module: &ModuleVersion) {
        self.tell(|| Message::Started(module.clone()));
    }

    fn again(&self, module: &ModuleVersion, cause: &Error) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.tell(|| Message::Again {
            module: module.clone(),
            cause: cause.chain(),
        });
    }

    fn finished(&self, module: &ModuleVersion, failed: bool) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.tell(|| Message::Finished {
            module: module.clone(),
            failed,
        });
    }
}

impl LockWatch for Live {
    fn waiting(&self, lock: &Path, module: Option<&ModuleVersion>) {
        if self.settings.quiet {
            return;
        }
        self.begin(&mut self.printing());
        self.tell(|| Message::Waiting {
            lock: lock.display().to_string(),
            module: module.cloned(),
        });
    }

    fn waited(&self, lock: &Path) {
        self.tell(|| Message::Waited {
            lock: lock.display().to_string(),
        });
    }
}

impl Observer for Live {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Body { bytes, .. } => {
                self.received.fetch_add(*bytes, Ordering::Relaxed);
            }
            Event::Retry {
                url, wait, cause, ..
            } => {
                self.retries.fetch_add(1, Ordering::Relaxed);
                self.tell(|| Message::Retry {
                    url: url.to_string(),
                    wait: *wait,
                    cause: cause.chain(),
                });
            }
            Event::Resume { url, bytes } => {
                self.resumed.fetch_add(*bytes, Ordering::Relaxed);
                self.tell(|| Message::Resume {
                    url: url.to_string(),
                    bytes: *bytes,
                });
            }
            // The two lines of `go mod download -x`.
            Event::Start { url, .. } if self.settings.requests => {
                self.tell(|| Message::Line(format!("# get {url}")));
            }
            Event::Response {
                url,
                status,
                elapsed,
                ..
            } if self.settings.requests => {
                let seconds = elapsed.as_secs_f64();
                self.tell(|| Message::Line(format!("# get {url}: {status} ({seconds:.3}s)")));
            }
            _ => {}
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // The template is a constant without placeholders that could be wrong.
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// The printing thread's picture of the work.
struct Picture {
    settings: LiveSettings,
    shown: Shown,
    bar: Option<ProgressBar>,
    begun: Instant,
    received: Arc<AtomicU64>,
    retries: Arc<AtomicU64>,
    /// go.mod files fetched before it was known which modules are needed.
    graph: usize,
    planned: Option<usize>,
    /// When bytes were last told, and how many.
    told_bytes: (Instant, u64),
    finished: usize,
    working: BTreeMap<ModuleVersion, Instant>,
    /// Locks that are waited for: since when, and for whom.
    waiting: BTreeMap<String, (Instant, Option<ModuleVersion>)>,
}

impl Picture {
    fn new(settings: LiveSettings, received: &Arc<AtomicU64>, retries: &Arc<AtomicU64>) -> Picture {
        let shown = settings.shown();
        Picture {
            settings,
            shown,
            bar: (shown == Shown::Bar).then(bar),
            begun: Instant::now(),
            received: Arc::clone(received),
            retries: Arc::clone(retries),
            graph: 0,
            told_bytes: (Instant::now(), 0),
            planned: None,
            finished: 0,
            working: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        let mut next_plain = self.begun + PLAIN_LINE;
        loop {
            match messages.recv_timeout(REDRAW) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell_long_waits();
            if self.told_bytes.0.elapsed() >= REDRAW {
                self.tell_bytes();
            }
            if let Some(bar) = &self.bar {
                bar.set_message(self.line());
            } else if self.shown == Shown::Lines && Instant::now() >= next_plain {
                next_plain = Instant::now() + PLAIN_LINE;
                self.say(&self.line());
            }
        }
        self.tell_bytes();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn take(&mut self, message: Message) {
        let json = self.shown == Shown::Events;
        match message {
            Message::GraphGrew => self.graph += 1,
            Message::Planned(modules) => {
                self.planned = Some(modules);
                if json {
                    let mut object = self.json("plan", None);
                    object.number("modules", modules as u64);
                    self.print(&object.compact());
                }
            }
            Message::Started(module) => {
                if !self.working.contains_key(&module) {
                    if json {
                        self.print(&self.json("start", Some(&module)).compact());
                    }
                    self.working.insert(module, Instant::now());
                }
            }
            Message::Finished { module, failed } => {
                self.finished += 1;
                self.working.remove(&module);
                if json {
                    let event = if failed { "fail" } else { "done" };
                    self.print(&self.json(event, Some(&module)).compact());
                }
            }
            Message::Waiting { lock, module } => {
                self.waiting.insert(lock, (Instant::now(), module));
            }
            Message::Waited { lock } => {
                self.waiting.remove(&lock);
            }
            Message::Retry { url, wait, cause } => {
                if json {
                    let mut object = self.json("retry", None);
                    object.string("url", &url);
                    object.string("cause", &cause);
                    object.number("wait_ms", wait.as_millis() as u64);
                    self.print(&object.compact());
                } else if self.settings.verbose || self.settings.requests {
                    let first_line = cause.lines().next().unwrap_or_default();
                    let seconds = wait.as_secs_f64();
                    self.say(&format!("# retry in {seconds:.1}s: {first_line}"));
                }
            }
            Message::Resume { url, bytes } => {
                if json {
                    let mut object = self.json("resume", None);
                    object.string("url", &url);
                    object.number("bytes", bytes);
                    self.print(&object.compact());
                } else if self.settings.verbose || self.settings.requests {
                    self.say(&format!("# {} kept of {url}", human(bytes)));
                }
            }
            Message::Again { module, cause } => {
                if json {
                    let mut object = self.json("again", Some(&module));
                    object.string("cause", &cause);
                    self.print(&object.compact());
                } else if self.settings.verbose || self.settings.requests {
                    self.say(&format!(
                        "# {module}: what was kept and what came later do not fit: fetching all \
                         of it again"
                    ));
                }
            }
            Message::Line(line) => self.say(&line),
        }
    }

    /// In JSON, how many bytes came since it was last told.
    fn tell_bytes(&mut self) {
        let received = self.received.load(Ordering::Relaxed);
        if self.shown == Shown::Events && self.told_bytes.1 != received {
            self.told_bytes = (Instant::now(), received);
            let mut object = self.json("bytes", None);
            object.number("received", received);
            self.print(&object.compact());
        }
    }

    fn tell_long_waits(&mut self) {
        let now = Instant::now();
        let told: Vec<String> = self
            .waiting
            .iter()
            .filter(|(_, (since, _))| now.duration_since(*since) >= WAITING)
            .map(|(lock, _)| lock.clone())
            .collect();
        for lock in told {
            let Some((_, module)) = self.waiting.remove(&lock) else {
                continue;
            };
            if self.shown == Shown::Events {
                let mut object = self.json("wait", module.as_ref());
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

    /// Modules done, bytes, rate, and the module that has been in the works longest.
    fn line(&self) -> String {
        let received = self.received.load(Ordering::Relaxed);
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = human((received as f64 / seconds) as u64);
        let received = human(received);
        let mut line = match self.planned {
            Some(planned) => {
                format!("{}/{planned} modules  {received}  {rate}/s", self.finished)
            }
            None => format!(
                "module graph: {} go.mod files  {received}  {rate}/s",
                self.graph
            ),
        };
        if let Some(retries) = retries(self.retries.load(Ordering::Relaxed)) {
            line.push_str(&format!("  {retries}"));
        }
        let slowest = self.working.iter().min_by_key(|(_, since)| **since);
        if let Some((module, since)) = slowest.filter(|(_, since)| since.elapsed() >= SLOW) {
            line.push_str(&format!("  {module} ({} s)", since.elapsed().as_secs()));
        }
        line
    }

    /// Prints a line of talk, in the form that was asked for.
    fn say(&self, line: &str) {
        self.print(&info(self.settings.log, line));
    }

    fn print(&self, line: &str) {
        let write = || {
            // There is nowhere to report that stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Log, Progress};

    #[test]
    fn a_thread_starts_when_there_is_something_to_tell() {
        let silent = LiveSettings {
            progress: Progress::Never,
            log: Log::Text,
            requests: false,
            verbose: false,
            quiet: false,
        };
        let prints = |settings: LiveSettings, act: fn(&Live, &ModuleVersion)| {
            let live = Live::start(settings);
            let module = ModuleVersion::parse("a.com/a", "v1.0.0").unwrap();
            act(&live, &module);
            matches!(*live.printing(), Printing::Thread { .. })
        };
        let wait: fn(&Live, &ModuleVersion) =
            |live, module| live.waiting(Path::new("v1.0.0.lock"), Some(module));
        assert!(!prints(silent, |live, module| live.started(module)));
        assert!(prints(silent, wait));
        let quiet = LiveSettings {
            quiet: true,
            ..silent
        };
        assert!(!prints(quiet, wait));
        let requests = LiveSettings {
            requests: true,
            ..silent
        };
        assert!(prints(requests, |_, _| ()));
        // After the end, when results are printed, nothing starts again.
        assert!(!prints(silent, |live, module| {
            live.clear();
            live.waiting(Path::new("v1.0.0.lock"), Some(module));
        }));
    }
}
