//! One request and its answer, as `-x` and `doctor` tell it: where the time went, over which
//! connection, how many bytes came.
//!
//! ureq makes a request on the thread that asks for it and gives its connectors no place for
//! notes of our own, so what they see is noted per thread: [`ExchangeRecorder::begin`] takes a new
//! sheet, the connectors write on it, and it is handed to the events when the exchange is over.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{ConnectionDetails, Connector, TcpConnector, Transport};

use super::connect::connection;
use super::url::RedactedUrl;
use crate::error::Error;
use crate::event::{Event, EventSink, Exchange, Timings};

thread_local! {
    static TIMINGS: RefCell<Timings> = RefCell::default();
    /// The reason phrase of the last answer.
    static PHRASE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn note(change: impl FnOnce(&mut Timings)) {
    // No thread holds it for longer than such a change.
    TIMINGS.with_borrow_mut(change);
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

/// Notes the reason phrase of an answer.
pub(super) fn phrased(reason: &[u8]) {
    PHRASE.with_borrow_mut(|phrase| *phrase = reason.to_vec());
}

/// The reason phrase that was noted last, once.
pub(super) fn take_phrase() -> Vec<u8> {
    PHRASE.take()
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
        let made = self.0.connect(&connection::noting(details), chained)?;
        if opens {
            note(|steps| add(&mut steps.connect, begun));
        }
        Ok(made)
    }
}

/// An exchange under way, reported as an event when it is dropped; as an event sink it hands on
/// and counts the events of the body.
pub(super) struct ExchangeRecorder<'a> {
    events: &'a dyn EventSink,
    url: RedactedUrl,
    attempt: u32,
    through: Option<&'a str>,
    begun: Instant,
    status: Option<String>,
    first_byte: Option<Duration>,
    cause: Option<Error>,
    bytes: AtomicU64,
}

impl<'a> ExchangeRecorder<'a> {
    /// Begins one on this thread, where no other is under way.
    pub(super) fn begin(
        events: &'a dyn EventSink,
        url: RedactedUrl,
        attempt: u32,
        through: Option<&'a str>,
    ) -> ExchangeRecorder<'a> {
        note(|steps| *steps = Timings::default());
        ExchangeRecorder {
            events,
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

impl EventSink for ExchangeRecorder<'_> {
    fn event(&self, event: &Event<'_>) {
        if let Event::BodyReceived { bytes, .. } = event {
            self.bytes.fetch_add(*bytes, Ordering::Relaxed);
        }
        self.events.event(event);
    }
}

impl Drop for ExchangeRecorder<'_> {
    fn drop(&mut self) {
        let mut taken = Timings::default();
        note(|steps| std::mem::swap(steps, &mut taken));
        self.events.event(&Event::ExchangeFinished(&Exchange {
            url: self.url.as_str(),
            attempt: self.attempt,
            status: self.status.as_deref(),
            cause: self.cause.as_ref(),
            bytes: self.bytes.load(Ordering::Relaxed),
            timings: &taken,
            first_byte: self.first_byte,
            total: self.begun.elapsed(),
            through: self.through,
        }));
    }
}
