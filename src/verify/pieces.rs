//! Reading the pieces of a module version: what they are, not yet what that means.

use std::fs::File;
use std::io;

use crate::cache::{CacheEntry, Extracted, RecordedHash};
use crate::error::{Error, Result};
use crate::gomod::H1;
use crate::modzip::{Contents, ModuleZip, dir_contents};

/// A zip or a directory.
#[derive(Debug)]
pub(super) enum ModuleCopy {
    /// It is not there, or not finished.
    Absent,
    /// It cannot be read, or is none.
    Broken(Error),
    /// What it consists of.
    Whole(H1, Contents),
}

impl ModuleCopy {
    pub(super) fn h1(&self) -> Option<&H1> {
        match self {
            ModuleCopy::Whole(h1, _) => Some(h1),
            ModuleCopy::Absent | ModuleCopy::Broken(_) => None,
        }
    }

    pub(super) fn contents(&self) -> Option<&Contents> {
        match self {
            ModuleCopy::Whole(_, contents) => Some(contents),
            ModuleCopy::Absent | ModuleCopy::Broken(_) => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, ModuleCopy::Absent)
    }

    fn of(result: Result<Contents>) -> ModuleCopy {
        match result {
            Ok(contents) => ModuleCopy::Whole(contents.h1(), contents),
            Err(error) => ModuleCopy::Broken(error),
        }
    }
}

/// All that the cache has of a module version.
#[derive(Debug)]
pub(super) struct CachedPieces {
    pub(super) recorded: RecordedHash,
    pub(super) zip: ModuleCopy,
    pub(super) dir: ModuleCopy,
    pub(super) extracted: Extracted,
    /// The h1 of the go.mod.
    pub(super) gomod: Option<H1>,
}

/// go.mod files that `vgo` made up, before Go had modules; `go` ignores them too.
const VGO_PREFIX: &[u8] = b"//vgo 0.0.";

impl CachedPieces {
    /// Reads every file of every piece once.
    pub(super) fn read(entry: &CacheEntry) -> Result<CachedPieces> {
        let gomod = entry.read_gomod()?;
        let gomod = gomod.filter(|data| !data.starts_with(VGO_PREFIX));
        let recorded = entry.recorded()?;
        let mut extracted = entry.extracted();
        let (zip, mut dir) = read_copies(entry, extracted);
        let differs = dir
            .h1()
            .is_none_or(|h1| recorded != RecordedHash::Sum(h1.clone()));
        if differs && extracted == Extracted::Whole {
            // Another process may have begun to make it again, or to remove it.
            extracted = entry.extracted();
            if extracted != Extracted::Whole {
                dir = read_directory(entry, extracted);
            }
        }
        Ok(CachedPieces {
            recorded,
            zip,
            dir,
            extracted,
            gomod: gomod.map(|data| H1::of_go_mod(&data)),
        })
    }
}

/// Zip and directory, side by side where both are there.
fn read_copies(entry: &CacheEntry, extracted: Extracted) -> (ModuleCopy, ModuleCopy) {
    let path = entry.zip_path();
    let zip = match File::open(&path) {
        Ok(file) => ModuleZip::open(file, entry.module()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return (ModuleCopy::Absent, read_directory(entry, extracted));
        }
        Err(cause) => Err(Error::io("open", &path, cause)),
    };
    let copies = zip.and_then(|zip| match extracted {
        Extracted::Whole => {
            let (zip, dir) = zip.contents_beside(entry.directory())?;
            Ok((zip, ModuleCopy::of(dir)))
        }
        _ => Ok((zip.contents()?, read_directory(entry, extracted))),
    });
    match copies {
        Ok((zip, dir)) => (ModuleCopy::of(Ok(zip)), dir),
        Err(error) => (ModuleCopy::Broken(error), read_directory(entry, extracted)),
    }
}

fn read_directory(entry: &CacheEntry, extracted: Extracted) -> ModuleCopy {
    match extracted {
        Extracted::Absent | Extracted::Unfinished => ModuleCopy::Absent,
        Extracted::Whole | Extracted::Other => {
            ModuleCopy::of(dir_contents(entry.directory(), entry.module()))
        }
    }
}
