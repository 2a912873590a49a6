//! Signed heads that are named on the command line: files of their own, or those in bundles.

use std::fs::File;
use std::io::{BufReader, Read as _};

use super::from_current_directory;
use crate::bundle::{BundleHead, MANIFEST_NAME, Manifest, read_manifest_and_head};
use crate::error::{Error, Kind, Result};
use crate::fsio::read_whole;
use crate::sumdb::note::Verifier;
use crate::sumdb::tlog::Tree;

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
pub(super) fn read_past(file: &str, verifier: Option<&Verifier>) -> Result<PastHead> {
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
        (Some(note), Some(verifier)) => Some(open(note, verifier, file)?),
        _ => None,
    };
    Ok(PastHead { head, manifest })
}

fn open(note: Vec<u8>, verifier: &Verifier, file: &str) -> Result<BundleHead> {
    let refuse = |why: &dyn std::fmt::Display| Error::new(Kind::Security, format!("{file}: {why}"));
    let text = verifier.open(&note).map_err(|why| refuse(&why))?;
    let tree = Tree::parse(text).map_err(|why| refuse(&why))?;
    Ok(BundleHead { note, tree })
}
