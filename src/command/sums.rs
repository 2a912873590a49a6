//! Which of the sums that a run has found it writes: to go.sum, in a workspace to go.work.sum.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`keepSums`).

use std::collections::HashSet;

use super::session::Session;
use crate::error::Result;
use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::{Project, ResolvedModule};
use crate::trust::SumPart;

/// A line of go.sum, without its sum.
pub(super) type KeptSum = (ModuleVersion, SumPart);

/// The lines that a build list rests on: the go.mod of each module that was selected or read for the
/// graph, after replacement; with `zips`, also the zip of each module that was selected.
pub(super) fn sums_of_build_list(
    project: Option<&Project>,
    selected: impl IntoIterator<Item = ModuleVersion>,
    graph: Option<&Graph>,
    zips: bool,
) -> Vec<KeptSum> {
    let resolved = |module: &ModuleVersion| match project {
        Some(project) => match project.rules().resolved(module) {
            ResolvedModule::Module(resolved) => Some(resolved),
            ResolvedModule::Directory { .. } => None,
        },
        None => Some(module.clone()),
    };
    let mut kept = Vec::new();
    for module in selected.into_iter().filter_map(|module| resolved(&module)) {
        if zips {
            kept.push((module.clone(), SumPart::Zip));
        }
        kept.push((module, SumPart::GoMod));
    }
    let read = graph.into_iter().flat_map(Graph::loaded);
    kept.extend(
        read.filter_map(resolved)
            .map(|module| (module, SumPart::GoMod)),
    );
    kept
}

/// Writes those of the new sums that are to be kept. Most runs have none: `kept` is not asked then.
///
/// # Errors
/// The file is malformed, or cannot be locked or written.
pub(super) fn save_sums(session: &Session<'_>, kept: impl FnOnce() -> Vec<KeptSum>) -> Result<()> {
    if !session.sums.has_new() {
        return Ok(());
    }
    let kept: HashSet<(String, String)> = kept()
        .into_iter()
        .map(|(module, part)| (module.path().to_string(), part.version_key(&module)))
        .collect();
    let keep = |path: &str, key: &str| kept.contains(&(path.to_owned(), key.to_owned()));
    session.sums.save(session.cache(), keep).map(drop)
}
