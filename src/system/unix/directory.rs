//! A directory that is held open: what is made and read below it is named from there on. The kernel then walks three or four
//! names for each of what may be 100,000 files and directories, and not all those from the root of the file system on.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, chmodat, fstat, mkdirat, open, openat, statat,
};
use rustix::io::retry_on_intr;

use crate::system::EntryKind;

const DIRECTORY_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open directory. Names are relative to it, with `/` between parts.
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory; a symbolic link to one is none.
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        Ok(Directory(retry_on_intr(|| {
            open(path, DIRECTORY_FLAGS, Mode::empty())
        })?))
    }

    /// Makes a directory, with mode 0777 less the umask; nothing of that name may be there.
    pub(crate) fn create_directory(&self, name: &str) -> io::Result<()> {
        Ok(mkdirat(&self.0, name, Mode::from_raw_mode(0o777))?)
    }

    /// Makes a file, with mode 0444 less the umask, open for writing; nothing of that name may be there.
    pub(crate) fn create_read_only(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o444);
        Ok(retry_on_intr(|| openat(&self.0, name, flags, mode))?.into())
    }

    /// Opens a file for reading, and says how many bytes it has; `None` if it is no regular file. A symbolic link is
    /// none, and a pipe is not waited for.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<Option<(File, u64)>> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(&self.0, name, flags, Mode::empty()))?;
        let found = fstat(&file)?;
        let regular = FileType::from_raw_mode(found.st_mode).is_file();
        let bytes = u64::try_from(found.st_size).unwrap_or(0);
        Ok(regular.then(|| (file.into(), bytes)))
    }

    /// Says of everything in a directory below, `.` for this one, what it is; in no order. Ends at the first error of
    /// `each`.
    pub(crate) fn entries<E: From<io::Error>>(
        &self,
        directory: &OsStr,
        mut each: impl FnMut(&OsStr, EntryKind) -> Result<(), E>,
    ) -> Result<(), E> {
        let system = io::Error::from;
        let opened = retry_on_intr(|| openat(&self.0, directory, DIRECTORY_FLAGS, Mode::empty()));
        let mut entries = Dir::new(opened.map_err(system)?).map_err(system)?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(system)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                // Not every file system says it in its directories.
                let place = entries.fd().map_err(system)?;
                let found = statat(place, name, AtFlags::SYMLINK_NOFOLLOW).map_err(system)?;
                kind = FileType::from_raw_mode(found.st_mode);
            }
            let kind = match kind {
                FileType::Directory => EntryKind::Directory,
                FileType::RegularFile => EntryKind::File,
                FileType::Symlink => EntryKind::Link,
                _ => EntryKind::Other,
            };
            each(OsStr::from_bytes(name.to_bytes()), kind)?;
        }
        Ok(())
    }

    /// Sets the mode of what is below.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> io::Result<()> {
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(chmodat(&self.0, name, mode, AtFlags::empty())?)
    }
}
