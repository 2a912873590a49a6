//! What happens while a program works, said to whoever wants to know: progress, `-x`, JSON events, metrics, logs.
//!
//! There is one [`Event`] and one [`EventSink`]. Events are said from many threads and borrow what they are about; a
//! sink keeps what it needs. No secret is in an event: URLs are redacted where they come from.

mod exchange;

use std::path::Path;
use std::time::Duration;

pub use exchange::{Exchange, Timings};

use crate::error::Error;
use crate::gomod::ModuleVersion;

/// Takes note of events, from many threads. Must not block for long: the work waits meanwhile.
pub trait EventSink: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened.
///
/// Of a request over the network there is: `RequestStarted`, then perhaps `RequestResumed`, any number of
/// `BodyReceived`, and for each exchange (redirects included) one `ExchangeFinished` at its end. A try that failed
/// ends with `RequestRetried`, after which `RequestStarted` follows, or with `RequestFailed`; a good one with
/// `RequestFinished`. Tries count from 1. Of `file://` URLs there is `BodyReceived` alone.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A long piece of work begins; it takes the place of the one before.
    TaskStarted {
        /// What is done to what, as `verifying modules`.
        task: &'static str,
        /// How many items there are, if that is known.
        items: Option<u64>,
        /// How many bytes there are, if that is known.
        bytes: Option<u64>,
    },
    /// So much more of it is done.
    TaskAdvanced {
        /// Items.
        items: u64,
        /// Bytes.
        bytes: u64,
    },
    /// So many modules will be completed.
    ModulesPlanned {
        /// How many.
        modules: usize,
    },
    /// One more go.mod of the requirement graph was fetched.
    GoModFetched,
    /// A file of a module is being fetched; said of each file.
    ModuleStarted {
        /// The module.
        module: &'a ModuleVersion,
    },
    /// A go.mod or a zip that has come is wrong, and is fetched once more as a whole.
    ModuleRefetched {
        /// The module.
        module: &'a ModuleVersion,
        /// What is wrong.
        cause: &'a Error,
    },
    /// A module is complete or has failed.
    ModuleFinished {
        /// The module.
        module: &'a ModuleVersion,
        /// It has failed.
        failed: bool,
    },
    /// Another process holds a file lock, which is waited for.
    LockWaiting {
        /// The locked file.
        lock: &'a Path,
        /// The module that the lock is about, if it is about one.
        module: Option<&'a ModuleVersion>,
    },
    /// The wait for a file lock is over, one way or the other.
    LockWaited {
        /// The locked file.
        lock: &'a Path,
    },
    /// A program begins.
    ProgramStarted {
        /// Its command line with the folder it runs in, as a shell would take it; without secrets.
        command: &'a str,
    },
    /// A program has ended, in whatever way.
    ProgramFinished {
        /// As when it began.
        command: &'a str,
        /// How long it ran.
        elapsed: Duration,
    },
    /// A try of a request begins.
    RequestStarted {
        /// The URL asked for.
        url: &'a str,
        /// The number of the try.
        attempt: u32,
    },
    /// The answer continues where an earlier try or run was cut.
    RequestResumed {
        /// The URL asked for.
        url: &'a str,
        /// How many bytes need not come again.
        bytes: u64,
    },
    /// More of a body arrived.
    BodyReceived {
        /// The URL asked for.
        url: &'a str,
        /// How many bytes more.
        bytes: u64,
    },
    /// A request and its answer are over.
    ExchangeFinished(&'a Exchange<'a>),
    /// A try failed and another will be made.
    RequestRetried {
        /// The URL asked for.
        url: &'a str,
        /// The number of the try that failed.
        attempt: u32,
        /// How long the next try is put off.
        wait: Duration,
        /// Why it failed.
        cause: &'a Error,
    },
    /// The request failed for good.
    RequestFailed {
        /// The URL asked for.
        url: &'a str,
        /// How many tries were made.
        attempt: u32,
        /// Why the last one failed.
        cause: &'a Error,
        /// Since the first try began.
        elapsed: Duration,
    },
    /// The whole body arrived.
    RequestFinished {
        /// The URL asked for.
        url: &'a str,
        /// How many bytes of it came with the try that worked.
        bytes: u64,
        /// How many more were there already.
        resumed: u64,
        /// Since the first try began, waits included.
        elapsed: Duration,
    },
    /// The circuit breaker of a host has opened: after this `RequestFailed`, requests to the host fail without being
    /// made, until one that is let through after a pause is answered.
    HostOpened {
        /// The host, with its port if that is unusual.
        host: &'a str,
        /// Why the first request failed that did.
        cause: &'a str,
    },
}

/// A sink that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: &Event<'_>) {}
}
