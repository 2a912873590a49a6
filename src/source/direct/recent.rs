//! Answers that are kept for a while, and found out once although many ask at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::work;

/// How long an answer of a repository counts. A run of the program is over before; a server that
/// goes on for days sees new tags after this time.
const KEPT: Duration = Duration::from_secs(300);

/// How long a failure counts: the three files of a module version ask the same thing, and a
/// server that was down may be up again soon.
const FAILURE_KEPT: Duration = Duration::from_secs(20);

/// Answers by key. While one is found out, others that want it wait.
pub(super) struct Recent<K, V, E>(Mutex<HashMap<K, RecentSlot<V, E>>>);

type RecentSlot<V, E> = Arc<Mutex<Option<(Instant, Result<V, E>)>>>;

impl<K, V, E> Default for Recent<K, V, E> {
    fn default() -> Recent<K, V, E> {
        Recent(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone, E: Clone> Recent<K, V, E> {
    /// True if nothing was asked for yet.
    pub(super) fn is_empty(&self) -> bool {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.is_empty()
    }

    /// The answer for `key`, by `find` if none is kept.
    pub(super) fn get(&self, key: K, find: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key).or_default())
        };
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, answer)) = &*kept {
            let limit = if answer.is_ok() { KEPT } else { FAILURE_KEPT };
            if at.elapsed() < limit {
                return answer.clone();
            }
        }
        let answer = find();
        if answer.is_err() && work::is_over() {
            // What was broken off says nothing to others.
            return answer;
        }
        *kept = Some((Instant::now(), answer.clone()));
        answer
    }
}
