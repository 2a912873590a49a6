//! What it takes to say which modules an argument means.
//!
//! Source: golang/go `cmd/go/internal/modload/list.go` (`listModules`).

use super::SelectionContext;
use crate::error::{Error, Kind, Result};
use crate::gomod::{Argument, Tool};
use crate::project::{NO_GO_MOD, Project};

const NO_MAIN: &str = "no modules were found in the current workspace; see 'go help work'";

/// True if the whole graph must be known to say what an argument means.
///
/// # Errors
/// [`Kind::Usage`] if it means nothing without a main module, and there is none.
pub fn needs_graph(argument: &Argument, context: SelectionContext<'_>) -> Result<bool> {
    let named = |path: &str| context.is_pruned() && context.root(path).is_some();
    let project = context.project.filter(|project| !project.is_empty());
    match argument {
        Argument::Path(path) | Argument::Versioned { path, .. } if named(path) => Ok(false),
        // A module that nothing requires has versions all the same.
        Argument::Path(_) if context.with_versions && project.is_none() => Ok(false),
        Argument::Versioned { version, .. } if !is_relative(version) => Ok(false),
        _ if project.is_some() => Ok(true),
        // Without a main module go requires itself.
        Argument::Path(path) | Argument::Versioned { path, .. } if Tool::of(path).is_some() => {
            Ok(false)
        }
        _ => Err(without_main(argument, context.project)),
    }
}

/// The same of many, where nothing is done about a main module.
///
/// # Errors
/// Those of [`needs_graph`]: each argument is looked at, so that one that means nothing is refused.
pub fn any_needs_graph(arguments: &[Argument], context: SelectionContext<'_>) -> Result<bool> {
    let mut needed = false;
    for argument in arguments {
        let is_main = context
            .project
            .is_some_and(|project| is_main(argument, project));
        needed |= !is_main && needs_graph(argument, context)?;
    }
    Ok(needed)
}

/// True if an argument is about a main module.
pub(super) fn is_main(argument: &Argument, project: &Project) -> bool {
    project.mains().any(|main| argument.is_about(main.path()))
}

fn without_main(argument: &Argument, project: Option<&Project>) -> Error {
    let why = match project {
        Some(_) => NO_MAIN,
        None => NO_GO_MOD,
    };
    let what = match argument {
        Argument::Path(path) => format!("{path:?} without -versions or an explicit version"),
        Argument::All | Argument::Pattern(_) | Argument::Versioned { .. } => {
            format!("{:?}", argument.to_string())
        }
    };
    Error::new(Kind::Usage, format!("cannot match {what}: {why}"))
}

/// True for a query that starts from the version in use.
pub(super) fn is_relative(query: &str) -> bool {
    matches!(query, "upgrade" | "patch")
}
