//! A directory below which much is created. Nothing can be named relative to an open directory without unsafe code, so
//! whole paths are used.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::files::create_read_only;
use crate::system::EntryKind;

/// A directory. Names are relative to it, with `/` between parts.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Looks at a directory; a symbolic link to one is none.
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => Ok(Directory(path.to_owned())),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Makes a directory; nothing of that name may be there.
    pub(crate) fn create_directory(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.place(name))
    }

    /// Makes a file with the read-only attribute, open for writing; nothing of that name may be there.
    pub(crate) fn create_read_only(&self, name: &str) -> io::Result<File> {
        create_read_only(&self.place(name))
    }

    /// Opens a file for reading, and says how many bytes it has; `None` if it is no regular file.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<Option<(File, u64)>> {
        let place = self.place(name);
        let found = fs::symlink_metadata(&place)?;
        match found.is_file() {
            true => Ok(Some((File::open(place)?, found.len()))),
            false => Ok(None),
        }
    }

    /// Says of everything in a directory below, `.` for this one, what it is; in no order.
    pub(crate) fn entries<E: From<io::Error>>(
        &self,
        directory: &OsStr,
        mut each: impl FnMut(&OsStr, EntryKind) -> Result<(), E>,
    ) -> Result<(), E> {
        for entry in fs::read_dir(self.0.join(directory))? {
            let entry = entry?;
            let found = entry.file_type()?;
            let kind = match (found.is_dir(), found.is_file(), found.is_symlink()) {
                (true, ..) => EntryKind::Directory,
                (_, true, _) => EntryKind::File,
                (.., true) => EntryKind::Link,
                _ => EntryKind::Other,
            };
            each(&entry.file_name(), kind)?;
        }
        Ok(())
    }

    /// Sets the mode of what is below.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> io::Result<()> {
        super::set_mode(&self.place(name), mode)
    }

    fn place(&self, name: &str) -> PathBuf {
        let mut place = self.0.clone();
        // One by one, so that only `\` separates.
        place.extend(name.split('/'));
        place
    }
}
