//! The roots that `go` would write to the go.mod of a module whose graph is not pruned.
//!
//! Source: golang/go `cmd/go/internal/mvs/mvs.go`, `Req`, as `modload/buildlist.go`,
//! `updateUnprunedRoots`, uses it.

use std::collections::{HashMap, HashSet};

use super::graph::Graph;
use super::node::Node;

/// Roots from which the same versions are selected: those roots of `graph` that are selected, the
/// selected version of every path in `direct` and of go, and what neither of these brings in.
#[must_use]
pub fn minimal_roots(graph: &Graph, direct: &HashSet<&str>) -> Vec<Node> {
    let keep = graph.nodes();
    let selected: HashMap<&str, &Node> = keep.iter().map(|node| (node.path(), node)).collect();
    let is_selected = |node: &Node| selected.get(node.path()) == Some(&node);
    let listed = graph.roots().iter().filter(|root| is_selected(root));
    let wanted = |node: &&Node| node.path() == "go" || direct.contains(node.path());
    let mut have = HashSet::new();
    let mut roots: Vec<Node> = Vec::new();
    for node in listed.chain(keep.iter().filter(wanted)) {
        if !roots.contains(node) {
            roots.push(node.clone());
            walk(graph, node, &mut have, |_| {});
        }
    }
    let mut postorder = Vec::new();
    let mut seen = HashSet::new();
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
/// below it was told.
fn walk(graph: &Graph, from: &Node, seen: &mut HashSet<Node>, mut done: impl FnMut(&Node)) {
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
