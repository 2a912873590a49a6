//! The main module: where its go.mod and go.sum are, and what go.mod says.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::node::Node;
use super::replace::Edits;
use crate::error::{Error, Result};
use crate::modfile::ModFile;
use crate::module::{GoVersion, ModulePath, ModuleVersion};

/// The go version whose language and graph rules apply where go.mod has no `go` line.
const IMPLIED_GO_VERSION: &str = "1.16";

/// The main module.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    file: PathBuf,
    modfile: ModFile,
    edits: Edits,
}

impl Project {
    /// From this go version on go.mod lists every module that the build needs, and the graph below
    /// other such modules is pruned.
    pub const PRUNING_GO: &'static str = "1.17";

    /// Reads the main module: `found` is its go.mod, `modfile` what is read in its place
    /// (`-modfile`). Messages name the file relative to `cwd` where that is shorter.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input) if it is malformed,
    /// [`Kind::LocalIo`](crate::Kind::LocalIo) if it cannot be read.
    pub fn read(found: &Path, modfile: Option<&Path>, cwd: &Path) -> Result<Project> {
        let root = found.parent().unwrap_or(Path::new("/")).to_owned();
        let file = modfile.unwrap_or(found).to_owned();
        let data = fs::read(&file).map_err(|cause| Error::io("cannot read", &file, cause))?;
        let name = file
            .strip_prefix(cwd)
            .unwrap_or(&file)
            .display()
            .to_string();
        let modfile = ModFile::parse(&name, &data)?;
        modfile.main_path(&name)?;
        let edits = Edits::of(&name, &modfile, &root)?;
        Ok(Project {
            root,
            file,
            modfile,
            edits,
        })
    }

    /// The directory of the main module.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The go.mod that was read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where go.sum is or would be.
    #[must_use]
    pub fn go_sum(&self) -> PathBuf {
        self.file.with_extension("sum")
    }

    /// What go.mod says.
    #[must_use]
    pub fn modfile(&self) -> &ModFile {
        &self.modfile
    }

    /// The main module's path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.modfile
            .module
            .as_ref()
            .map_or("", |module| &module.path)
    }

    /// The `replace` and `exclude` lines, ready to apply.
    #[must_use]
    pub fn edits(&self) -> &Edits {
        &self.edits
    }

    /// True if the module graph is pruned: go.mod says `go 1.17` or later.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        is_pruned(self.modfile.go.as_ref().map(|line| &line.version))
    }

    /// What go.mod requires, without what it excludes, in its order. Where it names a path more
    /// than once and the graph is pruned, only the highest version counts, as in go.
    #[must_use]
    pub fn requirements(&self) -> Vec<ModuleVersion> {
        let required = self.modfile.require.iter().map(|line| &line.module);
        let required = required.filter(|module| !self.edits.excludes(module));
        if !self.is_pruned() {
            return required.cloned().collect();
        }
        let mut highest: HashMap<&ModulePath, &ModuleVersion> = HashMap::new();
        for module in required.clone() {
            let known = highest.entry(module.path()).or_insert(module);
            *known = module.max(known);
        }
        let mut seen = HashSet::new();
        let first_of_path = required.filter(|module| seen.insert(module.path()));
        first_of_path
            .filter_map(|module| highest.get(module.path()).copied().cloned())
            .collect()
    }

    /// What the main module requires, as the graph has it, in go's order: its requirements, the go
    /// line or what it is taken for, and the toolchain line.
    ///
    /// Source: golang/go `modload/init.go`, `rootsFromModFile`.
    #[must_use]
    pub fn roots(&self) -> Vec<Node> {
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
        let go = self.modfile.go.as_ref().map(|line| line.version.as_str());
        roots.push(Node::Go(go.unwrap_or(IMPLIED_GO_VERSION).to_owned()));
        let toolchain = self.modfile.toolchain.as_ref();
        roots.extend(toolchain.map(|line| Node::Toolchain(line.name.clone())));
        roots.sort();
        roots
    }

    /// True if `go` would put these roots right before it reads anything else of the graph: one
    /// path has several versions, or it is the main module's own.
    ///
    /// Where the graph is pruned and nothing but a repetition is wrong, [`Project::roots`] is
    /// right already.
    #[must_use]
    pub fn has_redundant_roots(&self) -> bool {
        let pruned = self.is_pruned();
        let required = self.modfile.require.iter().map(|line| &line.module);
        let mut required = required.filter(|module| !self.edits.excludes(module));
        let mut versions = HashMap::new();
        required.any(|module| {
            if module.path().as_str() == self.path() {
                return !pruned;
            }
            let other = versions.insert(module.path(), module);
            other.is_some_and(|other| !pruned || other != module)
        })
    }

    /// The paths that go.mod requires and does not mark `// indirect`.
    #[must_use]
    pub fn direct(&self) -> HashSet<&str> {
        let lines = self.modfile.require.iter();
        let direct = lines.filter(|line| !line.indirect && !self.edits.excludes(&line.module));
        direct.map(|line| line.module.path().as_str()).collect()
    }

    /// True if `go` would have to read the graph to put go.mod right: it has no go line, or it
    /// requires a path twice and its graph is not pruned.
    #[must_use]
    pub fn needs_graph_to_edit(&self) -> bool {
        let mut seen = HashSet::new();
        let mut paths = self.modfile.require.iter().map(|line| line.module.path());
        self.modfile.go.is_none() || !self.is_pruned() && !paths.all(|path| seen.insert(path))
    }

    /// What go.mod both requires and excludes: `go` says that it drops these.
    pub fn excluded_requirements(&self) -> impl Iterator<Item = &ModuleVersion> {
        let required = self.modfile.require.iter().map(|line| &line.module);
        required.filter(|module| self.edits.excludes(module))
    }
}

/// True if a go.mod with this `go` line has a pruned graph.
pub(super) fn is_pruned(go: Option<&GoVersion>) -> bool {
    match go {
        Some(version) => version.at_least(Project::PRUNING_GO),
        None => GoVersion::parse(IMPLIED_GO_VERSION)
            .is_some_and(|version| version.at_least(Project::PRUNING_GO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(go_mod: &str) -> Result<Project> {
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
        let needs_graph = |text: &str| project(text).unwrap().needs_graph_to_edit();
        assert!(!needs_graph(&format!("module m\ngo 1.17\n{lines}")));
        assert!(needs_graph(&format!("module m\ngo 1.16\n{lines}")));
        assert!(!needs_graph("module m\ngo 1.16\nrequire a.com/a v1.0.0\n"));
        assert!(needs_graph("module m\nrequire a.com/a v1.0.0\n"));
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
        let want = crate::modset::Actual::Directory {
            written: "./a".into(),
            path: dir.path().join("./a"),
        };
        assert_eq!(project.edits().actual(&module), want);
    }
}
