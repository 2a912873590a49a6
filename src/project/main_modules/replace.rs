//! The `replace` and `exclude` lines of the main modules and of go.work, applied to the graph.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::main_module::MainModule;
use crate::error::{Error, Kind, Result};
use crate::fsio::{clean_path, relative_path, short_path};
use crate::gomod::modfile::{ModFile, Replace, Replacement, WorkFile};
use crate::gomod::{ModulePath, ModuleVersion, Version};
use crate::system::is_absolute;

/// Where the content of a module version really comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ResolvedModule {
    /// Itself, or the module version that replaces it.
    Module(ModuleVersion),
    /// A local directory; nothing is fetched for it.
    Directory {
        /// As the `replace` line has it; in a workspace from the directory of go.work on.
        written: String,
        /// Made absolute.
        path: PathBuf,
        /// Its go.mod, as messages name it.
        go_mod: String,
    },
}

/// What is done about a local directory that replaces a module and has no go.mod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingReplace {
    /// The graph cannot be read, as in go.
    #[default]
    Error,
    /// What the module requires is left out of the graph, with a warning.
    Warn,
    /// It is left out.
    Ignore,
}

/// What is replaced: one version of a module, or all that have no line of their own.
type ReplaceKey = (ModulePath, Option<Version>);

/// The `replace` lines of one file.
#[derive(Clone, Debug, Default)]
struct ReplaceLines(HashMap<ReplaceKey, ReplaceLine>);

#[derive(Clone, Debug)]
struct ReplaceLine {
    written: Replacement,
    resolved: ResolvedModule,
}

impl ReplaceLines {
    /// Collects the lines of a file; `resolved` says what one of them leads to.
    fn of(
        lines: &[Replace],
        resolved: impl Fn(&Replacement) -> ResolvedModule,
    ) -> Result<ReplaceLines> {
        let mut found: HashMap<ReplaceKey, ReplaceLine> = HashMap::with_capacity(lines.len());
        for line in lines {
            let entry = ReplaceLine {
                written: line.with.clone(),
                resolved: resolved(&line.with),
            };
            let old = (line.path.clone(), line.version.clone());
            if let Some(other) = found.insert(old.clone(), entry)
                && other.written != line.with
            {
                let both = [written(&other.written), written(&line.with)];
                return Err(conflict(&old, &both, ""));
            }
        }
        Ok(ReplaceLines(found))
    }

    /// The line for a version: its own, else the one for all; with whether it was its own.
    fn find(&self, module: &ModuleVersion) -> Option<(bool, &ReplaceLine)> {
        if self.0.is_empty() {
            return None;
        }
        let exact = (module.path().clone(), Some(module.version().clone()));
        let any = (module.path().clone(), None);
        let own = self.0.get(&exact).map(|line| (true, line));
        own.or_else(|| self.0.get(&any).map(|line| (false, line)))
    }
}

/// The edits that main modules make to the graph below them.
///
/// # In a workspace
/// A line of go.work counts before those of the modules. Of several modules that replace one
/// version, the last counts whose line is for every version; see [`ReplaceRules::clash`] for the others.
#[derive(Clone, Debug, Default)]
pub struct ReplaceRules {
    /// The lines of go.work.
    work: ReplaceLines,
    /// Those of each main module, with the name of its go.mod.
    mains: Vec<(PathBuf, ReplaceLines)>,
    /// The paths of the main modules.
    own: Vec<String>,
    /// Sorted: there are few, and every requirement of the graph is looked up.
    exclude: BTreeSet<ModuleVersion>,
    /// The first replacement counts where main modules do not agree.
    ignores_conflicts: bool,
}

impl ReplaceRules {
    /// Collects the lines of a go.mod; directories are relative to `root`, messages name files
    /// from `cwd` on.
    ///
    /// # Errors
    /// [`Kind::Input`] if two `replace` lines for the same thing disagree.
    pub fn of(modfile: &ModFile, root: &Path, cwd: &Path) -> Result<ReplaceRules> {
        let lines = ReplaceLines::of(&modfile.replace, |with| {
            resolved(with, root, cwd, str::to_owned)
        })?;
        Ok(ReplaceRules {
            work: ReplaceLines::default(),
            mains: vec![(root.join("go.mod"), lines)],
            own: declared(modfile).collect(),
            exclude: excluded(modfile).collect(),
            ignores_conflicts: false,
        })
    }

    /// Collects the lines of a go.work in `root` and of the modules that it uses.
    ///
    /// # Errors
    /// [`Kind::Input`] if two `replace` lines for the same thing disagree, and go.work does not
    /// settle it.
    pub(crate) fn of_workspace(
        work: &WorkFile,
        root: &Path,
        mains: &[MainModule],
        cwd: &Path,
    ) -> Result<ReplaceRules> {
        let mut rules = ReplaceRules::default();
        for main in mains {
            let shown = |directory: &str| from_workspace(root, main.root(), directory);
            let replace = &main.modfile().replace;
            let lines = ReplaceLines::of(replace, |with| resolved(with, main.root(), cwd, shown))?;
            rules.mains.push((main.file().to_owned(), lines));
            rules.own.extend(declared(main.modfile()));
            rules.exclude.extend(excluded(main.modfile()));
        }
        rules.work = ReplaceLines::of(&work.replace, |with| {
            resolved(with, root, cwd, str::to_owned)
        })?;
        let settled: HashSet<&ModulePath> = work.replace.iter().map(|line| &line.path).collect();
        let mut agreed: HashMap<ReplaceKey, String> = HashMap::new();
        for main in mains {
            let lines = main.modfile().replace.iter();
            for line in lines.filter(|line| !settled.contains(&line.path)) {
                let old = (line.path.clone(), line.version.clone());
                let new = match &line.with {
                    Replacement::Directory(directory) if !is_absolute(directory) => {
                        clean_path(&main.root().join(directory).to_string_lossy())
                    }
                    with => written(with),
                };
                if let Some(other) = agreed.insert(old.clone(), new.clone())
                    && other != new
                {
                    let name = name(&old);
                    let end =
                        format!("\nuse \"go work edit -replace {name}=[override]\" to resolve");
                    return Err(conflict(&old, &[other, new], &end));
                }
            }
        }
        Ok(rules)
    }

    /// Checks the `replace` lines of one file.
    ///
    /// # Errors
    /// As [`ReplaceRules::of`].
    pub(crate) fn agree(lines: &[Replace]) -> Result<()> {
        ReplaceLines::of(lines, |with| {
            resolved(with, Path::new("/"), Path::new("/"), str::to_owned)
        })
        .map(drop)
    }

    /// What stands in for `module`: the line for this version, else the line for every version,
    /// else itself.
    #[must_use]
    pub fn resolved(&self, module: &ModuleVersion) -> ResolvedModule {
        self.replacement(module)
            .cloned()
            .unwrap_or_else(|| ResolvedModule::Module(module.clone()))
    }

    /// The replacement of `module`, if it has one.
    #[must_use]
    pub fn replacement(&self, module: &ModuleVersion) -> Option<&ResolvedModule> {
        self.lookup(module).0
    }

    /// From here on [`ReplaceRules::clash`] is content with the first replacement.
    pub(super) fn go_on(&mut self) {
        self.ignores_conflicts = true;
    }

    /// Why a version cannot be read that main modules replace by different things.
    #[must_use]
    pub fn clash(&self, module: &ModuleVersion) -> Option<Error> {
        self.dispute(module).filter(|_| !self.ignores_conflicts)
    }

    /// That main modules replace a version by different things, one of them by a line for just this
    /// version. `go` says so, continues with the first of them, and fails in the end.
    #[must_use]
    pub fn dispute(&self, module: &ModuleVersion) -> Option<Error> {
        let (first, second) = self.lookup(module).1?;
        let text = format!(
            "conflicting replacements found for {module} in workspace modules defined by {} and {}",
            first.display(),
            second.display()
        );
        Some(Error::new(Kind::Input, text))
    }

    /// The replacement, and the two go.mod files that do not agree.
    fn lookup(&self, module: &ModuleVersion) -> (Option<&ResolvedModule>, Option<(&Path, &Path)>) {
        if let Some((_, line)) = self.work.find(module) {
            return (Some(&line.resolved), None);
        }
        let mut found: Option<(&Path, &ReplaceLine)> = None;
        for (file, lines) in &self.mains {
            let Some((exact, line)) = lines.find(module) else {
                continue;
            };
            if let Some((first, other)) = found
                && exact
                && other.written != line.written
            {
                return (Some(&other.resolved), Some((first, file)));
            }
            found = Some((file, line));
        }
        (found.map(|(_, line)| &line.resolved), None)
    }

    /// True if a `replace` line stands for every version of a path.
    #[must_use]
    pub fn replaces_all(&self, path: &ModulePath) -> bool {
        let any = (path.clone(), None);
        let mut files = self.files();
        files.any(|lines| lines.0.contains_key(&any))
    }

    /// True if nothing of a module counts but what replaces it: all its versions are replaced, and
    /// it is no main module, of which one is not.
    ///
    /// Source: golang/go `modload/modfile.go`, `replacementFrom`.
    #[must_use]
    pub fn hides(&self, path: &ModulePath) -> bool {
        self.replaces_all(path) && !self.own.iter().any(|own| own == path.as_str())
    }

    /// The versions of a path that have a `replace` line of their own.
    pub fn replaced_versions<'e>(
        &'e self,
        path: &'e ModulePath,
    ) -> impl Iterator<Item = &'e Version> {
        let old = self.files().flat_map(|lines| lines.0.keys());
        let of_path = old.filter(move |(old, _)| old == path);
        of_path.filter_map(|(_, version)| version.as_ref())
    }

    /// True if an `exclude` line names this version.
    #[must_use]
    pub fn excludes(&self, module: &ModuleVersion) -> bool {
        self.exclude.contains(module)
    }

    fn files(&self) -> impl Iterator<Item = &ReplaceLines> {
        let mains = self.mains.iter().map(|(_, lines)| lines);
        mains.chain([&self.work])
    }
}

fn declared(modfile: &ModFile) -> impl Iterator<Item = String> {
    modfile.module.iter().map(|line| line.path.clone())
}

fn excluded(modfile: &ModFile) -> impl Iterator<Item = ModuleVersion> {
    modfile.exclude.iter().map(|line| line.module.clone())
}

/// What a replacement leads to; directories are relative to `root`, and named by `shown`.
fn resolved(
    with: &Replacement,
    root: &Path,
    cwd: &Path,
    shown: impl Fn(&str) -> String,
) -> ResolvedModule {
    match with {
        Replacement::Module(module) => ResolvedModule::Module(module.clone()),
        Replacement::Directory(directory) => {
            let path = root.join(directory);
            let go_mod = clean_path(&path.join("go.mod").to_string_lossy());
            ResolvedModule::Directory {
                written: shown(directory),
                go_mod: short_path(cwd, Path::new(&go_mod)),
                path,
            }
        }
    }
}

/// A directory that a module's go.mod names, as named from the directory of go.work on.
///
/// Source: golang/go `modload/modfile.go`, `canonicalizeReplacePath`, `ToDirectoryPath`.
pub(crate) fn from_workspace(workspace: &Path, module: &Path, directory: &str) -> String {
    if is_absolute(directory) {
        return directory.to_owned();
    }
    let path = clean_path(&module.join(directory).to_string_lossy());
    let way = relative_path(&clean_path(&workspace.to_string_lossy()), &path);
    if way == "." || way == ".." || way.starts_with("../") {
        return way;
    }
    format!("./{way}")
}

/// A replacement as its line has it.
fn written(with: &Replacement) -> String {
    match with {
        Replacement::Module(module) => module.to_string(),
        Replacement::Directory(directory) => directory.clone(),
    }
}

fn name((path, version): &ReplaceKey) -> String {
    match version {
        Some(version) => format!("{path}@{version}"),
        None => path.to_string(),
    }
}

fn conflict(old: &ReplaceKey, [one, other]: &[String; 2], end: &str) -> Error {
    let name = name(old);
    let text = format!("conflicting replacements for {name}:\n\t{one}\n\t{other}{end}");
    Error::new(Kind::Input, text)
}

impl ResolvedModule {
    /// The replacement as go.mod names it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            ResolvedModule::Module(module) => module.to_string(),
            ResolvedModule::Directory { written, .. } => written.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(go_mod: &str) -> Result<ReplaceRules> {
        let modfile = ModFile::parse("go.mod", go_mod.as_bytes())?;
        ReplaceRules::of(&modfile, Path::new("/p"), Path::new("/p"))
    }

    fn module(path: &str, version: &str) -> ModuleVersion {
        ModuleVersion::parse(path, version).unwrap()
    }

    #[test]
    fn the_line_for_the_version_wins_over_the_line_for_all() {
        let rules =
            rules("module m\nreplace a.com/a => ../a\nreplace a.com/a v1.1.0 => b.com/b v1.0.0\n")
                .unwrap();
        assert_eq!(
            rules.resolved(&module("a.com/a", "v1.1.0")).describe(),
            "b.com/b@v1.0.0"
        );
        assert_eq!(
            rules.resolved(&module("a.com/a", "v1.0.0")),
            ResolvedModule::Directory {
                written: "../a".into(),
                path: "/p/../a".into(),
                go_mod: "/a/go.mod".into(),
            }
        );
        assert_eq!(rules.replacement(&module("c.com/c", "v1.0.0")), None);
    }

    #[test]
    fn a_main_module_is_not_hidden_by_its_replacement() {
        let text = "module example.com/m\nreplace example.com/m => ./m\nreplace a.com/a => ./a\n\
                    replace b.com/b v1.0.0 => ./b\n";
        let rules = rules(text).unwrap();
        let hides = |path| rules.hides(&ModulePath::parse(path).unwrap());
        assert_eq!(
            ["example.com/m", "a.com/a", "b.com/b"].map(hides),
            [false, true, false]
        );
    }

    #[test]
    fn replacements_that_disagree_are_refused() {
        let error =
            rules("module m\nreplace a.com/a => ../a\nreplace a.com/a => ../b\n").unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert_eq!(
            error.chain(),
            "conflicting replacements for a.com/a:\n\t../a\n\t../b"
        );
    }

    /// What `go mod graph` of go1.26.8 reads in such a workspace.
    #[test]
    fn go_work_counts_first_and_then_the_last_line_for_all_versions() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let put = |name: &str, text: &str| {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), text).unwrap();
        };
        put(
            "go.work",
            "use ./m/a\nuse ./b\nreplace w.com/w v1.0.0 => ./w\n",
        );
        put(
            "m/a/go.mod",
            "module m.com/a\nreplace w.com/w => ../x\nreplace x.com/x v1.0.0 => ../x\n\
             replace y.com/y => ../x\nexclude e.com/e v1.0.0\n",
        );
        put(
            "b/go.mod",
            "module m.com/b\nreplace x.com/x => ./x\nreplace y.com/y v1.0.0 => ./y\n",
        );
        let project = crate::project::Project::read_workspace(&at("go.work"), dir.path()).unwrap();
        let rules = project.rules();
        let resolved = |path, version| rules.resolved(&module(path, version)).describe();
        assert_eq!(resolved("w.com/w", "v1.0.0"), "./w");
        assert_eq!(resolved("w.com/w", "v1.1.0"), "./m/x");
        assert_eq!(resolved("x.com/x", "v1.0.0"), "./b/x");
        assert_eq!(resolved("y.com/y", "v1.0.0"), "./m/x");
        let clash = |path| {
            rules
                .clash(&module(path, "v1.0.0"))
                .map(|error| error.chain())
        };
        assert_eq!(clash("x.com/x"), None);
        let (a, b) = (at("m/a/go.mod"), at("b/go.mod"));
        assert_eq!(
            clash("y.com/y"),
            Some(format!(
                "conflicting replacements found for y.com/y@v1.0.0 in workspace modules defined \
                 by {} and {}",
                a.display(),
                b.display()
            ))
        );
        assert!(rules.excludes(&module("e.com/e", "v1.0.0")));
    }
}
