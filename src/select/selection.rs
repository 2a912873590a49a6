//! Which modules a run is about: what was typed, applied to the main module as go would.

use super::needs_graph::{any_needs_graph, needs_graph};
use super::{Scope, SelectionArgs, SelectionContext, Target, Targets, from_list};
use crate::error::{Error, Kind, Result};
use crate::fetch::{GraphReader, Run};
use crate::gomod::{Argument, ModuleVersion};
use crate::graph::{Graph, Requirements};
use crate::project::{MainModule, MissingReplace, Project, ResolvedModule};

/// The modules that a run is about.
pub struct Selection<'a> {
    args: &'a SelectionArgs,
    project: Option<&'a Project>,
    what: SelectedModules,
}

enum SelectedModules {
    /// What go.mod lists, in a workspace any of them, and the graph for the sake of its go.mod files.
    Listed,
    /// The build list.
    All,
    /// What the arguments say.
    Named(Vec<Argument>),
}

impl<'a> Selection<'a> {
    /// Decides as `go` does; `None` if there is nothing to do.
    pub fn of(
        project: Option<&'a Project>,
        args: &'a SelectionArgs,
    ) -> Result<Option<Selection<'a>>> {
        let what = SelectedModules::of(project, args)?;
        Ok(what.map(|what| Selection {
            args,
            project,
            what,
        }))
    }

    /// A line for each argument that is about a main module, of which nothing is fetched.
    #[must_use]
    pub fn skipped(&self) -> Vec<String> {
        let SelectedModules::Named(arguments) = &self.what else {
            return Vec::new();
        };
        let line = |argument: &Argument| {
            format!("skipping download of {argument} that resolves to the main module")
        };
        let mains = self.project.into_iter().flat_map(Project::mains);
        let about = |main: &MainModule| {
            let path = main.path().to_owned();
            arguments
                .iter()
                .filter(move |argument| argument.is_about(&path))
                .map(line)
        };
        mains.flat_map(about).collect()
    }

    /// True if the sums of what is downloaded are recorded, and not those of the graph alone.
    pub fn records_all(&self) -> bool {
        matches!(self.what, SelectedModules::Named(_)) || self.is_workspace()
    }

    fn is_workspace(&self) -> bool {
        self.project
            .is_some_and(|project| project.workspace().is_some())
    }

    /// What the main module requires, with the graph if it is needed.
    pub fn requirements(&self, run: &Run) -> Result<Option<Requirements>> {
        let context = SelectionContext::of(self.project);
        let needed = match &self.what {
            // In a workspace there may be nothing that has a graph.
            SelectedModules::Listed | SelectedModules::All if self.is_workspace() => {
                any_needs_graph(&[Argument::All], context)?
            }
            SelectedModules::Listed | SelectedModules::All => true,
            SelectedModules::Named(arguments) => any_needs_graph(arguments, context)?,
        };
        let Some(project) = self.project else {
            return Ok(None);
        };
        let running = project.running().map(|running| running.version().as_str());
        let graphs = GraphReader::new(run);
        let mut found = graphs.requirements(project, running)?;
        if needed && found.graph.is_none() {
            let aside = self.says_enough(&found);
            graphs.expand(project, &mut found)?;
            found.graph_not_recorded = aside;
        }
        Ok(Some(found))
    }

    /// True if the requirements, put right, name all that is named on the command line, which go.mod as
    /// it was did not.
    fn says_enough(&self, found: &Requirements) -> bool {
        let context = SelectionContext {
            edited: Some(found),
            ..SelectionContext::of(self.project)
        };
        match &self.what {
            SelectedModules::Named(arguments) => {
                let needs = |argument| needs_graph(argument, context).unwrap_or(true);
                !arguments.iter().any(needs)
            }
            SelectedModules::Listed | SelectedModules::All => false,
        }
    }

    /// The modules that will as good as certainly be chosen, before the graph is known: those that
    /// a go.mod lists whose graph is pruned.
    pub fn likely(&self) -> impl Iterator<Item = ModuleVersion> {
        let pruned = |project: &&Project| project.is_pruned() && project.workspace().is_none();
        let project = self.project.filter(pruned);
        let project = project.filter(|_| matches!(self.what, SelectedModules::Listed));
        let listed = project.map(|project| project.modfile().require.iter());
        let modules = listed.into_iter().flatten().map(|line| &line.module);
        self.resolved(modules.filter(move |module| {
            let path = module.path().as_str();
            !self.args.excluded().matches(path)
                && !module.is_tool()
                && project.is_none_or(|project| {
                    path != project.path() && !project.rules().excludes(module)
                })
        }))
    }

    /// False where local replacements may be missing: what they require is then unknown, and
    /// go.mod is left as it is.
    pub fn may_edit(&self) -> bool {
        self.args.missing_replace() == MissingReplace::Error
    }

    /// The modules that are fetched in place of these.
    pub fn resolved<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m ModuleVersion>,
    ) -> impl Iterator<Item = ModuleVersion> {
        let rules = self.project.map(Project::rules);
        let resolved = move |module: &ModuleVersion| match rules?.resolved(module) {
            ResolvedModule::Module(resolved) => Some(resolved),
            ResolvedModule::Directory { .. } => None,
        };
        modules.into_iter().filter_map(resolved)
    }

    /// The modules, in go's order, without those that are left out.
    ///
    /// # Errors
    /// Those of the graph; that main modules disagree on what replaces a module in the build list,
    /// wanted or not, which go says when it looks which sums are to stay.
    pub fn targets(&self, graph: Option<&Graph>) -> Result<Targets> {
        if let Some((project, graph)) = self.project.zip(graph)
            && let Some(error) = graph.clash(project.rules())
        {
            return Err(error);
        }
        let mut targets = match (&self.what, self.project, graph) {
            (SelectedModules::Listed, Some(project), Some(graph)) => {
                graph.check()?;
                Targets::listed(project, graph)
            }
            (SelectedModules::Named(arguments), ..) => Targets::of(arguments, self.project, graph),
            _ => Targets::of(&[Argument::All], self.project, graph),
        };
        let notices = self
            .args
            .excluded()
            .take_out(&mut targets.list, Target::path);
        targets.notices.extend(notices);
        Ok(targets)
    }
}

impl SelectedModules {
    fn of(project: Option<&Project>, args: &SelectionArgs) -> Result<Option<SelectedModules>> {
        let mut arguments = args.arguments.clone();
        if let Some(from) = &args.from {
            arguments.extend(from_list::read(from)?);
        }
        if !arguments.is_empty() {
            let arguments = arguments
                .iter()
                .map(|text| Argument::parse(text))
                .collect::<Result<Vec<_>>>()?;
            return Ok(Some(SelectedModules::Named(arguments)));
        }
        if args.from.is_some() {
            return Ok(None);
        }
        let Some(project) = project else {
            let text = "no modules specified (see 'go help mod download')";
            return Err(Error::new(Kind::Usage, text)
                .hint("name modules as PATH@VERSION, or run it where there is a go.mod"));
        };
        let workspace = project.workspace().is_some();
        if !workspace && project.modfile().require.is_empty() {
            return Ok(None);
        }
        let listed = match args.scope() {
            Some(scope) => scope == Scope::Listed,
            None if workspace => false,
            // `go` gives a go.mod without a go line its own version before it decides, so that
            // such a module downloads what is listed, although its graph is read by the rules of
            // an old one.
            None => project.is_pruned() || project.modfile().go.is_none(),
        };
        Ok(Some(if listed {
            SelectedModules::Listed
        } else {
            SelectedModules::All
        }))
    }
}
