//! What the system says about a file. Modes are those of Go's `os` package: see [`crate::system`].

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::path::Path;

use winapi_util::Handle;
use winapi_util::file::information;

/// Between 1601, where the times of Windows begin, and 1970, in units of 100 ns.
///
/// Source: Go, `syscall`, `Filetime.Nanoseconds`.
const BEFORE_1970: i64 = 116_444_736_000_000_000;

/// The cluster of NTFS on all but very large volumes, in bytes.
const CLUSTER: u64 = 4096;

/// 0666, or 0444 with the read-only attribute. The bits of a directory are not seen in permissions.
pub(crate) fn mode(permissions: &Permissions) -> u32 {
    match permissions.readonly() {
        true => 0o444,
        false => 0o666,
    }
}

/// Permissions that are read-only if the mode does not let the owner write.
pub(crate) fn with_mode(like: &Permissions, mode: u32) -> Permissions {
    let mut permissions = like.clone();
    permissions.set_readonly(mode & 0o200 == 0);
    permissions
}

/// Sets or removes the read-only attribute, if it is otherwise.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    match permissions.readonly() == (mode & 0o200 == 0) {
        true => Ok(()),
        false => fs::set_permissions(path, with_mode(&permissions, mode)),
    }
}

/// True of a file: what can be run is said by its name.
pub(crate) fn is_executable(found: &Metadata) -> bool {
    found.is_file()
}

/// The access time, in seconds since 1970.
pub(crate) fn accessed(found: &Metadata) -> i64 {
    since_1970(found.last_access_time()) / 10_000_000
}

/// The time of the last change of the content, in seconds since 1970.
pub(crate) fn modified(found: &Metadata) -> i64 {
    since_1970(found.last_write_time()) / 10_000_000
}

/// The time of the last change, in nanoseconds since 1970: that of the content, since std does not say the other.
pub(crate) fn changed_ns(found: &Metadata) -> i64 {
    since_1970(found.last_write_time()).saturating_mul(100)
}

/// A number that a directory has and one made later in its place is unlikely to have: the time of its creation.
pub(crate) fn inode(found: &Metadata) -> u64 {
    found.creation_time()
}

fn since_1970(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX) - BEFORE_1970
}

/// The bytes that a file takes on the disk, rounded up to clusters: compression is not seen.
pub(crate) fn allocated_bytes(found: &Metadata) -> u64 {
    match found.is_dir() {
        true => 0,
        false => found.len().next_multiple_of(CLUSTER),
    }
}

/// Owners are no numbers here.
pub(crate) fn owner(_found: &Metadata) -> Option<(u32, u32)> {
    None
}

/// See [`owner`].
pub(crate) fn user() -> u32 {
    0
}

/// True if the open file is the one at `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let found = information(file).and_then(|ours| {
        let there = information(Handle::from_path_any(path)?)?;
        Ok((ours, there))
    });
    found.is_ok_and(|(ours, there)| {
        (ours.volume_serial_number(), ours.file_index())
            == (there.volume_serial_number(), there.file_index())
    })
}

/// True if a link leads to a directory above itself.
pub(crate) fn leads_above(link: &Path, _target: &Metadata) -> bool {
    let Ok(target) = fs::canonicalize(link) else {
        return false;
    };
    let same = |above: &Path| fs::canonicalize(above).is_ok_and(|above| above == target);
    link.ancestors().skip(1).any(same)
}
