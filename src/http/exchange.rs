//! One request and its answer, as `-x` and `doctor` tell it: where the time went, over which
//! connection, how many bytes came.
//!
//! ureq makes a request on the thread that asks for it and gives its connectors no place for
//! notes of our own, so what they see is noted per thread: [`Exchange::begin`] takes a new
//! sheet, the connectors write on it, and it is handed to the observer when the exchange is over.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{ConnectionDetails, Connector, TcpConnector, Transport};

use super::event::{Event, Observer};
use super::url::RedactedUrl;
use crate::error::Error;

/// The steps on the way to an answer; `None` for those that were not needed or not finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The name look-up, be it from memory.
    pub lookup: Option<Duration>,
    /// The addresses found: those of the HTTP proxy where there is one.
    pub addresses: Vec<SocketAddr>,
    /// The TCP connection; none where it was there already.
    pub connect: Option<Duration>,
    /// The tunnel that an HTTP proxy made to the target.
    pub tunnel: Option<Duration>,
    /// The TLS handshake; that with an HTTP proxy is added to it.
    pub tls: Option<Duration>,
    /// The certificate that the target has shown, in DER. It was verified.
    pub certificate: Option<Vec<u8>>,
}

thread_local! {
    static STEPS: RefCell<Steps> = RefCell::default();
}

fn note(change: impl FnOnce(&mut Steps)) {
    // Nobody holds it for longer than such a change.
    STEPS.with_borrow_mut(change);
}

fn add(step: &mut Option<Duration>, since: Instant) {
    *step = Some(step.unwrap_or_default() + since.elapsed());
}

/// Notes a look-up that was begun then and has brought these.
pub(super) fn looked_up(since: Instant, addresses: &[SocketAddr]) {
    note(|steps| {
        add(&mut steps.lookup, since);
        steps.addresses = addresses.to_vec();
    });
}

/// Notes a tunnel that was asked for then and is open.
pub(super) fn tunnelled(since: Instant) {
    note(|steps| add(&mut steps.tunnel, since));
}

/// Notes a TLS handshake that was begun then, and the certificate it ended with.
pub(super) fn secured(since: Instant, certificate: Option<&[u8]>) {
    note(|steps| {
        add(&mut steps.tls, since);
        steps.certificate = certificate.map(<[u8]>::to_vec);
    });
}

/// The connector of TCP connections, which notes how long each took.
#[derive(Debug, Default)]
pub(super) struct NotedConnector(TcpConnector);

impl<In: Transport> Connector<In> for NotedConnector {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        // What goes through a proxy comes with its connection, which was noted before.
        let opens = chained.is_none();
        let begun = Instant::now();
        let made = self.0.connect(details, chained)?;
        if opens {
            note(|steps| add(&mut steps.connect, begun));
        }
        Ok(made)
    }
}

/// An exchange that is over, to the end or as far as it came.
#[derive(Clone, Debug)]
pub struct Exchanged<'a> {
    /// The URL asked for, or the one a redirect led to.
    pub url: &'a RedactedUrl,
    /// The number of the try.
    pub attempt: u32,
    /// As `200 OK`; `None` if no answer came.
    pub status: Option<&'a str>,
    /// Why it failed, if it did on the way: an error status is an answer.
    pub cause: Option<&'a Error>,
    /// How much of the body came, if it was wanted.
    pub bytes: u64,
    /// What came before the request could be sent.
    pub steps: &'a Steps,
    /// From the beginning to the header of the answer.
    pub first_byte: Option<Duration>,
    /// From the beginning to the end.
    pub total: Duration,
    /// The HTTP proxy in between, without secrets.
    pub through: Option<&'a str>,
}

impl Exchanged<'_> {
    /// True if it went over a connection that had been there before.
    #[must_use]
    pub fn reused(&self) -> bool {
        self.status.is_some() && self.steps.connect.is_none()
    }
}

/// An exchange under way. Told to the observer when it is dropped; as an observer it hands on
/// and counts what is told of the body.
pub(super) struct Exchange<'a> {
    observer: &'a dyn Observer,
    url: RedactedUrl,
    attempt: u32,
    through: Option<&'a str>,
    begun: Instant,
    status: Option<String>,
    first_byte: Option<Duration>,
    cause: Option<Error>,
    bytes: AtomicU64,
}

impl<'a> Exchange<'a> {
    /// Begins one on this thread, where no other is under way.
    pub(super) fn begin(
        observer: &'a dyn Observer,
        url: RedactedUrl,
        attempt: u32,
        through: Option<&'a str>,
    ) -> Exchange<'a> {
        note(|steps| *steps = Steps::default());
        Exchange {
            observer,
            url,
            attempt,
            through,
            begun: Instant::now(),
            status: None,
            first_byte: None,
            cause: None,
            bytes: AtomicU64::new(0),
        }
    }

    /// The header of the answer is there.
    pub(super) fn answered(&mut self, status: String) {
        self.first_byte = Some(self.begun.elapsed());
        self.status = Some(status);
    }

    /// Remembers why it failed.
    pub(super) fn failed(&mut self, cause: &Error) {
        self.cause = Some(cause.clone());
    }
}

impl Observer for Exchange<'_> {
    fn event(&self, event: &Event<'_>) {
        if let Event::Body { bytes, .. } = event {
            self.bytes.fetch_add(*bytes, Ordering::Relaxed);
        }
        self.observer.event(event);
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        let mut taken = Steps::default();
        note(|steps| std::mem::swap(steps, &mut taken));
        self.observer.event(&Event::Exchange(&Exchanged {
            url: &self.url,
            attempt: self.attempt,
            status: self.status.as_deref(),
            cause: self.cause.as_ref(),
            bytes: self.bytes.load(Ordering::Relaxed),
            steps: &taken,
            first_byte: self.first_byte,
            total: self.begun.elapsed(),
            through: self.through,
        }));
    }
}
