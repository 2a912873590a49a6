//! The requirements of the main module, put right as go does it before it does anything else.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go`, `loadModFile`, and
//! `modload/buildlist.go`, `expandGraph`, `updateRoots`, `convertPruning`.

use std::mem;

use super::GraphReader;
use crate::error::Result;
use crate::gomod::{GoVersion, ModuleVersion};
use crate::graph::{Graph, Loader, Requirements, minimal_roots};
use crate::project::{PRUNING_GO, Project};

impl GraphReader<'_> {
    /// The requirements that a command works with which may write go.mod. Of a path that go.mod
    /// requires twice one version is left; a go.mod without a go line gets `go`, if that is
    /// given, and all that it takes for the graph to stay the same by the rules of that version.
    ///
    /// Reads the graph only where it cannot be done without.
    ///
    /// # Errors
    /// [`Kind::Other`](crate::Kind::Other) if no thread can be started; what is wrong with the
    /// graph, if it is needed.
    pub fn requirements(self, project: &Project, go: Option<&str>) -> Result<Requirements> {
        let mut requirements = Requirements::of(project);
        if project.workspace().is_some() {
            return Ok(requirements);
        }
        if project.has_redundant_roots() {
            self.expand(project, &mut requirements)?;
            requirements.graph.as_ref().map_or(Ok(()), Graph::check)?;
            if !requirements.pruned {
                // As for go, which has read another one, to find these roots.
                requirements.outgrow();
            }
        }
        let Some(go) = go.filter(|_| project.modfile().go.is_none()) else {
            return Ok(requirements);
        };
        requirements = requirements.with_go(go);
        let converts = GoVersion::parse(go).is_some_and(|go| go.at_least(PRUNING_GO));
        if converts && !requirements.pruned {
            let mut loader = self.loader(project, &requirements);
            self.drive(&mut loader)?;
            let graph = loader.finish();
            graph.check()?;
            requirements.superseded.extend(graph.loaded().cloned());
            requirements.roots = graph.nodes();
            requirements.pruned = true;
        }
        Ok(requirements)
    }

    /// Reads the graph, and puts the roots right where it does not select them. A failure is in
    /// the graph ([`Graph::error`]); the roots are then as they were.
    ///
    /// # Errors
    /// [`Kind::Other`](crate::Kind::Other) if no thread can be started.
    pub fn expand(self, project: &Project, requirements: &mut Requirements) -> Result<()> {
        if project.workspace().is_some() {
            requirements.graph = Some(self.graph(project)?);
            return Ok(());
        }
        let pruned = requirements.pruned;
        let mut loader = self.loader(project, requirements);
        self.drive(&mut loader)?;
        let mut graph = loader.finish();
        let mut first = None;
        while graph.error().is_none()
            && let Some(raised) = graph.raised_roots()
        {
            let roots = if pruned {
                raised
            } else {
                minimal_roots(&graph, &project.direct())
            };
            requirements.superseded.extend(graph.loaded().cloned());
            loader.restart(pruned, roots);
            self.drive(&mut loader)?;
            let before = mem::replace(&mut graph, loader.finish());
            first.get_or_insert(before);
            if !pruned {
                break;
            }
        }
        requirements.graph = Some(match (graph.error(), first) {
            // go keeps to the first graph that it could read.
            (Some(error), Some(first)) => first.superseded_by_error(error),
            (Some(_), None) => graph,
            (None, _) => {
                requirements.roots = graph.roots().to_vec();
                graph
            }
        });
        Ok(())
    }

    /// Reads the go.mod of each, for the sake of its sum. A go.mod that cannot be read is reported elsewhere.
    pub fn read_gomods<'m>(self, modules: impl Iterator<Item = &'m ModuleVersion>) {
        for module in modules {
            let entry = self.run.cache.entry(module);
            let _ = entry.and_then(|entry| self.run.files().gomod(&entry));
        }
    }

    fn loader<'p>(self, project: &'p Project, requirements: &Requirements) -> Loader<'p> {
        let Requirements { pruned, roots, .. } = requirements;
        Loader::new(project.path(), project.rules(), *pruned, roots.clone())
    }
}
