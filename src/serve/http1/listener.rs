//! Where connections come from: TCP, a Unix socket, or sockets that systemd has opened.

use std::fs;
use std::io;
use std::net::{TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// How many connections may wait to be accepted. The standard library asks for 128, and a crowd
/// that connects at once then waits a second or more for its retries.
const BACKLOG: i32 = 1024;

/// What `--listen` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `HOST:PORT`.
    Tcp(String),
    /// `unix:PATH`.
    Unix(PathBuf),
    /// `systemd`: whatever the service manager has opened.
    Systemd,
}

impl ListenAddress {
    /// Reads a value of `--listen`.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn parse(text: &str) -> Result<ListenAddress> {
        if text == "systemd" {
            return Ok(ListenAddress::Systemd);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(usage(text)),
                path => Ok(ListenAddress::Unix(PathBuf::from(path))),
            };
        }
        match text.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => {
                // `:3000` is every address, as Go has it.
                let host = if text.starts_with(':') { "[::]" } else { "" };
                Ok(ListenAddress::Tcp(format!("{host}{text}")))
            }
            _ => Err(usage(text)),
        }
    }
}

fn usage(text: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("--listen {text}: want HOST:PORT, unix:PATH or systemd"),
    )
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// A Unix socket. The file is removed when a server has ended, if it made it.
    Unix(UnixListener, Option<PathBuf>),
}

impl Listener {
    /// Opens what an address names.
    ///
    /// # Errors
    /// [`Kind::LocalIo`], naming the address.
    pub fn open(address: &ListenAddress) -> Result<Vec<Listener>> {
        let opened = match address {
            ListenAddress::Tcp(text) => open_tcp(text).map_err(|cause| (text.clone(), cause)),
            ListenAddress::Unix(path) => {
                open_unix(path).map_err(|cause| (format!("unix:{}", path.display()), cause))
            }
            ListenAddress::Systemd => return inherited(),
        };
        opened.map_err(|(shown, cause)| {
            Error::new(Kind::LocalIo, format!("cannot listen on {shown}")).because(cause)
        })
    }

    /// As a client writes it: `http://127.0.0.1:3000`, `unix:/run/modfetch.sock`.
    #[must_use]
    pub fn shown(&self, scheme: &str) -> String {
        match self {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("{scheme}://{address}"),
                Err(_) => format!("{scheme}://?"),
            },
            Listener::Unix(listener, _) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("unix:{}", path.unwrap_or(Path::new("?")).display())
            }
        }
    }
}

fn open_tcp(text: &str) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut addresses: Vec<_> = text.to_socket_addrs()?.collect();
    addresses.dedup();
    for address in addresses {
        let listener = TcpListener::bind(address)?;
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        listeners.push(Listener::Tcp(listener));
    }
    Ok(listeners)
}

fn open_unix(path: &Path) -> io::Result<Vec<Listener>> {
    // A socket that no process listens on any more was left by one that was killed.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && UnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(vec![Listener::Unix(listener, Some(path.to_owned()))])
}

/// The sockets of socket activation, from descriptor 3 on.
///
/// Source: sd_listen_fds(3).
fn inherited() -> Result<Vec<Listener>> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for place in 0..handed.len() {
        let unfit = |cause| {
            let text = format!("cannot listen on socket {place} of systemd");
            Error::new(Kind::LocalIo, text).because(cause)
        };
        if let Ok(Some(listener)) = handed.take_tcp_listener(place) {
            listener.set_nonblocking(true).map_err(unfit)?;
            listeners.push(Listener::Tcp(listener));
        } else if let Some(listener) = handed.take_unix_listener(place).map_err(unfit)? {
            listener.set_nonblocking(true).map_err(unfit)?;
            listeners.push(Listener::Unix(listener, None));
        }
    }
    if listeners.is_empty() {
        let text = "--listen systemd: the service manager has handed over no socket";
        return Err(Error::new(Kind::Usage, text)
            .hint("start it by a .socket unit, whose service unit has this command line"));
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hosts_with_ports_paths_and_systemd() {
        let tcp = |text: &str| Ok(ListenAddress::Tcp(text.to_owned()));
        let parse = |text: &str| ListenAddress::parse(text).map_err(|error| error.kind());
        assert_eq!(parse("127.0.0.1:3000"), tcp("127.0.0.1:3000"));
        assert_eq!(parse("[::1]:0"), tcp("[::1]:0"));
        assert_eq!(parse(":3000"), tcp("[::]:3000"));
        assert_eq!(parse("systemd"), Ok(ListenAddress::Systemd));
        let path = PathBuf::from("/run/x");
        assert_eq!(parse("unix:/run/x"), Ok(ListenAddress::Unix(path)));
        for bad in ["", "3000", "localhost", "unix:", "h:99999", "h:"] {
            assert_eq!(parse(bad), Err(Kind::Usage), "{bad}");
        }
    }

    #[test]
    fn a_socket_that_a_killed_server_left_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let address = ListenAddress::Unix(dir.path().join("s"));
        let first = Listener::open(&address).unwrap();
        assert!(Listener::open(&address).is_err());
        drop(first);
        assert!(Listener::open(&address).is_ok());
    }
}
