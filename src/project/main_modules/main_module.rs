//! One main module: where its go.mod is, and what that says.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::ProjectFiles;
use crate::error::{Error, Kind, Result};
use crate::fsio::short_path;
use crate::gomod::modfile::{Godebug, ModFile, check_import};
use crate::gomod::{ActingVersion, GoVersion, Version};
use crate::project::go_line::{IMPLIED_GO_VERSION, is_pruned};

/// A main module: the one of the working directory, or one that go.work uses.
#[derive(Clone, Debug)]
pub struct MainModule {
    root: PathBuf,
    file: PathBuf,
    data: Arc<[u8]>,
    modfile: ModFile,
    /// Versions in it were queries.
    resolved: bool,
    /// What `-modfile` says, as it was typed.
    typed: Option<String>,
}

impl MainModule {
    /// Reads the main module whose go.mod was `found`; `modfile` is read in its place
    /// (`-modfile`). Messages name the file from the working directory on where that is
    /// shorter.
    ///
    /// # Errors
    /// All that is wrong with it: [`Kind::Input`] if it is malformed,
    /// [`Kind::LocalIo`] if it cannot be read.
    pub(crate) fn read(
        found: &Path,
        modfile: Option<&Path>,
        files: &ProjectFiles,
    ) -> Result<MainModule, Vec<Error>> {
        MainModule::read_as(found, modfile, files, |name, data| {
            ModFile::parse(name, data).map(|modfile| (modfile, false))
        })
    }

    /// Reads it, and asks `query` what a version stands for that is none.
    ///
    /// # Errors
    /// As [`MainModule::read`], and those of `query`.
    pub(crate) fn read_with(
        found: &Path,
        modfile: Option<&Path>,
        files: &ProjectFiles,
        query: &mut dyn FnMut(&str, &str) -> Result<Version>,
    ) -> Result<MainModule, Vec<Error>> {
        MainModule::read_as(found, modfile, files, |name, data| {
            ModFile::parse_resolved(name, data, query)
        })
    }

    fn read_as(
        found: &Path,
        modfile: Option<&Path>,
        files: &ProjectFiles,
        parse: impl FnOnce(&str, &[u8]) -> Result<(ModFile, bool)>,
    ) -> Result<MainModule, Vec<Error>> {
        let modfile_named = modfile;
        let file = modfile.unwrap_or(found);
        let name = short_path(&files.cwd, file);
        let read = || {
            let data = files.read(file);
            let data = data.map_err(|cause| {
                let act = match cause.kind() {
                    io::ErrorKind::IsADirectory => "read",
                    _ => "open",
                };
                // go opens what -modfile says as it was typed.
                let shown = match modfile {
                    Some(_) => name.clone(),
                    None => file.display().to_string(),
                };
                let opened = files.overlay.name_of(file, &shown);
                Error::new(Kind::LocalIo, format!("{act} {opened}")).because(cause)
            })?;
            let (modfile, resolved) = parse(&name, &data)?;
            modfile.declared_path(&name)?;
            Ok((data, modfile, resolved))
        };
        let (data, modfile, resolved) = read().map_err(|error| vec![error])?;
        let faults = godebug_faults(&modfile.godebug, "go.mod", &name, files);
        if !faults.is_empty() {
            return Err(faults);
        }
        modfile.main_path(&name).map_err(|error| vec![error])?;
        let root = found.parent().unwrap_or(Path::new("/"));
        let mut main = MainModule::new(root, file, modfile);
        (main.data, main.resolved) = (data.into(), resolved);
        main.typed = modfile_named.and_then(|_| files.modfile.clone());
        Ok(main)
    }

    /// The module of a go.mod that was read, and that will not be written.
    pub(crate) fn new(root: &Path, file: &Path, modfile: ModFile) -> MainModule {
        MainModule {
            root: root.to_owned(),
            file: file.to_owned(),
            data: Arc::default(),
            modfile,
            resolved: false,
            typed: None,
        }
    }

    /// What the go.mod held when it was read.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// True if a version in go.mod was a query.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.resolved
    }

    /// The directory of the module.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The go.mod that was read, as go names it: absolute, or as `-modfile` says it.
    #[must_use]
    pub fn shown_file(&self) -> String {
        let absolute = || self.file.display().to_string();
        self.typed.clone().unwrap_or_else(absolute)
    }

    /// The go.mod that was read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where its go.sum is or would be.
    #[must_use]
    pub fn go_sum(&self) -> PathBuf {
        self.file.with_extension("sum")
    }

    /// What go.mod says.
    #[must_use]
    pub fn modfile(&self) -> &ModFile {
        &self.modfile
    }

    /// Refuses tools that no package can be.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words, of the first.
    pub(crate) fn check_tools(&self) -> Result<()> {
        let mut tools = self.modfile.tool.iter();
        tools.try_for_each(|tool| check_import(&tool.path, "tool"))
    }

    /// The module's path.
    #[must_use]
    pub fn path(&self) -> &str {
        let module = self.modfile.module.as_ref();
        module.map_or("", |module| &module.path)
    }

    /// The go version whose rules it follows: that of its go line, or what it is taken for.
    #[must_use]
    pub fn go(&self) -> &str {
        let line = self.modfile.go.as_ref();
        line.map_or(IMPLIED_GO_VERSION, |line| line.version.as_str())
    }

    /// The name on its toolchain line.
    #[must_use]
    pub fn toolchain(&self) -> Option<&str> {
        let line = self.modfile.toolchain.as_ref();
        line.map(|line| line.name.as_str())
    }

    /// True if what it requires stands for all that its packages need: from `go 1.17` on.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        is_pruned(GoVersion::parse(self.go()).as_ref())
    }
}

/// What is wrong with the `godebug` lines of a `kind` of file that messages call `name`, in go's words.
pub(super) fn godebug_faults(
    lines: &[Godebug],
    kind: &str,
    name: &str,
    files: &ProjectFiles,
) -> Vec<Error> {
    let running = files.running.as_ref().map(ActingVersion::version);
    let go = running.cloned().unwrap_or_else(GoVersion::emulated);
    let fault = |line: &Godebug| {
        let text = line.fault(&go)?;
        let text = format!("error loading {kind}:\n{name}:{}: {text}", line.line);
        Some(Error::new(Kind::Input, text))
    };
    lines.iter().filter_map(fault).collect()
}
