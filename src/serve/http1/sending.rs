//! One response on its way: how far it is, and how the next bytes go out.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use rustls::ServerConnection;

use super::inbox::BodyWaker;
use super::live::{LiveEnd, LiveFile};
use super::response::{Body, Framing};
use super::socket::Stream;
use super::sockets::{send_file, write_more};

use crate::system::FileAt as _;

/// A file that is no longer goes out with the head, by one read and one write: fewer calls than a
/// sendfile beside a write, and a copy of so little costs less than a call.
const SMALL_FILE: u64 = 32 << 10;

/// The most that is sent before other connections have their turn.
const TURN_BYTES: u64 = 1 << 20;

/// How much is read at once where bytes pass through this process.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// What is left to send.
#[derive(Debug)]
enum Rest {
    Nothing,
    File {
        file: Arc<File>,
        at: u64,
        end: u64,
    },
    Live {
        live: Arc<LiveFile>,
        at: u64,
        /// The end of the bytes that the present chunk has, where there are chunks.
        chunk_end: u64,
        /// Its length was announced.
        announced: Option<u64>,
    },
}

/// Where a response is.
#[derive(Debug)]
pub(super) struct Sending {
    /// The head, and what else goes out as bytes.
    out: Vec<u8>,
    out_sent: usize,
    framing: Framing,
    rest: Rest,
    /// Bytes that the socket, or TLS, has taken.
    pub(super) sent: u64,
}

/// How an attempt to send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Everything is out.
    All,
    /// The socket takes no more now.
    Blocked,
    /// More could be sent; it is another connection's turn.
    Turn,
    /// The live file has no more yet, and wakes the connection when it has.
    Starved,
    /// The body ended short of what was promised: the connection has to be cut.
    Broken,
}

/// What a file offers next.
enum NextBytes {
    Bytes { file: Arc<File>, at: u64, end: u64 },
    Starved,
    Done,
    Broken,
}

impl Sending {
    /// Begins with a head; `body` is empty for a HEAD request.
    pub(super) fn new(mut out: Vec<u8>, framing: Framing, body: Body) -> Sending {
        let rest = match body {
            Body::Bytes(bytes) => {
                out.extend_from_slice(&bytes);
                Rest::Nothing
            }
            Body::File {
                file,
                start,
                length,
            } => {
                if length > 0 && length <= SMALL_FILE && append(&mut out, &file, start, length) {
                    Rest::Nothing
                } else {
                    Rest::File {
                        file,
                        at: start,
                        end: start + length,
                    }
                }
            }
            Body::Live(live) => Rest::Live {
                announced: match framing {
                    Framing::Length => live.length(),
                    Framing::Chunked => None,
                },
                live,
                at: 0,
                chunk_end: 0,
            },
        };
        Sending {
            out,
            out_sent: 0,
            framing,
            rest,
            sent: 0,
        }
    }

    /// Gives back the room of the head.
    pub(super) fn into_room(mut self) -> Vec<u8> {
        self.out.clear();
        self.out
    }

    /// Sends as much as the socket takes, up to one turn.
    ///
    /// # Errors
    /// The socket's or the file's.
    pub(super) fn go_on(
        &mut self,
        stream: &mut Stream,
        tls: Option<&mut ServerConnection>,
        scratch: &mut [u8],
        waker: &BodyWaker,
    ) -> io::Result<Sent> {
        match tls {
            Some(tls) => self.go_on_tls(stream, tls, scratch, waker),
            None => self.go_on_plain(stream, scratch, waker),
        }
    }

    fn go_on_plain(
        &mut self,
        stream: &mut Stream,
        scratch: &mut [u8],
        waker: &BodyWaker,
    ) -> io::Result<Sent> {
        let turn_end = self.sent + TURN_BYTES;
        loop {
            while let Some(left) = self
                .out
                .get(self.out_sent..)
                .filter(|left| !left.is_empty())
            {
                let more = !matches!(self.rest, Rest::Nothing);
                match write_plain(stream, left, more) {
                    Ok(count) => {
                        self.out_sent += count;
                        self.sent += count as u64;
                    }
                    Err(cause) => return blocked(cause),
                }
            }
            if self.sent >= turn_end {
                return Ok(Sent::Turn);
            }
            match self.next(waker) {
                NextBytes::Bytes { file, at, end } => {
                    match copy_plain(stream, &file, at, end.min(at + TURN_BYTES), scratch) {
                        Ok(0) => return Ok(Sent::Broken),
                        Ok(count) => {
                            self.advance(count);
                            self.sent += count;
                        }
                        Err(cause) => return blocked(cause),
                    }
                }
                NextBytes::Starved => return Ok(Sent::Starved),
                NextBytes::Broken => return Ok(Sent::Broken),
                NextBytes::Done if self.out_sent < self.out.len() => {}
                NextBytes::Done => return Ok(Sent::All),
            }
        }
    }

    fn go_on_tls(
        &mut self,
        stream: &mut Stream,
        tls: &mut ServerConnection,
        scratch: &mut [u8],
        waker: &BodyWaker,
    ) -> io::Result<Sent> {
        let turn_end = self.sent + TURN_BYTES;
        loop {
            while tls.wants_write() {
                match tls.write_tls(stream) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => self.sent += count as u64,
                    Err(cause) => return blocked(cause),
                }
            }
            if self.sent >= turn_end {
                return Ok(Sent::Turn);
            }
            if let Some(left) = self
                .out
                .get(self.out_sent..)
                .filter(|left| !left.is_empty())
            {
                let count = tls.writer().write(left)?;
                self.out_sent += count;
                continue;
            }
            match self.next(waker) {
                NextBytes::Bytes { file, at, end } => {
                    let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
                    let wanted = wanted.min(scratch.len());
                    let count = file.read_at(&mut scratch[..wanted], at)?;
                    if count == 0 {
                        return Ok(Sent::Broken);
                    }
                    let taken = tls.writer().write(&scratch[..count])?;
                    self.advance(taken as u64);
                }
                NextBytes::Starved => return Ok(Sent::Starved),
                NextBytes::Broken => return Ok(Sent::Broken),
                NextBytes::Done if self.out_sent < self.out.len() || tls.wants_write() => {}
                NextBytes::Done => return Ok(Sent::All),
            }
        }
    }

    /// What comes after the bytes in `out`, which are all sent.
    fn next(&mut self, waker: &BodyWaker) -> NextBytes {
        match &mut self.rest {
            Rest::Nothing => NextBytes::Done,
            Rest::File { at, end, .. } if *at >= *end => NextBytes::Done,
            Rest::File { file, at, end } => NextBytes::Bytes {
                file: Arc::clone(file),
                at: *at,
                end: *end,
            },
            Rest::Live {
                live,
                at,
                chunk_end,
                announced,
            } => {
                let progress = live.progress();
                // What is longer than announced would run into the next response.
                let is_longer = announced.is_some_and(|length| progress.released > length);
                if progress.end == Some(LiveEnd::Broken) || is_longer {
                    return NextBytes::Broken;
                }
                let chunked = self.framing == Framing::Chunked;
                if chunked && *at < *chunk_end {
                    return NextBytes::Bytes {
                        file: Arc::clone(live.file()),
                        at: *at,
                        end: *chunk_end,
                    };
                }
                if progress.released > *at {
                    if !chunked {
                        return NextBytes::Bytes {
                            file: Arc::clone(live.file()),
                            at: *at,
                            end: progress.released,
                        };
                    }
                    let size = (progress.released - *at).min(TURN_BYTES);
                    self.out.clear();
                    self.out_sent = 0;
                    let separator = if *at > 0 { "\r\n" } else { "" };
                    // Writing to a Vec cannot fail.
                    let _ = write!(self.out, "{separator}{size:x}\r\n");
                    *chunk_end = *at + size;
                    return NextBytes::Done;
                }
                if progress.end == Some(LiveEnd::Whole) {
                    let short = announced.is_some_and(|length| length != *at);
                    if short {
                        return NextBytes::Broken;
                    }
                    if chunked {
                        self.out.clear();
                        self.out_sent = 0;
                        let separator = if *at > 0 { "\r\n" } else { "" };
                        let _ = write!(self.out, "{separator}0\r\n\r\n");
                    }
                    self.rest = Rest::Nothing;
                    return NextBytes::Done;
                }
                if live.wait(*at, waker.clone()) {
                    return NextBytes::Starved;
                }
                // It has grown since: looked at again at once.
                self.next(waker)
            }
        }
    }

    fn advance(&mut self, count: u64) {
        match &mut self.rest {
            Rest::Nothing => {}
            Rest::File { at, .. } | Rest::Live { at, .. } => *at += count,
        }
    }
}

/// Reads a small file behind the head; false if that did not work, and nothing was added.
fn append(out: &mut Vec<u8>, file: &File, start: u64, length: u64) -> bool {
    let before = out.len();
    let Ok(length) = usize::try_from(length) else {
        return false;
    };
    out.resize(before + length, 0);
    let read = file.read_exact_at(&mut out[before..], start);
    if read.is_err() {
        out.truncate(before);
    }
    read.is_ok()
}

fn blocked(cause: io::Error) -> io::Result<Sent> {
    match cause.kind() {
        io::ErrorKind::WouldBlock => Ok(Sent::Blocked),
        _ => Err(cause),
    }
}

/// Writes; `more` bytes follow at once, so that the head does not go out alone.
fn write_plain(stream: &mut Stream, data: &[u8], more: bool) -> io::Result<usize> {
    if more && let Some(sent) = write_more(stream, data) {
        return sent;
    }
    loop {
        match stream.write(data) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            written => return written,
        }
    }
}

/// Sends bytes of a file, without a copy into this process where the system can.
fn copy_plain(
    stream: &mut Stream,
    file: &File,
    at: u64,
    end: u64,
    scratch: &mut [u8],
) -> io::Result<u64> {
    let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
    if let Some(sent) = send_file(stream, file, at, wanted) {
        return sent.map(|count| count as u64);
    }
    let wanted = wanted.min(scratch.len());
    let count = file.read_at(&mut scratch[..wanted], at)?;
    write_plain(stream, &scratch[..count], false).map(|count| count as u64)
}
