//! Many modules at once: from versions to outcomes.
//!
//! | file | idea |
//! |---|---|
//! | `download` | a look into the cache for each module; what is whole goes no further |
//! | `dispatch` | hands out the work of the others, collects what comes back |
//! | `prefetch` | modules that are begun while the requirement graph is still being read |
//! | `work` | one module on its way |
//! | `outcome` | what became of it |

mod dispatch;
mod download;
mod outcome;
mod prefetch;
mod work;

use super::Run;

pub use outcome::{Outcome, Traffic};
pub use prefetch::Prefetch;

/// Completes the cache entries of many modules at once, as far as the run wants them.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler<'r> {
    run: &'r Run,
}

impl<'r> Scheduler<'r> {
    /// Completes them for this run.
    #[must_use]
    pub fn new(run: &'r Run) -> Scheduler<'r> {
        Scheduler { run }
    }
}
