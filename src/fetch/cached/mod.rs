//! What the cache has of module versions, for those who fetch little or nothing.
//!
//! | file | idea |
//! |---|---|
//! | `status` | for plans: what is missing, and what is known of it |
//! | `local` | for listings: where the parts are |

mod local;
mod status;

use super::Run;

pub use status::CacheStatus;

/// Looks into the cache, and into those that are only read.
#[derive(Clone, Copy, Debug)]
pub struct CacheReader<'r> {
    run: &'r Run,
}

impl<'r> CacheReader<'r> {
    /// Looks for this run.
    #[must_use]
    pub fn new(run: &'r Run) -> CacheReader<'r> {
        CacheReader { run }
    }
}
