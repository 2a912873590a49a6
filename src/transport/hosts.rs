//! How many requests one host gets at once.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// Gives out turns, so many a host at a time; who finds none waits for one.
#[derive(Debug)]
pub(super) struct HostLimits {
    limit: usize,
    busy: Mutex<HashMap<String, usize>>,
    freed: Condvar,
}

/// The right to have one request under way; given back when dropped.
#[must_use = "the turn is given back when this is dropped"]
pub(super) struct Turn<'a> {
    limits: &'a HostLimits,
    host: &'a str,
}

impl HostLimits {
    /// `limit` requests at once for each host, at least one.
    pub(super) fn new(limit: usize) -> HostLimits {
        HostLimits {
            limit: limit.max(1),
            busy: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits for a turn. It ends as soon as another request to that host does, and each of
    /// those has its time-outs.
    pub(super) fn turn<'a>(&'a self, host: &'a str) -> Turn<'a> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match busy.get_mut(host) {
                Some(count) if *count >= self.limit => {}
                Some(count) => {
                    *count += 1;
                    return Turn { limits: self, host };
                }
                None => {
                    busy.insert(host.to_owned(), 1);
                    return Turn { limits: self, host };
                }
            }
            busy = self
                .freed
                .wait(busy)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self
            .limits
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(self.host) {
            *count = count.saturating_sub(1);
        }
        self.limits.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn a_host_never_has_more_than_its_limit_and_others_do_not_wait_for_it() {
        let limits = HostLimits::new(3);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let _turn = limits.turn("a.com");
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
        let _all: Vec<_> = (0..3).map(|_| limits.turn("a.com")).collect();
        let _other = limits.turn("b.com");
    }
}
