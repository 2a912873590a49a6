//! The projects of a closed site, as far as it has named them: go.mod files for the engine to read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::from_current_directory;
use crate::bundle::BundleWant;
use crate::error::{Error, Kind, Result};
use crate::fsio::read_whole;

/// A directory for each project of a want file; removed when this is dropped.
#[derive(Debug)]
pub(super) struct WantedProjects {
    root: PathBuf,
    /// What the site asked for.
    pub(super) want: BundleWant,
    /// Where the go.mod files are.
    pub(super) directories: Vec<PathBuf>,
}

impl WantedProjects {
    /// Reads a want file and writes go.mod files below `temp_dir`.
    ///
    /// # Errors
    /// [`Kind::Input`] for another file; [`Kind::LocalIo`].
    pub(super) fn read(file: &str, temp_dir: &Path) -> Result<WantedProjects> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = from_current_directory(file)?;
        let text = read_whole(&path).map_err(|cause| Error::io("cannot read", &path, cause))?;
        let want = BundleWant::parse(&text).map_err(|error| error.context(file))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = temp_dir.join(format!("modfetch-want-{}-{number}", process::id()));
        let failed = |cause| Error::io("cannot create", &root, cause);
        fs::create_dir(&root).map_err(failed)?;
        let mut projects = WantedProjects {
            root: root.clone(),
            want,
            directories: Vec::new(),
        };
        for (number, project) in projects.want.projects.iter().enumerate() {
            let directory = root.join(number.to_string());
            fs::create_dir(&directory).map_err(failed)?;
            let mut text = String::from("module modfetch.invalid/want\n");
            if !project.go.is_empty() {
                text.push_str(&format!("\ngo {}\n", project.go));
            }
            for module in &project.requires {
                let (path, version) = (module.path(), module.version().as_str());
                text.push_str(&format!("\nrequire {path} {version}\n"));
            }
            fs::write(directory.join("go.mod"), text).map_err(failed)?;
            projects.directories.push(directory);
        }
        match projects.want.projects.is_empty() {
            true => Err(Error::new(Kind::Input, format!("{file}: no project in it"))),
            false => Ok(projects),
        }
    }
}

impl Drop for WantedProjects {
    fn drop(&mut self) {
        // What stays is a few small files among other temporary ones.
        let _ = fs::remove_dir_all(&self.root);
    }
}
