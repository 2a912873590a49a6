//! Why a module is in the graph: the requirements that lead there.

use std::collections::{HashMap, VecDeque};

use super::loaded::Graph;
use crate::project::Node;

impl Graph {
    /// The shortest chain of requirements from a main module to the version of `path` that is in use;
    /// `None` if nothing requires it.
    ///
    /// `go` and `toolchain` are paths, too. Of chains as short as each other it is the one that the
    /// go.mod files name first. In a workspace, what go.work asks for itself has a chain of one.
    #[must_use]
    pub fn chain_to(&self, path: &str) -> Option<Vec<Node>> {
        let wanted = self.selected_node(path)?;
        let mut from: HashMap<Node, Option<Node>> = HashMap::new();
        let mut queue = VecDeque::new();
        let mains = self.mains().map(|main| Node::Main(main.to_owned()));
        let mut starts: Vec<Node> = mains.collect();
        if starts.iter().any(|main| self.roots().contains(main)) {
            starts = self.roots().to_vec();
        }
        for start in starts {
            if from.insert(start.clone(), None).is_none() {
                queue.push_back(start);
            }
        }
        while let Some(node) = queue.pop_front() {
            if node == wanted {
                let mut chain = vec![node];
                while let Some(Some(parent)) = chain.last().and_then(|last| from.get(last)) {
                    chain.push(parent.clone());
                }
                chain.reverse();
                return Some(chain);
            }
            for required in self.required_by(&node).into_iter().flatten() {
                if !from.contains_key(&required) {
                    from.insert(required.clone(), Some(node.clone()));
                    queue.push_back(required);
                }
            }
        }
        None
    }
}
