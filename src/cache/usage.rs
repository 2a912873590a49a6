//! The usage log: when modfetch used which module version.
//!
//! `cache/modfetch/usage` holds a line a use: seconds since 1970, a space, and `PATH@VERSION` (escaped as
//! in paths) for zip and directory, or `PATH@VERSION/go.mod` for the go.mod alone, as part of a graph. The
//! last use is the largest number that any line of a name has. What `go` uses is not here; its uses show in
//! access times, where the file system keeps them.
//!
//! # Rules
//! - Whoever appends or compacts holds the exclusive lock of the file. A writer that obtained the lock
//!   of a file that was replaced meanwhile opens the new one.
//! - A batch of lines begins with a line feed, so that a line that a killed writer left half does not
//!   swallow the first of the next batch. Lines that make no sense are passed over.
//! - When the file has grown to twice its size after the last compaction and some, the writer that
//!   notices replaces it by one line a version, renamed into place. The first line says how long that
//!   file is. A reader takes no lock: it sees the old file or the new one.
//! - Nothing depends on it but which version `prune` takes first. So a failure to record is none of the
//!   command: a cache that is read-only, full or has no locks is used without being recorded.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::scan::now_secs;
use super::{Cache, VersionRecord};
use crate::error::{Error, Result};
use crate::failpoints;
use crate::fsio::{FileLock, begin_write, write_atomically};
use crate::gomod::ModuleVersion;

/// Before the number of bytes of a compacted file.
const HEADER: &str = "# modfetch usage 1 ";

/// Behind the name of a version of which the go.mod was used.
const GOMOD: &str = "/go.mod";

/// How far the file may grow beyond twice its compact size: some thousand uses.
const SLACK_BYTES: u64 = 256 << 10;

/// Tries to get the lock, and the pause between them: others hold it for a moment.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// The last uses that were recorded, in seconds since 1970, by `PATH@VERSION`, escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses(HashMap<String, u64>);

impl Uses {
    fn parse(text: &str, since: u64) -> Uses {
        let mut uses = HashMap::new();
        for line in text.lines() {
            let Some((at, name)) = line.split_once(' ') else {
                continue;
            };
            if let Ok(at) = at.parse::<u64>()
                && at >= since
                && name.contains('@')
            {
                let known = uses.entry(name.to_owned()).or_insert(at);
                *known = at.max(*known);
            }
        }
        Uses(uses)
    }

    fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// When content and go.mod of a version were last used; 0 for what was not.
    pub(super) fn of_module(&self, module: &ModuleVersion) -> (u64, u64) {
        let Ok(escaped) = module.escape() else {
            return (0, 0);
        };
        let name = format!("{}@{}", escaped.path().as_str(), escaped.version());
        let content = self.of(&name);
        (content, content.max(self.of(&(name + GOMOD))))
    }

    /// The versions of which something was used.
    pub(super) fn modules(&self) -> BTreeSet<ModuleVersion> {
        let names = self.0.keys().filter_map(|name| {
            let (path, version) = name.strip_suffix(GOMOD).unwrap_or(name).rsplit_once('@')?;
            ModuleVersion::unescape(path, version).ok()
        });
        names.collect()
    }

    /// Dates the records of versions forward to their recorded uses.
    pub(super) fn apply(&self, versions: &mut [VersionRecord]) {
        for record in versions {
            let (content, gomod) = self.of_module(&record.module);
            record.use_recorded(content, gomod);
        }
    }
}

impl Cache {
    /// Records that these versions are being used, and of others the go.mod as part of a graph. What
    /// cannot be recorded is left.
    pub fn record_use<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m ModuleVersion>,
        gomods: impl IntoIterator<Item = &'m ModuleVersion>,
    ) {
        let now = now_secs().to_string();
        let mut text = String::new();
        let mut add = |module: &ModuleVersion, end: &str| {
            if let Ok(escaped) = module.escape() {
                let (path, version) = (escaped.path().as_str(), escaped.version());
                text.extend(["\n", &now, " ", path, "@", version, end]);
            }
        };
        modules.into_iter().for_each(|module| add(module, ""));
        gomods.into_iter().for_each(|module| add(module, GOMOD));
        // Nothing is made in a cache that does not exist.
        if !text.is_empty() && self.root().is_dir() {
            text.push('\n');
            let _ = self.append_uses(&text);
        }
    }

    /// What was recorded since a time; all of it since 0.
    pub(super) fn recorded_uses(&self, since: u64) -> Uses {
        let text = fs::read(self.usage_path()).unwrap_or_default();
        Uses::parse(&String::from_utf8_lossy(&text), since)
    }

    /// Replaces the log by one line a name, of versions that `stays` picks.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]; the log is then as it was.
    pub(super) fn compact_uses(&self, stays: impl Fn(&str) -> bool) -> Result<()> {
        let stays = |name: &str| stays(name.strip_suffix(GOMOD).unwrap_or(name));
        let path = self.usage_path();
        match path.exists() {
            true => compact(&path, &mut lock(&path)?, stays),
            false => Ok(()),
        }
    }

    fn usage_path(&self) -> PathBuf {
        self.state_file("usage")
    }

    fn append_uses(&self, text: &str) -> Result<()> {
        let path = self.usage_path();
        let mut held = lock(&path)?;
        let writing = begin_write();
        let file = held.file();
        let appended = file.seek(SeekFrom::End(0)).and_then(|old| {
            file.write_all(text.as_bytes())?;
            Ok(old + text.len() as u64)
        });
        let length = appended.map_err(|cause| Error::io("cannot write", &path, cause))?;
        drop(writing);
        failpoints::reached("usage-appended");
        if length > SLACK_BYTES && length > 2 * compact_length(&path, &mut held)? + SLACK_BYTES {
            compact(&path, &mut held, |_| true)?;
        }
        Ok(())
    }
}

/// Waits, but not for long, for the lock of the file that is at `path` when the lock is held.
fn lock(path: &Path) -> Result<FileLock> {
    for _ in 0..TRIES {
        match FileLock::try_acquire(path)? {
            Some(held) if held.is_at(path) => return Ok(held),
            Some(_) => {}
            None => thread::sleep(PAUSE),
        }
    }
    Err(Error::io(
        "cannot lock",
        path,
        std::io::ErrorKind::TimedOut.into(),
    ))
}

/// How long the file was when it was compacted last; 0 if it never was.
fn compact_length(path: &Path, held: &mut FileLock) -> Result<u64> {
    let mut start = [0; HEADER.len() + 20];
    let file = held.file();
    let read = file.rewind().and_then(|()| file.read(&mut start));
    let read = read.map_err(|cause| Error::io("cannot read", path, cause))?;
    let start = str::from_utf8(&start[..read]).unwrap_or_default();
    let number = start
        .strip_prefix(HEADER)
        .and_then(|rest| rest.lines().next());
    Ok(number.and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn compact(path: &Path, held: &mut FileLock, stays: impl Fn(&str) -> bool) -> Result<()> {
    let mut data = Vec::new();
    let file = held.file();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut data));
    read.map_err(|cause| Error::io("cannot read", path, cause))?;
    let uses = Uses::parse(&String::from_utf8_lossy(&data), 0);
    let names = uses.0.iter();
    let mut lines: Vec<(&str, u64)> = names.map(|(name, at)| (name.as_str(), *at)).collect();
    lines.retain(|(name, _)| stays(name));
    lines.sort_unstable();
    let mut body = String::new();
    for (name, at) in lines {
        body.extend([&at.to_string(), " ", name, "\n"]);
    }
    let text = format!("{HEADER}{}\n{body}", body.len());
    write_atomically(path, text.as_bytes())?;
    failpoints::reached("usage-compacted");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(number: usize) -> ModuleVersion {
        ModuleVersion::parse(&format!("example.com/Up{number}"), "v1.0.0").unwrap()
    }

    fn cache(root: &Path) -> Cache {
        Cache::at(root).unwrap()
    }

    #[test]
    fn the_latest_use_counts_and_half_lines_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        let path = cache.usage_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let old = "\n100 a.com/a@v1.0.0\n300 a.com/a@v1.0.0\n200 a.com/a@v1.0.0\nx a@v\n17012";
        fs::write(&path, old).unwrap();
        let before = now_secs();
        cache.record_use([&module(1)], []);
        let uses = cache.recorded_uses(0);
        assert_eq!(uses.of("a.com/a@v1.0.0"), 300);
        assert!((before..=now_secs()).contains(&uses.of("example.com/!up1@v1.0.0")));
        assert_eq!(uses.0.len(), 2);
        assert_eq!(cache.recorded_uses(before).0.len(), 1);
        cache.compact_uses(|name| name != "a.com/a@v1.0.0").unwrap();
        assert_eq!(cache.recorded_uses(0).modules(), [module(1)].into());
        cache.record_use([], [&module(1), &module(2)]);
        let (content, gomod) = cache.recorded_uses(0).of_module(&module(2));
        assert!(content == 0 && gomod >= before);
        assert_eq!(
            cache.recorded_uses(0).modules(),
            [module(1), module(2)].into()
        );
    }

    #[test]
    fn many_writers_lose_nothing_while_the_log_is_compacted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        thread::scope(|scope| {
            for writer in 0..4 {
                let cache = &cache;
                scope.spawn(move || {
                    for round in 0..25 {
                        let modules: Vec<_> = (0..8)
                            .map(|n| module(writer * 1000 + round * 8 + n))
                            .collect();
                        cache.record_use(&modules, []);
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..25 {
                    cache.compact_uses(|_| true).unwrap();
                }
            });
        });
        assert_eq!(cache.recorded_uses(0).0.len(), 4 * 25 * 8);
    }

    #[test]
    fn the_log_stays_small() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        let modules: Vec<_> = (0..500).map(module).collect();
        for _ in 0..60 {
            cache.record_use(&modules, []);
        }
        let length = fs::metadata(cache.usage_path()).unwrap().len();
        // 500 lines of some 35 bytes, twice, the slack and one batch.
        assert!(length < SLACK_BYTES + 3 * 500 * 40, "{length}");
        assert_eq!(cache.recorded_uses(0).0.len(), 500);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let missing = cache(&dir.path().join("none"));
        missing.record_use([&module(1)], []);
        assert!(!missing.root().exists());
        let cache = cache(dir.path());
        fs::write(dir.path().join("cache"), "a file").unwrap();
        cache.record_use([&module(1)], []);
        assert_eq!(cache.recorded_uses(0), Uses::default());
    }
}
