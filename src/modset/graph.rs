//! The requirement graph as it was read, and what minimal version selection makes of it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::error::Error;
use crate::module::{ModulePath, ModuleVersion, Version};

/// A loaded requirement graph. Its root is the main module, whose path no requirement changes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    roots: Vec<ModuleVersion>,
    /// What each loaded module requires, exclusions taken out.
    requires: HashMap<ModuleVersion, Vec<ModuleVersion>>,
    failed: HashMap<ModuleVersion, Error>,
    selected: BTreeMap<ModulePath, Version>,
}

impl Graph {
    /// Builds the graph of a main module at `main` that requires `roots`.
    ///
    /// `requires` holds every module whose go.mod was read; a module that is only named, because
    /// pruning ended the walk there, takes part in the selection all the same.
    pub(super) fn new(
        main: &str,
        roots: Vec<ModuleVersion>,
        requires: HashMap<ModuleVersion, Vec<ModuleVersion>>,
        failed: HashMap<ModuleVersion, Error>,
    ) -> Graph {
        let mut selected: BTreeMap<ModulePath, Version> = BTreeMap::new();
        for module in roots.iter().chain(requires.values().flatten()) {
            if module.path().as_str() == main {
                continue;
            }
            match selected.get_mut(module.path()) {
                Some(highest) if *highest >= *module.version() => {}
                Some(highest) => *highest = module.version().clone(),
                None => {
                    selected.insert(module.path().clone(), module.version().clone());
                }
            }
        }
        Graph {
            roots,
            requires,
            failed,
            selected,
        }
    }

    /// The version of `path` in the build list.
    #[must_use]
    pub fn selected(&self, path: &str) -> Option<&Version> {
        self.selected.get(path)
    }

    /// The build list without the main module, by path.
    pub fn build_list(&self) -> impl Iterator<Item = ModuleVersion> {
        let selected = self.selected.iter();
        // Each pair was a requirement, so it agrees on the major version.
        selected
            .filter_map(|(path, version)| ModuleVersion::new(path.clone(), version.clone()).ok())
    }

    /// The modules whose go.mod files the selection rests on.
    pub fn loaded(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.requires.keys()
    }

    /// The modules whose go.mod files could not be had, and that the selection may lack.
    pub fn failed(&self) -> impl Iterator<Item = &ModuleVersion> {
        self.failed.keys()
    }

    /// The roots with each version replaced by the selected one; `None` if all were selected.
    ///
    /// A go.mod of go 1.17 or later that is not tidy lists a version which the graph below it
    /// raises; the graph is then read again from the raised roots, as `go` does.
    #[must_use]
    pub fn raised_roots(&self) -> Option<Vec<ModuleVersion>> {
        let mut raised = Vec::with_capacity(self.roots.len());
        let mut seen = HashSet::new();
        for root in &self.roots {
            let version = self
                .selected(root.path().as_str())
                .unwrap_or(root.version());
            if seen.insert(root.path())
                && let Ok(module) = ModuleVersion::new(root.path().clone(), version.clone())
            {
                raised.push(module);
            }
        }
        (raised != self.roots).then_some(raised)
    }

    /// The failure nearest to the main module, with the chain of requirements that led there.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let stack = self.path_to_failure()?;
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
        for root in &self.roots {
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
            for required in self.requires.get(module).into_iter().flatten() {
                if !from.contains_key(required) {
                    from.insert(required, Some(module));
                    queue.push_back(required);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn module(text: &str) -> ModuleVersion {
        let (path, version) = text.split_once('@').unwrap();
        ModuleVersion::parse(path, version).unwrap()
    }

    fn graph(roots: &[&str], edges: &[(&str, &[&str])], failed: &[&str]) -> Graph {
        let list = |names: &[&str]| names.iter().map(|name| module(name)).collect::<Vec<_>>();
        Graph::new(
            "main.com/m",
            list(roots),
            edges
                .iter()
                .map(|(from, to)| (module(from), list(to)))
                .collect(),
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
            [module("a.com/a@v1.0.0"), module("b.com/b@v1.2.0")]
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
