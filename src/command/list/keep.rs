//! What a listing leaves of go.mod and go.sum, and what it refuses to leave.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`commitRequirements`, `keepSums`).

use crate::command::go_mod;
use crate::command::session::Session;
use crate::command::sums::{save_sums, sums_of_build_list};
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::graph::{Graph, Requirements, Update};
use crate::project::{BuildMod, Project, ResolvedModule};
use crate::trust::{SumPart, SumPolicy};

/// From this go version on go.sum has the go.mod of whatever it has the zip of.
const GO_MOD_SUMS: &str = "1.21";

/// Refuses what go would write to go.mod or go.sum, if it might.
pub(super) fn outdated_files(
    project: &Project,
    graph: Option<&Graph>,
    sums: &SumPolicy,
    why: &BuildMod,
) -> Result<()> {
    if written(project).is_some_and(|update| update.is_beyond_marks()) {
        return Err(why.outdated());
    }
    if lacks_sums(project, graph, sums) {
        let text = "updates to go.sum needed, disabled by -mod=readonly";
        return Err(Error::new(Kind::Input, text));
    }
    Ok(())
}

/// What go would write to go.mod, if it might, without a look at the graph.
pub(super) fn written(project: &Project) -> Option<Update> {
    let mut roots = project.written_roots();
    roots.dedup();
    let written = Requirements {
        pruned: project.is_pruned(),
        roots,
        graph: None,
        graph_not_recorded: false,
        superseded: Vec::new(),
    };
    Update::of(project, &written)
}

/// Writes go.mod and go.sum where `-mod=mod` lets go write them.
pub(super) fn record(
    session: &Session<'_>,
    project: &Project,
    edited: &Requirements,
) -> Result<()> {
    go_mod::commit(session.cache(), project, edited, false)?;
    save_sums(session, || {
        let graph = edited.graph.as_ref();
        let selected: Vec<ModuleVersion> = match graph {
            Some(graph) => graph.build_list().collect(),
            None => edited.modules().cloned().collect(),
        };
        sums_of_build_list(Some(project), selected, graph, false)
    })
}

/// Writes to go.work.sum what the graph of a workspace rests on.
pub(super) fn record_sums(session: &Session<'_>, project: &Project, graph: &Graph) -> Result<()> {
    save_sums(session, || {
        let selected = graph.build_list().filter(|_| is_whole(project));
        sums_of_build_list(Some(project), selected, Some(graph), false)
    })
}

/// True if go.sum has the go.mod of all that was selected.
fn is_whole(project: &Project) -> bool {
    let line = match project.workspace() {
        Some(work) => work.content().go.as_ref(),
        None => project.modfile().go.as_ref(),
    };
    line.is_some_and(|line| line.version.at_least(GO_MOD_SUMS))
}

/// True if go would have added to go.sum what this run found, because the build list rests on it.
fn lacks_sums(project: &Project, graph: Option<&Graph>, sums: &SumPolicy) -> bool {
    if !sums.has_new() {
        return false;
    }
    let rules = project.rules();
    let is_new = |module: &ModuleVersion| match rules.resolved(module) {
        ResolvedModule::Module(resolved) => sums.is_new(&resolved, SumPart::GoMod),
        ResolvedModule::Directory { .. } => false,
    };
    let Some(graph) = graph else {
        return project.requirements().iter().any(is_new);
    };
    graph.loaded().any(is_new)
        || is_whole(project) && graph.build_list().any(|module| is_new(&module))
}
