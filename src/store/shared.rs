//! The store of a server: what it fetched upstream goes there in the background, and what was read
//! from there is known to be right.
//!
//! Of a version the zip goes first, then its sum, then `.mod`, and `.info` last, each from the local
//! cache, where it is proven. A server that ends in the middle leaves a version without `.info`; the
//! next server that needs a file which the store lacks brings it there. What the store had wrong is
//! replaced; what it has is otherwise left.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::objects::{Existing, ObjectStore};
use super::source::StoreSource;
use crate::error::Result;
use crate::gomod::{ModuleVersion, is_pseudo_version};
use crate::layout::{self, VersionFile};
use crate::modzip::sha256_of_file;

/// Uploads at once; each holds a part of 8 MiB at most.
const UPLOADERS: usize = 4;

/// Uploads that wait. One more is left out: whoever needs the version next brings it.
const QUEUE: usize = 4096;

/// Versions whose state in the store is remembered.
const MOST_VERSIONS: usize = 100_000;

/// How long a URL is good for that a client is sent to.
const REDIRECT_SECONDS: u64 = 900;

/// What is known of a version in the store.
#[derive(Clone, Copy, Debug, Default)]
struct KnownVersion {
    zip: bool,
    gomod: bool,
    info: bool,
    /// It was left without `.info`, until the rest is known to be there.
    waits: bool,
    /// Its zip was read back and is right.
    verified: bool,
}

enum StoreJob {
    /// What the store lacks of a version; `replace` is what it had wrong.
    Version(ModuleVersion, Option<VersionFile>),
    /// A small file.
    File(String, Vec<u8>),
    /// The zip of a version is compared with the local one.
    ReadBack(ModuleVersion),
}

/// Where warnings go.
type Warn = Box<dyn Fn(&str) + Send + Sync>;

struct SharedStoreInner {
    objects: Arc<ObjectStore>,
    /// The download folder of the local cache.
    local: PathBuf,
    known: Mutex<HashMap<ModuleVersion, KnownVersion>>,
    /// Uploads that were begun or wait.
    pending: Mutex<usize>,
    changed: Condvar,
    uploaded: AtomicU64,
    left_out: AtomicU64,
    replaced: AtomicU64,
    warn: Warn,
}

/// See the module.
pub struct SharedStore {
    inner: Arc<SharedStoreInner>,
    source: StoreSource,
    jobs: Sender<StoreJob>,
    redirect: bool,
}

impl std::fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.objects.fmt(f)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is complete before the guard goes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedStore {
    /// Uploads from the download folder `local`. `redirect` if clients may be sent to the store.
    #[must_use]
    pub fn new(
        objects: Arc<ObjectStore>,
        local: PathBuf,
        redirect: bool,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> SharedStore {
        let (jobs, waiting) = crossbeam_channel::bounded(QUEUE);
        let source = StoreSource::new(Arc::clone(&objects));
        let inner = Arc::new(SharedStoreInner {
            objects,
            local,
            known: Mutex::default(),
            pending: Mutex::default(),
            changed: Condvar::new(),
            uploaded: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            warn: Box::new(warn),
        });
        for _ in 0..UPLOADERS {
            let (inner, waiting) = (Arc::clone(&inner), waiting.clone());
            let thread = thread::Builder::new().name("store".into());
            // Fewer do the same work; with none the queue fills, and what is left out is counted.
            let _ = thread.spawn(move || inner.work(&waiting));
        }
        SharedStore {
            inner,
            source,
            jobs,
            redirect,
        }
    }

    /// What is asked and counted.
    #[must_use]
    pub fn objects(&self) -> &Arc<ObjectStore> {
        &self.inner.objects
    }

    /// The store as a source.
    #[must_use]
    pub fn source(&self) -> &StoreSource {
        &self.source
    }

    /// Uploads that wait or are under way, versions that were completed, uploads that were left out.
    #[must_use]
    pub fn uploads(&self) -> (u64, u64, u64) {
        (
            *locked(&self.inner.pending) as u64,
            self.inner.uploaded.load(Ordering::Relaxed),
            self.inner.left_out.load(Ordering::Relaxed),
        )
    }

    /// Files that the store had wrong, or broke off.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.inner.replaced.load(Ordering::Relaxed)
    }

    /// A file of a version was fetched and proven. `from_upstream` if it did not come from a cache or
    /// store: then the store lacks it, or has it wrong.
    pub fn settle(&self, module: &ModuleVersion, file: VersionFile, from_upstream: bool) {
        let given = self.source.take_given(module, file);
        if from_upstream {
            if given {
                // Whatever was known of it does not count.
                locked(&self.inner.known).remove(module);
                self.inner.replaced.fetch_add(1, Ordering::Relaxed);
                let text = format!(
                    "store: {module}: its .{} was wrong or cut, and is replaced",
                    file.suffix()
                );
                (self.inner.warn)(&text);
            }
            self.enqueue(StoreJob::Version(module.clone(), given.then_some(file)));
        } else if given {
            let mut waits = false;
            self.inner.note(module, |known| {
                match file {
                    VersionFile::Zip => (known.zip, known.verified) = (true, true),
                    VersionFile::GoMod => known.gomod = true,
                    _ => known.info = true,
                }
                waits = known.waits && known.zip && known.gomod;
            });
            if waits {
                self.enqueue(StoreJob::Version(module.clone(), None));
            }
        }
    }

    /// A small file that was proven goes to the store.
    pub(super) fn put_file(&self, name: String, data: Vec<u8>) {
        self.enqueue(StoreJob::File(name, data));
    }

    /// Where a client gets the zip of a version from the store: only if clients may be sent there, the
    /// store works, and this server has read that zip from there and verified it.
    #[must_use]
    pub fn redirect(&self, module: &ModuleVersion) -> Option<String> {
        if !self.redirect || self.inner.objects.failing().is_some() {
            return None;
        }
        let known = locked(&self.inner.known).get(module).copied()?;
        if !known.verified {
            if known.zip {
                self.inner.note(module, |known| known.zip = false);
                self.enqueue(StoreJob::ReadBack(module.clone()));
            }
            return None;
        }
        let name = layout::file(&module.escape().ok()?, VersionFile::Zip);
        self.inner.objects.presigned_url(&name, REDIRECT_SECONDS)
    }

    /// Waits until nothing is to be uploaded any more. False if that took too long.
    #[must_use]
    pub fn drain(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut pending = locked(&self.inner.pending);
        while *pending > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.inner.changed.wait_timeout(pending, left);
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn enqueue(&self, job: StoreJob) {
        *locked(&self.inner.pending) += 1;
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.jobs.try_send(job)
        {
            self.inner.left_out.fetch_add(1, Ordering::Relaxed);
            self.inner.done();
        }
    }
}

impl SharedStoreInner {
    fn note(&self, module: &ModuleVersion, change: impl FnOnce(&mut KnownVersion)) {
        let mut versions = locked(&self.known);
        if versions.len() >= MOST_VERSIONS {
            versions.clear();
        }
        change(versions.entry(module.clone()).or_default());
    }

    fn done(&self) {
        *locked(&self.pending) -= 1;
        self.changed.notify_all();
    }

    fn work(&self, waiting: &Receiver<StoreJob>) {
        for job in waiting {
            let (name, ended) = match &job {
                StoreJob::Version(module, replace) => {
                    (module.to_string(), self.put_version(module, *replace))
                }
                StoreJob::File(name, data) => (
                    name.clone(),
                    self.objects.put(name, data, Existing::Replace),
                ),
                StoreJob::ReadBack(module) => (module.to_string(), self.read_back(module)),
            };
            if let Err(error) = ended {
                (self.warn)(&format!("store: {name}: {}", error.chain()));
            }
            self.done();
        }
    }

    fn put_version(&self, module: &ModuleVersion, replace: Option<VersionFile>) -> Result<()> {
        let escaped = module.escape()?;
        let name = |file| layout::file(&escaped, file);
        let local = |file| self.local.join(name(file));
        let known = locked(&self.known).get(module).copied().unwrap_or_default();
        let existing = |file| match replace == Some(file) {
            true => Existing::Replace,
            false => Existing::Keep,
        };
        let mut zip_is_there = known.zip || known.verified;
        let hash = fs::read(local(VersionFile::ZipHash)).ok();
        if !zip_is_there && let (Ok(zip), Some(hash)) = (File::open(local(VersionFile::Zip)), hash)
        {
            let place = name(VersionFile::Zip);
            let length = zip.metadata().map(|found| found.len()).ok();
            let stays = existing(VersionFile::Zip) == Existing::Keep
                && length.is_some()
                && self.objects.head(&place)? == length;
            if !stays {
                self.objects.put_file(&place, &zip, Existing::Replace)?;
                let sum = name(VersionFile::ZipHash);
                self.objects.put(&sum, &hash, Existing::Replace)?;
            }
            self.note(module, |known| known.zip = true);
            zip_is_there = true;
        }
        let mut gomod_is_there = known.gomod;
        if !gomod_is_there && let Ok(data) = fs::read(local(VersionFile::GoMod)) {
            let place = name(VersionFile::GoMod);
            self.objects
                .put(&place, &data, existing(VersionFile::GoMod))?;
            self.note(module, |known| known.gomod = true);
            gomod_is_there = true;
        }
        if known.info {
            return Ok(());
        }
        if !zip_is_there || !gomod_is_there {
            let mut came = false;
            self.note(module, |known| {
                // The rest may have been read from the store meanwhile.
                came = known.zip && known.gomod;
                known.waits = !came;
            });
            return match came {
                true => self.put_version(module, replace),
                false => Ok(()),
            };
        }
        if let Ok(data) = fs::read(local(VersionFile::Info)) {
            let place = name(VersionFile::Info);
            self.objects
                .put(&place, &data, existing(VersionFile::Info))?;
            self.note(module, |known| known.info = true);
            self.uploaded.fetch_add(1, Ordering::Relaxed);
            self.renew_list(module)?;
        }
        Ok(())
    }

    fn renew_list(&self, module: &ModuleVersion) -> Result<()> {
        if is_pseudo_version(module.version().as_str()) {
            return Ok(());
        }
        let source = StoreSource::new(Arc::clone(&self.objects));
        self.objects.renew_list(&source, module.path())
    }

    fn read_back(&self, module: &ModuleVersion) -> Result<()> {
        let name = layout::file(&module.escape()?, VersionFile::Zip);
        let local = sha256_of_file(&self.local.join(&name))?;
        let stored = self.objects.sha256(&name, crate::source::MAX_ZIP_BYTES)?;
        if stored != local {
            let text = "the zip in the store is another one: it is replaced";
            (self.warn)(&format!("store: {module}: {text}"));
            return self.put_version(module, Some(VersionFile::Zip));
        }
        self.note(module, |known| (known.zip, known.verified) = (true, true));
        Ok(())
    }
}
