//! The requirement graph as it was read, and what minimal version selection makes of it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::gomod::{GoVersion, ModulePath, ModuleVersion, Version};
use crate::map::{Map, Seed, Set};
use crate::project::{GraphSummary, Node, Project, ReplaceRules};

/// Where a graph starts.
#[derive(Clone, Debug)]
pub(crate) enum GraphStart {
    /// At a main module and what it requires.
    Main { path: String, roots: Vec<Node> },
    /// At the roots of a workspace; what each main module requires, by path.
    Workspace {
        roots: Vec<Node>,
        mains: HashMap<String, Arc<GraphSummary>>,
    },
}

impl GraphStart {
    fn roots(&self) -> &[Node] {
        match self {
            GraphStart::Main { roots, .. } | GraphStart::Workspace { roots, .. } => roots,
        }
    }

    fn is_main(&self, module: &str) -> bool {
        match self {
            GraphStart::Main { path, .. } => path == module,
            GraphStart::Workspace { mains, .. } => mains.contains_key(module),
        }
    }

    /// What the main modules of a workspace require, in the order of the roots.
    fn summaries(&self) -> impl Iterator<Item = &Arc<GraphSummary>> {
        let mains = match self {
            GraphStart::Main { .. } => None,
            GraphStart::Workspace { mains, .. } => Some(mains),
        };
        let roots = self.roots().iter();
        roots.filter_map(move |root| mains?.get(root.path()))
    }
}

/// A loaded requirement graph. It starts at main modules, whose paths no requirement changes.
#[derive(Clone, Debug)]
pub struct Graph {
    start: GraphStart,
    /// What each loaded module requires, exclusions taken out.
    requires: Map<ModuleVersion, Arc<GraphSummary>>,
    /// The go versions whose own requirement is in the graph.
    walked: HashSet<String>,
    failed: HashMap<ModuleVersion, Error>,
    selected: BTreeMap<ModulePath, Version>,
    go: Option<Node>,
    toolchain: Option<Node>,
    /// Why the graph from other roots, which go would take in its place, is not to be had.
    beyond: Option<Error>,
}

impl Graph {
    /// Builds the graph from what was read.
    ///
    /// `requires` holds every module whose go.mod was read; a module that is only named, because
    /// pruning ended the walk there, takes part in the selection all the same. `walked` are the
    /// go versions that the walk went into, as it does into modules.
    pub(crate) fn new(
        start: GraphStart,
        requires: Map<ModuleVersion, Arc<GraphSummary>>,
        walked: HashSet<String>,
        failed: HashMap<ModuleVersion, Error>,
    ) -> Graph {
        let mut versions: Map<&ModulePath, &Version> =
            Map::with_capacity_and_hasher(2 * requires.len(), Seed::default());
        let summaries = || requires.values().chain(start.summaries());
        let required = summaries().flat_map(|summary| &summary.require);
        let roots = start.roots();
        for module in roots.iter().filter_map(Node::module).chain(required) {
            let version = module.version();
            let known = versions.entry(module.path()).or_insert(version);
            // Most are named by many modules in the one version, and comparing costs more.
            if *known != version && *known < version {
                *known = version;
            }
        }
        let selected = versions
            .into_iter()
            .filter(|(path, _)| !start.is_main(path.as_str()))
            .map(|(path, version)| (path.clone(), version.clone()))
            .collect();
        let named = roots
            .iter()
            .filter_map(Node::go)
            .chain(summaries().filter_map(|summary| summary.go.as_ref().map(ToString::to_string)));
        let go = highest(named.map(Node::Go));
        let toolchains = roots.iter().filter(|root| root.path() == "toolchain");
        let implied = walked.iter().filter_map(|go| Node::toolchain_of(go));
        let toolchain = highest(toolchains.cloned().chain(implied).filter(Node::is_version));
        Graph {
            start,
            requires,
            walked,
            failed,
            selected,
            go,
            toolchain,
            beyond: None,
        }
    }

    /// The same graph, which go would not be content with, for want of a better one.
    #[must_use]
    pub fn superseded_by_error(self, error: Error) -> Graph {
        Graph {
            beyond: Some(error),
            ..self
        }
    }

    /// The graph as far as a vendor directory tells it: what the main modules require, and the
    /// `vendored` modules.
    pub(crate) fn vendored(project: &Project, vendored: Vec<ModuleVersion>) -> Graph {
        let mut roots = project.roots();
        roots.extend(vendored.into_iter().map(Node::Module));
        let start = match project.workspace() {
            None => GraphStart::Main {
                path: project.path().to_owned(),
                roots,
            },
            Some(_) => GraphStart::Workspace {
                roots,
                mains: project.summaries().into_iter().collect(),
            },
        };
        Graph::new(start, Map::default(), HashSet::new(), HashMap::new())
    }

    /// The version of `path` in the build list.
    #[must_use]
    pub fn selected(&self, path: &str) -> Option<&Version> {
        self.selected.get(path)
    }

    /// The same, with its path.
    #[must_use]
    pub fn selected_module(&self, path: &str) -> Option<ModuleVersion> {
        let (path, version) = self.selected.get_key_value(path)?;
        ModuleVersion::new(path.clone(), version.clone()).ok()
    }

    /// The node of `path` in the build list; `go` and `toolchain` have one if they have a version.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<Node> {
        match path {
            "go" => self.go.clone(),
            "toolchain" => self.toolchain.clone(),
            _ => self.selected_module(path).map(Node::Module),
        }
    }

    /// The build list without the main modules, by path.
    pub fn build_list(&self) -> impl Iterator<Item = ModuleVersion> {
        let selected = self.selected.iter();
        // Each pair was a requirement, so it agrees on the major version.
        selected
            .filter_map(|(path, version)| ModuleVersion::new(path.clone(), version.clone()).ok())
    }

    /// The build list without the main modules, go and toolchain among the modules.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        let modules = self.build_list().map(Node::Module);
        let own = self.go.iter().chain(&self.toolchain).cloned();
        let mut nodes: Vec<Node> = modules.chain(own).collect();
        nodes.sort();
        nodes
    }

    /// True if the go.mod of a module was read, or of what replaces it.
    #[must_use]
    pub fn reads(&self, module: &ModuleVersion) -> bool {
        self.requires.contains_key(module)
    }

    /// What the go line of a module says, or of what replaces it; `None` if its go.mod was not
    /// read or has none.
    #[must_use]
    pub fn go_line(&self, module: &ModuleVersion) -> Option<&GoVersion> {
        self.requires.get(module)?.go_line.as_ref()
    }

    /// The modules whose go.mod files the selection rests on.
    pub fn loaded(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.requires.keys()
    }

    /// The modules whose go.mod files could not be had, and that the selection may lack.
    pub fn failed(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.failed.keys()
    }

    /// That main modules disagree on what replaces a module which was read or is in the build list;
    /// `go` says so whatever it was asked for. Where a go.mod is not what it has to be, which ends
    /// `go` at once, it is that.
    #[must_use]
    pub fn clash(&self, rules: &ReplaceRules) -> Option<Error> {
        let failed = self.failed.keys().find_map(|module| rules.clash(module));
        let clash = failed.or_else(|| self.build_list().find_map(|module| rules.clash(&module)))?;
        let mut failures = self.failed.values();
        let mismatch = failures.find(|error| error.kind() == Kind::Security);
        Some(mismatch.cloned().unwrap_or(clash))
    }

    /// The modules whose go.mod files were asked for, had or not.
    pub fn asked(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.requires.keys().chain(self.failed.keys())
    }

    /// The main modules, by path.
    pub fn mains(&self) -> impl Iterator<Item = &str> {
        let (one, roots) = match &self.start {
            GraphStart::Main { path, .. } => (Some(path.as_str()), [].iter()),
            GraphStart::Workspace { roots, .. } => (None, roots.iter()),
        };
        let in_roots = roots.filter(|root| matches!(root, Node::Main(_)));
        one.into_iter().chain(in_roots.map(Node::path))
    }

    /// What the main module requires, in go's order; in a workspace, where the graph starts.
    #[must_use]
    pub fn roots(&self) -> &[Node] {
        self.start.roots()
    }

    /// What a node requires, in the order of its go.mod; `None` where pruning ended the walk.
    #[must_use]
    pub fn required_by(&self, node: &Node) -> Option<Vec<Node>> {
        match node {
            Node::Main(main) => match &self.start {
                GraphStart::Main { path, roots } => (path == main).then(|| roots.clone()),
                GraphStart::Workspace { mains, .. } => {
                    mains.get(main).map(|summary| summary.nodes())
                }
            },
            Node::Module(module) => self.requires.get(module).map(|summary| summary.nodes()),
            Node::Go(go) if self.walked.contains(go) => {
                Some(Node::toolchain_of(go).into_iter().collect())
            }
            Node::Go(_) | Node::Toolchain(_) => None,
        }
    }

    /// The node of a path in the build list.
    pub(crate) fn selected_node(&self, path: &str) -> Option<Node> {
        match path {
            "go" => self.go.clone(),
            "toolchain" => self.toolchain.clone(),
            main if self.start.is_main(main) => Some(Node::Main(main.to_owned())),
            path => self.selected_module(path).map(Node::Module),
        }
    }

    /// The node of the same path in the build list; `None` for another version of a main module.
    #[must_use]
    pub fn in_use(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Main(_) => Some(node.clone()),
            Node::Module(module) => self
                .selected_module(module.path().as_str())
                .map(Node::Module),
            Node::Go(_) => self.go.clone(),
            Node::Toolchain(_) => Some(self.toolchain.clone().unwrap_or_else(Node::no_toolchain)),
        }
    }

    /// Every node, the main modules among them, breadth first as `go mod graph` has it, with what
    /// it requires.
    #[must_use]
    pub fn walk(&self) -> Vec<(Node, Option<Vec<Node>>)> {
        let mut seen: Set<Node> = Set::default();
        let mut steps: Vec<(Node, Option<Vec<Node>>)> = Vec::new();
        let reach = |steps: &mut Vec<_>, seen: &mut Set<Node>, node: &Node| {
            if *node != Node::no_toolchain() && seen.insert(node.clone()) {
                steps.push((node.clone(), self.required_by(node)));
            }
        };
        match &self.start {
            GraphStart::Main { path, .. } => {
                reach(&mut steps, &mut seen, &Node::Main(path.clone()));
            }
            GraphStart::Workspace { roots, .. } => {
                for root in roots {
                    reach(&mut steps, &mut seen, root);
                }
            }
        }
        let mut next = 0;
        while let Some((_, required)) = steps.get_mut(next) {
            let required = required.take();
            for node in required.iter().flatten() {
                reach(&mut steps, &mut seen, node);
            }
            steps[next].1 = required;
            next += 1;
        }
        steps
    }

    /// True if each root that `counts` is selected.
    #[must_use]
    pub fn selects_roots(&self, counts: impl Fn(&Node) -> bool) -> bool {
        let selected = |root: &Node| self.in_use(root).as_ref() == Some(root);
        self.roots()
            .iter()
            .filter(|root| counts(root))
            .all(selected)
    }

    /// The roots with each version replaced by the selected one; `None` if all were selected.
    ///
    /// A go.mod of go 1.17 or later that is not tidy lists a version which the graph below it
    /// raises; the graph is then read again from the raised roots, as `go` does.
    #[must_use]
    pub fn raised_roots(&self) -> Option<Vec<Node>> {
        let roots = match &self.start {
            GraphStart::Main { roots, .. } => roots,
            // go.work names no versions that could be raised.
            GraphStart::Workspace { .. } => return None,
        };
        let mut raised = Vec::with_capacity(roots.len());
        let mut seen: Set<&str> = Set::default();
        for root in roots {
            if seen.insert(root.path()) {
                raised.extend(self.in_use(root));
            }
        }
        (raised != *roots).then_some(raised)
    }

    /// Makes sure that nothing failed on the way.
    ///
    /// # Errors
    /// That of [`Graph::error`].
    pub fn check(&self) -> Result<()> {
        match self.error() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The failure nearest to a main module, with the chain of requirements that led there.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let Some(stack) = self.path_to_failure() else {
            return self.beyond.clone();
        };
        let last = stack.last()?;
        let cause = self.failed.get(last)?;
        if stack.len() == 1 {
            return Some(cause.clone());
        }
        // One message: it reads as go prints it, with no colon between its lines. The failure
        // itself names the last module.
        let mut message = String::new();
        for module in &stack[..stack.len() - 1] {
            message.push_str(&format!("{module} requires\n\t"));
        }
        let error = Error::new(cause.kind(), message + &cause.chain());
        Some(cause.hints().iter().cloned().fold(error, Error::hint))
    }

    /// The shortest chain of requirements from a root to a module that failed, breadth first.
    fn path_to_failure(&self) -> Option<Vec<&ModuleVersion>> {
        if self.failed.is_empty() {
            return None;
        }
        let mut from: HashMap<&ModuleVersion, Option<&ModuleVersion>> = HashMap::new();
        let mut queue = VecDeque::new();
        let mains = self.start.summaries().flat_map(|summary| &summary.require);
        let first = self.roots().iter().filter_map(Node::module).chain(mains);
        for root in first {
            if from.insert(root, None).is_none() {
                queue.push_back(root);
            }
        }
        while let Some(module) = queue.pop_front() {
            if self.failed.contains_key(module) {
                let mut stack = vec![module];
                while let Some(&Some(parent)) = from.get(stack[stack.len() - 1]) {
                    stack.push(parent);
                }
                stack.reverse();
                return Some(stack);
            }
            let summary = self.requires.get(module);
            for required in summary.into_iter().flat_map(|summary| &summary.require) {
                if !from.contains_key(required) {
                    from.insert(required, Some(module));
                    queue.push_back(required);
                }
            }
        }
        None
    }
}

/// The highest of some versions of one thing.
fn highest(nodes: impl Iterator<Item = Node>) -> Option<Node> {
    nodes.reduce(|highest, node| if node > highest { node } else { highest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn module(text: &str) -> ModuleVersion {
        let (path, version) = text.split_once('@').unwrap();
        ModuleVersion::parse(path, version).unwrap()
    }

    fn nodes(names: &[&str]) -> Vec<Node> {
        names
            .iter()
            .map(|name| Node::Module(module(name)))
            .collect()
    }

    fn graph(roots: &[&str], edges: &[(&str, &[&str])], failed: &[&str]) -> Graph {
        let summary = |to: &[&str]| {
            let line = |name: &&str| format!("require {}\n", name.replace('@', " "));
            let text: String = to.iter().map(line).collect();
            Arc::new(GraphSummary::parse("go.mod", text.as_bytes()).unwrap())
        };
        let start = GraphStart::Main {
            path: "main.com/m".to_owned(),
            roots: nodes(roots),
        };
        Graph::new(
            start,
            edges
                .iter()
                .map(|(from, to)| (module(from), summary(to)))
                .collect(),
            HashSet::new(),
            failed
                .iter()
                .map(|name| {
                    (
                        module(name),
                        Error::new(Kind::NotFound, format!("{name}: gone")),
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn the_highest_required_version_is_selected_even_if_nobody_loaded_it() {
        let graph = graph(
            &["a.com/a@v1.0.0", "c.com/c@v1.2.0"],
            &[
                (
                    "a.com/a@v1.0.0",
                    &[
                        "b.com/b@v1.9.0",
                        "c.com/c@v1.1.0",
                        "main.com/m@v9.0.0+incompatible",
                    ],
                ),
                ("c.com/c@v1.2.0", &["b.com/b@v1.10.0"]),
            ],
            &[],
        );
        let list: Vec<String> = graph.build_list().map(|m| m.to_string()).collect();
        assert_eq!(
            list,
            ["a.com/a@v1.0.0", "b.com/b@v1.10.0", "c.com/c@v1.2.0"]
        );
        assert_eq!(graph.raised_roots(), None);
    }

    #[test]
    fn a_root_that_the_graph_raises_is_raised() {
        let graph = graph(
            &["a.com/a@v1.0.0", "b.com/b@v1.0.0"],
            &[("a.com/a@v1.0.0", &["b.com/b@v1.2.0"])],
            &[],
        );
        assert_eq!(
            graph.raised_roots().unwrap(),
            nodes(&["a.com/a@v1.0.0", "b.com/b@v1.2.0"])
        );
    }

    #[test]
    fn a_failure_is_told_with_the_chain_that_led_to_it() {
        let graph = graph(
            &["a.com/a@v1.0.0"],
            &[
                ("a.com/a@v1.0.0", &["b.com/b@v1.0.0"]),
                ("b.com/b@v1.0.0", &["c.com/c@v1.0.0"]),
            ],
            &["c.com/c@v1.0.0"],
        );
        assert_eq!(
            graph.error().unwrap().chain(),
            "a.com/a@v1.0.0 requires\n\tb.com/b@v1.0.0 requires\n\tc.com/c@v1.0.0: gone"
        );
        assert_eq!(graph.error().unwrap().kind(), Kind::NotFound);
    }
}
