//! Who holds a lock, as far as the system tells.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

/// The process that holds a `flock(2)` on `file`, as `process 12 (go)`.
///
/// `None` where `/proc/locks` does not say: on other systems than Linux, for owners outside of
/// this container, and on file systems that show another device to programs than to the kernel.
pub(crate) fn lock_holder(file: &File) -> Option<String> {
    let found = file.metadata().ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = find(&locks, found.dev(), found.ino())?;
    let name = fs::read_to_string(format!("/proc/{process}/comm")).ok();
    let name = name.map(|name| format!(" ({})", name.trim_end()));
    Some(format!("process {process}{}", name.unwrap_or_default()))
}

/// Looks through lines as `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`: kind, mode, process,
/// device (major and minor number in hexadecimal digits) and inode. Who waits has `->` before
/// the kind.
///
/// Source: Linux `fs/locks.c`, `lock_get_status`.
fn find(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000;
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00;
    let wanted = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let kind = words.next()?;
        let process = words.nth(2)?;
        let file = words.next()?;
        // A process of another container has no number here.
        let process = process.parse().ok().filter(|&process| process != 0);
        process.filter(|_| kind == "FLOCK" && file == wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_and_nobody_else() {
        let locks = "\
1: POSIX  ADVISORY  WRITE 10 fe:00:77 0 EOF
2: FLOCK  ADVISORY  WRITE 11 fe:00:78 0 EOF
3: FLOCK  ADVISORY  WRITE 12 fe:00:77 0 EOF
3: -> FLOCK  ADVISORY  WRITE 13 fe:00:77 0 EOF
4: FLOCK  ADVISORY  WRITE 0 fe:00:79 0 EOF
5: FLOCK  ADVISORY  WRITE 14 103:1234:77 0 EOF
";
        // As glibc's makedev puts them together.
        let (small, large) = (0xfe00, (0x103 << 8) | 0x34 | (0x12 << 20));
        assert_eq!(find(locks, small, 77), Some(12));
        assert_eq!(find(locks, small, 78), Some(11));
        assert_eq!(find(locks, small, 79), None, "it has no number here");
        assert_eq!(find(locks, small, 7), None);
        assert_eq!(find(locks, large, 77), Some(14));
        assert_eq!(find("nonsense\n", small, 77), None);
    }
}
