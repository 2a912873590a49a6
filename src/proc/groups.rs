//! Process groups of running programs, so that a signal which ends modfetch ends them as well.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A process group whose leader has not been waited for, so that its number is still its own.
pub(super) struct Group {
    leader: Pid,
}

impl Group {
    /// The group of a program that was started as its leader.
    pub(super) fn of(child: &Child) -> Option<Group> {
        let leader = Pid::from_raw(i32::try_from(child.id()).ok()?)?;
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.insert(leader.as_raw_nonzero().get());
        Some(Group { leader })
    }

    /// Kills every process of it.
    pub(super) fn kill(&self) {
        // It may have ended by itself.
        let _ = kill_process_group(self.leader, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.remove(&self.leader.as_raw_nonzero().get());
    }
}

/// Kills every program that runs in a group of its own: the program is about to end.
pub(crate) fn kill_groups() {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    for leader in groups.iter().copied().filter_map(Pid::from_raw) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
}
