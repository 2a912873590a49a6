//! One piece of work for all who want the same thing at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Results by key: the first who asks does the work, the others wait for it.
///
/// Whoever waits here must not have to finish before the work can: the work may block, but runs
/// nothing else on its thread meanwhile (no rayon scope).
#[derive(Debug)]
pub(super) struct Flight<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Flight<K, V> {
    fn default() -> Flight<K, V> {
        Flight(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Flight<K, V> {
    /// The result for `key`, obtained by `work` if nobody has yet.
    pub(super) fn get(&self, key: &K, work: impl FnOnce() -> V) -> V {
        let slot = Arc::clone(self.slots().entry(key.clone()).or_default());
        slot.get_or_init(work).clone()
    }

    /// The result for `key`, if it is there.
    pub(super) fn peek(&self, key: &K) -> Option<V> {
        let slot = Arc::clone(self.slots().get(key)?);
        slot.get().cloned()
    }

    /// Forgets a result; who waits for it still gets it.
    pub(super) fn forget(&self, key: &K) {
        self.slots().remove(key);
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceLock<V>>>> {
        // The map is whole at every moment that could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn work_is_done_once_for_many() {
        let flight = Flight::<&str, usize>::default();
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let work = || count.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(flight.get(&"a", work), 0);
                });
            }
        });
        assert_eq!(flight.peek(&"a"), Some(0));
        flight.forget(&"a");
        assert_eq!(flight.peek(&"a"), None);
        assert_eq!(flight.get(&"a", || 7), 7);
    }
}
