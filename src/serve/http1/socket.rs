//! A connected stream: TCP or Unix, plain or TLS, never blocking.

use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, Shutdown};

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::sockets::UnixStream;

/// A stream of bytes.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A stream whose other end has just connected.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: Stream,
    /// `None` over a Unix socket.
    pub(super) address: Option<IpAddr>,
    /// The configuration at that time, if the listener speaks TLS.
    pub(super) tls: Option<std::sync::Arc<rustls::ServerConfig>>,
}

impl Stream {
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            Stream::Unix(stream) => stream,
        }
    }

    /// Has a poll tell, once for each change, when bytes can be read or written.
    pub(super) fn register(&mut self, registry: &Registry, place: usize) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(self.source(), Token(place), both)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        // Closing it does the same.
        let _ = registry.deregister(self.source());
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(room),
            Stream::Unix(stream) => stream.read(room),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(data),
            Stream::Unix(stream) => stream.write(data),
        }
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write_vectored(data),
            Stream::Unix(stream) => stream.write_vectored(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
