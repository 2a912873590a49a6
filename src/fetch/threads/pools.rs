//! The two thread pools, made when first needed.

use std::error::Error as _;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::files;
use crate::error::{Error, Kind, Result};
use crate::io_text;

/// The transfer pool and the compute pool. The global rayon pool is not used.
#[derive(Debug)]
pub(in crate::fetch) struct Pools {
    jobs: usize,
    transfer: OnceLock<ThreadPool>,
    compute: OnceLock<ThreadPool>,
}

impl Pools {
    pub(in crate::fetch) fn new(jobs: usize) -> Pools {
        Pools {
            jobs,
            transfer: OnceLock::new(),
            compute: OnceLock::new(),
        }
    }

    /// `jobs` threads that may block; fewer where the process may not have so many threads or
    /// open files.
    pub(in crate::fetch) fn transfer(&self) -> Result<&ThreadPool> {
        if let Some(pool) = self.transfer.get() {
            return Ok(pool);
        }
        // First the few that nothing works without, or the many would take their place.
        self.compute()?;
        pool(&self.transfer, "fetch", files::affordable(self.jobs))
    }

    /// One thread a core.
    pub(in crate::fetch) fn compute(&self) -> Result<&ThreadPool> {
        pool(&self.compute, "unpack", cores())
    }
}

/// Does `work` on a pool of one thread a core, over which large trees and zips are spread.
///
/// # Errors
/// Those of `work`; [`Kind::Other`] if no thread can be started.
pub fn on_cores<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    build("hash", cores())?.install(work)
}

/// Fewer than this are looked at before another thread has started.
const WORTH_A_THREAD: usize = 48;

/// So many are taken at a time: the threads seldom meet, and end together.
const BATCH: usize = 8;

/// Does `work` to each of `items`, on two threads if there are many; the results in their order.
///
/// For what takes some microseconds each, such as a look into the cache. There is no pool for it:
/// one thread more is started and ended in a tenth of a millisecond, and if it cannot be started,
/// nothing is lost. Nor is much where there is one core: to ask for their number takes longer.
pub(in crate::fetch) fn on_two<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    if items.len() < WORTH_A_THREAD {
        return items.iter().map(work).collect();
    }
    let batches: Vec<&[T]> = items.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(index) else {
                return done;
            };
            let results: Vec<R> = batch.iter().map(&work).collect();
            done.push((index, results));
        }
    };
    let mut done = thread::scope(|scope| {
        let builder = thread::Builder::new().name("look".to_owned());
        let other = builder.spawn_scoped(scope, share);
        let mut done = share();
        if let Ok(other) = other {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut all = Vec::with_capacity(items.len());
    for (_, results) in done {
        all.extend(results);
    }
    all
}

/// How many threads can compute at once.
pub(in crate::fetch) fn cores() -> usize {
    // Counted once: it is read from half a dozen files.
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
}

/// Ample for idle threads to end.
const LEAVING: Duration = Duration::from_millis(20);

fn pool<'a>(
    place: &'a OnceLock<ThreadPool>,
    name: &'static str,
    wanted: usize,
) -> Result<&'a ThreadPool> {
    match place.get() {
        Some(pool) => Ok(pool),
        None => build(name, wanted).map(|pool| place.get_or_init(|| pool)),
    }
}

fn build(name: &'static str, wanted: usize) -> Result<ThreadPool> {
    // A container may allow few threads: fewer do the same work, only slower.
    let mut threads = wanted.max(1);
    let mut short = false;
    loop {
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        match builder.thread_name(move |i| format!("{name}-{i}")).build() {
            Ok(_) if short && threads > 1 => {
                // Half of what there was room for: a look-up of a name takes a thread as well.
                short = false;
            }
            Ok(pool) => return Ok(pool),
            Err(_) if threads > 1 => short = true,
            Err(cause) => {
                let cause = cause.source().and_then(|cause| cause.downcast_ref());
                let cause = cause.map_or_else(String::new, |cause| format!(": {}", io_text(cause)));
                let text = format!("cannot start a thread{cause}");
                return Err(Error::new(Kind::Other, text).hint(
                    "the limit of threads or processes of this user or container is too low",
                ));
            }
        }
        threads /= 2;
        // The threads of the pool that was too large are still on their way out.
        thread::sleep(LEAVING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whatever_thread_made_them() {
        for count in [0, 1, WORTH_A_THREAD - 1, WORTH_A_THREAD, 1001] {
            let items: Vec<usize> = (0..count).collect();
            let want: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(on_two(&items, |item| item * 2), want);
        }
    }
}
