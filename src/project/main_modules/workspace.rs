//! Reading go.work and the main modules that it uses.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go`, `LoadWorkFile`, `loadModFile`,
//! `makeMainModules`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::main_module::{MainModule, godebug_faults};
use super::replace::ReplaceRules;
use crate::config::ProjectFiles;
use crate::error::{Error, Kind, Result};
use crate::fsio::{clean_path, read_whole, short_path};
use crate::gomod::GoVersion;
use crate::gomod::compat::Change;
use crate::gomod::modfile::{ModFile, Replace, WorkFile};
use crate::project::Node;
use crate::system::is_absolute;

/// The go version of a go.work that names none.
const IMPLIED_GO_VERSION: &str = "1.18";

/// Who reads the text of a module's go.mod, which has this name in messages.
pub(crate) type ReadModule<'f> = &'f mut dyn FnMut(&str, &[u8]) -> Result<ModFile>;

/// What a go.work says, except for the modules that it uses.
#[derive(Clone, Debug)]
pub struct Workspace {
    file: PathBuf,
    content: WorkFile,
    /// What is wrong with its modules together.
    pub(super) clashes: Vec<Error>,
}

impl Workspace {
    /// The go.work that was read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its directory, from which paths in it go.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// What it says.
    #[must_use]
    pub fn content(&self) -> &WorkFile {
        &self.content
    }

    /// The file for the sums that no go.sum of its modules has.
    #[must_use]
    pub fn go_sum(&self) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(".sum");
        name.into()
    }

    /// The go version of the workspace: that of its go line, or what it is taken for.
    #[must_use]
    pub fn go(&self) -> &str {
        let line = self.content.go.as_ref();
        line.map_or(IMPLIED_GO_VERSION, |line| line.version.as_str())
    }

    /// What the graph starts from beside the main modules.
    pub(crate) fn own_roots(&self) -> Vec<Node> {
        // As in go, which does not look at the go line if nothing is used.
        let go = if self.content.use_dirs.is_empty() {
            IMPLIED_GO_VERSION
        } else {
            self.go()
        };
        let toolchain = self.content.toolchain.as_ref();
        let toolchain = toolchain.map(|line| Node::Toolchain(line.name.clone()));
        let mut roots = vec![Node::Go(go.to_owned())];
        roots.extend(toolchain.filter(|_| !self.content.use_dirs.is_empty()));
        roots
    }

    /// Reads a go.work, its main modules in its order, and what they edit. Messages name files
    /// from `cwd` on where that is shorter. Of several modules with one path the last counts, for each
    /// of them.
    ///
    /// # Errors
    /// In go's words, one error a module that is at fault: [`Kind::Input`], or [`Kind::LocalIo`]
    /// if a file cannot be read.
    pub(crate) fn read(
        file: &Path,
        files: &ProjectFiles,
        parse: ReadModule<'_>,
    ) -> Result<(Workspace, Vec<MainModule>, ReplaceRules), Vec<Error>> {
        let mut workspace = Workspace::parse(file, files).map_err(|error| vec![error])?;
        let roots = workspace.used(&files.cwd).map_err(|error| vec![error])?;
        let name = short_path(&files.cwd, file);
        let faults = godebug_faults(&workspace.content.godebug, "go.work", &name, files);
        // As in go, the first is reported.
        if let Some(fault) = faults.into_iter().next() {
            return Err(vec![fault]);
        }
        // What is wrong within a file ends it at once, as in go.
        let agree = |lines: &[Replace]| ReplaceRules::agree(lines).map_err(|error| vec![error]);
        let mut mains = Vec::with_capacity(roots.len());
        let mut errors = Vec::new();
        for root in &roots {
            match workspace.main(root, files, parse) {
                Ok(main) => {
                    agree(&main.modfile().replace)?;
                    mains.push(main);
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        agree(&workspace.content.replace)?;
        let clashes = workspace.find_clashes(&mains);
        // An error that ends the run here is reported behind the clashes.
        let ending = |error: Error| clashes.iter().cloned().chain([error]).collect::<Vec<_>>();
        let content = &workspace.content;
        let rules = ReplaceRules::of_workspace(content, workspace.root(), &mains, &files.cwd);
        let rules = rules.map_err(ending)?;
        let mut tools = mains.iter().map(MainModule::check_tools);
        tools.try_for_each(|checked| checked.map_err(ending))?;
        if !clashes.is_empty() {
            let last: HashMap<String, MainModule> = mains
                .iter()
                .map(|main| (main.path().to_owned(), main.clone()))
                .collect();
            for main in &mut mains {
                if let Some(last) = last.get(main.path()) {
                    *main = last.clone();
                }
            }
        }
        workspace.clashes = clashes;
        Ok((workspace, mains, rules))
    }

    fn parse(file: &Path, files: &ProjectFiles) -> Result<Workspace> {
        let ProjectFiles { cwd, overlay, .. } = files;
        let name = short_path(cwd, file);
        let reading = |error: Error| error.context("reading go.work");
        overlay.check_open(file, &name).map_err(reading)?;
        let data = files.read(file).map_err(|cause| {
            let opened = overlay.name_of(file, &name);
            let opening = Error::new(Kind::LocalIo, format!("open {opened}")).because(cause);
            reading(opening)
        })?;
        Ok(Workspace {
            file: file.to_owned(),
            content: WorkFile::parse(&name, &data)?,
            clashes: Vec::new(),
        })
    }

    /// The directories of its modules, in its order.
    fn used(&self, cwd: &Path) -> Result<Vec<PathBuf>> {
        let mut roots: Vec<PathBuf> = Vec::new();
        let mut seen = HashSet::new();
        for line in &self.content.use_dirs {
            // As go: of a rooted path the text counts.
            let root = if is_absolute(&line.path) {
                PathBuf::from(&line.path)
            } else {
                clean_path(&self.root().join(&line.path).to_string_lossy()).into()
            };
            if !seen.insert(root.clone()) {
                let (name, line) = (short_path(cwd, &self.file), line.line);
                let root = root.display();
                let text = format!(
                    "error loading go.work:\n{name}:{line}: path {root} appears multiple times in \
                     workspace"
                );
                return Err(Error::new(Kind::Input, text));
            }
            roots.push(root);
        }
        Ok(roots)
    }

    fn main(
        &self,
        root: &Path,
        ProjectFiles {
            cwd,
            overlay,
            running: acting,
            ..
        }: &ProjectFiles,
        parse: ReadModule<'_>,
    ) -> Result<MainModule> {
        let file: PathBuf = clean_path(&root.join("go.mod").to_string_lossy()).into();
        let name = short_path(cwd, &file);
        let shown = short_path(cwd, file.parent().unwrap_or(root));
        let listed = |error: Error| {
            error.context(format!("cannot load module {shown} listed in go.work file"))
        };
        let mut read = || -> Result<ModFile> {
            let data = overlay.read(&file, read_whole).map_err(|cause| {
                let opened = match overlay.name_of(&file, &name) {
                    opened if opened.is_empty() => opened,
                    opened => short_path(cwd, Path::new(&opened)),
                };
                Error::new(Kind::LocalIo, format!("open {opened}")).because(cause)
            })?;
            let modfile = parse(&name, &data)?;
            modfile.declared_path(&name)?;
            Ok(modfile)
        };
        let main = MainModule::new(root, &file, read().map_err(listed)?);
        let (needed, own) = (GoVersion::parse(main.go()), GoVersion::parse(self.go()));
        if let (Some(needed), Some(own)) = (needed, own)
            && needed > own
            && needed.at_least(Node::STRICT_GO)
        {
            let verb = match self.content.go {
                Some(_) => "lists",
                None => "implicitly requires",
            };
            let names = acting
                .as_ref()
                .is_some_and(|acting| Change::OldWorkNamesVersion.applies_to(acting.version()));
            let way = match names {
                true => format!("to download and use go {needed}"),
                false => "to update it".to_owned(),
            };
            let text = format!(
                "module {shown} listed in go.work file requires go >= {needed}, but go.work {verb} \
                 go {own}; {way}:\n\tgo work use"
            );
            return Err(Error::new(Kind::Input, text));
        }
        main.modfile().main_path(&name)?;
        Ok(main)
    }

    /// What is wrong with the modules together.
    fn find_clashes(&self, mains: &[MainModule]) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut paths = HashSet::new();
        for main in mains {
            if !paths.insert(main.path()) {
                let text = format!("module {} appears multiple times in workspace", main.path());
                errors.push(Error::new(Kind::Input, text));
            }
        }
        let replaced = self.content.replace.iter();
        for line in replaced.filter(|line| line.version.is_none()) {
            if paths.contains(line.path.as_str()) {
                let text = format!(
                    "workspace module {} is replaced at all versions in the go.work file. To fix, \
                     remove the replacement from the go.work file or specify the version at which \
                     to replace the module.",
                    line.path
                );
                errors.push(Error::new(Kind::Input, text));
            }
        }
        errors
    }
}
