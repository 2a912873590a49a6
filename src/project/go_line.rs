//! What the go line of a go.mod decides about the graph, also where there is none.

use crate::gomod::GoVersion;

/// From this go version on go.mod lists every module that the build needs, and the graph below
/// other such modules is pruned.
pub const PRUNING_GO: &str = "1.17";

/// The go version whose language and graph rules apply where go.mod has no `go` line.
pub(crate) const IMPLIED_GO_VERSION: &str = "1.16";

/// True if a go.mod with this `go` line has a pruned graph.
pub(crate) fn is_pruned(go: Option<&GoVersion>) -> bool {
    match go {
        Some(version) => version.at_least(PRUNING_GO),
        None => {
            GoVersion::parse(IMPLIED_GO_VERSION).is_some_and(|version| version.at_least(PRUNING_GO))
        }
    }
}
