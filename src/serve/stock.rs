//! How much is kept: counted in the background, bounded by evicting what was used longest ago.
//!
//! A server listens first and counts later. What it counts is zips, with the small files beside
//! them. Above the high mark, which is the bound, zips go until the low mark is reached, nine
//! tenths of it, those first that were asked for longest ago; go.mod files and metadata stay, so
//! that graphs can still be read and lists do not shrink. A zip that upstream no longer has stays,
//! unless the settings say otherwise: it could not be fetched again.
//!
//! When a zip was used is the time of last access of its `.ziphash`, set by this server at most
//! once an hour. In a module cache that is also recorded where `cache prune` looks for it. The extracted
//! directory of a module is left alone: a build may stand in it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::route::FileKind;
use super::trees::ServedTree;
use crate::gomod::{ModulePath, ModuleVersion};

/// How often the time of use is written down.
const TOUCH_EVERY: Duration = Duration::from_secs(3600);

/// How many uses are remembered.
const MOST_TOUCHED: usize = 100_000;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StockCount {
    pub(super) bytes: u64,
    pub(super) zips: u64,
}

/// A zip that is kept. There may be a million of them: no more than a name and two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptZip {
    /// Below the tree: `a.com/!m/@v/v1.0.0.zip`.
    below: Box<str>,
    pub(super) bytes: u64,
    /// In seconds since 1970.
    used: u64,
}

impl KeptZip {
    /// The version that it is of.
    pub(super) fn module(&self) -> Option<ModuleVersion> {
        module_of(&self.below)
    }
}

fn module_of(below: &str) -> Option<ModuleVersion> {
    let (path, version) = below.rsplit_once("/@v/")?;
    ModuleVersion::unescape(path, version.strip_suffix(".zip")?).ok()
}

/// What a server knows of the size of its main tree.
pub(super) struct Stock {
    /// The main tree, which demands a recorded sum of each zip.
    main: PathBuf,
    demands: bool,
    max_bytes: Option<u64>,
    counted: Mutex<Option<StockCount>>,
    /// By module: versions and bytes, as counted last.
    modules: Mutex<BTreeMap<ModulePath, (u64, u64)>>,
    /// Of go.mod files and metadata, and of zips.
    touched: [Mutex<HashMap<ModuleVersion, Instant>>; 2],
    /// Of the same two, what has not been recorded yet.
    used: [Mutex<Vec<ModuleVersion>>; 2],
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is complete before the guard goes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stock {
    /// Of a main tree; `demands` for a module cache, in which a zip without its sum is unfinished.
    pub(super) fn new(main: &ServedTree, demands: bool, max_bytes: Option<u64>) -> Stock {
        Stock {
            main: main.root().to_owned(),
            demands,
            max_bytes,
            counted: Mutex::default(),
            modules: Mutex::default(),
            touched: Default::default(),
            used: Default::default(),
        }
    }

    /// True if a zip of this tree counts only with its recorded sum.
    pub(super) fn demands_sums(&self, tree: &ServedTree) -> bool {
        self.demands && tree.root() == self.main
    }

    /// What was counted last; `None` until the first count is over.
    pub(super) fn counted(&self) -> Option<StockCount> {
        *locked(&self.counted)
    }

    /// The modules whose path holds `text`, at most `most` of them: path, versions, bytes.
    pub(super) fn modules(&self, text: &str, most: usize) -> Vec<(ModulePath, u64, u64)> {
        let modules = locked(&self.modules);
        let found = modules
            .iter()
            .filter(|(path, _)| path.as_str().contains(text));
        let found = found.map(|(path, (versions, bytes))| (path.clone(), *versions, *bytes));
        found.take(most).collect()
    }

    /// A file of a version was asked for.
    pub(super) fn touch(&self, module: &ModuleVersion, kind: FileKind) {
        let now = Instant::now();
        let which = usize::from(kind == FileKind::Zip);
        let mut touched = locked(&self.touched[which]);
        if touched
            .get(module)
            .is_some_and(|at| now.duration_since(*at) < TOUCH_EVERY)
        {
            return;
        }
        if touched.len() >= MOST_TOUCHED {
            touched.clear();
        }
        touched.insert(module.clone(), now);
        drop(touched);
        if self.demands {
            locked(&self.used[which]).push(module.clone());
        }
        if self.max_bytes.is_none() {
            return;
        }
        let place = (module.escape().ok()).map(|escaped| self.main.join(escaped.file("ziphash")));
        // Best effort: a version that has no sum has no zip, and a tree may be read-only.
        let opened = place.and_then(|place| File::open(place).ok());
        let times = FileTimes::new().set_accessed(SystemTime::now());
        let _ = opened.map(|file| file.set_times(times));
    }

    /// The versions of a module cache that were asked for since the last call: those of which a go.mod or
    /// metadata was, and those of which the zip was.
    pub(super) fn take_used(&self) -> [Vec<ModuleVersion>; 2] {
        [0, 1].map(|which: usize| std::mem::take(&mut *locked(&self.used[which])))
    }

    /// The zip of a version has come.
    pub(super) fn added(&self, tree: &ServedTree, module: &ModuleVersion) {
        let Some(found) = tree.open_file(module, FileKind::Zip) else {
            return;
        };
        if let Some(counted) = &mut *locked(&self.counted) {
            counted.bytes += found.length;
            counted.zips += 1;
        }
    }

    /// True if there is more than there may be, as far as is known.
    pub(super) fn is_over(&self) -> bool {
        let counted = self.counted();
        (self.max_bytes).is_some_and(|most| counted.is_some_and(|counted| counted.bytes > most))
    }

    /// True if there is a bound.
    pub(super) fn is_bounded(&self) -> bool {
        self.max_bytes.is_some()
    }

    /// Where a zip is.
    pub(super) fn place(&self, zip: &KeptZip) -> PathBuf {
        self.main.join(&*zip.below)
    }

    /// Looks at every zip, and hands each to `zips`. Between folders `go_on` is asked; once it says no, the rest is
    /// passed over.
    pub(super) fn count(&self, go_on: &dyn Fn() -> bool, zips: &mut dyn FnMut(KeptZip)) {
        let mut counted = StockCount::default();
        let mut modules: BTreeMap<ModulePath, (u64, u64)> = BTreeMap::new();
        let mut look = |zip: KeptZip| {
            let Some(module) = zip.module() else {
                return;
            };
            counted.bytes += zip.bytes;
            counted.zips += 1;
            let module = modules.entry(module.path().clone()).or_default();
            *module = (module.0 + 1, module.1 + zip.bytes);
            zips(zip);
        };
        walk(&self.main, &self.main, &mut look, go_on);
        *locked(&self.modules) = modules;
        *locked(&self.counted) = Some(counted);
    }

    /// Which zips have to go, those first that were used longest ago: enough to get from above the
    /// high mark to the low one.
    pub(super) fn surplus(&self, mut zips: Vec<KeptZip>) -> Vec<KeptZip> {
        let Some(most) = self.max_bytes else {
            return Vec::new();
        };
        let mut bytes: u64 = zips.iter().map(|zip| zip.bytes).sum();
        if bytes <= most {
            return Vec::new();
        }
        let low = most / 10 * 9;
        zips.sort_by_key(|zip| zip.used);
        let mut surplus = Vec::new();
        for zip in zips {
            if bytes <= low {
                break;
            }
            bytes -= zip.bytes;
            surplus.push(zip);
        }
        surplus
    }

    /// A zip was removed.
    pub(super) fn removed(&self, zip: &KeptZip) {
        if let Some(counted) = &mut *locked(&self.counted) {
            counted.bytes = counted.bytes.saturating_sub(zip.bytes);
            counted.zips = counted.zips.saturating_sub(1);
        }
    }
}

/// Folders deeper than any module path are not looked into.
const DEEPEST: usize = 64;

fn walk(root: &Path, folder: &Path, zips: &mut dyn FnMut(KeptZip), go_on: &dyn Fn() -> bool) {
    let depth = folder.components().count() - root.components().count();
    if depth > DEEPEST || !go_on() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        let place = entry.path();
        if kind.is_dir() && name != "sumdb" {
            walk(root, &place, zips, go_on);
        } else if name.ends_with(".zip")
            && kind.is_file()
            && let Some(zip) = kept_zip(root, &place)
        {
            zips(zip);
        }
    }
}

fn kept_zip(root: &Path, place: &Path) -> Option<KeptZip> {
    let found = fs::metadata(place).ok()?;
    let hash = fs::metadata(place.with_extension("ziphash"));
    let used = hash
        .and_then(|hash| hash.accessed())
        .or_else(|_| found.modified());
    // What no file system says was used as long ago as can be.
    let used = used.unwrap_or(SystemTime::UNIX_EPOCH);
    let used = used.duration_since(SystemTime::UNIX_EPOCH);
    Some(KeptZip {
        below: place.strip_prefix(root).ok()?.to_str()?.into(),
        bytes: found.len(),
        used: used.unwrap_or_default().as_secs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(names: &[(&str, usize)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (age, (name, size)) in names.iter().enumerate() {
            let place = dir.path().join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, vec![0; *size]).unwrap();
            let hash = place.with_extension("ziphash");
            fs::write(&hash, "h1:").unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 * age as u64);
            let times = FileTimes::new().set_accessed(used);
            File::open(&hash).unwrap().set_times(times).unwrap();
        }
        dir
    }

    #[test]
    fn what_was_used_longest_ago_goes_until_the_low_mark() {
        let dir = tree(&[
            ("a.com/m/@v/v1.0.0.zip", 40),
            ("a.com/!x/@v/v1.0.0.zip", 30),
            ("b.com/m/@v/v1.2.0.zip", 30),
            ("sumdb/a/@v/v1.0.0.zip", 1000),
        ]);
        let stock = Stock::new(&ServedTree::at(dir.path()), true, Some(70));
        let count = || {
            let mut zips = Vec::new();
            stock.count(&|| true, &mut |zip| zips.push(zip));
            zips
        };
        let name = |zip: &KeptZip| zip.module().unwrap().to_string();
        let zips = count();
        let counted = StockCount {
            bytes: 100,
            zips: 3,
        };
        assert_eq!(stock.counted(), Some(counted));
        assert!(stock.is_over());
        let surplus = stock.surplus(zips.clone());
        let names: Vec<String> = surplus.iter().map(name).collect();
        assert_eq!(names, ["a.com/m@v1.0.0"]);
        // A use makes it the newest.
        let used = zips.iter().find(|zip| zip.bytes == 40).unwrap();
        let used = used.module().unwrap();
        stock.touch(&used, FileKind::Zip);
        stock.touch(&used, FileKind::Zip);
        assert_eq!(stock.take_used(), [vec![], vec![used]]);
        assert_eq!(stock.take_used(), [vec![], vec![]]);
        let surplus = stock.surplus(count());
        let names: Vec<String> = surplus.iter().map(name).collect();
        assert_eq!(names, ["a.com/X@v1.0.0", "b.com/m@v1.2.0"]);
        let roomy = Stock::new(&ServedTree::at(dir.path()), true, Some(100));
        assert!(roomy.surplus(zips).is_empty());
    }
}
