//! What a listing says of `go` and `toolchain`, which are no modules: a version, and which others there
//! are.

use super::ModuleInfo;
use super::lister::{Lister, NO_VERSION, fail};
use crate::fetch::ReleaseQuery;
use crate::gomod::Tool;

impl Lister<'_> {
    /// What there is to say of the version that a query stands for.
    pub(super) fn release(&self, tool: Tool, query: &str, current: &str) -> ModuleInfo {
        let asked = ReleaseQuery {
            tool,
            query: query.to_owned(),
            current: current.to_owned(),
            filter: self.filter(),
        };
        match self.releases().release(&asked) {
            Ok(release) => {
                let mut info = ModuleInfo::new(tool.name(), &release.version);
                if query != release.version {
                    query.clone_into(&mut info.query);
                }
                info
            }
            Err(error) => ModuleInfo {
                error: Some(error),
                ..ModuleInfo::new(tool.name(), query)
            },
        }
    }

    /// The same as [`Lister::add_extras`] of what is no module.
    pub(super) fn add_release_extras(&self, info: &mut ModuleInfo, tool: Tool) {
        let has_version = !info.version.is_empty();
        if self.extras.update && has_version {
            let current = Some(&*info.version).filter(|version| *version != NO_VERSION);
            match self
                .releases()
                .newer_release(tool, current.unwrap_or_default())
            {
                Ok(Some(newer)) => {
                    let mut update = ModuleInfo::new(tool.name(), &newer.version);
                    update.time = Some(newer.time);
                    info.update = Some(Box::new(update));
                }
                Ok(None) => {}
                Err(error) => fail(info, error),
            }
        }
        if self.extras.versions {
            match self.releases().releases(tool, self.listed_filter()) {
                Ok(versions) => info.versions = versions,
                Err(error) if info.error.is_none() => info.error = Some(error),
                Err(_) => {}
            }
        }
        if self.extras.retraction()
            && has_version
            && let Err(error) = self.releases().release_retraction(tool, &info.version)
        {
            fail(info, error);
        }
        if self.extras.update
            && has_version
            && let Err(error) = self.releases().release_deprecation(tool)
        {
            fail(info, error);
        }
    }
}
