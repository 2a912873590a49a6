//! Which tiles of a checksum database a client reads, and their proof in that order.
//!
//! A client reads the tiles at the edge of the tree, those above each record, and those that show
//! that the head it has seen is the beginning of this one. `go` also reads the edge of the head it
//! has seen, under that head's own names: it cuts a full tile to any width, and no other.
//!
//! [`TilePlan`] is what our own client reads by; a test lets a client with a recording store read the
//! same records, and finds the same tiles.

use crate::error::{Error, Kind, Result};
use crate::sumdb::tile::{PlanProof, Tile, TilePlan, Unproven};
use crate::sumdb::tlog::{Hash, LogSubtree, LogTree, subtrees};

/// The tiles of a bundle, in its order, and how far they are proven.
#[derive(Clone, Debug)]
pub struct ProofTiles {
    plan: TilePlan,
    /// Tiles at the edge of older trees that are the beginning of one at the edge of this one.
    shorter: Vec<Tile>,
    proof: PlanProof,
    shorter_added: usize,
}

impl ProofTiles {
    /// Plans to prove these records of `tree`, and that the trees of the sizes in `since` are its
    /// beginning.
    ///
    /// # Errors
    /// [`Kind::Security`] if the tree does not have them.
    pub fn new(tree: LogTree, since: &[u64], records: &[u64]) -> Result<ProofTiles> {
        let plan = TilePlan::new(tree, &wanted(since, records)).map_err(refused)?;
        let mut shorter: Vec<Tile> = Vec::new();
        for &size in since {
            let hash = tree.hash;
            let edge = TilePlan::new(LogTree { size, hash }, &[]).map_err(refused)?;
            for &tile in edge.tiles() {
                let now = tile.in_tree_of(tree.size);
                let is_cut = now.is_some_and(|now| !now.is_full() && now != tile);
                if is_cut && !shorter.contains(&tile) {
                    shorter.push(tile);
                }
            }
        }
        let proof = PlanProof::of(&plan).map_err(refused)?;
        Ok(ProofTiles {
            plan,
            shorter,
            proof,
            shorter_added: 0,
        })
    }

    /// Their names below the database, in order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let tiles = self.plan.tiles().iter().chain(&self.shorter);
        tiles.map(|tile| tile.path())
    }

    /// Proves the next tile. Those at the edge of the tree are proven together, with the last of
    /// them.
    ///
    /// # Errors
    /// [`Kind::Security`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        if self.proof.added() < self.plan.tiles().len() {
            return self.proof.add(&self.plan, bytes).map_err(refused);
        }
        let tile = self.shorter.get(self.shorter_added).copied();
        let tile = tile.ok_or_else(|| refused(Unproven::Outside))?;
        if self.shorter_bytes(tile).as_deref() != Some(bytes) {
            return Err(refused(Unproven::Inconsistent(0..0)));
        }
        self.shorter_added += 1;
        Ok(())
    }

    /// The content of the tiles that are shorter than the ones they are part of, which have been
    /// added.
    #[must_use]
    pub fn shorter(&self) -> Vec<(String, Vec<u8>)> {
        let tiles = self.shorter.iter();
        let tiles = tiles.filter_map(|tile| Some((tile.path(), self.shorter_bytes(*tile)?)));
        tiles.collect()
    }

    fn shorter_bytes(&self, tile: Tile) -> Option<Vec<u8>> {
        let hashes = self.proof.edge_tile(&self.plan, tile)?;
        let width = tile.byte_length() / Hash::BYTES;
        let hashes = hashes.get(..width)?.iter();
        Some(hashes.flat_map(|hash| hash.as_bytes()).copied().collect())
    }

    /// The hashes of the records, in their order, when all tiles have been added.
    ///
    /// # Errors
    /// [`Kind::Security`] if tiles are missing.
    pub fn finish(self, records: usize) -> Result<Vec<Hash>> {
        if self.shorter_added < self.shorter.len() {
            return Err(refused(Unproven::Length));
        }
        let mut hashes = self.proof.finish().map_err(refused)?;
        Ok(hashes.split_off(hashes.len().saturating_sub(records)))
    }
}

/// What has to be proven: the older trees, then the records.
pub(super) fn wanted(since: &[u64], records: &[u64]) -> Vec<LogSubtree> {
    let older = since.iter().flat_map(|&size| subtrees(0, size));
    let leaves = records
        .iter()
        .map(|&number| LogSubtree { level: 0, number });
    older.chain(leaves).collect()
}

fn refused(reason: Unproven) -> Error {
    let text = match reason {
        Unproven::Inconsistent(_) => "the tile is not the one that was signed".to_owned(),
        other => other.to_string(),
    };
    Error::new(Kind::Security, text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::gomod::ModuleVersion;
    use crate::sumdb::SumDbClient;
    use crate::sumdb::note::NoteVerifier;
    use crate::sumdb::recording_store::RecordingStore;
    use crate::sumdb::testing::{Log, NAME, Server, head, key};

    /// The tiles that a client reads: one that starts with the head of a tree of `since` records,
    /// or with none, and asks about these records of a log.
    fn read_by_client(log: &Log, since: Option<u64>, records: &[u64]) -> BTreeSet<String> {
        let note = since.map(|size| head(log.tree(size))).unwrap_or_default();
        let store = Arc::new(RecordingStore::with_head(&note));
        let verifier = NoteVerifier::parse(&key(NAME)).unwrap();
        let server = Server::of(log.clone());
        let client = SumDbClient::new(verifier, Arc::clone(&store), Box::new(server));
        for id in records {
            let module = ModuleVersion::parse(&format!("example.com/m{id}"), "v1.0.0").unwrap();
            client.lookup(&module).unwrap();
        }
        let kept = store.kept().into_keys();
        kept.filter(|name| name.starts_with("tile/")).collect()
    }

    #[test]
    fn the_tiles_are_those_that_a_client_reads() {
        let log = Log::of(70_000);
        let records = [0, 300, 65_535, 65_536, 69_999];
        for since in [None, Some(700), Some(65_536), Some(69_900)] {
            let sizes: Vec<u64> = since.into_iter().collect();
            let tiles = ProofTiles::new(log.tree(70_000), &sizes, &records).unwrap();
            let plan: BTreeSet<String> =
                tiles.plan.tiles().iter().map(|tile| tile.path()).collect();
            assert_eq!(plan, read_by_client(&log, since, &records), "{since:?}");
        }
        // What go reads of its own head is beside that under another name only where it is cut.
        let shorter = |size| {
            let tiles = ProofTiles::new(log.tree(70_000), &[size], &[]).unwrap();
            tiles
                .shorter
                .iter()
                .map(|tile| tile.path())
                .collect::<Vec<_>>()
        };
        // 700 = 2 * 256 + 188, all of it in tiles that are full by now.
        assert_eq!(shorter(700), Vec::<String>::new());
        // 69,900 = 1 * 65,536 + 17 * 256 + 12, where 70,000 = ... + 17 * 256 + 112.
        assert_eq!(shorter(69_900), ["tile/8/0/273.p/12"]);
        assert_eq!(shorter(65_536), Vec::<String>::new());
        assert_eq!(shorter(66_000), ["tile/8/1/001.p/1"]);
    }

    #[test]
    fn every_altered_tile_is_refused_when_it_is_added_or_at_the_end_of_the_edge() {
        let log = Log::of(70_000);
        let new = || ProofTiles::new(log.tree(70_000), &[66_000], &[300, 69_999]).unwrap();
        let mut tiles = new();
        let mut bytes: Vec<Vec<u8>> = log.tiles(&tiles.plan);
        for tile in bytes.clone() {
            tiles.add(&tile).unwrap();
        }
        let shorter = tiles.shorter();
        assert_eq!(shorter.len(), 1);
        bytes.extend(shorter.into_iter().map(|(_, bytes)| bytes));
        tiles.add(bytes.last().unwrap()).unwrap();
        assert!(tiles.add(b"").is_err());
        let leaves = tiles.finish(2).unwrap();
        assert_eq!(leaves, [log.leaf(300), log.leaf(69_999)]);
        // 70,000 has one tile at the edge of each of three levels.
        for altered in 0..bytes.len() {
            let mut tiles = new();
            let refused_at = bytes.iter().enumerate().position(|(at, tile)| {
                let mut tile = tile.clone();
                if at == altered {
                    let last = tile.len() - 1;
                    tile[last.min(40)] ^= 4;
                }
                tiles.add(&tile).is_err()
            });
            assert_eq!(refused_at, Some(altered.max(2)));
        }
        let mut short = new();
        short.add(&bytes[0]).unwrap();
        assert!(short.finish(2).is_err());
    }
}
