//! Rewriting a file of the user's in place, under its own lock.
//!
//! `go` locks go.mod and go.sum themselves. Renaming a new file over one would leave whoever waits
//! with the lock of a file that is gone, and what it then writes would be lost; the file would
//! lose its owner, its links and its extended attributes, too.
//!
//! So that a full disk shows while the old text is whole, and that a run which is killed leaves a
//! file that can be read, the old text first grows by a lead that means nothing new; then the new
//! text replaces all of it by one write of the same length; then what is too much is cut off. Where a
//! write fails all the same, the old text is put back, for which there was room. Nothing waits for the
//! disk (as in go): against a loss of power there is version control.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::lock::{Locks, share};
use super::write_barrier::begin_write;
use crate::error::{Error, Result};
use crate::failpoints;
use crate::system::FileAt as _;

/// What a file is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewText {
    /// What is first appended to the old text; with it that has to be a good file still.
    pub lead: Vec<u8>,
    /// The new text. Line feeds behind it must not change what it means.
    pub text: Vec<u8>,
}

impl NewText {
    /// A text for which blank lines at the end of the old one make room.
    #[must_use]
    pub fn padded(old: &[u8], text: Vec<u8>) -> NewText {
        let lead = vec![b'\n'; text.len().saturating_sub(old.len())];
        NewText { lead, text }
    }
}

/// The longest that [`read_whole`] waits: whoever rewrites such a file needs a moment.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Reads a file that others may be rewriting at this moment, under its shared lock, as go does:
/// a write is not seen all at once.
///
/// A lock that is held for long, or that the file system does not have, is no reason not to read.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read_whole(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(file)?;
    share(&file, LONGEST_WAIT);
    let mut data = Vec::new();
    file.read_to_end(&mut data)?;
    Ok(data)
}

/// Changes a file under its lock: `change` gets its content and returns the new content,
/// or `None` to leave it. A file that is not there is empty. `steps` are the names of what is
/// done, for tests: the lead is there; the text is there.
///
/// # Errors
/// [`Kind::LocalIo`](crate::Kind::LocalIo) or [`Kind::LockTimeout`](crate::Kind::LockTimeout),
/// naming the file, which then holds what it held, or else a hint says that it may not; those of
/// `change`.
pub fn rewrite(
    locks: &Locks,
    file: &Path,
    steps: [&str; 2],
    change: impl FnOnce(&[u8]) -> Result<Option<NewText>>,
) -> Result<()> {
    let mut lock = locks.acquire(file, None)?;
    let _writing = begin_write();
    let mut before = Vec::new();
    lock.file()
        .read_to_end(&mut before)
        .map_err(|cause| Error::io("cannot read", file, cause))?;
    let Some(after) = change(&before)? else {
        return Ok(());
    };
    replace(lock.file(), &before, after, steps).map_err(|cause| {
        let error = Error::io("cannot write", file, cause);
        if restore(lock.file(), &before) {
            error
        } else {
            error.hint("the file may be damaged: put it right before it is used")
        }
    })
}

fn replace(file: &fs::File, before: &[u8], after: NewText, steps: [&str; 2]) -> io::Result<()> {
    let NewText { lead, mut text } = after;
    file.write_all_at(&lead, before.len() as u64)?;
    failpoints::reached(steps[0]);
    let (length, there) = (text.len(), before.len() + lead.len());
    text.resize(length.max(there), b'\n');
    file.write_all_at(&text, 0)?;
    failpoints::reached(steps[1]);
    file.set_len(length as u64)
}

/// Puts the old text back; false if that failed.
fn restore(file: &fs::File, before: &[u8]) -> bool {
    // What failed may fail again, and yet all that was changed may be put back: the file tells.
    let _ = file.set_len(before.len() as u64);
    let _ = file.write_all_at(before, 0);
    let mut now = vec![0; before.len()];
    let length = file.metadata().map(|found| found.len());
    length.is_ok_and(|length| length == before.len() as u64)
        && file.read_exact_at(&mut now, 0).is_ok()
        && now == before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::fsio::FileLock;
    use crate::system;

    #[test]
    fn text_is_replaced_and_the_file_stays_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        for (old, new) in [
            ("old\n", "new, and longer\n"),
            ("", "a\n"),
            ("long\n", "a\n"),
        ] {
            fs::write(&file, old).unwrap();
            system::set_mode(&file, 0o640).unwrap();
            let identity = || {
                let found = fs::metadata(&file).unwrap();
                (system::inode(&found), system::mode(&found.permissions()))
            };
            let before = identity();
            rewrite(&Locks::default(), &file, ["", ""], |now| {
                assert_eq!(now, old.as_bytes());
                Ok(Some(NewText::padded(now, new.into())))
            })
            .unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), new);
            assert_eq!(identity(), before);
        }
    }

    #[test]
    fn who_reads_does_not_see_half_a_text() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        let (half, whole) = (
            "half of it".as_bytes(),
            "half of it, and the rest".as_bytes(),
        );
        fs::write(&file, half).unwrap();
        let mut held = FileLock::acquire(&file).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read_whole(&file).unwrap());
            // Long enough for a reader that does not wait to be done.
            std::thread::sleep(Duration::from_millis(30));
            held.file().write_all_at(whole, 0).unwrap();
            drop(held);
            assert_eq!(reader.join().unwrap(), whole);
        });
        let _held = FileLock::acquire(&file).unwrap();
        share(&fs::File::open(&file).unwrap(), Duration::from_millis(2));
        let missing = read_whole(&dir.path().join("absent")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_failure_leaves_or_puts_back_the_old_text() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        fs::write(&file, "old\n").unwrap();
        let refused = rewrite(&Locks::default(), &file, ["", ""], |_| {
            Err(Error::new(Kind::Input, "no"))
        });
        assert_eq!(refused.unwrap_err().chain(), "no");
        let mut open = fs::OpenOptions::new();
        let open = open.read(true).write(true).open(&file).unwrap();
        open.write_all_at(b"half of what should", 1).unwrap();
        assert!(!restore(&fs::File::open(&file).unwrap(), b"old\n"));
        assert!(restore(&open, b"old\n"));
        assert_eq!(fs::read(&file).unwrap(), b"old\n");
    }
}
