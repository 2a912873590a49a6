//! Certificates of servers that are not believed, and why, in words.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::issuer::unknown_issuer;
use crate::http::text::harmless;

/// As many names of a certificate are shown.
const MAX_NAMES: usize = 3;

/// Verifies as rustls does. Of a certificate whose authority is not known, the error says who
/// that authority is, which rustls's does not.
#[derive(Debug)]
pub(super) struct NamingVerifier(pub(super) Arc<WebPkiServerVerifier>);

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
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
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
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
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
    const AUTHORITY: &str = "give the server one without CA:TRUE, or one that the authority has \
                             signed: trusting this one with --cacert is not enough here";
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
            if words == "CaUsedAsEndEntity" {
                let text = "x509: it is the certificate of an authority, not of a server";
                return (text.to_owned(), Some(AUTHORITY));
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
    fn the_certificate_of_an_authority_is_told_as_that() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["b.com".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let made = params.self_signed(&key).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = NamingVerifier(verifier.build().unwrap());
        let name = ServerName::try_from("b.com").unwrap();
        let verified = verifier.verify_server_cert(made.der(), &[], &name, &[], UnixTime::now());
        let Err(rustls::Error::InvalidCertificate(cause)) = verified else {
            panic!("{verified:?}");
        };
        let (text, hint) = explain(&cause, "b.com");
        assert_eq!(
            text,
            "x509: it is the certificate of an authority, not of a server"
        );
        // It is trusted already.
        assert!(hint.unwrap().contains("CA:TRUE"));
    }
}
