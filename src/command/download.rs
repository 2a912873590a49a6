//! `modfetch download`: completes the module cache for a project or for named modules.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use super::list;
use super::pick::{self, Pick};
use super::project::find_project;
use super::session::{Manner, Session};
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Ahead, Fetcher, Outcome};
use crate::modset::{Actual, Argument, Graph, Project, Selection};
use crate::module::ModuleVersion;
use crate::report::{Console, JsonObject, Summary, one_for_many};
use crate::signals::Ending;
use crate::trust::Part;

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The arguments.
    pub arguments: Vec<String>,
    /// `--from`: a file with one `path@version` a line, `-` for standard input.
    pub from: Option<PathBuf>,
    /// `--dry-run`: say what is missing, change nothing.
    pub dry_run: bool,
    /// How a signal ends the run.
    pub ending: Ending,
}

/// Runs the command. `Ok(None)` is success; `Ok(Some(kind))` the gravest failure, all of them
/// having been told already.
///
/// # Errors
/// What ends the run before any module was tried.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    let begun = Instant::now();
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    let Some(scope) = scope(project.as_ref(), request, console)? else {
        console.note("no module dependencies to download");
        return Ok(None);
    };
    let manner = Manner {
        fail_fast: true,
        store: !request.dry_run,
        ending: Some(request.ending),
    };
    let session = Session::open(config, console, cache, project.as_ref(), manner)?;
    let run = Run {
        config,
        console,
        session: &session,
        fetcher: session.fetcher(),
        project: project.as_ref(),
    };
    let told = if request.dry_run {
        run.plan(&scope)
    } else {
        run.complete(&scope)
    };
    // Before the failure that ends the run, if one does.
    session.settle(&run.fetcher);
    let told = told?;
    if config.verbose.value || config.stats.value {
        console.summary(&Summary {
            modules: told.modules,
            fetched: told.fetched,
            cached: told.cached,
            lower: run.fetcher.lower_bytes(),
            traffic: session.live.traffic(),
            elapsed: begun.elapsed(),
        });
    }
    Ok(told.gravest)
}

/// Which modules the run is about.
enum Scope {
    /// Without arguments: what go.mod lists, and the graph for the sake of its go.mod files.
    Listed,
    /// Without arguments, where go.mod says `go 1.16` or older.
    All,
    /// What the arguments say.
    Named(Vec<Argument>),
}

/// Decides the scope as `go` does; `None` if there is nothing to do.
fn scope(project: Option<&Project>, request: &Request, console: &Console) -> Result<Option<Scope>> {
    let mut arguments = request.arguments.clone();
    if let Some(from) = &request.from {
        arguments.extend(list::read(from)?);
    }
    if !arguments.is_empty() {
        let arguments = arguments
            .iter()
            .map(|text| Argument::parse(text))
            .collect::<Result<Vec<_>>>()?;
        let main = |argument: &&Argument| project.is_some_and(|project| argument.is_main(project));
        for argument in arguments.iter().filter(main) {
            console.note(&format!(
                "skipping download of {argument} that resolves to the main module"
            ));
        }
        return Ok(Some(Scope::Named(arguments)));
    }
    if request.from.is_some() {
        return Ok(None);
    }
    let Some(project) = project else {
        let text = "no modules specified (see 'go help mod download')";
        return Err(Error::new(Kind::Usage, text)
            .hint("name modules as PATH@VERSION, or run it where there is a go.mod"));
    };
    if project.modfile().require.is_empty() {
        return Ok(None);
    }
    // `go` gives a go.mod without a go line its own version before it decides, so that such a
    // module downloads what is listed, although its graph is read by the rules of an old one.
    let listed = project.is_pruned() || project.modfile().go.is_none();
    Ok(Some(if listed { Scope::Listed } else { Scope::All }))
}

/// What a run came to.
struct Told {
    modules: usize,
    /// Those that are complete and of which something was fetched.
    fetched: usize,
    /// Those that were complete before.
    cached: usize,
    gravest: Option<Kind>,
}

struct Run<'a> {
    config: &'a Config,
    console: &'a Console,
    session: &'a Session<'a>,
    fetcher: Fetcher<'a>,
    project: Option<&'a Project>,
}

impl<'a> Run<'a> {
    /// Fetches what is missing and tells the results.
    fn complete(&self, scope: &Scope) -> Result<Told> {
        match (scope, self.project) {
            (Scope::Listed, Some(project)) => {
                let fetcher = &self.fetcher;
                fetcher.graph_ahead(project, |graph, ahead| {
                    self.fetch(scope, Some(graph), ahead)
                })?
            }
            _ => self.fetch(scope, self.graph(scope)?, Ahead::none()),
        }
    }

    /// Goes on where the graph is known.
    fn fetch(&self, scope: &Scope, graph: Option<Graph>, ahead: Ahead<'_, 'a>) -> Result<Told> {
        let selection = self.selection(scope, graph.as_ref())?;
        let explicit = matches!(scope, Scope::Named(_));
        // As `go`: without arguments, what the graph taught is recorded, and what is downloaded
        // beyond it is not.
        if !explicit {
            self.save_sums(graph.as_ref())?;
        }
        let picks = pick::resolve(
            selection.choices,
            &self.fetcher,
            self.project,
            graph.as_ref(),
        )?;
        let modules: Vec<ModuleVersion> = picks.iter().filter_map(Pick::module).cloned().collect();
        let outcomes = self.fetcher.download_with(&modules, ahead);
        self.session.live.clear();
        for notice in &selection.notices {
            self.console.line(notice);
        }
        self.session.settle(&self.fetcher);
        let mut failures = self.tell(&picks, &outcomes)?;
        let mut late = Vec::new();
        if explicit {
            late.extend(self.save_sums(graph.as_ref()).err());
        }
        late.extend(graph.as_ref().and_then(Graph::error));
        late.iter().for_each(|error| self.console.error(error));
        failures.append(&mut late);
        let complete = outcomes.iter().filter(|outcome| outcome.error.is_none());
        let (fetched, cached): (Vec<_>, Vec<_>) =
            complete.partition(|outcome| outcome.traffic.bytes > 0);
        Ok(Told {
            modules: modules.len(),
            fetched: fetched.len(),
            cached: cached.len(),
            gravest: Error::gravest(&failures),
        })
    }

    /// Loads the requirement graph, if the scope needs it.
    fn graph(&self, scope: &Scope) -> Result<Option<Graph>> {
        let needed = match scope {
            Scope::Listed | Scope::All => true,
            Scope::Named(arguments) => {
                // All are looked at, so that one that means nothing here is refused.
                let needs = arguments
                    .iter()
                    .map(|argument| argument.needs_graph(self.project));
                let needs = needs.collect::<Result<Vec<bool>>>()?;
                needs.contains(&true) || self.needs_edit()
            }
        };
        match self.project {
            Some(project) if needed => self.fetcher.graph(project).map(Some),
            _ => Ok(None),
        }
    }

    /// `go` edits such a go.mod before it does anything else, and has to read the graph for that,
    /// whatever was asked for.
    fn needs_edit(&self) -> bool {
        self.project.is_some_and(Project::needs_graph_to_edit)
    }

    fn selection(&self, scope: &Scope, graph: Option<&Graph>) -> Result<Selection> {
        if self.needs_edit()
            && let Some(error) = graph.and_then(Graph::error)
        {
            return Err(error);
        }
        match (scope, self.project, graph) {
            (Scope::Listed, Some(project), Some(graph)) => match graph.error() {
                Some(error) => Err(error),
                None => Ok(Selection::listed(project, graph)),
            },
            (Scope::Named(arguments), ..) => Ok(Selection::of(arguments, self.project, graph)),
            _ => Ok(Selection::of(&[Argument::All], self.project, graph)),
        }
    }

    /// Prints one result a pick, in their order; returns the failures.
    fn tell(&self, picks: &[Pick], outcomes: &[Outcome]) -> Result<Vec<Error>> {
        let mut failures = Vec::new();
        // One module may stand for several arguments or requirements; its failure is told once.
        let mut told = HashSet::new();
        let mut to_tell = Vec::new();
        let mut outcomes = outcomes.iter();
        for pick in picks {
            let outcome = pick.module().and_then(|_| outcomes.next());
            let failure = match pick {
                Pick::Module { .. } => outcome.and_then(|outcome| outcome.error.clone()),
                Pick::Failed { error, .. } => Some(error.clone()),
            };
            if self.config.json.value {
                let json = pick.json(outcome);
                self.console.data(&(json.indented() + "\n"))?;
            } else if let Some(error) = &failure
                && told.insert(error.chain())
            {
                to_tell.push((pick.subject(), error.clone()));
            }
            failures.extend(failure);
        }
        for error in one_for_many(&to_tell) {
            self.console.error(&error);
        }
        Ok(failures)
    }

    /// `--dry-run`: one line a module that lacks something, with what it lacks.
    fn plan(&self, scope: &Scope) -> Result<Told> {
        let graph = self.graph(scope)?;
        let selection = self.selection(scope, graph.as_ref())?;
        let mut failures: Vec<Error> = graph.as_ref().and_then(Graph::error).into_iter().collect();
        let mut planned: Vec<(ModuleVersion, Vec<&'static str>)> = Vec::new();
        let mut seen = HashSet::new();
        let picks = pick::resolve(
            selection.choices,
            &self.fetcher,
            self.project,
            graph.as_ref(),
        )?;
        self.fetcher
            .ask_ahead(picks.iter().filter_map(Pick::module));
        for pick in &picks {
            match pick {
                Pick::Module { module, .. } if seen.insert(module.clone()) => {
                    match self.fetcher.missing(module) {
                        Ok(missing) => planned.push((module.clone(), missing)),
                        Err(error) => failures.push(error),
                    }
                }
                Pick::Module { .. } => {}
                Pick::Failed { error, .. } => failures.push(error.clone()),
            }
        }
        // The rest of the graph needs its go.mod files only.
        for module in self.actual(graph.iter().flat_map(Graph::loaded)) {
            if seen.insert(module.clone()) && !self.fetcher.has_gomod(&module) {
                planned.push((module, vec!["mod"]));
            }
        }
        planned.retain(|(_, missing)| !missing.is_empty());
        self.session.settle(&self.fetcher);
        for (module, missing) in &planned {
            let line = if self.config.json.value {
                let mut json = JsonObject::new();
                json.string("Path", module.path().as_str());
                json.string("Version", module.version().as_str());
                json.strings("Missing", missing);
                json.indented()
            } else {
                format!("{module} {}", missing.join(" "))
            };
            self.console.data(&(line + "\n"))?;
        }
        failures.iter().for_each(|error| self.console.error(error));
        let differs = (!planned.is_empty()).then_some(Kind::Differs);
        Ok(Told {
            modules: seen.len(),
            fetched: 0,
            cached: seen.len().saturating_sub(planned.len()),
            gravest: Error::gravest(&failures).or(differs),
        })
    }

    /// Writes the sums that the build list needs, if there are new ones.
    fn save_sums(&self, graph: Option<&Graph>) -> Result<()> {
        // Most runs have none, and what to keep is not worked out for nothing.
        if !self.session.sums.has_new() {
            return Ok(());
        }
        let mut keep: HashSet<(String, String)> = HashSet::new();
        let mut add = |module: &ModuleVersion, part: Part| {
            keep.insert((module.path().to_string(), part.version_key(module)));
        };
        let build_list: Vec<ModuleVersion> = match graph {
            Some(graph) => graph.build_list().collect(),
            None => self.project.map(Project::requirements).unwrap_or_default(),
        };
        for module in self.actual(&build_list) {
            add(&module, Part::Zip);
            add(&module, Part::GoMod);
        }
        for module in self.actual(graph.into_iter().flat_map(Graph::loaded)) {
            add(&module, Part::GoMod);
        }
        let wanted = |path: &str, key: &str| keep.contains(&(path.to_owned(), key.to_owned()));
        let saved = self.session.sums.save(&self.session.cache, wanted);
        saved.map(drop)
    }

    /// The modules that are fetched in place of these.
    fn actual<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m ModuleVersion>,
    ) -> impl Iterator<Item = ModuleVersion> {
        let edits = self.project.map(Project::edits);
        let actual = move |module: &ModuleVersion| match edits?.actual(module) {
            Actual::Module(actual) => Some(actual),
            Actual::Directory { .. } => None,
        };
        modules.into_iter().filter_map(actual)
    }
}
