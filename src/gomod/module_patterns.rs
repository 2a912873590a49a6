//! Patterns that name modules, or single versions of them.

use super::{ModulePath, PrefixPatterns};

/// Patterns of modules, and of single versions.
///
/// A pattern is one of GOPRIVATE's: a glob for the first elements of a module path. With
/// `@VERSION` behind it, it is about that version alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulePatterns {
    paths: PrefixPatterns,
    versions: Vec<(PrefixPatterns, String)>,
}

impl ModulePatterns {
    /// Reads lists of patterns, each separated by commas.
    #[must_use]
    pub fn parse<'l>(lists: impl IntoIterator<Item = &'l str>) -> ModulePatterns {
        let all: Vec<&str> = lists
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .collect();
        let paths: Vec<&str> = all
            .iter()
            .copied()
            .filter(|one| !one.contains('@'))
            .collect();
        let versions = all.iter().filter_map(|one| one.split_once('@'));
        ModulePatterns {
            paths: PrefixPatterns::parse(&paths.join(",")),
            versions: versions
                .map(|(path, version)| (PrefixPatterns::parse(path), version.to_owned()))
                .collect(),
        }
    }

    /// True if there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.versions.is_empty()
    }

    /// True if a pattern matches the module, whatever the version.
    #[must_use]
    pub fn match_path(&self, path: &ModulePath) -> bool {
        self.paths.matches(path.as_str())
    }

    /// True if a pattern matches the module, or this version of it.
    #[must_use]
    pub fn match_version(&self, path: &ModulePath, version: &str) -> bool {
        let named = |(patterns, one): &(PrefixPatterns, String)| {
            one == version && patterns.matches(path.as_str())
        };
        self.match_path(path) || self.versions.iter().any(named)
    }

    /// True if a pattern is about a version of the module.
    #[must_use]
    pub fn match_some_version(&self, path: &ModulePath) -> bool {
        let named = |(patterns, _): &(PrefixPatterns, String)| patterns.matches(path.as_str());
        self.versions.iter().any(named)
    }
}
