//! `modfetch verify`: compares cached modules with what vouches for them, opening no socket, and
//! with `--repair` mends them.

use std::collections::{HashMap, HashSet};

use super::definition::{Command, Runner};
use super::network::cached_database;
use super::project::{MainModuleUse, find_project_to, no_project};
use super::session::{Session, SessionOptions};
use super::verify_store;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, ProgramName, flags};
use crate::config::Config;
use crate::config::settings::LOCKED;
use crate::error::{Error, Kind, Result};
use crate::fetch::{GraphReader, Keep, Run, RunOptions};
use crate::gomod::{Argument, ModuleVersion, PrefixPatterns};
use crate::graph::Graph;
use crate::project::{Project, ResolvedModule};
use crate::report::{Console, finding, report_json};
use crate::select::{
    Scope, SelectionArgs, SelectionContext, Target, Targets, ToolVersion, any_needs_graph,
};
use crate::trust::Database;
use crate::verify::{DatabaseProof, RepairOutcome, Repairer, Verifier, VerifyReport};

/// `--cache`.
static CACHE: Flag = Flag {
    long: "cache",
    brief: "Check the whole module cache",
    detail: "No go.mod is needed; where there is one, its go.sum counts too.",
    ..Flag::OURS
};

/// `--repair`.
static REPAIR: Flag = Flag {
    long: "repair",
    brief: "Fetch or extract again what is damaged",
    detail: "The network is used, unless --offline. Damaged pieces are kept below \
             GOMODCACHE/cache/modfetch/quarantine. Exit code 0 if all was mended.",
    ..Flag::OURS
};

/// `--sumdb`.
static SUMDB: Flag = Flag {
    long: "sumdb",
    brief: "Prove modules by the cached checksum database, too",
    detail: "Uses the cached part of the database, and sends no request.",
    ..Flag::OURS
};

/// `--store`.
static STORE: Flag = Flag {
    long: "store",
    value: Some("URL"),
    brief: "Check a store instead of the module cache",
    detail: "s3://BUCKET/PREFIX, as 'modfetch help store' says. Every version that is there is read and compared \
with the checksum database. --repair removes what is wrong, so that the next server that needs it brings it again.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["verify"],
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
            &LOCKED.flag,
            &flags::SCOPE,
            &flags::EXCLUDE,
            &flags::MISSING_REPLACE,
            &CACHE,
            &REPAIR,
            &SUMDB,
            &STORE,
        ],
        added: &["json", "x"],
        go_name: Some("mod verify"),
        arguments: "[modules]",
        brief: "Check that cached modules are what go.sum says",
        detail: "Hashes zip, directory and go.mod of every module that the cache has of those go.mod needs, and compares them with go.sum and with the ziphash beside the zip. Without a difference it prints 'all modules verified', as 'go mod verify' does, which compares with the ziphash only; otherwise it names the files that differ and ends with exit code 5.\nModules are named as for download. What is not cached is not checked.\nNo socket is opened, and nothing is written except when the modules were used: the cache may be read-only. \
Under go's name, 'modfetch mod verify' too, go.mod files that the cache lacks are fetched, as go does. \
--repair does all three, for modules that go.sum or the checksum database vouches for.",
        examples: &[
            ("modfetch verify", "what go.mod needs, as 'go mod verify'"),
            (
                "modfetch verify --cache",
                "everything that is cached, without any project",
            ),
            (
                "modfetch verify --repair",
                "and fetch or extract again what is damaged",
            ),
            (
                "modfetch verify -json example.com/...",
                "what was compared, and every file that differs",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        if let Some(url) = call.raw.text(&STORE) {
            return verify_store::run(config, console, url, call.raw.is_on(&REPAIR));
        }
        let request = VerifyRequest {
            selection: SelectionArgs::of(call.raw, &config.cwd)?,
            cache: call.raw.is_on(&CACHE),
            repair: call.raw.is_on(&REPAIR),
            sumdb: call.raw.is_on(&SUMDB),
            as_go: call.program == ProgramName::Go,
            fetches: call.program == ProgramName::Go || call.raw.by_go_name,
        };
        run(config, console, &request)
    }),
};

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// Which modules.
    pub selection: SelectionArgs,
    /// `--cache`: everything that is cached.
    pub cache: bool,
    /// `--repair`: mend what is damaged.
    pub repair: bool,
    /// `--sumdb`: against the cached checksum database as well.
    pub sumdb: bool,
    /// Called as `go`.
    pub as_go: bool,
    /// By go's name, it fetches the go.mod files that the graph lacks, as go does.
    pub fetches: bool,
}

/// Runs the command. `Ok(None)` is success; `Ok(Some(kind))` the gravest failure, all of them
/// having been reported already.
///
/// # Errors
/// What ends the run before any module was checked.
pub fn run(config: &Config, console: &Console, request: &VerifyRequest) -> Result<Option<Kind>> {
    let arguments = request.selection.arguments();
    if request.as_go && !arguments.is_empty() {
        return Err(Error::new(Kind::Usage, "verify takes no arguments"));
    }
    if request.cache && (!arguments.is_empty() || request.selection.scope().is_some()) {
        let text = "--cache checks every module: it takes no arguments and no --scope";
        return Err(Error::new(Kind::Usage, text));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let what = if request.repair {
        MainModuleUse::Edit
    } else {
        MainModuleUse::Check
    };
    let project = match find_project_to(what, config, console) {
        // The whole cache is what it is, whatever project is near.
        Err(error) if request.cache => {
            console.note(&format!(
                "warning: no go.sum is looked at: {}",
                error.chain()
            ));
            None
        }
        found => found?,
    };
    let why = match config.goproxy.value.as_str() {
        "off" => "GOPROXY=off",
        _ => "verify",
    };
    let database = cached_database(config, why);
    let exempt = PrefixPatterns::parse(&config.gonosumdb.value);
    let proof = proof(request.sumdb, database, exempt)?;
    let arguments = arguments.iter().map(|text| Argument::parse(text));
    let arguments = arguments.collect::<Result<Vec<_>>>()?;
    let session = SessionOptions::new(config, console, cache)
        .project(project.as_ref())
        .keep(Keep::All);
    let session = match request.repair || request.fetches {
        true => session.open()?,
        false => session.offline(why).open()?,
    };
    let run = VerifyRun {
        config,
        console,
        request,
        arguments,
        session: &session,
        project: project.as_ref(),
        proof: proof.as_ref(),
    };
    match request.repair {
        true => run.repair(),
        false => run.check(),
    }
}

struct VerifyRun<'a> {
    config: &'a Config,
    console: &'a Console,
    request: &'a VerifyRequest,
    arguments: Vec<Argument>,
    session: &'a Session<'a>,
    project: Option<&'a Project>,
    proof: Option<&'a DatabaseProof>,
}

impl VerifyRun<'_> {
    /// Finds the modules and checks them; the errors are those of finding them.
    fn survey(&self, notices: bool) -> Result<(Vec<VerifyReport>, Vec<Error>)> {
        let (mut modules, mut errors) = if self.request.cache {
            (self.session.cache().modules()?, Vec::new())
        } else {
            self.select(&self.fetching(), notices)?
        };
        let excluded = self.request.selection.excluded();
        let vain = excluded.take_out(&mut modules, |module| module.path().as_str());
        if notices {
            vain.iter().for_each(|notice| self.console.line(notice));
        }
        let reports = self.verifier().check(&modules, &*self.session.progress)?;
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
        let mut arguments = self.request.selection.arguments().iter();
        arguments.any(|text| names.contains(text))
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier {
            cache: self.session.cache(),
            sums: self.project.map(|_| &*self.session.sums),
            proof: self.proof,
        }
    }

    /// A run that remembers nothing yet.
    fn fetching(&self) -> Run {
        self.session.run(RunOptions {
            running: self.project.and_then(Project::running).cloned(),
            missing_replace: self.request.selection.missing_replace(),
            ..self.session.options()
        })
    }

    fn check(&self) -> Result<Option<Kind>> {
        let (reports, mut errors) = self.survey(true)?;
        // That the whole cache is checked says of no module that it is needed.
        if !self.request.cache {
            let cached = reports.iter().filter(|report| !report.is_empty());
            let used = cached.map(|report| &report.module);
            self.session.cache().record_use(used, []);
        }
        errors.iter().for_each(|error| self.console.error(error));
        for report in &reports {
            self.tell(report, None)?;
            errors.extend(report.errors().cloned());
        }
        self.conclude(&errors)
    }

    /// Checks and mends until nothing new is found: a repaired go.mod may name modules
    /// that were unknown until then.
    fn repair(&self) -> Result<Option<Kind>> {
        let mut repairs: HashMap<ModuleVersion, RepairOutcome> = HashMap::new();
        let mut round = 0;
        loop {
            let (reports, mut errors) = self.survey(round == 0)?;
            round += 1;
            let mended = |repaired: &RepairOutcome| repaired.error.is_none();
            // Where go.sum has no line, the odd piece may be known only when the zip has come
            // again: what was mended is looked at once more.
            let is_new = |report: &&VerifyReport| {
                let repaired = repairs.get(&report.module);
                let untried = repaired.is_none_or(|repaired| mended(repaired) && round == 2);
                !report.problems.is_empty() && untried
            };
            let damaged: Vec<VerifyReport> = reports.iter().filter(is_new).cloned().collect();
            self.session.progress.clear();
            if damaged.is_empty() {
                errors.iter().for_each(|error| self.console.error(error));
                for report in &reports {
                    let repaired = repairs.get(&report.module);
                    if self.is_json() || repaired.is_none_or(mended) {
                        self.tell(report, repaired)?;
                    }
                    errors.extend(report.errors().cloned());
                }
                errors.extend(repairs.into_values().filter_map(|repaired| repaired.error));
                return self.conclude(&errors);
            }
            if !self.is_json() {
                damaged
                    .iter()
                    .try_for_each(|report| self.tell(report, None))?;
            }
            let repairer = Repairer {
                verifier: self.verifier(),
                run: self.fetching(),
                sums: &self.session.sums,
                offline: self.config.connection.offline.value || self.config.goproxy.value == "off",
            };
            let done = repairer.repair(&damaged);
            self.session.progress.clear();
            for repaired in done {
                if !self.is_json() {
                    self.tell_mending(&repaired);
                }
                repairs.insert(repaired.module.clone(), repaired);
            }
        }
    }

    fn tell_mending(&self, repaired: &RepairOutcome) {
        let (path, version) = (repaired.module.path(), repaired.module.version());
        let kept = repaired.quarantine.as_ref();
        let kept = kept.map(|place| format!("what was damaged is in {}", place.display()));
        match &repaired.error {
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

    fn tell(&self, report: &VerifyReport, repaired: Option<&RepairOutcome>) -> Result<()> {
        if self.is_json() {
            let json = report_json(report, repaired);
            return self.console.data(&(json.indented() + "\n"));
        }
        for problem in &report.problems {
            self.console.finding(&finding(problem));
        }
        let leftovers = self.request.cache || self.config.output.verbose.value;
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
    fn select(&self, run: &Run, notices: bool) -> Result<(Vec<ModuleVersion>, Vec<Error>)> {
        let (project, arguments) = (self.project, &self.arguments[..]);
        if arguments.is_empty() && project.is_none() {
            return Err(
                no_project().hint("name modules as PATH@VERSION, or check everything with --cache")
            );
        }
        let needed = any_needs_graph(arguments, SelectionContext::of(project))?;
        let graph = match project {
            Some(project) if arguments.is_empty() || needed => {
                Some(GraphReader::new(run).graph(project)?)
            }
            _ => None,
        };
        if notices {
            let warnings = run.take_warnings();
            warnings.iter().for_each(|line| self.console.line(line));
        }
        let mut errors: Vec<Error> = graph.as_ref().and_then(Graph::error).into_iter().collect();
        let mut modules = Vec::new();
        if let (Some(project), Some(graph), []) = (project, &graph, arguments) {
            let listed = project.mains().flat_map(|main| &main.modfile().require);
            let listed: HashSet<_> = listed.map(|line| line.module.path()).collect();
            let all = self.request.selection.scope() != Some(Scope::Listed);
            for module in graph.build_list() {
                if !all && !listed.contains(module.path()) {
                    continue;
                }
                let resolved = project.rules().resolved(&module);
                // `go` checks what was replaced; what replaces it is what is built.
                modules.push(module);
                if let ResolvedModule::Module(resolved) = resolved {
                    modules.push(resolved);
                }
            }
        } else {
            let targets = Targets::of(arguments, project, graph.as_ref());
            if notices {
                let lines = targets.notices.iter();
                lines.for_each(|notice| self.console.line(notice));
            }
            for target in targets.list {
                match target {
                    Target::Module { module, .. } => modules.push(module),
                    Target::Query { path, query } => errors.push(no_query(path.as_str(), &query)),
                    Target::Tool {
                        tool,
                        version: ToolVersion::Query(query),
                    } => errors.push(no_query(tool.name(), &query)),
                    // Nothing of them is in the cache.
                    Target::Tool { .. } => {}
                    Target::Failed { error, .. } => errors.push(error),
                }
            }
        }
        let mut seen = HashSet::new();
        modules.retain(|module| seen.insert(module.clone()));
        Ok((modules, errors))
    }
}

fn proof(
    wanted: bool,
    database: Database,
    exempt: PrefixPatterns,
) -> Result<Option<DatabaseProof>> {
    match database {
        _ if !wanted => Ok(None),
        Database::Client(client) => Ok(Some(DatabaseProof { client, exempt })),
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
