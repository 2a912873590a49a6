//! Files: by position, and created in a special way.
//!
//! Files are opened as std does it, shared for reading, writing and deletion: an open file can be renamed and replaced,
//! as the protocol of the cache needs it. Paths that are longer than Windows takes get their `\\?\` from std.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// `FILE_ATTRIBUTE_READONLY`.
const READ_ONLY: u32 = 0x1;

/// `FILE_ATTRIBUTE_TEMPORARY`: not to be written to the disk while there is memory.
const TEMPORARY: u32 = 0x100;

/// `FILE_FLAG_DELETE_ON_CLOSE`.
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// Reading and writing by position, as Unix has it. The position of the file itself moves all the same: whoever writes
/// a file from its start to its end must not share the handle with these.
pub(crate) trait FileAt {
    /// Reads some bytes from `offset` on; 0 at the end of the file.
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `data` from `offset` on.
    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Fills `room` with what there is from `offset` on.
    fn read_exact_at(&self, mut room: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !room.is_empty() {
            match self.read_at(room, offset) {
                Ok(0) => {
                    let text = "failed to fill whole buffer";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
                }
                Ok(count) => {
                    room = room.get_mut(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}

impl FileAt for File {
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        self.seek_read(room, offset)
    }

    fn write_all_at(&self, mut data: &[u8], mut offset: u64) -> io::Result<()> {
        while !data.is_empty() {
            match self.seek_write(data, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    data = data.get(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}

/// Reads a file that is likely small into an empty room.
pub(crate) fn read_small(path: &Path, room: &mut Vec<u8>) -> io::Result<()> {
    File::open(path)?.read_to_end(room).map(drop)
}

/// The open file once more, for reading by position while its owner writes to it. `path` is where it is: a copy of the
/// handle would share its position.
pub(crate) fn reopen(_file: &File, path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Creates a file with the read-only attribute, open for writing; none may be there.
pub(crate) fn create_read_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true);
    options.attributes(READ_ONLY).open(path)
}

/// Creates a file that goes when it is closed; none may be at `path`.
pub(crate) fn create_unnamed(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create_new(true);
    options
        .attributes(TEMPORARY)
        .custom_flags(DELETE_ON_CLOSE)
        .open(path)
}

/// There are no files in memory here.
pub(crate) fn memory_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a symbolic link to a directory, for which Windows wants the developer mode or an administrator.
pub(crate) fn link_directory(target: &Path, link: &Path) -> io::Result<()> {
    // A target with `/` between its parts leads nowhere.
    let target: PathBuf = target.components().collect();
    std::os::windows::fs::symlink_dir(target, link)
}

/// Removes a file, also one with the read-only attribute.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            super::set_mode(path, 0o600)?;
            fs::remove_file(path)
        }
        other => other,
    }
}

/// The path of a `file` URL: `/C:/dir` names a drive.
///
/// # Errors
/// What is wrong with it, in go's words.
pub(crate) fn path_from_bytes(bytes: Vec<u8>) -> Result<PathBuf, String> {
    let text = String::from_utf8(bytes).map_err(|_| "path is not UTF-8".to_owned())?;
    let path = match text.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => &text[1..],
        _ => return Err("file URL missing drive letter".to_owned()),
    };
    Ok(PathBuf::from(path.replace('/', "\\")))
}

/// Makes a symbolic link, for tests.
#[cfg(test)]
pub(crate) fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (target, link) = (target.as_ref(), link.as_ref());
    match link.parent().unwrap_or(link).join(target).is_dir() {
        true => link_directory(target, link),
        false => std::os::windows::fs::symlink_file(target, link),
    }
}
