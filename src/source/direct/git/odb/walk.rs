//! History: what comes before a commit, as far as it was fetched.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::Path;

use super::{ObjectId, ObjectStore};
use crate::error::{Error, Result};

/// The commits at and before one commit.
pub(in crate::source::direct) struct Ancestry {
    pub(in crate::source::direct) commits: HashSet<ObjectId>,
    /// Some history is missing: the clone is shallow there.
    pub(in crate::source::direct) is_cut: bool,
}

impl ObjectStore {
    /// Walks back from `start`. Stops early when `wanted` was met.
    pub(in crate::source::direct) fn ancestry(
        &self,
        start: &ObjectId,
        wanted: Option<&ObjectId>,
    ) -> Result<Ancestry> {
        let shallow = self.shallow()?;
        let mut ancestry = Ancestry {
            commits: HashSet::from([*start]),
            is_cut: false,
        };
        let mut open = VecDeque::from([*start]);
        while let Some(id) = open.pop_front() {
            if Some(&id) == wanted {
                break;
            }
            if shallow.contains(&id) {
                ancestry.is_cut = true;
                continue;
            }
            let Some((_, commit)) = self.peel(&id)? else {
                ancestry.is_cut = true;
                continue;
            };
            for parent in commit.parents {
                if ancestry.commits.insert(parent) {
                    open.push_back(parent);
                }
            }
        }
        Ok(ancestry)
    }

    /// The commits whose parents were not fetched.
    pub(in crate::source::direct) fn shallow(&self) -> Result<HashSet<ObjectId>> {
        read_shallow(&self.dir)
    }
}

/// Reads the file `shallow` of a repository.
fn read_shallow(dir: &Path) -> Result<HashSet<ObjectId>> {
    let path = dir.join("shallow");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(ObjectId::parse_any).collect()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(cause) => Err(Error::io("cannot read", &path, cause)),
    }
}
