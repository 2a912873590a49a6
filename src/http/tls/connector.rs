//! TLS by rustls and ring, set up at the first https request.
//!
//! ureq has a connector of its own, but it builds the whole configuration, roots included, once
//! per thread that comes while the first one is still at it; with 64 transfers starting
//! together that is a second of wasted work.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustls::client::danger::ServerCertVerifier;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::any_certificate::AnyCertificate;
use super::certificate::NamingVerifier;
use super::client_auth::{ClientCertSettings, Identity};
use super::roots::{self, RootSettings};
use crate::error::{Error, Kind, Result};
use crate::http::Settings;
use crate::http::connect::plain_host;
use crate::http::exchange;

/// Wraps connections for https URLs in TLS.
pub(in crate::http) struct TlsConnector {
    roots: RootSettings,
    client_cert: ClientCertSettings,
    accept_any: bool,
    verifier: OnceLock<Result<Arc<NamingVerifier>>>,
    anonymous: OnceLock<Result<Arc<ClientConfig>>>,
    /// With our certificate: a configuration of its own, so that no session is resumed under
    /// another identity.
    identified: OnceLock<Result<Arc<ClientConfig>>>,
}

impl TlsConnector {
    pub(in crate::http) fn new(settings: &Settings) -> TlsConnector {
        TlsConnector {
            roots: settings.roots.clone(),
            client_cert: settings.client_cert.clone(),
            accept_any: settings.accept_any_certificate,
            verifier: OnceLock::new(),
            anonymous: OnceLock::new(),
            identified: OnceLock::new(),
        }
    }

    fn config(&self, hostname: &str, port: u16) -> Result<Arc<ClientConfig>> {
        if self.client_cert.is_for(hostname, port) {
            let build = || self.build(Some(self.client_cert.load()?));
            self.identified.get_or_init(build).clone()
        } else {
            self.anonymous.get_or_init(|| self.build(None)).clone()
        }
    }

    fn build(&self, identity: Option<Identity>) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = || {
            let verifier = NamingVerifier::new(roots::load(&self.roots)?, &provider);
            Ok(Arc::new(verifier.map_err(|cause| {
                Error::new(Kind::Other, "cannot set up TLS").because(cause)
            })?))
        };
        let verifier: Arc<dyn ServerCertVerifier> = match self.accept_any {
            true => Arc::new(AnyCertificate::new(&provider)),
            false => self.verifier.get_or_init(verifier).clone()?,
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::new(Kind::Other, "cannot set up TLS").because(cause))?
            // Named dangerous for those who would not verify; this one does.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config =
            match identity {
                None => builder.with_no_client_auth(),
                Some((certificates, key)) => builder
                    .with_client_auth_cert(certificates, key)
                    .map_err(|cause| {
                        Error::new(Kind::Input, "cannot use the client certificate").because(cause)
                    })?,
            };
        Ok(Arc::new(config))
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
        let host = plain_host(details.uri);
        let config = self
            .config(host, details.uri.port_u16().unwrap_or(443))
            .map_err(|error| ureq::Error::Other(Box::new(error)))?;
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
pub(in crate::http) struct TlsTransport {
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
                // such an end; in TLS the two differ.
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
