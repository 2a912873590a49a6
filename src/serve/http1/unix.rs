//! Sockets of POSIX systems: Unix sockets, those that systemd has opened, and ways to send with fewer system calls.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;

use mio::net::TcpStream;

use super::socket::Stream;

pub(super) use mio::net::{UnixListener as PolledUnixListener, UnixStream};
pub(super) use std::os::unix::net::UnixListener;

/// How many connections may wait to be accepted. The standard library asks for 128, and a crowd
/// that connects at once then waits a second or more for its retries.
const BACKLOG: i32 = 1024;

/// Lets more connections wait to be accepted.
pub(super) fn widen_backlog(listener: &TcpListener) -> io::Result<()> {
    Ok(rustix::net::listen(listener, BACKLOG)?)
}

/// Opens a Unix socket.
pub(super) fn open_unix(path: &Path) -> io::Result<UnixListener> {
    // A socket that no process listens on any more was left by one that was killed.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && StdUnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The path of a Unix socket, as `/run/modfetch.sock`.
pub(super) fn shown_path(listener: &UnixListener) -> String {
    let address = listener.local_addr().ok();
    let path = address.as_ref().and_then(|address| address.as_pathname());
    path.unwrap_or(Path::new("?")).display().to_string()
}

/// A socket of socket activation.
pub(super) enum Inherited {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The sockets of socket activation, from descriptor 3 on; with the place of one that is unfit.
///
/// Source: sd_listen_fds(3).
pub(super) fn inherited() -> Result<Vec<Inherited>, (usize, io::Error)> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for place in 0..handed.len() {
        let unfit = |cause| (place, cause);
        if let Ok(Some(listener)) = handed.take_tcp_listener(place) {
            listener.set_nonblocking(true).map_err(unfit)?;
            listeners.push(Inherited::Tcp(listener));
        } else if let Some(listener) = handed.take_unix_listener(place).map_err(unfit)? {
            listener.set_nonblocking(true).map_err(unfit)?;
            listeners.push(Inherited::Unix(listener));
        }
    }
    Ok(listeners)
}

/// Has the kernel notice a client that was switched off. Best effort.
pub(super) fn keep_alive(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_keepalive(stream.as_fd(), true);
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Writes what more bytes follow at once, so that it does not go out alone; `None` where the system has no way to say so.
#[cfg(target_os = "linux")]
pub(super) fn write_more(stream: &Stream, data: &[u8]) -> Option<io::Result<usize>> {
    use rustix::net::{SendFlags, send};
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    let sent = rustix::io::retry_on_intr(|| send(stream, data, flags));
    Some(sent.map_err(io::Error::from))
}

/// Sends bytes of a file without a copy into this process; `None` where the system has no such call.
#[cfg(target_os = "linux")]
pub(super) fn send_file(
    stream: &Stream,
    file: &File,
    at: u64,
    wanted: usize,
) -> Option<io::Result<usize>> {
    let mut offset = at;
    let sent =
        rustix::io::retry_on_intr(|| rustix::fs::sendfile(stream, file, Some(&mut offset), wanted));
    Some(sent.map_err(io::Error::from))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn write_more(_: &Stream, _: &[u8]) -> Option<io::Result<usize>> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send_file(_: &Stream, _: &File, _: u64, _: usize) -> Option<io::Result<usize>> {
    None
}
