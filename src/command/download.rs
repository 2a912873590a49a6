//! `modfetch download`: completes the module cache for a project or for named modules.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::interrupt::end_on_signal;
use super::list;
use super::network::{Network, live_settings};
use super::pick::{self, Pick};
use super::project::find_project;
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{FetchSettings, Fetcher, Outcome};
use crate::modset::{Actual, Argument, Graph, Project, Selection};
use crate::module::ModuleVersion;
use crate::report::{Console, JsonObject, Live, human, retries};
use crate::signals::Ending;
use crate::trust::{Part, SumPolicy};

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
    let live = Arc::new(Live::start(live_settings(config)));
    let network = Network::new(config, &live)?;
    let cache = cache.with_locks(network.locks());
    end_on_signal(&live, console, request.ending);
    let sums = network.sum_policy(config, project.as_ref())?;
    let source = network.source(config);
    let lower = network.lower(config)?;
    let settings = FetchSettings {
        jobs: config.jobs.value,
        writable: config.modcacherw.value,
        fail_fast: config.fail_fast.value,
        store: !request.dry_run,
    };
    let run = Run {
        config,
        console,
        cache: &cache,
        sums: &sums,
        fetcher: Fetcher::new(&cache, source.as_ref(), &sums, &*live, settings).with_lower(&lower),
        project: project.as_ref(),
        live: &live,
    };
    let told = if request.dry_run {
        run.plan(&scope)
    } else {
        run.complete(&scope)
    };
    if told.is_err() {
        live.clear();
        run.warn();
    }
    let told = told?;
    if config.verbose.value {
        let seconds = begun.elapsed().as_secs_f64();
        let received = human(live.received());
        let modules = told.modules;
        let taken = match lower.as_slice() {
            [] => String::new(),
            _ => format!(
                ", {} from read-only caches",
                human(run.fetcher.lower_bytes())
            ),
        };
        let resumed = match live.resumed() {
            0 => String::new(),
            bytes => format!(", {} resumed", human(bytes)),
        };
        let retries = retries(live.retries());
        let retries = retries.map_or_else(String::new, |text| format!(", {text}"));
        console.note(&format!(
            "{modules} modules, {received} received{taken}{resumed}{retries}, {seconds:.2} s"
        ));
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
    gravest: Option<Kind>,
}

struct Run<'a> {
    config: &'a Config,
    console: &'a Console,
    cache: &'a Cache,
    sums: &'a SumPolicy,
    fetcher: Fetcher<'a>,
    project: Option<&'a Project>,
    live: &'a Live,
}

impl Run<'_> {
    /// Fetches what is missing and tells the results.
    fn complete(&self, scope: &Scope) -> Result<Told> {
        let graph = self.graph(scope)?;
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
        let outcomes = self.fetcher.download(&modules);
        self.live.clear();
        for notice in &selection.notices {
            self.console.line(notice);
        }
        self.warn();
        let mut failures = self.tell(&picks, &outcomes)?;
        let mut late = Vec::new();
        if explicit {
            late.extend(self.save_sums(graph.as_ref()).err());
        }
        late.extend(graph.as_ref().and_then(Graph::error));
        late.iter().for_each(|error| self.console.error(error));
        failures.append(&mut late);
        Ok(Told {
            modules: modules.len(),
            gravest: Error::gravest(&failures),
        })
    }

    /// Tells what was odd and no failure.
    fn warn(&self) {
        let warnings = [self.sums.take_warnings(), self.fetcher.take_warnings()];
        for warning in warnings.iter().flatten() {
            self.console.line(warning);
        }
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
                self.console.error(error);
            }
            failures.extend(failure);
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
        self.live.clear();
        self.warn();
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
            modules: planned.len(),
            gravest: Error::gravest(&failures).or(differs),
        })
    }

    /// Writes the sums that the build list needs, if there are new ones.
    fn save_sums(&self, graph: Option<&Graph>) -> Result<()> {
        // Most runs have none, and what to keep is not worked out for nothing.
        if !self.sums.has_new() {
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
        self.sums.save(self.cache, wanted).map(drop)
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
