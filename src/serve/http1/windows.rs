//! Sockets of Windows: TCP alone. Unix sockets and those of systemd are types without values here.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::path::Path;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::socket::Stream;

/// A Unix socket that listens: there is none.
#[derive(Debug)]
pub struct UnixListener(Infallible);

/// The same for a poll.
#[derive(Debug)]
pub(super) struct PolledUnixListener(Infallible);

/// A connection over a Unix socket: there is none.
#[derive(Debug)]
pub(super) struct UnixStream(Infallible);

/// A socket of socket activation: there is none, and [`inherited`] says so.
#[expect(dead_code, reason = "the other side makes them")]
pub(super) enum Inherited {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl PolledUnixListener {
    pub(super) fn from_std(listener: UnixListener) -> PolledUnixListener {
        match listener.0 {}
    }

    pub(super) fn accept(&self) -> io::Result<(UnixStream, ())> {
        match self.0 {}
    }
}

impl UnixStream {
    pub(super) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        match self.0 {}
    }
}

impl Read for UnixStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl Write for UnixStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

macro_rules! never_polled {
    ($name:ty) => {
        impl Source for $name {
            fn register(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
                match self.0 {}
            }

            fn reregister(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
                match self.0 {}
            }

            fn deregister(&mut self, _: &Registry) -> io::Result<()> {
                match self.0 {}
            }
        }
    };
}

never_polled!(UnixStream);
never_polled!(PolledUnixListener);

fn unsupported(what: &str) -> io::Error {
    let text = format!("Windows has no {what} for servers: listen on HOST:PORT");
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// Std's backlog stays.
pub(super) fn widen_backlog(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

/// Refuses.
pub(super) fn open_unix(_: &Path) -> io::Result<UnixListener> {
    Err(unsupported("Unix sockets"))
}

pub(super) fn shown_path(listener: &UnixListener) -> String {
    match listener.0 {}
}

/// Refuses.
pub(super) fn inherited() -> Result<Vec<Inherited>, (usize, io::Error)> {
    Err((0, unsupported("socket activation")))
}

/// Left to the system.
pub(super) fn keep_alive(_: &TcpStream) {}

/// The system has no way to say that more follows.
pub(super) fn write_more(_: &Stream, _: &[u8]) -> Option<io::Result<usize>> {
    None
}

/// The system's call for it needs unsafe code.
pub(super) fn send_file(_: &Stream, _: &File, _: u64, _: usize) -> Option<io::Result<usize>> {
    None
}
