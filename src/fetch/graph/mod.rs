//! The requirement graph, driven.
//!
//! | file | idea |
//! |---|---|
//! | `walk` | reading it: the cached go.mod files at once, the others many at a time |
//! | `requirements` | the requirements of the main module, put right as go does it |

mod requirements;
mod walk;

use super::Run;

/// Reads requirement graphs: from cached go.mod files, and from those that are fetched for it.
#[derive(Clone, Copy, Debug)]
pub struct GraphReader<'r> {
    run: &'r Run,
}

impl<'r> GraphReader<'r> {
    /// Reads them for this run.
    #[must_use]
    pub fn new(run: &'r Run) -> GraphReader<'r> {
        GraphReader { run }
    }
}
