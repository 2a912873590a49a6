//! What the cache has of a version, for those who fetch little or nothing.

use std::path::PathBuf;

use super::CacheReader;
use crate::gomod::ModuleVersion;
use crate::gomod::modfile::GoModSummary;
use crate::source::Info;

/// Where the parts of a version are; `None` for what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Its go.mod.
    pub gomod: Option<PathBuf>,
    /// Its files.
    pub directory: Option<PathBuf>,
}

impl CacheReader<'_> {
    /// The metadata of a version, if the cache has it.
    #[must_use]
    pub fn info(self, module: &ModuleVersion) -> Option<Info> {
        let entry = self.run.cache.entry(module).ok()?;
        self.run.files().cached_info(&entry).ok().flatten()
    }

    /// True if the cache has the metadata of a version; the file is not read.
    #[must_use]
    pub fn has_info(self, module: &ModuleVersion) -> bool {
        let entry = self.run.cache.entry(module);
        entry.is_ok_and(|entry| entry.info_path().exists())
    }

    /// True if the go.mod of a version is at hand: this run has read it, or there is a file in the
    /// cache, in which is not looked.
    #[must_use]
    pub fn has_gomod(self, module: &ModuleVersion) -> bool {
        if self.run.checked_gomod_sum(module).is_some() {
            return true;
        }
        let entry = self.run.cache.entry(module);
        entry.is_ok_and(|entry| entry.gomod_path().exists())
    }

    /// What the go line of a version's go.mod says, which is fetched if it is not cached.
    #[must_use]
    pub fn go_line(self, module: &ModuleVersion) -> Option<String> {
        let gomod = self
            .run
            .files()
            .gomod(&self.run.cache.entry(module).ok()?)
            .ok()?;
        let needs = GoModSummary::parse("go.mod", &gomod.data).ok()?;
        needs.go.map(|go| go.to_string())
    }

    /// What the cache has of a version; its sums are not looked at.
    #[must_use]
    pub fn local(self, module: &ModuleVersion) -> Local {
        let Ok(entry) = self.run.cache.entry(module) else {
            return Local::default();
        };
        let gomod = entry.gomod_path();
        let whole = entry.has_directory() && entry.ziphash_path().exists();
        Local {
            gomod: gomod.is_file().then_some(gomod),
            directory: whole.then(|| entry.directory().to_owned()),
        }
    }
}
