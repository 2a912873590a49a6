//! The entity tags of zips, remembered by the file that each is of.
//!
//! The tag of a zip is its recorded sum, which is in a file of its own. To read that for each request would double the
//! files that are opened. As long as it is the same file, unchanged, the sum that was recorded for it is the same.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use crate::gomod::H1;

/// How many tags are remembered: some 150 bytes each.
const MOST: usize = 16_384;

/// A file, as long as nobody writes to it or moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    /// Of the last change of content, name or mode: seconds and nanoseconds.
    changed: (i64, i64),
    length: u64,
}

impl FileIdentity {
    pub(super) fn of(found: &Metadata) -> FileIdentity {
        FileIdentity {
            device: found.dev(),
            inode: found.ino(),
            changed: (found.ctime(), found.ctime_nsec()),
            length: found.len(),
        }
    }
}

/// Tags, by the files that they are of.
#[derive(Debug, Default)]
pub(super) struct Tags {
    known: Mutex<HashMap<FileIdentity, Arc<str>>>,
}

impl Tags {
    /// The tag of a file, quotes included; `read` says its sum if that is not known. What has no sum has no tag.
    pub(super) fn of(
        &self,
        file: FileIdentity,
        read: impl FnOnce() -> Option<H1>,
    ) -> Option<Arc<str>> {
        // Every change is one insertion, or the end of all.
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tag) = known().get(&file) {
            return Some(Arc::clone(tag));
        }
        let tag: Arc<str> = format!("\"{}\"", read()?.as_str()).into();
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(file, Arc::clone(&tag));
        Some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_sum_is_read_once_until_the_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("v1.0.0.zip");
        let identity = || FileIdentity::of(&fs::metadata(&place).unwrap());
        let sum = H1::of_go_mod(b"module a.com/m\n");
        let tags = Tags::default();
        fs::write(&place, "one").unwrap();
        assert_eq!(tags.of(identity(), || None), None);
        let tag = tags.of(identity(), || Some(sum.clone())).unwrap();
        assert_eq!(*tag, format!("\"{}\"", sum.as_str()));
        assert_eq!(tags.of(identity(), || None), Some(tag));
        fs::write(&place, "other").unwrap();
        assert_eq!(tags.of(identity(), || None), None);
    }
}
