//! What a cache holds that is not complete: counted, not touched.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Cache;

/// Whoever still writes to a temporary has written within this time: a zip comes in pieces, each
/// of them within the stall time-out.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// The length of what a ziphash holds.
const ZIPHASH_BYTES: u64 = 47;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Zips with a valid ziphash beside them.
    pub complete: u64,
    /// Zips whose ziphash is missing or torn; it is made again when they are needed.
    pub unhashed: u64,
    /// Directories that are marked as being unpacked.
    pub partial: u64,
    /// The mark of one of them.
    pub partial_example: Option<PathBuf>,
    /// Zips of which a part is kept: the next transfer goes on from there.
    pub parts: u64,
    /// How many bytes they hold.
    pub parts_bytes: u64,
    /// Temporaries without a write for an hour.
    pub abandoned: u64,
    /// How many bytes they hold.
    pub abandoned_bytes: u64,
    /// One of them.
    pub abandoned_example: Option<PathBuf>,
    /// Directories that could not be read, and the first reason.
    pub unreadable: Option<String>,
    /// The time was up before everything was seen.
    pub cut_short: bool,
}

impl Cache {
    /// Looks at all of `cache/download`, but not beyond a point in time. Takes no lock.
    #[must_use]
    pub fn survey(&self, until: Instant) -> Survey {
        let mut survey = Survey::default();
        let mut directories = vec![self.root.join("cache").join("download")];
        while let Some(directory) = directories.pop() {
            if Instant::now() >= until {
                survey.cut_short = true;
                break;
            }
            match fs::read_dir(&directory) {
                Ok(entries) => entries
                    .flatten()
                    .for_each(|entry| survey.take(&entry, &mut directories)),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => {
                    let reason = crate::io_text(&cause);
                    let directory = directory.display();
                    survey
                        .unreadable
                        .get_or_insert_with(|| format!("{directory}: {reason}"));
                }
            }
        }
        survey
    }
}

impl Survey {
    fn take(&mut self, entry: &DirEntry, directories: &mut Vec<PathBuf>) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            directories.push(path);
            return;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("zip") if is_hashed(&path) => self.complete += 1,
            Some("zip") => self.unhashed += 1,
            Some("partial") => {
                self.partial += 1;
                self.partial_example.get_or_insert(path);
            }
            Some("part") => {
                self.parts += 1;
                self.parts_bytes += entry.metadata().map_or(0, |found| found.len());
            }
            Some("tmp") => {
                let Ok(found) = entry.metadata() else { return };
                let written = found.modified().map(|at| at.elapsed());
                if matches!(written, Ok(Ok(age)) if age > ABANDONED) {
                    self.abandoned += 1;
                    self.abandoned_bytes += found.len();
                    self.abandoned_example.get_or_insert(path);
                }
            }
            _ => {}
        }
    }
}

fn is_hashed(zip: &Path) -> bool {
    fs::metadata(zip.with_extension("ziphash")).is_ok_and(|found| found.len() == ZIPHASH_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::SystemTime;

    #[test]
    fn what_is_not_complete_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path()).unwrap();
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(cache.survey(later), Survey::default());
        let versions = dir.path().join("cache/download/a.com/b/@v");
        fs::create_dir_all(&versions).unwrap();
        let put = |name: &str, bytes: usize| {
            let file = versions.join(name);
            fs::write(&file, vec![b'x'; bytes]).unwrap();
            file
        };
        put("v1.0.0.zip", 9);
        put("v1.0.0.ziphash", 47);
        put("v1.1.0.zip", 9);
        put("v1.1.0.ziphash", 46);
        put("v1.2.0.zip", 9);
        put("v1.2.0.lock", 0);
        let partial = put("v1.3.0.partial", 0);
        put("v1.3.0.zip5.tmp", 1000);
        put("v1.5.0.zip.part", 70);
        put("v1.5.0.zip.part.from", 80);
        let old = put("v1.4.0.zip77.tmp", 300);
        let hours_ago = SystemTime::now() - Duration::from_secs(7200);
        File::options()
            .write(true)
            .open(&old)
            .unwrap()
            .set_modified(hours_ago)
            .unwrap();
        let want = Survey {
            complete: 1,
            unhashed: 2,
            partial: 1,
            partial_example: Some(partial),
            parts: 1,
            parts_bytes: 70,
            abandoned: 1,
            abandoned_bytes: 300,
            abandoned_example: Some(old),
            ..Survey::default()
        };
        assert_eq!(cache.survey(later), want);
        assert!(cache.survey(Instant::now()).cut_short);
    }
}
