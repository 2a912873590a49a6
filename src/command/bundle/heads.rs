//! Signed heads that are named on the command line: files of their own, or those in bundles.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read as _};

use super::{from_current_directory, module_name};
use crate::bundle::{BundleHead, MANIFEST_NAME, Manifest, read_manifest_and_head};
use crate::error::{Error, Kind, Result};
use crate::fsio::read_whole;
use crate::sumdb::note::NoteVerifier;
use crate::sumdb::tlog::LogTree;

/// The first line of a signed head.
const HEAD: &[u8] = b"go.sum database tree\n";

/// What a file says about the past of a database.
#[derive(Debug)]
pub(super) struct PastHead {
    /// The head, whose signature was checked; `None` for a bundle without a database.
    pub(super) head: Option<BundleHead>,
    /// The manifest, if the file is a bundle.
    pub(super) manifest: Option<Manifest>,
}

/// Reads a signed head, or the beginning of a bundle.
///
/// # Errors
/// [`Kind::Security`] for another signature than the key's; [`Kind::Input`] for a file that is
/// neither; [`Kind::LocalIo`].
pub(super) fn read_past(file: &str, verifier: Option<&NoteVerifier>) -> Result<PastHead> {
    let path = from_current_directory(file)?;
    let cannot_read = |cause| Error::io("cannot read", &path, cause);
    let mut start = [0; HEAD.len()];
    let opened = File::open(&path).map_err(cannot_read)?;
    let read = opened.take(HEAD.len() as u64).read(&mut start);
    let is_head = read.map_err(cannot_read)? == HEAD.len() && start == HEAD;
    let (manifest, note) = if is_head {
        (None, Some(read_whole(&path).map_err(cannot_read)?))
    } else {
        let opened = File::open(&path).map_err(cannot_read)?;
        let (manifest, note) = read_manifest_and_head(BufReader::new(opened)).map_err(|error| {
            let text = format!("{file}: neither a signed tree head nor a bundle ({MANIFEST_NAME})");
            Error::new(Kind::Input, text).because(error)
        })?;
        (Some(manifest), note)
    };
    let head = match (note, verifier) {
        (Some(note), Some(verifier)) => Some(open_head(note, verifier, file)?),
        _ => None,
    };
    Ok(PastHead { head, manifest })
}

/// The modules that a list or an earlier bundle names, by the names that `bundle list` prints.
///
/// # Errors
/// [`Kind::Input`] for a line of another form; [`Kind::LocalIo`].
pub(super) fn read_names(file: &str, manifest: Option<&Manifest>) -> Result<BTreeSet<String>> {
    if let Some(manifest) = manifest {
        return Ok(manifest.modules.iter().map(module_name).collect());
    }
    let path = from_current_directory(file)?;
    let text = read_whole(&path).map_err(|cause| Error::io("cannot read", &path, cause))?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(
            |(number, line)| match line.contains('@') && !line.contains(char::is_whitespace) {
                true => Ok(line.to_owned()),
                false => {
                    let text = format!("{file}:{}: not a path@version: {line:?}", number + 1);
                    Err(Error::new(Kind::Input, text))
                }
            },
        )
        .collect()
}

/// Checks the signature of a head; `file` names where it is from.
///
/// # Errors
/// [`Kind::Security`].
pub(super) fn open_head(note: Vec<u8>, verifier: &NoteVerifier, file: &str) -> Result<BundleHead> {
    let refuse = |why: &dyn std::fmt::Display| Error::new(Kind::Security, format!("{file}: {why}"));
    let text = verifier.open(&note).map_err(|why| refuse(&why))?;
    let tree = LogTree::parse(text).map_err(|why| refuse(&why))?;
    Ok(BundleHead { note, tree })
}
