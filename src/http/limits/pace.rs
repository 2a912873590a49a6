//! How many requests one host gets at once, and from when: halved where it says that this is too
//! much, one more now and then while it says nothing of the kind. Pure.

use std::time::{Duration, Instant};

/// So many good answers earn one request more at once: from half of 64 back to all of it takes
/// the requests of some forty modules.
const GOOD_ANSWERS_PER_STEP: usize = 4;

/// When a try began, as far as halving is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PaceWindow(u64);

/// The pace of one host.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    most: usize,
    limit: usize,
    good_answers: usize,
    round: PaceWindow,
    held_until: Option<Instant>,
}

impl Pace {
    /// At most `most` requests at once, and at least one.
    pub(super) fn new(most: usize) -> Pace {
        let most = most.max(1);
        Pace {
            most,
            limit: most,
            good_answers: 0,
            round: PaceWindow::default(),
            held_until: None,
        }
    }

    /// How many requests may be under way now; from 1.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// What a try that begins now gives back with [`Pace::too_much`].
    pub(super) fn round(&self) -> PaceWindow {
        self.round
    }

    /// How long the host still wants to be left alone.
    pub(super) fn held(&self, now: Instant) -> Duration {
        self.held_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// A request was answered as it should be.
    pub(super) fn good_answer(&mut self) {
        if self.limit == self.most {
            return;
        }
        self.good_answers += 1;
        if self.good_answers >= GOOD_ANSWERS_PER_STEP {
            self.good_answers = 0;
            self.limit += 1;
        }
    }

    /// The host said 429 or 503 to a try of `round`. What was under way together is answered
    /// together, and that is one complaint, not as many as there were requests.
    pub(super) fn too_much(&mut self, round: PaceWindow) {
        self.good_answers = 0;
        if round == self.round {
            self.limit = (self.limit / 2).max(1);
            self.round = PaceWindow(self.round.0.wrapping_add(1));
        }
    }

    /// Nothing begins before `until`; an earlier wish does not shorten a later one.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// The host answers a try of the current round that it is too much.
        Busy,
        /// As `Busy`, of the round before.
        Late,
        Good(usize),
    }
    use Step::{Busy, Good, Late};

    #[test]
    fn halves_at_once_and_recovers_slowly() {
        // Worked out by hand from "halved once a round, one more for four good answers".
        let rows: &[(usize, &[Step], usize)] = &[
            (64, &[], 64),
            (64, &[Good(1000)], 64),
            (64, &[Busy], 32),
            (64, &[Busy, Late, Late, Late], 32),
            (64, &[Busy, Busy], 16),
            (64, &[Busy, Good(3)], 32),
            (64, &[Busy, Good(4)], 33),
            (64, &[Busy, Good(3), Late, Good(3)], 32),
            (64, &[Busy, Good(4 * 32)], 64),
            (64, &[Busy, Good(4 * 32 + 400)], 64),
            (5, &[Busy], 2),
            (5, &[Busy, Busy, Busy, Busy], 1),
            (5, &[Busy, Busy, Busy, Good(4)], 2),
            (1, &[Busy], 1),
            (0, &[Busy], 1),
        ];
        for (most, steps, want) in rows {
            let mut pace = Pace::new(*most);
            let mut before = pace.round();
            for step in *steps {
                match step {
                    Busy => {
                        before = pace.round();
                        pace.too_much(before);
                    }
                    Late => pace.too_much(before),
                    Good(times) => (0..*times).for_each(|_| pace.good_answer()),
                }
            }
            assert_eq!(pace.limit(), *want, "{most} {steps:?}");
        }
    }

    #[test]
    fn the_longest_wish_to_be_left_alone_holds() {
        let now = Instant::now();
        let seconds = Duration::from_secs;
        let mut pace = Pace::new(4);
        assert_eq!(pace.held(now), Duration::ZERO);
        pace.hold(now + seconds(7));
        pace.hold(now + seconds(3));
        assert_eq!(pace.held(now + seconds(1)), seconds(6));
        assert_eq!(pace.held(now + seconds(9)), Duration::ZERO);
    }
}
