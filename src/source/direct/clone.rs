//! Where clones are kept: the folders of `cache/vcs`, shared with `go`.
//!
//! A clone of the repository at URL by a kind of program (`git3`, `vcs1.hg`, `vcs1.fossil`) is in
//! the folder that is named by the SHA-256 of `KIND:URL`, in hexadecimal. Beside it are the file
//! `NAME.info`, which says `KIND:URL`, and `NAME.lock`, which is locked while the clone is changed.
//! A folder without its `.info` is the rest of a run that was killed: it is removed and made anew.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/codehost.go`, `WorkDir`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, Locks, beside, create_dir_all};

/// The folder of one clone.
#[derive(Clone, Debug)]
pub(super) struct CloneDir {
    key: String,
    dir: PathBuf,
    locks: Locks,
}

impl CloneDir {
    /// Names the clone of `url` below `vcs`; nothing is touched.
    pub(super) fn new(vcs: &Path, kind: &str, url: &str, locks: Locks) -> CloneDir {
        let key = format!("{kind}:{url}");
        let mut name = String::with_capacity(64);
        for byte in Sha256::digest(&key) {
            let _ = write!(name, "{byte:02x}");
        }
        CloneDir {
            key,
            dir: vcs.join(name),
            locks,
        }
    }

    /// The folder; it may not exist.
    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Locks the clone, waiting for others, and makes the folder if it is not there.
    pub(super) fn lock(&self) -> Result<FileLock> {
        let lock = self.locks.acquire(&beside(&self.dir, ".lock"), None)?;
        self.ensure()?;
        Ok(lock)
    }

    fn ensure(&self) -> Result<()> {
        let info = beside(&self.dir, ".info");
        match fs::read_to_string(&info) {
            Ok(text) if self.dir.is_dir() => {
                let have = text.trim_end_matches('\n');
                if have == self.key {
                    return Ok(());
                }
                let info = info.display();
                let text = format!(
                    "{info} exists with wrong content (have {have:?} want {:?})",
                    self.key
                );
                return Err(Error::new(Kind::LocalIo, text));
            }
            _ => {}
        }
        self.remove()?;
        create_dir_all(&self.dir)?;
        fs::write(&info, &self.key).map_err(|cause| {
            let _ = self.remove();
            Error::io("cannot write", &info, cause)
        })
    }

    /// Removes what is in the folder, and the folder: the next user begins anew.
    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("cannot remove", &self.dir, cause))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_where_go_has_them() {
        let dir = tempfile::tempdir().unwrap();
        let url = "https://github.com/rsc/quote";
        let clone = CloneDir::new(dir.path(), "git3", url, Locks::default());
        // printf git3:https://github.com/rsc/quote | sha256sum
        let name = "5673a25ea375597bb7799aed271d658fc11bcb2aced1a8a5011c001d4c2ead3a";
        assert!(clone.path().ends_with(name));
        drop(clone.lock().unwrap());
        let info = beside(clone.path(), ".info");
        assert_eq!(
            fs::read_to_string(&info).unwrap(),
            "git3:https://github.com/rsc/quote"
        );
        fs::write(clone.path().join("half"), "").unwrap();
        drop(clone.lock().unwrap());
        assert!(clone.path().join("half").exists());
        // What a killed run has left is removed.
        fs::remove_file(&info).unwrap();
        drop(clone.lock().unwrap());
        assert!(!clone.path().join("half").exists());
        fs::write(&info, "git3:other").unwrap();
        let error = clone.lock().unwrap_err().chain();
        assert!(error.contains("exists with wrong content"), "{error}");
    }
}
