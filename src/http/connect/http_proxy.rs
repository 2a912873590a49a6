//! Going through a proxy: `CONNECT` for https and the absolute form for http, or SOCKS for both.
//!
//! ureq's own proxy support sends `CONNECT` for http as well, which common proxies refuse for
//! port 80, and knows other NO_PROXY rules than Go.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::lookup::{SharedResolver, TimedResolver};
use super::proxies::{HttpProxy, Protocol, Proxies, plain_host};
use super::socks;
use crate::http::exchange;

/// The longest answer to `CONNECT` that is read.
const MAX_CONNECT_HEADER_BYTES: usize = 16 << 10;

/// A proxy answered `CONNECT` with another status than 2xx, or not in HTTP (`None`).
#[derive(Debug)]
pub(in crate::http) struct ConnectRefused(pub(in crate::http) Option<u16>);

impl fmt::Display for ConnectRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, "the proxy answered CONNECT with status {status}"),
            None => f.write_str("the proxy did not answer CONNECT in HTTP"),
        }
    }
}

impl std::error::Error for ConnectRefused {}

pub(super) fn other(error: impl std::error::Error + Send + Sync + 'static) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// Looks up the proxy's name instead of the target's, which may be known to the proxy only.
#[derive(Debug)]
pub(in crate::http) struct ProxyResolver {
    pub(in crate::http) proxies: Arc<Proxies>,
    pub(in crate::http) system: SharedResolver<TimedResolver>,
}

impl Resolver for ProxyResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let hop = self.proxies.for_uri(uri).map_err(other)?;
        let begun = Instant::now();
        let found = self
            .system
            .resolve(hop.map_or(uri, |hop| &hop.uri), config, timeout)?;
        exchange::looked_up(begun, &found);
        Ok(found)
    }
}

/// First in the chain of connectors: where a request goes through a proxy, has the rest of the
/// chain connect to that proxy and prepares the connection for the target.
#[derive(Debug)]
pub(in crate::http) struct ProxyConnector(pub(in crate::http) Arc<Proxies>);

impl Connector<()> for ProxyConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if self.0.has(details.uri) {
            // This is the call below, come back for the connection to the proxy itself.
            return Ok(None);
        }
        let Some(hop) = self.0.for_uri(details.uri).map_err(other)? else {
            return Ok(None);
        };
        let to_proxy = ConnectionDetails {
            uri: &hop.uri,
            // The resolver above has put the proxy's own addresses here.
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let mut transport = (details.run_connector)(&to_proxy)?;
        if let Protocol::Socks(login) = &hop.protocol {
            let host = plain_host(details.uri);
            let usual = if details.needs_tls() { 443 } else { 80 };
            let target = (host, details.uri.port_u16().unwrap_or(usual));
            socks::connect(&mut *transport, login.as_ref(), target, details.timeout)?;
            return Ok(Some(Box::new(Tunnel(transport))));
        }
        Ok(Some(if details.needs_tls() {
            tunnel(transport, hop, details)?
        } else {
            let authority = details
                .uri
                .authority()
                .map_or("", |authority| authority.as_str());
            Box::new(AbsoluteForm {
                inner: transport,
                target: format!("http://{authority}"),
                authorization: hop.authorization.clone(),
                at_start: true,
            })
        }))
    }
}

fn tunnel(
    mut transport: Box<dyn Transport>,
    hop: &HttpProxy,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, ureq::Error> {
    let host = details.uri.host().unwrap_or_default();
    let target = format!("{host}:{}", details.uri.port_u16().unwrap_or(443));
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(value) = &hop.authorization {
        request.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    request.push_str("\r\n");
    let started = Instant::now();
    send(&mut *transport, request.as_bytes(), details.timeout)?;
    let status = loop {
        let progress = await_within(&mut *transport, details.timeout, started)?;
        let input = transport.buffers().input();
        if let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let status = parse_status(input);
            transport.buffers().input_consume(end + 4);
            break status;
        }
        if !progress || input.len() > MAX_CONNECT_HEADER_BYTES {
            break None;
        }
    };
    match status {
        Some(200..=299) => {
            exchange::tunnelled(started);
            Ok(Box::new(Tunnel(transport)))
        }
        status => Err(other(ConnectRefused(status))),
    }
}

/// Waits for more input, for an answer as a whole: one byte now and then would not be progress.
pub(super) fn await_within(
    transport: &mut dyn Transport,
    mut timeout: NextTimeout,
    started: Instant,
) -> Result<bool, ureq::Error> {
    if !timeout.after.is_not_happening() {
        timeout.after = timeout.after.saturating_sub(started.elapsed()).into();
    }
    transport.await_input(timeout)
}

fn parse_status(header: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(header.split(|&b| b == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/1."))?;
    words.next().filter(|word| word.len() == 3)?.parse().ok()
}

/// Sends bytes that need not fit the output buffer.
pub(super) fn send(
    transport: &mut dyn Transport,
    mut bytes: &[u8],
    timeout: NextTimeout,
) -> Result<(), ureq::Error> {
    while !bytes.is_empty() {
        let output = transport.buffers().output();
        let amount = output.len().min(bytes.len());
        let (now, later) = bytes.split_at(amount);
        output
            .iter_mut()
            .zip(now)
            .for_each(|(to, from)| *to = *from);
        transport.transmit_output(amount, timeout)?;
        bytes = later;
    }
    Ok(())
}

/// A connection through a proxy: there may be TLS up to the proxy, but none yet to the target.
#[derive(Debug)]
struct Tunnel(Box<dyn Transport>);

impl Transport for Tunnel {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

/// Rewrites the first line of each request from `GET /path` to `GET http://host/path` and adds
/// `Proxy-Authorization`. Relies on ureq handing over the first line in one piece and reading
/// something between two requests, and nothing between the head of one and its body.
struct AbsoluteForm {
    inner: Box<dyn Transport>,
    target: String,
    authorization: Option<String>,
    at_start: bool,
}

impl fmt::Debug for AbsoluteForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbsoluteForm")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl AbsoluteForm {
    fn rewrite(&self, output: &[u8]) -> Option<Vec<u8>> {
        let methods = [&b"GET "[..], b"POST "];
        let method = methods
            .into_iter()
            .find(|method| output.starts_with(method))?;
        let rest = output.strip_prefix(method)?;
        let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
        let (line, after) = rest.split_at(end);
        let extra = self.authorization.as_ref().map_or(String::new(), |value| {
            format!("\r\nProxy-Authorization: {value}")
        });
        Some(
            [
                method,
                self.target.as_bytes(),
                line,
                extra.as_bytes(),
                after,
            ]
            .concat(),
        )
    }
}

impl Transport for AbsoluteForm {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if !std::mem::replace(&mut self.at_start, false) {
            return self.inner.transmit_output(amount, timeout);
        }
        let output = self
            .inner
            .buffers()
            .output()
            .get(..amount)
            .unwrap_or_default();
        let output = output.to_vec();
        let request = self.rewrite(&output).ok_or_else(|| {
            other(std::io::Error::other(
                "the request line does not fit the buffer",
            ))
        })?;
        send(&mut *self.inner, &request, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.at_start = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}
