//! The printing thread: what it knows of the work, and how that is shown.
//!
//! A line drawn over and over on a terminal, a line now and then, or an event a line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::count::{human, retries};
use super::json::{JsonObject, info};
use super::shown::{ProgressSettings, Shown};
use crate::gomod::ModuleVersion;

/// A redraw this often is smooth and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);
/// Where lines cannot be redrawn, one this often.
const PLAIN_LINE: Duration = Duration::from_secs(2);
/// A module in the works for this long is named.
const SLOW: Duration = Duration::from_secs(3);
/// Waiting for a lock for this long is worth a line even without `-v` and a terminal.
const WAITING: Duration = Duration::from_secs(1);

/// What workers tell.
pub(super) enum Message {
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
    GivenUp {
        host: String,
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
    /// A line in whatever form was asked for.
    Line(String),
    /// A line that has that form already.
    Exact(String),
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
pub(super) struct Picture {
    settings: ProgressSettings,
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
    pub(super) fn new(
        settings: ProgressSettings,
        received: &Arc<AtomicU64>,
        retries: &Arc<AtomicU64>,
    ) -> Picture {
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

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
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
            Message::GivenUp { host, cause } => {
                if json {
                    let mut object = self.json("host-open", None);
                    object.string("host", &host);
                    object.string("cause", &cause);
                    self.print(&object.compact());
                } else if self.settings.verbose || self.settings.requests {
                    self.say(&format!(
                        "# {host}: circuit breaker open, not contacting it for now: {cause}"
                    ));
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
                    let mut object = self.json("refetch", Some(&module));
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
            Message::Exact(line) => self.print(&line),
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
