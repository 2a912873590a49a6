//! One connection: heads in, responses out, one after the other, each step by a deadline.
//!
//! | state | waits for | at most |
//! |---|---|---|
//! | `Idle` | the first byte of a head | `idle`; the first head of a connection has `head` |
//! | `Head` | the end of a head | `head`, from its first byte on |
//! | `Waiting` | the service | what the service allows itself |
//! | `Sending` | the client to take bytes, or a live file to grow | `progress` for each 16 KiB |
//! | `Lingering` | the client to read a refusal and close | 2 seconds |
//!
//! While one request is being answered the next is not read: what a client sends ahead waits in
//! its buffers, so memory for a connection is bounded by one head and one chunk.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConnection;

use super::head::{
    HeadExtent, HeadRefusal, Http1Request, MAX_HEAD_BYTES, RequestMethod, find_end, parse_head,
};
use super::inbox::{BodyWaker, ConnectionId, Inbox, Responder};
use super::request_id::{new_request_id, usable};
use super::response::{Body, Delivery, Note, Response, write_head};
use super::sending::{Sending, Sent};
use super::socket::{Accepted, Stream};
use super::{Limits, Peer, ServedExchange, Service};

/// How long a new connection without a request is not taken for an idle one.
const ABOUT_TO_ASK: Duration = Duration::from_secs(1);

/// How long a refusal may take to be read.
const LINGER: Duration = Duration::from_secs(2);

/// How much a client takes of a response until the deadline, at least.
const PROGRESS_BYTES: u64 = 16 << 10;

/// Requests that are answered before other connections have their turn.
const TURN_REQUESTS: u32 = 16;

/// What every connection of a reactor uses.
pub(super) struct Context<'c> {
    pub(super) service: &'c dyn Service,
    pub(super) limits: &'c Limits,
    pub(super) inbox: &'c Arc<Inbox>,
    pub(super) scratch: &'c mut [u8],
    /// Rooms for heads, to be used again.
    pub(super) rooms: &'c mut Vec<Vec<u8>>,
    pub(super) now: Instant,
    /// The time, as HTTP writes it.
    pub(super) date: &'c str,
    /// No further request is taken.
    pub(super) draining: bool,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits for an event.
    Kept,
    /// It could do more, when others had their turn.
    Again,
    /// It is over.
    Closed,
}

/// A request that is being answered.
struct Asked {
    request: Box<Http1Request>,
    began: Instant,
}

enum ConnectionState {
    Idle,
    Head,
    Waiting(Asked),
    Sending(Box<Answering>),
    Lingering,
}

/// A response that is being sent.
struct Answering {
    sending: Sending,
    keep_alive: bool,
    /// What it had sent when its deadline was set.
    mark: u64,
    /// The live file has no more: the client is not to blame.
    starved: bool,
    status: u16,
    note: Note,
    /// `None` for a head that was refused.
    asked: Option<Asked>,
}

pub(super) struct Connection {
    pub(super) stream: Stream,
    tls: Option<Box<ServerConnection>>,
    address: Option<IpAddr>,
    id: ConnectionId,
    /// Bytes that were read and not used.
    input: Vec<u8>,
    /// How many of them were looked at.
    seen: usize,
    state: ConnectionState,
    /// When the last answer ended, or the connection began.
    idle_since: Instant,
    /// It has had an answer.
    answered: bool,
    deadline: Option<Instant>,
    readable: bool,
    writable: bool,
    /// The client sends no more.
    read_closed: bool,
}

impl Connection {
    /// Takes over a connected stream.
    ///
    /// # Errors
    /// TLS cannot begin.
    pub(super) fn new(
        accepted: Accepted,
        id: ConnectionId,
        context: &Context<'_>,
    ) -> io::Result<Connection> {
        let tls = accepted.tls.map(|config| {
            let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
            // What goes in is bounded here, by one chunk at a time.
            tls.set_buffer_limit(None);
            Ok::<_, io::Error>(Box::new(tls))
        });
        Ok(Connection {
            stream: accepted.stream,
            tls: tls.transpose()?,
            address: accepted.address,
            id,
            input: Vec::new(),
            seen: 0,
            state: ConnectionState::Idle,
            idle_since: context.now,
            answered: false,
            deadline: context.now.checked_add(context.limits.head),
            readable: true,
            writable: true,
            read_closed: false,
        })
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    /// True if it is between two requests.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, ConnectionState::Idle)
    }

    /// Since when it is between two requests; `None` if it is not. A client that has just connected is about to send one.
    pub(super) fn idle_since(&self, now: Instant) -> Option<Instant> {
        let may_close = self.answered || now.duration_since(self.idle_since) >= ABOUT_TO_ASK;
        (self.is_idle() && may_close).then_some(self.idle_since)
    }

    /// The socket can be read or written again.
    pub(super) fn notice(&mut self, readable: bool, writable: bool, read_closed: bool) {
        self.readable |= readable;
        self.writable |= writable;
        self.read_closed |= read_closed;
    }

    /// Goes on as far as nothing is waited for.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) -> Fate {
        let mut answered = 0;
        loop {
            let step = match &mut self.state {
                ConnectionState::Idle | ConnectionState::Head => self.read_request(context),
                ConnectionState::Waiting(_) => return Fate::Kept,
                ConnectionState::Sending(_) => {
                    let step = self.send(context);
                    answered += u32::from(matches!(step, Ok(None)));
                    step
                }
                ConnectionState::Lingering => self.linger(context),
            };
            match step {
                Ok(None) if answered < TURN_REQUESTS => {}
                Ok(None) => return Fate::Again,
                Ok(Some(fate)) => return fate,
                Err(_) => {
                    self.report(false, context);
                    return Fate::Closed;
                }
            }
        }
    }

    /// Looks whether a wait has been too long.
    pub(super) fn check_deadline(&mut self, context: &mut Context<'_>) -> Fate {
        if self.deadline.is_none_or(|deadline| context.now < deadline) {
            return Fate::Kept;
        }
        if let ConnectionState::Sending(answering) = &mut self.state {
            let moved = answering.sending.sent - answering.mark;
            if answering.starved || moved >= PROGRESS_BYTES {
                answering.mark = answering.sending.sent;
                self.deadline = context.now.checked_add(context.limits.progress);
                return Fate::Kept;
            }
        }
        self.report(false, context);
        Fate::Closed
    }

    /// The service has answered.
    pub(super) fn answer(&mut self, response: Response, context: &mut Context<'_>) {
        match std::mem::replace(&mut self.state, ConnectionState::Idle) {
            ConnectionState::Waiting(asked) => self.begin(response, Some(asked), context),
            other => self.state = other,
        }
    }

    /// A step: `None` to go on.
    fn read_request(&mut self, context: &mut Context<'_>) -> io::Result<Option<Fate>> {
        if !self.input.is_empty() {
            // Empty lines before a request line are passed over: RFC 9112, 2.2.
            while self.seen == 0 && self.input.starts_with(b"\r\n") {
                self.input.drain(..2);
            }
            match find_end(&self.input, self.seen) {
                Ok(HeadExtent::Whole(end)) => {
                    let head: Vec<u8> = self.input.drain(..end).collect();
                    self.seen = 0;
                    if self.input.is_empty() {
                        self.input = Vec::new();
                    }
                    match parse_head(&head) {
                        Ok(request) => self.ask(request, context),
                        Err(refusal) => self.refuse(refusal, context),
                    }
                    return Ok(None);
                }
                Ok(HeadExtent::Unfinished(seen)) => self.seen = seen,
                Err(refusal) => {
                    self.refuse(refusal, context);
                    return Ok(None);
                }
            }
        }
        if context.draining && self.input.is_empty() {
            return Ok(Some(Fate::Closed));
        }
        if !self.readable {
            return Ok(Some(Fate::Kept));
        }
        let room = MAX_HEAD_BYTES.min(context.scratch.len());
        let Some(count) = self.read(&mut context.scratch[..room])? else {
            return Ok(Some(Fate::Kept));
        };
        if count == 0 {
            return Ok(Some(Fate::Closed));
        }
        self.input.extend_from_slice(&context.scratch[..count]);
        if matches!(self.state, ConnectionState::Idle) {
            self.state = ConnectionState::Head;
            self.deadline = context.now.checked_add(context.limits.head);
        }
        Ok(None)
    }

    /// Reads what there is; `None` if that has to be waited for.
    fn read(&mut self, room: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(tls) = &mut self.tls else {
            return match self.stream.read(room) {
                Ok(count) => {
                    // A stream that gave less than was asked for is empty, and says when it is
                    // not: epoll(7), "Questions and answers", 9. An end is not said again.
                    self.readable = count == room.len() || self.read_closed;
                    Ok(Some(count))
                }
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    Ok(None)
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => Ok(None),
                Err(cause) => Err(cause),
            };
        };
        loop {
            match tls.reader().read(room) {
                Ok(count) => return Ok(Some(count)),
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                Err(cause) => return Err(cause),
            }
            match tls.read_tls(&mut self.stream) {
                Ok(0) => return Ok(Some(0)),
                Ok(_) => {
                    let processed = tls.process_new_packets();
                    // The handshake, and an alert if it failed.
                    while tls.wants_write() {
                        match tls.write_tls(&mut self.stream) {
                            Ok(_) => {}
                            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => break,
                            Err(cause) => return Err(cause),
                        }
                    }
                    processed.map_err(io::Error::other)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(None);
                }
                Err(cause) => return Err(cause),
            }
        }
    }

    fn ask(&mut self, mut request: Http1Request, context: &mut Context<'_>) {
        let id = usable(request.fields.request_id.as_deref());
        request.fields.request_id = Some(id.map_or_else(new_request_id, str::to_owned));
        let asked = Asked {
            request: Box::new(request),
            began: context.now,
        };
        let peer = Peer {
            address: self.address,
            certified: (self.tls.as_ref()).is_some_and(|tls| tls.peer_certificates().is_some()),
        };
        let responder = || {
            let inbox = Arc::clone(context.inbox);
            Responder::new(inbox, self.id, asked.request.is_http11)
        };
        match context.service.answer(&asked.request, peer, &responder) {
            Some(response) => self.begin(response, Some(asked), context),
            None => {
                self.deadline = None;
                self.state = ConnectionState::Waiting(asked);
            }
        }
    }

    fn refuse(&mut self, refusal: HeadRefusal, context: &mut Context<'_>) {
        let response = Response::text(refusal.status, refusal.reason)
            .noted("refused", "")
            .closing();
        let response = match refusal.status {
            405 => response.with("Allow", "GET, HEAD"),
            _ => response,
        };
        self.begin(response, None, context);
    }

    fn begin(&mut self, response: Response, asked: Option<Asked>, context: &mut Context<'_>) {
        let request = asked.as_ref().map(|asked| &asked.request);
        let id = request.and_then(|request| request.fields.request_id.clone());
        let response = match id {
            Some(id) => response.with("X-Request-Id", id),
            None => response,
        };
        let delivery = Delivery {
            method: request.map_or(RequestMethod::Get, |request| request.method),
            is_http11: request.is_none_or(|request| request.is_http11),
            keep_alive: request.is_some_and(|request| request.keep_alive)
                && !response.close
                && !context.draining,
        };
        let mut out = context.rooms.pop().unwrap_or_default();
        let framing = write_head(&mut out, &response, delivery, context.date);
        let body = match delivery.method {
            RequestMethod::Get => response.body,
            RequestMethod::Head => Body::empty(),
        };
        self.deadline = context.now.checked_add(context.limits.progress);
        self.state = ConnectionState::Sending(Box::new(Answering {
            sending: Sending::new(out, framing, body),
            keep_alive: delivery.keep_alive,
            mark: 0,
            starved: false,
            status: response.status,
            note: response.note,
            asked,
        }));
    }

    fn send(&mut self, context: &mut Context<'_>) -> io::Result<Option<Fate>> {
        let ConnectionState::Sending(answering) = &mut self.state else {
            return Ok(None);
        };
        if !self.writable {
            return Ok(Some(Fate::Kept));
        }
        let waker = BodyWaker {
            inbox: Arc::clone(context.inbox),
            id: self.id,
        };
        let tls = self.tls.as_deref_mut();
        let sent = answering
            .sending
            .go_on(&mut self.stream, tls, context.scratch, &waker)?;
        answering.starved = sent == Sent::Starved;
        match sent {
            Sent::Blocked => {
                self.writable = false;
                Ok(Some(Fate::Kept))
            }
            Sent::Starved => Ok(Some(Fate::Kept)),
            Sent::Turn => Ok(Some(Fate::Again)),
            Sent::Broken => {
                self.report(false, context);
                Ok(Some(Fate::Closed))
            }
            Sent::All => {
                let (keep_alive, refused) = (answering.keep_alive, answering.asked.is_none());
                self.report(true, context);
                if keep_alive {
                    (self.idle_since, self.answered) = (context.now, true);
                    self.deadline = context.now.checked_add(context.limits.idle);
                    return Ok(None);
                }
                if let Some(tls) = &mut self.tls {
                    tls.send_close_notify();
                    // Best effort: the client has everything.
                    let _ = tls.write_tls(&mut self.stream);
                }
                // Bytes that were not read would reset the connection before the refusal is read.
                if refused || !self.input.is_empty() {
                    self.stream.shutdown_write()?;
                    self.state = ConnectionState::Lingering;
                    self.deadline = context.now.checked_add(LINGER);
                    return Ok(None);
                }
                Ok(Some(Fate::Closed))
            }
        }
    }

    fn linger(&mut self, context: &mut Context<'_>) -> io::Result<Option<Fate>> {
        if !self.readable {
            return Ok(Some(Fate::Kept));
        }
        match self.stream.read(context.scratch) {
            Ok(0) => Ok(Some(Fate::Closed)),
            // Another connection's turn between two chunks.
            Ok(_) => Ok(Some(Fate::Again)),
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(Some(Fate::Kept))
            }
            Err(cause) => Err(cause),
        }
    }

    /// Tells the service how an exchange ended, and is ready for the next.
    fn report(&mut self, complete: bool, context: &mut Context<'_>) {
        match std::mem::replace(&mut self.state, ConnectionState::Idle) {
            ConnectionState::Sending(answering) => {
                context.service.finished(&ServedExchange {
                    request: answering.asked.as_ref().map(|asked| &*asked.request),
                    address: self.address,
                    status: answering.status,
                    note: answering.note,
                    bytes: answering.sending.sent,
                    took: (answering.asked.as_ref())
                        .map_or(Duration::ZERO, |asked| asked.began.elapsed()),
                    complete,
                });
                if context.rooms.len() < 64 {
                    context.rooms.push(answering.sending.into_room());
                }
            }
            ConnectionState::Waiting(asked) => context.service.finished(&ServedExchange {
                request: Some(&asked.request),
                address: self.address,
                status: 0,
                note: Note::default(),
                bytes: 0,
                took: asked.began.elapsed(),
                complete,
            }),
            ConnectionState::Idle | ConnectionState::Head | ConnectionState::Lingering => {}
        }
    }
}
