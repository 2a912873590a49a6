//! What an observer is told about transfers: the raw material of `-x`, progress and logs.

use std::time::Duration;

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
/// Per request: `Start`, then for each response (redirects included) `Response`, perhaps `Resume`,
/// then any number of `Body`; a failed try ends with `Retry`, after which `Start` follows, or with `Failed`; a
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
    /// A response header arrived.
    Response {
        /// The URL asked for, or the one a redirect led to.
        url: &'a RedactedUrl,
        /// As `200 OK`.
        status: &'a str,
        /// Since the request was begun.
        elapsed: Duration,
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
    /// The whole body arrived.
    Done {
        /// The URL asked for.
        url: &'a RedactedUrl,
        /// The size of the body.
        bytes: u64,
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
