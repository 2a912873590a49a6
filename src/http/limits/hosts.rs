//! Who may ask which host now: the pace, the breaker and the request rate of each, behind one
//! lock.
//!
//! Each host is on its own: whoever waits for one holds no lock and nothing that another needs.
//! A request that waits here is not under way: no time-out runs.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::breaker::{Breaker, BreakerAdmission, HostEvidence};
use super::bucket::TokenBucket;
use super::pace::{Pace, PaceWindow};
use crate::cancel::CancelToken;
use crate::http::time::Timer;

/// The limits, the same for every host.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct HostSettings {
    /// Requests at once, at most.
    pub(in crate::http) at_once: usize,
    /// Tries a second; `None` for any number.
    pub(in crate::http) per_second: Option<f64>,
    /// The longest time that a host can have itself left alone.
    pub(in crate::http) longest_hold: Duration,
}

/// What a try has shown of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum AttemptOutcome {
    /// It does its work.
    Answer,
    /// It failed in a way that may pass.
    Trouble,
    /// As `Trouble`, and it said 429 or 503: it is asked too much. Perhaps also from when on it
    /// wants to be asked again.
    TooMuch(Option<Duration>),
    /// Nothing: the trouble is our own.
    Nothing,
}

/// Why there is no turn for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum HostRefusal {
    /// The host is given up, for this reason.
    BreakerOpen(Arc<str>),
    /// It would come after the time that was allowed.
    TooLate,
    /// The work was cancelled while it waited.
    Cancelled,
}

/// How often a request that waits for others looks whether its work was cancelled.
const LOOK_UP: Duration = Duration::from_millis(500);

/// Hosts that are known at a time, before those are forgotten that nothing is known against.
const MOST_HOSTS: usize = 1024;

/// All hosts.
pub(in crate::http) struct Hosts {
    settings: HostSettings,
    hosts: Mutex<HashMap<String, Host>>,
    changed: Condvar,
}

struct Host {
    busy: usize,
    pace: Pace,
    breaker: Breaker,
    rate: Option<TokenBucket>,
    /// Requests that it has answered.
    answers: u64,
}

/// One request to a host, over all its tries. What it holds is given back when it is dropped.
#[must_use = "it ends when this is dropped"]
pub(in crate::http) struct HostPermit<'a> {
    hosts: &'a Hosts,
    host: &'a str,
    timer: &'a dyn Timer,
    /// A try has begun: further ones need no admission.
    admitted: bool,
    probe: bool,
    retrying: bool,
    /// It has waited once for as long as the host wished.
    put_off: bool,
    /// Of the try under way.
    round: Option<PaceWindow>,
    /// What the host had answered when this request began.
    answers_before: u64,
    /// Failed tries while it answered others.
    unlucky: u32,
}

impl Hosts {
    pub(in crate::http) fn new(settings: HostSettings) -> Hosts {
        Hosts {
            settings,
            hosts: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Announces a request; it begins with [`HostPermit::enter`].
    pub(in crate::http) fn visit<'a>(
        &'a self,
        host: &'a str,
        timer: &'a dyn Timer,
    ) -> HostPermit<'a> {
        HostPermit {
            hosts: self,
            host,
            timer,
            admitted: false,
            probe: false,
            retrying: false,
            put_off: false,
            round: None,
            answers_before: 0,
            unlucky: 0,
        }
    }

    /// A host sends what it was asked for: whatever becomes of it, the host is there.
    pub(in crate::http) fn answered(&self, host: &str) {
        if let Some(host) = self.lock().get_mut(host) {
            host.breaker.answered();
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host<'m>(
        &self,
        hosts: &'m mut HashMap<String, Host>,
        name: &str,
        now: Instant,
    ) -> &'m mut Host {
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(name) {
            hosts.retain(|_, host| host.busy > 0 || !host.is_as_new(now));
        }
        hosts.entry(name.to_owned()).or_insert_with(|| Host {
            busy: 0,
            pace: Pace::new(self.settings.at_once),
            breaker: Breaker::new(),
            rate: self
                .settings
                .per_second
                .map(|per_second| TokenBucket::new(per_second, 1.0, now)),
            answers: 0,
        })
    }
}

impl HostPermit<'_> {
    /// Waits for a turn to make a try; [`HostPermit::leave`] ends it.
    ///
    /// The waits have an end: turns are given back by requests that have time-outs, a host is in
    /// doubt while a bounded number of tries is made, and it can hold others back only so long.
    ///
    /// # Errors
    /// The host is given up, but only for the first try: who has begun may go on. The turn would
    /// come after `latest`.
    pub(in crate::http) fn enter(
        &mut self,
        latest: Option<Instant>,
        cancel: &CancelToken,
    ) -> Result<(), HostRefusal> {
        let hosts = self.hosts;
        let mut all = hosts.lock();
        loop {
            if cancel.is_cancelled() {
                return Err(HostRefusal::Cancelled);
            }
            if cancel.is_over() {
                return Err(HostRefusal::TooLate);
            }
            let now = self.timer.instant();
            let host = hosts.host(&mut all, self.host, now);
            let admission = if self.admitted || self.probe {
                BreakerAdmission::Pass
            } else {
                host.breaker.admit(now)
            };
            let clock_wait = match admission {
                BreakerAdmission::Refuse(cause) => return Err(HostRefusal::BreakerOpen(cause)),
                BreakerAdmission::Wait => None,
                BreakerAdmission::Pass | BreakerAdmission::Probe => {
                    self.probe |= admission == BreakerAdmission::Probe;
                    match host.ready(now) {
                        HostReadiness::Now => {
                            host.busy += 1;
                            self.round = Some(host.pace.round());
                            if !self.admitted {
                                self.answers_before = host.answers;
                            }
                            self.admitted = true;
                            return Ok(());
                        }
                        HostReadiness::In(wait)
                            if latest.is_some_and(|latest| now + wait > latest) =>
                        {
                            return Err(HostRefusal::TooLate);
                        }
                        HostReadiness::In(wait) => Some(wait),
                        HostReadiness::OnChange => None,
                    }
                }
            };
            all = match clock_wait {
                Some(wait) => {
                    drop(all);
                    self.timer.wait(wait, cancel);
                    hosts.lock()
                }
                // The end of the work does not wake a waiter: it is polled for.
                None => {
                    let waited = hosts.changed.wait_timeout(all, LOOK_UP);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Ends a try.
    pub(in crate::http) fn leave(&mut self, told: AttemptOutcome) {
        let Some(round) = self.round.take() else {
            return;
        };
        let now = self.timer.instant();
        let mut all = self.hosts.lock();
        let host = self.hosts.host(&mut all, self.host, now);
        host.busy = host.busy.saturating_sub(1);
        match told {
            AttemptOutcome::Answer => {
                host.pace.good_answer();
                host.breaker.answered();
                host.answers = host.answers.wrapping_add(1);
                // It has found out what was to be found out.
                self.probe = false;
            }
            // Its first word, and it says when: that wait is what was to be done, and all who wait may
            // try then. A host that says so of each file's first request would else be asked one by one.
            AttemptOutcome::TooMuch(Some(_)) if !self.put_off => {
                host.breaker.put_off(!self.retrying);
                self.retrying = true;
                self.unlucky += u32::from(host.answers != self.answers_before);
            }
            AttemptOutcome::Trouble | AttemptOutcome::TooMuch(_) => {
                host.breaker.try_failed(!self.retrying);
                self.retrying = true;
                self.unlucky += u32::from(host.answers != self.answers_before);
            }
            AttemptOutcome::Nothing => {}
        }
        if let AttemptOutcome::TooMuch(wish) = told {
            if wish.is_none() || self.put_off {
                host.pace.too_much(round);
            }
            self.put_off |= wish.is_some();
            if let Some(wish) = wish {
                host.pace
                    .hold(now + wish.min(self.hosts.settings.longest_hold));
            }
        }
        drop(all);
        self.hosts.changed.notify_all();
    }

    /// How long the host still wants to be left alone, as far as it has said so.
    pub(in crate::http) fn held(&self) -> Duration {
        let all = self.hosts.lock();
        let host = all.get(self.host);
        host.map_or(Duration::ZERO, |host| host.pace.held(self.timer.instant()))
    }

    /// How many of `tries` failed ones count where each request has `retries` more than one.
    ///
    /// A try that failed while the host answered others was bad luck, and as many of those as
    /// there are retries are not counted: where every fifth answer is a fault, four retries leave
    /// one request of 3125 without any, and a run of 250 modules makes 750. A host that answers
    /// no request gets no more tries for that.
    pub(in crate::http) fn counted(&self, tries: u32, retries: u32) -> u32 {
        tries.saturating_sub(self.unlucky.min(retries))
    }

    /// Ends the request after its last try failed in a way that may pass. Returns the reason if
    /// with it the host is given up.
    pub(in crate::http) fn exhausted(
        mut self,
        evidence: HostEvidence,
        cause: &str,
    ) -> Option<Arc<str>> {
        if self.retrying {
            let now = self.timer.instant();
            let mut all = self.hosts.lock();
            let host = self.hosts.host(&mut all, self.host, now);
            host.breaker.exhausted(evidence, cause);
        }
        self.end()
    }

    fn end(&mut self) -> Option<Arc<str>> {
        self.leave(AttemptOutcome::Nothing);
        let (retrying, probe) = (self.retrying, self.probe);
        (self.retrying, self.probe) = (false, false);
        if !retrying && !probe {
            return None;
        }
        let now = self.timer.instant();
        let mut all = self.hosts.lock();
        let breaker = &mut self.hosts.host(&mut all, self.host, now).breaker;
        let verdict = if retrying {
            breaker.left(now, probe)
        } else {
            breaker.probe_withdrawn(now);
            None
        };
        drop(all);
        self.hosts.changed.notify_all();
        verdict
    }
}

impl Drop for HostPermit<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

enum HostReadiness {
    Now,
    In(Duration),
    /// When another request ends.
    OnChange,
}

impl Host {
    /// True if nothing would be lost by forgetting it.
    fn is_as_new(&self, now: Instant) -> bool {
        self.breaker.is_closed() && self.pace.held(now).is_zero()
    }

    /// Whether one more request may be under way; if so, it is counted against the rate.
    fn ready(&mut self, now: Instant) -> HostReadiness {
        if self.busy >= self.pace.limit() {
            return HostReadiness::OnChange;
        }
        let held = self.pace.held(now);
        if !held.is_zero() {
            return HostReadiness::In(held);
        }
        match self.rate.as_mut().map(|rate| rate.take_one(now)) {
            Some(Err(wait)) => HostReadiness::In(wait),
            Some(Ok(())) | None => HostReadiness::Now,
        }
    }
}

#[cfg(test)]
#[path = "hosts_tests.rs"]
mod tests;
