//! Where connections come from: TCP, a Unix socket, or sockets that systemd has opened.

use std::io;
use std::net::{TcpListener, ToSocketAddrs as _};
use std::path::PathBuf;

use super::sockets::{self, Inherited, UnixListener};
use crate::error::{Error, Kind, Result};

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
                let listener = sockets::open_unix(path);
                let listeners =
                    listener.map(|listener| vec![Listener::Unix(listener, Some(path.to_owned()))]);
                listeners.map_err(|cause| (format!("unix:{}", path.display()), cause))
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
                format!("unix:{}", sockets::shown_path(listener))
            }
        }
    }
}

impl From<Inherited> for Listener {
    fn from(handed: Inherited) -> Listener {
        match handed {
            Inherited::Tcp(listener) => Listener::Tcp(listener),
            Inherited::Unix(listener) => Listener::Unix(listener, None),
        }
    }
}

fn open_tcp(text: &str) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut addresses: Vec<_> = text.to_socket_addrs()?.collect();
    addresses.dedup();
    for address in addresses {
        let listener = TcpListener::bind(address)?;
        sockets::widen_backlog(&listener)?;
        listener.set_nonblocking(true)?;
        listeners.push(Listener::Tcp(listener));
    }
    Ok(listeners)
}

/// The sockets of socket activation, from descriptor 3 on.
///
/// Source: sd_listen_fds(3).
fn inherited() -> Result<Vec<Listener>> {
    let handed = sockets::inherited().map_err(|(place, cause)| {
        let text = format!("cannot listen on socket {place} of systemd");
        Error::new(Kind::LocalIo, text).because(cause)
    })?;
    let listeners: Vec<Listener> = handed.into_iter().map(Listener::from).collect();
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
