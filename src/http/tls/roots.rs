//! Which certificate authorities are trusted.
//!
//! As Go's `crypto/x509` does on Unix: the first readable file of a list and every file in a
//! list of directories; SSL_CERT_FILE replaces the first list, SSL_CERT_DIR (separated by
//! colons) the second. What `--cacert` names is added to whatever these give: an authority of a
//! company is commonly needed beside the public ones. Two differences, both because silence is worse here:
//! - a file that SSL_CERT_FILE names and that cannot be read is an error, where Go continues with
//!   the directories; so are variables that lead to no certificate at all;
//! - where neither variable is set and the system has no certificates (`FROM scratch`), the
//!   Mozilla roots built into the program serve.
//!
//! Source: golang/go `crypto/x509/root_unix.go` and `root_linux.go`.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::{Error, Kind, Result};

/// Where the trusted certificates come from, if not from the system's own places.
#[derive(Clone, Debug, Default)]
pub struct RootSettings {
    /// SSL_CERT_FILE; `None` if unset or empty.
    pub cert_file: Option<PathBuf>,
    /// The directories of SSL_CERT_DIR; `None` if unset or empty.
    pub cert_dir: Option<Vec<PathBuf>>,
    /// A PEM file of further authorities, which must exist.
    pub added: Option<PathBuf>,
}

/// The first that can be read is used.
const FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// All are read.
const DIRECTORIES: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// Loads the roots.
///
/// # Errors
/// [`Kind::Input`], naming the variable that led nowhere.
pub(super) fn load(settings: &RootSettings) -> Result<RootCertStore> {
    let mut store = load_usual(settings)?;
    if let Some(file) = &settings.added {
        let about = || format!("certificate authorities in {}", file.display());
        let pem = fs::read(file).map_err(|cause| {
            Error::new(Kind::Input, format!("cannot read {}", about())).because(cause)
        })?;
        let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
        let (added, _) = store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(Error::new(Kind::Input, format!("no {}", about())));
        }
    }
    Ok(store)
}

fn load_usual(settings: &RootSettings) -> Result<RootCertStore> {
    let mut found = CollectedRoots::default();
    match &settings.cert_file {
        Some(file) => {
            let pem = fs::read(file).map_err(|cause| {
                let named = format!("SSL_CERT_FILE: cannot read {}", file.display());
                Error::new(Kind::Input, named).because(cause)
            })?;
            found.add(&pem);
        }
        None => {
            if let Some(pem) = FILES.iter().find_map(|file| fs::read(file).ok()) {
                found.add(&pem);
            }
        }
    }
    match &settings.cert_dir {
        Some(dirs) => dirs.iter().for_each(|dir| found.add_directory(dir)),
        None => DIRECTORIES
            .iter()
            .for_each(|dir| found.add_directory(Path::new(dir))),
    }
    if !found.store.is_empty() {
        return Ok(found.store);
    }
    match (&settings.cert_file, &settings.cert_dir) {
        (Some(file), _) => Err(Error::new(
            Kind::Input,
            format!("SSL_CERT_FILE: no certificate in {}", file.display()),
        )),
        (None, Some(dirs)) => {
            let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
            let named = format!("SSL_CERT_DIR: no certificate in {}", dirs.join(":"));
            Err(Error::new(Kind::Input, named))
        }
        (None, None) => Ok(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        }),
    }
}

struct CollectedRoots {
    store: RootCertStore,
    /// A system's bundle and its directory hold each certificate two or three times.
    seen: HashSet<Vec<u8>>,
}

impl Default for CollectedRoots {
    fn default() -> CollectedRoots {
        CollectedRoots {
            store: RootCertStore::empty(),
            seen: HashSet::new(),
        }
    }
}

impl CollectedRoots {
    /// Adds what is usable; like Go, passes over everything else.
    fn add(&mut self, pem: &[u8]) {
        for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
            if self.seen.insert(certificate.to_vec()) {
                let _ = self.store.add(certificate);
            }
        }
    }

    fn add_directory(&mut self, directory: &Path) {
        let Ok(entries) = fs::read_dir(directory) else {
            return;
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            // Links within the directory are second names (c_rehash makes one per certificate).
            let second_name =
                fs::read_link(&path).is_ok_and(|target| !target.to_string_lossy().contains('/'));
            if !second_name
                && path.is_file()
                && let Ok(pem) = fs::read(&path)
            {
                self.add(&pem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(name: &str) -> String {
        rcgen::generate_simple_self_signed(vec![name.to_owned()])
            .unwrap()
            .cert
            .pem()
    }

    fn from(file: Option<&Path>, dirs: &[&Path]) -> Result<usize> {
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        load(&RootSettings {
            cert_file: file.map(Path::to_path_buf),
            cert_dir: (!dirs.is_empty()).then(|| dirs.iter().map(PathBuf::from).collect()),
            added: None,
        })
        .map(|store| store.len())
    }

    #[test]
    fn files_and_directories_add_up_without_doubles() {
        let temp = tempfile::tempdir().unwrap();
        let (one, two) = (temp.path().join("one"), temp.path().join("two"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        let shared = pem("shared");
        let file = temp.path().join("bundle.pem");
        fs::write(&file, format!("# text\n{shared}{}", pem("only-in-file"))).unwrap();
        fs::write(one.join("a.pem"), &shared).unwrap();
        fs::write(one.join("junk"), "-----BEGIN CERTIFICATE-----\nzz\n").unwrap();
        fs::write(two.join("b.pem"), pem("b")).unwrap();
        assert_eq!(from(Some(&file), &[&one, &two]).unwrap(), 3);
        assert!(from(None, &[&two]).unwrap() >= 1);
    }

    #[test]
    fn variables_that_lead_nowhere_are_named() {
        let temp = tempfile::tempdir().unwrap();
        let missing = temp.path().join("missing");
        let empty = temp.path().join("empty.pem");
        fs::write(&empty, "nothing").unwrap();
        let text = |result: Result<usize>| {
            result
                .unwrap_err()
                .chain()
                .replace(&temp.path().display().to_string(), "TMP")
        };
        assert_eq!(
            text(from(Some(&missing), &[])),
            "SSL_CERT_FILE: cannot read TMP/missing: no such file or directory"
        );
        assert_eq!(
            text(from(Some(&empty), &[&missing])),
            "SSL_CERT_FILE: no certificate in TMP/empty.pem"
        );
        // Only where the usual bundle is absent does SSL_CERT_DIR alone lead nowhere.
        if !FILES.iter().any(|file| Path::new(file).exists()) {
            assert_eq!(
                text(from(None, &[&missing])),
                "SSL_CERT_DIR: no certificate in TMP/missing"
            );
        }
    }

    #[test]
    fn a_file_of_further_authorities_is_added_to_all_others() {
        let temp = tempfile::tempdir().unwrap();
        let (file, added) = (temp.path().join("file"), temp.path().join("added"));
        fs::write(&file, pem("a")).unwrap();
        fs::write(&added, format!("{}{}", pem("b"), pem("c"))).unwrap();
        let with = |cert_file: Option<&PathBuf>, added: PathBuf| {
            let loaded = load(&RootSettings {
                cert_file: cert_file.cloned(),
                cert_dir: cert_file.map(|_| vec!["/nonexistent".into()]),
                added: Some(added),
            });
            loaded
                .map(|store| store.len())
                .map_err(|error| error.chain())
        };
        assert_eq!(with(Some(&file), added.clone()), Ok(3));
        assert!(with(None, added).unwrap() > 10);
        let missing = with(None, "/nonexistent.pem".into()).unwrap_err();
        assert_eq!(
            missing,
            "cannot read certificate authorities in /nonexistent.pem: no such file or directory"
        );
        let empty = with(None, "/dev/null".into()).unwrap_err();
        assert_eq!(empty, "no certificate authorities in /dev/null");
    }

    #[test]
    fn there_are_always_roots() {
        assert!(from(None, &[]).unwrap() > 10);
    }
}
