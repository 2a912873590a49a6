//! A checksum database of any length, as it was at several times, in a file:// GOPROXY.
//!
//! Most of its records are about nothing that is ever fetched; those of modules stand where a test
//! puts them. Formats: golang/mod `sumdb/tlog` and `sumdb/note`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};

use super::fixtures::{Module, escape};

/// The name in its key and in URLs.
pub const NAME: &str = "sums.example.com";

type Hash = [u8; 32];

/// A signed log.
pub struct LongLog {
    key: Ed25519KeyPair,
    /// The hashes of each level, records first.
    levels: Vec<Vec<Hash>>,
    /// Name below `lookup/` and text of the records of modules.
    records: BTreeMap<usize, (String, String)>,
}

impl LongLog {
    /// A log of so many records, in which these modules have these places.
    pub fn new<'a>(size: usize, modules: impl IntoIterator<Item = (usize, &'a Module)>) -> LongLog {
        LongLog::of_flavour(size, modules, "")
    }

    /// Another log with the same key: a fork from its first record on.
    pub fn of_flavour<'a>(
        size: usize,
        modules: impl IntoIterator<Item = (usize, &'a Module)>,
        flavour: &str,
    ) -> LongLog {
        let records = modules.into_iter().map(|(id, module)| {
            let name = format!("{}@{}", module.escaped, escape(&module.version));
            (id, (name, super::sums::lines(module)))
        });
        LongLog::of_records(size, records.collect(), flavour)
    }

    /// A log in which records of these numbers have these names below `lookup/` and these lines.
    pub fn of_records(
        size: usize,
        records: BTreeMap<usize, (String, String)>,
        flavour: &str,
    ) -> LongLog {
        let leaf = |id: usize| match records.get(&id) {
            Some((_, text)) => hash(0, &[text.as_bytes()]),
            None => hash(0, &[format!("filler {flavour}{id}\n").as_bytes()]),
        };
        let mut levels = vec![(0..size).map(leaf).collect::<Vec<Hash>>()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let pairs = below.chunks_exact(2);
            let above = pairs.map(|pair| hash(1, &[&pair[0], &pair[1]])).collect();
            levels.push(above);
        }
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed");
        LongLog {
            key,
            levels,
            records,
        }
    }

    /// What GOSUMDB is set to.
    pub fn gosumdb(&self) -> String {
        let hash: String = self
            .key_hash()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{NAME}+{hash}+{}", BASE64.encode(self.public()))
    }

    /// The signed head of the first `size` records.
    pub fn head(&self, size: usize) -> String {
        let root = BASE64.encode(self.root(size));
        let text = format!("go.sum database tree\n{size}\n{root}\n");
        let mut signature = self.key_hash().to_vec();
        signature.extend_from_slice(self.key.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {NAME} {}\n", BASE64.encode(signature))
    }

    /// Writes the database as it was with `size` records below the GOPROXY tree `root`. Tiles of
    /// earlier times stay.
    pub fn write(&self, root: &Path, size: usize) {
        let root = root.join("sumdb").join(NAME);
        let put = |name: &str, data: &[u8]| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("below the root")).unwrap();
            fs::write(path, data).unwrap();
        };
        let head = self.head(size);
        put("supported", b"");
        put("latest", head.as_bytes());
        for (id, (name, text)) in self.records.range(..size) {
            put(
                &format!("lookup/{name}"),
                format!("{id}\n{text}\n{head}").as_bytes(),
            );
        }
        let mut level = 0;
        while size >> (8 * level) > 0 {
            let count = size >> (8 * level);
            let hashes = &self.levels[8 * level][..count];
            for (number, tile) in hashes.chunks(256).enumerate() {
                let width = if tile.len() == 256 {
                    String::new()
                } else {
                    format!(".p/{}", tile.len())
                };
                put(
                    &format!("tile/8/{level}/{}{width}", path_of(number)),
                    &tile.concat(),
                );
            }
            level += 1;
        }
    }

    fn root(&self, size: usize) -> Hash {
        let (mut low, mut parts) = (0, Vec::new());
        while low < size {
            let level = (size - low).ilog2();
            parts.push(self.levels[level as usize][low >> level]);
            low += 1 << level;
        }
        let last = parts.pop().expect("a log has records");
        parts
            .iter()
            .rev()
            .fold(last, |right, left| hash(1, &[left, &right]))
    }

    fn public(&self) -> Vec<u8> {
        let mut public = vec![1]; // The algorithm: Ed25519.
        public.extend_from_slice(self.key.public_key().as_ref());
        public
    }

    fn key_hash(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(format!("{NAME}\n"))
            .chain_update(self.public());
        let hash = hash.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

fn hash(kind: u8, parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new().chain_update([kind]);
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// The number of a tile as its path has it.
fn path_of(number: usize) -> String {
    let last = format!("{:03}", number % 1000);
    match number / 1000 {
        0 => last,
        rest => format!("x{rest:03}/{last}"),
    }
}
