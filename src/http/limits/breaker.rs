//! When a host is given up for a while, and when it is asked again. Pure.
//!
//! 250 modules of a proxy that is down are one piece of news, and should take about as long as
//! one of them. So, per host:
//! - *Sound*: everything passes.
//! - *Doubted*, after so many consecutive failed tries: requests that have not begun wait. Those that
//!   have failed a try continue, each by its own schedule, and so find out: a
//!   host that is away for a second or two costs only that time.
//! - *Given up*, when the last of those has used all its tries in vain: whatever was waiting, and
//!   whatever comes, fails at once.
//! - *Probed*: after a pause, one request passes. It makes the host sound again, or the next
//!   pause twice as long.
//!
//! One answer of any kind that the host means (also 404 or 403) makes it sound, from any state.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many consecutive failed tries raise doubt: as many as one request makes by default, so that
/// with few retries it takes several requests, and one never decides for all.
const TRIES: u32 = 5;

/// So many requests in vain prove that a host which can be reached is of no use. More than the
/// three files of one module: a proxy may fail for a module and serve the others.
const REQUESTS: u32 = 4;

/// The first pause. A run that has nothing else to do is over long before.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What the end of a request in vain says about the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum HostEvidence {
    /// There was no connection: no address, no listener, no TLS.
    Unreachable,
    /// It was reached, and did not do what it is there for.
    Failing,
}

/// Whether a request may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BreakerAdmission {
    Pass,
    /// It may, and what becomes of it decides.
    Probe,
    /// Not before something changes.
    Wait,
    /// The host is given up, for this reason.
    Refuse(Arc<str>),
}

#[derive(Clone, Debug)]
enum BreakerState {
    Closed,
    Suspect,
    Open { until: Instant, pause: Duration },
    HalfOpen { pause: Duration },
}

/// What is known about one host.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    state: BreakerState,
    /// Failed tries since it last answered.
    tries: u32,
    /// Requests in vain since it last answered; one that could not reach it counts for all that
    /// it takes.
    exhausted: u32,
    /// Why the first of those failed.
    cause: Option<Arc<str>>,
    /// Requests that have failed a try and are still at it.
    retrying: usize,
}

impl Breaker {
    pub(super) fn new() -> Breaker {
        Breaker {
            state: BreakerState::Closed,
            tries: 0,
            exhausted: 0,
            cause: None,
            retrying: 0,
        }
    }

    /// True if nothing is known against the host.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, BreakerState::Closed) && self.tries == 0 && self.exhausted == 0
    }

    /// Decides about a request that has not begun.
    pub(super) fn admit(&mut self, now: Instant) -> BreakerAdmission {
        match self.state {
            BreakerState::Closed => BreakerAdmission::Pass,
            BreakerState::Suspect => BreakerAdmission::Wait,
            BreakerState::Open { until, pause } if until <= now => {
                self.state = BreakerState::HalfOpen { pause };
                BreakerAdmission::Probe
            }
            BreakerState::Open { .. } | BreakerState::HalfOpen { .. } => {
                BreakerAdmission::Refuse(self.cause.clone().unwrap_or_else(|| "it fails".into()))
            }
        }
    }

    /// The host answered, and meant it.
    pub(super) fn answered(&mut self) {
        self.state = BreakerState::Closed;
        self.tries = 0;
        self.exhausted = 0;
        self.cause = None;
    }

    /// The host wants the `first` or a further try of a request to be made later, and says when: that is
    /// no sign of failure.
    pub(super) fn put_off(&mut self, first: bool) {
        self.retrying += usize::from(first);
    }

    /// A try failed; the `first` of its request or a further one.
    pub(super) fn try_failed(&mut self, first: bool) {
        self.tries = self.tries.saturating_add(1);
        self.retrying += usize::from(first);
        if self.tries >= TRIES && matches!(self.state, BreakerState::Closed) {
            self.state = BreakerState::Suspect;
        }
    }

    /// A request that has failed has used all its tries; [`Breaker::left`] follows.
    pub(super) fn exhausted(&mut self, evidence: HostEvidence, cause: &str) {
        let weight = match evidence {
            HostEvidence::Unreachable => REQUESTS,
            HostEvidence::Failing => 1,
        };
        self.exhausted = self.exhausted.saturating_add(weight);
        self.cause.get_or_insert_with(|| cause.into());
    }

    /// A request is over that had failed a try. Returns the reason if that was the last word, and
    /// the host is given up now.
    pub(super) fn left(&mut self, now: Instant, was_probe: bool) -> Option<Arc<str>> {
        self.retrying = self.retrying.saturating_sub(1);
        match self.state {
            BreakerState::Suspect if self.retrying == 0 => {
                if self.exhausted >= REQUESTS {
                    self.open(FIRST_PAUSE, now);
                    return self.cause.clone();
                }
                // Not enough to go by: the next failure raises doubt again.
                self.state = BreakerState::Closed;
                self.tries = TRIES - 1;
            }
            BreakerState::HalfOpen { pause } if was_probe => {
                self.open(pause.saturating_mul(2).min(LONGEST_PAUSE), now);
            }
            _ => {}
        }
        None
    }

    /// A probe is over that said nothing about the host.
    pub(super) fn probe_withdrawn(&mut self, now: Instant) {
        if let BreakerState::HalfOpen { pause } = self.state {
            self.open(pause, now);
        }
    }

    fn open(&mut self, pause: Duration, now: Instant) {
        let until = now + pause;
        self.state = BreakerState::Open { until, pause };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use HostEvidence::{Failing, Unreachable};

    /// What happens, and after `Ask` what is answered.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// At this many milliseconds: pass, probe, wait or refuse.
        Ask(u64, &'static str),
        /// So many requests fail their first try.
        Fail(usize),
        /// So many fail a further one.
        Again(usize),
        /// One is over in vain.
        Vain(HostEvidence),
        /// As `Vain`, at this time, and it was the probe.
        ProbeFails(u64),
        /// One that had failed is over for a reason of ours.
        Gone,
        Answer,
    }
    use Step::{Again, Answer, Ask, Fail, Gone, ProbeFails, Vain};

    fn play(steps: &[Step]) {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut breaker = Breaker::new();
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Ask(ms, want) => {
                    let got = match breaker.admit(at(ms)) {
                        BreakerAdmission::Pass => "pass",
                        BreakerAdmission::Probe => "probe",
                        BreakerAdmission::Wait => "wait",
                        BreakerAdmission::Refuse(cause) => {
                            assert_eq!(&*cause, "why");
                            "refuse"
                        }
                    };
                    assert_eq!(got, want, "step {number} of {steps:?}");
                }
                Fail(times) => (0..times).for_each(|_| breaker.try_failed(true)),
                Again(times) => (0..times).for_each(|_| breaker.try_failed(false)),
                Vain(evidence) => {
                    breaker.exhausted(evidence, "why");
                    breaker.left(start, false);
                }
                ProbeFails(ms) => {
                    breaker.exhausted(Unreachable, "why");
                    breaker.left(at(ms), true);
                }
                Gone => {
                    breaker.left(start, false);
                }
                Answer => breaker.answered(),
            }
        }
    }

    #[test]
    fn doubt_verdict_probe_and_recovery() {
        let rows: &[&[Step]] = &[
            &[Ask(0, "pass"), Fail(4), Ask(0, "pass")],
            // Five consecutive ones make others wait, and an answer lets them go.
            &[Fail(5), Ask(0, "wait"), Answer, Ask(0, "pass")],
            &[Fail(3), Answer, Fail(3), Ask(0, "pass")],
            // One request alone, by default five tries: enough where no server listens.
            &[
                Fail(1),
                Again(4),
                Ask(0, "wait"),
                Vain(Unreachable),
                Ask(0, "refuse"),
            ],
            // With fewer retries it takes more requests.
            &[
                Fail(1),
                Vain(Unreachable),
                Ask(0, "pass"),
                Fail(3),
                Ask(0, "pass"),
            ],
            // The verdict waits for the last that is still at it.
            &[
                Fail(6),
                Vain(Unreachable),
                Ask(0, "wait"),
                Gone,
                Gone,
                Gone,
                Gone,
                Ask(0, "wait"),
                Gone,
                Ask(0, "refuse"),
            ],
            &[
                Fail(6),
                Vain(Unreachable),
                Answer,
                Gone,
                Gone,
                Gone,
                Gone,
                Gone,
                Ask(0, "pass"),
            ],
            // A host that fails is given up after four requests, not after one.
            &[
                Fail(1),
                Again(4),
                Vain(Failing),
                Ask(0, "pass"),
                Fail(1),
                Ask(0, "wait"),
                Again(4),
                Vain(Failing),
                Ask(0, "pass"),
                Fail(1),
                Again(4),
                Vain(Failing),
                Ask(0, "pass"),
                Fail(1),
                Again(4),
                Vain(Failing),
                Ask(0, "refuse"),
            ],
            // No request used all tries: nothing is proven.
            &[
                Fail(5),
                Gone,
                Gone,
                Gone,
                Gone,
                Gone,
                Ask(0, "pass"),
                Fail(1),
                Ask(0, "wait"),
            ],
            // One probe after the pause, and no other request while it is under way.
            &[
                Fail(1),
                Again(4),
                Vain(Unreachable),
                Ask(4999, "refuse"),
                Ask(5000, "probe"),
                Ask(5000, "refuse"),
                Answer,
                Ask(5000, "pass"),
            ],
            // 5 s, then 10, then 20.
            &[
                Fail(1),
                Again(4),
                Vain(Unreachable),
                Ask(5000, "probe"),
                Fail(1),
                ProbeFails(6000),
                Ask(15_999, "refuse"),
                Ask(16_000, "probe"),
                Fail(1),
                ProbeFails(17_000),
                Ask(36_999, "refuse"),
                Ask(37_000, "probe"),
            ],
            // Who was under way when the host was given up can still save it.
            &[
                Fail(1),
                Again(4),
                Vain(Unreachable),
                Fail(1),
                Ask(0, "refuse"),
                Answer,
                Ask(0, "pass"),
            ],
        ];
        for steps in rows {
            play(steps);
        }
    }

    #[test]
    fn the_verdict_is_told_once_and_pauses_end_growing() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new();
        (0..5).for_each(|i| breaker.try_failed(i == 0));
        breaker.exhausted(Unreachable, "why");
        assert_eq!(breaker.left(now, false).as_deref(), Some("why"));
        for _ in 0..20 {
            now += LONGEST_PAUSE;
            assert_eq!(breaker.admit(now), BreakerAdmission::Probe);
            breaker.try_failed(true);
            breaker.exhausted(Unreachable, "why");
            assert_eq!(breaker.left(now, true), None);
        }
        // A probe that was called off costs no longer pause.
        now += LONGEST_PAUSE;
        assert_eq!(breaker.admit(now), BreakerAdmission::Probe);
        breaker.probe_withdrawn(now);
        assert!(matches!(breaker.admit(now), BreakerAdmission::Refuse(_)));
        assert_eq!(breaker.admit(now + LONGEST_PAUSE), BreakerAdmission::Probe);
    }
}
