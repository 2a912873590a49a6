//! Checking a bundle in one pass: nothing of it is kept.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use super::manifest::ManifestModule;
use super::reader::{BundleSink, BundleSummary, BundleTrust, mismatch, read_bundle};
use super::zip_jobs::{ZipJobs, ZipMemory};
use crate::error::Result;
use crate::modzip::ModuleZip;

/// Checks a bundle to its end, its zips on all cores. Zips for which there is no room in memory go
/// through files without names in `temp_dir`.
///
/// # Errors
/// As [`read_bundle`].
pub fn verify_bundle(
    input: impl Read,
    trust: &BundleTrust,
    temp_dir: &Path,
) -> Result<BundleSummary> {
    let failures = Mutex::new(BTreeMap::new());
    ZipJobs::run(&failures, |jobs| {
        let mut sink = VerifySink {
            jobs,
            memory: ZipMemory::new(),
            temp_dir,
        };
        read_bundle(input, trust, &mut sink)
    })
}

struct VerifySink<'a, 'p, 's> {
    jobs: &'a mut ZipJobs<'p, 's>,
    memory: ZipMemory,
    temp_dir: &'a Path,
}

impl BundleSink for VerifySink<'_, '_, '_> {
    fn zip(&mut self, name: &str, one: &ManifestModule, content: &mut dyn Read) -> Result<()> {
        let Some(zip) = one.zip.clone() else {
            return Ok(());
        };
        let spooled = self.memory.spool(content, &zip, self.temp_dir);
        let spooled = spooled.map_err(|error| error.context(name))?;
        let (name, module) = (name.to_owned(), one.module.clone());
        self.jobs.start(move || {
            let archive = ModuleZip::open(spooled.reader()?, &module);
            let found = archive.and_then(|archive| archive.hash());
            match found.map_err(|error| error.context(&*name))? {
                found if found == zip.h1 => Ok(()),
                found => Err(mismatch(&name, &zip.h1, &found)),
            }
        })
    }
}
