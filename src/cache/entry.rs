//! One module version in the cache: its pieces, which of them are there, and how they come in.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::part::{self, ZipPart};
use super::version_lock::VersionLock;
use super::{Cache, list};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::fsio::{FileLock, Locks, TempFile, begin_write, write_atomically};
use crate::gomod::{H1, ModuleVersion};
use crate::layout::{DOWNLOAD, LIST, VersionFile};
use crate::system::read_small;

/// What stands in `V.ziphash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedHash {
    /// There is no such file.
    Missing,
    /// What is there is no sum: a write was interrupted, or the file was changed.
    Torn,
    /// The sum of the zip.
    Sum(H1),
}

/// What is at `P@V`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extracted {
    /// Nothing.
    Absent,
    /// `.partial` says that it is being made, or was when a run ended.
    Unfinished,
    /// A directory, by all that can be seen from outside.
    Whole,
    /// Something that is no directory, or a link to one, which may lead out of the cache.
    Other,
}

/// The places of one module version.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    module: ModuleVersion,
    /// `cache/download/P/@v/V.`, with which all its files begin, `V` escaped.
    start: PathBuf,
    /// `P@V/`.
    directory: PathBuf,
    locks: Locks,
}

impl CacheEntry {
    pub(super) fn new(cache: &Cache, module: &ModuleVersion) -> Result<CacheEntry> {
        let escaped = module.escape().map_err(|error| error.about(module))?;
        let (path, version) = (escaped.path().as_str(), escaped.version());
        Ok(CacheEntry {
            module: module.clone(),
            start: cache.below(&[DOWNLOAD, "/", path, "/@v/", version, "."]),
            directory: cache.below(&[path, "@", version]),
            locks: cache.locks.clone(),
        })
    }

    /// Which module version this is.
    #[must_use]
    pub fn module(&self) -> &ModuleVersion {
        &self.module
    }

    /// Names the module in a failure: files are named by what failed.
    pub(crate) fn named<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.about(&self.module))
    }

    fn file(&self, file: VersionFile) -> PathBuf {
        self.with_suffix(file.suffix())
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let start = self.start.as_os_str();
        let mut file = OsString::with_capacity(start.len() + suffix.len());
        file.push(start);
        file.push(suffix);
        PathBuf::from(file)
    }

    /// `cache/download/P/@v`.
    pub(super) fn versions(&self) -> &Path {
        self.start.parent().unwrap_or(&self.start)
    }

    /// `V`, escaped.
    fn version(&self) -> &str {
        let name = self.start.file_name().and_then(OsStr::to_str);
        // An escaped version is ASCII.
        name.and_then(|name| name.strip_suffix('.')).unwrap_or("")
    }

    /// `V.info`.
    #[must_use]
    pub fn info_path(&self) -> PathBuf {
        self.file(VersionFile::Info)
    }

    /// `V.mod`.
    #[must_use]
    pub fn gomod_path(&self) -> PathBuf {
        self.file(VersionFile::GoMod)
    }

    /// `V.zip`.
    #[must_use]
    pub fn zip_path(&self) -> PathBuf {
        self.file(VersionFile::Zip)
    }

    /// `V.ziphash`.
    #[must_use]
    pub fn ziphash_path(&self) -> PathBuf {
        self.file(VersionFile::ZipHash)
    }

    /// `P@V`, where the extracted module is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `V.lock`, which covers zip, ziphash and directory.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.file(VersionFile::Lock)
    }

    pub(super) fn partial_path(&self) -> PathBuf {
        self.file(VersionFile::Partial)
    }

    /// What `take` makes of the cached `.info`, if there is one.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`] if it is there and cannot be read.
    pub fn read_info<T>(&self, take: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
        self.named(read_if_present(&self.info_path(), take))
    }

    /// The cached go.mod, if there is one; nothing is said of its sum.
    ///
    /// # Errors
    /// As [`CacheEntry::read_info`].
    pub fn read_gomod(&self) -> Result<Option<Vec<u8>>> {
        self.named(read_if_present(&self.gomod_path(), <[u8]>::to_vec))
    }

    /// Stores the `.info`.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub fn write_info(&self, json: &[u8]) -> Result<()> {
        self.named(write_atomically(&self.info_path(), json))
    }

    /// Stores the go.mod, whose sum has been checked, and lists the version.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub fn write_gomod(&self, data: &[u8]) -> Result<()> {
        let path = self.gomod_path();
        let write = || {
            let mut temp = TempFile::beside(&path)?;
            let written = temp.write_all(data);
            written.map_err(|cause| Error::io("cannot write", temp.path(), cause))?;
            failpoints::reached("mod-temporary-written");
            let list = self.versions().join(LIST);
            let mut lock = self.locks.acquire(&list, Some(&self.module))?;
            let _writing = begin_write();
            list::add(&mut lock, self.versions(), self.version())?;
            failpoints::reached("list-edited");
            temp.commit(&path)?;
            failpoints::reached("mod-renamed");
            Ok(())
        };
        self.named(write())
    }

    /// Writes the list of versions anew, after a `.mod` was removed.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub(super) fn refresh_list(&self) -> Result<()> {
        let list = self.versions().join("list");
        let mut lock = self.locks.acquire(&list, Some(&self.module))?;
        let _writing = begin_write();
        list::refresh(&mut lock, self.versions())
    }

    /// True if the zip is there.
    #[must_use]
    pub fn has_zip(&self) -> bool {
        self.zip_path().exists()
    }

    /// The recorded h1 of the zip; `None` if there is none or it is torn.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`] if it is there and cannot be read.
    pub fn read_ziphash(&self) -> Result<Option<H1>> {
        Ok(match self.recorded()? {
            RecordedHash::Sum(h1) => Some(h1),
            RecordedHash::Missing | RecordedHash::Torn => None,
        })
    }

    /// What the ziphash records, or that it is missing or torn.
    ///
    /// # Errors
    /// As [`CacheEntry::read_ziphash`].
    pub fn recorded(&self) -> Result<RecordedHash> {
        let recorded = |data: &[u8]| {
            let text = str::from_utf8(data).unwrap_or_default();
            H1::parse(text.trim()).map_or(RecordedHash::Torn, RecordedHash::Sum)
        };
        let found = self.named(read_if_present(&self.ziphash_path(), recorded))?;
        Ok(found.unwrap_or(RecordedHash::Missing))
    }

    /// What is where the module is extracted to.
    #[must_use]
    pub fn extracted(&self) -> Extracted {
        match fs::metadata(&self.directory) {
            Ok(_) if self.partial_path().exists() => Extracted::Unfinished,
            Ok(found) if found.is_dir() && !self.directory.is_symlink() => Extracted::Whole,
            Ok(_) => Extracted::Other,
            // A file that cannot be examined is reported when it is read.
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Extracted::Whole,
            Err(_) if self.partial_path().exists() => Extracted::Unfinished,
            Err(_) => Extracted::Absent,
        }
    }

    /// True if `P@V/` is there and no `.partial` says that it is being made.
    #[must_use]
    pub fn has_directory(&self) -> bool {
        self.directory.is_dir() && !self.partial_path().exists()
    }

    /// Waits for the lock that covers zip, ziphash and directory.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`] or [`crate::Kind::LockTimeout`], naming the lock file.
    pub fn lock(&self) -> Result<VersionLock> {
        let lock = self.locks.acquire(&self.lock_path(), Some(&self.module));
        self.named(lock).map(|lock| self.version_lock(lock))
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// As [`CacheEntry::lock`].
    pub fn try_lock(&self) -> Result<Option<VersionLock>> {
        let lock = self.named(FileLock::try_acquire(&self.lock_path()))?;
        Ok(lock.map(|lock| self.version_lock(lock)))
    }

    fn version_lock(&self, held: FileLock) -> VersionLock {
        let depth = self.module.path().as_str().split('/').count();
        VersionLock::new(held, self.lock_path(), depth)
    }

    /// The zip on its way, with what an earlier transfer left of it. Before, what killed processes
    /// left is swept: of this zip all temporaries, since the lock shows that their writers are
    /// gone; of `.info` and `.mod`, whose writers hold no lock, those that are old; of zips of
    /// other versions the parts that no transfer has continued for long.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub fn zip_part(&self, _lock: &VersionLock) -> Result<ZipPart> {
        let version = self.version();
        let zip = format!("{version}.zip");
        let small = ["info", "mod"].map(|suffix| format!("{version}.{suffix}"));
        for file in fs::read_dir(self.versions())
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = file.file_name();
            let Some(name) = name.to_str() else {
                continue;
            };
            if name.ends_with(".tmp") {
                let is_small = small.iter().any(|start| name.starts_with(start));
                if name.starts_with(&zip) || is_small && is_older(&file, OLD_TEMP) {
                    // Best effort: what stays is swept another time.
                    let _ = fs::remove_file(file.path());
                }
            } else if let Some(other) = part::version_of(name)
                && other != version
                && is_older(&file, OLD_PART)
            {
                self.sweep_part_of(other);
            }
        }
        self.named(ZipPart::of(&self.zip_path()))
    }

    /// Removes the part of another version, unless a process is at work on that version.
    fn sweep_part_of(&self, version: &str) {
        let lock = self.versions().join(format!("{version}.lock"));
        if let Ok(Some(_held)) = FileLock::try_acquire(&lock) {
            part::sweep(&self.versions().join(format!("{version}.zip")));
        }
    }

    /// Removes what transfers have left of a zip that is there.
    pub fn sweep_part(&self, _lock: &VersionLock) {
        part::sweep(&self.zip_path());
    }

    /// Puts a zip whose h1 is trusted in its place, its hash first, as go does: a ziphash
    /// without a zip is harmless, a zip without a ziphash is hashed again.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], also if the cache was removed meanwhile: what then has the name of
    /// the part may be another process's.
    pub fn commit_zip(&self, lock: &VersionLock, zip: ZipPart, h1: &H1) -> Result<()> {
        self.commit_ziphash(lock, h1)?;
        failpoints::reached("ziphash-written");
        self.named(zip.commit(&self.zip_path()))?;
        failpoints::reached("zip-renamed");
        Ok(())
    }

    /// Records the h1 of a zip that is there without one.
    ///
    /// # Errors
    /// As [`CacheEntry::commit_zip`].
    pub fn commit_ziphash(&self, lock: &VersionLock, h1: &H1) -> Result<()> {
        self.demand_place(lock)?;
        self.named(write_atomically(
            &self.ziphash_path(),
            h1.as_str().as_bytes(),
        ))
    }

    /// Demands that the lock still covers what is here.
    pub(super) fn demand_place(&self, lock: &VersionLock) -> Result<()> {
        let path = self.lock_path();
        if lock.is_at(&path) {
            return Ok(());
        }
        let gone = Error::io("the lock is gone", &path, io::ErrorKind::NotFound.into());
        self.named(Err(
            gone.hint("was the cache removed while this ran? Run it again")
        ))
    }
}

/// Longer than any write of a few bytes takes.
const OLD_TEMP: Duration = Duration::from_secs(60 * 60);

/// Whoever wanted to go on would have.
const OLD_PART: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// True of a file that was last written so long ago.
fn is_older(file: &fs::DirEntry, age: Duration) -> bool {
    let written = file.metadata().and_then(|found| found.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > age))
}

/// Room for nearly every small file of a cache.
const SMALL_FILE: usize = 8 * 1024;

thread_local! {
    /// Where small files are read to, one after another: a warm run reads three for each module.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What `take` makes of the content of a file; `None` if there is none.
fn read_if_present<T>(path: &Path, take: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
    let mut room = ROOM.take();
    let taken = read_small(path, &mut room).map(|()| take(&room));
    room.clear();
    room.shrink_to(SMALL_FILE);
    ROOM.set(room);
    match taken {
        Ok(taken) => Ok(Some(taken)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::io("cannot read", path, cause)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::cache::Cache;

    fn entry(root: &Path) -> CacheEntry {
        let module = ModuleVersion::parse("example.com/Up/m", "v1.0.0-RC1").unwrap();
        Cache::at(root).unwrap().entry(&module).unwrap()
    }

    #[test]
    fn places_are_those_of_go() {
        // As `go mod download -json` prints them.
        let entry = entry(Path::new("/c"));
        let want = "/c/cache/download/example.com/!up/m/@v/v1.0.0-!r!c1";
        assert_eq!(entry.info_path(), Path::new(&format!("{want}.info")));
        assert_eq!(entry.gomod_path(), Path::new(&format!("{want}.mod")));
        assert_eq!(entry.zip_path(), Path::new(&format!("{want}.zip")));
        assert_eq!(entry.ziphash_path(), Path::new(&format!("{want}.ziphash")));
        assert_eq!(
            entry.directory(),
            Path::new("/c/example.com/!up/m@v1.0.0-!r!c1")
        );
    }

    #[test]
    fn files_of_every_size_are_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let read = |file: &Path| read_if_present(file, <[u8]>::to_vec);
        assert_eq!(read(&file).unwrap(), None);
        for size in [
            0,
            1,
            SMALL_FILE - 1,
            SMALL_FILE,
            SMALL_FILE + 1,
            3 * SMALL_FILE,
        ] {
            let data: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
            fs::write(&file, &data).unwrap();
            assert_eq!(read(&file).unwrap(), Some(data), "{size}");
        }
        assert!(read(dir.path()).is_err());
    }

    #[test]
    fn a_relative_root_is_refused_in_the_words_of_go() {
        let error = Cache::at(Path::new("rel/mod")).unwrap_err();
        assert_eq!(
            error.chain(),
            "GOMODCACHE entry is relative; must be absolute path: \"rel/mod\"."
        );
    }

    #[test]
    fn what_an_interrupted_run_left_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let entry = entry(root.path());
        fs::create_dir_all(entry.directory()).unwrap();
        fs::write(entry.directory().join("stale.go"), "").unwrap();
        let lock = entry.lock().unwrap();
        fs::write(entry.with_suffix("zip123.tmp"), "stale").unwrap();
        for name in ["info1.tmp", "mod2.tmp"] {
            let file = File::create(entry.with_suffix(name)).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
        }
        fs::write(
            entry.with_suffix("info3.tmp"),
            "another process writes this",
        )
        .unwrap();
        let partial = entry.begin_directory(&lock).unwrap();
        fs::create_dir(partial.directory()).unwrap();
        partial.finish().unwrap();
        assert!(entry.has_directory());
        assert_eq!(fs::read_dir(entry.directory()).unwrap().count(), 0);
        fs::write(entry.with_suffix("zip.part"), "").unwrap();
        let busy = FileLock::acquire(&entry.versions().join("v3.lock")).unwrap();
        for name in ["v2.zip.part", "v2.zip.part.from", "v3.zip.part"] {
            let file = File::create(entry.versions().join(name)).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
        }
        fs::write(entry.versions().join("v4.zip.part"), "new").unwrap();
        let part = entry.zip_part(&lock).unwrap();
        drop(busy);
        let there = |name: &str| entry.versions().join(name).exists();
        assert!(!there("v2.zip.part") && !there("v2.zip.part.from"), "old");
        assert!(there("v3.zip.part"), "a process is at work on this");
        assert!(there("v4.zip.part"), "not old");
        for gone in ["zip123.tmp", "info1.tmp", "mod2.tmp"] {
            assert!(!entry.with_suffix(gone).exists(), "{gone} was not swept");
        }
        assert!(entry.with_suffix("info3.tmp").exists());
        assert!(part.path().exists());
    }

    #[test]
    fn a_torn_ziphash_counts_as_none() {
        let root = tempfile::tempdir().unwrap();
        let entry = entry(root.path());
        fs::create_dir_all(entry.versions()).unwrap();
        assert_eq!(entry.read_ziphash().unwrap(), None);
        fs::write(entry.ziphash_path(), [0; 47]).unwrap();
        assert_eq!(entry.read_ziphash().unwrap(), None);
        let h1 = H1::of_go_mod(b"");
        fs::write(entry.ziphash_path(), format!("{h1}\n")).unwrap();
        assert_eq!(entry.read_ziphash().unwrap(), Some(h1));
    }
}
