//! A bundle into a module cache: checked and filled in the same pass, under go's locks.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::manifest::{ManifestModule, ManifestZip};
use super::reader::{BundleHead, BundleSink, BundleSummary, BundleTrust, mismatch, read_bundle};
use super::tile_spool::TileSpool;
use super::timeline::Timeline;
use super::zip_jobs::{ZipJobs, copy_zip, unnamed_file};
use crate::cache::{Cache, CacheEntry, VersionLock, ZipPart};
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::fsio::create_dir_all;
use crate::gomod::ModuleVersion;
use crate::modzip::ModuleZip;
use crate::sumdb::TileStore;

/// How a module cache is filled.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Zips are unpacked.
    pub extract: bool,
    /// `-modcacherw`: what is unpacked stays writable.
    pub writable: bool,
}

/// What was imported.
#[derive(Clone, Debug)]
pub struct BundleImport {
    /// What was read.
    pub summary: BundleSummary,
    /// How many zips were added.
    pub added: usize,
    /// How many were complete before.
    pub complete: usize,
}

/// Reads a bundle to its end and puts its modules into `cache`, as a download would: each becomes
/// visible when it is proven. `store` is what this machine has seen of the database; `saved` names
/// the file with its newest head, for messages.
///
/// # Errors
/// As [`read_bundle`]; [`Kind::Offline`] if the bundle does not prove its head to continue the
/// machine's; [`Kind::LocalIo`] if the cache cannot be written. What is complete by then stays.
pub fn import_bundle(
    input: impl Read,
    trust: &BundleTrust,
    cache: &Cache,
    store: Option<impl TileStore + 'static>,
    saved: String,
    options: ImportOptions,
) -> Result<BundleImport> {
    let timeline = match (&trust.verifier, store) {
        (Some(verifier), Some(store)) => {
            let dir = cache.root().join("cache/modfetch");
            create_dir_all(&dir)?;
            let spool = TileSpool::new(unnamed_file(&dir)?);
            Some((
                Timeline::new(verifier.clone(), store, spool.clone(), saved),
                spool,
            ))
        }
        _ => None,
    };
    let (added, failures) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let imported = ZipJobs::run(&failures, |jobs| {
        let mut sink = CacheSink {
            cache,
            options,
            timeline,
            merged: false,
            jobs,
            added: &added,
            complete: 0,
        };
        let summary = read_bundle(input, trust, &mut sink)?;
        Ok((summary, sink.complete))
    });
    let (summary, complete) = imported.map_err(|error| match error.kind() {
        Kind::LocalIo => {
            error.hint("when that is put right, run it again: what is complete is skipped")
        }
        _ => error,
    })?;
    Ok(BundleImport {
        summary,
        added: added.into_inner(),
        complete,
    })
}

struct CacheSink<'a, 'p, 's> {
    cache: &'a Cache,
    options: ImportOptions,
    timeline: Option<(Timeline, TileSpool)>,
    /// The head was merged: all tiles are there.
    merged: bool,
    jobs: &'a mut ZipJobs<'p, 's>,
    added: &'s AtomicUsize,
    complete: usize,
}

impl CacheSink<'_, '_, '_> {
    /// The end of the tiles, whatever comes next.
    fn merge(&mut self) -> Result<()> {
        if let Some((timeline, _)) = &self.timeline
            && !self.merged
        {
            timeline.merge()?;
            self.merged = true;
        }
        Ok(())
    }
}

impl BundleSink for CacheSink<'_, '_, '_> {
    fn head(&mut self, head: &BundleHead) -> Result<()> {
        match &mut self.timeline {
            Some((timeline, _)) => timeline.add_head(head),
            None => Ok(()),
        }
    }

    fn tile(&mut self, name: &str, content: &[u8]) -> Result<()> {
        match &self.timeline {
            Some((_, spool)) => spool.add(name, content),
            None => Ok(()),
        }
    }

    fn record(&mut self, module: &ModuleVersion, response: &[u8]) -> Result<()> {
        self.merge()?;
        match &self.timeline {
            Some((timeline, _)) => timeline.add_record(module, response),
            None => Ok(()),
        }
    }

    fn version_list(&mut self, _: &str, _: &[u8]) -> Result<()> {
        self.merge()
    }

    fn info(&mut self, _: &str, one: &ManifestModule, content: &[u8]) -> Result<()> {
        let entry = self.cache.entry(&one.module)?;
        match entry.read_info(<[u8]>::is_empty)? {
            Some(false) => Ok(()),
            _ => entry.write_info(content),
        }
    }

    fn gomod(&mut self, _: &str, one: &ManifestModule, content: &[u8]) -> Result<()> {
        let entry = self.cache.entry(&one.module)?;
        match entry.read_gomod()? {
            Some(found) if found == content => Ok(()),
            _ => entry.write_gomod(content),
        }
    }

    fn zip(&mut self, name: &str, one: &ManifestModule, content: &mut dyn Read) -> Result<()> {
        let Some(zip) = &one.zip else {
            return Ok(());
        };
        let entry = self.cache.entry(&one.module)?;
        if is_complete(&entry, zip, self.options.extract)? {
            self.complete += 1;
            return Ok(());
        }
        let lock = entry.lock()?;
        if is_complete(&entry, zip, self.options.extract)? {
            self.complete += 1;
            return Ok(());
        }
        let mut part = entry.zip_part(&lock)?;
        part.restart(None)
            .map_err(|cause| Error::io("cannot write", part.path(), cause))?;
        let path = part.path().to_owned();
        copy_zip(content, &mut part, zip).map_err(|error| match error.kind() {
            Kind::LocalIo => error.context(path.display().to_string()),
            _ => error.context(name),
        })?;
        failpoints::reached("part-whole");
        let (name, zip, options, added) = (name.to_owned(), zip.clone(), self.options, self.added);
        self.jobs.start(move || {
            complete(&entry, &lock, part, &zip, options, &name)?;
            added.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }
}

/// True if the cache has the zip, and its directory if that is wanted.
fn is_complete(entry: &CacheEntry, zip: &ManifestZip, extract: bool) -> Result<bool> {
    let is_same = entry.read_ziphash()?.is_some_and(|h1| h1 == zip.h1);
    Ok(is_same && entry.has_zip() && (!extract || entry.has_directory()))
}

/// Checks a zip while it is unpacked, and makes it visible.
fn complete(
    entry: &CacheEntry,
    lock: &VersionLock,
    part: ZipPart,
    zip: &ManifestZip,
    options: ImportOptions,
    name: &str,
) -> Result<()> {
    let file = part.reader()?;
    let archive = ModuleZip::open(file, entry.module());
    let archive = archive.map_err(|error| error.context(name));
    let checked = archive.and_then(|archive| {
        let (h1, partial) = match options.extract {
            false => (archive.hash().map_err(|error| error.context(name))?, None),
            true => {
                let partial = entry.begin_directory(lock)?;
                let h1 = archive.extract(partial.directory());
                (h1.map_err(|error| error.context(name))?, Some(partial))
            }
        };
        if h1 != zip.h1 {
            return Err(mismatch(name, &zip.h1, &h1));
        }
        if let Some(partial) = &partial {
            partial.seal(|directory| {
                if !options.writable {
                    archive.seal(directory);
                }
            });
        }
        Ok(partial)
    });
    let partial = match checked {
        Ok(partial) => partial,
        Err(error) => {
            part.discard();
            return Err(error);
        }
    };
    entry.commit_zip(lock, part, &zip.h1)?;
    match partial {
        Some(partial) => partial.finish(),
        None => Ok(()),
    }
}
