//! `modfetch download`: completes the module cache for a project or for named modules.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use super::go_mod;
use super::pick::{self, Pick};
use super::plan::Plan;
use super::project::find_project;
use super::session::{Manner, Session};
use super::wanted::{Wanted, Wish};
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Ahead, Fetcher, Keep, Outcome};
use crate::gomod::ModuleVersion;
use crate::graph::{Graph, Requirements};
use crate::modset::Choice;
use crate::project::Project;
use crate::report::{Console, Planned, Summary, one_for_many};
use crate::signals::Ending;
use crate::source::check_reuse;
use crate::trust::Part;

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which modules.
    pub wish: Wish,
    /// `-reuse`: what an earlier run printed.
    pub reuse: Option<PathBuf>,
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
    let Some(wanted) = Wanted::of(project.as_ref(), &request.wish, console)? else {
        console.note("no module dependencies to download");
        return Ok(None);
    };
    if let Some(file) = &request.reuse {
        if project.is_some() {
            let name = console.name();
            let text = format!("{name} mod download -reuse cannot be used inside a module");
            console.finding(&Error::new(Kind::Usage, text));
            return Ok(Some(Kind::Usage));
        }
        check_reuse(file, &config.cwd)?;
    }
    let manner = Manner {
        fail_fast: true,
        keep: match request.dry_run {
            true => Keep::Nothing,
            false => Keep::All,
        },
        ending: Some(request.ending),
    };
    let session = Session::open(config, console, cache, project.as_ref(), manner)?;
    let run = Run {
        config,
        console,
        session: &session,
        fetcher: session
            .fetcher()
            .switching()
            .with_missing_replace(request.wish.missing_replace()),
        project: project.as_ref(),
        wanted: &wanted,
    };
    let told = if request.dry_run {
        run.plan()
    } else {
        run.complete()
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
    wanted: &'a Wanted<'a>,
}

impl<'a> Run<'a> {
    /// Fetches what is missing and tells the results.
    fn complete(&self) -> Result<Told> {
        // Where nobody may be asked there is nothing to begin, and not a directory is made for it.
        let unasked = self.config.offline.value || self.session.chain.is_off();
        let likely = self.wanted.likely().filter(|_| !unasked);
        self.fetcher.ahead_of(likely, |ahead| self.fetch(ahead))
    }

    fn fetch(&self, ahead: Ahead<'_, 'a>) -> Result<Told> {
        let requirements = self.wanted.requirements(&self.fetcher)?;
        let graph = requirements.as_ref().and_then(|found| found.graph.as_ref());
        let selection = self.wanted.selection(graph)?;
        // As `go`: without arguments, what the graph taught is recorded, and what is downloaded
        // beyond it is not. In a workspace it is: one module may need what another one selects.
        let records_all = self.wanted.records_all();
        if !records_all {
            // `go` looks at each module that is listed, which the graph has not done where the
            // listed version is excluded.
            let dropped = |project: &Project| project.excluded_requirements().next().is_some();
            if self.project.is_some_and(dropped) {
                let chosen = selection.choices.iter().filter_map(Choice::module);
                self.fetcher.read_gomods(chosen);
            }
            self.record(requirements.as_ref())?;
        }
        let picks = pick::resolve(selection.choices, &self.fetcher, self.project, graph)?;
        let modules: Vec<ModuleVersion> = picks.iter().filter_map(Pick::module).cloned().collect();
        let outcomes = self.fetcher.download_with(&modules, ahead);
        self.session.live.clear();
        for notice in &selection.notices {
            self.console.line(notice);
        }
        self.session.settle(&self.fetcher);
        let mut failures = self.tell(&picks, &outcomes)?;
        let mut late = Vec::new();
        // As `go`, which ends here unless it prints objects: what failed is told and nothing more.
        if failures.is_empty() || self.config.json.value {
            if records_all {
                late.extend(self.record(requirements.as_ref()).err());
            }
            late.extend(graph.and_then(Graph::error));
        }
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
                && told.insert((pick.subject(), error.chain()))
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
    fn plan(&self) -> Result<Told> {
        let plan = Plan::of(self.session, &self.fetcher, self.project, self.wanted)?;
        self.session.settle(&self.fetcher);
        let notices = plan.notices.iter();
        notices.for_each(|notice| self.console.line(notice));
        let lacking: Vec<&Planned> = plan.planned.iter().filter(|one| one.lacks()).collect();
        for planned in &lacking {
            let line = match self.config.json.value {
                true => planned.brief_json().indented(),
                false => planned.line(),
            };
            self.console.data(&(line + "\n"))?;
        }
        let failures = plan.failures;
        failures.iter().for_each(|error| self.console.error(error));
        let differs = (!lacking.is_empty()).then_some(Kind::Differs);
        Ok(Told {
            modules: plan.planned.len(),
            fetched: 0,
            cached: plan.planned.len() - lacking.len(),
            gravest: Error::gravest(&failures).or(differs),
        })
    }

    /// Writes what go.mod has to say, and the sums that the build list needs, if there is anything
    /// new in either.
    fn record(&self, requirements: Option<&Requirements>) -> Result<()> {
        if let (Some(project), Some(requirements)) = (self.project, requirements)
            && self.wanted.may_edit()
        {
            let locked = self.config.locked.value;
            go_mod::commit(&self.session.cache, project, requirements, locked)?;
        }
        self.save_sums(requirements)
    }

    fn save_sums(&self, requirements: Option<&Requirements>) -> Result<()> {
        // Most runs have none, and what to keep is not worked out for nothing.
        if !self.session.sums.has_new() {
            return Ok(());
        }
        let mut keep: HashSet<(String, String)> = HashSet::new();
        let mut add = |module: &ModuleVersion, part: Part| {
            keep.insert((module.path().to_string(), part.version_key(module)));
        };
        let graph = requirements.filter(|found| !found.graph_aside);
        let graph = graph.and_then(|found| found.graph.as_ref());
        let build_list: Vec<ModuleVersion> = match (graph, requirements) {
            (Some(graph), _) => graph.build_list().collect(),
            (None, Some(requirements)) => requirements.modules().cloned().collect(),
            (None, None) => Vec::new(),
        };
        for module in self.wanted.actual(&build_list) {
            add(&module, Part::Zip);
            add(&module, Part::GoMod);
        }
        for module in self
            .wanted
            .actual(graph.into_iter().flat_map(Graph::loaded))
        {
            add(&module, Part::GoMod);
        }
        let wanted = |path: &str, key: &str| keep.contains(&(path.to_owned(), key.to_owned()));
        let saved = self.session.sums.save(&self.session.cache, wanted);
        saved.map(drop)
    }
}
