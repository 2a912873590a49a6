//! Threads for what may wait: started when there is work, gone when there was none for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread waits for more work.
const IDLE: Duration = Duration::from_secs(10);

type WorkerJob = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct WorkersState {
    jobs: VecDeque<WorkerJob>,
    threads: usize,
    idle: usize,
}

struct WorkersShared {
    name: &'static str,
    most: usize,
    state: Mutex<WorkersState>,
    news: Condvar,
}

/// A pool of at most so many threads. Jobs begin in the order they came.
#[derive(Clone)]
pub(super) struct Workers(Arc<WorkersShared>);

impl Workers {
    /// A pool without threads.
    #[must_use]
    pub(super) fn new(name: &'static str, most: usize) -> Workers {
        Workers(Arc::new(WorkersShared {
            name,
            most: most.max(1),
            state: Mutex::default(),
            news: Condvar::new(),
        }))
    }

    /// Has a thread do `job`, as soon as one is free.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let shared = &self.0;
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.push_back(Box::new(job));
        if state.idle >= state.jobs.len() || state.threads >= shared.most {
            drop(state);
            shared.news.notify_one();
            return;
        }
        state.threads += 1;
        drop(state);
        let working = Arc::clone(shared);
        let thread = thread::Builder::new().name(shared.name.into());
        if thread.spawn(move || work(&working)).is_err() {
            // The threads that there are do it; without any, it waits for the next job's try.
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.threads -= 1;
        }
    }
}

fn work(shared: &WorkersShared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        state.idle += 1;
        let (after, waited) = shared
            .news
            .wait_timeout(state, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        state = after;
        state.idle -= 1;
        if waited.timed_out() && state.jobs.is_empty() {
            state.threads -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    #[test]
    fn as_many_jobs_run_at_once_as_there_may_be_threads() {
        let workers = Workers::new("test", 4);
        let barrier = Arc::new(Barrier::new(4));
        let (sent, done) = channel();
        for number in 0..8 {
            let (barrier, sent) = (Arc::clone(&barrier), sent.clone());
            workers.run(move || {
                // Four that wait for each other are four that run.
                barrier.wait();
                sent.send(number).unwrap();
            });
        }
        let mut all: Vec<i32> = done.iter().take(8).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
