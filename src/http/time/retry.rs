//! When a failed request is tried again: a pure schedule, and the clock it is played against.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::date::parse_http_date;

use crate::cancel::CancelToken;

/// How often and how patiently a failed request is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many times more, after the first try.
    pub retries: u32,
    /// The longest wait before the second try; it doubles with each further one.
    pub base: Duration,
    /// The longest wait that doubling leads to.
    pub cap: Duration,
    /// The longest wait that a server can ask for; a longer wish is cut to this.
    pub max_retry_after: Duration,
    /// No try begins later than this after the first one began.
    pub max_time: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            retries: 4,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60),
            max_time: None,
        }
    }
}

/// A failure, as far as the schedule is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// Another try would end alike.
    Final,
    /// It may pass.
    Transient,
    /// It may pass, and the server said when to come back.
    After(Duration),
}

impl RetryPolicy {
    /// How long to wait before the next try, or `None` to give up.
    ///
    /// `tries` counts those made, from 1, or from 0 where the first is not held against the host;
    /// `elapsed` is since the first one began. Without word from the server the wait is `jitter`
    /// times `min(cap, base * 2^(tries-1))` ("full jitter": clients that failed together come
    /// back spread out). With word from it, it is what the server asked for, cut to
    /// `max_retry_after`, and `jitter * base` on top for the same reason. `jitter` is in [0, 1).
    #[must_use]
    pub fn schedule(
        &self,
        tries: u32,
        elapsed: Duration,
        failure: RetryClass,
        jitter: f64,
    ) -> Option<Duration> {
        if tries > self.retries {
            return None;
        }
        let jitter = if jitter.is_finite() {
            jitter.clamp(0.0, 1.0)
        } else {
            0.5
        };
        let wait = match failure {
            RetryClass::Final => return None,
            RetryClass::Transient => {
                // More doublings than 31 would not fit; the cap is reached long before.
                let doublings = tries.saturating_sub(1).min(31);
                let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
                longest.mul_f64(jitter)
            }
            RetryClass::After(wish) => {
                wish.min(self.max_retry_after) + self.base.min(self.cap).mul_f64(jitter)
            }
        };
        self.is_in_time(elapsed, wait).then_some(wait)
    }

    /// Whether a try after this wait is not later than `max_time` allows.
    pub(in crate::http) fn is_in_time(&self, elapsed: Duration, wait: Duration) -> bool {
        let next = elapsed.saturating_add(wait);
        self.max_time.is_none_or(|most| next <= most)
    }
}

/// Reads a `Retry-After` header: a number of seconds or an HTTP date. A date that has passed
/// means zero; `None` if it is neither.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is as good as for ever; the schedule cuts it.
        return Some(Duration::from_secs(
            value.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = i64::try_from(now).ok()?;
    let at = parse_http_date(value, now)?;
    Some(Duration::from_secs(u64::try_from(at - now).unwrap_or(0)))
}

/// What cannot be steered in a test: the clock, sleeping, chance.
pub trait Timer: Send + Sync {
    /// The time of day, for `Retry-After` dates.
    fn now(&self) -> SystemTime;
    /// The clock that only goes forward, for limits; it goes on while [`Timer::wait`] waits.
    fn instant(&self) -> Instant;
    /// Waits, but no longer than the work goes on.
    fn wait(&self, wait: Duration, cancel: &CancelToken);
    /// A number in [0, 1).
    fn jitter(&self) -> f64;
}

/// The real clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealTimer;

impl Timer for RealTimer {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn wait(&self, wait: Duration, cancel: &CancelToken) {
        cancel.wait(wait);
    }

    fn jitter(&self) -> f64 {
        // Each RandomState has other keys, so the hash of nothing is a random number; good
        // enough to spread clients, and no dependency.
        let random = RandomState::new().build_hasher().finish() >> 11;
        // 53 bits fit a float exactly.
        random as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn waits_double_up_to_the_cap_and_end() {
        let policy = RetryPolicy {
            retries: 8,
            ..RetryPolicy::default()
        };
        let longest: Vec<_> = (1..=9)
            .map(|tries| policy.schedule(tries, MS(0), RetryClass::Transient, 1.0))
            .collect();
        let want = [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000];
        let mut want: Vec<_> = want.into_iter().map(|ms| Some(MS(ms))).collect();
        want.push(None);
        assert_eq!(longest, want);
        assert_eq!(
            policy.schedule(3, MS(0), RetryClass::Transient, 0.25),
            Some(MS(250))
        );
        assert_eq!(
            policy.schedule(3, MS(0), RetryClass::Transient, 0.0),
            Some(MS(0))
        );
    }

    #[test]
    fn servers_are_obeyed_within_reason() {
        let policy = RetryPolicy::default();
        let after = |secs| RetryClass::After(Duration::from_secs(secs));
        assert_eq!(policy.schedule(1, MS(0), after(7), 0.0), Some(MS(7000)));
        assert_eq!(policy.schedule(4, MS(0), after(7), 0.5), Some(MS(7125)));
        assert_eq!(
            policy.schedule(1, MS(0), after(86_400), 0.0),
            Some(MS(60_000))
        );
        assert_eq!(policy.schedule(5, MS(0), after(1), 0.0), None);
    }

    #[test]
    fn final_failures_and_no_retries_give_up() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.schedule(1, MS(0), RetryClass::Final, 0.5), None);
        let once = RetryPolicy {
            retries: 0,
            ..policy
        };
        assert_eq!(once.schedule(1, MS(0), RetryClass::Transient, 0.5), None);
    }

    #[test]
    fn no_try_begins_after_the_time_for_all_of_them() {
        let policy = RetryPolicy {
            max_time: Some(MS(1000)),
            ..RetryPolicy::default()
        };
        let after = RetryClass::After(MS(600));
        assert_eq!(policy.schedule(1, MS(300), after, 0.0), Some(MS(600)));
        assert_eq!(policy.schedule(1, MS(400), after, 0.0), Some(MS(600)));
        assert_eq!(policy.schedule(1, MS(401), after, 0.0), None);
        assert_eq!(
            policy.schedule(1, MS(1001), RetryClass::Transient, 0.0),
            None
        );
        assert_eq!(policy.schedule(1, Duration::MAX, after, 0.5), None);
    }

    #[test]
    fn absurd_policies_do_not_overflow() {
        let policy = RetryPolicy {
            retries: u32::MAX,
            base: Duration::MAX,
            cap: Duration::from_secs(1),
            max_retry_after: Duration::from_secs(5),
            max_time: None,
        };
        assert_eq!(
            policy.schedule(u32::MAX, MS(0), RetryClass::Transient, f64::NAN),
            Some(MS(500))
        );
        assert_eq!(
            policy.schedule(9, MS(0), RetryClass::After(Duration::MAX), 1.0),
            Some(MS(6000))
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 1994-11-06 08:49:00 UTC
        let now = UNIX_EPOCH + Duration::from_secs(784_111_740);
        let rows = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
            ("Sun Nov  6 08:49:37 1994", Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ];
        for (value, want) in rows {
            let want = want.map(Duration::from_secs);
            assert_eq!(parse_retry_after(value, now), want, "{value:?}");
        }
    }

    #[test]
    fn jitter_is_in_range_and_varies() {
        let seen: Vec<f64> = (0..64).map(|_| RealTimer.jitter()).collect();
        assert!(seen.iter().all(|j| (0.0..1.0).contains(j)));
        assert!(seen.iter().any(|j| *j != seen[0]));
    }
}
