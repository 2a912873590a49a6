//! A directory that is held open: what is made below it is named from there on. The kernel then walks three or four
//! names for each of what may be 100,000 files and directories, and not all those from the root of the file system on.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, chmodat, mkdirat, open, openat};
use rustix::io::retry_on_intr;

/// An open directory. Names are relative to it, with `/` between parts.
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory; a symbolic link to one is none.
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Directory(retry_on_intr(|| {
            open(path, flags, Mode::empty())
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

    /// Sets the mode of what is below.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> io::Result<()> {
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(chmodat(&self.0, name, mode, AtFlags::empty())?)
    }
}
