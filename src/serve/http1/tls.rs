//! The certificate of the server, and whose certificates clients need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Kind, Result};

/// Files of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate chain, the server's own first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of client certificates; without them, clients need none.
    pub client_ca: Option<PathBuf>,
}

/// Reads the files.
///
/// # Errors
/// [`Kind::LocalIo`] if a file cannot be read; [`Kind::Input`] if its content does not fit.
pub fn load_tls(settings: &TlsSettings) -> Result<Arc<ServerConfig>> {
    let chain = certificates(&settings.cert)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|cause| bad_pem(&settings.key, "private key", cause))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::new(Kind::Other, "TLS cannot be set up").because(cause))?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|cause| unfit(file, cause))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|cause| unfit(file, cause))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|cause| unfit(&settings.cert, cause))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|cause| bad_pem(path, "certificate", cause))?;
    match found.is_empty() {
        true => Err(Error::new(
            Kind::Input,
            format!("{}: no certificate in it", path.display()),
        )),
        false => Ok(found),
    }
}

fn bad_pem(path: &Path, what: &str, cause: rustls_pki_types::pem::Error) -> Error {
    match cause {
        rustls_pki_types::pem::Error::Io(cause) => Error::io("cannot read", path, cause),
        cause => {
            let text = format!("{}: no {what} in PEM in it", path.display());
            Error::new(Kind::Input, text).because(cause)
        }
    }
}

fn unfit(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Input, format!("{}: cannot be used", path.display())).because(cause)
}
