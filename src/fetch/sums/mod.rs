//! What is known of sums, without a download.
//!
//! | file | idea |
//! |---|---|
//! | `examine` | of the lines that go.sum has, or lacks |
//! | `evidence` | all that is said of one module version |

mod evidence;
mod examine;

use super::Run;

pub use evidence::HashEvidence;
pub use examine::{SumLine, SumState};

/// Compares what go.sum, checksum database, caches and source say of module versions.
#[derive(Clone, Copy, Debug)]
pub struct SumExaminer<'r> {
    run: &'r Run,
}

impl<'r> SumExaminer<'r> {
    /// Compares it for this run.
    #[must_use]
    pub fn new(run: &'r Run) -> SumExaminer<'r> {
        SumExaminer { run }
    }
}
