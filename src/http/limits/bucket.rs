//! Token buckets: so much a second and no more, be it bytes or requests.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::http::time::Timer;

/// So many seconds' worth may come at once after a pause: enough that a sleep which ends a little
/// late costs nothing, too little to be noticed by who counts per second.
const BURST_SECONDS: f64 = 0.1;

/// A wait that no run outlasts; more would not fit a [`Duration`].
const MAX_WAIT_SECONDS: f64 = 1e9;

/// A bucket that fills at a fixed rate. Pure: its caller passes the time.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    per_second: f64,
    capacity: f64,
    level: f64,
    filled: Instant,
}

impl TokenBucket {
    /// A full bucket that gains `per_second`, which is more than 0, and holds a tenth of that, but
    /// at least `least`.
    pub(super) fn new(per_second: f64, least: f64, now: Instant) -> TokenBucket {
        let capacity = (per_second * BURST_SECONDS).max(least);
        TokenBucket {
            per_second,
            capacity,
            level: capacity,
            filled: now,
        }
    }

    fn fill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.level = (self.level + gained).min(self.capacity);
        self.filled = self.filled.max(now);
    }

    fn until(&self, level: f64) -> Duration {
        let seconds = (level - self.level) / self.per_second;
        Duration::from_secs_f64(seconds.clamp(0.0, MAX_WAIT_SECONDS))
    }

    /// Takes one, or says how long there will be none.
    ///
    /// # Errors
    /// The wait; nothing was taken.
    pub(super) fn take_one(&mut self, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        // A hair less than one is one: the wait for the rest would round to nothing.
        if self.level > 1.0 - 1e-6 {
            self.level -= 1.0;
            return Ok(());
        }
        Err(self.until(1.0).max(Duration::from_micros(1)))
    }

    /// Takes `amount` that is already spent; returns how long it takes until that is made good.
    pub(super) fn spend(&mut self, amount: f64, now: Instant) -> Duration {
        self.fill(now);
        self.level -= amount;
        self.until(0.0)
    }
}

/// A rate in bytes that all transfers share.
pub(in crate::http) struct ByteRate {
    bytes_per_second: u64,
    bucket: Mutex<TokenBucket>,
}

impl ByteRate {
    /// At most so many bytes a second, from 1.
    pub(in crate::http) fn new(bytes_per_second: u64, now: Instant) -> ByteRate {
        let bytes_per_second = bytes_per_second.max(1);
        ByteRate {
            bytes_per_second,
            bucket: Mutex::new(TokenBucket::new(bytes_per_second as f64, 1.0, now)),
        }
    }

    /// How much to read at once, of `most`: with a low rate little, so that many transfers share
    /// it evenly and none waits long between two reads.
    pub(in crate::http) fn portion(&self, most: usize) -> usize {
        let tenth = usize::try_from(self.bytes_per_second / 10).unwrap_or(most);
        tenth.clamp(512, most.max(512)).min(most)
    }

    /// Waits until `bytes` that were received fit the rate, but not longer than the work may take; false
    /// if that time is over. In the order of the calls: what others received before is made good
    /// first, so that with a low rate and many transfers the wait can be a long one.
    pub(in crate::http) fn pay(&self, bytes: u64, timer: &dyn Timer, cancel: &CancelToken) -> bool {
        let now = timer.instant();
        let wait = {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.spend(bytes as f64, now)
        };
        let latest = cancel.deadline().map(|deadline| deadline.at());
        let most = latest.map_or(Duration::MAX, |at| at.saturating_duration_since(now));
        if !wait.is_zero() {
            timer.wait(wait.min(most), cancel);
        }
        wait < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_at_a_time_at_the_rate() {
        let start = Instant::now();
        // (a second, [(asked at ms, wait in ms)]); a tenth of the rate is there from the start.
        let rows: &[(f64, &[(u64, u64)])] = &[
            (
                1.0,
                &[(0, 0), (0, 1000), (400, 600), (1000, 0), (1000, 1000)],
            ),
            (0.5, &[(0, 0), (500, 1500), (2000, 0), (2000, 2000)]),
            (20.0, &[(0, 0), (0, 0), (0, 50), (50, 0), (50, 50)]),
            // After a long pause there is no more than at the start.
            (20.0, &[(0, 0), (60_000, 0), (60_000, 0), (60_000, 50)]),
            // A clock that stands still or goes back gives nothing.
            (
                1.0,
                &[(500, 0), (500, 1000), (0, 1000), (1499, 1), (1500, 0)],
            ),
        ];
        for (per_second, asked) in rows {
            let mut bucket = TokenBucket::new(*per_second, 1.0, start);
            for (at, wait) in *asked {
                let got = bucket.take_one(start + Duration::from_millis(*at));
                let got = got.err().unwrap_or_default().as_secs_f64();
                assert!(
                    (got - *wait as f64 / 1e3).abs() < 1e-4,
                    "{per_second} {asked:?}: {got}"
                );
            }
        }
    }

    #[test]
    fn who_waits_as_told_gets_one() {
        let mut now = Instant::now();
        let mut bucket = TokenBucket::new(3.0, 1.0, now);
        for _ in 0..100 {
            if let Err(wait) = bucket.take_one(now) {
                now += wait;
                assert_eq!(bucket.take_one(now), Ok(()));
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_never_pass_the_rate(
            rate in 1u64..1_000_000,
            reads in prop::collection::vec((1u64..32_768, 0u64..500), 1..50),
        ) {
            let start = Instant::now();
            let mut bucket = TokenBucket::new(rate as f64, 1.0, start);
            let (mut now, mut total) = (start, 0);
            for (bytes, idle_ms) in reads {
                now += Duration::from_millis(idle_ms);
                now += bucket.spend(bytes as f64, now);
                total += bytes;
                let allowed = (now - start).as_secs_f64() * rate as f64 + rate as f64 * 0.1 + 1.0;
                prop_assert!(total as f64 <= allowed * 1.000_001 + 1.0, "{total} > {allowed}");
            }
        }
    }

    #[test]
    fn little_is_read_at_once_where_the_rate_is_low() {
        let now = Instant::now();
        let rows = [(1, 512), (10_000, 1000), (u64::MAX, 32 << 10)];
        for (rate, want) in rows {
            assert_eq!(ByteRate::new(rate, now).portion(32 << 10), want);
        }
    }
}
