//! What must be known before arguments mean something: the requirements, and the graph if it takes that.

use crate::config::ModMode;
use crate::error::Result;
use crate::fetch::{GraphReader, Run};
use crate::gomod::Argument;
use crate::graph::{Graph, Requirements};
use crate::project::{BuildMod, Project};
use crate::select::{SelectionContext, needs_graph};

/// What is known of the main modules.
pub(super) struct KnownRequirements {
    /// The requirements, put right: where `-mod=mod` lets go write them.
    pub(super) edited: Option<Requirements>,
    /// The requirement graph, where it was needed.
    pub(super) graph: Option<Graph>,
    /// An argument needs the graph.
    pub(super) needed: bool,
    /// go.mod names a path twice, or the main module's own, and the graph decides what counts.
    pub(super) by_roots: bool,
}

impl KnownRequirements {
    /// Reads no more than it takes. `needed` says that an argument needs the graph, as far as go.mod can
    /// tell that as it is.
    ///
    /// # Errors
    /// Those of the sources; that go.mod must be written and may not.
    pub(super) fn read(
        run: &Run,
        arguments: &[Argument],
        context: SelectionContext<'_>,
        mut needed: bool,
        mode: ModMode,
        why: &BuildMod,
    ) -> Result<KnownRequirements> {
        let (project, graphs) = (context.project, GraphReader::new(run));
        let by_roots = project.is_some_and(Project::has_redundant_roots);
        // In a workspace go takes what it finds.
        let single = |project: &&Project| project.workspace().is_none();
        if let Some(project) = project.filter(single)
            && mode == ModMode::Mod
        {
            let running = project.running().map(|running| running.version().as_str());
            let mut found = graphs.requirements(project, running)?;
            // What was put right may name what it did not name before.
            let edited = Some(&found);
            let context = SelectionContext { edited, ..context };
            let needs = |argument| needs_graph(argument, context).unwrap_or(true);
            needed = needed && arguments.iter().any(needs);
            if needed && found.graph.is_none() {
                graphs.expand(project, &mut found)?;
            }
            return Ok(KnownRequirements {
                graph: found.graph.clone(),
                edited: Some(found),
                needed,
                by_roots,
            });
        }
        let readonly = mode == ModMode::Readonly && project.as_ref().is_some_and(single);
        let graph = match project {
            Some(project) if by_roots && readonly && project.is_pruned() => {
                return Err(why.outdated());
            }
            Some(project) if needed || by_roots => Some(graphs.graph(project)?),
            _ => None,
        };
        Ok(KnownRequirements {
            edited: None,
            graph,
            needed,
            by_roots,
        })
    }
}
