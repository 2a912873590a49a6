//! `list` where a vendor directory is used: what go.mod and vendor/modules.txt say, and no more.

use super::ListRequest;
use super::keep::written;
use super::print::ModuleListing;
use crate::command::running::outside;
use crate::config::{Config, ModMode};
use crate::error::Result;
use crate::gomod::Argument;
use crate::graph::{Vendor, Vendoring};
use crate::list::{ModuleInfo, vendored, vendored_nowhere};
use crate::project::{BuildMod, Project};
use crate::report::Console;
use crate::select::{SelectionContext, needs_graph};

/// Whether a vendor directory is used.
pub(super) enum ListVendoring {
    /// It is, or would be if there were a project.
    Used(Option<Vendor>),
    /// It is not.
    Unused(BuildMod),
}

/// Says whether a vendor directory is used; `asked` is what `-mod` says.
///
/// # Errors
/// It is, and does not agree with go.mod.
pub(super) fn find_vendor(
    config: &Config,
    project: Option<&Project>,
    asked: Option<ModMode>,
) -> Result<ListVendoring> {
    let vendor = asked == Some(ModMode::Vendor);
    match (project.filter(|project| !project.is_empty()), asked) {
        (None, _) if vendor => Ok(ListVendoring::Used(None)),
        (Some(project), None | Some(ModMode::Vendor)) => {
            let running = match project.running() {
                Some(running) => running.clone(),
                None => outside(config)?,
            };
            Ok(
                match Vendor::open(project, &config.cwd, vendor, &running)? {
                    Vendoring::Used(vendor) => ListVendoring::Used(Some(vendor)),
                    Vendoring::Unused(why) => ListVendoring::Unused(why),
                },
            )
        }
        (None, None) => Ok(ListVendoring::Unused(BuildMod::found(
            ModMode::Readonly.as_str(),
            String::new(),
        ))),
        (_, Some(mode)) => Ok(ListVendoring::Unused(BuildMod::asked(mode.as_str()))),
    }
}

/// Says what there is to say.
///
/// # Errors
/// What takes more than a vendor directory; what does not agree with go.mod.
pub(super) fn list_vendored(
    config: &Config,
    console: &Console,
    project: Option<&Project>,
    vendor: Option<&Vendor>,
    request: &ListRequest,
) -> Result<ModuleListing> {
    let parse = |text: &String| Argument::parse(text);
    let arguments = || {
        request
            .arguments
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>>>()
    };
    let extras = request.extras;
    let admit = |arguments: &[Argument]| Vendor::admit(arguments, extras.versions, extras.update);
    let context = SelectionContext::of(project);
    let (Some(project), Some(vendor)) = (project, vendor) else {
        let arguments = arguments()?;
        admit(&arguments)?;
        for argument in &arguments {
            needs_graph(argument, context)?;
        }
        let mode = BuildMod::asked(ModMode::Vendor.as_str());
        return Ok(ModuleListing {
            infos: vendored_nowhere(&arguments, &mode, outside(config)?.version()),
            broken: None,
        });
    };
    let graph = vendor.graph(project).map_err(|mut errors| {
        let last = errors.pop();
        errors.iter().for_each(|error| console.error(error));
        // There is one at least.
        last.unwrap_or_else(|| vendor.mode().outdated())
    })?;
    // Of a workspace nothing is put right.
    let settled = project.workspace().is_some() || graph.selects_roots(|_| true);
    // A mere repetition harms nothing, unless the graph does not select all that go.mod names.
    if project.repeats_roots(!settled) && (project.is_pruned() || !settled) {
        return Err(vendor.mode().outdated());
    }
    let arguments = arguments()?;
    admit(&arguments)?;
    let needed = |argument| needs_graph(argument, context).unwrap_or(true);
    let whole = arguments.iter().any(needed).then_some(&graph);
    let mut infos = vendored(&arguments, project, vendor, whole, extras.retracted);
    if let Some(graph) = whole.filter(|_| !settled) {
        // Of what a graph lacks that go would first put right it says nothing.
        let moves = |info: &ModuleInfo| matches!(&*info.version, "" | "upgrade" | "patch");
        let selected = |path: &str| project.is_main(path) || graph.node(path).is_some();
        infos.retain(|info| info.error.is_none() || selected(&info.path) || !moves(info));
    }
    let changes = project.workspace().is_none() && written(project).is_some();
    Ok(ModuleListing {
        infos,
        broken: changes.then(|| vendor.mode().outdated()),
    })
}
