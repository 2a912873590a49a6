//! What is told while the work goes on: progress, `-x`, retries, waiting for locks.
//!
//! Workers send small messages over a channel and never wait for the terminal. One thread keeps
//! the picture and prints.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::json::JsonObject;
use crate::config::Progress;
use crate::fetch::Watch;
use crate::module::ModuleVersion;
use crate::transport::{Event, Observer};

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct LiveSettings {
    /// How progress is shown.
    pub progress: Progress,
    /// `-x`: every request.
    pub requests: bool,
    /// `-v`: retries and waiting.
    pub verbose: bool,
}

/// A redraw this often is smooth and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);
/// Where lines cannot be redrawn, one this often.
const PLAIN_LINE: Duration = Duration::from_secs(2);
/// A module in the works for this long is named.
const SLOW: Duration = Duration::from_secs(3);
/// Waiting for a lock for this long is worth a line even without `-v`.
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
        module: ModuleVersion,
        lock: String,
    },
    Retry {
        url: String,
        wait: Duration,
        cause: String,
    },
    Line(String),
}

/// Prints what happens, from a thread of its own; silent and threadless if there is nothing to
/// tell.
#[derive(Debug)]
pub struct Live {
    printing: Mutex<Option<Printing>>,
    shows: bool,
    received: Arc<AtomicU64>,
    requests: bool,
}

#[derive(Debug)]
struct Printing {
    sender: Sender<Message>,
    thread: JoinHandle<()>,
}

impl Live {
    /// Starts the printing thread, if the settings leave it anything to print.
    #[must_use]
    pub fn start(settings: LiveSettings) -> Live {
        let terminal = io::stderr().is_terminal();
        let shows = match settings.progress {
            Progress::Auto => terminal,
            Progress::Always | Progress::Json => true,
            Progress::Never => false,
        };
        let received = Arc::new(AtomicU64::new(0));
        if !shows && !settings.requests && !settings.verbose {
            return Live {
                printing: Mutex::new(None),
                shows: false,
                received,
                requests: false,
            };
        }
        let (sender, messages) = unbounded();
        let picture = Picture {
            settings,
            bar: (shows && terminal && settings.progress != Progress::Json).then(bar),
            plain: shows && !terminal && settings.progress == Progress::Always,
            begun: Instant::now(),
            received: Arc::clone(&received),
            graph: 0,
            told_bytes: (Instant::now(), 0),
            planned: None,
            finished: 0,
            working: BTreeMap::new(),
            waiting: BTreeMap::new(),
        };
        let printing = thread::Builder::new().name("report".into());
        let thread = printing.spawn(move || picture.run(&messages)).ok();
        let shows = thread.is_some();
        let printing = Mutex::new(thread.map(|thread| Printing { sender, thread }));
        Live {
            printing,
            shows,
            received,
            requests: settings.requests,
        }
    }

    /// Bytes of bodies received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Takes the progress line away and waits until everything told is printed. What is told
    /// afterwards is lost: results are being printed.
    pub fn clear(&self) {
        let thread = self
            .printing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Printing { sender, thread }) = thread {
            drop(sender);
            // A printing thread that failed has nothing more to say.
            let _ = thread.join();
        }
    }

    fn tell(&self, message: impl FnOnce() -> Message) {
        if !self.shows {
            return;
        }
        let printing = self.printing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(printing) = printing.as_ref() {
            // The thread lives until the sender is dropped.
            let _ = printing.sender.send(message());
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
        self.tell(|| Message::Planned(modules));
    }

    fn graph_grew(&self) {
        self.tell(|| Message::GraphGrew);
    }

    fn started(&self, module: &ModuleVersion) {
        self.tell(|| Message::Started(module.clone()));
    }

    fn finished(&self, module: &ModuleVersion, failed: bool) {
        self.tell(|| Message::Finished {
            module: module.clone(),
            failed,
        });
    }

    fn waiting(&self, module: &ModuleVersion, lock: &Path) {
        self.tell(|| Message::Waiting {
            module: module.clone(),
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
            } => self.tell(|| Message::Retry {
                url: url.to_string(),
                wait: *wait,
                cause: cause.chain(),
            }),
            // The two lines of `go mod download -x`.
            Event::Start { url, .. } if self.requests => {
                self.tell(|| Message::Line(format!("# get {url}")));
            }
            Event::Response {
                url,
                status,
                elapsed,
                ..
            } if self.requests => {
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
    bar: Option<ProgressBar>,
    plain: bool,
    begun: Instant,
    received: Arc<AtomicU64>,
    /// go.mod files fetched before it was known which modules are needed.
    graph: usize,
    planned: Option<usize>,
    /// When bytes were last told, and how many.
    told_bytes: (Instant, u64),
    finished: usize,
    working: BTreeMap<ModuleVersion, Instant>,
    waiting: BTreeMap<ModuleVersion, (Instant, String)>,
}

impl Picture {
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
            } else if self.plain && Instant::now() >= next_plain {
                next_plain = Instant::now() + PLAIN_LINE;
                self.print(&self.line());
            }
        }
        self.tell_bytes();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn take(&mut self, message: Message) {
        let json = self.settings.progress == Progress::Json;
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
                self.waiting.remove(&module);
                if json {
                    let event = if failed { "fail" } else { "done" };
                    self.print(&self.json(event, Some(&module)).compact());
                }
            }
            Message::Waiting { module, lock } => {
                self.waiting.insert(module, (Instant::now(), lock));
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
                    self.print(&format!("# retry in {seconds:.1}s: {first_line}"));
                }
            }
            Message::Line(line) => self.print(&line),
        }
    }

    /// In JSON, how many bytes came since it was last told.
    fn tell_bytes(&mut self) {
        let received = self.received.load(Ordering::Relaxed);
        if self.settings.progress == Progress::Json && self.told_bytes.1 != received {
            self.told_bytes = (Instant::now(), received);
            let mut object = self.json("bytes", None);
            object.number("received", received);
            self.print(&object.compact());
        }
    }

    fn tell_long_waits(&mut self) {
        let now = Instant::now();
        let told: Vec<ModuleVersion> = self
            .waiting
            .iter()
            .filter(|(_, (since, _))| now.duration_since(*since) >= WAITING)
            .map(|(module, _)| module.clone())
            .collect();
        for module in told {
            if let Some((_, lock)) = self.waiting.remove(&module) {
                self.print(&format!(
                    "waiting for another process: {module} (lock {lock})"
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
        let slowest = self.working.iter().min_by_key(|(_, since)| **since);
        if let Some((module, since)) = slowest.filter(|(_, since)| since.elapsed() >= SLOW) {
            line.push_str(&format!("  {module} ({} s)", since.elapsed().as_secs()));
        }
        line
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

/// Bytes in decimal units, with three digits: `512 B`, `1.23 MB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 || unit == "GB" {
            let digits = match unit {
                "B" => 0,
                _ if value < 9.995 => 2,
                _ if value < 99.95 => 1,
                _ => 0,
            };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        let rows = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (500 << 20, "524 MB"),
            (5_000_000_000_000, "5000 GB"),
        ];
        for (bytes, want) in rows {
            assert_eq!(human(bytes), want);
        }
    }

    #[test]
    fn nothing_to_tell_starts_no_thread() {
        let live = Live::start(LiveSettings {
            progress: Progress::Never,
            requests: false,
            verbose: false,
        });
        assert!(live.printing.lock().unwrap().is_none());
    }
}
