//! From the arguments of a listing to the modules it is about.

use std::collections::HashSet;

use super::ModuleInfo;
use crate::error::{Error, Kind, Result};
use crate::gomod::{GoVersion, MatchPattern, ModulePath, Tool, Version};
use crate::graph::{Graph, Requirements};
use crate::modset::Argument;
use crate::project::{MainModule, Node, Project};

/// What stands for the main module where there is none, as in go.
pub(super) const NO_MAIN: &str = "command-line-arguments";

/// Something that a listing says a word about.
#[derive(Clone, Debug)]
pub enum Subject {
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
    /// A module of which nothing but its versions is asked, or that there is nothing to say of.
    Named(Box<ModuleInfo>),
}

/// What a listing is about.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// In the order of go.
    pub list: Vec<Subject>,
    /// Lines for the reader, such as patterns that match nothing.
    pub notices: Vec<String>,
}

/// What arguments are read against.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The main module.
    pub project: Option<&'a Project>,
    /// Its requirements, where they were put right before.
    pub edited: Option<&'a Requirements>,
    /// A path alone means something without a main module.
    pub with_versions: bool,
}

impl Ground<'_> {
    /// The version of `path` that go.mod names, and `None` for the main module's own; `None` if it
    /// names none.
    fn root(&self, path: &str) -> Option<Option<Node>> {
        let project = self.project?;
        if project.is_main(path) {
            return Some(None);
        }
        let roots = match self.edited {
            Some(edited) => edited.roots.clone(),
            None => project.roots(),
        };
        let of_path = roots.into_iter().filter(|root| root.path() == path);
        of_path.max().map(Some)
    }

    fn is_pruned(&self) -> bool {
        let workspace = |project: &Project| project.workspace().is_some();
        match (self.edited, self.project) {
            (_, Some(project)) if workspace(project) => true,
            (Some(edited), _) => edited.pruned,
            (None, project) => project.is_some_and(Project::is_pruned),
        }
    }
}

/// True if the whole graph must be known to say what an argument means.
///
/// # Errors
/// [`Kind::Usage`] if it means nothing without a main module, and there is none.
pub fn needs_graph(argument: &Argument, ground: Ground<'_>) -> Result<bool> {
    let rooted = |path: &str| ground.is_pruned() && ground.root(path).is_some();
    let Ground {
        project,
        with_versions,
        ..
    } = ground;
    match argument {
        Argument::Path(path) if rooted(path) => Ok(false),
        Argument::Path(_) if with_versions && project.is_none_or(Project::is_empty) => Ok(false),
        Argument::Versioned { path, .. } if rooted(path) => Ok(false),
        _ => argument.needs_graph(project).map(|needed| match argument {
            // Even for the main module's own path, where the graph is not pruned.
            Argument::Path(_) => true,
            Argument::Versioned { version, .. } => matches!(&**version, "upgrade" | "patch"),
            Argument::All | Argument::Pattern(_) => needed,
        }),
    }
}

/// What the arguments are about; without any, the main module. `graph` is there if one of them
/// needs it, and `local` is the go version that the run acts as.
#[must_use]
pub fn subjects(
    arguments: &[Argument],
    ground: Ground<'_>,
    graph: Option<&Graph>,
    local: &GoVersion,
) -> Subjects {
    let project = ground.project;
    let mut choice = Choice {
        ground,
        graph,
        local,
        matched: HashSet::new(),
        subjects: Subjects::default(),
    };
    if arguments.is_empty() {
        match project {
            Some(project) => project
                .mains()
                .for_each(|main| choice.main(main.path(), "")),
            None => choice.main(NO_MAIN, ""),
        }
    }
    for argument in arguments {
        match argument {
            Argument::All => choice.matching("all", |_| true),
            Argument::Pattern(pattern) => {
                let compiled = MatchPattern::parse(pattern);
                choice.matching(pattern, |path| compiled.matches(path));
            }
            Argument::Path(path) => choice.path(path),
            Argument::Versioned { path, version } => choice.versioned(path, version),
        }
    }
    choice.subjects
}

struct Choice<'a> {
    ground: Ground<'a>,
    graph: Option<&'a Graph>,
    local: &'a GoVersion,
    /// The paths that a pattern has listed.
    matched: HashSet<String>,
    subjects: Subjects,
}

impl Choice<'_> {
    fn main(&mut self, path: &str, query: &str) {
        let (path, query) = (path.to_owned(), query.to_owned());
        self.subjects.list.push(Subject::Main { path, query });
    }

    fn is_main(&self, path: &str) -> bool {
        self.ground
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
            None => self.ground.root(path).flatten(),
        };
        node.or_else(|| self.own(Tool::of(path)?))
    }

    /// What go requires of itself where there is no main module.
    fn own(&self, tool: Tool) -> Option<Node> {
        let alone = self.ground.project.is_none_or(Project::is_empty);
        alone.then(|| Node::of_tool(tool, tool.version_of(self.local.as_str())))
    }

    fn matching(&mut self, pattern: &str, matches: impl Fn(&str) -> bool) {
        let before = self.subjects.list.len();
        let mains = self.ground.project.into_iter().flat_map(Project::mains);
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
                self.subjects.list.push(Subject::Required(node));
            }
        }
        if self.subjects.list.len() == before {
            let text = format!("warning: pattern {pattern:?} matched no module dependencies");
            self.subjects.notices.push(text);
        }
    }

    fn path(&mut self, path: &str) {
        let subject = if self.is_main(path) {
            return self.main(path, "");
        } else if let Some(node) = self.selected(path) {
            Subject::Required(node)
        } else if self.is_broken() {
            return;
        } else if self.ground.with_versions {
            Subject::Named(Box::new(ModuleInfo::new(path, "")))
        } else {
            let text = format!("module {path}: not a known dependency");
            failed(path, "", Error::new(Kind::NotFound, text))
        };
        self.subjects.list.push(subject);
    }

    fn versioned(&mut self, path: &str, query: &str) {
        let moves = matches!(query, "upgrade" | "patch");
        let current = self.selected(path);
        if moves && current.is_none() && !self.is_main(path) && self.is_broken() {
            // Nobody knows what it would move from.
            return;
        }
        if moves && self.is_main(path) {
            return self.main(path, query);
        }
        if let Some(tool) = Tool::of(path) {
            let current = current.map(|node| node.version().to_owned());
            return self.subjects.list.push(Subject::Release {
                tool,
                query: query.to_owned(),
                current: current.unwrap_or_default(),
            });
        }
        let subject = match asked(path, query) {
            Ok(_) if query.is_empty() => {
                let text = format!("{path}@: invalid version: disallowed version string");
                failed(path, query, Error::new(Kind::Input, text))
            }
            Ok(path) => Subject::Query {
                path,
                query: query.to_owned(),
                current: current
                    .and_then(|node| node.module().map(|module| module.version().clone())),
            },
            Err(error) => failed(path, query, error.context(format!("{path}@{query}"))),
        };
        self.subjects.list.push(subject);
    }
}

/// A path of which a version may be asked for.
///
/// # Errors
/// [`Kind::Input`], in go's words, which do not name the version.
pub(super) fn asked(path: &str, version: &str) -> Result<ModulePath> {
    if ["std", "cmd"].contains(&path) {
        let text = format!(
            "can't query specific version ({version:?}) of standard-library module {path:?}"
        );
        return Err(Error::new(Kind::Input, text));
    }
    ModulePath::parse(path).and_then(|checked| checked.escape().map(|_| checked))
}

fn failed(path: &str, version: &str, error: Error) -> Subject {
    Subject::Named(Box::new(ModuleInfo {
        error: Some(error),
        ..ModuleInfo::new(path, version)
    }))
}
