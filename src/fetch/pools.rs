//! The two thread pools, made when first needed.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Kind, Result};

/// The transfer pool and the compute pool. The global rayon pool is not used.
#[derive(Debug)]
pub(super) struct Pools {
    jobs: usize,
    transfer: OnceLock<ThreadPool>,
    compute: OnceLock<ThreadPool>,
}

impl Pools {
    pub(super) fn new(jobs: usize) -> Pools {
        Pools {
            jobs,
            transfer: OnceLock::new(),
            compute: OnceLock::new(),
        }
    }

    /// `jobs` threads that may block.
    pub(super) fn transfer(&self) -> Result<&ThreadPool> {
        pool(&self.transfer, "fetch", self.jobs)
    }

    /// One thread a core.
    pub(super) fn compute(&self) -> Result<&ThreadPool> {
        pool(&self.compute, "unpack", cores())
    }
}

/// How many threads can compute at once.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn pool<'a>(
    place: &'a OnceLock<ThreadPool>,
    name: &'static str,
    wanted: usize,
) -> Result<&'a ThreadPool> {
    if let Some(pool) = place.get() {
        return Ok(pool);
    }
    // A container may allow few threads: fewer do the same work, only slower.
    let mut threads = wanted.max(1);
    loop {
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        match builder.thread_name(move |i| format!("{name}-{i}")).build() {
            Ok(pool) => return Ok(place.get_or_init(|| pool)),
            Err(_) if threads > 1 => threads /= 2,
            Err(cause) => {
                return Err(Error::new(Kind::Other, "cannot start a thread").because(cause));
            }
        }
    }
}
