//! Zips of a bundle checked on all cores, while the next ones are read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{Scope, ThreadPoolBuilder};
use sha2::{Digest, Sha256};

use super::manifest::ManifestZip;
use crate::error::{Error, Kind, Result};
use crate::system::{FileAt as _, create_unnamed, memory_file};

/// Longer files are not kept in memory; so many bytes a job.
const IN_MEMORY_BYTES: u64 = 4 << 20;

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

/// Copies `bytes` bytes to a file without a name: in memory if it is short, otherwise in `dir`.
///
/// # Errors
/// [`Kind::LocalIo`]; that of `content` as it is, wrapped in [`io::Error`].
pub(super) fn spool(content: &mut dyn Read, bytes: u64, dir: &Path) -> Result<File> {
    let mut file = match bytes <= IN_MEMORY_BYTES {
        true => memory_file().or_else(|_| unnamed_file(dir))?,
        false => unnamed_file(dir)?,
    };
    copy(content, &mut file, bytes)?;
    file.rewind().map_err(|cause| {
        Error::new(Kind::LocalIo, "cannot read a temporary file").because(cause)
    })?;
    Ok(file)
}

/// Copies exactly `bytes` bytes.
///
/// # Errors
/// [`Kind::Input`] if the content ends early; [`Kind::LocalIo`].
pub(super) fn copy(content: &mut dyn Read, to: &mut dyn io::Write, bytes: u64) -> Result<()> {
    let mut room = vec![0; COPY_BYTES];
    let mut left = bytes;
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
                to.write_all(&room[..read])
                    .map_err(|cause| Error::new(Kind::LocalIo, "cannot write").because(cause))?;
                left -= read as u64;
            }
        }
    }
    Ok(())
}

/// Demands that the file of a zip has the bytes of the manifest.
///
/// # Errors
/// [`Kind::Security`], [`Kind::LocalIo`].
pub(super) fn check_bytes(file: &File, zip: &ManifestZip, name: &str) -> Result<()> {
    let (mut hash, mut offset) = (Sha256::new(), 0);
    let mut room = vec![0; COPY_BYTES];
    loop {
        match file.read_at(&mut room, offset) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(&room[..read]);
                offset += read as u64;
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => {
                let error = Error::new(Kind::LocalIo, "cannot read a temporary file");
                return Err(error.because(cause));
            }
        }
    }
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == zip.sha256 {
        return Ok(());
    }
    let want = &zip.sha256;
    let text = format!("{name}: SHA-256 mismatch\n\tbundle: {found}\n\tmanifest: {want}");
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
