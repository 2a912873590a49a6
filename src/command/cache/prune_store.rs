//! `modfetch cache prune --store`: the same rules for the versions of a store.
//!
//! A store keeps no time of use, so that the time when a version was written stands for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::now;
use super::prune::print;
use crate::cache::{
    Evicted, Inventory, PruneOutcome, PrunePlan, PruneRules, Pruned, RecordPiece, Space,
    VersionRecord,
};
use crate::cli::flags;
use crate::command::definition::CommandCall;
use crate::command::network::objects;
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::event::NoEvents;
use crate::http::RequestContext;
use crate::layout::VersionFile;
use crate::report::Console;
use crate::store::{ObjectStore, StoreSource, StoredVersion};

/// The pieces that a store has.
const PIECES: [(RecordPiece, VersionFile); 4] = [
    (RecordPiece::Info, VersionFile::Info),
    (RecordPiece::GoMod, VersionFile::GoMod),
    (RecordPiece::Zip, VersionFile::Zip),
    (RecordPiece::ZipHash, VersionFile::ZipHash),
];

pub(super) fn run(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    url: &str,
    rules: &PruneRules,
) -> Result<Option<Kind>> {
    let raw = call.raw;
    let store = objects(config, url, &RequestContext::new(Arc::new(NoEvents)))?;
    let versions = store.versions()?.into_iter();
    let records = versions.map(|(module, stored)| {
        let spaces = spaces(&stored);
        VersionRecord::stored(module, &spaces, stored.written)
    });
    let inventory = Inventory::of_versions(now(), records.collect());
    let plan = PrunePlan::new(&inventory, rules, now());
    let pruned = match raw.is_on(&flags::N) {
        true => None,
        false => Some(remove(&store, &plan)),
    };
    print(raw, console, &plan, pruned.as_ref(), inventory.total())
}

fn spaces(stored: &StoredVersion) -> Vec<(RecordPiece, Space)> {
    let spaces = PIECES.iter().filter_map(|(piece, file)| {
        let bytes = *stored.files.get(file)?;
        Some((*piece, Space { bytes, files: 1 }))
    });
    spaces.collect()
}

fn remove(store: &Arc<ObjectStore>, plan: &PrunePlan) -> Pruned {
    let source = StoreSource::new(Arc::clone(store));
    let mut pruned = Pruned::default();
    let mut paths = BTreeSet::new();
    for eviction in &plan.evictions {
        let Evicted::Version(module, pieces) = &eviction.what else {
            continue;
        };
        let mut files: Vec<VersionFile> = PIECES
            .iter()
            .filter(|(piece, _)| pieces.contains(piece))
            .map(|(_, file)| *file)
            .collect();
        // An `.info` says that the zip is there.
        if files.contains(&VersionFile::Zip) && !files.contains(&VersionFile::Info) {
            files.push(VersionFile::Info);
        }
        paths.insert(module.path().clone());
        pruned
            .outcomes
            .push(match store.remove_files(module, &files) {
                Ok(()) => {
                    pruned.space += eviction.space;
                    PruneOutcome::Removed
                }
                Err(error) => PruneOutcome::Failed(error),
            });
    }
    for path in paths {
        if let Err(error) = store.renew_list(&source, &path) {
            pruned.outcomes.push(PruneOutcome::Failed(error));
        }
    }
    pruned
}
