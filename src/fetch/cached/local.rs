//! What the cache has of a version, for those who fetch little or nothing.

use std::path::PathBuf;

use crate::error::Result;
use crate::fetch::Fetcher;
use crate::fetch::threads::on_two;
use crate::gomod::modfile::Needs;
use crate::gomod::{GoVersion, ModuleVersion};

/// Where the parts of a version are; `None` for what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Its go.mod.
    pub gomod: Option<PathBuf>,
    /// Its files.
    pub directory: Option<PathBuf>,
}

impl Fetcher<'_> {
    /// Does `work` to each of `items`, the results in their order: at once to those of which
    /// nothing has to be fetched, to the others as many at a time as transfers are allowed.
    ///
    /// # Errors
    /// [`Kind::Other`](crate::Kind::Other) if no thread can be started.
    pub fn for_each<T: Sync, R: Send>(
        &self,
        items: &[T],
        at_hand: impl Fn(&T) -> bool + Sync,
        work: impl Fn(&T) -> R + Sync,
    ) -> Result<Vec<R>> {
        let mut results = on_two(items, |item| at_hand(item).then(|| work(item)));
        if results.iter().any(Option::is_none) {
            self.pools.transfer()?.in_place_scope(|scope| {
                for (item, result) in items.iter().zip(&mut results) {
                    if result.is_none() {
                        scope.spawn(|_| *result = Some(work(item)));
                    }
                }
            });
        }
        // The scope ends when each of them has its result.
        Ok(results.into_iter().flatten().collect())
    }

    /// True if there is a file in the cache for the metadata of a version; what is in it is not
    /// looked at.
    #[must_use]
    pub fn has_info(&self, module: &ModuleVersion) -> bool {
        let entry = self.cache.entry(module);
        entry.is_ok_and(|entry| entry.info_path().exists())
    }

    /// The same of its go.mod.
    #[must_use]
    pub fn has_gomod(&self, module: &ModuleVersion) -> bool {
        let entry = self.cache.entry(module);
        entry.is_ok_and(|entry| entry.gomod_path().exists())
    }

    /// What the go line of a version's go.mod says, which is fetched if it is not cached.
    #[must_use]
    pub fn go_line(&self, module: &ModuleVersion) -> Option<String> {
        let gomod = self.gomod(&self.cache.entry(module).ok()?).ok()?;
        let needs = Needs::parse("go.mod", &gomod.data).ok()?;
        needs.go.map(|go| go.to_string())
    }

    /// True if a go version is newer than the one that the run acts as.
    #[must_use]
    pub fn is_too_new(&self, go: &str) -> bool {
        let running = self.running.as_ref();
        GoVersion::parse(go)
            .zip(running)
            .is_some_and(|(go, running)| running.refuses(&go))
    }

    /// What the cache has of a version; its sums are not looked at.
    #[must_use]
    pub fn local(&self, module: &ModuleVersion) -> Local {
        let Ok(entry) = self.cache.entry(module) else {
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
