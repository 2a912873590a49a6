//! The directory that a zip is extracted into, or compared with, held open, and what is below it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::tree::without_write;
use crate::error::{Error, Result};
use crate::fsio::in_directory_of;
use crate::system::{Directory, EntryKind, mode};

/// An open directory. Names are relative, with `/` between parts.
pub(super) struct Root<'a> {
    path: &'a Path,
    directory: Directory,
}

impl<'a> Root<'a> {
    /// Makes the directory, and its parents where they are missing, and opens it.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the directory, also if it is there.
    pub(super) fn create(path: &'a Path) -> Result<Root<'a>> {
        // Another thread removes directories that are empty.
        let made = in_directory_of(path, || fs::create_dir(path))?;
        let made = made.and_then(|()| Root::open(path));
        made.map_err(|cause| Error::io("cannot create", path, cause))
    }

    /// Opens a directory; a symbolic link to one is none.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn open(path: &'a Path) -> io::Result<Root<'a>> {
        let directory = Directory::open(path)?;
        Ok(Root { path, directory })
    }

    /// Makes a directory, with mode 0777 less the umask.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming it, also if something of that name is there.
    pub(super) fn create_directory(&self, name: &str) -> Result<()> {
        let made = self.directory.create_directory(name);
        made.map_err(|cause| self.cannot("cannot create", name, cause))
    }

    /// Makes a file, with mode 0444 less the umask, open for writing.
    ///
    /// # Errors
    /// As [`Root::create_directory`].
    pub(super) fn create_file<'r>(&'r self, name: &'r str) -> Result<RootFile<'r>> {
        match self.directory.create_read_only(name) {
            Ok(file) => Ok(RootFile {
                root: self,
                name,
                file,
            }),
            Err(cause) => Err(self.cannot("cannot create", name, cause)),
        }
    }

    /// Opens a file for reading, and says how many bytes it has; `None` if it is no regular file.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn open_file(&self, name: &str) -> io::Result<Option<(File, u64)>> {
        self.directory.open_file(name)
    }

    /// Says of everything in a directory, `.` for the root's own, what it is; in no order.
    ///
    /// # Errors
    /// The file system's, and those of `each`.
    pub(super) fn entries<E: From<io::Error>>(
        &self,
        directory: &OsStr,
        each: impl FnMut(&OsStr, EntryKind) -> Result<(), E>,
    ) -> Result<(), E> {
        self.directory.entries(directory, each)
    }

    /// Removes the write bits of these directories, in this order, and of the root. All were made
    /// under one umask and inherit alike: they have the mode of the root. Best effort.
    pub(super) fn seal<'n>(&self, below: impl Iterator<Item = &'n str>) {
        let Ok(metadata) = fs::metadata(self.path) else {
            return;
        };
        let Some(sealed) = without_write(&metadata) else {
            return;
        };
        let mode = mode(&sealed);
        for name in below {
            let _ = self.directory.set_mode(name, mode);
        }
        let _ = fs::set_permissions(self.path, sealed);
    }

    fn cannot(&self, verb: &str, name: &str, cause: io::Error) -> Error {
        Error::io(verb, &self.path.join(name), cause)
    }
}

/// A new file below a root.
pub(super) struct RootFile<'r> {
    root: &'r Root<'r>,
    name: &'r str,
    file: File,
}

impl RootFile<'_> {
    /// Writes all of it.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the file.
    pub(super) fn write_all(&mut self, content: &[u8]) -> Result<()> {
        let written = self.file.write_all(content);
        written.map_err(|cause| self.root.cannot("cannot write", self.name, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::link_directory;

    fn mode_of(path: &Path) -> u32 {
        mode(&fs::symlink_metadata(path).unwrap().permissions()) & 0o777
    }

    #[test]
    fn what_is_made_is_new_and_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        let root = Root::create(&path).unwrap();
        root.create_directory("a").unwrap();
        root.create_directory("a/b").unwrap();
        let mut file = root.create_file("a/b/file").unwrap();
        file.write_all(b"con").unwrap();
        file.write_all(b"tent").unwrap();
        drop(file);
        assert_eq!(fs::read(path.join("a/b/file")).unwrap(), b"content");
        assert_eq!(mode_of(&path.join("a/b/file")) & 0o333, 0);

        let there = path.join("a/b/file").display().to_string();
        let again = root.create_file("a/b/file").err().unwrap();
        assert_eq!(again.chain(), format!("cannot create {there}: file exists"));
        link_directory(dir.path(), &path.join("link")).unwrap();
        assert!(root.create_file("link").is_err());
        assert!(root.create_directory("a").is_err());
        assert!(Root::create(&path).is_err());
        assert!(Root::open(&path.join("link")).is_err());

        root.seal(["a/b", "a", "missing"].into_iter());
        for sealed in ["a/b", "a", ""] {
            assert_eq!(mode_of(&path.join(sealed)) & 0o222, 0, "{sealed}");
        }
        super::super::remove_tree(&path).unwrap();
    }
}
