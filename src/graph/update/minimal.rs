//! The roots that `go` would write to the go.mod of a module whose graph is not pruned.
//!
//! Source: golang/go `cmd/go/internal/mvs/mvs.go`, `Req`, as `modload/buildlist.go`,
//! `updateUnprunedRoots`, uses it.

use crate::graph::Graph;
use crate::map::{Map, Set};
use crate::project::Node;

/// Roots from which the same versions are selected: those roots of `graph` that are selected, the
/// selected version of every path in `direct` and of go, and what neither of these brings in.
#[must_use]
pub fn minimal_roots(graph: &Graph, direct: &Set<&str>) -> Vec<Node> {
    let keep = graph.nodes();
    let selected: Map<&str, &Node> = keep.iter().map(|node| (node.path(), node)).collect();
    let is_selected = |node: &Node| selected.get(node.path()) == Some(&node);
    let listed = graph.roots().iter().filter(|root| is_selected(root));
    let wanted = |node: &&Node| node.path() == "go" || direct.contains(node.path());
    let mut have = Set::default();
    let mut roots: Vec<Node> = Vec::new();
    for node in listed.chain(keep.iter().filter(wanted)) {
        if !roots.contains(node) {
            roots.push(node.clone());
            walk(graph, node, &mut have, |_| {});
        }
    }
    let mut postorder = Vec::new();
    let mut seen = Set::default();
    for node in &keep {
        walk(graph, node, &mut seen, |node| postorder.push(node.clone()));
    }
    for node in postorder.iter().rev() {
        if is_selected(node) && !have.contains(node) {
            roots.push(node.clone());
            walk(graph, node, &mut have, |_| {});
        }
    }
    roots.sort();
    roots
}

/// Goes through what is reached from a node and was not seen, deepest first; tells each when all
/// below it has provided.
fn walk(graph: &Graph, from: &Node, seen: &mut Set<Node>, mut done: impl FnMut(&Node)) {
    let required = |node: &Node| graph.required_by(node).unwrap_or_default().into_iter();
    if !seen.insert(from.clone()) {
        return;
    }
    // A list of its own instead of recursion: a chain of requirements may be long.
    let mut path = vec![(from.clone(), required(from))];
    while let Some((node, rest)) = path.last_mut() {
        match rest.next() {
            Some(next) => {
                if seen.insert(next.clone()) {
                    let below = required(&next);
                    path.push((next, below));
                }
            }
            None => {
                done(node);
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::ModuleVersion;
    use crate::graph::Loader;
    use crate::graph::testing::{go_mod_among, provide};
    use crate::project::ReplaceRules;

    /// What `go mod graph` of go1.26.8 prints as requirements of the main module.
    #[test]
    fn roots_are_raised_and_what_they_bring_in_is_left_out() {
        let universe = [
            ("a.com/a@v1.0.0", "require b.com/b v1.2.0\n"),
            ("b.com/b@v1.0.0", "require c.com/c v1.0.0\n"),
            ("b.com/b@v1.2.0", "go 1.22\n"),
            ("c.com/c@v1.0.0", ""),
        ];
        let module = |name: &str| {
            let (path, version) = name.split_once('@').unwrap();
            Node::Module(ModuleVersion::parse(path, version).unwrap())
        };
        let roots = vec![
            module("a.com/a@v1.0.0"),
            module("b.com/b@v1.0.0"),
            Node::Go("1.16".into()),
            Node::Toolchain("default".into()),
        ];
        let rules = ReplaceRules::default();
        let mut loader = Loader::new("main.com/m", &rules, false, roots);
        provide(&mut loader, |wanted| go_mod_among(&universe, wanted));
        let graph = loader.finish();
        let minimal = |direct: &[&str]| {
            let roots = minimal_roots(&graph, &direct.iter().copied().collect());
            let names: Vec<String> = roots.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        // Only b v1.0.0 asks for c, and no module for b v1.0.0 any more.
        assert_eq!(minimal(&[]), "a.com/a@v1.0.0 c.com/c@v1.0.0 go@1.22");
        assert_eq!(
            minimal(&["b.com/b"]),
            "a.com/a@v1.0.0 b.com/b@v1.2.0 c.com/c@v1.0.0 go@1.22"
        );
    }
}
