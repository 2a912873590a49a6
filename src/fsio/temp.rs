//! The one way a file comes into the cache: created new beside its place, written, renamed.
//!
//! Temporaries are `NAME<digits>.tmp`, go's pattern. A zip comes in by another way: see `part`.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::{begin_write, beside, in_directory_of};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::system;

/// A new file that is removed again unless it is renamed into place.
#[derive(Debug)]
pub struct TempFile {
    file: File,
    path: PathBuf,
    committed: bool,
}

impl TempFile {
    /// Creates `PATH<digits>.tmp`, and the directory if it is missing.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the file.
    pub fn beside(path: &Path) -> Result<TempFile> {
        loop {
            let number = RandomState::new().hash_one(0) % 1_000_000_000;
            let temp = beside(path, &format!("{number}.tmp"));
            let open = || {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create_new(true).open(&temp)
            };
            match in_directory_of(path, open)? {
                Ok(file) => {
                    return Ok(TempFile {
                        file,
                        path: temp,
                        committed: false,
                    });
                }
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(Error::io("cannot create", &temp, cause)),
            }
        }
    }

    /// The file, for reading by position while this value lives.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`] if no more files can be opened.
    pub fn reader(&self) -> Result<File> {
        system::reopen(&self.file, &self.path)
            .map_err(|cause| Error::io("cannot open", &self.path, cause))
    }

    /// Empties the file, for another try.
    ///
    /// # Errors
    /// The file system's.
    pub fn truncate(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()
    }

    /// Where the bytes are until they are committed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file to `path`, replacing what is there.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the target.
    pub fn commit(mut self, path: &Path) -> Result<()> {
        fs::rename(&self.path, path).map_err(|cause| Error::io("cannot rename to", path, cause))?;
        self.committed = true;
        Ok(())
    }
}

impl Write for TempFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Only if it was not renamed: another process may own a file of that name by now.
        if !self.committed {
            // Nothing can be done about a failure here, and the next holder of the lock sweeps.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes a whole file so that readers see the old content, or all of the new.
///
/// # Errors
/// [`crate::Kind::LocalIo`], naming the file.
pub fn write_atomically(path: &Path, data: &[u8]) -> Result<()> {
    let _writing = begin_write();
    let mut temp = TempFile::beside(path)?;
    temp.write_all(data)
        .map_err(|cause| Error::io("cannot write", &temp.path, cause))?;
    failpoints::reached("temporary-written");
    temp.commit(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_with_the_default_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/@v/v1.info");
        write_atomically(&path, b"{}").unwrap();
        write_atomically(&path, b"{\"Version\":1}").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{\"Version\":1}");
        let plain = dir.path().join("plain");
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| system::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!(mode(&path), mode(&plain));
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no temporary left"
        );
    }

    #[test]
    fn an_abandoned_file_is_removed_and_is_named_as_go_names_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let temp = TempFile::beside(&dir.path().join("v1.0.0.zip")).unwrap();
        let name = temp
            .path()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let digits = name
            .strip_prefix("v1.0.0.zip")
            .and_then(|n| n.strip_suffix(".tmp"))
            .unwrap();
        assert!(
            !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit())
        );
        drop(temp);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
