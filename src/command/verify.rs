//! `modfetch verify`: compares cached modules with what vouches for them, opening no socket, and
//! with `--repair` mends them.

use std::collections::{HashMap, HashSet};

use super::network::{cached_database, sum_settings};
use super::project::{Use, find_project_to, no_project};
use super::session::{Manner, Session};
use super::wanted::{Scope, Wish};
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{FetchSettings, Fetcher, Keep, Watch};
use crate::gomod::{ModuleVersion, PrefixPatterns};
use crate::graph::Graph;
use crate::modset::{Argument, Choice, Named, Selection};
use crate::project::{Actual, Project};
use crate::report::{Console, Live, finding, report_json};
use crate::source::{LowerCache, Offline, Source};
use crate::trust::{Database, SumPolicy};
use crate::verify::{Mender, Mending, Proof, Report, Verifier};

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which modules.
    pub wish: Wish,
    /// `--cache`: everything that is cached.
    pub cache: bool,
    /// `--repair`: mend what is damaged.
    pub repair: bool,
    /// `--sumdb`: against the cached checksum database as well.
    pub sumdb: bool,
    /// Called as `go`.
    pub as_go: bool,
}

/// Runs the command. `Ok(None)` is success; `Ok(Some(kind))` the gravest failure, all of them
/// having been told already.
///
/// # Errors
/// What ends the run before any module was checked.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    let arguments = request.wish.arguments();
    if request.as_go && !arguments.is_empty() {
        return Err(Error::new(Kind::Usage, "verify takes no arguments"));
    }
    if request.cache && (!arguments.is_empty() || request.wish.scope().is_some()) {
        let text = "--cache checks every module: it takes no arguments and no --scope";
        return Err(Error::new(Kind::Usage, text));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let what = if request.repair {
        Use::Edit
    } else {
        Use::Check
    };
    let project = find_project_to(what, config, console)?;
    let why = match config.goproxy.value.as_str() {
        "off" => "GOPROXY=off",
        _ => "verify",
    };
    let database = cached_database(config, why);
    let exempt = PrefixPatterns::parse(&config.gonosumdb.value);
    let proof = proof(request.sumdb, database.clone(), exempt)?;
    let run = Run {
        config,
        console,
        request,
        arguments: arguments
            .iter()
            .map(|text| Argument::parse(text))
            .collect::<Result<Vec<_>>>()?,
        cache: &cache,
        project: project.as_ref(),
        proof: proof.as_ref(),
    };
    if !request.repair {
        let settings = sum_settings(config, database);
        let sums = match &project {
            Some(project) => {
                let (file, others) = (project.go_sum(), project.other_sums());
                SumPolicy::with_files(&file, &others, project.overlay(), settings)?
            }
            None => SumPolicy::without_file(settings),
        };
        return run.check(&Means {
            source: &Offline(why),
            sums: &sums,
            watch: &Unwatched,
            lower: &[],
        });
    }
    let manner = Manner {
        fail_fast: false,
        keep: Keep::All,
        ending: None,
    };
    let session = Session::open(config, console, cache.clone(), project.as_ref(), manner)?;
    let means = Means {
        source: session.source.as_ref(),
        sums: &session.sums,
        watch: &*session.live,
        lower: &session.lower,
    };
    let run = Run {
        cache: &session.cache,
        ..run
    };
    run.repair(&means, &session.live)
}

/// Where the go.mod files of the graph come from, and what else a repair needs.
struct Means<'a> {
    source: &'a dyn Source,
    sums: &'a SumPolicy,
    watch: &'a dyn Watch,
    lower: &'a [LowerCache],
}

struct Run<'a> {
    config: &'a Config,
    console: &'a Console,
    request: &'a Request,
    arguments: Vec<Argument>,
    cache: &'a Cache,
    project: Option<&'a Project>,
    proof: Option<&'a Proof>,
}

impl Run<'_> {
    /// Finds the modules and checks them; the errors are those of finding them.
    fn survey(&self, means: &Means<'_>, notices: bool) -> Result<(Vec<Report>, Vec<Error>)> {
        let (mut modules, mut errors) = if self.request.cache {
            (self.cache.modules()?, Vec::new())
        } else {
            self.select(&self.fetcher(means), notices)?
        };
        let excluded = self.request.wish.excluded();
        let vain = excluded.take_out(&mut modules, |module| module.path().as_str());
        if notices {
            vain.iter().for_each(|notice| self.console.line(notice));
        }
        let reports = self.verifier(means).check(&modules)?;
        // `all modules verified` would be untrue of what was asked for by name.
        let absent = reports.iter().filter(|report| report.is_empty());
        let named = absent.filter(|report| self.is_named(&report.module));
        errors.extend(named.map(|report| {
            let (path, version) = (report.module.path(), report.module.version());
            let text = format!("{path} {version}: not cached, so there is nothing to verify");
            Error::new(Kind::Offline, text)
        }));
        Ok((reports, errors))
    }

    /// True if an argument is about this module alone.
    fn is_named(&self, module: &ModuleVersion) -> bool {
        let names = [module.path().to_string(), module.to_string()];
        let mut arguments = self.request.wish.arguments().iter();
        arguments.any(|text| names.contains(text))
    }

    fn verifier<'v>(&'v self, means: &Means<'v>) -> Verifier<'v> {
        Verifier {
            cache: self.cache,
            sums: self.project.map(|_| means.sums),
            proof: self.proof,
        }
    }

    /// An engine that remembers nothing yet.
    fn fetcher<'v>(&'v self, means: &Means<'v>) -> Fetcher<'v> {
        let repair = self.request.repair;
        let settings = FetchSettings {
            // A check fetches nothing: one thread is enough to find that out.
            jobs: if repair { self.config.jobs.value } else { 1 },
            writable: self.config.modcacherw.value,
            fail_fast: false,
            keep: match repair {
                true => Keep::All,
                false => Keep::Nothing,
            },
        };
        let fetcher = Fetcher::new(self.cache, means.source, means.sums, means.watch, settings)
            .with_lower(means.lower)
            .with_overlay(self.config.overlay.clone())
            .with_missing_replace(self.request.wish.missing_replace());
        match self.project.and_then(Project::running) {
            Some(running) => fetcher.acting_as(running.clone()),
            None => fetcher,
        }
    }

    fn check(&self, means: &Means<'_>) -> Result<Option<Kind>> {
        let (reports, mut errors) = self.survey(means, true)?;
        errors.iter().for_each(|error| self.console.error(error));
        for report in &reports {
            self.tell(report, None)?;
            errors.extend(report.errors().cloned());
        }
        self.conclude(&errors)
    }

    /// Checks and mends until nothing new is found: a go.mod that was mended may name modules
    /// that nobody knew of.
    fn repair(&self, means: &Means<'_>, live: &Live) -> Result<Option<Kind>> {
        let mut mendings: HashMap<ModuleVersion, Mending> = HashMap::new();
        let mut round = 0;
        loop {
            let (reports, mut errors) = self.survey(means, round == 0)?;
            round += 1;
            let mended = |mending: &Mending| mending.error.is_none();
            // Where go.sum has no line, the odd piece may be known only when the zip has come
            // again: what was mended is looked at once more.
            let is_new = |report: &&Report| {
                let mending = mendings.get(&report.module);
                let untried = mending.is_none_or(|mending| mended(mending) && round == 2);
                !report.problems.is_empty() && untried
            };
            let damaged: Vec<Report> = reports.iter().filter(is_new).cloned().collect();
            live.clear();
            if damaged.is_empty() {
                errors.iter().for_each(|error| self.console.error(error));
                for report in &reports {
                    let mending = mendings.get(&report.module);
                    if self.is_json() || mending.is_none_or(mended) {
                        self.tell(report, mending)?;
                    }
                    errors.extend(report.errors().cloned());
                }
                errors.extend(mendings.into_values().filter_map(|mending| mending.error));
                return self.conclude(&errors);
            }
            if !self.is_json() {
                damaged
                    .iter()
                    .try_for_each(|report| self.tell(report, None))?;
            }
            let mender = Mender {
                verifier: self.verifier(means),
                fetcher: self.fetcher(means),
                sums: means.sums,
                offline: self.config.offline.value || self.config.goproxy.value == "off",
            };
            let done = mender.mend(&damaged);
            live.clear();
            for mending in done {
                if !self.is_json() {
                    self.tell_mending(&mending);
                }
                mendings.insert(mending.module.clone(), mending);
            }
        }
    }

    fn tell_mending(&self, mending: &Mending) {
        let (path, version) = (mending.module.path(), mending.module.version());
        let kept = mending.quarantine.as_ref();
        let kept = kept.map(|place| format!("what was damaged is in {}", place.display()));
        match &mending.error {
            Some(error) => {
                let error = error
                    .clone()
                    .context(format!("{path} {version}: not repaired"));
                let hints = kept.into_iter();
                self.console.finding(&hints.fold(error, Error::hint));
            }
            None => {
                let kept = kept.map_or(String::new(), |kept| format!("; {kept}"));
                self.console
                    .line(&format!("{path} {version}: repaired{kept}"));
            }
        }
    }

    fn is_json(&self) -> bool {
        self.config.json.value && !self.request.as_go
    }

    fn tell(&self, report: &Report, mending: Option<&Mending>) -> Result<()> {
        if self.is_json() {
            let json = report_json(report, mending);
            return self.console.data(&(json.indented() + "\n"));
        }
        for problem in &report.problems {
            self.console.finding(&finding(problem));
        }
        let leftovers = self.request.cache || self.config.verbose.value;
        if let Some(leftover) = report.leftover.filter(|_| leftovers) {
            let text = format!("{}: {}", report.module, leftover.explanation());
            self.console.note(&text);
        }
        Ok(())
    }

    fn conclude(&self, errors: &[Error]) -> Result<Option<Kind>> {
        if errors.is_empty() && !self.is_json() {
            self.console.data("all modules verified\n")?;
        }
        Ok(Error::gravest(errors))
    }

    /// Which modules to check, and what stands in the way of knowing all of them: the rest is
    /// checked all the same.
    fn select(
        &self,
        fetcher: &Fetcher<'_>,
        notices: bool,
    ) -> Result<(Vec<ModuleVersion>, Vec<Error>)> {
        let (project, arguments) = (self.project, &self.arguments[..]);
        if arguments.is_empty() && project.is_none() {
            return Err(
                no_project().hint("name modules as PATH@VERSION, or check everything with --cache")
            );
        }
        let needs = arguments
            .iter()
            .map(|argument| argument.needs_graph(project))
            .collect::<Result<Vec<bool>>>()?;
        let graph = match project {
            Some(project) if arguments.is_empty() || needs.contains(&true) => {
                Some(fetcher.graph(project)?)
            }
            _ => None,
        };
        if notices {
            let warnings = fetcher.take_warnings();
            warnings.iter().for_each(|line| self.console.line(line));
        }
        let mut errors: Vec<Error> = graph.as_ref().and_then(Graph::error).into_iter().collect();
        let mut modules = Vec::new();
        if let (Some(project), Some(graph), []) = (project, &graph, arguments) {
            let listed = project.mains().flat_map(|main| &main.modfile().require);
            let listed: HashSet<_> = listed.map(|line| line.module.path()).collect();
            let all = self.request.wish.scope() != Some(Scope::Listed);
            for module in graph.build_list() {
                if !all && !listed.contains(module.path()) {
                    continue;
                }
                let actual = project.edits().actual(&module);
                // `go` checks what was replaced; what replaces it is what is built.
                modules.push(module);
                if let Actual::Module(actual) = actual {
                    modules.push(actual);
                }
            }
        } else {
            let selection = Selection::of(arguments, project, graph.as_ref());
            if notices {
                let lines = selection.notices.iter();
                lines.for_each(|notice| self.console.line(notice));
            }
            for choice in selection.choices {
                match choice {
                    Choice::Module { module, .. } => modules.push(module),
                    Choice::Query { path, query } => errors.push(no_query(path.as_str(), &query)),
                    Choice::Tool {
                        tool,
                        version: Named::Query(query),
                    } => errors.push(no_query(tool.name(), &query)),
                    // Nothing of them is in the cache.
                    Choice::Tool { .. } => {}
                    Choice::Failed { error, .. } => errors.push(error),
                }
            }
        }
        let mut seen = HashSet::new();
        modules.retain(|module| seen.insert(module.clone()));
        Ok((modules, errors))
    }
}

fn proof(wanted: bool, database: Database, exempt: PrefixPatterns) -> Result<Option<Proof>> {
    match database {
        _ if !wanted => Ok(None),
        Database::Client(client) => Ok(Some(Proof { client, exempt })),
        Database::Invalid(error) => Err(error),
        Database::Off => {
            let text = "--sumdb: there is no checksum database, GOSUMDB is off";
            Err(Error::new(Kind::Input, text))
        }
    }
}

fn no_query(path: &str, query: &str) -> Error {
    let text = format!("{path}@{query}: a version query needs the network, and verify uses none");
    let hint = "name a canonical version, as v1.2.3 or a pseudo-version";
    Error::new(Kind::Usage, text).hint(hint)
}

/// Nothing is fetched that could be told.
struct Unwatched;

impl Watch for Unwatched {
    fn planned(&self, _: usize) {}
    fn graph_grew(&self) {}
    fn started(&self, _: &ModuleVersion) {}
    fn finished(&self, _: &ModuleVersion, _: bool) {}
    fn again(&self, _: &ModuleVersion, _: &Error) {}
}
