//! `modfetch download`: completes the module cache for a project or for named modules.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use super::age::{AgeCheck, AgeLimit, MIN_AGE, MIN_AGE_EXEMPT};
use super::definition::{Command, Runner};
use super::go_mod;
use super::plan::DownloadPlan;
use super::project::find_project;
use super::session::{Session, SessionOptions};
use super::sums::{save_sums, sums_of_build_list};
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::Config;
use crate::config::settings::{FAIL_FAST, LOCKED, STATS};
use crate::error::{Error, Kind, Result};
use crate::fetch::{
    GraphReader, Keep, Outcome, Prefetch, QueryResolver, Run, RunOptions, Scheduler, Want,
};
use crate::gomod::ModuleVersion;
use crate::graph::{Graph, Requirements};
use crate::project::{Project, ReplaceRules};
use crate::report::{Console, Planned, Summary, group_by_host, target_json};
use crate::select::{ChosenBy, ResolvedTarget, Selection, SelectionArgs, Target, resolve};
use crate::signals::Ending;
use crate::source::{Chain, ReuseFile};

/// `--dry-run`.
static DRY_RUN: Flag = Flag {
    long: "dry-run",
    brief: "Print what would be fetched, and fetch nothing",
    detail: "Exit code 10 if there is something to fetch, 0 if the cache is complete.",
    ..Flag::OURS
};

/// `--no-extract`.
static NO_EXTRACT: Flag = Flag {
    long: "no-extract",
    brief: "Fetch and check zips, and extract none",
    detail: "go, or a later run, extracts a module from its zip when it is needed, without the \
             network. For caches that are kept or carried: they are about a third as large.",
    ..Flag::OURS
};

/// `--mod-only`.
static MOD_ONLY: Flag = Flag {
    long: "mod-only",
    brief: "Fetch metadata and go.mod files, and no zip",
    detail: "Enough for the module graph and for list -m, not for a build.",
    ..Flag::OURS
};

/// `--keep-going`.
static KEEP_GOING: Flag = Flag {
    long: "keep-going",
    opposite_of: Some("fail-fast"),
    brief: "Go on after a module failed (the default)",
    detail: "",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["download"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON,
            &flags::X,
            &flags::MODCACHERW,
            &flags::REUSE,
            &LOCKED.flag,
            &DRY_RUN,
            &NO_EXTRACT,
            &MOD_ONLY,
            &MIN_AGE,
            &MIN_AGE_EXEMPT,
            &flags::FROM,
            &flags::SCOPE,
            &flags::EXCLUDE,
            &flags::MISSING_REPLACE,
            &KEEP_GOING,
            &FAIL_FAST.flag,
            &STATS.flag,
        ],
        go_name: Some("mod download"),
        arguments: "[modules]",
        brief: "Fetch modules into the module cache",
        detail: "Fetches, checks and unpacks modules into GOMODCACHE, as 'go mod download' does: \
the cache is the same and either program can use it.\n\
Modules are path@version or path@query (latest, v1, <v2, a branch), or names, patterns (with ...) and 'all' among the dependencies of \
go.mod; without any, what go.mod needs is fetched.\n\
Each module is checked against go.sum, or against the checksum database where go.sum has no \
line for it. Nothing unchecked becomes visible in the cache.\n\
With --min-age a version that an argument names or stands for is refused if it is too young. For a version of go.mod there is a \
warning, and none with --locked: go.sum has it already.",
        examples: &[
            (
                "modfetch download",
                "what go.mod needs, as 'go mod download'",
            ),
            (
                "modfetch download --locked",
                "the same, and fail if go.sum is incomplete: for images and CI",
            ),
            (
                "modfetch download -json golang.org/x/mod@v0.20.0",
                "one module, described as JSON",
            ),
            (
                "modfetch download --offline",
                "prove that the cache is complete without opening a socket",
            ),
            (
                "modfetch download --from list.txt",
                "the path@version lines of a file",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let request = DownloadRequest {
            selection: SelectionArgs::of(call.raw, &config.cwd)?,
            reuse: call.raw.file(&flags::REUSE),
            dry_run: call.raw.is_on(&DRY_RUN),
            want: want(call.raw)?,
            min_age: AgeLimit::of(call.raw)?,
            ending: call.ending(),
        };
        run(config, console, &request)
    }),
};

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct DownloadRequest {
    /// Which modules.
    pub selection: SelectionArgs,
    /// `-reuse`: what an earlier run printed.
    pub reuse: Option<PathBuf>,
    /// `--dry-run`: say what is missing, change nothing.
    pub dry_run: bool,
    /// What is wanted of each module: `--no-extract`, `--mod-only`.
    pub want: Want,
    /// `--min-age`: how long a version must have been known.
    pub min_age: Option<AgeLimit>,
    /// How a signal ends the run.
    pub ending: Ending,
}

fn want(raw: &RawArgs) -> Result<Want> {
    match (raw.is_on(&NO_EXTRACT), raw.is_on(&MOD_ONLY)) {
        (false, false) => Ok(Want::Extracted),
        (true, false) => Ok(Want::Zip),
        (false, true) => Ok(Want::GoMod),
        (true, true) => {
            let text = "--no-extract and --mod-only cannot be used together";
            Err(Error::new(Kind::Usage, text))
        }
    }
}

/// Runs the command. `Ok(None)` is success; `Ok(Some(kind))` the gravest failure, all of them
/// having been reported already.
///
/// # Errors
/// What ends the run before any module was tried.
pub fn run(config: &Config, console: &Console, request: &DownloadRequest) -> Result<Option<Kind>> {
    if request.dry_run && request.min_age.is_some() {
        let text = "--dry-run and --min-age cannot be used together";
        return Err(Error::new(Kind::Usage, text));
    }
    let begun = Instant::now();
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    let Some(selection) = Selection::of(project.as_ref(), &request.selection)? else {
        console.note("no module dependencies to download");
        return Ok(None);
    };
    selection
        .skipped()
        .iter()
        .for_each(|line| console.note(line));
    let mut reuse = None;
    if let Some(file) = &request.reuse {
        if project.is_some() {
            let name = console.name();
            let text = format!("{name} mod download -reuse cannot be used inside a module");
            console.finding(&Error::new(Kind::Usage, text));
            return Ok(Some(Kind::Usage));
        }
        reuse = Some(ReuseFile::read(file, &config.cwd)?);
    }
    let session = SessionOptions::new(config, console, cache)
        .project(project.as_ref())
        .keep(match request.dry_run {
            true => Keep::Nothing,
            false => Keep::All,
        })
        .fail_fast()
        .ending(request.ending)
        .open()?;
    let fetching = session.run(RunOptions {
        switches: true,
        missing_replace: request.selection.missing_replace(),
        want: request.want,
        ..session.options()
    });
    let ages = request.min_age.as_ref();
    let ages = ages.map(|limit| AgeCheck::open(limit, config, &session));
    let run = DownloadRun {
        ages: ages.transpose()?,
        config,
        console,
        session: &session,
        fetching: &fetching,
        project: project.as_ref(),
        selection: &selection,
        reuse: reuse.as_ref(),
    };
    let told = if request.dry_run {
        run.plan()
    } else {
        run.complete()
    };
    // Before the failure that ends the run, if one does.
    session.settle(&fetching);
    let told = told?;
    if config.output.verbose.value || config.download.stats.value {
        console.summary(&Summary {
            modules: told.modules,
            fetched: told.fetched,
            cached: told.cached,
            ro_cache_bytes: fetching.read_only_bytes(),
            traffic: session.progress.traffic(),
            elapsed: begun.elapsed(),
        });
    }
    Ok(told.gravest)
}

/// What a run came to.
struct DownloadSummary {
    modules: usize,
    /// Those that are complete and of which something was fetched.
    fetched: usize,
    /// Those that were complete before.
    cached: usize,
    gravest: Option<Kind>,
}

struct DownloadRun<'a> {
    ages: Option<AgeCheck>,
    config: &'a Config,
    console: &'a Console,
    session: &'a Session<'a>,
    fetching: &'a Run,
    project: Option<&'a Project>,
    selection: &'a Selection<'a>,
    reuse: Option<&'a ReuseFile>,
}

impl DownloadRun<'_> {
    /// Fetches what is missing and tells the results.
    fn complete(&self) -> Result<DownloadSummary> {
        // Where no source may be asked there is nothing to begin, and no directory is made for it.
        let unasked = self.config.connection.offline.value
            || self.session.chain.as_ref().is_some_and(Chain::is_off);
        let likely = self.selection.likely();
        let likely = likely.filter(|_| !unasked && self.reuse.is_none());
        Scheduler::new(self.fetching).with_prefetch(likely, |prefetch| self.fetch(prefetch))
    }

    fn fetch(&self, prefetch: Prefetch<'_>) -> Result<DownloadSummary> {
        let requirements = self.selection.requirements(self.fetching)?;
        let graph = requirements.as_ref().and_then(|found| found.graph.as_ref());
        let targets = self.selection.targets(graph)?;
        // As `go`: without arguments, what the graph taught is recorded, and what is downloaded
        // beyond it is not. In a workspace it is: one module may need what another one selects.
        let records_all = self.selection.records_all();
        if !records_all {
            // `go` looks at each module that is listed, which the graph has not done where the
            // listed version is excluded.
            let dropped = |project: &Project| project.excluded_requirements().next().is_some();
            if self.project.is_some_and(dropped) {
                let chosen = targets.list.iter().filter_map(Target::module);
                GraphReader::new(self.fetching).read_gomods(chosen);
            }
            self.record(requirements.as_ref())?;
        }
        let mut picks = resolve(targets.list, self.fetching, self.project, graph, self.reuse)?;
        let warnings = self.refuse_young(&mut picks)?;
        let modules: Vec<ModuleVersion> = picks
            .iter()
            .filter_map(ResolvedTarget::module)
            .cloned()
            .collect();
        let outcomes = Scheduler::new(self.fetching).download_with(&modules, prefetch);
        self.session.progress.clear();
        for notice in targets.notices.iter().chain(&warnings) {
            self.console.line(notice);
        }
        self.session.settle(self.fetching);
        let mut failures = self.tell(&picks, &outcomes)?;
        let mut late = Vec::new();
        // As `go`, which ends here unless it prints objects: only failures are reported.
        if failures.is_empty() || self.config.json.value {
            if records_all {
                late.extend(self.record(requirements.as_ref()).err());
            }
            late.extend(graph.and_then(Graph::error));
        }
        late.iter().for_each(|error| self.console.error(error));
        failures.append(&mut late);
        let complete = outcomes.iter().filter(|outcome| outcome.error.is_none());
        let used = complete.clone().map(|outcome| &outcome.module);
        let gomods: Vec<ModuleVersion> = match graph {
            Some(graph) => self.selection.resolved(graph.loaded()).collect(),
            None => Vec::new(),
        };
        self.session.cache().record_use(used, &gomods);
        let (fetched, cached): (Vec<_>, Vec<_>) =
            complete.partition(|outcome| outcome.traffic.bytes > 0);
        Ok(DownloadSummary {
            modules: modules.len(),
            fetched: fetched.len(),
            cached: cached.len(),
            gravest: Error::gravest(&failures),
        })
    }

    /// `--min-age`: versions that arguments chose fail if they are too young; for those of the graph there are warnings.
    fn refuse_young(&self, picks: &mut [ResolvedTarget]) -> Result<Vec<String>> {
        let Some(ages) = &self.ages else {
            return Ok(Vec::new());
        };
        let locked = self.config.download.locked.value;
        let errors = self.fetching.for_each(
            picks,
            |pick| (!matches!(pick, ResolvedTarget::Module { .. })).then_some(None),
            |pick| match pick {
                ResolvedTarget::Module {
                    chosen_by: ChosenBy::Graph,
                    ..
                } if locked => None,
                ResolvedTarget::Module { module, .. } => ages.refusal(module),
                ResolvedTarget::Failed { .. } | ResolvedTarget::Reused { .. } => None,
            },
        )?;
        let mut warnings = Vec::new();
        for (pick, error) in picks.iter_mut().zip(errors) {
            let (ResolvedTarget::Module { module, chosen_by }, Some(error)) = (&pick, error) else {
                continue;
            };
            let query = match chosen_by {
                ChosenBy::Graph => {
                    warnings.push(format!("warning: {}", error.chain()));
                    continue;
                }
                ChosenBy::Version => String::new(),
                ChosenBy::Query { query, .. } => query.clone(),
            };
            *pick = ResolvedTarget::Failed {
                path: module.path().to_string(),
                version: module.version().to_string(),
                query,
                error,
                origin: None,
            };
        }
        Ok(warnings)
    }

    /// Prints one result a target, in their order; returns the failures.
    fn tell(&self, targets: &[ResolvedTarget], outcomes: &[Outcome]) -> Result<Vec<Error>> {
        let mut failures = Vec::new();
        // One module may stand for several arguments or requirements; its failure is reported once.
        let mut told = HashSet::new();
        let mut to_tell = Vec::new();
        let mut outcomes = outcomes.iter();
        for target in targets {
            let outcome = target.module().and_then(|_| outcomes.next());
            let failure = match target {
                ResolvedTarget::Module { .. } => outcome.and_then(|outcome| outcome.error.clone()),
                other => other.failure(),
            };
            if self.config.json.value {
                let unresolved =
                    outcome.filter(|outcome| outcome.error.is_some() && outcome.info.is_none());
                let origin = unresolved.and_then(|outcome| {
                    let rules = ReplaceRules::default();
                    QueryResolver::new(self.fetching, &rules).failure_origin(&outcome.module)
                });
                let json = target_json(target, outcome, origin.as_deref());
                self.console.data(&(json.indented() + "\n"))?;
            } else if let Some(error) = &failure
                && told.insert((target.subject(), error.chain()))
            {
                to_tell.push((target.subject(), error.clone()));
            }
            failures.extend(failure);
        }
        for error in group_by_host(&to_tell) {
            self.console.error(&error);
        }
        Ok(failures)
    }

    /// `--dry-run`: one line a module that lacks something, with what it lacks.
    fn plan(&self) -> Result<DownloadSummary> {
        let plan = DownloadPlan::of(self.session, self.fetching, self.project, self.selection)?;
        self.session.settle(self.fetching);
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
        Ok(DownloadSummary {
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
            && self.selection.may_edit()
        {
            let locked = self.config.download.locked.value;
            go_mod::commit(self.session.cache(), project, requirements, locked)?;
        }
        self.save_sums(requirements)
    }

    fn save_sums(&self, requirements: Option<&Requirements>) -> Result<()> {
        save_sums(self.session, || {
            let graph = requirements.filter(|found| !found.graph_not_recorded);
            let graph = graph.and_then(|found| found.graph.as_ref());
            let selected: Vec<ModuleVersion> = match (graph, requirements) {
                (Some(graph), _) => graph.build_list().collect(),
                (None, Some(requirements)) => requirements.modules().cloned().collect(),
                (None, None) => Vec::new(),
            };
            sums_of_build_list(self.project, selected, graph, true)
        })
    }
}
