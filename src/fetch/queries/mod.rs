//! Version queries, put to the source.
//!
//! | file | idea |
//! |---|---|
//! | `retractions` | which versions are retracted, which modules deprecated, what newer version there is |
//! | `query` | from `latest` or a branch to a version |
//! | `release` | the same of `go` and `toolchain`, which are no modules |
//! | `reuse` | whether an answer of an earlier run would be given again |
//! | `answers` | what is asked for once in a run, whoever needs it |

mod answers;
mod query;
mod release;
mod retractions;
mod reuse;

use super::Run;
use crate::project::ReplaceRules;

pub(super) use answers::SourceAnswers;
pub use query::{ResolvedVersion, Unresolved, VersionFilter, VersionQuery};
pub use release::{ReleaseQuery, ReleaseResolver};
pub use retractions::{is_unknown, unasked};

/// Resolves version queries by the `replace` and `exclude` lines of the main module: excluded versions do not count,
/// replaced ones do.
#[derive(Clone, Copy, Debug)]
pub struct QueryResolver<'r> {
    run: &'r Run,
    rules: &'r ReplaceRules,
}

impl<'r> QueryResolver<'r> {
    /// Resolves them for this run.
    #[must_use]
    pub fn new(run: &'r Run, rules: &'r ReplaceRules) -> QueryResolver<'r> {
        QueryResolver { run, rules }
    }
}
