//! The piece of work that requests belong to.

use std::fmt;
use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::event::EventSink;
use crate::http::answer::KnownBodies;

/// Source: RFC 9111, 5.2.1.4.
const NO_CACHE: (&str, &str) = ("cache-control", "no-cache");

/// The piece of work that requests belong to: what ends them, where their events go, what goes with them.
#[derive(Clone)]
pub struct RequestContext {
    /// Cancelled, it ends the requests: those that wait, and those under way, whose connections are shut down. A
    /// connection that is being made is only given up when it is there, or its time-out has passed.
    pub cancel: CancelToken,
    /// Receives the events of the requests.
    pub events: Arc<dyn EventSink>,
    /// Headers that every request has beside its own, as `traceparent`; nothing secret, since a redirect takes them
    /// along.
    pub headers: Vec<(String, String)>,
    /// Bodies that were received before: for small ones it is asked whether they have changed.
    pub known: Option<Arc<KnownBodies>>,
}

impl RequestContext {
    /// The same work, whose requests make caches on the way ask for what they hold: one of them may hold
    /// something wrong.
    #[must_use]
    pub(crate) fn past_caches(&self) -> RequestContext {
        let mut context = self.clone();
        let header = (NO_CACHE.0.to_owned(), NO_CACHE.1.to_owned());
        context.headers.push(header);
        context
    }

    /// Work that nothing ends.
    #[must_use]
    pub fn new(events: Arc<dyn EventSink>) -> RequestContext {
        RequestContext {
            cancel: CancelToken::new(),
            events,
            headers: Vec::new(),
            known: None,
        }
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("cancel", &self.cancel)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
