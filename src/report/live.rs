//! What is told while the work goes on: progress, `-x`, retries, waiting for locks.
//!
//! Workers send small messages over a channel and never wait for the terminal. One thread keeps
//! the picture ([`super::picture`]) and prints. It starts with the run if progress or requests are to be told, and
//! otherwise with the first wait for a lock.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};

use super::picture::{Message, Picture};
use super::request;
use super::shown::{ProgressSettings, Shown};
use super::summary::Traffic;
use crate::event::{Event, EventSink};

/// Prints what happens, from a thread of its own; threadless until there is something to tell.
#[derive(Debug)]
pub struct ProgressReporter {
    settings: ProgressSettings,
    received: Arc<AtomicU64>,
    requests: AtomicU64,
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

impl ProgressReporter {
    /// Starts the printing thread, if the settings say that there will be something to print.
    #[must_use]
    pub fn start(settings: ProgressSettings) -> ProgressReporter {
        let live = ProgressReporter {
            settings,
            requests: AtomicU64::new(0),
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

    /// What went over the network so far; of bytes, also those of `file://` proxies.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            bytes: self.received.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
        }
    }

    /// How many modules are done with, and of how many; of none before that is known.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        (count(&self.finished), count(&self.planned))
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

impl Drop for ProgressReporter {
    fn drop(&mut self) {
        self.clear();
    }
}

impl EventSink for ProgressReporter {
    fn event(&self, event: &Event<'_>) {
        match *event {
            Event::ModulesPlanned { modules } => {
                self.planned.store(modules, Ordering::Relaxed);
                self.tell(|| Message::Planned(modules));
            }
            Event::GoModFetched => self.tell(|| Message::GraphGrew),
            Event::ModuleStarted { module } => self.tell(|| Message::Started(module.clone())),
            Event::ModuleRefetched { module, cause } => {
                self.retries.fetch_add(1, Ordering::Relaxed);
                self.tell(|| Message::Again {
                    module: module.clone(),
                    cause: cause.chain(),
                });
            }
            Event::ModuleFinished { module, failed } => {
                self.finished.fetch_add(1, Ordering::Relaxed);
                self.tell(|| Message::Finished {
                    module: module.clone(),
                    failed,
                });
            }
            Event::LockWaiting { lock, module } => {
                if self.settings.quiet {
                    return;
                }
                self.begin(&mut self.printing());
                self.tell(|| Message::Waiting {
                    lock: lock.display().to_string(),
                    module: module.cloned(),
                });
            }
            Event::LockWaited { lock } => self.tell(|| Message::Waited {
                lock: lock.display().to_string(),
            }),
            Event::BodyReceived { bytes, .. } => {
                self.received.fetch_add(bytes, Ordering::Relaxed);
            }
            Event::RequestRetried {
                url, wait, cause, ..
            } => {
                self.retries.fetch_add(1, Ordering::Relaxed);
                self.tell(|| Message::Retry {
                    url: url.to_owned(),
                    wait,
                    cause: cause.chain(),
                });
            }
            Event::RequestResumed { url, bytes } => {
                self.tell(|| Message::Resume {
                    url: url.to_owned(),
                    bytes,
                });
            }
            // What several tries went on from counts once, as far as the last of them did.
            Event::RequestFinished { resumed, .. } => {
                self.resumed.fetch_add(resumed, Ordering::Relaxed);
            }
            Event::HostOpened { host, cause } => self.tell(|| Message::GivenUp {
                host: host.to_owned(),
                cause: cause.to_owned(),
            }),
            Event::RequestStarted { url, .. } if self.settings.requests => {
                self.tell(|| Message::Line(request::begun(url)));
            }
            Event::ExchangeFinished(over) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                if self.settings.requests {
                    self.tell(|| Message::Exact(request::over(over, self.settings.log)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Log, Progress};
    use crate::gomod::ModuleVersion;
    use std::path::Path;

    fn waiting(module: &ModuleVersion) -> Event<'_> {
        Event::LockWaiting {
            lock: Path::new("v1.0.0.lock"),
            module: Some(module),
        }
    }

    #[test]
    fn a_thread_starts_when_there_is_something_to_tell() {
        let silent = ProgressSettings {
            progress: Progress::Never,
            log: Log::Text,
            requests: false,
            verbose: false,
            quiet: false,
        };
        let prints = |settings: ProgressSettings, act: fn(&ProgressReporter, &ModuleVersion)| {
            let live = ProgressReporter::start(settings);
            let module = ModuleVersion::parse("a.com/a", "v1.0.0").unwrap();
            act(&live, &module);
            matches!(*live.printing(), Printing::Thread { .. })
        };
        let wait: fn(&ProgressReporter, &ModuleVersion) =
            |live, module| live.event(&waiting(module));
        assert!(!prints(silent, |live, module| live
            .event(&Event::ModuleStarted { module })));
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
        assert!(!prints(silent, |live, module| {
            live.clear();
            live.event(&waiting(module));
        }));
    }
}
