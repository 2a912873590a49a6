//! What is asked for once in a run, whoever needs it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::retractions::LatestGoMod;
use crate::gomod::{ModulePath, ModuleVersion, Tool};
use crate::memo::{Memo, MemoSettings};
use crate::source::Info;

/// What the sources said about modules in this run, failures too. The number is that of the place that was asked,
/// in the order in which a source asks them.
pub(in crate::fetch) struct SourceAnswers {
    /// The lists of versions.
    pub(in crate::fetch) versions: Memo<(usize, ModulePath), Vec<String>>,
    /// The latest versions.
    pub(in crate::fetch) latest: Memo<(usize, ModulePath), Info>,
    /// What the newest version says of the others.
    pub(in crate::fetch) latest_gomods: Memo<ModulePath, Arc<LatestGoMod>>,
    /// Whether the newest version of go or of the toolchains could be found.
    pub(in crate::fetch) releases: Memo<Tool, ()>,
    /// The replaced modules that were looked at beside the graph.
    pub(in crate::fetch) replaced: Mutex<BTreeSet<ModuleVersion>>,
}

/// A run is short and dropped: it keeps what it has learnt.
const ONE_RUN: MemoSettings = MemoSettings {
    capacity: usize::MAX,
    failure_ttl: Duration::MAX,
};

impl Default for SourceAnswers {
    fn default() -> SourceAnswers {
        SourceAnswers {
            versions: Memo::new(ONE_RUN),
            latest: Memo::new(ONE_RUN),
            latest_gomods: Memo::new(ONE_RUN),
            releases: Memo::new(ONE_RUN),
            replaced: Mutex::default(),
        }
    }
}

impl fmt::Debug for SourceAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
