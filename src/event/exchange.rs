//! One request and its answer: where the time went, over which connection, how many bytes came.

use std::net::SocketAddr;
use std::time::Duration;

use crate::error::Error;

/// The steps on the way to an answer; `None` for those that were not needed or not finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timings {
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

/// An exchange that is over, to the end or as far as it came.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    /// The URL asked for, or the one a redirect led to; redacted.
    pub url: &'a str,
    /// The number of the try.
    pub attempt: u32,
    /// As `200 OK`; `None` if no answer came.
    pub status: Option<&'a str>,
    /// Why it failed, if it did on the way: an error status is an answer.
    pub cause: Option<&'a Error>,
    /// How much of the body came, if it was wanted.
    pub bytes: u64,
    /// What came before the request could be sent.
    pub timings: &'a Timings,
    /// From the beginning to the header of the answer.
    pub first_byte: Option<Duration>,
    /// From the beginning to the end.
    pub total: Duration,
    /// The HTTP proxy in between, without secrets.
    pub through: Option<&'a str>,
}

impl Exchange<'_> {
    /// True if it went over a connection that had been there before.
    #[must_use]
    pub fn reused(&self) -> bool {
        self.status.is_some() && self.timings.connect.is_none()
    }
}
