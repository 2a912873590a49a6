//! What may be evicted: the rules of one `prune`, as data.

use std::collections::HashSet;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::gomod::{MatchPattern, ModuleVersion};

/// Which pieces may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PruneLevel {
    /// Extracted directories whose zip is there: they are made again without a network.
    Extracted,
    /// Zips whose directory is there: a build works without them.
    Zips,
    /// Everything.
    #[default]
    All,
}

/// The form in which versions are kept that are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptForm {
    /// The zip; the directory goes.
    Zips,
    /// The directory; the zip goes.
    Trees,
}

/// What projects need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepSet {
    /// Versions that are in a build list: all pieces.
    pub content: HashSet<ModuleVersion>,
    /// Versions of which the requirement graph needs the go.mod.
    pub gomods: HashSet<ModuleVersion>,
    /// Toolchains by name, such as `go1.27.4`, for every platform.
    pub toolchains: HashSet<String>,
}

impl KeepSet {
    /// True if zip or directory of the version are needed.
    #[must_use]
    pub fn needs_content(&self, module: &ModuleVersion) -> bool {
        self.content.contains(module) || self.needs_toolchain(module)
    }

    /// True if the go.mod of the version is needed, with or without the rest.
    #[must_use]
    pub fn needs_gomod(&self, module: &ModuleVersion) -> bool {
        self.gomods.contains(module) || self.needs_content(module)
    }

    /// `v0.0.1-go1.27.4.linux-amd64` is `go1.27.4`.
    fn needs_toolchain(&self, module: &ModuleVersion) -> bool {
        let version = module.version().as_str();
        let name = version
            .strip_prefix("v0.0.1-")
            .filter(|_| is_toolchain(module));
        name.and_then(|name| name.rsplit_once('.'))
            .is_some_and(|(name, _)| self.toolchains.contains(name))
    }
}

pub(super) fn is_toolchain(module: &ModuleVersion) -> bool {
    module.path().as_str() == crate::gomod::TOOLCHAIN
}

/// Module versions by name: `PATTERN` or `PATTERN@VERSION`, `...` in the pattern standing for any
/// string, as in go's package patterns.
#[derive(Clone, Debug)]
pub struct NamePattern {
    text: String,
    path: MatchPattern,
    version: Option<String>,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it has no path, or an empty version.
    pub fn parse(text: &str) -> Result<NamePattern> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        if path.is_empty() || version == Some("") {
            let error = Error::new(Kind::Usage, format!("invalid module pattern {text:?}"));
            return Err(error.hint("want PATH, PATH@VERSION or a pattern such as example.com/..."));
        }
        Ok(NamePattern {
            text: text.to_owned(),
            path: MatchPattern::parse(path),
            version: version.map(str::to_owned),
        })
    }

    /// True if the pattern is about this version.
    #[must_use]
    pub fn matches(&self, module: &ModuleVersion) -> bool {
        let version = self.version.as_deref();
        version.is_none_or(|version| version == module.version().as_str())
            && self.path.matches(module.path().as_str())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The rules of one run. A version may go if all rules that are given allow it; nothing goes
/// without a rule that selects something.
#[derive(Clone, Debug, Default)]
pub struct PruneRules {
    /// Not used for this long.
    pub older: Option<Duration>,
    /// The least recently used go until the whole cache has this many bytes.
    pub max_bytes: Option<u64>,
    /// What stays, whatever else is said.
    pub keep: Option<KeepSet>,
    /// Named; empty for all.
    pub names: Vec<NamePattern>,
    /// Which pieces.
    pub level: PruneLevel,
    /// Toolchains as well; by name they are selected without it.
    pub toolchains: bool,
    /// Repositories of version control as well.
    pub vcs: bool,
    /// What is cached of checksum databases as well; the newest tree heads stay.
    pub sumdb: bool,
    /// Nothing goes that was used within this time.
    pub grace: Duration,
    /// Of what stays, the other form goes.
    pub form: Option<KeptForm>,
}

impl PruneRules {
    /// True if a rule selects module versions.
    pub(super) fn selects_modules(&self) -> bool {
        self.older.is_some()
            || self.max_bytes.is_some()
            || self.keep.is_some()
            || !self.names.is_empty()
    }

    /// True if a rule selects anything.
    #[must_use]
    pub fn selects_something(&self) -> bool {
        self.selects_modules() || self.toolchains || self.vcs || self.sumdb
    }
}
