//! The checksum database as a witness: what was kept of it, proven, and nothing asked.

use std::sync::Arc;

use crate::error::{Error, Kind};
use crate::gomod::{H1, ModuleVersion, PrefixPatterns, TOOLCHAIN};
use crate::sumdb;
use crate::trust::SumPart;

/// A checksum database that answers from cached files only.
#[derive(Clone, Debug)]
pub struct DatabaseProof {
    /// Its client.
    pub client: Arc<sumdb::SumDbClient>,
    /// GONOSUMDB: modules it is not asked about.
    pub exempt: PrefixPatterns,
}

/// What the database has to say about a module.
#[derive(Debug)]
pub(super) enum DatabaseSums {
    /// The database is not asked, or the module is exempt.
    Unasked,
    /// Nothing of it is in the cache.
    Unknown,
    /// These are the sums of zip and go.mod.
    Sums {
        zip: Vec<String>,
        gomod: Vec<String>,
    },
    /// What is in the cache proves nothing.
    Refused(Error),
}

impl DatabaseSums {
    pub(super) fn ask(proof: Option<&DatabaseProof>, module: &ModuleVersion) -> DatabaseSums {
        let Some(proof) = proof else {
            return DatabaseSums::Unasked;
        };
        let path = module.path().as_str();
        // go.sum cannot vouch for a toolchain, so nothing exempts one.
        if path != TOOLCHAIN && proof.exempt.matches(path) {
            return DatabaseSums::Unasked;
        }
        let sums = match proof.client.lookup(module) {
            Ok(sums) => sums,
            Err(error) if error.kind() == Kind::Offline => return DatabaseSums::Unknown,
            Err(error) => return DatabaseSums::Refused(error),
        };
        let of = |part: SumPart| -> Vec<String> {
            let key = part.version_key(module);
            let sums = sums.of(path, &key).filter(|sum| sum.starts_with("h1:"));
            sums.map(str::to_owned).collect()
        };
        let (zip, gomod) = (of(SumPart::Zip), of(SumPart::GoMod));
        if zip.is_empty() && gomod.is_empty() {
            // True, and logged, but about another module: two files were exchanged.
            let text = "checksum missing from sumdb response";
            return DatabaseSums::Refused(Error::new(Kind::Security, text));
        }
        DatabaseSums::Sums { zip, gomod }
    }

    /// The sums of the zip; none if the database says nothing.
    pub(super) fn zip(&self) -> &[String] {
        match self {
            DatabaseSums::Sums { zip, .. } => zip,
            _ => &[],
        }
    }

    /// The sums of the go.mod.
    pub(super) fn gomod(&self) -> &[String] {
        match self {
            DatabaseSums::Sums { gomod, .. } => gomod,
            _ => &[],
        }
    }
}

/// True if one of the sums is this one.
pub(super) fn has(sums: &[String], h1: &H1) -> bool {
    sums.iter().any(|sum| sum == h1.as_str())
}
