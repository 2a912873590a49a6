//! `modfetch verify`: compares cached modules with what vouches for them, and opens no socket.

use std::collections::HashSet;
use std::path::Path;

use super::network::cached_database;
use super::project::find_project;
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{FetchSettings, Fetcher, Watch};
use crate::modset::{Actual, Argument, Choice, Graph, Project, Selection};
use crate::module::{ModuleVersion, PrefixPatterns};
use crate::report::{Console, finding, report_json};
use crate::source::Offline;
use crate::trust::{Database, SumPolicy, SumSettings};
use crate::verify::{Proof, Report, Verifier};

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The arguments.
    pub arguments: Vec<String>,
    /// `--cache`: everything that is cached.
    pub cache: bool,
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
    if request.as_go && !request.arguments.is_empty() {
        return Err(Error::new(Kind::Usage, "verify takes no arguments"));
    }
    if request.cache && !request.arguments.is_empty() {
        let text = "--cache checks every module: it takes no arguments";
        return Err(Error::new(Kind::Usage, text));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    let why = if config.goproxy.value == "off" {
        "GOPROXY=off"
    } else {
        "verify"
    };
    let database = cached_database(config, why);
    let exempt = PrefixPatterns::parse(&config.gonosumdb.value);
    let settings = SumSettings {
        database: database.clone(),
        exempt: exempt.clone(),
        locked: config.locked.value,
    };
    let sums = match &project {
        Some(project) => SumPolicy::with_file(&project.go_sum(), settings)?,
        None => SumPolicy::without_file(settings),
    };
    let (modules, mut errors) = if request.cache {
        (cache.modules()?, Vec::new())
    } else {
        let arguments = request.arguments.iter();
        let arguments = arguments
            .map(|text| Argument::parse(text))
            .collect::<Result<Vec<_>>>()?;
        let source = Offline(why);
        let fetcher = Fetcher::new(&cache, &source, &sums, &Unwatched, OFFLINE);
        select(project.as_ref(), &arguments, &fetcher, console)?
    };
    errors.iter().for_each(|error| console.error(error));
    let proof = proof(request.sumdb, database, exempt)?;
    let verifier = Verifier {
        cache: &cache,
        sums: project.is_some().then_some(&sums),
        proof: proof.as_ref(),
    };
    let reports = verifier.check(&modules)?;
    let json = config.json.value && !request.as_go;
    for report in &reports {
        if json {
            console.data(&(report_json(report).indented() + "\n"))?;
        } else {
            tell(report, request.cache || config.verbose.value, console);
        }
        errors.extend(report.errors().cloned());
    }
    if errors.is_empty() && !json {
        console.data("all modules verified\n")?;
    }
    Ok(Error::gravest(&errors))
}

fn tell(report: &Report, leftovers: bool, console: &Console) {
    for problem in &report.problems {
        console.finding(&finding(problem));
    }
    if let Some(leftover) = report.leftover.filter(|_| leftovers) {
        console.note(&format!("{}: {}", report.module, leftover.explanation()));
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

/// Which modules to check, and what stands in the way of knowing all of them: the rest is checked
/// all the same.
fn select(
    project: Option<&Project>,
    arguments: &[Argument],
    fetcher: &Fetcher<'_>,
    console: &Console,
) -> Result<(Vec<ModuleVersion>, Vec<Error>)> {
    if arguments.is_empty() && project.is_none() {
        let text = "go.mod file not found in current directory or any parent directory; see 'go \
                    help modules'";
        return Err(Error::new(Kind::Usage, text)
            .hint("name modules as PATH@VERSION, or check everything with --cache"));
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
    let mut errors: Vec<Error> = graph.as_ref().and_then(Graph::error).into_iter().collect();
    let mut modules = Vec::new();
    if let (Some(project), Some(graph), []) = (project, &graph, arguments) {
        for module in graph.build_list() {
            let actual = project.edits().actual(&module);
            // `go` checks what was replaced; what replaces it is what is built.
            modules.push(module);
            if let Actual::Module(actual) = actual {
                modules.push(actual);
            }
        }
    } else {
        let selection = Selection::of(arguments, project, graph.as_ref());
        selection
            .notices
            .iter()
            .for_each(|notice| console.line(notice));
        for choice in selection.choices {
            match choice {
                Choice::Module { module, .. } => modules.push(module),
                Choice::Query { path, query } => errors.push(no_query(path.as_str(), &query)),
                Choice::Failed { error, .. } => errors.push(error),
            }
        }
    }
    let mut seen = HashSet::new();
    modules.retain(|module| seen.insert(module.clone()));
    Ok((modules, errors))
}

fn no_query(path: &str, query: &str) -> Error {
    let text = format!("{path}@{query}: a version query needs the network, and verify uses none");
    let hint = "name a canonical version, as v1.2.3 or a pseudo-version";
    Error::new(Kind::Usage, text).hint(hint)
}

/// The engine only reads the graph here, from the cache.
const OFFLINE: FetchSettings = FetchSettings {
    jobs: 1,
    writable: false,
    fail_fast: false,
    store: false,
};

/// Nothing is fetched that could be told.
struct Unwatched;

impl Watch for Unwatched {
    fn planned(&self, _: usize) {}
    fn graph_grew(&self) {}
    fn started(&self, _: &ModuleVersion) {}
    fn finished(&self, _: &ModuleVersion, _: bool) {}
    fn waiting(&self, _: &ModuleVersion, _: &Path) {}
}
