//! What a scripted server does wrong: faults, how often, and the requests it has seen.

use std::time::Duration;

/// How many requests a fault applies to; later ones are answered properly.
#[derive(Clone, Copy, Debug)]
pub struct Times(pub usize);

impl Times {
    /// Every request.
    pub const ALWAYS: Times = Times(usize::MAX);
}

/// One way to misbehave.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status, these headers and this body.
    Status(u16, Vec<(String, String)>, Vec<u8>),
    /// Promises the whole body, sends this many bytes of it and closes the connection.
    Cut(usize),
    /// Promises the whole body, sends this many bytes and then nothing, keeping the connection
    /// open until [`super::proxy::Proxy::release`] or the end of the server.
    Stall(usize),
    /// Sends this many bytes of the body and resets the connection (RST, not FIN).
    Reset(usize),
    /// Sends this many bytes of the header, at most all of them, and then ends like this.
    Head(usize, HeadEnd),
    /// Sends this in the place of the header, with `[LENGTH]` replaced by the length of the body.
    RawHead(String),
    /// Answers with something that is not HTTP.
    Garbage,
    /// Flips every bit of the byte at this place of the body.
    Corrupt(usize),
    /// Answers 200 with this content type and body.
    Body(String, Vec<u8>),
    /// Answers 302 to this URL.
    Redirect(String),
    /// Waits this long, then answers properly (or commits the next fault that matches).
    Delay(Duration),
}

/// How a header ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadEnd {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes until [`super::proxy::Proxy::release`] or the end of the server.
    Stall,
}

/// A fault, for which paths, and how many requests it still has to spoil.
#[derive(Clone, Debug)]
pub struct Rule {
    pub pattern: String,
    pub fault: Fault,
    pub left: usize,
}

impl Rule {
    /// True if the pattern, which may hold one `*`, matches the path.
    pub fn matches(&self, path: &str) -> bool {
        match self.pattern.split_once('*') {
            None => self.pattern == path,
            Some((head, tail)) => {
                path.len() >= head.len() + tail.len()
                    && path.starts_with(head)
                    && path.ends_with(tail)
            }
        }
    }
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The decoded path, without leading slash and query.
    pub path: String,
    /// Header names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// The status that was answered; 0 where the answer was no HTTP.
    pub status: u16,
    /// Which connection it came over, counted from 0.
    pub connection: usize,
}

impl Request {
    /// The value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}
