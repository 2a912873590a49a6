//! What one go.mod tells the graph.

use super::go_line::is_pruned;
use super::node::Node;
use crate::error::Result;
use crate::gomod::modfile::{GoModSummary, ModFile};
use crate::gomod::{GoVersion, ModuleVersion};

/// What the graph needs of one go.mod.
#[derive(Clone, Debug)]
pub struct GraphSummary {
    pub(crate) module: Option<String>,
    pub(crate) pruned: bool,
    pub(crate) require: Vec<ModuleVersion>,
    /// The go line, if it is a requirement of its own.
    pub(crate) go: Option<GoVersion>,
    /// The go line.
    pub(crate) go_line: Option<GoVersion>,
}

impl From<GoModSummary> for GraphSummary {
    fn from(needs: GoModSummary) -> GraphSummary {
        GraphSummary {
            module: needs.module,
            pruned: is_pruned(needs.go.as_ref()),
            go_line: needs.go.clone(),
            go: needs.go.filter(|go| go.at_least(Node::STRICT_GO)),
            require: without_tools(needs.require),
        }
    }
}

impl GraphSummary {
    /// What the go line says, if it is 1.21 or later: older ones are no requirement.
    #[must_use]
    pub fn go(&self) -> Option<&GoVersion> {
        self.go.as_ref()
    }

    /// Reads a dependency's go.mod as leniently as `go` does. `file` names it in messages.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input), `parsing FILE: ...`.
    pub fn parse(file: &str, data: &[u8]) -> Result<GraphSummary> {
        GoModSummary::parse(file, data).map(GraphSummary::from)
    }

    /// The same of a file that messages call `shown`; each fault in the file stands behind `file`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input), `parsing SHOWN: FILE:LINE: ...`.
    pub fn parse_named(shown: &str, file: &str, data: &[u8]) -> Result<GraphSummary> {
        GoModSummary::parse_named(shown, file, data).map(GraphSummary::from)
    }

    /// What the graph needs of a main module of a workspace, without what is excluded.
    pub(crate) fn of(modfile: &ModFile, excludes: impl Fn(&ModuleVersion) -> bool) -> GraphSummary {
        let required = modfile.require.iter().map(|line| &line.module);
        let go = modfile.go.as_ref().map(|line| &line.version);
        GraphSummary {
            module: modfile.module.as_ref().map(|line| line.path.clone()),
            pruned: is_pruned(go),
            require: without_tools(
                required
                    .filter(|module| !excludes(module))
                    .cloned()
                    .collect(),
            ),
            go: go.filter(|go| go.at_least(Node::STRICT_GO)).cloned(),
            go_line: go.cloned(),
        }
    }

    /// What it requires, in the order of its go.mod.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let modules = self.require.iter().cloned().map(Node::Module);
        let go = self.go.iter().map(|go| Node::Go(go.to_string()));
        modules.chain(go).collect()
    }
}

/// Leaves `go` and `toolchain` out: what looks like a version of a module is lower than any of
/// theirs.
fn without_tools(mut required: Vec<ModuleVersion>) -> Vec<ModuleVersion> {
    required.retain(|module| !module.is_tool());
    required
}
