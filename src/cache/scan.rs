//! Looking at all of a cache: the one walk that `du`, `list` and `prune` go by.
//!
//! `cache/download` is walked for `@v` directories, and everything beside `cache` for `P@V`. As every
//! reader of a cache does, the walk follows links to directories; where one leads back up, it ends.
//! Nothing is read but directories and metadata, so that access times stay as they are, and no lock is
//! taken. What disappears meanwhile was not there.
//!
//! The files of an extracted directory outnumber all the rest by far. Their space is taken from the
//! last walk (see `index`) where the directory is still the same inode with the same time of change:
//! nothing writes to one that is whole.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::{Scope, ThreadPoolBuilder};

use super::record::TreeStamp;
use super::{Cache, Inventory, RecordPiece, Space, SpaceKind, StoreRecord, VersionRecord};
use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::layout::{self, CACHE, DOWNLOAD, LIST, SUMDB, TEMPORARY, VERSIONS, VersionFile};
use crate::map::Map;
use crate::system::{accessed, keeps_access_times, leads_above, modified};

/// What is known of extracted directories, by `ESCAPED-PATH@ESCAPED-VERSION`.
pub(super) type KnownTrees = Map<String, (TreeStamp, Space)>;

impl Cache {
    /// Looks at everything. `known` directories that are still the same are not entered.
    ///
    /// # Errors
    /// [`Kind::LocalIo`]: a directory cannot be read.
    pub(super) fn walk_all(&self, known: &KnownTrees) -> Result<Inventory> {
        let walk = Walk {
            known,
            found: Mutex::default(),
            failure: Mutex::default(),
        };
        in_parallel(|scope| {
            walk.root(scope, self.root());
        })?;
        if let Some(error) = walk
            .failure
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            return Err(error);
        }
        let found = walk
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(found.inventory(keeps_access_times(self.root())))
    }
}

impl Cache {
    /// Looks at one version, as [`Cache::scan`] looks at all; `None` if it has left nothing.
    pub(super) fn look_at(&self, module: &ModuleVersion) -> Option<VersionRecord> {
        let escaped = module.escape().ok()?;
        let path = escaped.path().as_str();
        let known = KnownTrees::default();
        let walk = Walk {
            known: &known,
            found: Mutex::default(),
            failure: Mutex::default(),
        };
        let versions = self.below(&[DOWNLOAD, "/", &layout::versions(escaped.path())]);
        let names = VersionFile::ALL.map(|file| layout::version_file(escaped.version(), file));
        let mut files = VersionFiles::of(path);
        for name in &names {
            if let Ok(meta) = fs::metadata(versions.join(name)) {
                files.add(name, &meta);
            }
        }
        walk.found(|found| found.take(path, files));
        let tree = layout::extracted(&escaped);
        let directory = self.below(&[&tree]);
        if let Ok(meta) = fs::metadata(&directory) {
            walk.tree(&tree, &directory, &meta);
        }
        let found = walk
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        found.versions.into_values().next()
    }
}

/// Seconds since 1970.
pub(super) fn now_secs() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Runs work on as many threads as there are cores.
///
/// # Errors
/// [`Kind::Other`] if no thread can be started.
pub(super) fn in_parallel<'s, R: Send>(work: impl FnOnce(&Scope<'s>) -> R + Send) -> Result<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(cores).build();
    let pool =
        pool.map_err(|cause| Error::new(Kind::Other, "cannot start threads").because(cause))?;
    Ok(pool.in_place_scope(|scope| work(scope)))
}

/// What the walk has found so far.
#[derive(Default)]
struct ScanFindings {
    /// By `PATH@VERSION`, both escaped.
    versions: Map<String, VersionRecord>,
    stores: BTreeMap<(SpaceKind, String), StoreRecord>,
    rest: BTreeMap<SpaceKind, Space>,
}

impl ScanFindings {
    fn add(&mut self, kind: SpaceKind, space: Space) {
        *self.rest.entry(kind).or_default() += space;
    }

    fn add_store(&mut self, kind: SpaceKind, name: &str, space: Space, used: u64) {
        let store = self.stores.entry((kind, name.to_owned()));
        let store = store.or_insert_with(|| StoreRecord {
            kind,
            name: name.to_owned(),
            space: Space::default(),
            used: 0,
        });
        store.space += space;
        store.used = store.used.max(used);
    }

    /// The record of a version, by its names as they stand in paths; `None` if no module has them.
    fn version(&mut self, path: &str, version: &str) -> Option<&mut VersionRecord> {
        use std::collections::hash_map::Entry;
        match self.versions.entry(format!("{path}@{version}")) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(place) => {
                let module = ModuleVersion::unescape(path, version).ok()?;
                Some(place.insert(VersionRecord::empty(module)))
            }
        }
    }

    /// What is in `@v` of a module, its path as it stands in paths.
    fn take(&mut self, path: &str, files: VersionFiles<'_>) {
        use std::collections::hash_map::Entry;
        for (kind, space) in files.rest {
            self.add(kind, space);
        }
        for (version, record) in files.versions {
            match self.versions.entry(format!("{path}@{version}")) {
                Entry::Vacant(place) => {
                    place.insert(record);
                }
                // Its directory was found first.
                Entry::Occupied(mut there) => there.get_mut().take_files(&record),
            }
        }
    }

    fn inventory(self, keeps_access_times: bool) -> Inventory {
        let mut versions: Vec<VersionRecord> = self.versions.into_values().collect();
        versions.sort_unstable_by(|one, two| one.module.cmp(&two.module));
        Inventory {
            taken: now_secs(),
            versions,
            stores: self.stores.into_values().collect(),
            rest: self.rest,
            keeps_access_times,
        }
    }
}

/// The files in the `@v` of one module, put together by version before another thread is kept waiting.
struct VersionFiles<'n> {
    /// `None` if no module has this path.
    path: Option<ModulePath>,
    /// By version, escaped.
    versions: BTreeMap<&'n str, VersionRecord>,
    rest: BTreeMap<SpaceKind, Space>,
}

impl<'n> VersionFiles<'n> {
    /// None yet; `path` is escaped.
    fn of(path: &str) -> VersionFiles<'n> {
        VersionFiles {
            path: ModulePath::unescape(path).ok(),
            versions: BTreeMap::new(),
            rest: BTreeMap::new(),
        }
    }

    fn add_to_rest(&mut self, kind: SpaceKind, space: Space) {
        *self.rest.entry(kind).or_default() += space;
    }

    fn version(&mut self, version: &'n str) -> Option<&mut VersionRecord> {
        use std::collections::btree_map::Entry;
        match self.versions.entry(version) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(place) => {
                let module = ModuleVersion::with_escaped(self.path.clone()?, version).ok()?;
                Some(place.insert(VersionRecord::empty(module)))
            }
        }
    }

    fn add(&mut self, name: &'n str, meta: &Metadata) {
        let space = Space::of(meta);
        let Some((version, file)) = split_name(name).filter(|_| meta.is_file()) else {
            let kind = match name {
                LIST => SpaceKind::Metadata,
                _ if name.ends_with(TEMPORARY) => SpaceKind::Unfinished,
                _ => SpaceKind::Other,
            };
            return self.add_to_rest(kind, space);
        };
        let piece = match file {
            Some(VersionFile::Lock) => return self.add_to_rest(SpaceKind::Metadata, space),
            Some(VersionFile::Info) => RecordPiece::Info,
            Some(VersionFile::GoMod) => RecordPiece::GoMod,
            Some(VersionFile::Zip) => RecordPiece::Zip,
            Some(VersionFile::ZipHash) => RecordPiece::ZipHash,
            Some(VersionFile::Partial | VersionFile::ZipPart | VersionFile::ZipPartFrom) | None => {
                RecordPiece::Unfinished
            }
        };
        let Some(record) = self.version(version) else {
            return self.add_to_rest(SpaceKind::Other, space);
        };
        *record.space_mut(piece) += space;
        let used = secs(accessed(meta)).max(written(meta));
        match piece {
            // Whoever uses a version reads its ziphash; of the zip the time says nothing.
            RecordPiece::ZipHash => record.use_content(used),
            RecordPiece::Zip => record.use_content(written(meta)),
            RecordPiece::GoMod => record.gomod_used = used,
            _ => record.is_partial |= file == Some(VersionFile::Partial),
        }
    }
}

struct Walk<'w> {
    known: &'w KnownTrees,
    found: Mutex<ScanFindings>,
    failure: Mutex<Option<Error>>,
}

impl<'w> Walk<'w> {
    fn found<R>(&self, act: impl FnOnce(&mut ScanFindings) -> R) -> R {
        act(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is in a directory, with the metadata of each; nothing once the walk has failed.
    fn read(&self, dir: &Path) -> Vec<(String, DirEntry, Metadata)> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() {
            return Vec::new();
        }
        drop(failure);
        match list(dir) {
            Ok(entries) => entries,
            Err(cause) => {
                failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(Error::io("cannot read", dir, cause));
                Vec::new()
            }
        }
    }

    fn root<'s>(&'s self, scope: &Scope<'s>, root: &Path)
    where
        'w: 's,
    {
        if let Ok(own) = fs::metadata(root) {
            self.found(|found| found.add(SpaceKind::Other, Space::of(&own)));
        }
        for (name, entry, meta) in self.read(root) {
            match name.as_str() {
                CACHE if meta.is_dir() => self.cache(scope, &entry.path(), &meta),
                _ => self.tree_entry(scope, &name, &name, entry.path(), &meta),
            }
        }
    }

    /// `cache/`.
    fn cache<'s>(&'s self, scope: &Scope<'s>, dir: &Path, meta: &Metadata)
    where
        'w: 's,
    {
        self.found(|found| found.add(SpaceKind::Other, Space::of(meta)));
        for (name, entry, meta) in self.read(dir) {
            let path = entry.path();
            match name.as_str() {
                "download" if meta.is_dir() => {
                    scope.spawn(move |scope| self.download(scope, &path, "", &meta));
                }
                "vcs" if meta.is_dir() => scope.spawn(move |_| self.vcs(&path, &meta)),
                "modfetch" => scope.spawn(move |_| {
                    let all = self.measure(&path, &meta);
                    self.found(|found| found.add(SpaceKind::State, all.space));
                }),
                _ => {
                    let all = self.measure(&path, &meta);
                    self.found(|found| found.add(SpaceKind::Other, all.space));
                }
            }
        }
    }

    /// A directory at or below `cache/download`; `path` is its name from there.
    fn download<'s>(&'s self, scope: &Scope<'s>, dir: &Path, path: &str, meta: &Metadata)
    where
        'w: 's,
    {
        self.found(|found| found.add(SpaceKind::Other, Space::of(meta)));
        for (name, entry, meta) in self.read(dir) {
            let below = entry.path();
            if !meta.is_dir() {
                self.found(|found| found.add(SpaceKind::Other, Space::of(&meta)));
            } else if name == VERSIONS && !path.is_empty() {
                let module = path.to_owned();
                scope.spawn(move |_| self.versions(&below, &module, &meta));
            } else if name == SUMDB && path.is_empty() {
                scope.spawn(move |_| self.sumdb(&below, &meta));
            } else {
                let path = join(path, &name);
                scope.spawn(move |scope| self.download(scope, &below, &path, &meta));
            }
        }
    }

    /// `cache/download/P/@v`.
    fn versions(&self, dir: &Path, module: &str, meta: &Metadata) {
        let entries = self.read(dir);
        let mut files = VersionFiles::of(module);
        files.add_to_rest(SpaceKind::Metadata, Space::of(meta));
        for (name, _, meta) in &entries {
            files.add(name, meta);
        }
        self.found(|found| found.take(module, files));
    }

    /// Something on the way to `P@V`; `path` is its name below the root.
    fn tree_entry<'s>(
        &'s self,
        scope: &Scope<'s>,
        path: &str,
        name: &str,
        dir: PathBuf,
        meta: &Metadata,
    ) where
        'w: 's,
    {
        if !meta.is_dir() {
            self.found(|found| found.add(SpaceKind::Other, Space::of(meta)));
            return;
        }
        let (path, meta) = (path.to_owned(), meta.clone());
        if name.contains('@') {
            scope.spawn(move |_| self.tree(&path, &dir, &meta));
            return;
        }
        scope.spawn(move |scope| {
            self.found(|found| found.add(SpaceKind::Other, Space::of(&meta)));
            for (name, entry, meta) in self.read(&dir) {
                self.tree_entry(scope, &join(&path, &name), &name, entry.path(), &meta);
            }
        });
    }

    /// `P@V`.
    fn tree(&self, path: &str, dir: &Path, meta: &Metadata) {
        let stamp = TreeStamp::of(meta);
        let space = match self.known.get(path) {
            Some((known, space)) if *known == stamp => *space,
            _ => self.measure(dir, meta).space,
        };
        let names = path.rsplit_once('@');
        self.found(|found| {
            let record = names.and_then(|(path, version)| found.version(path, version));
            let Some(record) = record else {
                found.add(SpaceKind::Other, space);
                return;
            };
            record.stamp = stamp;
            record.spaces[RecordPiece::Tree as usize] = space;
            record.use_content(written(meta));
        });
    }

    /// `cache/vcs`: repositories, each with a lock and a description beside it.
    fn vcs(&self, dir: &Path, meta: &Metadata) {
        self.found(|found| found.add(SpaceKind::Vcs, Space::of(meta)));
        for (name, entry, meta) in self.read(dir) {
            let all = self.measure(&entry.path(), &meta);
            let repository = name.split_once('.').map_or(name.as_str(), |(name, _)| name);
            // go reads the description whenever it uses the repository.
            let used = match name.ends_with(".info") {
                true => all.written.max(secs(accessed(&meta))),
                false => all.written,
            };
            self.found(|found| found.add_store(SpaceKind::Vcs, repository, all.space, used));
        }
    }

    /// `cache/download/sumdb`: a directory for each database.
    fn sumdb(&self, dir: &Path, meta: &Metadata) {
        self.found(|found| found.add(SpaceKind::Sumdb, Space::of(meta)));
        for (name, entry, meta) in self.read(dir) {
            let all = self.measure(&entry.path(), &meta);
            self.found(|found| found.add_store(SpaceKind::Sumdb, &name, all.space, all.written));
        }
    }

    /// Adds up a file or a directory with all that is in it. Links below are not followed: they are
    /// files of their own.
    fn measure(&self, path: &Path, meta: &Metadata) -> Measured {
        let mut all = Measured {
            space: Space::of(meta),
            written: written(meta),
        };
        let mut unread = Vec::new();
        unread.extend(meta.is_dir().then(|| path.to_owned()));
        while let Some(dir) = unread.pop() {
            for (_, entry, meta) in self.read(&dir) {
                all.space += Space::of(&meta);
                all.written = all.written.max(written(&meta));
                // Those that `list` resolved are not entered: their inode is not here.
                if meta.is_dir() && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    unread.push(entry.path());
                }
            }
        }
        all
    }
}

/// What a file or directory comes to.
struct Measured {
    space: Space,
    /// When any of it was last written, in seconds since 1970.
    written: u64,
}

/// The version, escaped, and which of its files a name in `@v` stands for: temporaries stand for what is
/// left of it.
fn split_name(name: &str) -> Option<(&str, Option<VersionFile>)> {
    let Some(temporary) = name.strip_suffix(TEMPORARY) else {
        let (version, file) = VersionFile::split(name)?;
        return Some((version, Some(file)));
    };
    let name = temporary.trim_end_matches(|digit: char| digit.is_ascii_digit());
    VersionFile::split(name).map(|(version, _)| (version, None))
}

/// The entries of a directory with what they are, links to directories resolved; what is not there
/// is empty. A name that is not UTF-8 is passed on with replacement characters: no module has it.
fn list(dir: &Path) -> io::Result<Vec<(String, DirEntry, Metadata)>> {
    let missing = |cause: &io::Error| cause.kind() == io::ErrorKind::NotFound;
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(cause) if missing(&cause) => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry?;
        let meta = match entry.metadata() {
            Ok(meta) if meta.is_symlink() => resolve(&entry.path(), meta),
            Ok(meta) => meta,
            Err(cause) if missing(&cause) => continue,
            Err(cause) => return Err(cause),
        };
        listed.push((
            entry.file_name().to_string_lossy().into_owned(),
            entry,
            meta,
        ));
    }
    Ok(listed)
}

/// What a link leads to, if that is a directory which is not above the link; else the link itself.
fn resolve(link: &Path, own: Metadata) -> Metadata {
    let Ok(target) = fs::metadata(link) else {
        return own;
    };
    match target.is_dir() && !leads_above(link, &target) {
        true => target,
        false => own,
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

fn secs(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

/// When a file, or the list of a directory, was last written.
fn written(meta: &Metadata) -> u64 {
    secs(modified(meta))
}
