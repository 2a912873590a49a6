//! Cancellation: one token for every way in which work is stopped before it is done.
//!
//! A token belongs to a piece of work; [`CancelToken::child`] gives a part of that work a token of its own.
//! Cancelling reaches downwards only: a child ends with its parent, and a parent outlives its children.
//!
//! Work notices in three ways, whichever fits: it asks ([`CancelToken::check`]) between two steps, it waits with
//! [`CancelToken::wait`] instead of sleeping, or it leaves a hook ([`CancelToken::on_cancel`]) that breaks off what
//! blocks, as a read from a connection. A token can have a [`Deadline`], after which the work is over
//! ([`CancelToken::is_over`]). No thread watches the clock, so hooks do not run then: what blocks has a time-out that
//! ends in time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};

/// When a piece of work has to be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    /// So long from now; `None` if that is beyond what the clock can count.
    #[must_use]
    pub fn after(whole: Duration) -> Option<Deadline> {
        let at = Instant::now().checked_add(whole)?;
        Some(Deadline { at, whole })
    }

    /// The moment itself.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// True if it has passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The time until then.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The time that the work was given, for messages.
    #[must_use]
    pub fn whole(&self) -> Duration {
        self.whole
    }
}

/// Says that a piece of work is to stop. Clones are the same token.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<CancelNode>);

#[derive(Default)]
struct CancelNode {
    cancelled: AtomicBool,
    deadline: Option<Deadline>,
    state: Mutex<CancelState>,
    changed: Condvar,
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct CancelState {
    hooks: BTreeMap<u64, Hook>,
    next_hook: u64,
    children: Vec<Weak<CancelNode>>,
    /// Children beyond which those that are gone are swept out.
    sweep_at: usize,
}

/// Children that a token holds before it looks for those that are gone.
const FIRST_SWEEP: usize = 64;

impl CancelToken {
    /// Makes a token that nothing else cancels.
    #[must_use]
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Makes a token for a part of the work: cancelled with this one, and on its own.
    #[must_use]
    pub fn child(&self) -> CancelToken {
        self.with_deadline(None)
    }

    /// Makes a child that is cancelled when `deadline` has passed, too.
    #[must_use]
    pub fn with_deadline(&self, deadline: Option<Deadline>) -> CancelToken {
        let earliest = |one: Deadline, other: Deadline| if other.at < one.at { other } else { one };
        let both = self.0.deadline.into_iter().chain(deadline);
        let child = Arc::new(CancelNode {
            deadline: both.reduce(earliest),
            ..CancelNode::default()
        });
        let mut state = self.0.state();
        // Under the lock: a token that is being cancelled takes its children out under it.
        if self.0.cancelled.load(Ordering::SeqCst) {
            child.cancelled.store(true, Ordering::SeqCst);
        } else {
            if state.children.len() >= state.sweep_at.max(FIRST_SWEEP) {
                state.children.retain(|child| child.strong_count() > 0);
                state.sweep_at = state.children.len() * 2;
            }
            state.children.push(Arc::downgrade(&child));
        }
        CancelToken(Arc::clone(&child))
    }

    /// Cancels the work and its parts. Runs the hooks on this thread; later calls do nothing.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// True if the work was cancelled; that its deadline has passed does not count.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// True if the work was cancelled, or its deadline has passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_cancelled() || self.0.deadline.is_some_and(|end| end.is_over())
    }

    /// Refuses to continue work that is over.
    ///
    /// # Errors
    /// [`Cancelled`] by reason, `subject` being what was to be done.
    pub fn check(&self, subject: &dyn fmt::Display) -> Result<()> {
        match self.is_over() {
            true => Err(Error::new(Kind::Other, subject.to_string()).because(Cancelled)),
            false => Ok(()),
        }
    }

    /// When the work has to be done: the earliest deadline of the token and its ancestors.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.0.deadline
    }

    /// Sleeps, but no longer than the work goes on. True if it is over.
    pub fn wait(&self, time: Duration) -> bool {
        let time = self.0.deadline.map_or(time, |end| time.min(end.left()));
        let state = self.0.state();
        let ignoring_conflicts = |_: &mut CancelState| !self.0.cancelled.load(Ordering::SeqCst);
        let waited = self
            .0
            .changed
            .wait_timeout_while(state, time, ignoring_conflicts);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.is_over()
    }

    /// Has `hook` run when the token is cancelled, at once if it was; not when its deadline passes. The hook runs on
    /// the thread that cancels, and must not block.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) -> CancelHook {
        let mut state = self.0.state();
        if self.0.cancelled.load(Ordering::SeqCst) {
            drop(state);
            hook();
            return CancelHook(None);
        }
        let id = state.next_hook;
        state.next_hook += 1;
        state.hooks.insert(id, Box::new(hook));
        CancelHook(Some((Arc::downgrade(&self.0), id)))
    }
}

impl CancelNode {
    fn state(&self) -> MutexGuard<'_, CancelState> {
        // No hook runs under it: the state is whole whatever panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self) {
        let mut state = self.state();
        if self.cancelled.swap(true, Ordering::SeqCst) {
            return;
        }
        let hooks = std::mem::take(&mut state.hooks);
        let children = std::mem::take(&mut state.children);
        drop(state);
        self.changed.notify_all();
        for (_, hook) in hooks {
            hook();
        }
        for child in children {
            if let Some(child) = child.upgrade() {
                child.cancel();
            }
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}

/// Keeps a hook of a token in place; the hook goes when this is dropped.
#[must_use = "the hook is removed when this is dropped"]
pub struct CancelHook(Option<(Weak<CancelNode>, u64)>);

impl Drop for CancelHook {
    fn drop(&mut self) {
        if let Some((node, id)) = self.0.take()
            && let Some(node) = node.upgrade()
        {
            let hook = node.state().hooks.remove(&id);
            // Dropped without the lock: what it holds may be a token.
            drop(hook);
        }
    }
}

impl fmt::Debug for CancelHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHook").finish_non_exhaustive()
    }
}

/// The reason of an error about work that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl Cancelled {
    /// True if `error` came about because work was cancelled.
    #[must_use]
    pub fn caused(error: &Error) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if cause.is::<Cancelled>() {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn cancelling_reaches_the_parts_and_not_the_whole() {
        let run = CancelToken::new();
        let (one, other) = (run.child(), run.child());
        let part = one.child();
        one.cancel();
        assert!(one.is_cancelled() && part.is_cancelled());
        assert!(!run.is_cancelled() && !other.is_cancelled());
        run.cancel();
        assert!(other.is_cancelled());
        assert!(run.child().is_cancelled(), "made after the end");
        let error = run.check(&"a.com/a@v1.0.0").unwrap_err();
        assert_eq!(error.chain(), "a.com/a@v1.0.0: cancelled");
        assert!(Cancelled::caused(&error.context("loading")));
    }

    #[test]
    fn hooks_run_once_and_not_after_they_were_dropped() {
        let run = CancelToken::new();
        let count = Arc::new(AtomicUsize::new(0));
        let hook = || {
            let count = Arc::clone(&count);
            move || {
                let _ = count.fetch_add(1, Ordering::SeqCst);
            }
        };
        let part = run.child();
        let kept = part.on_cancel(hook());
        drop(run.on_cancel(hook()));
        run.cancel();
        run.cancel();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let late = run.on_cancel(hook());
        assert_eq!(count.load(Ordering::SeqCst), 2);
        drop((kept, late));
    }

    #[test]
    fn a_wait_ends_when_the_work_is_cancelled_or_its_time_is_over() {
        let run = CancelToken::new();
        assert!(!run.wait(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| run.wait(Duration::from_secs(3600)));
            run.cancel();
            assert!(waiting.join().unwrap());
        });
        let short = CancelToken::new().with_deadline(Deadline::after(Duration::ZERO));
        assert!(short.wait(Duration::from_secs(3600)));
        assert!(short.is_over() && short.child().is_over() && !short.is_cancelled());
    }

    #[test]
    fn the_earliest_deadline_counts() {
        let (soon, late) = (Duration::from_secs(60), Duration::from_secs(600));
        let whole = |token: &CancelToken| token.deadline().map(|end| end.whole());
        let run = CancelToken::new().with_deadline(Deadline::after(late));
        assert_eq!(whole(&run.child()), Some(late));
        assert_eq!(whole(&run.with_deadline(Deadline::after(soon))), Some(soon));
        let run = CancelToken::new().with_deadline(Deadline::after(soon));
        assert_eq!(whole(&run.with_deadline(Deadline::after(late))), Some(soon));
    }

    #[test]
    fn children_that_are_gone_are_not_kept() {
        let run = CancelToken::new();
        for _ in 0..10_000 {
            drop(run.child());
        }
        assert!(run.0.state().children.len() <= FIRST_SWEEP * 2);
    }
}
