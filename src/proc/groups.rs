//! Process groups of running programs, so that a signal which ends modfetch ends them as well.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use crate::system::kill_group;

static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A process group whose leader has not been waited for, so that its number is still its own.
pub(super) struct Group {
    leader: u32,
}

impl Group {
    /// The group of a program that was started as its leader.
    pub(super) fn of(child: &Child) -> Group {
        let leader = child.id();
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.insert(leader);
        Group { leader }
    }

    /// Kills every process of it.
    pub(super) fn kill(&self) {
        kill_group(self.leader);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.remove(&self.leader);
    }
}

/// Kills every program that runs in a group of its own: the program is about to end.
pub(crate) fn kill_groups() {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    for leader in groups.iter().copied() {
        kill_group(leader);
    }
}
