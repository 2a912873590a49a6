//! `plan -files`: what a download reads of the project, for `COPY` in a Dockerfile.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::project::find_project;
use crate::config::{Config, clean_path};
use crate::error::{Error, Kind, Result};
use crate::modfile::{ModFile, Replace, Replacement, WorkFile};
use crate::modset::MissingReplace;
use crate::report::Console;

/// Runs it: names files relative to the working directory, each with `end` after it, those of go
/// itself first. Nothing is fetched, and no graph is read: every local replacement counts.
///
/// # Errors
/// A file of the project cannot be read, or there is no project.
pub(super) fn run(
    config: &Config,
    console: &Console,
    missing_replace: MissingReplace,
    end: char,
) -> Result<Option<Kind>> {
    let mut files = Files::default();
    if let Some(work) = config.work_file()? {
        files.workspace(&work)?;
    } else {
        let Some(project) = find_project(config, console)? else {
            let text = "go.mod file not found in current directory or any parent directory; see \
                        'go help modules'";
            return Err(Error::new(Kind::Usage, text));
        };
        // Where another file is read in its place, it still says where the module is.
        files.add(&project.root().join("go.mod"));
        files.add(project.file());
        files.add(&project.go_sum());
        files.replaced(project.root(), &project.modfile().replace);
    }
    let mut text = String::new();
    for file in &files.found {
        text.push_str(&from_here(file, &config.cwd).to_string_lossy());
        text.push(end);
    }
    console.data(&text)?;
    let mut failure = None;
    for file in &files.missing {
        let file = from_here(file, &config.cwd);
        let text = format!("{} is missing: a local module that is used", file.display());
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

/// Files by absolute path.
#[derive(Debug, Default)]
struct Files {
    found: Vec<PathBuf>,
    missing: BTreeSet<PathBuf>,
}

impl Files {
    /// Adds a file that may be absent.
    fn add(&mut self, file: &Path) -> bool {
        let file = PathBuf::from(clean_path(&file.to_string_lossy()));
        if !file.is_file() {
            return false;
        }
        if !self.found.contains(&file) {
            self.found.push(file);
        }
        true
    }

    /// Adds the go.mod of a local module.
    fn module(&mut self, dir: &Path) -> bool {
        let file = dir.join("go.mod");
        let there = self.add(&file);
        if !there {
            let file = clean_path(&file.to_string_lossy());
            self.missing.insert(PathBuf::from(file));
        }
        there
    }

    /// Adds the local modules that replace others; directories are seen from `root`.
    fn replaced(&mut self, root: &Path, lines: &[Replace]) {
        for line in lines {
            if let Replacement::Directory(dir) = &line.with {
                self.module(&root.join(dir));
            }
        }
    }

    fn workspace(&mut self, work: &Path) -> Result<()> {
        let read = |file: &Path| {
            let data = fs::read(file);
            data.map_err(|cause| Error::io("cannot read", file, cause))
        };
        let root = work.parent().unwrap_or(Path::new("/"));
        let workspace = WorkFile::parse(&work.display().to_string(), &read(work)?)?;
        self.add(work);
        self.add(&PathBuf::from(format!("{}.sum", work.display())));
        let mut replaced = Vec::new();
        for used in &workspace.use_dirs {
            let dir = root.join(&used.path);
            if !self.module(&dir) {
                continue;
            }
            self.add(&dir.join("go.sum"));
            let file = dir.join("go.mod");
            let modfile = ModFile::parse(&file.display().to_string(), &read(&file)?)?;
            replaced.push((dir, modfile.replace));
        }
        self.replaced(root, &workspace.replace);
        for (dir, lines) in &replaced {
            self.replaced(dir, lines);
        }
        Ok(())
    }
}

/// A file as it is named from a directory; both are absolute and clean.
fn from_here(file: &Path, here: &Path) -> PathBuf {
    let (mut to, mut from) = (file.components().peekable(), here.components().peekable());
    while to.peek().is_some() && to.peek() == from.peek() {
        to.next();
        from.next();
    }
    from.map(|_| Component::ParentDir).chain(to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_working_directory() {
        let rows = [
            ("/p/go.mod", "/p", "go.mod"),
            ("/p/a/go.mod", "/p", "a/go.mod"),
            ("/p/go.mod", "/p/a/b", "../../go.mod"),
            ("/q/go.mod", "/p/a", "../../q/go.mod"),
            ("/go.mod", "/", "go.mod"),
            ("/pq/go.mod", "/p", "../pq/go.mod"),
        ];
        for (file, here, want) in rows {
            assert_eq!(from_here(Path::new(file), Path::new(here)), Path::new(want));
        }
    }
}
