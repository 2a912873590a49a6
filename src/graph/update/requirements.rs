//! What the main module requires, while it is being put right.

use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::{Node, Project};

/// The requirements of the main module, from those of go.mod to those that go would write there.
///
/// Source: golang/go `cmd/go/internal/modload/buildlist.go`, `Requirements`.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// The graph below is pruned.
    pub pruned: bool,
    /// Modules, the go version and the toolchain, sorted, each path once.
    pub roots: Vec<Node>,
    /// The graph from these roots on, if it had to be read. With a failure in it
    /// ([`Graph::error`]) the roots are as they were before.
    pub graph: Option<Graph>,
    /// The graph was read although the roots say enough for go, which has then not read it: what it rests
    /// on is not recorded.
    pub graph_not_recorded: bool,
    /// The modules whose go.mod files were read for a graph that did not stay; some of them twice.
    pub superseded: Vec<ModuleVersion>,
}

impl Requirements {
    /// Those of go.mod, before anything else is read. Of a workspace there are none: its roots are
    /// the main modules, which are neither fetched nor written.
    #[must_use]
    pub fn of(project: &Project) -> Requirements {
        if project.workspace().is_some() {
            return Requirements {
                pruned: false,
                roots: Vec::new(),
                graph: None,
                graph_not_recorded: false,
                superseded: Vec::new(),
            };
        }
        Requirements {
            pruned: project.is_pruned(),
            roots: project.roots(),
            graph: None,
            graph_not_recorded: false,
            superseded: Vec::new(),
        }
    }

    /// The modules among the roots.
    pub fn modules(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.roots.iter().filter_map(Node::module)
    }

    /// The go version of the main module.
    #[must_use]
    pub fn go(&self) -> String {
        // There always is one: a go.mod without a go line is taken for an old one.
        self.roots.iter().find_map(Node::go).unwrap_or_default()
    }

    /// The same, with another go version.
    #[must_use]
    pub fn with_go(mut self, go: &str) -> Requirements {
        self.roots.retain(|root| root.path() != "go");
        self.roots.push(Node::Go(go.to_owned()));
        self.roots.sort();
        self.outgrow();
        self
    }

    /// Lets go of the graph.
    pub fn outgrow(&mut self) {
        if let Some(graph) = self.graph.take() {
            self.superseded.extend(graph.loaded().cloned());
        }
    }
}
