//! One job for any number of requests that want the same thing.
//!
//! The first request for a key starts a job; those that come while it runs wait for it as well, at
//! the cost of no thread. A client that leaves does not stop the job. A zip that grows is handed
//! out while it does ([`LiveFile`]): to those who wait when enough of it is there, and at once to
//! those who come later.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::http1::{Http1Request, LiveFile, RequestFields, Responder};

/// A request that waits for a job.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Answers it.
    pub responder: Responder,
    /// What it wants of the content.
    pub fields: RequestFields,
}

impl Waiter {
    /// A request, and how it will be answered.
    #[must_use]
    pub(super) fn new(request: &Http1Request, responder: Responder) -> Waiter {
        Waiter {
            responder,
            fields: request.fields.clone(),
        }
    }
}

#[derive(Debug, Default)]
struct Flight {
    waiting: Vec<Waiter>,
    live: Option<Arc<LiveFile>>,
}

/// The jobs that run, by what they are for.
#[derive(Debug)]
pub(super) struct Flights<K> {
    table: Mutex<HashMap<K, Flight>>,
}

impl<K> Default for Flights<K> {
    fn default() -> Flights<K> {
        Flights {
            table: Mutex::default(),
        }
    }
}

/// How a request has joined.
#[derive(Debug)]
pub(super) enum Joined {
    /// It waits, and the caller has to start the job.
    First,
    /// It waits for the job that runs.
    Waits,
    /// The content is there in part, and grows.
    Live(Arc<LiveFile>, Box<Waiter>),
}

impl<K: Eq + Hash + Clone> Flights<K> {
    fn table(&self) -> MutexGuard<'_, HashMap<K, Flight>> {
        // Every change is complete before the guard goes.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the job for `key`.
    #[must_use]
    pub(super) fn join(&self, key: &K, waiter: Waiter) -> Joined {
        let mut table = self.table();
        if let Some(flight) = table.get_mut(key) {
            return match &flight.live {
                Some(live) if waiter.responder.takes_chunks() => {
                    Joined::Live(Arc::clone(live), Box::new(waiter))
                }
                _ => {
                    flight.waiting.push(waiter);
                    Joined::Waits
                }
            };
        }
        let flight = Flight {
            waiting: vec![waiter],
            live: None,
        };
        table.insert(key.clone(), flight);
        Joined::First
    }

    /// From now on requests are given the growing file. Returns those that have waited.
    #[must_use]
    pub(super) fn publish(&self, key: &K, live: &Arc<LiveFile>) -> Vec<Waiter> {
        let mut table = self.table();
        let Some(flight) = table.get_mut(key) else {
            return Vec::new();
        };
        flight.live = Some(Arc::clone(live));
        let all = std::mem::take(&mut flight.waiting);
        let (ready, others) = all
            .into_iter()
            .partition(|waiter| waiter.responder.takes_chunks());
        flight.waiting = others;
        ready
    }

    /// The growing file is of no use any more.
    pub(super) fn withdraw(&self, key: &K) {
        if let Some(flight) = self.table().get_mut(key) {
            flight.live = None;
        }
    }

    /// The job is over. Returns those who wait for its outcome.
    #[must_use]
    pub(super) fn end(&self, key: &K) -> Vec<Waiter> {
        let flight = self.table().remove(key);
        flight.map(|flight| flight.waiting).unwrap_or_default()
    }

    /// How many jobs there are.
    #[must_use]
    pub(super) fn count(&self) -> usize {
        self.table().len()
    }
}
