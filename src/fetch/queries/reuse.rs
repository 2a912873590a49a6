//! Whether an answer of an earlier run would be given again: `-reuse`.

use std::sync::Arc;

use super::QueryResolver;
use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::source::{ReuseEntry, ReuseFile, Source, VcsOrigin};

impl QueryResolver<'_> {
    /// What `file` says of a module at a version or query, if the repository is still as it was:
    /// asked for what was asked then, and for the version that came out. The origin is that of the
    /// first of these two answers.
    ///
    /// Source: golang/go `cmd/go/internal/modload/build.go`, `moduleInfo`.
    #[must_use]
    pub fn reusable(
        self,
        file: &ReuseFile,
        path: &ModulePath,
        asked: &str,
    ) -> Option<(Arc<ReuseEntry>, Box<VcsOrigin>)> {
        let entry = file.entry(path.as_str(), asked)?;
        if !self.holds(entry, path, asked) {
            return None;
        }
        let origin = Box::new(entry.origin.clone());
        if entry.version == asked {
            return Some((Arc::clone(entry), origin));
        }
        let of_version = file.entry(path.as_str(), &entry.version)?;
        self.holds(of_version, path, &entry.version)
            .then(|| (Arc::clone(of_version), origin))
    }

    fn holds(self, entry: &ReuseEntry, path: &ModulePath, asked: &str) -> bool {
        let check = |source: &dyn Source| source.check_reuse(path, &entry.origin);
        entry.can_answer(asked)
            && self
                .run
                .link
                .source
                .each(path, asked, &mut |source| check(source))
                .is_ok()
    }

    /// What the failure to find a version depends on, where the source says so.
    #[must_use]
    pub fn failure_origin(self, module: &ModuleVersion) -> Option<Box<VcsOrigin>> {
        let (path, version) = (module.path(), module.version().as_str());
        let mut origin = None;
        let _: Result<()> = self.run.link.source.each(path, version, &mut |source| {
            origin = source.failure_origin(path, version);
            // The next place is asked as after the failure.
            Err(Error::new(Kind::NotFound, version))
        });
        origin.map(Box::new)
    }
}
