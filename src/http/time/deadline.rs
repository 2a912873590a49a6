//! The end of the whole run's time.

use std::time::{Duration, Instant};

/// When a run has to be done with the network.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    /// So long from now; `None` if that is beyond what the clock can count.
    #[must_use]
    pub fn after(whole: Duration) -> Option<Deadline> {
        let at = Instant::now().checked_add(whole)?;
        Some(Deadline { at, whole })
    }

    /// When it is.
    pub(in crate::http) fn at(&self) -> Instant {
        self.at
    }

    /// True if it has passed.
    pub(in crate::http) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// How long it is until then.
    pub(in crate::http) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// How long the run was given.
    pub(in crate::http) fn whole(&self) -> Duration {
        self.whole
    }
}
