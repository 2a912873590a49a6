//! `modfetch cache ...`: how large the module cache is, what may go, and moving it between machines.

pub(super) mod du;
pub(super) mod export;
pub(super) mod import;
pub(super) mod key;
pub(super) mod list;
mod needs;
pub(super) mod prune;
mod prune_store;
mod values;

use std::sync::Arc;

use super::network::progress_settings;
use crate::cache::{Cache, Inventory, KeptForm};
use crate::cli::{Flag, RawArgs};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::fsio::Locks;
use crate::report::{Console, ProgressReporter, age};

static KEEP_FROM: Flag = Flag {
    long: "keep-from",
    value: Some("PATH"),
    brief: "Keep what this project needs",
    detail: "A directory, go.mod or go.work; may be repeated. Needed is what is in the build list, and the \
go.mod of everything in the requirement graph, as far as it is cached: no socket is opened for it.",
    ..Flag::OURS
};

static FOR: Flag = Flag {
    long: "for",
    value: Some("PATH"),
    brief: "Only what this project needs",
    detail: "A directory, go.mod or go.work; may be repeated.",
    ..Flag::OURS
};

static ZIPS: Flag = Flag {
    long: "zips",
    brief: "Modules as zips (the default)",
    detail: "A quarter of the size; directories are made again from the zip, without a network.",
    ..Flag::OURS
};

static TREES: Flag = Flag {
    long: "trees",
    brief: "Modules as extracted directories",
    detail: "go builds from them without the zip. They compress well.",
    ..Flag::OURS
};

static SCAN: Flag = Flag {
    long: "scan",
    brief: "Look at the whole cache again",
    detail: "Otherwise the answer comes from the index of the last look, with what modfetch has fetched since. \
What go has fetched since, and what was removed by other programs, is then not in it.",
    ..Flag::OURS
};

/// The cache of the settings, with locks that are waited for as the settings say.
fn open_cache(config: &Config) -> Result<Cache> {
    let live = Arc::new(ProgressReporter::start(progress_settings(config)));
    let events = live as Arc<dyn EventSink>;
    let locks = Locks::new(config.locks.lock_timeout.value, events);
    Ok(Cache::at(&config.gomodcache.value)?.with_locks(locks))
}

/// `--zips` or `--trees`.
fn kept_form(raw: &RawArgs) -> Result<KeptForm> {
    match (raw.is_on(&ZIPS), raw.is_on(&TREES)) {
        (true, true) => {
            let text = "--zips and --trees cannot be used together";
            Err(Error::new(Kind::Usage, text))
        }
        (_, true) => Ok(KeptForm::Trees),
        _ => Ok(KeptForm::Zips),
    }
}

/// Says what a reader of times of use should know.
fn note_access_times(inventory: &Inventory, console: &Console) {
    if !inventory.keeps_access_times {
        console.note(
            "the file system of the cache keeps no access times (noatime): when go used a module is not \
known, only when modfetch did",
        );
    }
}

/// Says how old an answer from the index is, if it is not new.
fn note_index_age(inventory: &Inventory, now: u64, console: &Console) {
    let seconds = now.saturating_sub(inventory.taken);
    if seconds >= 60 {
        let age = age(seconds);
        console.note(&format!("as of {age} ago; --scan looks again"));
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
