//! What an observer is told about transfers: the raw material of `-x`, progress and logs.

use std::time::Duration;

use super::exchange::Exchanged;
use super::url::RedactedUrl;
use crate::error::Error;

/// Receives events from many threads; must not block for long, since transfers wait for it.
pub trait Observer: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened to one request over the network. Of `file://` URLs only the bytes are
/// told.
///
/// Per request: `Start`, then perhaps `Resume`, any number of `Body`, and for each exchange
/// (redirects included) one `Exchange` at its end; a failed try ends with `Retry`, after which
/// `Start` follows, or with `Failed`; a
/// good one with `Done`. Attempts count from 1.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A try begins.
    Start {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// The number of the try.
        attempt: u32,
    },
    /// The answer goes on where an earlier try or run was cut.
    Resume {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// How many bytes need not come again.
        bytes: u64,
    },
    /// More of the body arrived.
    Body {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// How many bytes more.
        bytes: u64,
    },
    /// A request and its answer are over.
    Exchange(&'a Exchanged<'a>),
    /// A try failed and another will be made.
    Retry {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// The number of the try that failed.
        attempt: u32,
        /// How long the next try is put off.
        wait: Duration,
        /// Why it failed.
        cause: &'a Error,
    },
    /// The request failed for good.
    Failed {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// How many tries were made.
        attempt: u32,
        /// Why the last one failed.
        cause: &'a Error,
        /// Since the first try began.
        elapsed: Duration,
    },
    /// After this `Failed`, requests to the host fail without being made, until one that is let
    /// through after a pause is answered.
    GivenUp {
        /// The host, with its port if that is unusual.
        host: &'a str,
        /// Why the first request failed that did.
        cause: &'a str,
    },
    /// The whole body arrived.
    Done {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// How many bytes of it came with the try that worked.
        bytes: u64,
        /// How many more were there already.
        resumed: u64,
        /// Since the first try began, waits included.
        elapsed: Duration,
    },
}

/// An observer that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn event(&self, _: &Event<'_>) {}
}
