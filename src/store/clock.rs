//! The clock of the store, which counts in signatures: this machine's may be off.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::moment::amz_time;
use crate::http::{Reply, parse_http_date};

/// A clock that is off by more seconds is put right: S3 refuses at 15 minutes.
const SKEW_SECONDS: i64 = 240;

/// This machine's clock, put right by the `Date` of answers.
#[derive(Debug, Default)]
pub(super) struct StoreClock {
    /// Seconds by which the store's clock is ahead.
    skew: AtomicI64,
}

/// Seconds since 1970.
fn seconds_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

impl StoreClock {
    /// The time to sign with, as `20130524T000000Z`.
    pub(super) fn time(&self) -> String {
        amz_time(seconds_now().saturating_add_signed(self.skew()))
    }

    /// Seconds by which the store's clock is ahead.
    pub(super) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Reads the `Date` of an answer, of any status: Garage accepts a signature by headers that is hours old, and
    /// refuses a URL signed at the same time. True if the clock is another one now.
    pub(super) fn learn(&self, reply: &Reply) -> bool {
        let ours = seconds_now().cast_signed();
        let date = reply.headers.get("date");
        let date = date.and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(|date| parse_http_date(date, ours)) else {
            return false;
        };
        let skew = theirs - ours;
        if (skew - self.skew()).abs() <= SKEW_SECONDS {
            return false;
        }
        self.skew.store(skew, Ordering::Relaxed);
        true
    }
}
