//! The main modules of a run: the one of the working directory, or those of a workspace.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::main_module::MainModule;
use super::replace::ReplaceRules;
use super::workspace::Workspace;
use crate::config::{Overlay, ProjectFiles};
use crate::error::{Error, Result};
use crate::gomod::modfile::ModFile;
use crate::gomod::{ActingVersion, GoVersion, ModulePath, ModuleVersion, Tool, Version};
use crate::map::{Map, Set};
use crate::project::{GraphSummary, Node};

/// What go says where a main module is needed and there is none.
pub const NO_GO_MOD: &str =
    "go.mod file not found in current directory or any parent directory; see 'go help modules'";

/// What go calls the main module of a workspace that uses none.
const NO_MODULE: &str = "command-line-arguments";

/// The main modules and what they edit.
///
/// # In a workspace
/// There are as many as go.work uses, also one; if it uses none, one without a file stands in, as
/// in go. What is asked of *the* main module ([`Project::main`], [`Project::modfile`],
/// [`Project::file`], [`Project::root`]) is answered for the first of them there: whoever means
/// all asks for [`Project::mains`], and who would write to a go.mod asks for
/// [`Project::workspace`] before, in which go never does.
#[derive(Clone, Debug)]
pub struct Project {
    /// The first of them.
    main: MainModule,
    others: Vec<MainModule>,
    workspace: Option<Workspace>,
    rules: ReplaceRules,
    overlay: Overlay,
    running: Option<ActingVersion>,
    /// What [`Project::requires_directly`] looks into, from its first call on.
    direct: OnceLock<Set<ModulePath>>,
}

impl Project {
    /// Reads the main module: `found` is its go.mod, `modfile` what is read in its place
    /// (`-modfile`). Messages name the file relative to the working directory of `files` where that is
    /// shorter.
    ///
    /// # Errors
    /// All that is wrong with it: [`Kind::Input`](crate::Kind::Input) if it is malformed,
    /// [`Kind::LocalIo`](crate::Kind::LocalIo) if it cannot be read.
    pub fn read(
        found: &Path,
        modfile: Option<&Path>,
        files: impl Into<ProjectFiles>,
    ) -> Result<Project, Vec<Error>> {
        let files = files.into();
        Project::of(MainModule::read(found, modfile, &files)?, files)
    }

    /// Reads the main module as [`Project::read`], but asks `query` what a version stands for
    /// that is none: a branch, a commit, `v1.2`.
    ///
    /// # Errors
    /// As [`Project::read`], and those of `query`.
    pub fn read_with(
        found: &Path,
        modfile: Option<&Path>,
        files: impl Into<ProjectFiles>,
        query: &mut dyn FnMut(&str, &str) -> Result<Version>,
    ) -> Result<Project, Vec<Error>> {
        let files = files.into();
        Project::of(MainModule::read_with(found, modfile, &files, query)?, files)
    }

    fn of(main: MainModule, files: ProjectFiles) -> Result<Project, Vec<Error>> {
        let rules = ReplaceRules::of(main.modfile(), main.root(), &files.cwd);
        let rules = rules.map_err(|error| vec![error])?;
        main.check_tools().map_err(|error| vec![error])?;
        Ok(Project {
            main,
            others: Vec::new(),
            workspace: None,
            rules,
            overlay: files.overlay,
            running: files.running,
            direct: OnceLock::new(),
        })
    }

    /// What stands in for files of the project.
    #[must_use]
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The go version that the run acts as, if that was said.
    #[must_use]
    pub fn running(&self) -> Option<&ActingVersion> {
        self.running.as_ref()
    }

    /// Reads the workspace of a go.work. Its modules may not go together ([`Project::whole`]).
    ///
    /// # Errors
    /// As [`Project::read`], one error a module that is at fault.
    pub fn read_workspace(
        go_work: &Path,
        files: impl Into<ProjectFiles>,
    ) -> Result<Project, Vec<Error>> {
        let files = files.into();
        let read = Workspace::read(go_work, &files, &mut ModFile::parse)?;
        Ok(Project::of_workspace(read, files))
    }

    /// Reads a workspace as [`Project::read_workspace`], but asks `query` what versions in go.mod
    /// stand for that are none.
    ///
    /// # Errors
    /// As [`Project::read_workspace`], and those of `query`.
    pub fn read_workspace_with(
        go_work: &Path,
        files: impl Into<ProjectFiles>,
        query: &mut dyn FnMut(&str, &str) -> Result<Version>,
    ) -> Result<Project, Vec<Error>> {
        let mut parse = |name: &str, data: &[u8]| ModFile::parse_with(name, data, query);
        let files = files.into();
        let read = Workspace::read(go_work, &files, &mut parse)?;
        Ok(Project::of_workspace(read, files))
    }

    fn of_workspace(
        (workspace, mains, rules): (Workspace, Vec<MainModule>, ReplaceRules),
        files: ProjectFiles,
    ) -> Project {
        let mut mains = mains.into_iter();
        let main = mains.next().unwrap_or_else(|| {
            let nothing = ModFile::without_file(NO_MODULE);
            MainModule::new(Path::new(""), Path::new(""), nothing)
        });
        Project {
            main,
            others: mains.collect(),
            workspace: Some(workspace),
            rules,
            overlay: files.overlay,
            running: files.running,
            direct: OnceLock::new(),
        }
    }

    /// The same, if its main modules go together.
    ///
    /// # Errors
    /// What is wrong with them: two have one path, or go.work replaces one of them.
    pub fn whole(self) -> Result<Project, Vec<Error>> {
        match &self.workspace {
            Some(workspace) if !workspace.clashes.is_empty() => Err(workspace.clashes.clone()),
            _ => Ok(self),
        }
    }

    /// The same for a command that continues as go does, whatever is wrong with the modules together,
    /// and what that is: of modules with one path the last counts, and of several replacements for a
    /// version the first ([`ReplaceRules::dispute`]).
    #[must_use]
    pub fn ignoring_conflicts(mut self) -> (Project, Vec<Error>) {
        self.rules.go_on();
        let workspace = self.workspace.as_mut();
        let clashes = workspace.map(|workspace| mem::take(&mut workspace.clashes));
        (self, clashes.unwrap_or_default())
    }

    /// The main modules, in the order of go.work.
    pub fn mains(&self) -> impl Iterator<Item = &MainModule> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The main module; in a workspace the first.
    #[must_use]
    pub fn main(&self) -> &MainModule {
        &self.main
    }

    /// The workspace, if this is one.
    #[must_use]
    pub fn workspace(&self) -> Option<&Workspace> {
        self.workspace.as_ref()
    }

    /// The newest go version that the go and toolchain lines of the main modules and of go.work name.
    #[must_use]
    pub fn go(&self) -> Option<GoVersion> {
        let files = self.mains().map(|main| (main.go(), main.toolchain()));
        let work = (self.workspace.iter()).map(|work| {
            let line = work.content().toolchain.as_ref();
            (work.go(), line.map(|line| line.name.as_str()))
        });
        let named = files.chain(work).flat_map(|(go, toolchain)| {
            let toolchain = toolchain.and_then(GoVersion::of_toolchain);
            [GoVersion::parse(go), toolchain]
        });
        named.flatten().max()
    }

    /// True if this is a workspace that uses no module.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let used = |workspace: &Workspace| workspace.content().use_dirs.is_empty();
        self.workspace.as_ref().is_some_and(used)
    }

    /// True if a main module has this path.
    #[must_use]
    pub fn is_main(&self, path: &str) -> bool {
        self.mains().any(|main| main.path() == path)
    }

    /// The directory of the main module.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.main.root()
    }

    /// The go.mod that was read.
    #[must_use]
    pub fn file(&self) -> &Path {
        self.main.file()
    }

    /// Where sums are recorded: go.sum, or in a workspace go.work.sum.
    #[must_use]
    pub fn go_sum(&self) -> PathBuf {
        match &self.workspace {
            Some(workspace) => workspace.go_sum(),
            None => self.main.go_sum(),
        }
    }

    /// The files of sums that count as well and are not written: in a workspace, each go.sum.
    #[must_use]
    pub fn other_sums(&self) -> Vec<PathBuf> {
        if self.workspace.is_none() || self.is_empty() {
            return Vec::new();
        }
        self.mains().map(MainModule::go_sum).collect()
    }

    /// What go.mod says.
    #[must_use]
    pub fn modfile(&self) -> &ModFile {
        self.main.modfile()
    }

    /// The main module's path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.main.path()
    }

    /// The `replace` and `exclude` lines, ready to apply.
    #[must_use]
    pub fn rules(&self) -> &ReplaceRules {
        &self.rules
    }

    /// True if the module graph is pruned below what the main module requires: go.mod says
    /// `go 1.17` or later. In a workspace it is pruned elsewhere, below what a main module
    /// requires that is such a one, and this is false.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.workspace.is_none() && self.main.is_pruned()
    }

    /// What the main modules require, without what they exclude, in their order. Where a path is
    /// named more than once and the graph is pruned, only the highest version counts, as in go.
    #[must_use]
    pub fn requirements(&self) -> Vec<ModuleVersion> {
        let required = self.mains().flat_map(|main| &main.modfile().require);
        let required = required.map(|line| &line.module);
        let counts = |module: &&ModuleVersion| !module.is_tool() && !self.rules.excludes(module);
        let required: Vec<&ModuleVersion> = required.filter(counts).collect();
        if !self.is_pruned() {
            return required.into_iter().cloned().collect();
        }
        let mut highest: Map<&ModulePath, &ModuleVersion> = Map::default();
        for &module in &required {
            let known = highest.entry(module.path()).or_insert(module);
            *known = module.max(known);
        }
        let mut seen: Set<&ModulePath> = Set::default();
        let first_of_path = required.iter().filter(|module| seen.insert(module.path()));
        first_of_path
            .filter_map(|module| highest.get(module.path()).copied().cloned())
            .collect()
    }

    /// What the main modules of a workspace require, by path, as [`Node::Main`] has it.
    pub(crate) fn summaries(&self) -> Vec<(String, Arc<GraphSummary>)> {
        let summary = |main: &MainModule| {
            let summary = GraphSummary::of(main.modfile(), |module| self.rules.excludes(module));
            (main.path().to_owned(), Arc::new(summary))
        };
        self.mains().map(summary).collect()
    }

    /// The version that a module is known to have before the graph is read; `None` if it is not.
    ///
    /// Source: golang/go `modload/buildlist.go`, `rootSelected`.
    #[must_use]
    pub fn root_version(&self, path: &str) -> Option<ModuleVersion> {
        if self.workspace.is_some() {
            return None;
        }
        let roots = self.requirements().into_iter();
        roots.filter(|module| module.path().as_str() == path).max()
    }

    /// The version of `go` or `toolchain` that is among the roots; of a workspace, too.
    #[must_use]
    pub fn root_tool(&self, tool: Tool) -> Option<Node> {
        let roots = self.roots().into_iter();
        roots.filter(|root| root.path() == tool.name()).max()
    }

    /// Where the graph starts, in go's order. That is what the main module requires: its
    /// requirements, the go line or what it is taken for, and the toolchain line. In a workspace
    /// it is the main modules themselves, and the go and toolchain lines of go.work.
    ///
    /// Source: golang/go `modload/init.go`, `requirementsFromModFiles`, `rootsFromModFile`.
    #[must_use]
    pub fn roots(&self) -> Vec<Node> {
        if let Some(workspace) = &self.workspace {
            let mains = self.mains().map(|main| Node::Main(main.path().to_owned()));
            let mut roots: Vec<Node> = mains.chain(workspace.own_roots()).collect();
            roots.sort();
            return roots;
        }
        let mut roots = self.written_roots();
        if self.is_pruned() {
            roots.retain(|root| root.path() != self.path());
        }
        roots
    }

    /// The same with a requirement on the main module itself, which go only takes out of go.mod
    /// where it may write it.
    #[must_use]
    pub fn written_roots(&self) -> Vec<Node> {
        let modules = self.requirements();
        let mut roots: Vec<Node> = modules.into_iter().map(Node::Module).collect();
        roots.push(Node::Go(self.main.go().to_owned()));
        let toolchain = self.modfile().toolchain.as_ref();
        roots.extend(toolchain.map(|line| Node::Toolchain(line.name.clone())));
        roots.sort();
        roots
    }

    /// The same with every such requirement, if there are several, all of which `go` reads as long
    /// as it may not write go.mod: none of them can raise the main module.
    #[must_use]
    pub fn readonly_roots(&self) -> Vec<Node> {
        let mut roots = self.written_roots();
        if self.is_pruned() {
            let required = self.modfile().require.iter().map(|line| &line.module);
            let own = required.filter(|module| module.path().as_str() == self.path());
            let counting = own.filter(|module| !self.rules.excludes(module));
            roots.extend(counting.cloned().map(Node::Module));
            roots.sort();
            roots.dedup();
        }
        roots
    }

    /// True if `go` would put these roots right before it reads anything else of the graph: one
    /// path has several versions, or it is the main module's own.
    ///
    /// Where the graph is pruned and nothing but a repetition is wrong, [`Project::roots`] is
    /// right already.
    #[must_use]
    pub fn has_redundant_roots(&self) -> bool {
        self.repeats_roots(!self.is_pruned())
    }

    /// True if go.mod requires several versions of a path; if `all`, also if it requires one twice
    /// or the main module itself.
    #[must_use]
    pub fn repeats_roots(&self, all: bool) -> bool {
        if self.workspace.is_some() {
            return false;
        }
        let required = self.modfile().require.iter().map(|line| &line.module);
        let mut required = required.filter(|module| !self.rules.excludes(module));
        let mut versions = Map::default();
        required.any(|module| {
            // The go line is one already.
            if module.path().as_str() == Tool::Go.name() {
                return true;
            }
            if module.path().as_str() == self.path() {
                return all;
            }
            let other = versions.insert(module.path(), module);
            other.is_some_and(|other| all || other != module)
        })
    }

    /// The paths that a go.mod requires and does not mark `// indirect`.
    #[must_use]
    pub fn direct(&self) -> Set<&str> {
        self.direct_paths().map(ModulePath::as_str).collect()
    }

    /// True if a path is among these.
    #[must_use]
    pub fn requires_directly(&self, path: &str) -> bool {
        let direct = self
            .direct
            .get_or_init(|| self.direct_paths().cloned().collect());
        direct.contains(path)
    }

    fn direct_paths(&self) -> impl Iterator<Item = &ModulePath> {
        let lines = self.mains().flat_map(|main| &main.modfile().require);
        let direct = lines.filter(|line| !line.indirect);
        // Source: golang/go `modload/init.go`, `directRequirements`, for workspaces.
        let counts = |module| self.workspace.is_some() || !self.rules.excludes(module);
        let direct = direct.filter(move |line| counts(&line.module));
        direct.map(|line| line.module.path())
    }

    /// What go.mod both requires and excludes: `go` says that it drops these, unless they are in a
    /// workspace.
    pub fn excluded_requirements(&self) -> impl Iterator<Item = &ModuleVersion> {
        let required = self.modfile().require.iter().map(|line| &line.module);
        let silent = self.workspace.is_some();
        required.filter(move |module| !silent && self.rules.excludes(module))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn project(go_mod: &str) -> Result<Project, Vec<Error>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        fs::write(&file, go_mod).unwrap();
        Project::read(&file, None, &dir.path().join("sub"))
    }

    #[test]
    fn the_go_line_decides_about_pruning() {
        assert!(project("module m\n\ngo 1.17\n").unwrap().is_pruned());
        assert!(!project("module m\n\ngo 1.16\n").unwrap().is_pruned());
        assert!(!project("module m\n").unwrap().is_pruned());
    }

    #[test]
    fn excluded_requirements_are_set_apart() {
        let project = project(
            "module m\ngo 1.20\nrequire (\n\ta.com/a v1.0.0\n\tb.com/b v1.0.0\n)\nexclude a.com/a v1.0.0\n",
        )
        .unwrap();
        let text = |list: Vec<ModuleVersion>| format!("{list:?}");
        assert_eq!(text(project.requirements()), "[b.com/b@v1.0.0]");
        assert_eq!(
            text(project.excluded_requirements().cloned().collect()),
            "[a.com/a@v1.0.0]"
        );
    }

    #[test]
    fn of_a_path_that_is_required_twice_the_highest_version_counts_if_the_graph_is_pruned() {
        let lines = "require (\n\ta.com/a v1.0.0\n\tb.com/b v1.0.0\n\ta.com/a v1.1.0\n)\n";
        let required = |go: &str| {
            let project = project(&format!("module m\n{go}{lines}")).unwrap();
            format!("{:?}", project.requirements())
        };
        assert_eq!(required("go 1.17\n"), "[a.com/a@v1.1.0, b.com/b@v1.0.0]");
        assert_eq!(
            required("go 1.16\n"),
            "[a.com/a@v1.0.0, b.com/b@v1.0.0, a.com/a@v1.1.0]"
        );
    }

    #[test]
    fn another_modfile_moves_go_sum_and_directories_stay_relative_to_the_module() {
        let dir = tempfile::tempdir().unwrap();
        let (found, tools) = (dir.path().join("go.mod"), dir.path().join("etc/tools.mod"));
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(&tools, "module tools\nreplace a.com/a => ./a\n").unwrap();
        let project = Project::read(&found, Some(&tools), dir.path()).unwrap();
        assert_eq!(project.path(), "tools");
        assert_eq!(project.go_sum(), dir.path().join("etc/tools.sum"));
        let module = ModuleVersion::parse("a.com/a", "v1.0.0").unwrap();
        let want = crate::project::ResolvedModule::Directory {
            written: "./a".into(),
            path: dir.path().join("./a"),
            go_mod: "a/go.mod".into(),
        };
        assert_eq!(project.rules().resolved(&module), want);
    }
}
