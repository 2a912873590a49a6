//! The `replace` and `exclude` lines of the main module, applied to the graph.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::map::Map;
use crate::modfile::{ModFile, Replacement};
use crate::module::{ModulePath, ModuleVersion, Version};

/// Where the content of a module version really comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actual {
    /// Itself, or the module version that replaces it.
    Module(ModuleVersion),
    /// A local directory; nothing is fetched for it.
    Directory {
        /// As the `replace` line has it.
        written: String,
        /// Made absolute.
        path: PathBuf,
    },
}

/// The edits that a main module makes to the graph below it.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    replace: Map<(ModulePath, Option<Version>), Actual>,
    /// Sorted: there are few, and every requirement of the graph is looked up.
    exclude: BTreeSet<ModuleVersion>,
}

impl Edits {
    /// Collects the lines of a go.mod; directories are relative to `root`.
    ///
    /// # Errors
    /// [`Kind::Input`] if two `replace` lines for the same thing disagree.
    pub fn of(file: &str, modfile: &ModFile, root: &Path) -> Result<Edits> {
        let mut edits = Edits::default();
        for line in &modfile.replace {
            let actual = match &line.with {
                Replacement::Module(module) => Actual::Module(module.clone()),
                Replacement::Directory(written) => Actual::Directory {
                    written: written.clone(),
                    path: root.join(written),
                },
            };
            let old = (line.path.clone(), line.version.clone());
            if let Some(other) = edits.replace.insert(old, actual.clone())
                && other != actual
            {
                let version = line
                    .version
                    .as_ref()
                    .map_or(String::new(), |version| format!("@{version}"));
                return Err(Error::new(
                    Kind::Input,
                    format!(
                        "{file}:{}: conflicting replacements for {}{version}:\n\t{}\n\t{}",
                        line.line,
                        line.path,
                        other.describe(),
                        actual.describe()
                    ),
                ));
            }
        }
        edits.exclude = modfile
            .exclude
            .iter()
            .map(|line| line.module.clone())
            .collect();
        Ok(edits)
    }

    /// What stands in for `module`: the line for this version, else the line for every version,
    /// else itself.
    #[must_use]
    pub fn actual(&self, module: &ModuleVersion) -> Actual {
        self.replacement(module)
            .cloned()
            .unwrap_or_else(|| Actual::Module(module.clone()))
    }

    /// The replacement of `module`, if it has one.
    #[must_use]
    pub fn replacement(&self, module: &ModuleVersion) -> Option<&Actual> {
        if self.replace.is_empty() {
            return None;
        }
        let exact = (module.path().clone(), Some(module.version().clone()));
        let any = (module.path().clone(), None);
        self.replace.get(&exact).or_else(|| self.replace.get(&any))
    }

    /// True if a `replace` line stands for every version of a path.
    #[must_use]
    pub fn replaces_all(&self, path: &ModulePath) -> bool {
        self.replace.contains_key(&(path.clone(), None))
    }

    /// The versions of a path that have a `replace` line of their own.
    pub fn replaced_versions<'e>(
        &'e self,
        path: &'e ModulePath,
    ) -> impl Iterator<Item = &'e Version> {
        let of_path = self.replace.keys().filter(move |(old, _)| old == path);
        of_path.filter_map(|(_, version)| version.as_ref())
    }

    /// True if an `exclude` line names this version.
    #[must_use]
    pub fn excludes(&self, module: &ModuleVersion) -> bool {
        self.exclude.contains(module)
    }
}

impl Actual {
    /// The replacement as go.mod names it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Actual::Module(module) => module.to_string(),
            Actual::Directory { written, .. } => written.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(go_mod: &str) -> Result<Edits> {
        Edits::of(
            "go.mod",
            &ModFile::parse("go.mod", go_mod.as_bytes())?,
            Path::new("/p"),
        )
    }

    fn module(path: &str, version: &str) -> ModuleVersion {
        ModuleVersion::parse(path, version).unwrap()
    }

    #[test]
    fn the_line_for_the_version_wins_over_the_line_for_all() {
        let edits =
            edits("module m\nreplace a.com/a => ../a\nreplace a.com/a v1.1.0 => b.com/b v1.0.0\n")
                .unwrap();
        assert_eq!(
            edits.actual(&module("a.com/a", "v1.1.0")).describe(),
            "b.com/b@v1.0.0"
        );
        assert_eq!(
            edits.actual(&module("a.com/a", "v1.0.0")),
            Actual::Directory {
                written: "../a".into(),
                path: "/p/../a".into()
            }
        );
        assert_eq!(edits.replacement(&module("c.com/c", "v1.0.0")), None);
    }

    #[test]
    fn replacements_that_disagree_are_refused() {
        let error =
            edits("module m\nreplace a.com/a => ../a\nreplace a.com/a => ../b\n").unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert_eq!(
            error.chain(),
            "go.mod:3: conflicting replacements for a.com/a:\n\t../a\n\t../b"
        );
    }
}
