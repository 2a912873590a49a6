//! Tiles: the log's hashes in files of 256, and what it takes to believe one. Pure.
//!
//! Tile `N` of level `L` has the hashes of the 256 subtrees of 2^(8L) records from number 256·N
//! on, 32 bytes each; the last of a level has fewer. A tile is named `tile/8/L/N` where `N` is
//! in groups of three digits, all but the last with an `x` before: `tile/8/0/x001/234`; one that
//! is not full has `.p/WIDTH` behind it.
//!
//! A [`TilePlan`] says which tiles prove some hashes of a tree, and then proves them: the tiles at
//! the edge of the tree make up its hash, every other is hashed into the entry of its parent.
//! No byte of them is without proof.
//!
//! Source: golang/mod `sumdb/tlog/tile.go`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::ops::Range;

use super::tlog::{Hash, LogSubtree, LogTree, subtrees};

/// Levels of the tree within a tile; Go clients know no other.
const HEIGHT: u32 = 8;

/// Hashes in a full tile.
const FULL: u64 = 1 << HEIGHT;

/// The longest tile, in bytes.
pub const MAX_TILE_BYTES: usize = Hash::BYTES << HEIGHT;

/// The name of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    level: u32,
    number: u64,
    /// From 1 to 256.
    width: u64,
}

impl Tile {
    /// Tile `number` of `level` in a tree of `size` records, as wide as it is there.
    fn in_tree(level: u32, number: u64, size: u64) -> Option<Tile> {
        let entries = size.checked_shr(level.checked_mul(HEIGHT)?)?;
        let first = number.checked_mul(FULL)?;
        let width = entries.checked_sub(first)?.min(FULL);
        (width > 0).then_some(Tile {
            level,
            number,
            width,
        })
    }

    /// Where it is below the database, and in the cache.
    #[must_use]
    pub fn path(self) -> String {
        let mut number = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let level = self.level;
        if self.is_full() {
            format!("tile/{HEIGHT}/{level}/{number}")
        } else {
            format!("tile/{HEIGHT}/{level}/{number}.p/{}", self.width)
        }
    }

    /// The same tile in a tree of another size, if it is there.
    #[must_use]
    pub fn in_tree_of(self, size: u64) -> Option<Tile> {
        Tile::in_tree(self.level, self.number, size)
    }

    /// Its length in bytes.
    #[must_use]
    pub fn byte_length(self) -> usize {
        // At most 256 hashes.
        usize::try_from(self.width).map_or(MAX_TILE_BYTES, |width| width * Hash::BYTES)
    }

    /// True if it will never change.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.width == FULL
    }

    /// True if its hashes are those of records, not of subtrees.
    #[must_use]
    pub fn is_lowest(self) -> bool {
        self.level == 0
    }

    /// The same tile when it will be full.
    #[must_use]
    pub fn full(self) -> Tile {
        Tile {
            width: FULL,
            ..self
        }
    }
}

/// Why tiles do not prove what they should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// A hash was asked for that the tree does not have.
    Outside,
    /// A tile has a wrong length, or their number is wrong.
    Length,
    /// The hashes contradict each other or the head. At least one of the tiles at these places
    /// of the plan is wrong.
    Inconsistent(Range<usize>),
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unproven::Outside => "indexes not in tree",
            Unproven::Length => "downloaded tile of wrong length",
            Unproven::Inconsistent(_) => "downloaded inconsistent tile",
        })
    }
}

impl Error for Unproven {}

/// Adjacent hashes of one of the tiles of a plan.
#[derive(Clone, Copy, Debug)]
struct TileSpan {
    tile: usize,
    first: usize,
    count: usize,
}

impl TileSpan {
    fn hash(self, tiles: &[Vec<Hash>]) -> Option<Hash> {
        let tile = tiles.get(self.tile)?;
        Hash::of_complete(tile.get(self.first..self.first + self.count)?)
    }
}

/// Which tiles prove some hashes of a tree.
#[derive(Clone, Debug)]
pub struct TilePlan {
    tree: LogTree,
    tiles: Vec<Tile>,
    /// The subtrees that make up the tree.
    edge: Vec<TileSpan>,
    /// The entry in the parent of each tile that is not at the edge: these come last.
    parents: Vec<TileSpan>,
    wanted: Vec<TileSpan>,
}

impl TilePlan {
    /// Plans to prove the hashes of these subtrees.
    ///
    /// # Errors
    /// [`Unproven::Outside`].
    pub fn new(tree: LogTree, wanted: &[LogSubtree]) -> Result<TilePlan, Unproven> {
        let mut plan = TilePlan {
            tree,
            tiles: Vec::new(),
            edge: Vec::new(),
            parents: Vec::new(),
            wanted: Vec::new(),
        };
        let mut index: HashMap<Tile, usize> = HashMap::new();
        for node in subtrees(0, tree.size) {
            let (tile, mut span) = locate(node, tree.size).ok_or(Unproven::Outside)?;
            span.tile = *index.entry(tile).or_insert_with(|| {
                plan.tiles.push(tile);
                plan.tiles.len() - 1
            });
            plan.edge.push(span);
        }
        for &node in wanted {
            let (tile, mut span) = locate(node, tree.size).ok_or(Unproven::Outside)?;
            span.tile = plan.add(tile, &mut index).ok_or(Unproven::Outside)?;
            plan.wanted.push(span);
        }
        Ok(plan)
    }

    /// Adds a tile below the ones it needs; returns its place.
    fn add(&mut self, tile: Tile, index: &mut HashMap<Tile, usize>) -> Option<usize> {
        let mut missing = Vec::new();
        let mut above = tile;
        let mut place = loop {
            match index.get(&above) {
                Some(&place) => break place,
                // The ones at the edge are known, and no other is without parent.
                None if !above.is_full() => return None,
                None => {
                    missing.push(above);
                    above = Tile::in_tree(above.level + 1, above.number / FULL, self.tree.size)?;
                }
            }
        };
        for tile in missing.into_iter().rev() {
            self.parents.push(TileSpan {
                tile: place,
                first: usize::try_from(tile.number % FULL).ok()?,
                count: 1,
            });
            place = self.tiles.len();
            self.tiles.push(tile);
            index.insert(tile, place);
        }
        Some(place)
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> LogTree {
        self.tree
    }

    /// The tiles it takes, each once: those at the edge of the tree, then each after its parent.
    #[must_use]
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// The hashes that were wanted, from the content of the tiles, in their order.
    ///
    /// # Errors
    /// [`Unproven::Length`], [`Unproven::Inconsistent`]: at least one of them is wrong.
    pub fn prove<T: AsRef<[u8]>>(&self, data: &[T]) -> Result<Vec<Hash>, Unproven> {
        let lengths = self.tiles.iter().map(|tile| tile.byte_length());
        if !lengths.eq(data.iter().map(|bytes| bytes.as_ref().len())) {
            return Err(Unproven::Length);
        }
        let mut proof = PlanProof::of(self)?;
        for bytes in data {
            proof.add(self, bytes.as_ref())?;
        }
        proof.finish()
    }
}

/// The proof of a plan's tiles one by one, in the plan's order: each tile is proven when it is
/// added, except that those at the edge are proven together, with the last of them.
#[derive(Clone, Debug)]
pub struct PlanProof {
    /// The content of each tile that another one is proven by, and of those at the edge.
    content: Vec<Vec<Hash>>,
    /// How many tiles are at the edge; these come first.
    at_edge: usize,
    /// By tile, which of the wanted hashes it has.
    wanted_in: HashMap<usize, Vec<usize>>,
    wanted: Vec<Option<Hash>>,
}

impl PlanProof {
    /// Begins to prove the tiles of a plan.
    ///
    /// # Errors
    /// [`Unproven::Inconsistent`] if the tree is empty and should not be.
    pub fn of(plan: &TilePlan) -> Result<PlanProof, Unproven> {
        let mut wanted_in: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, span) in plan.wanted.iter().enumerate() {
            wanted_in.entry(span.tile).or_default().push(place);
        }
        let proof = PlanProof {
            content: Vec::with_capacity(plan.tiles.len()),
            at_edge: plan.tiles.len() - plan.parents.len(),
            wanted_in,
            wanted: vec![None; plan.wanted.len()],
        };
        if proof.at_edge == 0 && plan.tree.hash != Hash::of_subtrees(&[]) {
            return Err(Unproven::Inconsistent(0..0));
        }
        Ok(proof)
    }

    /// Adds the content of the next tile of `plan`, which is the one that this proof began with.
    ///
    /// # Errors
    /// [`Unproven::Length`], [`Unproven::Outside`] beyond the last tile, [`Unproven::Inconsistent`].
    pub fn add(&mut self, plan: &TilePlan, bytes: &[u8]) -> Result<(), Unproven> {
        let place = self.content.len();
        let tile = plan.tiles.get(place).ok_or(Unproven::Outside)?;
        if bytes.len() != tile.byte_length() {
            return Err(Unproven::Length);
        }
        let hashes = bytes.chunks_exact(Hash::BYTES);
        self.content
            .push(hashes.filter_map(Hash::from_slice).collect());
        if place + 1 == self.at_edge {
            let edge = plan.edge.iter().map(|span| span.hash(&self.content));
            let edge: Option<Vec<Hash>> = edge.collect();
            if edge.map(|edge| Hash::of_subtrees(&edge)) != Some(plan.tree.hash) {
                return Err(Unproven::Inconsistent(0..self.at_edge));
            }
        } else if place >= self.at_edge {
            // Each parent is proven before its children: it is before them.
            let parent = plan.parents.get(place - self.at_edge);
            let entry = parent.and_then(|span| span.hash(&self.content));
            let own = self
                .content
                .get(place)
                .and_then(|all| Hash::of_complete(all));
            if entry.is_none() || entry != own {
                return Err(Unproven::Inconsistent(place..place + 1));
            }
        }
        for &at in self.wanted_in.get(&place).into_iter().flatten() {
            if let (Some(span), Some(room)) = (plan.wanted.get(at), self.wanted.get_mut(at)) {
                *room = span.hash(&self.content);
            }
        }
        // No other tile is proven by it, and there is one such tile a record.
        if tile.is_lowest() && place >= self.at_edge {
            self.content[place] = Vec::new();
        }
        Ok(())
    }

    /// How many tiles have been added.
    #[must_use]
    pub fn added(&self) -> usize {
        self.content.len()
    }

    /// The content of a tile at the edge of the plan's tree, by its level and number.
    #[must_use]
    pub fn edge_tile(&self, plan: &TilePlan, tile: Tile) -> Option<&[Hash]> {
        let is_same = |other: &Tile| other.full() == tile.full();
        let place = plan.tiles.iter().take(self.at_edge).position(is_same)?;
        self.content.get(place).map(Vec::as_slice)
    }

    /// The hashes that were wanted, in their order.
    ///
    /// # Errors
    /// [`Unproven::Length`] if tiles are missing.
    pub fn finish(self) -> Result<Vec<Hash>, Unproven> {
        let wanted: Option<Vec<Hash>> = self.wanted.into_iter().collect();
        wanted.ok_or(Unproven::Length)
    }
}

/// The tile that has the hashes right below a node, or its own, and which of them; the span's
/// tile is not set.
fn locate(node: LogSubtree, size: u64) -> Option<(Tile, TileSpan)> {
    let end = node
        .number
        .checked_add(1)?
        .checked_mul(1_u64.checked_shl(node.level)?)?;
    if end > size {
        return None;
    }
    let level = node.level / HEIGHT;
    let above = node.level % HEIGHT;
    let first = node.number << above;
    let tile = Tile::in_tree(level, first / FULL, size)?;
    let span = TileSpan {
        tile: 0,
        first: usize::try_from(first % FULL).ok()?,
        count: 1 << above,
    };
    Some((tile, span))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Log;
    use super::*;
    use proptest::prelude::*;

    fn leaf(number: u64) -> LogSubtree {
        LogSubtree { level: 0, number }
    }

    #[test]
    fn tiles_are_named_as_go_names_them() {
        // From golang/mod sumdb/tlog/tile_test.go, with the height that clients use.
        let rows = [
            (4, 0, 256, "tile/8/4/000"),
            (4, 0, 5, "tile/8/4/000.p/5"),
            (0, 67, 256, "tile/8/0/067"),
            (0, 1234, 1, "tile/8/0/x001/234.p/1"),
            (3, 1_234_067, 256, "tile/8/3/x001/x234/067"),
            (1, 1000, 255, "tile/8/1/x001/000.p/255"),
        ];
        for (level, number, width, want) in rows {
            let tile = Tile {
                level,
                number,
                width,
            };
            assert_eq!(tile.path(), want);
        }
    }

    #[test]
    fn every_record_of_small_logs_is_proven_and_only_as_itself() {
        for size in [1, 2, 3, 255, 256, 257, 511, 512, 1000] {
            let log = Log::of(size);
            for id in 0..size {
                let plan = TilePlan::new(log.tree(size), &[leaf(id)]).unwrap();
                let hashes = plan.prove(&log.tiles(&plan)).unwrap();
                assert_eq!(hashes, [log.leaf(id)], "{id} of {size}");
            }
            let outside = TilePlan::new(log.tree(size), &[leaf(size)]);
            assert_eq!(outside.err(), Some(Unproven::Outside));
        }
    }

    #[test]
    fn a_log_of_three_levels_proves_an_older_one() {
        let log = Log::of(70_000);
        for older in [1, 255, 256, 300, 65_535, 65_536, 65_537, 69_999, 70_000] {
            let plan = TilePlan::new(log.tree(70_000), &subtrees(0, older)).unwrap();
            let hashes = plan.prove(&log.tiles(&plan)).unwrap();
            assert_eq!(Hash::of_subtrees(&hashes), log.tree(older).hash, "{older}");
        }
        let plan = TilePlan::new(log.tree(70_000), &[leaf(300)]).unwrap();
        let mut names: Vec<String> = plan.tiles().iter().map(|tile| tile.path()).collect();
        names.sort();
        // 70000 = 1 * 65536 + 17 * 256 + 112.
        let want = [
            "tile/8/0/001",
            "tile/8/0/273.p/112",
            "tile/8/1/000",
            "tile/8/1/001.p/17",
            "tile/8/2/000.p/1",
        ];
        assert_eq!(names, want);
    }

    #[test]
    fn every_altered_hash_of_every_tile_is_refused() {
        let log = Log::of(70_000);
        let plan = TilePlan::new(log.tree(70_000), &[leaf(300), leaf(69_999)]).unwrap();
        let tiles = log.tiles(&plan);
        for tile in 0..tiles.len() {
            // Some byte of every hash.
            for at in (0..tiles[tile].len()).step_by(31) {
                let mut altered = tiles.clone();
                altered[tile][at] ^= 1 << (at % 8);
                let Err(Unproven::Inconsistent(suspects)) = plan.prove(&altered) else {
                    panic!("byte {at} of tile {tile} is without proof");
                };
                assert!(suspects.contains(&tile));
            }
            let mut short = tiles.clone();
            short[tile].pop();
            assert_eq!(plan.prove(&short), Err(Unproven::Length));
        }
        assert_eq!(plan.prove(&tiles[1..]), Err(Unproven::Length));
    }

    /// CVE-2026-56865: where several subtrees of the edge share a tile, a reader that counted subtrees
    /// instead of tiles skipped the proof of the tiles that follow. Here 771 = 512 + 256 + 2 + 1, whose
    /// four subtrees stand in two tiles, is what 15 is for tiles of four hashes.
    #[test]
    fn tiles_behind_an_edge_of_shared_tiles_are_proven() {
        let log = Log::of(771);
        let plan = TilePlan::new(log.tree(771), &[leaf(1), leaf(300)]).unwrap();
        let names: Vec<String> = plan.tiles().iter().map(|tile| tile.path()).collect();
        let want = [
            "tile/8/1/000.p/3",
            "tile/8/0/003.p/3",
            "tile/8/0/000",
            "tile/8/0/001",
        ];
        assert_eq!(names, want);
        let tiles = log.tiles(&plan);
        assert_eq!(plan.prove(&tiles).unwrap(), [log.leaf(1), log.leaf(300)]);
        let other = Log::forked(771, 0, "other");
        for tile in 0..tiles.len() {
            let mut forged = tiles.clone();
            forged[tile] = other.tile(&names[tile]).unwrap();
            let refused = plan.prove(&forged);
            assert!(
                matches!(refused, Err(Unproven::Inconsistent(_))),
                "{} is without proof",
                names[tile]
            );
        }
    }

    #[test]
    fn the_empty_tree_proves_nothing() {
        let plan = TilePlan::new(LogTree::empty(), &[]).unwrap();
        assert_eq!(plan.prove::<Vec<u8>>(&[]), Ok(Vec::new()));
        assert!(TilePlan::new(LogTree::empty(), &[leaf(0)]).is_err());
        let forged = LogTree {
            size: 0,
            hash: Hash::of_record(b""),
        };
        let plan = TilePlan::new(forged, &[]).unwrap();
        let refused = plan.prove::<Vec<u8>>(&[]);
        assert_eq!(refused, Err(Unproven::Inconsistent(0..0)));
    }

    proptest! {
        #[test]
        fn plans_of_any_size_are_short(size in 1..=i64::MAX as u64, id: u64, level in 0..64_u32) {
            let tree = LogTree { size, hash: LogTree::empty().hash };
            let mut wanted = subtrees(0, id % size);
            wanted.push(leaf(id % size));
            let plan = TilePlan::new(tree, &wanted).unwrap();
            prop_assert!(plan.tiles().len() <= 24, "{}", plan.tiles().len());
            let _ = TilePlan::new(tree, &[LogSubtree { level, number: id }]);
        }
    }
}
