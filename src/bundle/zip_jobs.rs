//! Zips of a bundle checked on all cores, while the next ones are read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{Scope, ThreadPoolBuilder};
use sha2::{Digest, Sha256};

use super::manifest::ManifestZip;
use crate::error::{Error, Kind, Result};
use crate::system::{create_unnamed, memory_file};

/// So many bytes of zips are in memory at most, whatever the number of cores.
const IN_MEMORY_BYTES: u64 = 32 << 20;

const COPY_BYTES: usize = 256 << 10;

/// Jobs on a pool of one thread a core. A few wait at most, then [`ZipJobs::start`] does.
pub(super) struct ZipJobs<'p, 's> {
    scope: &'p Scope<'s>,
    places: Sender<()>,
    taken: Receiver<()>,
    failures: &'s Mutex<BTreeMap<usize, Error>>,
    started: usize,
}

impl<'s> ZipJobs<'_, 's> {
    /// Runs `read`, which starts jobs, and waits for all of them.
    ///
    /// # Errors
    /// Of the jobs that failed the first that was started, or that of `read`.
    pub(super) fn run<T: Send>(
        failures: &'s Mutex<BTreeMap<usize, Error>>,
        read: impl FnOnce(&mut ZipJobs<'_, 's>) -> Result<T>,
    ) -> Result<T> {
        let cores = available_parallelism().map_or(1, usize::from);
        let pool = ThreadPoolBuilder::new().num_threads(cores).build();
        let pool =
            pool.map_err(|cause| Error::new(Kind::Other, "cannot start threads").because(cause))?;
        let (places, taken) = bounded(cores * 2);
        let result = pool.in_place_scope(|scope| {
            read(&mut ZipJobs {
                scope,
                places,
                taken,
                failures,
                started: 0,
            })
        });
        let mut failed = lock(failures);
        match (failed.pop_first(), result) {
            (Some((_, error)), _) => Err(error),
            (None, result) => result,
        }
    }

    /// Starts a job, when there is a place for it.
    ///
    /// # Errors
    /// That of an earlier job that has failed.
    pub(super) fn start(&mut self, job: impl FnOnce() -> Result<()> + Send + 's) -> Result<()> {
        // The receiver is here, so that this does not fail.
        let _ = self.places.send(());
        if let Some((_, error)) = lock(self.failures).first_key_value() {
            return Err(error.clone());
        }
        let (number, taken, failures) = (self.started, self.taken.clone(), self.failures);
        self.started += 1;
        self.scope.spawn(move |_| {
            if let Err(error) = job() {
                lock(failures).insert(number, error);
            }
            let _ = taken.recv();
        });
        Ok(())
    }
}

fn lock(failures: &Mutex<BTreeMap<usize, Error>>) -> MutexGuard<'_, BTreeMap<usize, Error>> {
    // Each change is one insertion.
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Room in memory for the zips that are being checked.
#[derive(Debug)]
pub(super) struct ZipMemory(Arc<AtomicU64>);

/// A zip without a name; its room in memory is given back when it is dropped.
#[derive(Debug)]
pub(super) struct SpooledZip {
    file: File,
    memory: Option<(Arc<AtomicU64>, u64)>,
}

impl ZipMemory {
    /// All of the room is free.
    pub(super) fn new() -> ZipMemory {
        ZipMemory(Arc::new(AtomicU64::new(IN_MEMORY_BYTES)))
    }

    /// Copies the bytes of a zip to a file without a name: in memory where there is room, otherwise in
    /// `dir`.
    ///
    /// # Errors
    /// As [`copy_zip`]; [`Kind::LocalIo`] for the file.
    pub(super) fn spool(
        &self,
        content: &mut dyn Read,
        zip: &ManifestZip,
        dir: &Path,
    ) -> Result<SpooledZip> {
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                free.checked_sub(zip.bytes)
            });
        let memory = taken.is_ok().then(|| (Arc::clone(&self.0), zip.bytes));
        let file = match &memory {
            Some(_) => memory_file().or_else(|_| unnamed_file(dir))?,
            None => unnamed_file(dir)?,
        };
        let mut spooled = SpooledZip { file, memory };
        copy_zip(content, &mut spooled.file, zip)?;
        spooled.file.rewind().map_err(|cause| {
            Error::new(Kind::LocalIo, "cannot read a temporary file").because(cause)
        })?;
        Ok(spooled)
    }
}

impl SpooledZip {
    /// The file, from its beginning.
    ///
    /// # Errors
    /// [`Kind::LocalIo`].
    pub(super) fn reader(&self) -> Result<File> {
        let file = self.file.try_clone();
        file.map_err(|cause| {
            Error::new(Kind::LocalIo, "cannot read a temporary file").because(cause)
        })
    }
}

impl Drop for SpooledZip {
    fn drop(&mut self) {
        if let Some((free, bytes)) = &self.memory {
            free.fetch_add(*bytes, Ordering::Relaxed);
        }
    }
}

/// Copies the bytes of a zip, and demands that they are those of the manifest.
///
/// # Errors
/// [`Kind::Input`] if the content ends early; [`Kind::Security`] if it has another SHA-256;
/// [`Kind::LocalIo`].
pub(super) fn copy_zip(
    content: &mut dyn Read,
    to: &mut dyn io::Write,
    zip: &ManifestZip,
) -> Result<()> {
    let mut hash = Sha256::new();
    // In the cache of a core: what was read is hashed and written while it is there.
    let mut room = vec![0; COPY_BYTES];
    let mut left = zip.bytes;
    while left > 0 {
        let most = COPY_BYTES.min(usize::try_from(left).unwrap_or(COPY_BYTES));
        match content.read(&mut room[..most]) {
            Ok(0) => return Err(Error::new(Kind::Input, "bundle is cut off")),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Error::new(Kind::Input, "bundle is cut off"));
            }
            Err(cause) => {
                return Err(Error::new(Kind::LocalIo, "cannot read the bundle").because(cause));
            }
            Ok(read) => {
                hash.update(&room[..read]);
                to.write_all(&room[..read])
                    .map_err(|cause| Error::new(Kind::LocalIo, "cannot write").because(cause))?;
                left -= read as u64;
            }
        }
    }
    let found = hash.finalize();
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    if found == zip.sha256 {
        return Ok(());
    }
    let want = &zip.sha256;
    let text = format!("SHA-256 mismatch\n\tbundle: {found}\n\tmanifest: {want}");
    Err(Error::new(Kind::Security, text))
}

/// A file in `dir` that has no name once this returns.
///
/// # Errors
/// [`Kind::LocalIo`].
pub(crate) fn unnamed_file(dir: &Path) -> Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!(".modfetch-{}-{number}.tmp", process::id()));
        match create_unnamed(&path) {
            Ok(file) => return Ok(file),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => {
                return Err(Error::io("cannot create a temporary file in", dir, cause)
                    .hint("set TMPDIR to a directory with room for the largest zip"));
            }
        }
    }
}
