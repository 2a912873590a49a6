//! go.mod and go.sum of the working directory or workspace, and a module to ask proxies for.

use std::fs;
use std::io;
use std::path::Path;

use super::check::Check;
use crate::config::{Config, GoModSearch};
use crate::error::{Error, Kind};
use crate::gomod::modfile::GoSum;
use crate::gomod::{ModulePath, ModuleVersion, PrefixPatterns};
use crate::project::{MainModule, Project, ResolvedModule};

/// What there is to work on.
pub(super) struct ProjectFindings {
    /// The directory or go.mod it is about.
    pub(super) subject: String,
    pub(super) checks: Vec<Check>,
    /// A required module that may be asked for at public places.
    pub(super) module: Option<ModuleVersion>,
    /// The required modules that come from their repositories, by GONOPROXY.
    pub(super) private: Vec<ModulePath>,
}

/// Looks for the files and reads them.
pub(super) fn look(config: &Config) -> ProjectFindings {
    let cwd = config.cwd.display().to_string();
    let work = match config.work_file() {
        Ok(None) => Check::ok("go.work", "none"),
        Ok(Some(file)) => return workspace(config, &file),
        Err(error) => Check::error("go.work", &error),
    };
    let none = |gomod: Check| ProjectFindings {
        subject: cwd.clone(),
        checks: vec![gomod, Check::skipped("go.sum", "no go.mod"), work.clone()],
        module: None,
        private: Vec::new(),
    };
    let found = match config.mod_file() {
        GoModSearch::Found(found) => found,
        GoModSearch::Missing => return none(Check::skipped("go.mod", "none here or above")),
        GoModSearch::InTempRoot(dir) => {
            let seen = format!("ignored in system temp root {}", dir.display());
            return none(Check::warning("go.mod", seen).next("work in a directory below it"));
        }
    };
    let subject = found.display().to_string();
    let modfile = config.modfile.as_ref().map(|file| file.value.as_path());
    match Project::read(&found, modfile, config) {
        Ok(project) => {
            let required = project.requirements();
            let seen = format!("{}, {} modules required", project.path(), required.len());
            let sums = go_sum(&project, required.is_empty());
            ProjectFindings {
                subject,
                checks: vec![Check::ok("go.mod", seen), sums, work],
                module: example(config, &project, &required),
                private: private(config, &project, &required),
            }
        }
        Err(errors) => {
            let mut found = none(Check::skipped("go.mod", ""));
            let faults = errors.iter().map(|error| Check::error("go.mod", error));
            found.checks.splice(..1, faults);
            ProjectFindings { subject, ..found }
        }
    }
}

/// The same of a workspace, in which all its modules are one project.
fn workspace(config: &Config, file: &Path) -> ProjectFindings {
    let subject = file.display().to_string();
    let off = "GOWORK=off works on the module alone";
    let project = Project::read_workspace(file, config).and_then(Project::whole);
    let (project, refused) = match project {
        Ok(project) if config.modfile.is_none() => (Some(project), Vec::new()),
        Ok(_) => {
            let text = "-modfile cannot be used in workspace mode";
            (None, vec![Error::new(Kind::Usage, text)])
        }
        Err(errors) => (None, errors),
    };
    let Some(project) = project else {
        let mut checks = vec![
            Check::skipped("go.mod", "no workspace"),
            Check::skipped("go.sum", "no workspace"),
        ];
        let refused = refused.iter();
        checks.extend(refused.map(|error| Check::error("go.work", error).next(off)));
        return ProjectFindings {
            subject,
            checks,
            module: None,
            private: Vec::new(),
        };
    };
    let required = project.requirements();
    let paths: Vec<&str> = project.mains().map(MainModule::path).collect();
    let seen = format!("{}, {} requirements", paths.join(" "), required.len());
    let used = match paths.len() {
        _ if project.is_empty() => Check::warning("go.work", "it uses no module").next(off),
        1 => Check::ok("go.work", "1 module in use"),
        modules => Check::ok("go.work", format!("{modules} modules in use")),
    };
    ProjectFindings {
        subject,
        checks: vec![
            Check::ok("go.mod", seen),
            go_sum(&project, required.is_empty()),
            used,
        ],
        module: example(config, &project, &required),
        private: private(config, &project, &required),
    }
}

fn private(config: &Config, project: &Project, required: &[ModuleVersion]) -> Vec<ModulePath> {
    let patterns = PrefixPatterns::parse(&config.gonoproxy.value);
    let resolved = required
        .iter()
        .filter_map(|module| match project.rules().resolved(module) {
            ResolvedModule::Module(resolved) => Some(resolved),
            ResolvedModule::Directory { .. } => None,
        });
    let paths = resolved.map(|module| module.path().clone());
    let mut paths: Vec<ModulePath> = paths
        .filter(|path| patterns.matches(path.as_str()))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The files of sums that count, taken together.
fn go_sum(project: &Project, is_optional: bool) -> Check {
    let file = project.go_sum();
    let (mut entries, mut found) = (0, false);
    for file in project.other_sums().iter().chain([&file]) {
        match project.overlay().read(file, |file| fs::read(file)) {
            Ok(data) => match GoSum::parse(&file.display().to_string(), &data) {
                Ok(sums) => (entries, found) = (entries + sums.iter().count(), true),
                Err(error) => return Check::error("go.sum", &error),
            },
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Check::error("go.sum", &Error::io("cannot read", file, cause)),
        }
    }
    if found {
        Check::ok("go.sum", format!("{entries} entries"))
    } else if is_optional {
        Check::ok("go.sum", "none, and none needed")
    } else {
        Check::warning("go.sum", format!("there is no {}", file.display()))
            .next("modfetch download writes it; keep it under version control")
    }
}

/// The first module that is fetched from proxies; the name of a private one is sent to no server.
fn example(
    config: &Config,
    project: &Project,
    required: &[ModuleVersion],
) -> Option<ModuleVersion> {
    let private = [
        &config.gonoproxy.value,
        &config.goprivate.value,
        &config.gonosumdb.value,
    ];
    let private = private.map(|patterns| PrefixPatterns::parse(patterns));
    required
        .iter()
        .filter_map(|module| match project.rules().resolved(module) {
            ResolvedModule::Module(resolved) => Some(resolved),
            ResolvedModule::Directory { .. } => None,
        })
        .find(|module| {
            !private
                .iter()
                .any(|patterns| patterns.matches(module.path().as_str()))
        })
}
