//! Single files, for those who are asked for one: fetched if the cache lacks it, verified, kept, and nothing more.
//!
//! All of it is done on the calling thread, which may have to wait for the network and for the locks of other
//! processes; only hashing is left to the compute pool. Who asks for a file while another run of the same
//! [`Engine`](super::Engine) is fetching it waits for that one request.

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;

use super::version::{Finished, OnContention, ResumeMode, Transferred};
use super::{Run, Want};
use crate::error::{Error, Result};
use crate::gomod::{H1, ModulePath, ModuleVersion};
use crate::source::Info;
use crate::trust::SumPart;

/// Where a file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOrigin {
    /// It was in the cache.
    Cache,
    /// A cache that is only read had it.
    ReadOnlyCache,
    /// The source had it.
    Source,
}

/// A file in the cache that was verified.
#[derive(Clone, Debug)]
pub struct CachedFile {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
    /// Its `h1:` sum; an `.info` has none.
    pub h1: Option<H1>,
    /// Where it came from in this call.
    pub from: FileOrigin,
}

/// The metadata of a version, and the file that it is in.
#[derive(Clone, Debug)]
pub struct InfoFile {
    /// The file.
    pub file: CachedFile,
    /// What it says.
    pub info: Info,
}

/// Sees the bytes of a zip while they arrive, before anything is known about them: the zip may turn out to be wrong. Who
/// hands bytes on keeps the last of them back until they are proven.
pub trait ZipTap: Send + Sync {
    /// The zip begins, or begins again, at its first byte. `partial` is open for reading and of its own; what it has
    /// grows. `length` is the length of the whole, where the sender has said it.
    fn begin(&self, partial: File, length: Option<u64>);
    /// So many bytes, counted from the first, can be read.
    fn arrived(&self, bytes: u64);
    /// The bytes since the last `begin`, so many in all, are the zip: their hash agrees with what vouches for it, and the
    /// cache has them. Without this call they are not, even where [`Run::zip`] returns a file: after a wrong
    /// transfer, another process may have put the right zip into the cache.
    fn proven(&self, bytes: u64);
}

impl Run {
    /// The file if the cache has it and it agrees with what vouches for it. Takes no lock and sends no request; what only the
    /// checksum database could vouch for, and has not in this process, is not there.
    ///
    /// # Errors
    /// [`Kind::Security`](crate::Kind::Security) if it disagrees; others if it cannot be read.
    pub fn cached(&self, module: &ModuleVersion, want: Want) -> Result<Option<CachedFile>> {
        let entry = self.cache.entry(module)?;
        let part = match want {
            Want::Info => None,
            Want::GoMod => Some(SumPart::GoMod),
            Want::Zip | Want::Extracted => Some(SumPart::Zip),
        };
        if part.is_some_and(|part| self.sums.must_ask(module, part)) {
            return Ok(None);
        }
        let files = self.files();
        let found = match want {
            Want::Info => files
                .cached_info(&entry)?
                .map(|_| (entry.info_path(), None)),
            Want::GoMod => {
                let h1 = files.cached_gomod_sum(&entry)?;
                h1.map(|h1| (entry.gomod_path(), Some(h1)))
            }
            Want::Zip | Want::Extracted => {
                let h1 = files.complete_for(&entry, want)?;
                h1.map(|h1| (entry.zip_path(), Some(h1)))
            }
        };
        let file = |(path, h1)| cached_file(path, h1, FileOrigin::Cache);
        found.map(file).transpose()
    }

    /// The metadata of a version.
    ///
    /// # Errors
    /// Those of the source, and of the cache.
    pub fn info(&self, module: &ModuleVersion) -> Result<InfoFile> {
        let infos = &self.engine.infos;
        let found = infos.get(module, || {
            let entry = self.cache.entry(module)?;
            let before = self.origin_counts(module);
            let info = self.files().info(&entry)?;
            let from = self.origin_since(module, before);
            let file = cached_file(entry.info_path(), None, from)?;
            Ok(InfoFile { file, info })
        });
        infos.forget(module);
        found
    }

    /// The go.mod of a version.
    ///
    /// # Errors
    /// [`Kind::Security`](crate::Kind::Security) if it is not what vouches for it says; those of the source, of the
    /// checksum database, and of the cache.
    pub fn go_mod(&self, module: &ModuleVersion) -> Result<CachedFile> {
        self.shared(module, Want::GoMod, || {
            let entry = self.cache.entry(module)?;
            let before = self.origin_counts(module);
            let gomod = self.while_asking(module, SumPart::GoMod, || self.files().gomod(&entry))?;
            let from = self.origin_since(module, before);
            cached_file(entry.gomod_path(), Some(gomod.h1), from)
        })
    }

    /// The zip of a version, which is not extracted. `tap` sees its bytes while they arrive, unless the cache has it or
    /// another run is fetching it.
    ///
    /// # Errors
    /// As [`Run::go_mod`].
    pub fn zip(&self, module: &ModuleVersion, tap: Option<&dyn ZipTap>) -> Result<CachedFile> {
        self.shared(module, Want::Zip, || {
            self.while_asking(module, SumPart::Zip, || self.fetch_zip(module, tap))
        })
    }

    /// The versions that the source lists: sorted, without pseudo-versions.
    ///
    /// # Errors
    /// Those of the source.
    pub fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.link.source.versions(path)
    }

    /// The version that stands for a module without released versions.
    ///
    /// # Errors
    /// Those of the source.
    pub fn latest(&self, path: &ModulePath) -> Result<Info> {
        let info = self.link.source.latest(path)?;
        self.keep_resolved(path, info.value)
    }

    /// The version that a branch, a tag or a commit stands for.
    ///
    /// # Errors
    /// Those of the source.
    pub fn revision(&self, path: &ModulePath, revision: &str) -> Result<Info> {
        let info = self.link.source.info(path, revision)?;
        self.keep_resolved(path, info.value)
    }

    fn keep_resolved(&self, path: &ModulePath, info: Info) -> Result<Info> {
        let module = ModuleVersion::parse(path.as_str(), &info.version)?;
        let entry = self.cache.entry(&module)?;
        match self.files().cached_info(&entry)? {
            Some(_) => Ok(info),
            None => self.files().keep_info(&entry, info),
        }
    }

    /// Fetches a file while the checksum database is asked what it has to be, if only that can vouch for it: who waits
    /// for a single file waits for one of both, where a command asks about all its modules at once. The answer is
    /// remembered, and the file compared with it before it is kept.
    fn while_asking<T>(
        &self,
        module: &ModuleVersion,
        part: SumPart,
        fetch: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if !self.sums.must_ask(module, part) {
            return fetch();
        }
        thread::scope(|scope| {
            // Where no thread can start, and where this fails, it is asked when the file is there.
            let asking = thread::Builder::new().name("sumdb".to_owned());
            let _ = asking.spawn_scoped(scope, || drop(self.sums.ask(module, part)));
            fetch()
        })
    }

    /// One request for all who ask at the same time.
    fn shared(
        &self,
        module: &ModuleVersion,
        want: Want,
        find: impl FnOnce() -> Result<CachedFile>,
    ) -> Result<CachedFile> {
        let (files, key) = (&self.engine.files, (module.clone(), want));
        let found = files.get(&key, find);
        files.forget(&key);
        found
    }

    fn fetch_zip(&self, module: &ModuleVersion, tap: Option<&dyn ZipTap>) -> Result<CachedFile> {
        let entry = self.cache.entry(module)?;
        let files = self.files().zips_alone(tap);
        let mut mode = ResumeMode::Resume;
        loop {
            let transferred = files.transfer_zip(0, &entry, OnContention::Wait, mode)?;
            let ready = match transferred {
                Transferred::Complete(h1) => {
                    return cached_file(entry.zip_path(), Some(h1), FileOrigin::Cache);
                }
                Transferred::Ready(ready) => ready,
                Transferred::Busy => continue,
            };
            let from = match (&ready.zip, &ready.lower) {
                (None, _) => FileOrigin::Cache,
                (Some(_), Some(_)) => FileOrigin::ReadOnlyCache,
                (Some(_), None) => FileOrigin::Source,
            };
            let read_only = ready.lower.clone();
            // The threads that compute do not wait for a database.
            self.sums.ask(module, SumPart::Zip)?;
            let finish = || Ok(files.finish_zip(&entry, ready));
            match self.engine.on_compute(finish)? {
                Finished::Done(h1) => {
                    let file = cached_file(entry.zip_path(), Some(h1?), from)?;
                    if from != FileOrigin::Cache
                        && let Some(tap) = tap
                    {
                        tap.proven(file.bytes);
                    }
                    return Ok(file);
                }
                Finished::Refetch(cause) => {
                    match &read_only {
                        Some(cache) => files.damaged(&**cache, &cause),
                        None => self.record_refetch(module, &cause),
                    }
                    mode = ResumeMode::Restart;
                }
            }
        }
    }

    fn origin_counts(&self, module: &ModuleVersion) -> (u64, u64) {
        (self.traffic(module).bytes, self.read_only_bytes())
    }

    /// Where a small file came from, by what was counted meanwhile.
    fn origin_since(&self, module: &ModuleVersion, before: (u64, u64)) -> FileOrigin {
        let now = self.origin_counts(module);
        if now.0 > before.0 {
            FileOrigin::Source
        } else if now.1 > before.1 {
            FileOrigin::ReadOnlyCache
        } else {
            FileOrigin::Cache
        }
    }
}

fn cached_file(path: PathBuf, h1: Option<H1>, from: FileOrigin) -> Result<CachedFile> {
    let found = fs::metadata(&path).map_err(|cause| Error::io("cannot read", &path, cause))?;
    Ok(CachedFile {
        bytes: found.len(),
        path,
        h1,
        from,
    })
}

#[cfg(test)]
#[path = "single_tests.rs"]
mod tests;
