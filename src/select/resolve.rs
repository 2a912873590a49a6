//! From what the command line chose to versions: the queries among them are resolved.

use std::sync::Arc;

use super::needs_graph::is_relative;
use super::{Target, ToolVersion};
use crate::error::{Error, Kind, Result};
use crate::fetch::{
    QueryResolver, ReleaseQuery, ReleaseResolver, ResolvedVersion, Run, Unresolved, VersionFilter,
    VersionQuery,
};
use crate::gomod::{ModulePath, ModuleVersion, Tool, Version};
use crate::graph::Graph;
use crate::project::{Project, ReplaceRules};
use crate::source::{ReuseEntry, ReuseFile, VcsOrigin};

/// How a module came to be chosen: what was asked for is part of the answer.
#[derive(Clone, Debug)]
pub enum ChosenBy {
    /// The requirement graph.
    Graph,
    /// Its version, named on the command line.
    Version,
    /// A query.
    Query {
        /// As typed.
        query: String,
        /// Where the source says that the version comes from.
        origin: Option<Box<VcsOrigin>>,
    },
}

/// A module to work on, or one that cannot be.
#[derive(Clone, Debug)]
pub enum ResolvedTarget {
    /// A version.
    Module {
        /// Which.
        module: ModuleVersion,
        /// How it came to be chosen.
        chosen_by: ChosenBy,
    },
    /// Named, but there is no such version.
    Failed {
        /// As typed.
        path: String,
        /// As typed; empty if none was.
        version: String,
        /// The query that the version came from; empty if none did.
        query: String,
        /// Why.
        error: Error,
        /// What that depends on, where the source says so.
        origin: Option<Box<VcsOrigin>>,
    },
    /// What an earlier run said of it, which still holds; also that there is no such version.
    Reused {
        /// What it said.
        entry: Arc<ReuseEntry>,
        /// As typed now.
        asked: String,
        /// Where the source says that the version comes from.
        origin: Box<VcsOrigin>,
    },
}

impl ResolvedTarget {
    /// The version, if there is one.
    pub fn module(&self) -> Option<&ModuleVersion> {
        match self {
            ResolvedTarget::Module { module, .. } => Some(module),
            ResolvedTarget::Failed { .. } | ResolvedTarget::Reused { .. } => None,
        }
    }

    /// Why there is no such version, if there is none.
    pub fn failure(&self) -> Option<Error> {
        match self {
            ResolvedTarget::Module { .. } => None,
            ResolvedTarget::Failed { error, .. } => Some(error.clone()),
            ResolvedTarget::Reused { entry, .. } => reused_failure(entry),
        }
    }

    /// What it is about, as it is written on a command line.
    pub fn subject(&self) -> String {
        match self {
            ResolvedTarget::Module { module, .. } => module.to_string(),
            ResolvedTarget::Failed { path, version, .. } if version.is_empty() => path.clone(),
            ResolvedTarget::Failed { path, version, .. } => format!("{path}@{version}"),
            ResolvedTarget::Reused { entry, asked, .. } => format!("{}@{asked}", entry.path),
        }
    }
}

/// The failure of a module in an earlier run.
#[must_use]
pub fn reused_failure(entry: &ReuseEntry) -> Option<Error> {
    let text = entry.error.as_str();
    (!text.is_empty()).then(|| Error::new(Kind::NotFound, text))
}

/// Resolves what is a query; the order stays. What `reuse` says of something named, and still
/// holds, is taken over.
///
/// # Errors
/// Those of [`QueryResolver::resolve`].
pub fn resolve(
    targets: Vec<Target>,
    run: &Run,
    project: Option<&Project>,
    graph: Option<&Graph>,
    reuse: Option<&ReuseFile>,
) -> Result<Vec<ResolvedTarget>> {
    let none = ReplaceRules::default();
    let rules = project.map_or(&none, Project::rules);
    let version_query = |target: &Target| match target {
        Target::Query { path, query } => Some(VersionQuery {
            path: path.clone(),
            query: query.clone(),
            current: current(path.as_str(), project, graph),
            filter: VersionFilter::Allowed,
        }),
        Target::Module { .. } | Target::Tool { .. } | Target::Failed { .. } => None,
    };
    // Where the graph is broken, it is unknown what such a module would move from. That the graph
    // is broken is reported in any case.
    let lost = |query: &VersionQuery| {
        is_relative(&query.query)
            && query.current.is_none()
            && graph.is_some_and(|graph| graph.error().is_some())
    };
    let resolver = QueryResolver::new(run, rules);
    let reusable = |path: &ModulePath, asked: &str| resolver.reusable(reuse?, path, asked);
    let reused = run.for_each(
        &targets,
        |_| reuse.is_none().then_some(None),
        |target| match target {
            Target::Query { path, query } => reusable(path, query),
            Target::Module {
                module,
                named: true,
            } => reusable(module.path(), module.version().as_str()),
            _ => None,
        },
    )?;
    let queries: Vec<VersionQuery> = targets
        .iter()
        .zip(&reused)
        .filter(|(_, reused)| reused.is_none())
        .filter_map(|(target, _)| version_query(target))
        .filter(|query| !lost(query))
        .collect();
    let found = resolver.resolve(&queries)?;
    let mut found = found.into_iter();
    let releases = ReleaseResolver::new(run);
    let mut resolved = Vec::with_capacity(targets.len());
    for (target, reused) in targets.into_iter().zip(reused) {
        if let Some((entry, origin)) = reused {
            let asked = match &target {
                Target::Query { query, .. } => query.clone(),
                _ => entry.version.clone(),
            };
            resolved.push(ResolvedTarget::Reused {
                entry,
                asked,
                origin,
            });
            continue;
        }
        if version_query(&target).as_ref().is_some_and(lost) {
            continue;
        }
        resolved.push(match target {
            Target::Module { module, named } => ResolvedTarget::Module {
                module,
                chosen_by: if named {
                    ChosenBy::Version
                } else {
                    ChosenBy::Graph
                },
            },
            Target::Failed {
                path,
                version,
                error,
            } => failed(&path, version, error.into()),
            Target::Tool { tool, version } => {
                let current = || current_release(tool, project, graph, releases);
                release(tool, version, current, releases)
            }
            Target::Query { path, query } => match found.next() {
                Some(Ok(ResolvedVersion { module, origin, .. })) => {
                    let known = reusable(module.path(), module.version().as_str());
                    match known.zip(origin.clone()) {
                        Some(((entry, _), origin)) => ResolvedTarget::Reused {
                            entry,
                            asked: query,
                            origin,
                        },
                        None => ResolvedTarget::Module {
                            module,
                            chosen_by: ChosenBy::Query { query, origin },
                        },
                    }
                }
                // There is a result for each query.
                Some(Err(unresolved)) => failed(path.as_str(), query, unresolved),
                None => continue,
            },
        });
    }
    Ok(resolved)
}

fn failed(path: &str, query: String, unresolved: Unresolved) -> ResolvedTarget {
    ResolvedTarget::Failed {
        path: path.to_owned(),
        version: query,
        query: String::new(),
        error: unresolved.error,
        origin: unresolved.origin,
    }
}

/// What becomes of `go` or `toolchain`: its version is looked up, but there is no such module.
fn release(
    tool: Tool,
    version: ToolVersion,
    current: impl FnOnce() -> String,
    releases: ReleaseResolver<'_>,
) -> ResolvedTarget {
    let (version, query) = match version {
        ToolVersion::Own => (releases.own_release(tool), String::new()),
        ToolVersion::Required(version) => (version, String::new()),
        ToolVersion::Query(query) => {
            let asked = ReleaseQuery {
                tool,
                query: query.clone(),
                current: current(),
                filter: VersionFilter::Allowed,
            };
            match releases.release(&asked) {
                Ok(found) if found.version == query => (query, String::new()),
                Ok(found) => (found.version, query),
                Err(error) => return failed(tool.name(), query, error.into()),
            }
        }
    };
    let error = releases.no_module(tool, &version);
    ResolvedTarget::Failed {
        path: tool.name().to_owned(),
        version,
        query,
        error,
        origin: None,
    }
}

/// The version of `go` or `toolchain` in use; empty if there is none.
fn current_release(
    tool: Tool,
    project: Option<&Project>,
    graph: Option<&Graph>,
    releases: ReleaseResolver<'_>,
) -> String {
    let node = match graph {
        Some(graph) => graph.node(tool.name()),
        None => project.and_then(|project| project.root_tool(tool)),
    };
    match node {
        Some(node) => node.version().to_owned(),
        None if project.is_none_or(Project::is_empty) => releases.own_release(tool),
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
