//! What a listing leaves of go.mod and go.sum, and what it refuses to leave.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`commitRequirements`, `keepSums`).

use std::collections::HashSet;

use crate::command::go_mod;
use crate::command::session::Session;
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::graph::{Graph, Requirements, Update};
use crate::project::{Actual, BuildMod, Project};
use crate::trust::{Part, SumPolicy};

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
        graph_aside: false,
        outgrown: Vec::new(),
    };
    Update::of(project, &written)
}

/// Writes go.mod and go.sum where `-mod=mod` lets go write them.
pub(super) fn record(
    session: &Session<'_>,
    project: &Project,
    edited: &Requirements,
) -> Result<()> {
    go_mod::commit(&session.cache, project, edited, false)?;
    if let Some(graph) = &edited.graph {
        return record_sums(session, project, graph, true);
    }
    let roots = edited.modules().cloned().collect();
    save_sums(session, project, roots)
}

/// Writes to go.sum, in a workspace to go.work.sum, what the graph rests on; if `whole`, also of
/// what was selected and required nothing.
pub(super) fn record_sums(
    session: &Session<'_>,
    project: &Project,
    graph: &Graph,
    whole: bool,
) -> Result<()> {
    if !session.sums.has_new() {
        return Ok(());
    }
    let mut modules: Vec<ModuleVersion> = graph.loaded().cloned().collect();
    if whole {
        modules.extend(graph.build_list());
    }
    save_sums(session, project, modules)
}

fn save_sums(session: &Session<'_>, project: &Project, modules: Vec<ModuleVersion>) -> Result<()> {
    let actual = |module: ModuleVersion| match project.edits().actual(&module) {
        Actual::Module(actual) => Some(actual),
        Actual::Directory { .. } => None,
    };
    let kept: HashSet<(String, String)> = modules
        .into_iter()
        .filter_map(actual)
        .map(|module| (module.path().to_string(), Part::GoMod.version_key(&module)))
        .collect();
    let keep = |path: &str, key: &str| kept.contains(&(path.to_owned(), key.to_owned()));
    session.sums.save(&session.cache, keep).map(drop)
}

/// True if go.sum has the go.mod of all that was selected.
pub(super) fn is_whole(project: &Project) -> bool {
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
    let edits = project.edits();
    let is_new = |module: &ModuleVersion| match edits.actual(module) {
        Actual::Module(actual) => sums.is_new(&actual, Part::GoMod),
        Actual::Directory { .. } => false,
    };
    let Some(graph) = graph else {
        return project.requirements().iter().any(is_new);
    };
    graph.loaded().any(is_new)
        || is_whole(project) && graph.build_list().any(|module| is_new(&module))
}
