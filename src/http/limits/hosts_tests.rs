//! Many threads before one host.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::SystemTime;

use super::*;
use crate::cancel::CancelToken;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// A clock that a sleep moves, for one thread.
struct Clock(Mutex<Instant>);

impl Clock {
    fn new() -> Clock {
        Clock(Mutex::new(Instant::now()))
    }
}

impl Timer for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn wait(&self, wait: Duration, _: &CancelToken) {
        *self.0.lock().unwrap() += wait;
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

/// A clock that stands still; who sleeps does so until the test lets go of `wake`.
struct Frozen {
    now: Instant,
    asleep: Mutex<mpsc::Sender<Duration>>,
    wake: Mutex<mpsc::Receiver<()>>,
}

impl Timer for Frozen {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        self.now
    }

    fn wait(&self, wait: Duration, _: &CancelToken) {
        let sender = self.asleep.lock().unwrap().clone();
        sender.send(wait).unwrap();
        let _ = self.wake.lock().unwrap().recv();
        panic!("woken");
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

fn settings(at_once: usize) -> HostSettings {
    HostSettings {
        at_once,
        per_second: None,
        longest_hold: MS(60_000),
    }
}

/// A try of a new request, which ends like this.
fn one_try(
    hosts: &Hosts,
    host: &str,
    clock: &Clock,
    told: AttemptOutcome,
) -> Result<(), HostRefusal> {
    let mut visit = hosts.visit(host, clock);
    visit.enter(None, &CancelToken::new())?;
    visit.leave(told);
    Ok(())
}

#[test]
fn a_host_never_has_more_than_its_limit_and_others_do_not_wait_for_it() {
    let hosts = Hosts::new(settings(3));
    let clock = Clock::new();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut visit = hosts.visit("a.com", &clock);
                visit.enter(None, &CancelToken::new()).unwrap();
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
    let mut all = [(); 3].map(|()| hosts.visit("a.com", &clock));
    all.iter_mut()
        .for_each(|visit| visit.enter(None, &CancelToken::new()).unwrap());
    one_try(&hosts, "b.com", &clock, AttemptOutcome::Answer).unwrap();
}

#[test]
fn a_wish_to_be_left_alone_holds_back_everybody_and_is_cut() {
    let clock = Clock::new();
    let start = clock.instant();
    let hosts = Hosts::new(settings(8));
    let too_much = |seconds| AttemptOutcome::TooMuch(Some(Duration::from_secs(seconds)));
    one_try(&hosts, "a.com", &clock, too_much(7)).unwrap();
    one_try(&hosts, "b.com", &clock, AttemptOutcome::Answer).unwrap();
    assert_eq!(clock.instant() - start, MS(0));
    one_try(&hosts, "a.com", &clock, too_much(100_000)).unwrap();
    assert_eq!(clock.instant() - start, MS(7000));
    one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).unwrap();
    assert_eq!(clock.instant() - start, MS(67_000));
}

#[test]
fn after_a_wait_that_was_obeyed_all_who_were_refused_may_try() {
    let clock = Clock::new();
    let start = clock.instant();
    let hosts = Hosts::new(settings(64));
    let mut visits: Vec<_> = (0..46).map(|_| hosts.visit("a.com", &clock)).collect();
    let enter = |visit: &mut HostPermit<'_>| visit.enter(None, &CancelToken::new()).unwrap();
    let wait = AttemptOutcome::TooMuch(Some(MS(1000)));
    let limit = || hosts.lock().get("a.com").unwrap().pace.limit();
    visits.iter_mut().for_each(enter);
    visits.iter_mut().for_each(|visit| visit.leave(wait));
    assert_eq!(limit(), 64, "the wait was all that was asked for");
    // One that has not begun need not wait for the others.
    one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).unwrap();
    visits.iter_mut().for_each(enter);
    assert_eq!(clock.instant() - start, MS(1000));
    // Refused again although they waited: that is too much at once.
    visits.iter_mut().for_each(|visit| visit.leave(wait));
    assert_eq!(limit(), 32);
}

#[test]
fn tries_are_counted_against_the_rate_and_each_host_has_its_own() {
    let clock = Clock::new();
    let start = clock.instant();
    let hosts = Hosts::new(HostSettings {
        per_second: Some(2.0),
        ..settings(8)
    });
    for _ in 0..5 {
        one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).unwrap();
    }
    assert_eq!(clock.instant() - start, MS(2000));
    one_try(&hosts, "b.com", &clock, AttemptOutcome::Answer).unwrap();
    assert_eq!(clock.instant() - start, MS(2000));
    let mut visit = hosts.visit("b.com", &clock);
    for _ in 0..2 {
        visit.enter(None, &CancelToken::new()).unwrap();
        visit.leave(AttemptOutcome::Trouble);
    }
    assert_eq!(clock.instant() - start, MS(3000));
}

#[test]
fn sixty_four_that_wait_for_one_host_keep_nobody_from_another() {
    let (asleep, sleeping) = mpsc::channel();
    let (wake, woken) = mpsc::channel();
    let timer = Arc::new(Frozen {
        now: Instant::now(),
        asleep: Mutex::new(asleep),
        wake: Mutex::new(woken),
    });
    let hosts = Arc::new(Hosts::new(HostSettings {
        per_second: Some(0.01),
        ..settings(64)
    }));
    let waiting: Vec<_> = (0..65)
        .map(|_| {
            let (hosts, timer) = (Arc::clone(&hosts), Arc::clone(&timer));
            thread::spawn(move || {
                let mut visit = hosts.visit("a.com", &*timer);
                visit.enter(None, &CancelToken::new()).unwrap();
                visit.leave(AttemptOutcome::Answer);
            })
        })
        .collect();
    for _ in 0..64 {
        assert_eq!(sleeping.recv().unwrap(), MS(100_000));
    }
    let mut visit = hosts.visit("b.com", &*timer);
    visit.enter(None, &CancelToken::new()).unwrap();
    drop(wake);
    let woken = waiting.into_iter().map(thread::JoinHandle::join);
    assert_eq!(woken.filter(Result::is_ok).count(), 1);
}

#[test]
fn many_find_a_dead_host_together_and_the_rest_is_refused() {
    let hosts = Arc::new(Hosts::new(settings(64)));
    let clock = Arc::new(Clock::new());
    let verdicts = AtomicUsize::new(0);
    let (asked, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut visit = hosts.visit("a.com", &*clock);
                    for tried in 0..5 {
                        if let Err(refusal) = visit.enter(None, &CancelToken::new()) {
                            assert_eq!(refusal, HostRefusal::BreakerOpen("why".into()));
                            assert_eq!(tried, 0, "who has begun may go on");
                            refused.fetch_add(1, Ordering::SeqCst);
                            break;
                        }
                        visit.leave(AttemptOutcome::Trouble);
                        if tried == 4 {
                            asked.fetch_add(1, Ordering::SeqCst);
                            let verdict = visit.exhausted(HostEvidence::Unreachable, "why");
                            verdicts.fetch_add(usize::from(verdict.is_some()), Ordering::SeqCst);
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(verdicts.load(Ordering::SeqCst), 1);
    let (asked, refused) = (asked.into_inner(), refused.into_inner());
    assert_eq!(asked + refused, 640);
    // Every thread may have begun before the fifth failure, and none begins twice.
    assert!((1..=64).contains(&asked), "{asked}");
    // After the pause one may ask, and its answer opens the way for all.
    clock.wait(MS(5000), &CancelToken::new());
    let mut probe = hosts.visit("a.com", &*clock);
    probe.enter(None, &CancelToken::new()).unwrap();
    assert!(one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).is_err());
    probe.leave(AttemptOutcome::Answer);
    assert!(one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).is_ok());
}

#[test]
fn who_waits_in_doubt_goes_on_when_the_host_is_back() {
    let hosts = Hosts::new(settings(64));
    let clock = Clock::new();
    let mut retrying = hosts.visit("a.com", &clock);
    for _ in 0..5 {
        retrying.enter(None, &CancelToken::new()).unwrap();
        retrying.leave(AttemptOutcome::Trouble);
    }
    thread::scope(|scope| {
        let waiting = scope.spawn(|| one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer));
        retrying.enter(None, &CancelToken::new()).unwrap();
        hosts.answered("a.com");
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
    // A request that is dropped in the middle gives everything back.
    drop(retrying);
    one_try(&hosts, "a.com", &clock, AttemptOutcome::Answer).unwrap();
}

#[test]
fn bad_luck_is_not_counted_as_often_as_there_are_retries() {
    let hosts = Hosts::new(settings(64));
    let clock = Clock::new();
    // (answers to others before each of the tries of one request, what counts after each)
    let rows: &[(&[usize], &[u32])] = &[
        (&[0, 0, 0], &[1, 2, 3]),
        (&[0, 1, 0, 0, 0], &[1, 1, 1, 2, 3]),
        (&[3, 0, 1], &[1, 2, 2]),
    ];
    for (answers, want) in rows {
        let mut visit = hosts.visit("a.com", &clock);
        let mut counted = Vec::new();
        for (tries, answers) in (1..).zip(*answers) {
            if tries == 1 {
                // What was answered before the request began says nothing.
                answered(&hosts, &clock, *answers);
            }
            visit.enter(None, &CancelToken::new()).unwrap();
            if tries > 1 {
                answered(&hosts, &clock, *answers);
            }
            visit.leave(AttemptOutcome::Trouble);
            counted.push(visit.counted(tries, 2));
        }
        assert_eq!(counted, *want, "{answers:?}");
    }
}

fn answered(hosts: &Hosts, clock: &Clock, times: usize) {
    for _ in 0..times {
        one_try(hosts, "a.com", clock, AttemptOutcome::Answer).unwrap();
    }
}

#[test]
fn a_turn_that_comes_too_late_is_none() {
    let clock = Clock::new();
    let hosts = Hosts::new(settings(8));
    let wish = AttemptOutcome::TooMuch(Some(Duration::from_secs(7)));
    one_try(&hosts, "a.com", &clock, wish).unwrap();
    let latest = |ms| Some(clock.instant() + MS(ms));
    let late = hosts
        .visit("a.com", &clock)
        .enter(latest(6999), &CancelToken::new());
    assert_eq!(late, Err(HostRefusal::TooLate));
    assert_eq!(
        hosts
            .visit("a.com", &clock)
            .enter(latest(7001), &CancelToken::new()),
        Ok(())
    );
}
