//! `modfetch cache ...`: how large the cache is, what goes from it, and how it travels.

mod archive;
mod du;
mod prune;

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::{Proxy, Sandbox};

/// A sandbox whose cache has what the project needs.
pub fn filled(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy);
    sandbox.run(["download"]).ok();
    sandbox
}

/// Dates everything in a cache, so that it was neither written nor read for so many days; what was
/// recorded of its use goes.
pub fn age_cache(cache: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    let times = FileTimes::new().set_accessed(then).set_modified(then);
    let mut unread = vec![cache.to_owned()];
    while let Some(path) = unread.pop() {
        if path.is_dir() {
            unread.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        File::open(&path).unwrap().set_times(times).unwrap();
    }
    let _ = fs::remove_dir_all(cache.join("cache/modfetch"));
}

/// Dates the files of one version, by `PATH@VERSION` as in paths.
pub fn age_version(cache: &Path, module: &str, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    let times = FileTimes::new().set_accessed(then).set_modified(then);
    let (path, version) = module.split_once('@').unwrap();
    let files = cache.join("cache/download").join(path).join("@v");
    let pieces =
        ["info", "mod", "zip", "ziphash"].map(|end| files.join(format!("{version}.{end}")));
    for file in pieces.into_iter().chain([cache.join(module)]) {
        if let Ok(file) = File::open(file) {
            file.set_times(times).unwrap();
        }
    }
}
