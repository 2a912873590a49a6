//! The main modules of a run, and what is worth a word about them.

use std::collections::BTreeSet;
use std::path::Path;

use super::queries::Queries;
use super::running::{refuse_newer, refuse_newer_work, running};
use crate::config::{Config, GoModSearch, ModMode, ModuleMode, ProjectFiles};
use crate::error::{Error, Kind, Result};
use crate::gomod::modfile::GoLine;
use crate::gomod::{GoVersion, ModuleVersion, Version};
use crate::project::{BuildMod, NO_GO_MOD, Project, Workspace};
use crate::report::Console;

/// The way out of a workspace that makes no sense.
const OFF: &str = "set GOWORK=off to work on the module alone";

/// Finds and reads the main module, or those of the workspace, and says what is odd about them.
pub(super) fn find_project(config: &Config, console: &Console) -> Result<Option<Project>> {
    find_project_to(MainModuleUse::Edit, config, console)
}

/// The same for a command that cannot do without.
pub(super) fn need_project(config: &Config, console: &Console) -> Result<Project> {
    find_project(config, console)?.ok_or_else(no_project)
}

/// There is no main module, and one is needed.
pub(super) fn no_project() -> Error {
    Error::new(Kind::Usage, NO_GO_MOD)
}

/// What a command does with the main module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MainModuleUse {
    /// go would write its go.mod, or does not mind if it ought to be written.
    Edit,
    /// It takes go.mod as it is: `-mod=readonly`.
    Read,
    /// The same, with `-mod=vendor`: no source is asked for versions.
    Vendor,
    /// It asks no source: a version query in go.mod stays without an answer.
    Check,
}

/// The same for a command that does this with it.
pub(super) fn find_project_to(
    what: MainModuleUse,
    config: &Config,
    console: &Console,
) -> Result<Option<Project>> {
    let Some(project) = read_project(what, config, console)? else {
        return Ok(None);
    };
    let whole = project.whole().map_err(|errors| {
        let work = config.work_file().ok().flatten().unwrap_or_default();
        last_of(errors, &work, console).hint(OFF)
    })?;
    Ok(Some(whole))
}

/// The same for a command that goes on as go does where the modules of a workspace do not go
/// together: the conflict is reported, and the run ends with this kind of failure.
pub(super) fn find_project_allowing_conflicts(
    what: MainModuleUse,
    config: &Config,
    console: &Console,
) -> Result<(Option<Project>, Option<Kind>)> {
    let Some(project) = read_project(what, config, console)? else {
        return Ok((None, None));
    };
    let (project, clashes) = project.ignoring_conflicts();
    Ok((Some(project), told(&clashes, console)))
}

/// Tells of which of these modules the main modules do not agree what replaces them, each once; the
/// kind of failure that this is.
pub(super) fn tell_disputes(
    modules: impl IntoIterator<Item = ModuleVersion>,
    project: &Project,
    console: &Console,
) -> Option<Kind> {
    let modules: BTreeSet<ModuleVersion> = modules.into_iter().collect();
    let disputes = modules.iter();
    let disputes = disputes.filter_map(|module| project.rules().dispute(module));
    told(&disputes.collect::<Vec<_>>(), console)
}

fn told(errors: &[Error], console: &Console) -> Option<Kind> {
    errors.iter().for_each(|error| console.error(error));
    Error::gravest(errors)
}

/// Finds and reads the main modules, which may not go together.
fn read_project(
    what: MainModuleUse,
    config: &Config,
    console: &Console,
) -> Result<Option<Project>> {
    if config.go111module.value == ModuleMode::Off {
        let text = "modules disabled by GO111MODULE=off; see 'go help modules'";
        let origin = &config.go111module.origin;
        return Err(Error::new(Kind::Input, text).hint(format!("GO111MODULE is set {origin}")));
    }
    if let Some(work) = config.work_file()? {
        return workspace(what, config, console, &work).map(Some);
    }
    let modfile = config
        .modfile
        .as_ref()
        .map(|setting| setting.value.as_path());
    let found = match config.mod_file() {
        GoModSearch::Found(found) => found,
        GoModSearch::InTempRoot(_) | GoModSearch::Missing if modfile.is_some() => {
            let text = "cannot find main module, but -modfile was set.\n\t-modfile cannot be \
                        used to set the module root directory.";
            return Err(Error::new(Kind::Usage, text));
        }
        GoModSearch::InTempRoot(dir) => {
            let dir = dir.display();
            console.note(&format!(
                "warning: ignoring go.mod in system temp root {dir}"
            ));
            return Ok(None);
        }
        GoModSearch::Missing => return Ok(None),
    };
    let file = modfile.unwrap_or(&found);
    let files = ProjectFiles::from(config).with_content(&found);
    let files = files.with_content(file);
    let running = running(config, &files, &found)?;
    refuse_newer(&files, &running, file)?;
    let files = files.acting_as(&running);
    let read = match what {
        MainModuleUse::Check => Project::read(&found, modfile, files),
        MainModuleUse::Vendor => Project::read_with(&found, modfile, files, &mut unasked),
        MainModuleUse::Edit | MainModuleUse::Read => {
            let mut queries = Queries::new(config, console);
            let mut query = |path: &str, text: &str| queries.answer(path, text);
            Project::read_with(&found, modfile, files, &mut query)
        }
    };
    let project = read.map_err(|errors| last_of(errors, &found, console))?;
    for module in project.excluded_requirements() {
        let (path, version) = (module.path(), module.version());
        let act = match what {
            MainModuleUse::Edit | MainModuleUse::Check => "dropping",
            MainModuleUse::Read | MainModuleUse::Vendor => "ignoring",
        };
        console.note(&format!(
            "{act} requirement on excluded version {path} {version}"
        ));
    }
    warn_of_newer(console, &found, project.modfile().go.as_ref());
    Ok(Some(project))
}

/// The answer to a version query in go.mod where no source may be asked.
fn unasked(_: &str, _: &str) -> Result<Version> {
    Err(BuildMod::asked(ModMode::Vendor.as_str()).no_query())
}

/// Reads the main modules of a go.work; all faults are reported, the last of them as the error.
fn workspace(
    what: MainModuleUse,
    config: &Config,
    console: &Console,
    work: &Path,
) -> Result<Project> {
    if config.modfile.is_some() {
        let text = "-modfile cannot be used in workspace mode";
        return Err(Error::new(Kind::Usage, text).hint(OFF));
    }
    let files = ProjectFiles::from(config).with_content(work);
    let running = running(config, &files, work)?;
    refuse_newer_work(&files, &running, work)?;
    let files = files.acting_as(&running);
    let read = match what {
        MainModuleUse::Check => Project::read_workspace(work, files),
        MainModuleUse::Vendor => Project::read_workspace_with(work, files, &mut unasked),
        MainModuleUse::Edit | MainModuleUse::Read => {
            let mut queries = Queries::new(config, console);
            let mut query = |path: &str, text: &str| queries.answer(path, text);
            Project::read_workspace_with(work, files, &mut query)
        }
    };
    let project = read.map_err(|errors| last_of(errors, work, console).hint(OFF))?;
    let content = project.workspace().map(Workspace::content);
    let line = content.and_then(|content| content.go.as_ref());
    warn_of_newer(console, work, line);
    Ok(project)
}

/// Tells all that is wrong with a file but the last of it, which is for the end.
fn last_of(mut errors: Vec<Error>, file: &Path, console: &Console) -> Error {
    let last = errors.pop();
    errors.iter().for_each(|error| console.error(error));
    // There is one.
    last.unwrap_or_else(|| Error::new(Kind::Other, format!("cannot read {}", file.display())))
}

fn warn_of_newer(console: &Console, file: &Path, line: Option<&GoLine>) {
    if let Some(line) = line
        && line.version.is_newer_than_known()
    {
        let (file, version) = (file.display(), &line.version);
        let known = GoVersion::NEWEST_KNOWN;
        console.note(&format!(
            "warning: {file} says go {version}; the rules of go {known} are applied"
        ));
    }
}
