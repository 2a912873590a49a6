//! What the cache has of a module version, for those who plan and fetch nothing.

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::CacheReader;
use crate::error::Result;
use crate::event::Event;
use crate::fetch::Want;
use crate::fetch::threads::on_cores;
use crate::gomod::{H1, ModuleVersion};
use crate::layout::VersionFile;
use crate::modzip::sha256_of_file;
use crate::trust::SumPart;

/// What the cache has of a module version, and what is known of it. Nothing was fetched for it.
#[derive(Clone, Debug, Default)]
pub struct CacheStatus {
    /// What a download would have to make of what the run wants: of `info`, `mod`, `zip`, `ziphash` and `dir` those that
    /// are missing, in this order.
    pub missing: Vec<&'static str>,
    /// Of these, what a cache that is only read has: it is not asked for.
    pub read_only: Vec<&'static str>,
    /// The h1 of the zip: what go.sum says, else what the cache has recorded.
    pub sum: Option<String>,
    /// The h1 of the go.mod: what go.sum says, else that of the cached one.
    pub gomod_sum: Option<String>,
    /// Bytes of the cached zip.
    pub zip_bytes: Option<u64>,
    /// The SHA-256 of the cached zip, in hexadecimal, where it was asked for.
    pub zip_sha256: Option<String>,
}

/// What is fetched; the rest is made from the zip.
const FETCHED: [&str; 3] = ["info", "mod", "zip"];

impl CacheStatus {
    /// What would be asked for: of `info`, `mod` and `zip` those that no cache has.
    pub fn asked(&self) -> impl Iterator<Item = &'static str> {
        let missing = FETCHED
            .into_iter()
            .filter(|file| self.missing.contains(file));
        missing.filter(|file| !self.read_only.contains(file))
    }
}

impl CacheReader<'_> {
    /// Looks at a module that would be downloaded.
    ///
    /// # Errors
    /// What is cached cannot be read, or contradicts go.sum.
    pub fn status(self, module: &ModuleVersion) -> Result<CacheStatus> {
        let entry = self.run.cache.entry(module)?;
        let gomod = self.run.files().cached_gomod_sum(&entry)?;
        let ziphash = entry.read_ziphash()?;
        let parts = [
            (
                Want::Info,
                "info",
                self.run.files().cached_info(&entry)?.is_some(),
            ),
            (Want::GoMod, "mod", gomod.is_some()),
            (Want::Zip, "zip", entry.has_zip()),
            (Want::Zip, "ziphash", ziphash.is_some()),
            (Want::Extracted, "dir", entry.has_directory()),
        ];
        if self.run.want >= Want::Zip {
            self.run.files().complete(&entry)?;
        }
        let wanted = parts
            .into_iter()
            .filter(|(least, ..)| self.run.want >= *least);
        let missing = wanted.filter(|(_, _, there)| !there);
        let missing: Vec<&str> = missing.map(|(_, name, _)| name).collect();
        Ok(CacheStatus {
            read_only: self.in_read_only(module, &missing),
            missing,
            sum: self.sum(module, SumPart::Zip, ziphash),
            gomod_sum: self.sum(module, SumPart::GoMod, gomod),
            zip_bytes: bytes(&entry.zip_path()),
            zip_sha256: None,
        })
    }

    /// Looks at a module of which the graph needs the go.mod only; the sum of a cached one is not
    /// checked.
    ///
    /// # Errors
    /// The module cannot be in a cache.
    pub fn gomod_status(self, module: &ModuleVersion) -> Result<CacheStatus> {
        let entry = self.run.cache.entry(module)?;
        let there = entry.gomod_path().exists();
        let missing = if there { Vec::new() } else { vec!["mod"] };
        Ok(CacheStatus {
            read_only: self.in_read_only(module, &missing),
            missing,
            gomod_sum: self.sum(module, SumPart::GoMod, None),
            ..CacheStatus::default()
        })
    }

    /// Adds the SHA-256 of the zips that are cached, many at once.
    ///
    /// # Errors
    /// A zip cannot be read; no thread can be started.
    pub fn add_zip_digests<'s>(
        self,
        statuses: impl Iterator<Item = (&'s ModuleVersion, &'s mut CacheStatus)>,
    ) -> Result<()> {
        let cached: Vec<_> = statuses
            .filter(|(_, status)| status.zip_bytes.is_some())
            .collect();
        if cached.is_empty() {
            return Ok(());
        }
        self.run.start_task("hashing zips", cached.len());
        let digest = |(module, status): (&ModuleVersion, &mut CacheStatus)| {
            let zip = self.run.cache.entry(module)?.zip_path();
            status.zip_sha256 = Some(sha256_of_file(&zip)?);
            self.run.say(&Event::TaskAdvanced { items: 1, bytes: 0 });
            Ok(())
        };
        on_cores(|| cached.into_par_iter().with_max_len(1).try_for_each(digest))
    }

    /// Of the files of a module, those that a cache has which is only read.
    fn in_read_only(self, module: &ModuleVersion, files: &[&'static str]) -> Vec<&'static str> {
        let fetched = files.iter().filter(|file| FETCHED.contains(file));
        let caches = &self.run.engine.read_only;
        let has = |suffix: &&&str| {
            let file = VersionFile::of_suffix(suffix);
            file.is_some_and(|file| caches.iter().any(|cache| cache.has(module, file)))
        };
        fetched.filter(has).copied().collect()
    }

    fn sum(self, module: &ModuleVersion, part: SumPart, cached: Option<H1>) -> Option<String> {
        let recorded = self.run.sums.recorded(module, part).into_iter();
        let mut recorded = recorded.filter(|sum| sum.starts_with("h1:"));
        recorded.next().or_else(|| cached.map(|h1| h1.to_string()))
    }
}

fn bytes(file: &Path) -> Option<u64> {
    let found = fs::metadata(file).ok()?;
    found.is_file().then_some(found.len())
}
