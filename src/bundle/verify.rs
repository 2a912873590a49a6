//! Checking a bundle in one pass: nothing of it is kept.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use super::manifest::ManifestModule;
use super::reader::{BundleSink, BundleSummary, BundleTrust, mismatch, read_bundle};
use super::zip_jobs::{ZipJobs, check_bytes, spool};
use crate::error::Result;
use crate::modzip::ModuleZip;

/// Checks a bundle to its end, its zips on all cores. Zips of more than a few MiB go through files
/// without names in `temp_dir`.
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
        let mut sink = VerifySink { jobs, temp_dir };
        read_bundle(input, trust, &mut sink)
    })
}

struct VerifySink<'a, 'p, 's> {
    jobs: &'a mut ZipJobs<'p, 's>,
    temp_dir: &'a Path,
}

impl BundleSink for VerifySink<'_, '_, '_> {
    fn zip(&mut self, name: &str, one: &ManifestModule, content: &mut dyn Read) -> Result<()> {
        let Some(zip) = one.zip.clone() else {
            return Ok(());
        };
        let file = spool(content, zip.bytes, self.temp_dir);
        let file = file.map_err(|error| error.context(name))?;
        let (name, module) = (name.to_owned(), one.module.clone());
        self.jobs.start(move || {
            check_bytes(&file, &zip, &name)?;
            let found = ModuleZip::open(file, &module).and_then(|archive| archive.hash());
            match found.map_err(|error| error.context(&*name))? {
                found if found == zip.h1 => Ok(()),
                found => Err(mismatch(&name, &zip.h1, &found)),
            }
        })
    }
}
