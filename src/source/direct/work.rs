//! The piece of work that a thread does: what ends it, and where the events of its programs go.
//!
//! Repositories and what is known of them serve many pieces of work, one after the other and at the
//! same time; a program or a request is of the piece whose thread has started it. The thread
//! remembers the piece while it asks a repository ([`within`]).

use std::cell::RefCell;

use crate::cancel::Deadline;
use crate::event::Event;
use crate::http::{Client, RequestContext};

thread_local! {
    static CURRENT: RefCell<Option<RequestContext>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also after a panic.
struct Restore(Option<RequestContext>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Does something as part of a piece of work.
pub(super) fn within<T>(context: Option<&RequestContext>, work: impl FnOnce() -> T) -> T {
    let Some(context) = context else {
        return work();
    };
    let _restore = Restore(CURRENT.replace(Some(context.clone())));
    work()
}

fn current() -> Option<RequestContext> {
    CURRENT.with_borrow(Clone::clone)
}

/// A client whose requests are of this thread's piece of work.
pub(super) fn bound(client: &Client) -> Client {
    match current() {
        Some(context) => client.bind(context),
        None => client.clone(),
    }
}

/// True if this thread's piece of work was cancelled or has no time left.
pub(super) fn is_over() -> bool {
    current().is_some_and(|context| context.cancel.is_over())
}

/// When this thread's piece of work has to be done.
pub(super) fn deadline() -> Option<Deadline> {
    current()?.cancel.deadline()
}

/// Says something of this thread's piece of work.
pub(super) fn say(event: &Event<'_>) {
    if let Some(context) = current() {
        context.events.event(event);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::NoEvents;

    #[test]
    fn a_thread_is_within_one_piece_of_work_at_a_time() {
        let context = |cancelled: bool| {
            let context = RequestContext::new(Arc::new(NoEvents));
            if cancelled {
                context.cancel.cancel();
            }
            context
        };
        let (over, open) = (context(true), context(false));
        assert!(!is_over());
        within(Some(&over), || {
            assert!(is_over());
            within(Some(&open), || assert!(!is_over()));
            within(None, || assert!(is_over()));
            assert!(is_over());
        });
        assert!(!is_over());
    }
}
