//! What the system says about a file.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// The mode, with the bits of the file type that the system adds.
pub(crate) fn mode(permissions: &Permissions) -> u32 {
    permissions.mode()
}

/// Permissions with this mode; all else is as in `like`.
pub(crate) fn with_mode(_like: &Permissions, mode: u32) -> Permissions {
    Permissions::from_mode(mode)
}

/// Sets the mode of what `path` leads to.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// True of a file that can be run as a program.
pub(crate) fn is_executable(found: &Metadata) -> bool {
    found.is_file() && found.permissions().mode() & 0o111 != 0
}

/// The access time, in seconds since 1970.
pub(crate) fn accessed(found: &Metadata) -> i64 {
    found.atime()
}

/// The time of the last change of the content, in seconds since 1970.
pub(crate) fn modified(found: &Metadata) -> i64 {
    found.mtime()
}

/// The time of the last change of the inode, in nanoseconds since 1970.
pub(crate) fn changed_ns(found: &Metadata) -> i64 {
    found.ctime() * 1_000_000_000 + found.ctime_nsec()
}

/// A number that a directory has and one made later in its place is unlikely to have.
pub(crate) fn inode(found: &Metadata) -> u64 {
    found.ino()
}

/// The bytes that a file takes on the disk.
pub(crate) fn allocated_bytes(found: &Metadata) -> u64 {
    // In units of 512 bytes, whatever the file system's block is: stat(2).
    found.blocks() * 512
}

/// The number of the owner and the mode, without the bits of the file type; `None` where there are no such numbers.
pub(crate) fn owner(found: &Metadata) -> Option<(u32, u32)> {
    Some((found.uid(), found.mode() & 0o7777))
}

/// The number of the user of this process.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// True if the open file is the one at `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let found = file
        .metadata()
        .and_then(|ours| Ok((ours, fs::metadata(path)?)));
    found.is_ok_and(|(ours, there)| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
}

/// True if a link leads to a directory above itself; `target` is what it leads to.
pub(crate) fn leads_above(link: &Path, target: &Metadata) -> bool {
    let same = |above: &Path| {
        fs::metadata(above)
            .is_ok_and(|above| (above.dev(), above.ino()) == (target.dev(), target.ino()))
    };
    link.ancestors().skip(1).any(same)
}
