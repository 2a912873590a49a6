//! `modfetch list -m`: what there is to say of modules, in go's text or as objects.

mod begin;
mod keep;
mod known;
mod print;
mod vendored;

use std::collections::BTreeSet;
use std::path::PathBuf;

use begin::{ListRefusal, ListStart, begin};
use keep::{outdated_files, record, record_sums};
use known::KnownRequirements;
use print::{ModuleListing, finish};
use vendored::{ListVendoring, find_vendor, list_vendored};

use super::definition::{Command, Runner};
use super::project::{MainModuleUse, find_project_allowing_conflicts, tell_disputes};
use super::running::outside;
use super::session::SessionOptions;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::{Config, ModMode};
use crate::error::{Error, Kind, Result};
use crate::fetch::{Keep, QueryResolver, RunOptions};
use crate::gomod::Argument;
use crate::gomod::compat::Change;
use crate::graph::Graph;
use crate::list::{Extras, Lister};
use crate::project::{Project, ReplaceRules};
use crate::report::Console;
use crate::select::{SelectionContext, list_targets, needs_graph};
use crate::signals::Ending;
use crate::source::ReuseFile;

/// A flag that is there to be refused in go's words.
const ABOUT_PACKAGES: Flag = Flag {
    brief: "Refused: it is about packages",
    detail: "go refuses it with -m.",
    ..Flag::GOS
};

/// `-u`.
static U: Flag = Flag {
    long: "u",
    brief: "Tell of newer versions",
    detail: "Also of retractions and deprecations.",
    ..Flag::GOS
};

/// `-f`.
static F: Flag = Flag {
    long: "f",
    value: Some("TEMPLATE"),
    brief: "Print modules as this template says",
    detail: "All statements of Go's templates and all functions but call, context and module; what \
of them is missing is refused by name.",
    ..Flag::GOS
};

/// `-versions`.
static VERSIONS: Flag = Flag {
    long: "versions",
    brief: "List the versions there are",
    detail: "Those that go.mod excludes are left out, and those that their author retracted, \
unless -retracted is given.",
    ..Flag::GOS
};

/// `-retracted`.
static RETRACTED: Flag = Flag {
    long: "retracted",
    brief: "Tell of retracted versions",
    detail: "",
    ..Flag::GOS
};

/// `-e`.
static E: Flag = Flag {
    long: "e",
    brief: "List also what is wrong",
    detail: "A failure is reported in the field Error of its module, and the exit code is 0.",
    ..Flag::GOS
};

/// `-compiled`.
static COMPILED: Flag = Flag {
    long: "compiled",
    ..ABOUT_PACKAGES
};

/// `-deps`.
static DEPS: Flag = Flag {
    long: "deps",
    ..ABOUT_PACKAGES
};

/// `-export`.
static EXPORT: Flag = Flag {
    long: "export",
    ..ABOUT_PACKAGES
};

/// `-find`.
static FIND: Flag = Flag {
    long: "find",
    ..ABOUT_PACKAGES
};

/// `-test`.
static TEST: Flag = Flag {
    long: "test",
    ..ABOUT_PACKAGES
};

/// The flags that are about packages.
static PACKAGE_FLAGS: &[&Flag] = &[&COMPILED, &DEPS, &EXPORT, &FIND, &TEST];

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["list"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON_FIELDS,
            &flags::X,
            &flags::MODCACHERW,
            &flags::MOD,
            &flags::REUSE,
            &U,
            &flags::M,
            &F,
            &VERSIONS,
            &RETRACTED,
            &E,
            &COMPILED,
            &DEPS,
            &EXPORT,
            &FIND,
            &TEST,
        ],
        ignored: &[flags::BUILD_FLAGS, flags::LIST_BUILD_FLAGS],
        go_name: Some("list"),
        arguments: "-m [modules]",
        brief: "Describe modules",
        detail: "Prints a line a module, 'PATH VERSION', with what replaces it, and with -u a newer \
version, as 'go list -m' does. -m must be given: packages are not listed.\n\
Modules are path@version or path@query, or names, patterns (with ...) and 'all' among the \
dependencies of go.mod; without any, it is the main module. Their metadata and go.mod files are \
fetched where the cache lacks them, zips are not.\n\
go.mod and go.sum are taken as they are: what the graph is read from must have its line in go.sum.\n\
Go's flags about building, such as -tags, are taken and change nothing, as in go.",
        examples: &[
            (
                "modfetch list -m all",
                "every module of the build, as 'go list -m all'",
            ),
            (
                "modfetch list -m -u -json all",
                "newer versions, retractions and deprecations",
            ),
            (
                "modfetch list -m -versions golang.org/x/mod",
                "which versions there are",
            ),
            (
                "modfetch list -m -json golang.org/x/mod@latest",
                "what a query means, without any project",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let request = ListRequest::of(call.raw, call.ending());
        run(config, console, &request)
    }),
};

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// The arguments.
    pub arguments: Vec<String>,
    /// `-m`: it is about modules.
    pub modules: bool,
    /// What is said of each module beside the usual.
    pub extras: Extras,
    /// `-e`: a failure is reported in the field Error of its module.
    pub lenient: bool,
    /// `-json`: an object a module, with these fields or with all.
    pub json: Option<Vec<String>>,
    /// `-f`: what this template makes of each.
    pub template: Option<String>,
    /// `-reuse`: what an earlier run printed.
    pub reuse: Option<PathBuf>,
    /// Flags that are about packages.
    pub package_flags: BTreeSet<&'static str>,
    /// How a signal ends the run.
    pub ending: Ending,
}

impl ListRequest {
    /// Reads what was typed.
    #[must_use]
    pub fn of(raw: &RawArgs, ending: Ending) -> ListRequest {
        let fields = raw.words(&flags::JSON_FIELDS);
        let template = raw.text(&F).filter(|text| !text.is_empty());
        let package_flags = PACKAGE_FLAGS.iter().filter(|flag| raw.is_on(flag));
        ListRequest {
            modules: raw.is_on(&flags::M),
            arguments: raw.args.clone(),
            extras: Extras {
                update: raw.is_on(&U),
                retracted: raw.is_on(&RETRACTED),
                versions: raw.is_on(&VERSIONS),
            },
            lenient: raw.is_on(&E),
            json: raw
                .is_on(&flags::JSON_FIELDS)
                .then(|| fields.map(str::to_owned).collect()),
            template: template.map(str::to_owned),
            reuse: raw.file(&flags::REUSE),
            package_flags: package_flags.map(|flag| flag.long).collect(),
            ending,
        }
    }
}

/// Runs the command. `Ok(Some(kind))` is the gravest failure, all of them having been reported.
///
/// # Errors
/// What ends the run before anything was listed.
pub fn run(config: &Config, console: &Console, request: &ListRequest) -> Result<Option<Kind>> {
    let acting = outside(config)?;
    let newer = Change::NoEmptyArgument.applies_to(acting.version());
    if newer && request.arguments.iter().any(String::is_empty) {
        return Err(Error::new(Kind::Input, "invalid package: \"\""));
    }
    let begun = match begin(config, request, console.name()) {
        Ok(begun) => begun,
        Err(ListRefusal::Nameless(error)) => {
            console.finding(&error);
            return Ok(Some(error.kind()));
        }
        Err(ListRefusal::Named(error)) => return Err(error),
    };
    let cache = Cache::at(&config.gomodcache.value)?;
    let what = match begun.asked {
        Some(ModMode::Mod) => MainModuleUse::Edit,
        Some(ModMode::Vendor) => MainModuleUse::Vendor,
        Some(ModMode::Readonly) | None => MainModuleUse::Read,
    };
    let (project, clashing) = find_project_allowing_conflicts(what, config, console)?;
    let project = project.as_ref();
    list(config, console, request, &begun, cache, project, clashing)
}

/// Lists what is asked for of the modules of a project, whose faults have been reported.
fn list(
    config: &Config,
    console: &Console,
    request: &ListRequest,
    begun: &ListStart,
    cache: Cache,
    project: Option<&Project>,
    clashing: Option<Kind>,
) -> Result<Option<Kind>> {
    let (asked, template) = (begun.asked, begun.template.as_ref());
    if request.reuse.is_some() && request.arguments.is_empty() {
        let text = "list -m -reuse only has an effect with module@version arguments";
        return Err(Error::new(Kind::Usage, text));
    }
    let why = match find_vendor(config, project, asked)? {
        ListVendoring::Used(vendor) => {
            let listing = list_vendored(config, console, project, vendor.as_ref(), request)?;
            return finish(&listing, clashing, request, template, console);
        }
        ListVendoring::Unused(why) => why,
    };
    let reuse = request.reuse.as_ref();
    let reuse = match reuse
        .map(|file| ReuseFile::read(file, &config.cwd))
        .transpose()
    {
        Ok(reuse) => reuse,
        // This is what -e leaves out, with everything else.
        Err(_) if request.lenient => return Ok(None),
        Err(error) => return Err(error),
    };
    let mode = asked.unwrap_or(ModMode::Readonly);
    let mut arguments = Vec::with_capacity(request.arguments.len());
    let context = SelectionContext {
        project,
        edited: None,
        with_versions: request.extras.versions,
    };
    let mut needed = false;
    for text in &request.arguments {
        let argument = Argument::parse(text)?;
        needed |= needs_graph(&argument, context)?;
        arguments.push(argument);
    }
    let session = SessionOptions::new(config, console, cache)
        .project(project)
        .keep(Keep::IfPossible)
        .ending(request.ending)
        .open()?;
    // In a workspace go takes what it finds.
    let single = |project: &Project| project.workspace().is_none();
    let readonly = project.is_some_and(single) && mode == ModMode::Readonly;
    let run = session.run(RunOptions {
        readonly: readonly.then(|| why.clone()),
        ..session.options()
    });
    let known = KnownRequirements::read(&run, &arguments, context, needed, mode, &why)?;
    let (edited, graph) = (known.edited.as_ref(), known.graph.as_ref());
    // Without the graph it is unknown which of two requirements of a path counts.
    if known.by_roots
        && let Some(error) = graph.and_then(Graph::error)
    {
        session.settle(&run);
        return Err(error);
    }
    let found = list_targets(
        &arguments,
        SelectionContext { edited, ..context },
        // Where it was read for the roots alone, an argument is read against those.
        graph.filter(|_| known.needed),
        run.local_version(),
    );
    let none = ReplaceRules::default();
    let lister = Lister {
        run: &run,
        sums: &session.sums,
        project,
        rules: project.map_or(&none, Project::rules),
        graph,
        superseded: edited.map_or(&[], |edited| &edited.superseded),
        reuse: reuse.as_ref(),
        requires_sums: readonly,
        extras: request.extras,
        details: request.json.is_some() || template.is_some(),
    };
    let infos = lister.list(&found.list);
    session.settle(&run);
    for notice in &found.notices {
        console.line(notice);
    }
    let infos = infos?;
    let loaded = graph.into_iter().flat_map(Graph::loaded);
    session.cache().record_use([], loaded);
    // Not even -e goes on from here, whatever was said of the module.
    if let Some(error) = session.sums.contradiction() {
        return Err(error);
    }
    // go leaves both files alone with -u: it looks at more than is needed.
    let kept = project.filter(|_| !request.extras.update);
    let broken = graph.and_then(Graph::error);
    let is_broken = broken.is_some();
    let broken = broken.or_else(|| match (kept?, edited) {
        (project, Some(edited)) => record(&session, project, edited).err(),
        (project, None) if !single(project) => record_sums(&session, project, graph?).err(),
        (project, None) if readonly => outdated_files(project, graph, &session.sums, &why).err(),
        _ => None,
    });
    let mut replaced = QueryResolver::new(&run, &none).replaced();
    if let Some(graph) = graph {
        replaced.extend(graph.asked().cloned());
        // go looks at these where it looks which sums are to stay.
        if kept.is_some() && !is_broken {
            replaced.extend(graph.build_list());
        }
    }
    let disputed = project.and_then(|project| tell_disputes(replaced, project, console));
    let told = clashing.or(disputed);
    let listing = ModuleListing { infos, broken };
    finish(&listing, told, request, template, console)
}
