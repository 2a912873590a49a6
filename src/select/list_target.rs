//! From the arguments of `list -m` to what is listed.
//!
//! Source: golang/go `cmd/go/internal/modload/list.go` (`listModules`).

use std::collections::HashSet;

use super::SelectionContext;
use super::needs_graph::is_relative;
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{Argument, GoVersion, MatchPattern, ModulePath, Tool, Version};
use crate::graph::Graph;
use crate::project::{MainModule, Node, Project};

/// What stands for the main module where there is none, as in go.
pub const NO_MAIN: &str = "command-line-arguments";

/// One thing that a listing describes.
#[derive(Clone, Debug)]
pub enum ListTarget {
    /// A main module, or what stands for it where there is none.
    Main {
        /// Its path.
        path: String,
        /// The query that was typed, which leaves it where it is; empty if there was none.
        query: String,
    },
    /// What the main module requires: a module version, go or a toolchain.
    Required(Node),
    /// `path@query`.
    Query {
        /// The module.
        path: ModulePath,
        /// What stands after the `@`.
        query: String,
        /// The version in use, if there is one.
        current: Option<Version>,
    },
    /// `go@query` or `toolchain@query`.
    Release {
        /// Which of the two.
        tool: Tool,
        /// What stands after the `@`.
        query: String,
        /// The version in use; empty if there is none.
        current: String,
    },
    /// A module of which nothing but its versions is asked.
    Versions {
        /// Its path, as typed.
        path: String,
    },
    /// Named, but it cannot be listed.
    Failed {
        /// As typed.
        path: String,
        /// As typed; empty if none was.
        version: String,
        /// Why.
        error: Error,
    },
}

/// What a listing is about.
#[derive(Clone, Debug, Default)]
pub struct ListTargets {
    /// In the order of go.
    pub list: Vec<ListTarget>,
    /// Lines for the reader, such as patterns that match nothing.
    pub notices: Vec<String>,
}

/// What the arguments are about; without any, the main module. `graph` is there if one of them
/// needs it, and `local` is the go version that the run acts as.
#[must_use]
pub fn list_targets(
    arguments: &[Argument],
    context: SelectionContext<'_>,
    graph: Option<&Graph>,
    local: &GoVersion,
) -> ListTargets {
    let project = context.project;
    let mut reader = ListArgumentReader {
        context,
        graph,
        local,
        matched: HashSet::new(),
        targets: ListTargets::default(),
    };
    if arguments.is_empty() {
        match project {
            Some(project) => project
                .mains()
                .for_each(|main| reader.main(main.path(), "")),
            None => reader.main(NO_MAIN, ""),
        }
    }
    for argument in arguments {
        match argument {
            Argument::All => reader.matching("all", |_| true),
            Argument::Pattern(pattern) => {
                let compiled = MatchPattern::parse(pattern);
                reader.matching(pattern, |path| compiled.matches(path));
            }
            Argument::Path(path) => reader.path(path),
            Argument::Versioned { path, version } => reader.versioned(path, version),
        }
    }
    reader.targets
}

struct ListArgumentReader<'a> {
    context: SelectionContext<'a>,
    graph: Option<&'a Graph>,
    local: &'a GoVersion,
    /// The paths that a pattern has listed.
    matched: HashSet<String>,
    targets: ListTargets,
}

impl ListArgumentReader<'_> {
    fn main(&mut self, path: &str, query: &str) {
        let (path, query) = (path.to_owned(), query.to_owned());
        self.targets.list.push(ListTarget::Main { path, query });
    }

    fn is_main(&self, path: &str) -> bool {
        self.context
            .project
            .is_some_and(|project| project.is_main(path))
    }

    /// The graph is there, but not whole: it says nothing of what it does not have.
    fn is_broken(&self) -> bool {
        self.graph.is_some_and(|graph| graph.error().is_some())
    }

    /// The version in use.
    fn selected(&self, path: &str) -> Option<Node> {
        let node = match self.graph {
            Some(graph) => graph.node(path),
            None => self.context.root(path).flatten(),
        };
        node.or_else(|| self.own(Tool::of(path)?))
    }

    /// What go requires of itself where there is no main module.
    fn own(&self, tool: Tool) -> Option<Node> {
        let alone = self.context.project.is_none_or(Project::is_empty);
        alone.then(|| Node::of_tool(tool, tool.version_of(self.local.as_str())))
    }

    fn matching(&mut self, pattern: &str, matches: impl Fn(&str) -> bool) {
        let before = self.targets.list.len();
        let mains = self.context.project.into_iter().flat_map(Project::mains);
        let mut mains: Vec<&str> = mains.map(MainModule::path).collect();
        mains.sort_unstable();
        for path in mains {
            if matches(path) && self.matched.insert(path.to_owned()) {
                self.main(path, "");
            }
        }
        for module in self.graph.into_iter().flat_map(Graph::build_list) {
            let path = module.path().as_str();
            if matches(path) && self.matched.insert(path.to_owned()) {
                let node = Node::Module(module);
                self.targets.list.push(ListTarget::Required(node));
            }
        }
        if self.targets.list.len() == before {
            let text = format!("warning: pattern {pattern:?} matched no module dependencies");
            self.targets.notices.push(text);
        }
    }

    fn path(&mut self, path: &str) {
        let target = if self.is_main(path) {
            return self.main(path, "");
        } else if let Some(node) = self.selected(path) {
            ListTarget::Required(node)
        } else if self.is_broken() {
            return;
        } else if self.context.with_versions {
            let path = path.to_owned();
            ListTarget::Versions { path }
        } else {
            let text = format!("module {path}: not a known dependency");
            failed(path, "", Error::new(Kind::NotFound, text))
        };
        self.targets.list.push(target);
    }

    fn versioned(&mut self, path: &str, query: &str) {
        let moves = is_relative(query);
        let current = self.selected(path);
        if moves && current.is_none() && !self.is_main(path) && self.is_broken() {
            // It is unknown what it would move from.
            return;
        }
        if moves && self.is_main(path) {
            return self.main(path, query);
        }
        if let Some(tool) = Tool::of(path) {
            let current = current.map(|node| node.version().to_owned());
            return self.targets.list.push(ListTarget::Release {
                tool,
                query: query.to_owned(),
                current: current.unwrap_or_default(),
            });
        }
        let target = match versioned_path(path, query) {
            Ok(_) if query.is_empty() => {
                let text = format!("{path}@: invalid version: disallowed version string");
                failed(path, query, Error::new(Kind::Input, text))
            }
            Ok(path) => ListTarget::Query {
                path,
                query: query.to_owned(),
                current: current
                    .and_then(|node| node.module().map(|module| module.version().clone())),
            },
            Err(error) => failed(path, query, error.about(Subject::version(path, query))),
        };
        self.targets.list.push(target);
    }
}

/// A path of which a version may be asked for.
///
/// # Errors
/// [`Kind::Input`], in go's words, which do not name the version.
pub fn versioned_path(path: &str, version: &str) -> Result<ModulePath> {
    if ["std", "cmd"].contains(&path) {
        let text = format!(
            "can't query specific version ({version:?}) of standard-library module {path:?}"
        );
        return Err(Error::new(Kind::Input, text));
    }
    ModulePath::parse(path).and_then(|checked| checked.escape().map(|_| checked))
}

fn failed(path: &str, version: &str, error: Error) -> ListTarget {
    ListTarget::Failed {
        path: path.to_owned(),
        version: version.to_owned(),
        error,
    }
}
