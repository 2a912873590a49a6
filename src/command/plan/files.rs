//! `plan -files`: what a download reads of the project, for `COPY` in a Dockerfile.

use std::collections::BTreeSet;
use std::path::Path;

use crate::command::project::need_project;
use crate::config::{Config, Overlay};
use crate::error::{Error, Kind, Result};
use crate::fsio::{clean_path, relative_path};
use crate::gomod::modfile::{Replace, Replacement};
use crate::project::{MissingReplace, Project};
use crate::report::Console;

/// Runs it: names files relative to the working directory, each with `end` after it, those of the
/// main modules first. Nothing is fetched, and no graph is read: every local replacement counts.
///
/// # Errors
/// A file of the project cannot be read, or there is no project.
pub(super) fn run(
    config: &Config,
    console: &Console,
    missing_replace: MissingReplace,
    end: char,
) -> Result<Option<Kind>> {
    let project = need_project(config, console)?;
    let files = InputFiles::of(&project);
    let here = config.cwd.to_string_lossy();
    let mut text = String::new();
    for file in &files.found {
        text.push_str(&relative_path(&here, file));
        text.push(end);
    }
    console.data(&text)?;
    let mut failure = None;
    for file in &files.missing {
        let file = relative_path(&here, file);
        let text = format!("{file} is missing: it replaces a module");
        match missing_replace {
            MissingReplace::Ignore => {}
            MissingReplace::Warn => console.line(&format!("warning: {text}")),
            MissingReplace::Error => {
                console.error(&Error::new(Kind::LocalIo, text));
                failure = Some(Kind::LocalIo);
            }
        }
    }
    Ok(failure)
}

/// Clean absolute paths.
#[derive(Debug, Default)]
struct InputFiles {
    found: Vec<String>,
    /// go.mod files of local replacements.
    missing: BTreeSet<String>,
}

impl InputFiles {
    fn of(project: &Project) -> InputFiles {
        let mut files = InputFiles::default();
        let overlay = project.overlay();
        if let Some(workspace) = project.workspace() {
            files.add(overlay, workspace.file());
            files.add(overlay, &workspace.go_sum());
        }
        // In place of those that a workspace lacks there is one without a file.
        let mains = || project.mains().filter(|_| !project.is_empty());
        for main in mains() {
            // Where another file is read in its place, it still says where the module is.
            files.add(overlay, &main.root().join("go.mod"));
            files.add(overlay, main.file());
            files.add(overlay, &main.go_sum());
        }
        if let Some(workspace) = project.workspace() {
            files.replaced(overlay, workspace.root(), &workspace.content().replace);
        }
        for main in mains() {
            files.replaced(overlay, main.root(), &main.modfile().replace);
        }
        if let Some(json) = overlay.json() {
            files.add(&Overlay::default(), json);
        }
        files
    }

    /// Adds a file, or what stands in for it, if it is there.
    fn add(&mut self, overlay: &Overlay, file: &Path) -> bool {
        let Some(file) = overlay.resolved(file) else {
            return false;
        };
        let file = clean_path(&file.to_string_lossy());
        if !self.found.contains(&file) {
            self.found.push(file);
        }
        true
    }

    /// Adds the local modules that replace others; directories are seen from `root`.
    fn replaced(&mut self, overlay: &Overlay, root: &Path, lines: &[Replace]) {
        for line in lines {
            if let Replacement::Directory(dir) = &line.with {
                let file = root.join(dir).join("go.mod");
                if !self.add(overlay, &file) {
                    let file = clean_path(&file.to_string_lossy());
                    self.missing.insert(file);
                }
            }
        }
    }
}
