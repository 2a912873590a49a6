//! `modfetch list -m`: what there is to say of modules, in go's text or as objects.

use std::collections::HashSet;

use super::go_mod;
use super::project::{Use, find_project, find_project_to};
use super::session::{Manner, Session};
use crate::cache::Cache;
use crate::cli::RawArgs;
use crate::config::{Config, ModMode, ModuleMode};
use crate::error::{Error, Kind, Result};
use crate::fetch::outdated;
use crate::listing::{Extras, Lister, ModuleInfo, gravest, needs_graph, subjects};
use crate::modset::{Actual, Argument, Edits, Graph, Project, Requirements, Update};
use crate::module::ModuleVersion;
use crate::report::{Console, module_json};
use crate::signals::Ending;
use crate::template::{Template, Value};
use crate::trust::{Part, SumPolicy};

/// From this go version on go.sum has the go.mod of whatever it has the zip of.
const GO_MOD_SUMS: &str = "1.21";

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The arguments.
    pub arguments: Vec<String>,
    /// What is said of each module beside the usual.
    pub extras: Extras,
    /// `-e`: what failed is told of its module.
    pub lenient: bool,
    /// `-json`: an object a module, with these fields or with all.
    pub json: Option<Vec<String>>,
    /// `-f`: what this template makes of each.
    pub template: Option<String>,
    /// How a signal ends the run.
    pub ending: Ending,
}

impl Request {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`Kind::Usage`] without `-m`.
    pub fn of(raw: &RawArgs, ending: Ending) -> Result<Request> {
        if !raw.m {
            let text = "list without -m is not supported: packages are not loaded";
            return Err(Error::new(Kind::Usage, text).hint("'list -m all' lists modules"));
        }
        Ok(Request {
            arguments: raw.args.clone(),
            extras: Extras {
                update: raw.u,
                retracted: raw.retracted,
                versions: raw.versions,
            },
            lenient: raw.e,
            json: raw.json.then(|| raw.fields.clone()),
            template: raw.template.clone().filter(|text| !text.is_empty()),
            ending,
        })
    }
}

/// Runs the command. `Ok(Some(kind))` is the gravest failure, all of them having been told.
///
/// # Errors
/// What ends the run before anything was listed.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    // go tells these without its name before them.
    let refuse = |error: &Error| {
        console.finding(error);
        Ok(Some(error.kind()))
    };
    let name = console.name();
    let usage = |text: &str| refuse(&Error::new(Kind::Usage, format!("{name} list {text}")));
    if request.template.is_some() && request.json.is_some() {
        return usage("-f cannot be used with -json");
    }
    let template = match request.template.as_deref().map(Template::parse) {
        Some(Err(error)) => return refuse(&error),
        Some(Ok(template)) => Some(template),
        None => None,
    };
    let mode = match config.mod_mode() {
        Err(error) if error.chain().starts_with('-') => return refuse(&error),
        mode => mode?.map_or(ModMode::Readonly, |mode| mode.value),
    };
    if mode == ModMode::Vendor {
        let text = "-mod=vendor is not supported yet";
        return Err(Error::new(Kind::Other, text));
    }
    if config.go111module.value == ModuleMode::Off {
        if request.extras.retracted {
            return usage("-retracted can only be used in module-aware mode");
        }
        let origin = &config.go111module.origin;
        let error = Error::new(Kind::Input, "list -m cannot be used with GO111MODULE=off");
        return Err(error.hint(format!("GO111MODULE is set {origin}")));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = match mode {
        ModMode::Mod => find_project(config, console)?,
        ModMode::Readonly | ModMode::Vendor => find_project_to(Use::Read, config, console)?,
    };
    let mut arguments = Vec::with_capacity(request.arguments.len());
    let mut needed = false;
    for text in &request.arguments {
        let argument = Argument::parse(text)?;
        needed |= needs_graph(&argument, project.as_ref(), request.extras.versions)?;
        arguments.push(argument);
    }
    let manner = Manner {
        fail_fast: false,
        store: true,
        ending: Some(request.ending),
    };
    let session = Session::open(config, console, cache, project.as_ref(), manner)?;
    let mut fetcher = session.fetcher();
    // In a workspace go takes what it finds.
    let single = |project: &Project| project.workspace().is_none();
    let readonly = project.as_ref().is_some_and(single) && mode == ModMode::Readonly;
    if readonly {
        fetcher = fetcher.requiring_sums();
    }
    let redundant = project.as_ref().is_some_and(Project::has_redundant_roots);
    let edited = match &project {
        Some(project) if mode == ModMode::Mod && single(project) => {
            let running = project.running().map(|running| running.version().as_str());
            let mut found = fetcher.requirements(project, running)?;
            if needed && found.graph.is_none() {
                fetcher.expand(project, &mut found)?;
            }
            Some(found)
        }
        _ => None,
    };
    let graph = match (&project, &edited) {
        (_, Some(edited)) => edited.graph.clone(),
        (Some(project), _) if redundant && readonly && project.is_pruned() => {
            return Err(outdated());
        }
        (Some(project), _) if needed || redundant => Some(fetcher.graph(project)?),
        _ => None,
    };
    // Without the graph nobody can say which of two requirements of a path counts.
    if let Some(error) = graph.as_ref().and_then(Graph::error).filter(|_| redundant) {
        session.settle(&fetcher);
        return Err(error);
    }
    let found = subjects(
        &arguments,
        project.as_ref(),
        graph.as_ref(),
        request.extras.versions,
    );
    let none = Edits::default();
    let lister = Lister {
        fetcher: &fetcher,
        sums: &session.sums,
        project: project.as_ref(),
        edits: project.as_ref().map_or(&none, Project::edits),
        graph: graph.as_ref(),
        requires_sums: readonly,
        extras: request.extras,
    };
    let infos = lister.list(&found.list);
    session.settle(&fetcher);
    for notice in &found.notices {
        console.line(notice);
    }
    let infos = infos?;
    // go leaves both files alone with -u: it looks at more than is needed.
    let kept = project.as_ref().filter(|_| !request.extras.update);
    let broken = graph.as_ref().and_then(Graph::error);
    let broken = broken.or_else(|| match (kept?, &edited) {
        (project, Some(edited)) => record(&session, project, edited).err(),
        (project, None) if readonly => outdated_files(project, graph.as_ref(), &session.sums).err(),
        _ => None,
    });
    if !request.lenient {
        let failures = infos.iter().filter_map(|info| info.error.as_ref());
        for error in failures.chain(&broken) {
            console.error(error);
        }
        let kinds = gravest(&infos)
            .into_iter()
            .chain(broken.map(|error| error.kind()));
        if let Some(kind) = kinds.min_by_key(|kind| kind.rank()) {
            return Ok(Some(kind));
        }
    }
    print(&infos, request, template.as_ref(), console)
}

/// Refuses what go would write to go.mod or go.sum, if it might.
fn outdated_files(project: &Project, graph: Option<&Graph>, sums: &SumPolicy) -> Result<()> {
    let mut roots = project.written_roots();
    roots.dedup();
    let written = Requirements {
        pruned: project.is_pruned(),
        roots,
        graph: None,
    };
    if Update::of(project, &written).is_some_and(|update| update.is_beyond_marks()) {
        return Err(outdated());
    }
    if lacks_sums(project, graph, sums) {
        let text = "updates to go.sum needed, disabled by -mod=readonly";
        return Err(Error::new(Kind::Input, text));
    }
    Ok(())
}

/// Writes go.mod and go.sum where `-mod=mod` lets go write them.
fn record(session: &Session<'_>, project: &Project, edited: &Requirements) -> Result<()> {
    go_mod::commit(&session.cache, project, edited, false)?;
    let graph = edited.graph.as_ref();
    let loaded = graph.into_iter().flat_map(Graph::loaded).cloned();
    let list: Vec<ModuleVersion> = match graph {
        Some(graph) => graph.build_list().collect(),
        None => edited.modules().cloned().collect(),
    };
    let actual = |module: ModuleVersion| match project.edits().actual(&module) {
        Actual::Module(actual) => Some(actual),
        Actual::Directory { .. } => None,
    };
    let kept: HashSet<(String, String)> = loaded
        .chain(list)
        .filter_map(actual)
        .map(|module| (module.path().to_string(), Part::GoMod.version_key(&module)))
        .collect();
    let keep = |path: &str, key: &str| kept.contains(&(path.to_owned(), key.to_owned()));
    session.sums.save(&session.cache, keep).map(drop)
}

/// True if go would have added to go.sum what this run found, because the build list rests on it.
///
/// Source: golang/go `cmd/go/internal/modload/init.go`, `keepSums`.
fn lacks_sums(project: &Project, graph: Option<&Graph>, sums: &SumPolicy) -> bool {
    if !sums.has_new() {
        return false;
    }
    let edits = project.edits();
    let is_new = |module: &ModuleVersion| match edits.actual(module) {
        Actual::Module(actual) => sums.is_new(&actual, Part::GoMod),
        Actual::Directory { .. } => false,
    };
    let Some(graph) = graph else {
        return project.requirements().iter().any(is_new);
    };
    let go = project.modfile().go.as_ref();
    let whole = go.is_some_and(|line| line.version.at_least(GO_MOD_SUMS));
    graph.loaded().any(is_new) || whole && graph.build_list().any(|module| is_new(&module))
}

/// Prints what was found; what a template has made up to its failure is printed, too.
fn print(
    infos: &[ModuleInfo],
    request: &Request,
    template: Option<&Template>,
    console: &Console,
) -> Result<Option<Kind>> {
    let mut out = String::new();
    let mut failed = None;
    for info in infos {
        match (template, &request.json) {
            (Some(template), _) => {
                if let Err(error) = template.render(&Value::Object(info), &mut out) {
                    failed = Some(error);
                    break;
                }
            }
            (None, Some(fields)) => out.push_str(&module_json(info, fields).indented()),
            (None, None) if request.extras.versions => out.push_str(&info.versions_line()),
            (None, None) => out.push_str(&info.to_string()),
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    console.data(&out)?;
    Ok(failed.map(|error| {
        console.finding(&error);
        error.kind()
    }))
}
