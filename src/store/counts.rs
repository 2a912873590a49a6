//! What a store was asked, by operation: for a collector, for messages, and for those who pay by request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Reason};

/// What a store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An object, or a range of it.
    Get,
    /// Whether an object is there, and how long it is.
    Head,
    /// A whole object, written.
    Put,
    /// A part of an object, and what begins and ends an upload in parts.
    Multipart,
    /// A page of keys.
    List,
    /// An object, removed.
    Delete,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 6] = [
        Operation::Get,
        Operation::Head,
        Operation::Put,
        Operation::Multipart,
        Operation::List,
        Operation::Delete,
    ];

    /// As in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::Get => "get",
            Operation::Head => "head",
            Operation::Put => "put",
            Operation::Multipart => "multipart",
            Operation::List => "list",
            Operation::Delete => "delete",
        }
    }
}

/// What was counted of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationCount {
    /// Requests, tries of one that failed counted once.
    pub requests: u64,
    /// Those that failed; not those whose object was not there, or was there and stayed.
    pub failures: u64,
    /// Those whose object was not there.
    pub absent: u64,
    /// Bytes of objects, received or sent.
    pub bytes: u64,
    /// From request to the end of the answer, all together.
    pub time: Duration,
}

#[derive(Debug, Default)]
struct StoreCountsState {
    counts: [OperationCount; Operation::ALL.len()],
    /// When the store failed last, if it has not worked since.
    failing: Option<(Instant, String)>,
}

/// StoreCounts since the start.
#[derive(Debug, Default)]
pub(super) struct StoreCounts(Mutex<StoreCountsState>);

/// True if a store that works said so: an object is missing, or is there and stays.
fn is_answer(error: &Error) -> bool {
    error.is_not_found() || error.reason() == Some(Reason::StoreHasIt)
}

impl StoreCounts {
    fn state(&self) -> MutexGuard<'_, StoreCountsState> {
        // Every change is complete before the guard goes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation is over; of its bytes, so many were received or sent.
    pub(super) fn record(&self, operation: Operation, began: Instant, ended: Result<u64, &Error>) {
        let mut state = self.state();
        let count = &mut state.counts[operation as usize];
        count.requests += 1;
        count.time += began.elapsed();
        match ended {
            Ok(bytes) => count.bytes += bytes,
            Err(error) if error.is_not_found() => count.absent += 1,
            Err(error) if is_answer(error) => {}
            Err(_) => count.failures += 1,
        }
        state.failing = match ended {
            Err(error) if !is_answer(error) => Some((Instant::now(), error.chain())),
            _ => None,
        };
    }

    pub(super) fn of(&self, operation: Operation) -> OperationCount {
        self.state().counts[operation as usize]
    }

    pub(super) fn failing(&self) -> Option<(Duration, String)> {
        let state = self.state();
        let failing = state.failing.as_ref();
        failing.map(|(at, why)| (at.elapsed(), why.clone()))
    }
}
