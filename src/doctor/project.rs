//! go.mod and go.sum of the working directory, and a module to ask proxies for.

use std::fs;
use std::io;
use std::path::Path;

use super::check::Check;
use crate::config::{Config, GoMod};
use crate::error::Error;
use crate::modfile::GoSum;
use crate::modset::{Actual, Project};
use crate::module::{ModuleVersion, PrefixPatterns};

/// What there is to work on.
pub(super) struct Found {
    /// The directory or go.mod it is about.
    pub(super) subject: String,
    pub(super) checks: Vec<Check>,
    /// A required module that may be asked for at public places.
    pub(super) module: Option<ModuleVersion>,
}

/// Looks for the files and reads them.
pub(super) fn look(config: &Config) -> Found {
    let cwd = config.cwd.display().to_string();
    let work = work(config);
    let none = |gomod: Check| Found {
        subject: cwd.clone(),
        checks: vec![gomod, Check::skipped("go.sum", "no go.mod"), work.clone()],
        module: None,
    };
    let found = match config.mod_file() {
        GoMod::Found(found) => found,
        GoMod::Missing => return none(Check::skipped("go.mod", "none here or above")),
        GoMod::InTempRoot(dir) => {
            let seen = format!("ignored in system temp root {}", dir.display());
            return none(Check::warning("go.mod", seen).next("work in a directory below it"));
        }
    };
    let subject = found.display().to_string();
    let modfile = config.modfile.as_ref().map(|file| file.value.as_path());
    match Project::read(&found, modfile, &config.cwd) {
        Ok(project) => {
            let required = project.requirements();
            let seen = format!("{}, {} modules required", project.path(), required.len());
            let sums = go_sum(&project.go_sum(), required.is_empty());
            Found {
                subject,
                checks: vec![Check::ok("go.mod", seen), sums, work],
                module: example(config, &project, &required),
            }
        }
        Err(error) => Found {
            subject,
            ..none(Check::error("go.mod", &error))
        },
    }
}

fn go_sum(file: &Path, is_optional: bool) -> Check {
    let shown = file.display();
    match fs::read(file) {
        Ok(data) => match GoSum::parse(&shown.to_string(), &data) {
            Ok(sums) => Check::ok("go.sum", format!("{} entries", sums.iter().count())),
            Err(error) => Check::error("go.sum", &error),
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && is_optional => {
            Check::ok("go.sum", "none, and none needed")
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Check::warning("go.sum", format!("there is no {shown}"))
                .next("modfetch download writes it; keep it under version control")
        }
        Err(cause) => Check::error("go.sum", &Error::io("cannot read", file, cause)),
    }
}

fn work(config: &Config) -> Check {
    match config.work_file() {
        Ok(None) => Check::ok("go.work", "none"),
        Ok(Some(file)) => Check::warning("go.work", file.display().to_string())
            .next("workspaces are not supported yet: GOWORK=off works on the module alone"),
        Err(error) => Check::error("go.work", &error),
    }
}

/// The first module that is fetched from proxies; the name of a private one is told to nobody.
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
        .filter_map(|module| match project.edits().actual(module) {
            Actual::Module(actual) => Some(actual),
            Actual::Directory { .. } => None,
        })
        .find(|module| {
            !private
                .iter()
                .any(|patterns| patterns.matches(module.path().as_str()))
        })
}
