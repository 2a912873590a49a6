//! Process groups of running programs, so that a signal which ends modfetch ends them as well.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a program that is asked to end has for that: git removes its lock files, without which
/// a clone cannot be used.
pub(super) const GRACE: Duration = Duration::from_millis(200);

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

    /// Asks every process of it to end.
    pub(super) fn terminate(&self) {
        let _ = kill_process_group(self.leader, Signal::TERM);
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

/// Ends every program that runs in a group of its own, since this one is about to end: asks them,
/// and kills those that are still there a moment later. Nothing goes on from the end of a program
/// after that: a run whose programs are taken away must not tell that they have failed.
pub(crate) fn kill_groups() {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    let leaders = || groups.iter().copied().filter_map(Pid::from_raw);
    for leader in leaders() {
        let _ = kill_process_group(leader, Signal::TERM);
    }
    if leaders().next().is_some() {
        thread::sleep(GRACE);
    }
    for leader in leaders() {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    // Whoever sees the end of a program waits for this lock until the process is over.
    std::mem::forget(groups);
}
