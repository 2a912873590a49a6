//! Who may ask which host now: the pace, the breaker and the request rate of each, behind one
//! lock.
//!
//! Each host is on its own: whoever waits for one holds no lock and nothing that another needs.
//! A request that waits here is not under way: no time-out runs.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::breaker::{Admission, Breaker, Evidence};
use super::bucket::Bucket;
use super::pace::{Pace, Round};
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

/// What a try told about its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Told {
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
pub(in crate::http) enum Refusal {
    /// The host is given up, for this reason.
    GivenUp(Arc<str>),
    /// It would come after the time that was allowed.
    TooLate,
}

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
    rate: Option<Bucket>,
    /// Requests that it has answered.
    answers: u64,
}

/// One request to a host, over all its tries. What it holds is given back when it is dropped.
#[must_use = "it ends when this is dropped"]
pub(in crate::http) struct Visit<'a> {
    hosts: &'a Hosts,
    host: &'a str,
    timer: &'a dyn Timer,
    /// A try has begun: further ones need no admission.
    admitted: bool,
    probe: bool,
    struggling: bool,
    /// Of the try under way.
    round: Option<Round>,
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

    /// Announces a request; it begins with [`Visit::enter`].
    pub(in crate::http) fn visit<'a>(&'a self, host: &'a str, timer: &'a dyn Timer) -> Visit<'a> {
        Visit {
            hosts: self,
            host,
            timer,
            admitted: false,
            probe: false,
            struggling: false,
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
        // One entry for each host ever asked, which are few.
        hosts.entry(name.to_owned()).or_insert_with(|| Host {
            busy: 0,
            pace: Pace::new(self.settings.at_once),
            breaker: Breaker::new(),
            rate: self
                .settings
                .per_second
                .map(|per_second| Bucket::new(per_second, 1.0, now)),
            answers: 0,
        })
    }
}

impl Visit<'_> {
    /// Waits for a turn to make a try; [`Visit::leave`] ends it.
    ///
    /// The waits have an end: turns are given back by requests that have time-outs, a host is in
    /// doubt while a bounded number of tries is made, and it can hold others back only so long.
    ///
    /// # Errors
    /// The host is given up, but only for the first try: who has begun may go on. The turn would
    /// come after `latest`.
    pub(in crate::http) fn enter(&mut self, latest: Option<Instant>) -> Result<(), Refusal> {
        let hosts = self.hosts;
        let mut all = hosts.lock();
        loop {
            let now = self.timer.instant();
            let host = hosts.host(&mut all, self.host, now);
            let admission = if self.admitted || self.probe {
                Admission::Pass
            } else {
                host.breaker.admit(now)
            };
            let clock_wait = match admission {
                Admission::Refuse(cause) => return Err(Refusal::GivenUp(cause)),
                Admission::Wait => None,
                Admission::Pass | Admission::Probe => {
                    self.probe |= admission == Admission::Probe;
                    match host.ready(now) {
                        Ready::Now => {
                            host.busy += 1;
                            self.round = Some(host.pace.round());
                            if !self.admitted {
                                self.answers_before = host.answers;
                            }
                            self.admitted = true;
                            return Ok(());
                        }
                        Ready::In(wait) if latest.is_some_and(|latest| now + wait > latest) => {
                            return Err(Refusal::TooLate);
                        }
                        Ready::In(wait) => Some(wait),
                        Ready::OnChange => None,
                    }
                }
            };
            all = match clock_wait {
                Some(wait) => {
                    drop(all);
                    self.timer.sleep(wait);
                    hosts.lock()
                }
                None => hosts
                    .changed
                    .wait(all)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Ends a try.
    pub(in crate::http) fn leave(&mut self, told: Told) {
        let Some(round) = self.round.take() else {
            return;
        };
        let now = self.timer.instant();
        let mut all = self.hosts.lock();
        let host = self.hosts.host(&mut all, self.host, now);
        host.busy = host.busy.saturating_sub(1);
        match told {
            Told::Answer => {
                host.pace.good_answer();
                host.breaker.answered();
                host.answers = host.answers.wrapping_add(1);
                // It has found out what was to be found out.
                self.probe = false;
            }
            Told::Trouble | Told::TooMuch(_) => {
                host.breaker.try_failed(!self.struggling);
                self.struggling = true;
                self.unlucky += u32::from(host.answers != self.answers_before);
            }
            Told::Nothing => {}
        }
        if let Told::TooMuch(wish) = told {
            host.pace.too_much(round);
            if let Some(wish) = wish {
                host.pace
                    .hold(now + wish.min(self.hosts.settings.longest_hold));
            }
        }
        drop(all);
        self.hosts.changed.notify_all();
    }

    /// How long the host still wants to be left alone, as far as anyone was told.
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
    /// nobody gets no more tries for that.
    pub(in crate::http) fn counted(&self, tries: u32, retries: u32) -> u32 {
        tries.saturating_sub(self.unlucky.min(retries))
    }

    /// Ends the request after its last try failed in a way that may pass. Returns the reason if
    /// with it the host is given up.
    pub(in crate::http) fn in_vain(mut self, evidence: Evidence, cause: &str) -> Option<Arc<str>> {
        if self.struggling {
            let now = self.timer.instant();
            let mut all = self.hosts.lock();
            let host = self.hosts.host(&mut all, self.host, now);
            host.breaker.in_vain(evidence, cause);
        }
        self.end()
    }

    fn end(&mut self) -> Option<Arc<str>> {
        self.leave(Told::Nothing);
        let (struggling, probe) = (self.struggling, self.probe);
        (self.struggling, self.probe) = (false, false);
        if !struggling && !probe {
            return None;
        }
        let now = self.timer.instant();
        let mut all = self.hosts.lock();
        let breaker = &mut self.hosts.host(&mut all, self.host, now).breaker;
        let verdict = if struggling {
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

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

enum Ready {
    Now,
    In(Duration),
    /// When another request ends.
    OnChange,
}

impl Host {
    /// Whether one more request may be under way; if so, it is counted against the rate.
    fn ready(&mut self, now: Instant) -> Ready {
        if self.busy >= self.pace.limit() {
            return Ready::OnChange;
        }
        let held = self.pace.held(now);
        if !held.is_zero() {
            return Ready::In(held);
        }
        match self.rate.as_mut().map(|rate| rate.take_one(now)) {
            Some(Err(wait)) => Ready::In(wait),
            Some(Ok(())) | None => Ready::Now,
        }
    }
}

#[cfg(test)]
#[path = "hosts_tests.rs"]
mod tests;
