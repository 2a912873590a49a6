//! TLS by rustls and ring, set up at the first https request.
//!
//! ureq has a connector of its own, but it builds the whole configuration, roots included, once
//! per thread that comes while the first one is still at it; with 64 transfers starting
//! together that is a second of wasted work.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::exchange;
use super::roots::{self, RootSettings};
use crate::error::Result;

/// Wraps connections for https URLs in TLS.
pub(super) struct TlsConnector {
    roots: RootSettings,
    config: OnceLock<Result<Arc<ClientConfig>>>,
}

impl TlsConnector {
    pub(super) fn new(roots: RootSettings) -> TlsConnector {
        TlsConnector {
            roots,
            config: OnceLock::new(),
        }
    }

    fn config(&self) -> Result<Arc<ClientConfig>> {
        let build = || {
            let roots = roots::load(&self.roots)?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|cause| {
                    let message = "cannot set up TLS";
                    crate::Error::new(crate::Kind::Other, message).because(cause)
                })?;
            Ok(Arc::new(
                builder.with_root_certificates(roots).with_no_client_auth(),
            ))
        };
        self.config.get_or_init(build).clone()
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = self
            .config()
            .map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let host = details.uri.host().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::Tls("the host name cannot be in a certificate"))?;
        let mut connection = ClientConnection::new(config, name)?;
        let boxed: Box<dyn Transport> = Box::new(transport);
        let mut socket = TransportAdapter::new(boxed, details.current_time.clone());
        socket.set_timeout(details.timeout);
        let begun = Instant::now();
        connection.complete_io(&mut socket)?;
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        exchange::secured(begun, shown.map(AsRef::as_ref));
        let config = details.config;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(connection, socket),
        })))
    }
}

/// A connection in TLS.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        self.stream.flush()?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self
            .stream
            .read(input)
            .map_err(|error| match error.kind() {
                // Without length or chunks a body ends with the connection. ureq takes a cut for
                // such an end; in TLS the two can be told apart.
                io::ErrorKind::UnexpectedEof => {
                    io::Error::new(io::ErrorKind::BrokenPipe, "connection cut within TLS")
                }
                _ => error,
            })?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
