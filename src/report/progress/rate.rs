//! How fast things are going, and how long they will take.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which a rate is taken: long enough to be steady, short enough to notice a stall.
const WINDOW: Duration = Duration::from_secs(8);

/// A count, looked at again and again.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// Times and counts, the oldest first.
    seen: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Takes note of the count now.
    pub(super) fn note(&mut self, now: Instant, count: u64) {
        self.seen.push_back((now, count));
        // The oldest stays until the next one is old enough: the window is never shorter than it can be.
        while self
            .seen
            .get(1)
            .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
        {
            self.seen.pop_front();
        }
    }

    /// How much was added a second; `None` while it cannot be said.
    pub(super) fn per_second(&self) -> Option<f64> {
        let (first, from) = self.seen.front()?;
        let (last, to) = self.seen.back()?;
        let seconds = last.duration_since(*first).as_secs_f64();
        (seconds > 0.0).then(|| to.saturating_sub(*from) as f64 / seconds)
    }

    /// How long the rest will take at this rate; `None` while that is a guess, or nothing moves.
    pub(super) fn left(&self, rest: u64) -> Option<Duration> {
        let (first, from) = self.seen.front()?;
        let (last, to) = self.seen.back()?;
        let watched = last.duration_since(*first);
        let known = watched >= Duration::from_secs(2) && to.saturating_sub(*from) >= 3;
        let seconds = rest as f64 / self.per_second()?;
        // A time beyond the clock is not finite.
        Duration::try_from_secs_f64(seconds).ok().filter(|_| known)
    }
}

/// A time to go: `5s`, `2m05s`, `1h02m`.
pub(super) fn time_left(left: Duration) -> String {
    let seconds = left.as_secs_f64().ceil() as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(), None);
        rate.note(at(0), 0);
        assert_eq!(rate.per_second(), None);
        rate.note(at(1), 100);
        assert_eq!(rate.per_second(), Some(100.0));
        assert_eq!(rate.left(500), None, "one second says little");
        rate.note(at(2), 200);
        assert_eq!(rate.left(500), Some(Duration::from_secs(5)));
        for second in 3..20 {
            rate.note(at(second), 200 + (second - 2) * 10);
        }
        assert_eq!(rate.per_second(), Some(10.0));
        for second in 20..40 {
            rate.note(at(second), 370);
        }
        assert_eq!(rate.left(500), None, "nothing moves");
    }

    #[test]
    fn times_are_short() {
        let rows = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m00s"),
            (125, "2m05s"),
            (3720, "1h02m"),
        ];
        for (seconds, want) in rows {
            assert_eq!(time_left(Duration::from_secs(seconds)), want);
        }
    }
}
