//! Going through a SOCKS5 proxy: who it is, and where to.
//!
//! The proxy looks up the name of the target, with `socks5` as with `socks5h`: so does Go.
//!
//! Source: RFC 1928, RFC 1929; golang/go `net/http/transport.go`, `dialConn`.

use std::fmt;
use std::net::IpAddr;
use std::time::Instant;

use ureq::unversioned::transport::{NextTimeout, Transport};

use super::http_proxy::{await_within, other, send};

/// Where a SOCKS proxy listens that names no port.
pub(super) const PORT: u16 = 1080;

/// The first byte of all messages but those of the login.
const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// User and password for the proxy, each at most 255 bytes.
pub(super) struct Login {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

/// What a SOCKS proxy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum SocksRefused {
    /// It does not speak SOCKS5, or ended the connection.
    Garbled,
    /// It wants a login, or another one.
    Login,
    /// It cannot or may not connect to the target: the code of its reply.
    Target(u8),
}

impl SocksRefused {
    /// True if another try may succeed: not if the target may not be asked for (2), nor if the
    /// request is not understood (7, 8).
    pub(in crate::http) fn may_pass(self) -> bool {
        !matches!(self, SocksRefused::Login | SocksRefused::Target(2 | 7 | 8))
    }
}

impl fmt::Display for SocksRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SocksRefused::Garbled => f.write_str("the proxy did not answer in SOCKS5"),
            SocksRefused::Login => f.write_str("the proxy refused the login"),
            SocksRefused::Target(code) => f.write_str(match code {
                1 => "the proxy: general failure",
                2 => "the proxy: not allowed by its rules",
                3 => "the proxy: network unreachable",
                4 => "the proxy: host unreachable",
                5 => "the proxy: connection refused",
                6 => "the proxy: time to live expired",
                _ => "the proxy: request not supported",
            }),
        }
    }
}

impl std::error::Error for SocksRefused {}

/// Has the proxy connect to a target; afterwards the connection is one to that target.
pub(super) fn connect(
    transport: &mut dyn Transport,
    login: Option<&Login>,
    (host, port): (&str, u16),
    timeout: NextTimeout,
) -> Result<(), ureq::Error> {
    let mut peer = SocksPeer {
        transport,
        timeout,
        started: Instant::now(),
    };
    let hello: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    peer.send(hello)?;
    match (peer.read::<2>()?, login) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(login)) => {
            let (user, password) = (counted(&login.user)?, counted(&login.password)?);
            peer.send(&[&[LOGIN_VERSION][..], &user, &password].concat())?;
            if peer.read()? != [LOGIN_VERSION, 0] {
                return Err(other(SocksRefused::Login));
            }
        }
        ([VERSION, _], _) => return Err(other(SocksRefused::Login)),
        _ => return Err(other(SocksRefused::Garbled)),
    }
    let address = match host.parse() {
        Ok(IpAddr::V4(ip)) => [&[IPV4][..], &ip.octets()].concat(),
        Ok(IpAddr::V6(ip)) => [&[IPV6][..], &ip.octets()].concat(),
        Err(_) => [&[NAME][..], &counted(host.as_bytes())?].concat(),
    };
    let request = [&[VERSION, CONNECT, 0][..], &address, &port.to_be_bytes()].concat();
    peer.send(&request)?;
    let [version, code, _, kind] = peer.read()?;
    if version != VERSION {
        return Err(other(SocksRefused::Garbled));
    }
    if code != 0 {
        return Err(other(SocksRefused::Target(code)));
    }
    // The address it connects from, and its port: of no interest.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(peer.read::<1>()?[0]),
        _ => return Err(other(SocksRefused::Garbled)),
    };
    for _ in 0..length + 2 {
        peer.read::<1>()?;
    }
    Ok(())
}

/// Bytes with their number before them.
fn counted(bytes: &[u8]) -> Result<Vec<u8>, ureq::Error> {
    let count = u8::try_from(bytes.len()).map_err(|_| other(SocksRefused::Target(8)))?;
    Ok([&[count][..], bytes].concat())
}

struct SocksPeer<'a> {
    transport: &'a mut dyn Transport,
    timeout: NextTimeout,
    started: Instant,
}

impl SocksPeer<'_> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), ureq::Error> {
        send(self.transport, bytes, self.timeout)
    }

    /// Reads so many bytes; what follows them stays.
    fn read<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], ureq::Error> {
        loop {
            let buffers = self.transport.buffers();
            if let Some(bytes) = buffers.input().first_chunk::<COUNT>() {
                let bytes = *bytes;
                buffers.input_consume(COUNT);
                return Ok(bytes);
            }
            if !await_within(self.transport, self.timeout, self.started)? {
                return Err(other(SocksRefused::Garbled));
            }
        }
    }
}
