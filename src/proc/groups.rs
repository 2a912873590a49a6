//! Process groups of running programs, so that a signal which ends modfetch ends them as well.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::system::{end_group, kill_group};

/// How long a program that is asked to end has for that: git removes its lock files, without which
/// a clone cannot be used.
pub(super) const GRACE: Duration = Duration::from_millis(200);

static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A process group whose leader has not been waited for, so that its number is still its own.
pub(super) struct ProcessGroup {
    leader: u32,
}

impl ProcessGroup {
    /// The group of a program that was started as its leader.
    pub(super) fn of(child: &Child) -> ProcessGroup {
        let leader = child.id();
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.insert(leader);
        ProcessGroup { leader }
    }

    /// Asks every process of it to end.
    pub(super) fn terminate(&self) {
        end_group(self.leader);
    }

    /// Kills every process of it.
    pub(super) fn kill(&self) {
        kill_group(self.leader);
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.remove(&self.leader);
    }
}

/// Ends every program that runs in a group of its own, since this one is about to end: asks them,
/// and kills those that are still there a moment later. Nothing goes on from the end of a program
/// after that: a run whose programs are taken away must not tell that they have failed.
pub(crate) fn kill_groups() {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    groups.iter().copied().for_each(end_group);
    if !groups.is_empty() {
        thread::sleep(GRACE);
    }
    for leader in groups.iter().copied() {
        kill_group(leader);
    }
    // Whoever sees the end of a program waits for this lock until the process is over.
    std::mem::forget(groups);
}
