//! The directory that a zip is extracted into, or compared with, held open: what is below it is
//! named from there on. The kernel then walks three or four names for each of what may be 100,000
//! files and directories, and not all those from the root of the file system on.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, chmodat, fstat, mkdirat, open, openat, statat,
};
use rustix::io::retry_on_intr;

use super::tree::without_write;
use crate::error::{Error, Result};

/// What a directory has under a name. A symbolic link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundKind {
    Directory,
    File,
    Link,
    Other,
}

const DIRECTORY_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open directory. Names are relative, with `/` between parts.
pub(super) struct Root<'a> {
    path: &'a Path,
    directory: OwnedFd,
}

impl<'a> Root<'a> {
    /// Makes the directory, whose parent must be there, and opens it.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the directory, also if it is there.
    pub(super) fn create(path: &'a Path) -> Result<Root<'a>> {
        let made = fs::create_dir(path).and_then(|()| Root::open(path));
        made.map_err(|cause| Error::io("cannot create", path, cause))
    }

    /// Opens a directory; a symbolic link to one is none.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn open(path: &'a Path) -> io::Result<Root<'a>> {
        let directory = retry_on_intr(|| open(path, DIRECTORY_FLAGS, Mode::empty()))?;
        Ok(Root { path, directory })
    }

    /// Makes a directory, with mode 0777 less the umask.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming it, also if something of that name is there.
    pub(super) fn create_directory(&self, name: &str) -> Result<()> {
        let made = mkdirat(&self.directory, name, Mode::from_raw_mode(0o777));
        made.map_err(|cause| self.cannot("cannot create", name, cause.into()))
    }

    /// Makes a file, with mode 0444 less the umask, open for writing.
    ///
    /// # Errors
    /// As [`Root::create_directory`].
    pub(super) fn create_file<'r>(&'r self, name: &'r str) -> Result<RootFile<'r>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o444);
        match retry_on_intr(|| openat(&self.directory, name, flags, mode)) {
            Ok(file) => Ok(RootFile {
                root: self,
                name,
                file: file.into(),
            }),
            Err(cause) => Err(self.cannot("cannot create", name, cause.into())),
        }
    }

    /// Opens a file for reading, and says how many bytes it has; `None` if it is no regular file. A
    /// symbolic link is none, and a pipe is not waited for.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn open_file(&self, name: &str) -> io::Result<Option<(File, u64)>> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(&self.directory, name, flags, Mode::empty()))?;
        let found = fstat(&file)?;
        let regular = FileType::from_raw_mode(found.st_mode).is_file();
        let bytes = u64::try_from(found.st_size).unwrap_or(0);
        Ok(regular.then(|| (file.into(), bytes)))
    }

    /// Says of everything in a directory, `.` for the root's own, what it is; in no order.
    ///
    /// # Errors
    /// The file system's, and those of `each`.
    pub(super) fn entries<E: From<io::Error>>(
        &self,
        directory: &OsStr,
        mut each: impl FnMut(&OsStr, FoundKind) -> Result<(), E>,
    ) -> Result<(), E> {
        let opened =
            retry_on_intr(|| openat(&self.directory, directory, DIRECTORY_FLAGS, Mode::empty()));
        let mut entries = Dir::new(opened.map_err(io::Error::from)?).map_err(io::Error::from)?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(io::Error::from)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                // Not every file system says it in its directories.
                let place = entries.fd().map_err(io::Error::from)?;
                let found = statat(place, name, AtFlags::SYMLINK_NOFOLLOW);
                kind = FileType::from_raw_mode(found.map_err(io::Error::from)?.st_mode);
            }
            let kind = match kind {
                FileType::Directory => FoundKind::Directory,
                FileType::RegularFile => FoundKind::File,
                FileType::Symlink => FoundKind::Link,
                _ => FoundKind::Other,
            };
            each(OsStr::from_bytes(name.to_bytes()), kind)?;
        }
        Ok(())
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
        let mode = Mode::from_raw_mode(sealed.mode());
        for name in below {
            let _ = chmodat(&self.directory, name, mode, AtFlags::empty());
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
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
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
        assert_eq!(mode(&path.join("a/b/file")) & 0o333, 0);

        let there = path.join("a/b/file").display().to_string();
        let again = root.create_file("a/b/file").err().unwrap();
        assert_eq!(again.chain(), format!("cannot create {there}: file exists"));
        symlink(dir.path(), path.join("link")).unwrap();
        assert!(root.create_file("link").is_err());
        assert!(root.create_directory("a").is_err());
        assert!(Root::create(&path).is_err());
        assert!(Root::open(&path.join("link")).is_err());

        root.seal(["a/b", "a", "missing"].into_iter());
        for sealed in ["a/b", "a", ""] {
            assert_eq!(mode(&path.join(sealed)) & 0o222, 0, "{sealed}");
        }
        super::super::remove_tree(&path).unwrap();
    }
}
