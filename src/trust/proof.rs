//! What the checksum database has to say about a sum, in go's words where it disagrees.

use std::sync::Arc;

use super::policy::{SumPart, SumSettings};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{H1, ModuleVersion};
use crate::sumdb;

/// The checksum database that proves what go.sum does not know.
#[derive(Clone, Debug)]
pub enum Database {
    /// GOSUMDB is `off`: nothing needs proof.
    Off,
    /// It can be asked.
    Client(Arc<sumdb::SumDbClient>),
    /// GOSUMDB cannot be understood, for this reason; what needs proof is refused.
    Invalid(Error),
}

/// What the database says of one part of a module version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logged {
    /// It has logged this sum, which was proven.
    Sum(H1),
    /// It was not asked: GONOSUMDB or GOPRIVATE matches.
    Exempt,
    /// There is none: GOSUMDB is `off`.
    Off,
}

impl Logged {
    /// Asks `prover`, where there is one.
    pub(super) fn ask(
        prover: Option<&sumdb::SumDbClient>,
        settings: &SumSettings,
        module: &ModuleVersion,
        part: SumPart,
    ) -> Result<Logged> {
        let Some(database) = prover else {
            return Ok(match settings.database {
                Database::Off => Logged::Off,
                Database::Client(_) | Database::Invalid(_) => Logged::Exempt,
            });
        };
        match first_h1(database, module, part)? {
            Some(sum) => H1::parse(&sum).map(Logged::Sum),
            None => Err(absent(module, part)),
        }
    }
}

/// Compares a hash with the one that the database has logged.
pub(super) fn compare(
    database: &sumdb::SumDbClient,
    module: &ModuleVersion,
    part: SumPart,
    h1: &H1,
) -> Result<()> {
    match first_h1(database, module, part)? {
        Some(sum) if sum == h1.as_str() => Ok(()),
        Some(sum) => {
            let (name, noun) = (database.name(), part.noun());
            let text = format!(
                "verifying {noun}: checksum mismatch\n\tdownloaded: {h1}\n\t{name}: \
                 {sum}{DATABASE_MISMATCH}"
            );
            Err(Error::new(Kind::Security, text).about(module))
        }
        None => Err(absent(module, part)),
    }
}

/// The first `h1:` that is logged. As go: a line that follows another hash is not looked at.
fn first_h1(
    database: &sumdb::SumDbClient,
    module: &ModuleVersion,
    part: SumPart,
) -> Result<Option<String>> {
    let sums = database
        .lookup(module)
        .map_err(|error| unanswered(module, part, error))?;
    let key = part.version_key(module);
    let mut sums = sums.of(module.path().as_str(), &key);
    let found = sums.find(|sum| sum.starts_with("h1:"));
    Ok(found.map(str::to_owned))
}

fn absent(module: &ModuleVersion, part: SumPart) -> Error {
    let noun = part.noun();
    let text = format!("verifying {noun}: checksum missing from sumdb response{DATABASE_ABSENT}");
    Error::new(Kind::Security, text).about(module)
}

/// What go adds where go.sum has a module in no algorithm that is known.
pub(super) const UNKNOWN_HASH: &str = "

SECURITY WARNING
This download is listed in go.sum, but using an unknown hash algorithm.
The download cannot be verified.

For more information, see 'go help module-auth'.
";

/// What follows a hash that the database does not confirm, as scripts and people know it from go.
const DATABASE_MISMATCH: &str = "

SECURITY ERROR
This download does NOT match the one reported by the checksum server.
The bits may have been replaced on the origin server, or an attacker may
have intercepted the download attempt.

For more information, see 'go help module-auth'.
";

/// What follows a response without the line that was asked for.
const DATABASE_ABSENT: &str = "

SECURITY ERROR
This download does NOT match one reported by the checksum server.
The checksum server has provided checksums, but the checksums do
not contain an entry for the download.
The checksum server may be malfunctioning, or an attacker may have
intercepted the checksum request.
The download cannot be verified.

For more information, see 'go help module-auth'.
";

/// Names what could not be proven, twice, as go does.
pub(super) fn unanswered(module: &ModuleVersion, part: SumPart, error: Error) -> Error {
    let (path, key, noun) = (module.path(), part.version_key(module), part.noun());
    error
        .about(Subject::version(path, key))
        .context(format!("verifying {noun}"))
        .about(module)
}
