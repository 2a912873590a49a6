//! What a listing says of modules where a vendor directory is used, which is little: neither cache
//! nor source is asked.
//!
//! Source: golang/go `cmd/go/internal/modload/build.go` (`moduleInfo`).

use super::ModuleInfo;
use super::lister::{main_info, marks_indirect, replaced_by};
use crate::error::Error;
use crate::gomod::{Argument, GoVersion, ModulePath, Tool};
use crate::graph::{Graph, Vendor, Vendored};
use crate::project::{BuildMod, Node, Project, ResolvedModule};
use crate::select::NO_MAIN;

/// Says what there is to say of each argument that [`Vendor::admit`] admits; without any, of the
/// main modules. `graph` is that of [`Vendor::graph`], if an argument needs it. With `retracted` there is an error in place
/// where no source can be asked.
#[must_use]
pub fn vendored(
    arguments: &[Argument],
    project: &Project,
    vendor: &Vendor,
    graph: Option<&Graph>,
    retracted: bool,
) -> Vec<ModuleInfo> {
    if arguments.is_empty() {
        let mains = project.mains().map(|main| main.path());
        return mains.map(|path| own(path, project)).collect();
    }
    let describe = |argument: &Argument| {
        let mut info = match vendor.look_up(argument, project, graph) {
            Vendored::Main(path) => own(&path, project),
            Vendored::Unknown {
                path,
                version,
                error,
            } => unknown(&path, &version, error),
            Vendored::Known {
                node,
                go,
                replacement,
            } => {
                let mut info = ModuleInfo::new(node.path(), node.version());
                info.indirect = marks_indirect(&node, Some(project));
                info.go_version = go;
                info.replace = replacement.map(|with| {
                    let mut replace = match &with {
                        ResolvedModule::Module(with) => {
                            ModuleInfo::new(with.path().as_str(), with.version().as_str())
                        }
                        ResolvedModule::Directory { written, path, .. } => {
                            replaced_by(written, path)
                        }
                    };
                    replace.go_version.clone_from(&info.go_version);
                    Box::new(replace)
                });
                info
            }
        };
        if retracted {
            refuse(&mut info, project, vendor.mode());
            if let Some(replace) = &mut info.replace {
                refuse(replace, project, vendor.mode());
            }
        }
        info
    };
    arguments.iter().map(describe).collect()
}

/// What is said where `-mod=vendor` was asked for and there is no project: no source can be asked.
/// `local` is the go version that the run acts as.
#[must_use]
pub fn vendored_nowhere(
    arguments: &[Argument],
    mode: &BuildMod,
    local: &GoVersion,
) -> Vec<ModuleInfo> {
    if arguments.is_empty() {
        return vec![main_info(None, NO_MAIN, "", true, Some(local))];
    }
    let describe = |argument: &Argument| {
        if let Argument::Path(path) = argument
            && let Some(tool) = Tool::of(path)
        {
            let node = Node::of_tool(tool, tool.version_of(local.as_str()));
            let mut info = ModuleInfo::new(path, node.version());
            info.indirect = marks_indirect(&node, None);
            return info;
        }
        let (path, version) = match argument {
            Argument::Versioned { path, version } => (&**path, &**version),
            Argument::Path(path) | Argument::Pattern(path) => (&**path, ""),
            Argument::All => ("all", ""),
        };
        let error = mode.no_query().context(argument.to_string());
        unknown(path, version, error)
    };
    arguments.iter().map(describe).collect()
}

fn own(path: &str, project: &Project) -> ModuleInfo {
    main_info(Some(project), path, "", true, None)
}

fn unknown(path: &str, version: &str, error: Error) -> ModuleInfo {
    ModuleInfo {
        error: Some(error),
        ..ModuleInfo::new(path, version)
    }
}

/// Says of modules that may have retractions that no source can be asked for them.
fn refuse(info: &mut ModuleInfo, project: &Project, mode: &BuildMod) {
    let replaced =
        ModulePath::parse(&info.path).is_ok_and(|path| project.rules().replaces_all(&path));
    if info.error.is_some() || info.version.is_empty() || replaced {
        return;
    }
    let (path, version) = (&info.path, &info.version);
    let act = format!("loading module retractions for {path}@{version}");
    info.error = Some(mode.no_query().context(act));
}
