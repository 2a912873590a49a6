//! `@v/list`: the versions of a module that have a `.mod` here, one a line, in version order.
//!
//! The file is edited in place under its own lock, because `go` locks the very file it edits: a
//! rename would leave a waiting `go` with the lock of a file that is gone.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::fsio::FileLock;
use crate::gomod;
use crate::layout::LIST;
use crate::system::FileAt as _;

/// Adds VERSION to `DIR/list`, DIR being the `@v` directory of a module and `lock` the lock of
/// that file. The caller puts its `.mod` there next, under the same lock.
///
/// In this order, a run that is killed in between leaves a version whose `.mod` is missing: the
/// next run sees that and makes both good. In the other order no run would look at the list
/// again.
///
/// Versions are listed as their file names have them, so an escaped one (`v1.0.0-!r!c1`), which
/// is not a canonical version in that form, is left out: go does the same.
///
/// # Errors
/// [`crate::Kind::LocalIo`], naming the file.
pub(super) fn add(lock: &mut FileLock, dir: &Path, version: &str) -> Result<()> {
    write(lock, dir, &list_of(dir, Some(version))?)
}

/// Makes `DIR/list` hold the versions that have a `.mod`.
///
/// # Errors
/// [`crate::Kind::LocalIo`], naming the file.
pub(super) fn refresh(lock: &mut FileLock, dir: &Path) -> Result<()> {
    write(lock, dir, &list_of(dir, None)?)
}

fn write(lock: &mut FileLock, dir: &Path, wanted: &str) -> Result<()> {
    let failed = |verb: &str, cause| Error::io(verb, &dir.join(LIST), cause);
    let mut present = Vec::new();
    lock.file()
        .read_to_end(&mut present)
        .map_err(|cause| failed("cannot read", cause))?;
    if present != wanted.as_bytes() {
        // Never emptied first: killed in between, the old list or the new one is whole.
        let file: &fs::File = lock.file();
        let written = file.write_all_at(wanted.as_bytes(), 0);
        written
            .and_then(|()| file.set_len(wanted.len() as u64))
            .map_err(|cause| failed("cannot write", cause))?;
    }
    Ok(())
}

fn list_of(dir: &Path, added: Option<&str>) -> Result<String> {
    let unreadable = |cause| Error::io("cannot read directory", dir, cause);
    let mut versions = Vec::new();
    let mut add = |version: &str| {
        if gomod::canonical(version).as_deref() == Some(version) {
            versions.push(version.to_owned());
        }
    };
    added.into_iter().for_each(&mut add);
    for found in fs::read_dir(dir).map_err(unreadable)? {
        let name = found.map_err(unreadable)?.file_name();
        if let Some(version) = name.to_str().and_then(|name| name.strip_suffix(".mod"))
            && Some(version) != added
        {
            add(version);
        }
    }
    versions.sort_by(|a, b| gomod::compare(a, b).then_with(|| a.cmp(b)));
    Ok(versions.into_iter().map(|version| version + "\n").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_canonical_versions_with_a_mod_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "v1.10.0.mod",
            "v1.2.0.mod",
            "v1.2.0.zip",
            "v1.9.0.info",
            "v1.0.0-!r!c1.mod",
            "v1.2.0-pre.mod",
            "v2.0.0+incompatible.mod",
            "v1.3.mod",
            "list",
        ] {
            fs::write(
                dir.path().join(name),
                "stale and longer than what replaces it\n",
            )
            .unwrap();
        }
        let added = |version: &str| {
            let mut lock = FileLock::acquire(&dir.path().join("list")).unwrap();
            add(&mut lock, dir.path(), version).unwrap();
        };
        added("v1.3.0");
        let list = || fs::read_to_string(dir.path().join("list")).unwrap();
        let with_it = "v1.2.0-pre\nv1.2.0\nv1.3.0\nv1.10.0\nv2.0.0+incompatible\n";
        assert_eq!(list(), with_it);
        // Killed before its .mod appeared: the next one that is added puts the list right.
        added("v1.0.0-!x");
        assert_eq!(list(), with_it.replace("v1.3.0\n", ""));
    }
}
