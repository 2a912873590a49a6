//! Answers that are found once and shared by all who ask, within bounds.
//!
//! Of those who ask for the same at the same time the first does the work, the others wait for it. Answers are kept
//! as long as there is room, the least recently used goes first. Failures are kept for a short time only, so that a
//! process that runs for weeks outlives an outage, and one that asks a thousand times in a second does not make a
//! thousand requests of it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::Cancelled;
use crate::error::Result;

/// A clock that only goes forward.
pub trait Clock: Send + Sync {
    /// The moment now.
    fn now(&self) -> Instant;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// How much a [`Memo`] keeps, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct MemoSettings {
    /// Answers kept at most, at least 1.
    pub capacity: usize,
    /// How long a failure counts: who asks later has it tried again.
    pub failure_ttl: Duration,
}

impl MemoSettings {
    /// A failure is tried again after as long as it takes to notice that something is wrong.
    pub const FAILURE_TTL: Duration = Duration::from_secs(30);

    /// Settings with room for so many answers.
    #[must_use]
    pub const fn holding(capacity: usize) -> MemoSettings {
        MemoSettings {
            capacity,
            failure_ttl: MemoSettings::FAILURE_TTL,
        }
    }
}

/// Answers by key.
///
/// Who waits for another's work must not be needed for it: the work may block, but runs nothing else on its thread
/// meanwhile (no rayon scope), and does not ask for the same key.
pub struct Memo<K, V> {
    settings: MemoSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<MemoSlots<K, V>>,
}

struct MemoSlots<K, V> {
    slots: HashMap<K, MemoSlot<V>>,
    /// Counts uses: the slot with the lowest number was used longest ago.
    uses: u64,
}

struct MemoSlot<V> {
    found: Arc<OnceLock<MemoResult<V>>>,
    used: u64,
}

struct MemoResult<V> {
    result: Result<V>,
    at: Instant,
}

impl<K: Hash + Eq + Clone, V: Clone> Memo<K, V> {
    /// Makes an empty memo, by the clock of this machine.
    #[must_use]
    pub fn new(settings: MemoSettings) -> Memo<K, V> {
        Memo::with_clock(settings, Arc::new(SystemClock))
    }

    /// Makes an empty memo.
    #[must_use]
    pub fn with_clock(settings: MemoSettings, clock: Arc<dyn Clock>) -> Memo<K, V> {
        Memo {
            settings,
            clock,
            state: Mutex::new(MemoSlots {
                slots: HashMap::new(),
                uses: 0,
            }),
        }
    }

    /// The answer for `key`: kept, being found, or found by `find`.
    ///
    /// # Errors
    /// Those of `find`, of this call or of an earlier one that still counts. That another's work was cancelled does
    /// not count: `find` is tried then.
    pub fn get(&self, key: &K, find: impl FnOnce() -> Result<V>) -> Result<V> {
        let mut find = Some(find);
        loop {
            let slot = self.slot(key);
            let mut at_work = false;
            let found = slot.get_or_init(|| {
                at_work = true;
                let result = find.take().map(|find| find());
                // Taken once: after its own work a call returns.
                let result = result.unwrap_or_else(|| Err(never_found()));
                let at = self.clock.now();
                MemoResult { result, at }
            });
            match &found.result {
                Err(error) if Cancelled::caused(error) => {
                    self.forget_slot(key, &slot);
                    if at_work {
                        return found.result.clone();
                    }
                }
                result => return result.clone(),
            }
        }
    }

    /// The answer for `key`, if there is one that counts.
    pub fn peek<Q>(&self, key: &Q) -> Option<Result<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let state = self.state();
        let found = state.slots.get(key)?.found.get()?;
        (!self.is_over(found)).then(|| found.result.clone())
    }

    /// Forgets the answer for `key`; who waits for one under way still gets it.
    pub fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.state().slots.remove(key);
    }

    fn forget_slot(&self, key: &K, slot: &Arc<OnceLock<MemoResult<V>>>) {
        let mut state = self.state();
        if let Some(kept) = state.slots.get(key)
            && Arc::ptr_eq(&kept.found, slot)
        {
            state.slots.remove(key);
        }
    }

    fn slot(&self, key: &K) -> Arc<OnceLock<MemoResult<V>>> {
        let mut state = self.state();
        state.uses += 1;
        let used = state.uses;
        if let Some(slot) = state.slots.get_mut(key) {
            slot.used = used;
            if slot.found.get().is_some_and(|found| self.is_over(found)) {
                slot.found = Arc::default();
            }
            return Arc::clone(&slot.found);
        }
        if state.slots.len() >= self.settings.capacity.max(1) {
            state.make_room();
        }
        let found = Arc::default();
        let slot = MemoSlot {
            found: Arc::clone(&found),
            used,
        };
        state.slots.insert(key.clone(), slot);
        found
    }

    fn is_over(&self, found: &MemoResult<V>) -> bool {
        found.result.is_err() && {
            let age = self.clock.now().saturating_duration_since(found.at);
            age >= self.settings.failure_ttl
        }
    }

    fn state(&self) -> MutexGuard<'_, MemoSlots<K, V>> {
        // The map is whole at every moment that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn never_found() -> crate::Error {
    crate::Error::new(crate::Kind::Other, "the answer was forgotten")
}

impl<K: Hash + Eq, V> MemoSlots<K, V> {
    /// Drops the eighth that was used longest ago, so that this is seldom done. What is being found stays.
    fn make_room(&mut self) {
        let done = self
            .slots
            .values()
            .filter(|slot| slot.found.get().is_some());
        let mut used: Vec<u64> = done.map(|slot| slot.used).collect();
        if used.is_empty() {
            return;
        }
        let last = used.len() / 8;
        let (_, &mut newest_to_go, _) = used.select_nth_unstable(last);
        let stays = |slot: &MemoSlot<V>| slot.used > newest_to_go || slot.found.get().is_none();
        self.slots.retain(|_, slot| stays(slot));
    }
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::error::{Error, Kind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    /// A clock that stands until it is moved.
    struct ManualClock(Mutex<Instant>);

    impl Clock for ManualClock {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }
    }

    fn failure<T>() -> Result<T> {
        Err(Error::new(Kind::Network, "down"))
    }

    #[test]
    fn many_who_ask_at_once_share_the_work() {
        let memo = Memo::<&str, usize>::new(MemoSettings::holding(8));
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let find = || Ok(count.fetch_add(1, Ordering::SeqCst));
                    assert_eq!(memo.get(&"a", find).unwrap(), 0);
                });
            }
        });
        assert_eq!(memo.peek("a").unwrap().unwrap(), 0);
        memo.forget("a");
        assert!(memo.peek("a").is_none());
        assert_eq!(memo.get(&"a", || Ok(7)).unwrap(), 7);
    }

    #[test]
    fn a_failure_counts_for_a_while() {
        let clock = Arc::new(ManualClock(Mutex::new(Instant::now())));
        let memo = Memo::with_clock(MemoSettings::holding(8), Arc::clone(&clock) as _);
        assert!(memo.get(&1, failure::<u8>).is_err());
        assert!(memo.get(&1, || Ok(5)).is_err());
        *clock.0.lock().unwrap() += MemoSettings::FAILURE_TTL;
        assert!(memo.peek(&1).is_none());
        assert_eq!(memo.get(&1, || Ok(5)).unwrap(), 5);
        *clock.0.lock().unwrap() += MemoSettings::FAILURE_TTL * 1000;
        assert_eq!(memo.get(&1, failure).unwrap(), 5);
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let memo = Memo::new(MemoSettings::holding(16));
        for key in 0..16 {
            memo.get(&key, || Ok(key)).unwrap();
        }
        memo.get(&0, failure).unwrap();
        memo.get(&16, || Ok(16)).unwrap();
        let kept: Vec<i32> = (0..17).filter(|key| memo.peek(key).is_some()).collect();
        assert!(kept.contains(&0) && kept.contains(&16) && !kept.contains(&1));
        for key in 0..100_000 {
            memo.get(&key, || Ok(key)).unwrap();
        }
        assert!(memo.state().slots.len() <= 16);
    }

    #[test]
    fn anothers_cancelled_work_is_done_again() {
        let memo = Memo::<u8, u8>::new(MemoSettings::holding(8));
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let memo = &memo;
            let first = scope.spawn(move || {
                memo.get(&1, || {
                    begun.send(()).unwrap();
                    let _ = ends.recv();
                    let token = CancelToken::new();
                    token.cancel();
                    token.check(&"it").map(|()| 1)
                })
            });
            begins.recv().unwrap();
            let second = scope.spawn(|| memo.get(&1, || Ok(2)));
            drop(end);
            assert!(first.join().unwrap().is_err());
            assert_eq!(second.join().unwrap().unwrap(), 2);
        });
    }
}
