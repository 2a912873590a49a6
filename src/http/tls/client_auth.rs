//! Our own certificate, for servers that ask for one.
//!
//! It is a credential, so it goes to the servers it is meant for: those that the user's settings
//! name, by host and port. Where a redirect leads elsewhere, and an HTTP proxy, get none.

use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Kind, Result};
use crate::http::url::Url;

/// Where our certificate is, and who gets to see it.
#[derive(Clone, Debug, Default)]
pub struct ClientCertSettings {
    /// A PEM file with the certificate, those that lead from it to an authority, and its key
    /// unless `key` is given.
    pub cert: Option<PathBuf>,
    /// A PEM file with the key.
    pub key: Option<PathBuf>,
    /// The servers that may ask for it; of these URLs only host and port count.
    pub hosts: Vec<Url>,
}

/// Certificates, our own first, and the key of that one.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl ClientCertSettings {
    /// True if there is a certificate, and this server may see it.
    pub(super) fn is_for(&self, hostname: &str, port: u16) -> bool {
        (self.cert.is_some() || self.key.is_some())
            && self
                .hosts
                .iter()
                .any(|url| url.port() == port && url.hostname().eq_ignore_ascii_case(hostname))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`Kind::Input`], naming the file; [`Kind::Usage`] for a key without certificate.
    pub(super) fn load(&self) -> Result<Identity> {
        let Some(cert) = &self.cert else {
            return Err(Error::new(
                Kind::Usage,
                "--client-key is given without --client-cert",
            ));
        };
        let pem = read("client certificate", cert)?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem).flatten().collect();
        if certificates.is_empty() {
            let text = format!("no client certificate in {}", cert.display());
            return Err(Error::new(Kind::Input, text));
        }
        let (file, pem) = match &self.key {
            Some(key) => (key, read("key of the client certificate", key)?),
            None => (cert, pem),
        };
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            let text = format!("no key of the client certificate in {}", file.display());
            Error::new(Kind::Input, text)
                .hint("it must be PEM, not encrypted; --client-key names a file of its own")
        })?;
        Ok((certificates, key))
    }
}

fn read(what: &str, file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|cause| {
        Error::new(
            Kind::Input,
            format!("cannot read {what} {}", file.display()),
        )
        .because(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_servers_see_it() {
        let settings = ClientCertSettings {
            cert: Some("c".into()),
            key: None,
            hosts: ["https://A.com/x", "https://b.com:8443"]
                .map(|text| Url::parse(text).unwrap())
                .to_vec(),
        };
        for (host, port, want) in [
            ("a.com", 443, true),
            ("a.com", 8443, false),
            ("b.com", 8443, true),
            ("sub.a.com", 443, false),
        ] {
            assert_eq!(settings.is_for(host, port), want, "{host}:{port}");
        }
        assert!(!ClientCertSettings::default().is_for("a.com", 443));
    }

    #[test]
    fn files_that_do_not_do_are_named() {
        let temp = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
        let write = |name: &str, text: &str| {
            let path = temp.path().join(name);
            fs::write(&path, text).unwrap();
            Some(path)
        };
        let cert = write("cert", &made.cert.pem());
        let key = write("key", &made.signing_key.serialize_pem());
        let both = write(
            "both",
            &(made.signing_key.serialize_pem() + &made.cert.pem()),
        );
        let missing = Some(temp.path().join("missing"));
        let load = |cert: &Option<PathBuf>, key: &Option<PathBuf>| {
            let settings = ClientCertSettings {
                cert: cert.clone(),
                key: key.clone(),
                hosts: Vec::new(),
            };
            let loaded = settings.load().map(|(certificates, _)| certificates.len());
            let dir = temp.path().display().to_string();
            loaded.map_err(|error| error.chain().replace(&dir, "TMP"))
        };
        assert_eq!(load(&cert, &key), Ok(1));
        assert_eq!(load(&both, &None), Ok(1));
        let refused = |text: &str| Err(text.to_owned());
        assert_eq!(
            load(&cert, &None),
            refused("no key of the client certificate in TMP/cert")
        );
        assert_eq!(
            load(&key, &key),
            refused("no client certificate in TMP/key")
        );
        assert_eq!(
            load(&missing, &key),
            refused("cannot read client certificate TMP/missing: no such file or directory")
        );
        assert_eq!(
            load(&None, &key),
            refused("--client-key is given without --client-cert")
        );
    }
}
