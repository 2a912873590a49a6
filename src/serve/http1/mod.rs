//! An HTTP/1.1 server for files: GET and HEAD, no request bodies, no framework.
//!
//! It knows nothing of modules. A [`Service`] answers requests; [`Front`] reads them, sends the
//! answers and keeps the limits. Why it is our own: no synchronous server crate has all of
//! nodelay, a deadline for a whole head, refusal of the shapes that smuggle requests, ranges, and
//! writes that hold no thread; and what a server of files needs is small.
//!
//! | file | idea |
//! |---|---|
//! | `target` | a request target, decoded once |
//! | `head` | a request head, taken in one form |
//! | `selection` | conditions and ranges |
//! | `response` | an answer, and its head in bytes |
//! | `live` | a file that grows while it is sent |
//! | `sending` | one response on its way |
//! | `connection` | one connection, step by step |
//! | `reactor` | many connections in one thread |
//! | `inbox` | what other threads have for a reactor |
//! | `socket`, `listener`, `tls` | streams, where they come from, certificates |
//! | `unix`, `windows` | what sockets of these systems have, as `sockets` |
//! | `date`, `request_id` | dates as HTTP writes them, names of requests |
//!
//! # Why these libraries
//! `httparse` splits heads without copies and is what hyper uses; its laxities are listed and
//! closed in `head`. `mio` tells which sockets are ready: registering is safe there, while
//! `polling` has `unsafe fn add`, and this crate forbids unsafe code.

mod connection;
mod date;
mod front;
mod head;
mod inbox;
mod listener;
mod live;
mod reactor;
mod request_id;
mod response;
mod selection;
mod sending;
mod socket;
mod target;
mod tls;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::net::IpAddr;
use std::time::Duration;

#[cfg(unix)]
use unix as sockets;
#[cfg(windows)]
use windows as sockets;

pub use date::timestamp;
pub use front::{Drain, Front};
pub use head::{
    HeadExtent, Http1Request, MAX_HEAD_BYTES, RequestFields, RequestMethod, find_end, parse_head,
};
pub use inbox::Responder;
pub use listener::{ListenAddress, Listener};
pub use live::{HELD_BACK, LiveEnd, LiveFile};
pub use response::{Body, Note, Response, TEXT};
pub use selection::{ContentSelection, select};
pub use target::parse_target;
pub use tls::{TlsSettings, load_tls};

/// How long each step of a connection may take, and how many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a whole head, from its first byte or from the connection on.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For each 16 KiB of a response that a client takes.
    pub progress: Duration,
    /// Connections at once.
    pub connections: usize,
}

impl Limits {
    /// How many connections may be open before idle ones are closed for new ones: seven eighths of all.
    fn roomy(&self) -> usize {
        self.connections - self.connections / 8
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            progress: Duration::from_secs(30),
            connections: 16_384,
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `None` over a Unix socket.
    pub address: Option<IpAddr>,
    /// It has shown a client certificate, which was verified.
    pub certified: bool,
}

/// One request and what became of it.
#[derive(Debug)]
pub struct ServedExchange<'e> {
    /// `None` for a head that was refused.
    pub request: Option<&'e Http1Request>,
    /// Who asked.
    pub address: Option<IpAddr>,
    /// The status that was sent; 0 if the client left before.
    pub status: u16,
    /// What the answer says of itself.
    pub note: Note,
    /// Bytes that were sent, head included.
    pub bytes: u64,
    /// From the head of the request to the end of the answer.
    pub took: Duration,
    /// The client took all of it.
    pub complete: bool,
}

/// Answers requests, on any thread.
pub trait Service: Send + Sync {
    /// Answers at once, without a wait for anything but a local file; or takes a [`Responder`]
    /// from `later`, returns `None`, and answers by it.
    fn answer(
        &self,
        request: &Http1Request,
        peer: Peer,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response>;

    /// Is called once for each request, at its end.
    fn finished(&self, exchange: &ServedExchange<'_>);
}
