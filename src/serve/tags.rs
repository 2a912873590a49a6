//! The entity tags of zips, remembered by the file that each is of.
//!
//! The tag of a zip is its recorded sum, which is in a file of its own. To read that for each request would double the
//! files that are opened. As long as it is the same file, unchanged, the sum that was recorded for it is the same.

use std::collections::HashMap;
use std::fs::Metadata;
use std::sync::{Arc, Mutex, PoisonError};

use crate::gomod::H1;
use crate::system::{changed_ns, inode};

/// How many tags are remembered: some 150 bytes each.
const MOST: usize = 16_384;

/// A file, as long as it is neither written nor moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    inode: u64,
    /// Of the last change of content, name or mode.
    changed_ns: i64,
    length: u64,
}

impl FileIdentity {
    pub(super) fn of(found: &Metadata) -> FileIdentity {
        FileIdentity {
            inode: inode(found),
            changed_ns: changed_ns(found),
            length: found.len(),
        }
    }
}

/// Tags, by the paths of their files below a tree.
#[derive(Debug, Default)]
pub(super) struct Tags {
    known: Mutex<HashMap<String, (FileIdentity, Arc<str>)>>,
}

impl Tags {
    /// The tag of the file at `below`, quotes included; `read` says its sum if that is not known. What has no sum
    /// has no tag.
    pub(super) fn find(
        &self,
        below: &str,
        file: FileIdentity,
        read: impl FnOnce() -> Option<H1>,
    ) -> Option<Arc<str>> {
        // Every change is one insertion, or the end of all.
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, tag)) = known().get(below)
            && *of == file
        {
            return Some(Arc::clone(tag));
        }
        let tag: Arc<str> = format!("\"{}\"", read()?.as_str()).into();
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(below.to_owned(), (file, Arc::clone(&tag)));
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
        let find = |read: &dyn Fn() -> Option<H1>| tags.find("v1.0.0.zip", identity(), read);
        fs::write(&place, "one").unwrap();
        assert_eq!(find(&|| None), None);
        let tag = find(&|| Some(sum.clone())).unwrap();
        assert_eq!(*tag, format!("\"{}\"", sum.as_str()));
        assert_eq!(find(&|| None), Some(tag));
        fs::write(&place, "other").unwrap();
        assert_eq!(find(&|| None), None);
    }
}
