//! From what the command line chose to versions: the queries among them are resolved.

use crate::error::{Error, Result};
use crate::fetch::{Admit, Answer, Fetcher, Outcome, Question, ReleaseQuestion};
use crate::gomod::{ModuleVersion, Tool, Version};
use crate::graph::Graph;
use crate::modset::{Choice, Named};
use crate::project::{Edits, Project};
use crate::report::{Asked, JsonObject, outcome_json};

/// A module to work on, or one that cannot be.
#[derive(Clone, Debug)]
pub(super) enum Pick {
    /// A version.
    Module {
        /// Which.
        module: ModuleVersion,
        /// How it came to be chosen.
        asked: Asked,
    },
    /// Named, but there is no such thing.
    Failed {
        /// As typed.
        path: String,
        /// As typed; empty if none was.
        version: String,
        /// The query that the version came from; empty if none did.
        query: String,
        /// Why.
        error: Error,
    },
}

impl Pick {
    /// The version, if there is one.
    pub(super) fn module(&self) -> Option<&ModuleVersion> {
        match self {
            Pick::Module { module, .. } => Some(module),
            Pick::Failed { .. } => None,
        }
    }

    /// What it is about, as it is written on a command line.
    pub(super) fn subject(&self) -> String {
        match self {
            Pick::Module { module, .. } => module.to_string(),
            Pick::Failed { path, version, .. } if version.is_empty() => path.clone(),
            Pick::Failed { path, version, .. } => format!("{path}@{version}"),
        }
    }

    /// The object that `-json` prints where it cannot be had.
    pub(super) fn failed_json(&self, error: &Error) -> JsonObject {
        let (path, version, query) = match self {
            Pick::Module { module, .. } => (module.path().as_str(), module.version().as_str(), ""),
            Pick::Failed {
                path,
                version,
                query,
                ..
            } => (path.as_str(), version.as_str(), query.as_str()),
        };
        let mut json = JsonObject::new();
        json.string("Path", path);
        json.string("Version", version);
        json.string("Query", query);
        json.string("Error", &error.chain());
        json.string("ErrorKind", error.kind().name());
        json
    }

    /// The object that `-json` prints for it.
    pub(super) fn json(&self, outcome: Option<&Outcome>) -> JsonObject {
        match (self, outcome) {
            (Pick::Module { asked, .. }, Some(outcome)) => outcome_json(outcome, asked),
            (Pick::Module { module, .. }, None) => {
                let mut json = JsonObject::new();
                json.string("Path", module.path().as_str());
                json.string("Version", module.version().as_str());
                json
            }
            (Pick::Failed { error, .. }, _) => self.failed_json(error),
        }
    }
}

/// Resolves what is a query; the order stays.
///
/// # Errors
/// Those of [`Fetcher::resolve`].
pub(super) fn resolve(
    choices: Vec<Choice>,
    fetcher: &Fetcher<'_>,
    project: Option<&Project>,
    graph: Option<&Graph>,
) -> Result<Vec<Pick>> {
    let none = Edits::default();
    let edits = project.map_or(&none, Project::edits);
    let question = |choice: &Choice| match choice {
        Choice::Query { path, query } => Some(Question {
            path: path.clone(),
            query: query.clone(),
            current: current(path.as_str(), project, graph),
            admit: Admit::Sound,
        }),
        Choice::Module { .. } | Choice::Tool { .. } | Choice::Failed { .. } => None,
    };
    // Where the graph is broken, nobody knows what such a module would move from. That the graph
    // is broken is told anyway.
    let lost = |question: &Question| {
        let moves = matches!(&*question.query, "upgrade" | "patch");
        moves && question.current.is_none() && graph.is_some_and(|graph| graph.error().is_some())
    };
    let questions: Vec<Question> = choices
        .iter()
        .filter_map(question)
        .filter(|question| !lost(question))
        .collect();
    let mut answers = fetcher.resolve(&questions, edits)?.into_iter();
    let mut picks = Vec::with_capacity(choices.len());
    for choice in choices {
        if question(&choice).as_ref().is_some_and(lost) {
            continue;
        }
        picks.push(match choice {
            Choice::Module { module, named } => Pick::Module {
                module,
                asked: if named { Asked::Version } else { Asked::Graph },
            },
            Choice::Failed {
                path,
                version,
                error,
            } => failed(&path, version, error),
            Choice::Tool { tool, version } => {
                let current = || current_release(tool, project, graph, fetcher);
                release(tool, version, current, fetcher)
            }
            Choice::Query { path, query } => match answers.next() {
                Some(Ok(Answer { module, origin, .. })) => Pick::Module {
                    module,
                    asked: Asked::Query { query, origin },
                },
                // There is an answer for each question.
                Some(Err(error)) => failed(path.as_str(), query, error),
                None => continue,
            },
        });
    }
    Ok(picks)
}

fn failed(path: &str, query: String, error: Error) -> Pick {
    Pick::Failed {
        path: path.to_owned(),
        version: query,
        query: String::new(),
        error,
    }
}

/// What becomes of `go` or `toolchain`: its version is looked up, but there is no such module.
fn release(
    tool: Tool,
    version: Named,
    current: impl FnOnce() -> String,
    fetcher: &Fetcher<'_>,
) -> Pick {
    let (version, query) = match version {
        Named::Own => (fetcher.own_release(tool), String::new()),
        Named::Required(version) => (version, String::new()),
        Named::Query(query) => {
            let question = ReleaseQuestion {
                tool,
                query: query.clone(),
                current: current(),
                admit: Admit::Sound,
            };
            match fetcher.release(&question) {
                Ok(found) if found.version == query => (query, String::new()),
                Ok(found) => (found.version, query),
                Err(error) => return failed(tool.name(), query, error),
            }
        }
    };
    let error = fetcher.no_module(tool, &version);
    Pick::Failed {
        path: tool.name().to_owned(),
        version,
        query,
        error,
    }
}

/// The version of `go` or `toolchain` in use; empty if there is none.
fn current_release(
    tool: Tool,
    project: Option<&Project>,
    graph: Option<&Graph>,
    fetcher: &Fetcher<'_>,
) -> String {
    let node = match graph {
        Some(graph) => graph.node(tool.name()),
        None => project.and_then(|project| project.root_tool(tool)),
    };
    match node {
        Some(node) => node.version().to_owned(),
        None if project.is_none_or(Project::is_empty) => fetcher.own_release(tool),
        None => String::new(),
    }
}

/// The version of `path` in use: what was selected, or what go.mod says where the graph was not
/// needed.
fn current(path: &str, project: Option<&Project>, graph: Option<&Graph>) -> Option<Version> {
    if let Some(graph) = graph {
        return graph.selected(path).cloned();
    }
    let root = project?.root_version(path)?;
    Some(root.version().clone())
}
