//! History: what comes before a commit, as far as it was fetched.

use std::collections::{HashSet, VecDeque};

use super::{ObjectDatabase, ObjectId, TreeEntryKind};
use crate::error::Result;
use crate::source::direct::git::layout;

/// The commits at and before one commit.
pub(in crate::source::direct) struct Ancestry {
    pub(in crate::source::direct) commits: HashSet<ObjectId>,
    /// Some history is missing: the clone is shallow there.
    pub(in crate::source::direct) is_cut: bool,
}

impl ObjectDatabase {
    /// True if all files of a commit are there. Packs arrive as a whole; loose objects are written one
    /// by one, and a program that is killed leaves a commit without its files.
    pub(in crate::source::direct) fn is_whole(
        &self,
        commit: &ObjectId,
        tree: &ObjectId,
    ) -> Result<bool> {
        if !self.is_loose(commit) {
            return Ok(true);
        }
        let mut seen = HashSet::from([*tree]);
        let mut open = vec![*tree];
        while let Some(tree) = open.pop() {
            if !self.has(&tree) {
                return Ok(false);
            }
            for entry in self.tree(&tree)? {
                let is_new = match entry.kind {
                    TreeEntryKind::Submodule => continue,
                    TreeEntryKind::Directory => seen.insert(entry.id),
                    _ if !self.has(&entry.id) => return Ok(false),
                    _ => continue,
                };
                if is_new {
                    open.push(entry.id);
                }
            }
        }
        Ok(true)
    }

    /// Walks back from `start`. Stops early when `wanted` was met.
    pub(in crate::source::direct) fn ancestry(
        &self,
        start: &ObjectId,
        wanted: Option<&ObjectId>,
    ) -> Result<Ancestry> {
        let shallow = layout::read_shallow(&self.dir)?;
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
}
