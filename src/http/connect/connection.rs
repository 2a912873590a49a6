//! Which connection belongs to which work: cancelled work shuts its own connections down, and no others.
//!
//! ureq makes a request on the thread that asks for it and gives its connectors no place for data of our own, so the
//! work is noted per thread while a request is sent ([`use_for`]). A connection that is made or taken from the pool
//! then registers with that work, until it is given back to the pool or dropped.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use ureq::unversioned::transport::{ConnectionDetails, ShutdownHandle};

use crate::cancel::{CancelHook, CancelToken};

thread_local! {
    /// The work that a request is being sent for.
    static WORK: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
    /// The handle of the socket that was opened last, until it is taken.
    static OPENED: RefCell<Option<ConnectionHandle>> = const { RefCell::new(None) };
}

/// Shuts a socket down, if it is still there.
#[derive(Clone)]
pub(in crate::http) struct ConnectionHandle(Weak<dyn ShutdownHandle>);

/// Requests of this thread are for this work until the guard is dropped.
pub(in crate::http) fn use_for(work: &CancelToken) -> InUse {
    WORK.with_borrow_mut(|now| *now = Some(work.clone()));
    InUse
}

/// Ends [`use_for`].
#[must_use = "it ends when this is dropped"]
pub(in crate::http) struct InUse;

impl Drop for InUse {
    fn drop(&mut self) {
        WORK.with_borrow_mut(|now| *now = None);
    }
}

/// The same details, for a connector that opens a socket: its handle is noted.
pub(in crate::http) fn noting<'d>(details: &'d ConnectionDetails<'d>) -> ConnectionDetails<'d> {
    let register = Arc::clone(&details.register_shutdown);
    ConnectionDetails {
        uri: details.uri,
        addrs: details.addrs.clone(),
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: Arc::clone(&details.current_time),
        run_connector: Arc::clone(&details.run_connector),
        register_shutdown: Arc::new(move |handle| {
            OPENED.with_borrow_mut(|opened| *opened = Some(ConnectionHandle(Weak::clone(&handle))));
            register(handle)
        }),
    }
}

/// The handle of the socket that this thread has opened last; `None` if it was taken.
pub(in crate::http) fn opened() -> Option<ConnectionHandle> {
    OPENED.take()
}

impl ConnectionHandle {
    /// Has the work of this thread shut the socket down when it is cancelled.
    pub(in crate::http) fn register(&self) -> Option<CancelHook> {
        let work = WORK.with_borrow(Clone::clone)?;
        let handle = self.clone();
        Some(work.on_cancel(move || {
            if let Some(socket) = handle.0.upgrade() {
                socket.shutdown();
            }
        }))
    }
}
