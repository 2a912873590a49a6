//! The transparency log: its hashes, signed heads, records and proofs. Pure.
//!
//! The log is a Merkle tree of RFC 6962 with SHA-256: a leaf is `H(0 || record)`, a node
//! `H(1 || left || right)`, and the left part of a tree is the largest power of two below its
//! size. A complete subtree is named by [`LogSubtree`]: its level and its number within the level. No
//! arithmetic here overflows for any size that a head may state.
//!
//! Source: golang/mod `sumdb/tlog/{tlog,note}.go`.

use std::error::Error;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// The longest text of a head, in bytes; Go's limit.
const MAX_TREE_BYTES: usize = 1_000_000;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// How many bytes a hash has.
    pub const BYTES: usize = 32;

    /// The hash in exactly 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        bytes.try_into().ok().map(Hash)
    }

    /// The hash of a leaf.
    #[must_use]
    pub fn of_record(text: &[u8]) -> Hash {
        let hash = Sha256::new().chain_update([0]).chain_update(text);
        Hash(hash.finalize().into())
    }

    /// The hash above two others.
    #[must_use]
    pub fn of_node(left: Hash, right: Hash) -> Hash {
        let hash = Sha256::new().chain_update([1]);
        let hash = hash.chain_update(left.0).chain_update(right.0);
        Hash(hash.finalize().into())
    }

    /// The hash of a complete tree over adjacent hashes, whose number is a power of two.
    #[must_use]
    pub fn of_complete(hashes: &[Hash]) -> Option<Hash> {
        match hashes {
            [] => None,
            [only] => Some(*only),
            _ => {
                let (left, right) = hashes.split_at(hashes.len() / 2);
                let (left, right) = (Hash::of_complete(left)?, Hash::of_complete(right)?);
                Some(Hash::of_node(left, right))
            }
        }
    }

    /// The hash of a tree from those of its complete [`subtrees`], largest first.
    #[must_use]
    pub fn of_subtrees(hashes: &[Hash]) -> Hash {
        let fold = |right, left: &Hash| Hash::of_node(*left, right);
        match hashes.split_last() {
            Some((last, rest)) => rest.iter().rev().fold(*last, fold),
            None => Hash(Sha256::digest([]).into()),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a head or a record is refused; the texts are Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not the text of a head.
    Tree,
    /// Not a response to a lookup.
    Record,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Tree => "malformed tree note",
            Malformed::Record => "malformed record data",
        })
    }
}

impl Error for Malformed {}

/// A log at some moment: how many records, and the hash over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTree {
    /// The number of records, below 2^63.
    pub size: u64,
    /// The hash of the tree over them.
    pub hash: Hash,
}

impl LogTree {
    /// The log before its first record.
    #[must_use]
    pub fn empty() -> LogTree {
        LogTree {
            size: 0,
            hash: Hash::of_subtrees(&[]),
        }
    }

    /// Reads the text of a head: `go.sum database tree`, the size, the hash in base64, each on a
    /// line; further lines are for later times.
    ///
    /// # Errors
    /// [`Malformed::Tree`].
    pub fn parse(text: &str) -> Result<LogTree, Malformed> {
        let mut lines = text.split_inclusive('\n');
        let mut line = || {
            let line = lines.next().and_then(|line| line.strip_suffix('\n'));
            line.ok_or(Malformed::Tree)
        };
        if text.len() > MAX_TREE_BYTES || line()? != "go.sum database tree" {
            return Err(Malformed::Tree);
        }
        let size = parse_number(line()?).ok_or(Malformed::Tree)?;
        let hash = BASE64.decode(line()?).map_err(|_| Malformed::Tree)?;
        let hash = Hash::from_slice(&hash).ok_or(Malformed::Tree)?;
        Ok(LogTree { size, hash })
    }
}

/// A number as Go prints it, below 2^63.
fn parse_number(text: &str) -> Option<u64> {
    let number = text.parse::<i64>().ok()?;
    let number = u64::try_from(number).ok()?;
    (number.to_string() == text).then_some(number)
}

/// The response to a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The number of the record in the log.
    pub id: u64,
    /// What was logged: lines of go.sum.
    pub text: &'a str,
    /// The signed head that came with it, unchecked.
    pub head: &'a [u8],
}

impl Record<'_> {
    /// Reads a response: the id on a line, the text, a blank line, the signed head.
    ///
    /// # Errors
    /// [`Malformed::Record`].
    pub fn parse(data: &[u8]) -> Result<Record<'_>, Malformed> {
        let find = |part: &[u8], in_: &[u8]| in_.windows(part.len()).position(|at| at == part);
        let end = find(b"\n\n", data).ok_or(Malformed::Record)?;
        let (front, head) = data.split_at_checked(end + 2).ok_or(Malformed::Record)?;
        let front = std::str::from_utf8(front).map_err(|_| Malformed::Record)?;
        let front = front.strip_suffix('\n').ok_or(Malformed::Record)?;
        let (id, text) = front.split_once('\n').ok_or(Malformed::Record)?;
        let valid = text.chars().all(|c| c >= ' ' || c == '\n');
        if !valid || text.is_empty() || text.starts_with('\n') {
            return Err(Malformed::Record);
        }
        let id = parse_number(id).ok_or(Malformed::Record)?;
        Ok(Record { id, text, head })
    }
}

/// A complete subtree: the records from `number << level` to before `(number + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSubtree {
    /// How many levels it is above the leaves.
    pub level: u32,
    /// How many such subtrees are before it.
    pub number: u64,
}

/// The complete subtrees that the records from `low` to before `high` are made of, largest
/// first; `low` is a multiple of the size of the first.
#[must_use]
pub fn subtrees(mut low: u64, high: u64) -> Vec<LogSubtree> {
    let mut nodes = Vec::new();
    while let Some(level) = high.saturating_sub(low).checked_ilog2() {
        let number = low >> level;
        nodes.push(LogSubtree { level, number });
        low += 1 << level;
    }
    nodes
}

/// What proves that a tree of `older` records is the beginning of one of `newer`: each hash is
/// that of a tree of these subtrees. Empty unless `0 < older < newer`.
///
/// Source: RFC 6962, 2.1.2.
#[must_use]
pub fn consistency_proof(older: u64, newer: u64) -> Vec<Vec<LogSubtree>> {
    let mut proof = Vec::new();
    if older == 0 || older >= newer {
        return proof;
    }
    let (mut low, mut high) = (0, newer);
    while older < high {
        // The largest power of two below the size, which is at least 2: older is inside.
        let half = low + (1 << (high - low - 1).ilog2());
        if older <= half {
            proof.push(subtrees(half, high));
            high = half;
        } else {
            proof.push(subtrees(low, half));
            low = half;
        }
    }
    if low > 0 {
        proof.push(subtrees(low, high));
    }
    proof.reverse();
    proof
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count)
            .map(|id| Hash::of_record(format!("record {id}").as_bytes()))
            .collect()
    }

    /// The definition of RFC 6962, 2.1.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => LogTree::empty().hash,
            [only] => *only,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(half);
                Hash::of_node(root(left), root(right))
            }
        }
    }

    fn hash_of(leaves: &[Hash], node: LogSubtree) -> Hash {
        let first = usize::try_from(node.number << node.level).unwrap();
        root(&leaves[first..first + (1 << node.level)])
    }

    /// The verification of RFC 9162, 2.1.4.2, which walks the proof the other way.
    fn verify(older: u64, newer: u64, old_hash: Hash, new_hash: Hash, proof: &[Hash]) -> bool {
        let mut path = proof.to_vec();
        if older.is_power_of_two() {
            path.insert(0, old_hash);
        }
        let (mut fnode, mut snode) = (older - 1, newer - 1);
        while fnode & 1 == 1 {
            fnode >>= 1;
            snode >>= 1;
        }
        let Some((&first, rest)) = path.split_first() else {
            return false;
        };
        let (mut fr, mut sr) = (first, first);
        for &c in rest {
            if snode == 0 {
                return false;
            }
            if fnode & 1 == 1 || fnode == snode {
                fr = Hash::of_node(c, fr);
                sr = Hash::of_node(c, sr);
                while fnode & 1 == 0 && fnode != 0 {
                    fnode >>= 1;
                    snode >>= 1;
                }
            } else {
                sr = Hash::of_node(sr, c);
            }
            fnode >>= 1;
            snode >>= 1;
        }
        fr == old_hash && sr == new_hash && snode == 0
    }

    #[test]
    fn trees_and_proofs_agree_with_the_rfc() {
        let leaves = leaves(70);
        for newer in 0..=leaves.len() {
            let all = &leaves[..newer];
            let hashes: Vec<Hash> = subtrees(0, newer as u64)
                .into_iter()
                .map(|node| hash_of(all, node))
                .collect();
            assert_eq!(Hash::of_subtrees(&hashes), root(all), "{newer}");
            for older in 1..newer {
                let proof: Vec<Hash> = consistency_proof(older as u64, newer as u64)
                    .iter()
                    .map(|nodes| {
                        let hashes: Vec<_> = nodes.iter().map(|&n| hash_of(all, n)).collect();
                        Hash::of_subtrees(&hashes)
                    })
                    .collect();
                let ok = verify(
                    older as u64,
                    newer as u64,
                    root(&all[..older]),
                    root(all),
                    &proof,
                );
                assert!(ok, "{older} in {newer}");
            }
        }
    }

    #[test]
    fn the_largest_sizes_are_only_large() {
        let max = i64::MAX as u64;
        assert_eq!(subtrees(0, 1 << 62).len(), 1);
        assert_eq!(subtrees(0, max).len(), 63);
        assert!(consistency_proof((1 << 62) + 1, max).len() < 130);
        assert!(consistency_proof(1, max).len() < 130);
    }

    #[test]
    fn heads_are_read_as_go_reads_them() {
        // The example in golang/mod sumdb/tlog/note.go, and go's refusals.
        let hash = "nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=";
        let good = format!("go.sum database tree\n2\n{hash}\n");
        let tree = LogTree::parse(&good).unwrap();
        assert_eq!((tree.size, tree.hash.to_string()), (2, hash.to_owned()));
        assert_eq!(LogTree::parse(&format!("{good}more\n")), Ok(tree));
        let huge = format!("go.sum database tree\n9223372036854775807\n{hash}\n");
        assert_eq!(LogTree::parse(&huge).unwrap().size, i64::MAX as u64);
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            good.replace("tree", "trees"),
            good.replace("\n2\n", "\n-2\n"),
            good.replace("\n2\n", "\n+2\n"),
            good.replace("\n2\n", "\n02\n"),
            good.replace("\n2\n", "\n\n"),
            good.replace("\n2\n", "\n9223372036854775808\n"),
            good.replace("QeI=", "QeI"),
            good.replace("QeI=", ""),
            format!("{good}{}", "x".repeat(MAX_TREE_BYTES)),
        ] {
            assert_eq!(LogTree::parse(&bad), Err(Malformed::Tree), "{:.80}", bad);
        }
    }

    #[test]
    fn records_are_read_as_go_reads_them() {
        let record = Record::parse(b"7\na v1 h1:x\nb\n\nhead\n\nrest").unwrap();
        assert_eq!(record.id, 7);
        assert_eq!(record.text, "a v1 h1:x\nb\n");
        assert_eq!(record.head, b"head\n\nrest");
        for bad in [
            &b""[..],
            b"7",
            b"7\n\nhead",
            b"7\n\n\nhead",
            b"7\ntext\nhead",
            b"\ntext\n\nhead",
            b"x\ntext\n\nhead",
            b"-1\ntext\n\nhead",
            b"+1\ntext\n\nhead",
            b"01\ntext\n\nhead",
            b"9223372036854775808\ntext\n\nhead",
            b"7\nte\x1fxt\n\nhead",
            b"7\nte\xffxt\n\nhead",
        ] {
            let shown = String::from_utf8_lossy(bad);
            assert_eq!(Record::parse(bad), Err(Malformed::Record), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(data in any::<Vec<u8>>(), text in "[0-9]{0,3}\n?(\\PC|\n){0,40}") {
            let _ = Record::parse(&data);
            let _ = Record::parse(text.as_bytes());
            let _ = LogTree::parse(&text);
        }

        #[test]
        fn subtrees_cover_every_record_once(size in 0..i64::MAX as u64) {
            let mut next = 0;
            for node in subtrees(0, size) {
                prop_assert_eq!(node.number << node.level, next);
                next += 1 << node.level;
            }
            prop_assert_eq!(next, size);
        }

        #[test]
        fn proofs_end_for_every_size(a in 1..i64::MAX as u64, b in 1..i64::MAX as u64) {
            let proof = consistency_proof(a.min(b), a.max(b));
            prop_assert!(proof.len() <= 64);
        }
    }
}
