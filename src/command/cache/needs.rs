//! What projects need of the cache, found out without a network.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Cache, KeepSet};
use crate::command::definition::CommandCall;
use crate::command::project::{MainModuleUse, find_project_to};
use crate::command::session::SessionOptions;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::GraphReader;
use crate::gomod::ModuleVersion;
use crate::project::{Project, ResolvedModule};
use crate::report::Console;

/// Why nothing is fetched for it.
const WHY: &str = "cache";

/// What one project needs.
pub(super) struct ProjectNeeds {
    /// As it was named.
    pub(super) name: String,
    /// What stays for it.
    pub(super) keep: KeepSet,
    /// What its go.mod lists, which go downloads without being asked for more.
    pub(super) listed: HashSet<ModuleVersion>,
}

/// Finds out what the projects need that `paths` name, and says where that is not known in full.
///
/// # Errors
/// [`Kind::Usage`] if there is no project; what is wrong with go.mod or go.work.
pub(super) fn needs_of(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    paths: &[String],
) -> Result<Vec<ProjectNeeds>> {
    let each = paths.iter().map(|path| one(call, config, console, path));
    each.collect()
}

/// All of it together.
pub(super) fn union<'n>(needs: impl IntoIterator<Item = &'n ProjectNeeds>) -> KeepSet {
    let mut all = KeepSet::default();
    for one in needs {
        all.content.extend(one.keep.content.iter().cloned());
        all.gomods.extend(one.keep.gomods.iter().cloned());
        all.toolchains.extend(one.keep.toolchains.iter().cloned());
    }
    all
}

/// The project at a path, with the settings that hold there.
///
/// # Errors
/// As [`needs_of`].
pub(super) fn project_at(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    path: &str,
) -> Result<(Config, Project)> {
    let dir = directory_of(&config.cwd.join(path))?;
    let config = Config::resolve(call.go_env, call.raw, &[], &dir)?;
    let project = find_project_to(MainModuleUse::Check, &config, console)?;
    let project = project.ok_or_else(|| {
        let text = format!("{path}: there is no go.mod here or above");
        Error::new(Kind::Usage, text)
    })?;
    Ok((config, project))
}

/// The directory of a project: itself, or where its go.mod or go.work is.
fn directory_of(path: &Path) -> Result<PathBuf> {
    // Without `..`, which the search for go.mod above would take for a directory.
    let path = &fs::canonicalize(path).map_err(|cause| Error::io("cannot read", path, cause))?;
    match (path.is_dir(), path.parent()) {
        (false, Some(parent)) => Ok(parent.to_owned()),
        _ => Ok(path.clone()),
    }
}

fn one(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    path: &str,
) -> Result<ProjectNeeds> {
    let (config, project) = project_at(call, config, console, path)?;
    let cache = Cache::at(&config.gomodcache.value)?;
    let session = SessionOptions::new(&config, console, cache).project(Some(&project));
    let session = session.offline(WHY).open()?;
    let run = session.run(session.options());
    let graph = GraphReader::new(&run).requirement_graph(&project, None)?;
    let resolved = |module: &ModuleVersion| match project.rules().resolved(module) {
        ResolvedModule::Module(resolved) => Some(resolved),
        ResolvedModule::Directory { .. } => None,
    };
    let missing: Vec<&ModuleVersion> = graph.failed().collect();
    if let Some(first) = missing.first() {
        console.note(&format!(
            "{path}: the go.mod of {first} is not cached{}: what it requires is not known, and not kept",
            match missing.len() {
                1 => String::new(),
                count => format!(", nor are {} others", count - 1),
            }
        ));
    }
    let loaded = graph.loaded().chain(missing.iter().copied());
    let keep = KeepSet {
        content: graph
            .build_list()
            .filter_map(|module| resolved(&module))
            .collect(),
        gomods: loaded.filter_map(resolved).collect(),
        toolchains: toolchains(&project),
    };
    let listed = match project.is_pruned() && project.workspace().is_none() {
        true => project.requirements().iter().filter_map(resolved).collect(),
        false => keep.content.clone(),
    };
    Ok(ProjectNeeds {
        name: path.to_owned(),
        keep,
        listed,
    })
}

/// The toolchains that go may switch to for the project, by name.
fn toolchains(project: &Project) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut add = |go: Option<String>, toolchain: Option<String>| {
        names.extend(go.map(|go| format!("go{go}")));
        names.extend(toolchain);
    };
    for main in project.mains() {
        let file = main.modfile();
        add(
            file.go.as_ref().map(|line| line.version.to_string()),
            file.toolchain.as_ref().map(|line| line.name.to_string()),
        );
    }
    if let Some(workspace) = project.workspace() {
        let file = workspace.content();
        add(
            file.go.as_ref().map(|line| line.version.to_string()),
            file.toolchain.as_ref().map(|line| line.name.to_string()),
        );
    }
    names
}

/// Which of the projects need each version, by the numbers of their places.
pub(super) fn needed_by(needs: &[ProjectNeeds], module: &ModuleVersion) -> Vec<usize> {
    let places = needs.iter().enumerate();
    let needing = places.filter(|(_, one)| one.keep.needs_gomod(module));
    needing.map(|(place, _)| place).collect()
}
