//! A directory that comes file by file: written and hashed on all cores, visible when its h1 is right.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::Scope;
use sha2::{Digest as _, Sha256};

use super::import::ImportShared;
use crate::cache::{CacheEntry, Partial, VersionLock};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::gomod::{FileHash, H1, hash1};
use crate::modzip;
use crate::system::create_read_only;
use crate::tarfile::TarReader;

/// Small files are handed over when so much has come together; larger ones are written by the reader.
const BATCH_BYTES: usize = 256 << 10;

/// Batches that may wait at a time, which bounds the memory. The reader itself writes what is beyond.
const MAX_WAITING: usize = 32;

/// A directory in the making, below its mark. It is finished when the last holder lets go.
pub(super) struct TreeImport {
    entry: CacheEntry,
    lock: VersionLock,
    partial: Partial,
    state: Mutex<ImportTreeState>,
}

#[derive(Default)]
struct ImportTreeState {
    hashes: Vec<(String, FileHash)>,
    batch: Vec<(String, Vec<u8>)>,
    batch_bytes: usize,
    directories: HashSet<String>,
    /// What the archive says, when all of it has come.
    declared: Option<H1>,
}

impl TreeImport {
    pub(super) fn begin(entry: &CacheEntry, lock: VersionLock) -> Result<Arc<TreeImport>> {
        let partial = entry.begin_directory(&lock)?;
        create_dir(&partial, "")?;
        Ok(Arc::new(TreeImport {
            entry: entry.clone(),
            lock,
            partial,
            state: Mutex::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, ImportTreeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next file, whose content is what `tar` has now.
    pub(super) fn add<'s, R: Read>(
        self: &Arc<Self>,
        file: &str,
        size: u64,
        tar: &mut TarReader<R>,
        shared: &'s ImportShared<'s>,
        scope: &Scope<'s>,
    ) -> Result<()> {
        self.make_parents(file)?;
        if size > BATCH_BYTES as u64 {
            let hash = self.stream(file, tar)?;
            self.state().hashes.push((file.to_owned(), hash));
            return Ok(());
        }
        let content = tar.read_content(size)?;
        let mut state = self.state();
        state.batch_bytes += content.len();
        state.batch.push((file.to_owned(), content));
        if state.batch_bytes < BATCH_BYTES {
            return Ok(());
        }
        state.batch_bytes = 0;
        let batch = mem::take(&mut state.batch);
        drop(state);
        if shared.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            return self.write(batch);
        }
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        let tree = Arc::clone(self);
        scope.spawn(move |_| {
            shared.waiting.fetch_sub(1, Ordering::Relaxed);
            if !shared.has_failed()
                && let Err(error) = tree.write(batch)
            {
                shared.fail(error);
            }
            finish_last(tree, shared);
        });
        Ok(())
    }

    /// All files have come. The directory is finished here or, where batches wait, with the last.
    pub(super) fn end(self: Arc<Self>, declared: H1, shared: &ImportShared<'_>) -> Result<()> {
        let batch = mem::take(&mut self.state().batch);
        self.write(batch)?;
        self.state().declared = Some(declared);
        finish_last(self, shared);
        Ok(())
    }

    fn make_parents(&self, file: &str) -> Result<()> {
        let Some((parent, _)) = file.rsplit_once('/') else {
            return Ok(());
        };
        let mut state = self.state();
        let ends = parent
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([parent.len()]);
        for directory in ends.map(|end| &parent[..end]) {
            if !state.directories.contains(directory) {
                create_dir(&self.partial, directory)?;
                state.directories.insert(directory.to_owned());
            }
        }
        Ok(())
    }

    fn write(&self, batch: Vec<(String, Vec<u8>)>) -> Result<()> {
        let mut hashes = Vec::with_capacity(batch.len());
        for (name, content) in batch {
            let mut file = self.create(&name)?;
            let written = file.write_all(&content);
            written.map_err(|cause| self.cannot("cannot write", &name, cause))?;
            hashes.push((name, Sha256::digest(&content).into()));
        }
        failpoints::reached("import-batch-written");
        self.state().hashes.extend(hashes);
        Ok(())
    }

    /// Writes a large file piece by piece.
    fn stream<R: Read>(&self, name: &str, tar: &mut TarReader<R>) -> Result<FileHash> {
        let mut file = self.create(name)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BATCH_BYTES];
        loop {
            match tar.read(&mut buffer) {
                Ok(0) => return Ok(hash.finalize().into()),
                Ok(bytes) => {
                    hash.update(&buffer[..bytes]);
                    let written = file.write_all(&buffer[..bytes]);
                    written.map_err(|cause| self.cannot("cannot write", name, cause))?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(tar.failed(cause)),
            }
        }
    }

    /// A new file with go's mode for files of modules.
    fn create(&self, name: &str) -> Result<File> {
        let opened = create_read_only(&self.partial.directory().join(name));
        opened.map_err(|cause| self.cannot("cannot create", name, cause))
    }

    fn cannot(&self, verb: &str, name: &str, cause: io::Error) -> Error {
        let error = Error::io(verb, &self.partial.directory().join(name), cause);
        error.context(self.entry.module().to_string())
    }

    /// Computes the h1 and makes the directory visible if it is right; else the directory goes.
    fn finish(self, shared: &ImportShared<'_>) -> Result<()> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(declared) = state.declared else {
            return Ok(());
        };
        let (entry, lock) = (&self.entry, &self.lock);
        let prefix = entry.module();
        let names = state.hashes.into_iter();
        let mut files: Vec<_> = names
            .map(|(name, hash)| (format!("{prefix}/{name}"), hash))
            .collect();
        files.sort_unstable();
        let h1 = hash1(files.iter().map(|(name, hash)| (name.as_str(), *hash)));
        shared.judge(entry.module(), &h1, &declared)?;
        entry.commit_ziphash(lock, &h1)?;
        self.partial.seal(|directory| {
            if !shared.is_writable() {
                modzip::seal(directory);
            }
        });
        self.partial.finish()?;
        shared.added(entry.module());
        Ok(())
    }
}

fn finish_last(tree: Arc<TreeImport>, shared: &ImportShared<'_>) {
    if let Some(last) = Arc::into_inner(tree)
        && !shared.has_failed()
        && let Err(error) = last.finish(shared)
    {
        shared.fail(error);
    }
}

fn create_dir(partial: &Partial, name: &str) -> Result<()> {
    let path = match name {
        "" => partial.directory().to_owned(),
        name => partial.directory().join(name),
    };
    fs::create_dir(&path).map_err(|cause| Error::io("cannot create", &path, cause))
}
