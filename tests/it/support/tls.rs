//! TLS for the scripted proxy: an authority of its own and a certificate for 127.0.0.1.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::serving::Connection;

/// Turns accepted connections into TLS ones.
pub struct Acceptor(Arc<ServerConfig>);

impl Acceptor {
    /// Makes an authority and a certificate; the PEM text is the authority's certificate.
    pub fn new() -> (Acceptor, String) {
        Acceptor::for_names(&["127.0.0.1", "localhost"])
    }

    /// As [`Acceptor::new`], for a server of these names.
    pub fn for_names(names: &[&str]) -> (Acceptor, String) {
        let mut params = CertificateParams::new(Vec::new()).expect("no names, none malformed");
        // OpenSSL takes a certificate that has the name of its authority for one without authority.
        params
            .distinguished_name
            .push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().expect("keys can be made");
        let ca = params
            .self_signed(&ca_key)
            .expect("an authority signs itself");
        let issuer = Issuer::new(params, ca_key);

        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let leaf_params = CertificateParams::new(names).expect("the names are well formed");
        let leaf_key = KeyPair::generate().expect("keys can be made");
        let leaf = leaf_params
            .signed_by(&leaf_key, &issuer)
            .expect("the authority signs");

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .expect("key and certificate belong together");
        (Acceptor(Arc::new(config)), ca.pem())
    }

    /// Starts TLS; the handshake happens at the first read.
    pub fn accept(&self, stream: TcpStream) -> io::Result<TlsStream> {
        let session = ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)?;
        Ok(TlsStream(StreamOwned::new(session, stream)))
    }
}

/// The server's end of a TLS connection.
pub struct TlsStream(StreamOwned<ServerConnection, TcpStream>);

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Connection for TlsStream {
    fn socket(&self) -> &TcpStream {
        self.0.get_ref()
    }
}
