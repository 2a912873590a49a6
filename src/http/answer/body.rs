//! Where a body goes, how much of it is allowed, and what became of it.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::Response;

use super::encoding::{Decoded, Encoding, Trouble};
use super::resume::{PartialBody, Resumable};
use super::status::MAX_DRAIN_BYTES;
use crate::cancel::CancelToken;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink};
use crate::http::failure::{FailureContext, out_of_time};
use crate::http::limits::ByteRate;
use crate::http::time::Timer;
use crate::http::url::RedactedUrl;

/// How much is read and handed on at once.
pub(in crate::http) const CHUNK_BYTES: usize = 32 << 10;

/// Where a body goes.
pub trait BodySink: io::Write {
    /// The body that comes next has so many bytes, if its sender has said so. Called before
    /// [`BodySink::restart`].
    fn expect(&mut self, _length: u64) {}

    /// Throws away what was written: the first byte of a body comes next. If that body can be
    /// resumed after a cut, `resumable` says how.
    ///
    /// # Errors
    /// What the system says; the transfer then fails for good.
    fn restart(&mut self, resumable: Option<&Resumable>) -> io::Result<()>;

    /// What it holds of a body that can be resumed, of an earlier try or an earlier run.
    fn kept(&self) -> Option<PartialBody> {
        None
    }
}

impl BodySink for Vec<u8> {
    fn restart(&mut self, _: Option<&Resumable>) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

/// What a successful transfer brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    /// The outcome.
    pub value: T,
    /// How many bytes of body came over the network (or from a file) in the try that worked.
    pub bytes: u64,
    /// How many more bytes of it an earlier try or run had left, which did not come again.
    pub resumed: u64,
    /// How many tries failed before.
    pub retries: u32,
}

impl Fetched<()> {
    /// So many bytes came at the first try.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Fetched<()> {
        Fetched {
            value: (),
            bytes,
            resumed: 0,
            retries: 0,
        }
    }
}

impl<T> Fetched<T> {
    /// Turns the outcome into another.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fetched<U> {
        Fetched {
            value: change(self.value),
            bytes: self.bytes,
            resumed: self.resumed,
            retries: self.retries,
        }
    }
}

/// The reason of an error for a body that is longer than the caller's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// In bytes.
    pub limit: u64,
}

impl TooLarge {
    /// True if `error` was caused by passing a limit.
    #[must_use]
    pub fn caused(error: &Error) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if cause.is::<TooLarge>() {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "larger than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLarge {}

/// A body that is of no interest, or of little: so much of it as one answer commonly has,
/// and not for long, however its bytes trickle.
pub(in crate::http) fn briefly(body: Body, stall_timeout: Duration) -> impl Read {
    let until = Instant::now().checked_add(stall_timeout);
    Brief {
        inner: body.into_reader(),
        until,
    }
    .take(MAX_DRAIN_BYTES)
}

/// Which bytes of a body an answer has.
pub(in crate::http) enum BodyExtent {
    /// All; and how the transfer can be resumed if it is cut.
    Whole(Option<Resumable>),
    /// Those that follow what is kept.
    Rest(PartialBody),
}

/// Where the bytes that come are reported, and how fast they may come.
pub(in crate::http) struct Watch<'a> {
    pub(in crate::http) events: &'a dyn EventSink,
    pub(in crate::http) timer: &'a dyn Timer,
    pub(in crate::http) rate: Option<&'a ByteRate>,
    /// The work that the body is for.
    pub(in crate::http) cancel: &'a CancelToken,
}

/// Copies a body that is wanted; returns how many bytes were sent.
pub(in crate::http) fn copy_body(
    response: Response<Body>,
    extent: &BodyExtent,
    limit: u64,
    sink: &mut dyn BodySink,
    circumstances: &FailureContext<'_>,
    watch: &Watch<'_>,
) -> Result<u64> {
    let shown = circumstances.url;
    let too_large =
        || Error::new(Kind::Network, format!("reading {shown}")).because(TooLarge { limit });
    let encoding = Encoding::of(response.headers())
        .map_err(|name| circumstances.unsupported_encoding(name))?;
    if encoding == Encoding::Identity
        && response
            .body()
            .content_length()
            .is_some_and(|length| length > limit)
    {
        return Err(too_large());
    }
    let length = response.body().content_length();
    let length = length.filter(|_| encoding == Encoding::Identity);
    let mut body = Decoded::new(response.into_body().into_reader(), encoding, limit);
    let events = watch.events;
    let portion = watch.rate.map(|rate| rate.portion(CHUNK_BYTES));
    let mut chunk = vec![0; portion.unwrap_or(CHUNK_BYTES)];
    let mut told = 0;
    let mut total = match extent {
        BodyExtent::Whole(resumable) => {
            length.into_iter().for_each(|length| sink.expect(length));
            let restarted = sink.restart(resumable.as_ref());
            restarted.map_err(|cause| unwritable(shown, cause))?;
            0
        }
        BodyExtent::Rest(kept) => {
            let (url, bytes) = (shown.as_str(), kept.bytes);
            events.event(&Event::RequestResumed { url, bytes });
            bytes
        }
    };
    // Of a whole body the length in its header is enforced below us; of a rest it need not have
    // one, and nothing may follow the last byte.
    let end = match extent {
        BodyExtent::Whole(_) => None,
        BodyExtent::Rest(kept) => Some(kept.of.length),
    };
    loop {
        let count = match body.read(&mut chunk) {
            Ok(0) if end.is_none_or(|end| total == end) => return Ok(body.received()),
            Ok(0) => return Err(circumstances.closed_early()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(match body.trouble() {
                    Trouble::Transfer => circumstances.explain_io(&error),
                    Trouble::Decoding => circumstances.undecodable(&error),
                    Trouble::TooLong => too_large(),
                });
            }
        };
        total += count as u64;
        if total > limit {
            return Err(too_large());
        }
        if end.is_some_and(|end| total > end) {
            return Err(circumstances.too_long());
        }
        let part = chunk.get(..count).unwrap_or_default();
        sink.write_all(part)
            .map_err(|cause| unwritable(shown, cause))?;
        let bytes = body.received().saturating_sub(told);
        told += bytes;
        let url = shown.as_str();
        events.event(&Event::BodyReceived { url, bytes });
        if let Some(rate) = watch.rate {
            let in_time = rate.pay(bytes, watch.timer, watch.cancel);
            // Looked at here: what is buffered already comes without a look at the clock below.
            if let Some(deadline) = watch.cancel.deadline().filter(|_| !in_time) {
                return Err(out_of_time(shown, &deadline));
            }
        }
    }
}

/// Ends, as if there were no more, when its time is up.
struct Brief<R> {
    inner: R,
    until: Option<Instant>,
}

impl<R: Read> Read for Brief<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Ok(0);
        }
        self.inner.read(out)
    }
}

/// The place for the bytes cannot take them.
pub(in crate::http) fn unwritable(shown: &RedactedUrl, cause: io::Error) -> Error {
    Error::new(Kind::LocalIo, format!("cannot write what {shown} sent")).because(cause)
}
