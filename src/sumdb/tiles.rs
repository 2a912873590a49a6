//! The tiles of a log: got once, from the cache or the database, proven, and only then kept.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::client::Transport;
use super::tile::{MAX_TILE_BYTES, Tile, TilePlan, Unproven};
use super::tile_store::TileStore;
use super::tlog::{Hash, LogSubtree, LogTree};
use crate::error::{Error, Kind, Result};
use crate::memo::{Memo, MemoSettings};

/// The content of a tile, and whether it came from the cache.
#[derive(Clone, Debug)]
pub(super) struct TileContent {
    bytes: Arc<[u8]>,
    cached: bool,
}

impl AsRef<[u8]> for TileContent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Hashes that were proven, and the tiles that proved them.
pub(super) struct Proof {
    pub(super) hashes: Vec<Hash>,
    pub(super) tiles: Vec<(Tile, TileContent)>,
}

/// Tiles in memory, of at most 8 KiB each. The others are in the store.
const CONTENTS: MemoSettings = MemoSettings::holding(1 << 10);

/// The tiles of one database. Clones share them.
#[derive(Clone)]
pub(super) struct Tiles {
    store: Arc<dyn TileStore>,
    transport: Arc<dyn Transport>,
    contents: Arc<Memo<Tile, TileContent>>,
    /// Tiles that are in memory and were written.
    kept: Arc<Mutex<HashSet<Tile>>>,
    /// Tiles whose cached copy may be wrong.
    distrusted: Arc<Mutex<HashSet<Tile>>>,
}

/// Locks what is assigned whole, so that a panic cannot have left it half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tiles {
    /// None so far.
    pub(super) fn new(store: Arc<dyn TileStore>, transport: Arc<dyn Transport>) -> Tiles {
        Tiles {
            store,
            transport,
            contents: Arc::new(Memo::new(CONTENTS)),
            kept: Arc::default(),
            distrusted: Arc::default(),
        }
    }

    /// The same tiles, got through another transport.
    pub(super) fn through(&self, transport: Arc<dyn Transport>) -> Tiles {
        Tiles {
            transport,
            ..self.clone()
        }
    }

    /// Proves the hashes of some subtrees of `tree`. Cached tiles that do not fit are fetched.
    pub(super) fn read(&self, tree: LogTree, wanted: &[LogSubtree]) -> Result<Proof> {
        let refused = |reason: Unproven| Error::new(Kind::Security, reason.to_string());
        let plan = TilePlan::new(tree, wanted).map_err(refused)?;
        let tiles = plan.tiles();
        let mut content = self.all(tiles)?;
        let hashes = loop {
            let reason = match plan.prove(&content) {
                Ok(hashes) => break hashes,
                Err(reason) => reason,
            };
            let Unproven::Inconsistent(places) = &reason else {
                return Err(refused(reason));
            };
            let suspects = tiles.iter().zip(&content).enumerate();
            let suspects = suspects.filter(|(at, (_, found))| places.contains(at) && found.cached);
            let suspects: Vec<Tile> = suspects.map(|(_, (tile, _))| *tile).collect();
            // Each is distrusted once, so this ends.
            if suspects.is_empty() {
                return Err(refused(reason));
            }
            for tile in suspects {
                if lock(&self.distrusted).insert(tile) {
                    self.contents.forget(&tile);
                }
            }
            content = match self.all(tiles) {
                Ok(fresh) => fresh,
                // The altered cache is the news, not that it cannot be repaired now.
                Err(error) if error.kind() == Kind::Offline => return Err(refused(reason)),
                Err(error) => return Err(error),
            };
        };
        Ok(Proof {
            hashes,
            tiles: tiles.iter().copied().zip(content).collect(),
        })
    }

    /// The content of tiles, those that have to be requested all at once.
    fn all(&self, tiles: &[Tile]) -> Result<Vec<TileContent>> {
        let local = |tile: &Tile| self.contents.peek(tile).or_else(|| self.cached_tile(*tile));
        let found: Vec<Option<Result<TileContent>>> = tiles.iter().map(local).collect();
        let missing = tiles
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none());
        let missing: Vec<Tile> = missing.map(|(tile, _)| *tile).collect();
        thread::scope(|scope| {
            // The first is for this thread. Where no more may start, it does the others as well.
            for &tile in missing.iter().skip(1) {
                let fetch = move || drop(self.one(tile));
                let _ = thread::Builder::new().spawn_scoped(scope, fetch);
            }
            missing.first().map(|tile| self.one(*tile));
        });
        let all = tiles.iter().zip(found);
        all.map(|(tile, found)| found.unwrap_or_else(|| self.one(*tile)))
            .collect()
    }

    /// A tile from the cache or the database, unproven.
    fn one(&self, tile: Tile) -> Result<TileContent> {
        self.contents.get(&tile, || {
            if let Some(content) = self.cached_tile(tile) {
                return content;
            }
            let get = |tile: Tile| self.transport.get(&tile.path(), MAX_TILE_BYTES as u64);
            let bytes = match get(tile) {
                // Who only looks wants to know that it is damaged, not that it is unusable.
                Err(error) if error.kind() == Kind::Offline && self.is_torn(tile) => {
                    return Err(Error::new(Kind::Security, Unproven::Length.to_string())
                        .context(tile.path()));
                }
                // A tile that has been filled meanwhile may be there in full only.
                Err(error) if error.is_not_found() && !tile.is_full() => {
                    let full = get(tile.full()).map_err(|_| missing_tile(&error))?;
                    beginning(full, tile)
                        .ok_or_else(|| Error::new(Kind::Security, Unproven::Length.to_string()))?
                }
                other => other.map_err(|error| missing_tile(&error))?,
            };
            Ok(TileContent {
                bytes: bytes.into(),
                cached: false,
            })
        })
    }

    /// True if nothing is repaired here and the cached copy has the wrong length.
    fn is_torn(&self, tile: Tile) -> bool {
        let read = || self.store.read(&tile.path());
        self.store.is_read_only() && read().is_some_and(|bytes| bytes.len() != tile.byte_length())
    }

    fn cached_tile(&self, tile: Tile) -> Option<Result<TileContent>> {
        if lock(&self.distrusted).contains(&tile) {
            return None;
        }
        let right = |bytes: &Vec<u8>| bytes.len() == tile.byte_length();
        let own = self.store.read(&tile.path()).filter(right);
        let bytes = match own {
            Some(bytes) => bytes,
            None if tile.is_full() => return None,
            None => beginning(self.store.read(&tile.full().path())?, tile)?,
        };
        Some(Ok(TileContent {
            bytes: bytes.into(),
            cached: true,
        }))
    }

    /// Caches tiles that were proven. The lowest full ones, of which a run may need as many as
    /// it has modules, are not kept in memory then.
    pub(super) fn keep(&self, tiles: Vec<(Tile, TileContent)>) {
        for (tile, content) in tiles {
            if !content.cached && lock(&self.kept).insert(tile) {
                if !self.store.write(&tile.path(), &content.bytes) {
                    // Of no use again, but it stays in memory.
                    continue;
                }
                lock(&self.distrusted).remove(&tile);
            }
            if tile.is_lowest() && tile.is_full() {
                self.contents.forget(&tile);
            }
        }
    }
}

/// The tile that a full one began as.
fn beginning(mut full: Vec<u8>, tile: Tile) -> Option<Vec<u8>> {
    if full.len() != MAX_TILE_BYTES {
        return None;
    }
    full.truncate(tile.byte_length());
    Some(full)
}

/// A database without one of its tiles is incomplete; that says nothing about a module.
fn missing_tile(error: &Error) -> Error {
    if !error.is_not_found() {
        return error.clone();
    }
    let missing = Error::new(Kind::Network, error.chain());
    missing.hint("the checksum database is incomplete; another proxy may have all of it")
}
