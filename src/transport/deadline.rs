//! The end of the whole run's time.

use std::time::{Duration, Instant};

use super::failure::reading;
use super::url::RedactedUrl;
use crate::error::{Error, Kind};

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
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// True if it has passed.
    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// How long it is until then.
    pub(super) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// What a request fails with when it has passed; another try would not help.
    pub(super) fn error(&self, url: &RedactedUrl) -> Error {
        let whole = self.whole;
        reading(
            url,
            Kind::Network,
            format!("the run took longer than {whole:?}"),
        )
        .hint(
            "--timeout or MODFETCH_TIMEOUT sets how long a run may take; the next one goes \
                   on from what is there",
        )
    }
}
