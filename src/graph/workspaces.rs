//! What the walk through a workspace has beside the walk below one main module.
//!
//! It goes below every main module as below a required one: as far as what it requires, and
//! further where it is of go 1.16 or older. Then it goes on below what was selected in place of
//! a version that a main module, or another module of this step, requires: with such a version may
//! come requirements that no main module lists. That is repeated until nothing new is selected.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::loaded::Graph;
use crate::project::{GraphSummary, Node};

/// What a walk through a workspace has beside the rest.
#[derive(Debug)]
pub(crate) struct WorkspaceMains {
    /// What each main module requires.
    pub(crate) requires: Vec<(String, Arc<GraphSummary>)>,
    /// The paths whose selected versions the walk goes below.
    followed: BTreeSet<String>,
    /// What it went below.
    seen: HashSet<Node>,
}

impl WorkspaceMains {
    /// `followed` are the roots whose paths the walk goes below at first.
    pub(crate) fn new(
        requires: Vec<(String, Arc<GraphSummary>)>,
        followed: &[Node],
    ) -> WorkspaceMains {
        let paths = followed.iter().map(|root| root.path().to_owned());
        WorkspaceMains {
            requires,
            followed: paths.collect(),
            seen: HashSet::new(),
        }
    }

    /// What to go below in the next step.
    ///
    /// Source: golang/go `cmd/go/internal/modload/buildlist.go`, `readModGraph`.
    pub(crate) fn next(&mut self, graph: &Graph) -> HashSet<Node> {
        let mut next = HashSet::new();
        for path in &self.followed {
            let Some(node) = graph.selected_node(path) else {
                continue;
            };
            if !self.seen.contains(&node) {
                next.insert(node);
                continue;
            }
            for required in graph.required_by(&node).unwrap_or_default() {
                if let Some(selected) = graph.in_use(&required)
                    && selected > required
                    && !self.seen.contains(&selected)
                {
                    next.insert(selected);
                }
            }
        }
        self.followed
            .extend(next.iter().map(|node| node.path().to_owned()));
        self.seen.extend(next.iter().cloned());
        next
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::graph::Loader;
    use crate::graph::testing::{go_mod_among, provide};
    use crate::project::Project;

    /// What `go mod graph` of go1.26.8 reads: below c v1.1.0, which is selected above the v1.0.0 of
    /// m.com/a, it finds d, which m.com/a does not list.
    #[test]
    fn below_what_is_selected_above_a_requirement_the_walk_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let files = [
            ("go.work", "go 1.21\nuse ./b\nuse ./a\n"),
            (
                "a/go.mod",
                "module m.com/a\ngo 1.21\nrequire c.com/c v1.0.0\n",
            ),
            (
                "b/go.mod",
                "module m.com/b\ngo 1.17\nrequire e.com/e v1.0.0\n",
            ),
        ];
        for (name, text) in files {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let universe = [
            ("c.com/c@v1.0.0", "go 1.17\n"),
            ("c.com/c@v1.1.0", "go 1.17\nrequire d.com/d v1.0.0\n"),
            ("d.com/d@v1.0.0", "go 1.17\nrequire f.com/f v1.0.0\n"),
            ("e.com/e@v1.0.0", "go 1.17\nrequire c.com/c v1.1.0\n"),
        ];
        let project = Project::read_workspace(&dir.path().join("go.work"), dir.path()).unwrap();
        let mut loader = Loader::of(&project, false);
        let mut asked = Vec::new();
        loop {
            asked.extend(provide(&mut loader, |wanted| {
                go_mod_among(&universe, wanted)
            }));
            if !loader.advance() {
                break;
            }
        }
        asked.sort();
        let want = [
            "c.com/c@v1.0.0",
            "c.com/c@v1.1.0",
            "d.com/d@v1.0.0",
            "e.com/e@v1.0.0",
        ];
        assert_eq!(asked, want);
        let graph = loader.finish();
        let names = |nodes: Vec<String>| nodes.join(" ");
        assert_eq!(graph.mains().collect::<Vec<_>>(), ["m.com/a", "m.com/b"]);
        assert_eq!(
            names(graph.roots().iter().map(ToString::to_string).collect()),
            "go@1.21 m.com/a m.com/b"
        );
        assert_eq!(
            names(
                graph
                    .build_list()
                    .map(|module| module.to_string())
                    .collect()
            ),
            "c.com/c@v1.1.0 d.com/d@v1.0.0 e.com/e@v1.0.0 f.com/f@v1.0.0"
        );
    }
}
