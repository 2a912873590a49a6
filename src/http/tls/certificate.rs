//! Certificates of servers that are not believed, and why, in words.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::issuer::unknown_issuer;
use crate::http::text::harmless;

/// As many names of a certificate are shown.
const MAX_NAMES: usize = 3;

/// Verifies as rustls does, with two differences. Of a certificate whose authority is not known, the error says who
/// that authority is, which rustls's does not. And the certificate of an authority that is itself trusted may be
/// that of a server, as for Go: `openssl req -x509` marks what it makes as an authority's, and administrators name
/// that one file in SSL_CERT_FILE.
#[derive(Debug)]
pub(super) struct NamingVerifier {
    inner: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
}

impl NamingVerifier {
    /// Believes what these have signed.
    pub(super) fn new(
        roots: RootCertStore,
        provider: &Arc<CryptoProvider>,
    ) -> Result<NamingVerifier, VerifierBuilderError> {
        let roots = Arc::new(roots);
        let (kept, provider) = (Arc::clone(&roots), Arc::clone(provider));
        let inner = WebPkiServerVerifier::builder_with_provider(kept, provider).build()?;
        Ok(NamingVerifier { inner, roots })
    }

    /// True if a certificate has name and key of a trusted authority without constraints. Who shows it has to own
    /// that key.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>) -> bool {
        let mut own = RootCertStore::empty();
        if own.add(certificate.clone().into_owned()).is_err() {
            return false;
        }
        let mut trusted = self.roots.roots.iter();
        own.roots.first().is_some_and(|own| {
            trusted.any(|root| {
                root.subject == own.subject
                    && root.subject_public_key_info == own.subject_public_key_info
                    && root.name_constraints.is_none()
            })
        })
    }
}

/// What rustls says, in words alone, of a certificate that is marked as an authority's. It has looked at the time by
/// then, and at nothing else.
const MARKED_AS_AUTHORITY: &str = "CaUsedAsEndEntity";

fn is_marked_as_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error
    else {
        return false;
    };
    inner.to_string() == MARKED_AS_AUTHORITY
}

/// The reason of an error for a certificate whose authority is not known.
#[derive(Debug)]
struct UnknownIssuer(Option<String>);

impl fmt::Display for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate signed by unknown authority")?;
        match &self.0 {
            Some(name) => write!(f, " {name:?}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownIssuer {}

impl ServerCertVerifier for NamingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        if let Err(error) = &verified
            && is_marked_as_authority(error)
            && self.is_trusted_itself(end_entity)
        {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        verified.map_err(|error| match error {
            // A bad signature is one that another key with the name of a trusted one made.
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => {
                let others = intermediates.iter().map(AsRef::as_ref);
                let unknown = UnknownIssuer(unknown_issuer(end_entity, others));
                CertificateError::Other(OtherError(Arc::new(unknown))).into()
            }
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Says why a certificate is not believed, as Go's `crypto/x509` words it, since scripts look for
/// these, and what may be done about it.
pub(in crate::http) fn explain(
    cause: &CertificateError,
    host: &str,
) -> (String, Option<&'static str>) {
    const TRUST: &str = "to trust another certificate authority, name its PEM file with --cacert \
                         or in SSL_CERT_FILE";
    const CLOCK: &str = "if that cannot be, look at the clock of this machine";
    let outdated = "x509: certificate has expired or is not yet valid";
    match cause {
        CertificateError::Other(OtherError(inner)) if inner.is::<UnknownIssuer>() => {
            let named = "SSL_CERT_FILE or --cacert names those to trust";
            (format!("x509: {inner} ({named})"), Some(TRUST))
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let since = since(*not_after, *time);
            (format!("{outdated}: it expired {since} ago"), Some(CLOCK))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let until = since(*time, *not_before);
            let text = format!("{outdated}: it begins to be valid in {until}");
            (text, Some(CLOCK))
        }
        CertificateError::Expired | CertificateError::NotValidYet => {
            (outdated.to_owned(), Some(CLOCK))
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names = presented.iter().take(MAX_NAMES).map(|name| plain(name));
            let mut names: Vec<String> = names.collect();
            if presented.len() > MAX_NAMES {
                names.push("others".to_owned());
            }
            let names = names.join(", ");
            (
                format!("x509: certificate is valid for {names}, not {host}"),
                None,
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (format!("x509: certificate is not valid for {host}"), None)
        }
        CertificateError::Other(OtherError(inner)) => {
            // The verifier's own words; its type is not ours to name.
            let words = inner.to_string();
            if words == MARKED_AS_AUTHORITY {
                let text =
                    "x509: it is the certificate of an authority, which is not trusted itself";
                return (text.to_owned(), Some(TRUST));
            }
            (format!("x509: {words}"), Some(TRUST))
        }
        other => (format!("x509: {other}"), None),
    }
}

/// `DnsName("a.com")` without the wrapping.
fn plain(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(name);
    harmless(inner.trim_matches('"'))
}

fn since(earlier: UnixTime, later: UnixTime) -> String {
    let passed = later.as_secs().saturating_sub(earlier.as_secs());
    match passed / 86_400 {
        0 => format!("{:?}", Duration::from_secs(passed)),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_plainly() {
        let at = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(days * 86_400));
        let name = ServerName::try_from("b.com").unwrap();
        let names = |names: &[&str]| CertificateError::NotValidForNameContext {
            expected: name.to_owned(),
            presented: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let outdated = "x509: certificate has expired or is not yet valid";
        let rows = [
            (
                CertificateError::ExpiredContext {
                    time: at(1000),
                    not_after: at(970),
                },
                format!("{outdated}: it expired 30 days ago"),
            ),
            (
                CertificateError::NotValidYetContext {
                    time: at(999),
                    not_before: at(1000),
                },
                format!("{outdated}: it begins to be valid in 1 day"),
            ),
            (
                names(&["DnsName(\"a.com\")", "DnsName(\"*.a\u{7}.com\")"]),
                "x509: certificate is valid for a.com, *.a?.com, not b.com".to_owned(),
            ),
            (
                names(&[]),
                "x509: certificate is not valid for b.com".to_owned(),
            ),
        ];
        for (cause, want) in rows {
            assert_eq!(explain(&cause, "b.com").0, want);
        }
    }

    #[test]
    fn the_certificate_of_an_authority_serves_only_if_it_is_trusted_itself() {
        let make = |key: &rcgen::KeyPair| {
            let mut params = rcgen::CertificateParams::new(vec!["b.com".to_owned()]).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params.self_signed(key).unwrap()
        };
        let (key, other) = (
            rcgen::KeyPair::generate().unwrap(),
            rcgen::KeyPair::generate().unwrap(),
        );
        let (made, of_other_key) = (make(&key), make(&other));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verify = |trusted: &rcgen::Certificate, name: &'static str, at: UnixTime| {
            let mut roots = RootCertStore::empty();
            roots.add(trusted.der().clone()).unwrap();
            let verifier = NamingVerifier::new(roots, &provider).unwrap();
            let name = ServerName::try_from(name).unwrap();
            match verifier.verify_server_cert(made.der(), &[], &name, &[], at) {
                Ok(_) => None,
                Err(rustls::Error::InvalidCertificate(cause)) => Some(explain(&cause, "b.com")),
                Err(other) => panic!("{other}"),
            }
        };
        let now = UnixTime::now();
        assert_eq!(verify(&made, "b.com", now), None);
        let (text, hint) = verify(&of_other_key, "b.com", now).unwrap();
        assert_eq!(
            text,
            "x509: it is the certificate of an authority, which is not trusted itself"
        );
        assert!(hint.unwrap().contains("--cacert"));
        let (text, _) = verify(&made, "c.com", now).unwrap();
        assert!(text.contains("not"), "{text}");
        let before = UnixTime::since_unix_epoch(Duration::ZERO);
        let (text, _) = verify(&made, "b.com", before).unwrap();
        assert!(text.contains("not yet valid"), "{text}");
    }
}
