//! `modfetch list -m`: what there is to say of modules, in go's text or as objects.

mod begin;
mod keep;
mod known;
mod print;
mod vendored;

use std::collections::BTreeSet;
use std::path::PathBuf;

use begin::{Begun, Refusal, begin};
use keep::{is_whole, outdated_files, record, record_sums};
use known::Known;
use print::{Listing, finish};
use vendored::{Vendoring, find_vendor, list_vendored};

use super::project::{Use, find_project_despite, tell_disputes};
use super::session::{Manner, Session};
use crate::cache::Cache;
use crate::cli::RawArgs;
use crate::config::{Config, ModMode};
use crate::error::{Error, Kind, Result};
use crate::fetch::Keep;
use crate::graph::Graph;
use crate::list::{Extras, Ground, Lister, needs_graph, subjects};
use crate::modset::Argument;
use crate::project::{Edits, Project};
use crate::report::Console;
use crate::signals::Ending;
use crate::source::check_reuse;

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The arguments.
    pub arguments: Vec<String>,
    /// `-m`: it is about modules.
    pub modules: bool,
    /// What is said of each module beside the usual.
    pub extras: Extras,
    /// `-e`: what failed is told of its module.
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

impl Request {
    /// Reads what was typed.
    #[must_use]
    pub fn of(raw: &RawArgs, ending: Ending) -> Request {
        Request {
            modules: raw.m,
            arguments: raw.args.clone(),
            extras: Extras {
                update: raw.u,
                retracted: raw.retracted,
                versions: raw.versions,
            },
            lenient: raw.e,
            json: raw.json.then(|| raw.fields.clone()),
            template: raw.template.clone().filter(|text| !text.is_empty()),
            reuse: raw.reuse.as_ref().map(PathBuf::from),
            package_flags: raw.package_flags.clone(),
            ending,
        }
    }
}

/// Runs the command. `Ok(Some(kind))` is the gravest failure, all of them having been told.
///
/// # Errors
/// What ends the run before anything was listed.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    let begun = match begin(config, request, console.name()) {
        Ok(begun) => begun,
        Err(Refusal::Nameless(error)) => {
            console.finding(&error);
            return Ok(Some(error.kind()));
        }
        Err(Refusal::Named(error)) => return Err(error),
    };
    let cache = Cache::at(&config.gomodcache.value)?;
    let what = match begun.asked {
        Some(ModMode::Mod) => Use::Edit,
        Some(ModMode::Vendor) => Use::Vendor,
        Some(ModMode::Readonly) | None => Use::Read,
    };
    let (project, clashing) = find_project_despite(what, config, console)?;
    let project = project.as_ref();
    list(config, console, request, &begun, cache, project, clashing)
}

/// Lists what is asked for of the modules of a project, with which something may be wrong that was told.
fn list(
    config: &Config,
    console: &Console,
    request: &Request,
    begun: &Begun,
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
        Vendoring::Used(vendor) => {
            let listing = list_vendored(config, console, project, vendor.as_ref(), request)?;
            return finish(&listing, clashing, request, template, console);
        }
        Vendoring::Unused(why) => why,
    };
    if let Some(file) = &request.reuse
        && let Err(error) = check_reuse(file, &config.cwd)
    {
        // This is what -e leaves out, with everything else.
        return if request.lenient {
            Ok(None)
        } else {
            Err(error)
        };
    }
    let mode = asked.unwrap_or(ModMode::Readonly);
    let mut arguments = Vec::with_capacity(request.arguments.len());
    let ground = Ground {
        project,
        edited: None,
        with_versions: request.extras.versions,
    };
    let mut needed = false;
    for text in &request.arguments {
        let argument = Argument::parse(text)?;
        needed |= needs_graph(&argument, ground)?;
        arguments.push(argument);
    }
    let manner = Manner {
        fail_fast: false,
        keep: Keep::IfPossible,
        ending: Some(request.ending),
    };
    let session = Session::open(config, console, cache, project, manner)?;
    let mut fetcher = session.fetcher();
    // In a workspace go takes what it finds.
    let single = |project: &Project| project.workspace().is_none();
    let readonly = project.is_some_and(single) && mode == ModMode::Readonly;
    if readonly {
        fetcher = fetcher.requiring_sums(why.clone());
    }
    let known = Known::read(&fetcher, &arguments, ground, needed, mode, &why)?;
    let (edited, graph) = (known.edited.as_ref(), known.graph.as_ref());
    // Without the graph nobody can say which of two requirements of a path counts.
    if known.by_roots
        && let Some(error) = graph.and_then(Graph::error)
    {
        session.settle(&fetcher);
        return Err(error);
    }
    let found = subjects(
        &arguments,
        Ground { edited, ..ground },
        // Where it was read for the roots alone, an argument is read against those.
        graph.filter(|_| known.needed),
        session.running().version(),
    );
    let none = Edits::default();
    let lister = Lister {
        fetcher: &fetcher,
        sums: &session.sums,
        project,
        edits: project.map_or(&none, Project::edits),
        graph,
        outgrown: edited.map_or(&[], |edited| &edited.outgrown),
        requires_sums: readonly,
        extras: request.extras,
        details: request.json.is_some() || template.is_some(),
    };
    let infos = lister.list(&found.list);
    session.settle(&fetcher);
    for notice in &found.notices {
        console.line(notice);
    }
    let infos = infos?;
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
        (project, None) if !single(project) => {
            record_sums(&session, project, graph?, is_whole(project)).err()
        }
        (project, None) if readonly => outdated_files(project, graph, &session.sums, &why).err(),
        _ => None,
    });
    let mut replaced = fetcher.replaced();
    if let Some(graph) = graph {
        replaced.extend(graph.asked().cloned());
        // go looks at these where it looks which sums are to stay.
        if kept.is_some() && !is_broken {
            replaced.extend(graph.build_list());
        }
    }
    let disputed = project.and_then(|project| tell_disputes(replaced, project, console));
    let told = clashing.or(disputed);
    let listing = Listing { infos, broken };
    finish(&listing, told, request, template, console)
}
