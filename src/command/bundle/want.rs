//! `modfetch bundle want`: what a closed site asks for.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bundle::{BundleWant, WantedProject};
use crate::cache::Cache;
use crate::cli::CommandInfo;
use crate::command::definition::{Command, CommandCall, Runner};
use crate::command::directory::working_directory;
use crate::command::network::database_store;
use crate::command::project::find_project;
use crate::config::flags::groups;
use crate::config::{Config, RawArgs, flags};
use crate::error::{Error, Kind, Result};
use crate::fsio::Locks;
use crate::gomod::ModuleVersion;
use crate::project::{NO_GO_MOD, Project, ResolvedModule};
use crate::report::Console;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "want"],
        groups: &[&groups::PROJECT],
        flags: &[&flags::C],
        brief: "Print what a closed site asks for, to be carried out",
        detail: "Prints some kilobytes of JSON for 'bundle create --for': the newest tree head that this machine has seen, the modules that the go.mod files here require (-C, once for each project), and those of them that the module cache lacks. The paths of the projects' own modules are not in it. Opens no socket.",
        examples: &[("modfetch bundle want > want.json", "on the closed side")],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let store = database_store(config, Locks::default())?.map(|store| store.read_only());
    let head = store.map(|store| store.read_latest(|_| true)).transpose()?;
    let mut want = BundleWant {
        head: String::from_utf8_lossy(&head.unwrap_or_default()).into_owned(),
        ..BundleWant::default()
    };
    let here = call.raw.clone().without(&flags::C);
    let directories = call.raw.texts(&flags::C);
    let mut projects: Vec<RawArgs> = Vec::new();
    for directory in directories {
        let mut raw = here.clone();
        raw.give(&flags::C, directory);
        projects.push(raw);
    }
    if directories.is_empty() {
        projects.push(here);
    }
    let mut lacks = BTreeSet::new();
    for raw in projects {
        let directory = working_directory(&raw)?;
        let config = Config::resolve(call.go_env, &raw, &COMMAND.info.goflags(), &directory)?;
        let project = find_project(&config, console)?;
        let project = project.ok_or_else(|| Error::new(Kind::Usage, NO_GO_MOD))?;
        add(&project, &config.gomodcache.value, &mut want, &mut lacks)?;
    }
    want.lacks = lacks.into_iter().collect();
    console.data(&want.to_json())?;
    Ok(None)
}

/// Adds what the main modules of a project require.
fn add(
    project: &Project,
    cache: &Path,
    want: &mut BundleWant,
    lacks: &mut BTreeSet<ModuleVersion>,
) -> Result<()> {
    let cache = Cache::at(cache)?;
    for main in project.mains() {
        let mut requires = Vec::new();
        for line in &main.modfile().require {
            let module = &line.module;
            // A main module of the workspace is at hand, as is a directory that stands in.
            if module.is_tool() || project.is_main(module.path().as_str()) {
                continue;
            }
            let ResolvedModule::Module(resolved) = project.rules().resolved(module) else {
                continue;
            };
            // What stands in for another module is no requirement that a graph could be read from.
            if resolved == *module {
                requires.push(resolved.clone());
            }
            let entry = cache.entry(&resolved)?;
            if !entry.has_zip() || entry.read_ziphash()?.is_none() {
                lacks.insert(resolved);
            }
        }
        want.projects.push(WantedProject {
            go: main.go().to_owned(),
            requires,
        });
    }
    Ok(())
}
