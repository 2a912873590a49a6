//! What a store holds, by version, and what can be done with it as a whole: check, remove, bring up.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::objects::{Existing, ObjectStore};
use super::source::StoreSource;
use crate::error::Result;
use crate::gomod::{ModulePath, ModuleVersion, is_pseudo_version};
use crate::layout::{self, TreeFile, VersionFile};

/// The objects of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredVersion {
    /// Their lengths.
    pub files: BTreeMap<VersionFile, u64>,
    /// When the newest was written, in seconds since 1970.
    pub written: u64,
}

impl StoredVersion {
    /// True if all that its `.info` promises is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let has = |file| self.files.contains_key(&file);
        !has(VersionFile::Info) || has(VersionFile::Zip) && has(VersionFile::GoMod)
    }
}

impl ObjectStore {
    /// All versions of the tree, from its keys.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn versions(&self) -> Result<BTreeMap<ModuleVersion, StoredVersion>> {
        let mut versions: BTreeMap<ModuleVersion, StoredVersion> = BTreeMap::new();
        self.list("", &mut |object| {
            let Some(TreeFile::Version {
                path,
                version,
                file,
            }) = TreeFile::parse(&object.name)
            else {
                return Ok(());
            };
            // Branches have an `.info`, and are no versions.
            let Ok(module) = ModuleVersion::parse(path.as_str(), &version) else {
                return Ok(());
            };
            let written = object.modified.duration_since(UNIX_EPOCH);
            let written = written.map_or(0, |since| since.as_secs());
            let one = versions.entry(module).or_default();
            one.files.insert(file, object.bytes);
            one.written = one.written.max(written);
            Ok(())
        })?;
        Ok(versions)
    }

    /// Removes files of a version, `.info` first: what is half removed is not complete.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn remove_files(&self, module: &ModuleVersion, files: &[VersionFile]) -> Result<()> {
        let escaped = module.escape()?;
        let order = [
            VersionFile::Info,
            VersionFile::Zip,
            VersionFile::ZipHash,
            VersionFile::GoMod,
        ];
        for file in order.into_iter().filter(|file| files.contains(file)) {
            self.delete(&layout::file(&escaped, file))?;
        }
        Ok(())
    }

    /// Writes which released versions of a module are complete. Who writes a version does it after its
    /// `.info` is there, so that the last of several has seen all.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn renew_list(&self, source: &StoreSource, path: &ModulePath) -> Result<()> {
        let mut versions = source.complete_versions(path)?;
        versions.retain(|version| !is_pseudo_version(version));
        let text: String = versions.iter().map(|one| format!("{one}\n")).collect();
        let name = layout::list(&path.escape()?);
        self.put(&name, text.as_bytes(), Existing::Replace)
    }
}

/// In which turn a file of a tree goes up, so that nothing promises what is not there yet: zips, sums and
/// tiles, go.mod files, records, `.info` files, lists and heads.
#[must_use]
pub fn upload_turn(name: &str) -> u8 {
    match TreeFile::parse(name) {
        Some(TreeFile::Version { file, .. }) => match file {
            VersionFile::Zip => 0,
            VersionFile::GoMod => 2,
            VersionFile::Info => 4,
            _ => 1,
        },
        Some(TreeFile::Database { rest, .. }) => match rest {
            rest if rest.starts_with("tile/") => 1,
            rest if rest.starts_with("lookup/") => 3,
            "latest" => 6,
            _ => 7,
        },
        Some(TreeFile::List(_) | TreeFile::Latest(_)) => 5,
        None => 8,
    }
}
