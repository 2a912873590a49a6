//! `@v/list`: the versions of a module that have a `.mod` here, one a line, in version order.
//!
//! The file is edited in place under its own lock, because `go` locks the very file it edits: a
//! rename would leave a waiting `go` with the lock of a file that is gone.

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::lock::FileLock;
use crate::error::{Error, Result};
use crate::module;

/// Rewrites `DIR/list` after a `.mod` was added to DIR, the `@v` directory of a module.
///
/// Versions are listed as their file names have them, so an escaped one (`v1.0.0-!r!c1`), which
/// is not a canonical version in that form, is left out: go does the same.
///
/// # Errors
/// [`crate::Kind::LocalIo`], naming the file.
pub(super) fn rewrite(dir: &Path) -> Result<()> {
    let path = dir.join("list");
    let mut lock = FileLock::acquire(&path)?;
    let wanted = list_of(dir)?;
    let io_error = |verb| {
        let path = &path;
        move |cause: io::Error| Error::io(verb, path, cause)
    };
    let file = lock.file();
    let mut present = Vec::new();
    file.read_to_end(&mut present)
        .map_err(io_error("cannot read"))?;
    if present == wanted.as_bytes() {
        return Ok(());
    }
    // Emptied first and then given its size: a torn write shows as NUL bytes at the end, which
    // no reader takes for a version.
    let edit = |file: &mut fs::File| -> io::Result<()> {
        file.set_len(0)?;
        file.set_len(wanted.len() as u64)?;
        file.rewind()?;
        file.write_all(wanted.as_bytes())
    };
    edit(file).map_err(io_error("cannot write"))
}

fn list_of(dir: &Path) -> Result<String> {
    let unreadable = |cause| Error::io("cannot read directory", dir, cause);
    let mut versions = Vec::new();
    for found in fs::read_dir(dir).map_err(unreadable)? {
        let name = found.map_err(unreadable)?.file_name();
        if let Some(version) = name.to_str().and_then(|name| name.strip_suffix(".mod"))
            && module::canonical(version).as_deref() == Some(version)
        {
            versions.push(version.to_owned());
        }
    }
    versions.sort_by(|a, b| module::compare(a, b).then_with(|| a.cmp(b)));
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
        rewrite(dir.path()).unwrap();
        let list = fs::read_to_string(dir.path().join("list")).unwrap();
        assert_eq!(list, "v1.2.0-pre\nv1.2.0\nv1.10.0\nv2.0.0+incompatible\n");
    }
}
