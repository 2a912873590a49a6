//! A log of any size that signs its heads, and a transport that counts and can be made to lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest, Sha256};

use super::client::Transport;
use super::tile::TilePlan;
use super::tlog::{Hash, LogTree, subtrees};
use crate::error::{Error, Kind, Result};

/// The name of the database of tests.
pub(crate) const NAME: &str = "sums.example.com";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn key_bytes() -> Vec<u8> {
    [&[1], pair().public_key().as_ref()].concat()
}

fn hash_of(name: &str) -> Vec<u8> {
    let hash = Sha256::new()
        .chain_update(format!("{name}\n"))
        .chain_update(key_bytes());
    hash.finalize()[..4].to_vec()
}

/// The key of a database that has this name.
pub(crate) fn key(name: &str) -> String {
    let hash: String = hash_of(name).iter().map(|b| format!("{b:02x}")).collect();
    format!("{name}+{hash}+{}", BASE64.encode(key_bytes()))
}

/// Signs any text.
pub(crate) fn sign(text: &str) -> Vec<u8> {
    let signature = [&hash_of(NAME), pair().sign(text.as_bytes()).as_ref()].concat();
    format!("{text}\n\u{2014} {NAME} {}\n", BASE64.encode(signature)).into_bytes()
}

/// A head of any content.
pub(crate) fn head(tree: LogTree) -> Vec<u8> {
    sign(&format!(
        "go.sum database tree\n{}\n{}\n",
        tree.size, tree.hash
    ))
}

/// A log whose record `N` is about `example.com/mN@v1.0.0`.
#[derive(Clone)]
pub(crate) struct Log {
    flavour: &'static str,
    /// The hashes of each level.
    levels: Vec<Vec<Hash>>,
}

impl Log {
    pub(crate) fn of(size: u64) -> Log {
        Log::forked(size, u64::MAX, "")
    }

    /// A log whose records differ from number `from` on.
    pub(crate) fn forked(size: u64, from: u64, flavour: &'static str) -> Log {
        let mut log = Log {
            flavour: "",
            levels: Vec::new(),
        };
        let leaf = |id| {
            let flavour = if id >= from { flavour } else { "" };
            Hash::of_record(text(id, flavour).as_bytes())
        };
        let mut level: Vec<Hash> = (0..size).map(leaf).collect();
        while !level.is_empty() {
            let pairs = level.chunks_exact(2);
            let above = pairs.map(|pair| Hash::of_node(pair[0], pair[1])).collect();
            log.levels.push(std::mem::replace(&mut level, above));
        }
        log.flavour = flavour;
        log
    }

    pub(crate) fn leaf(&self, id: u64) -> Hash {
        self.levels[0][usize::try_from(id).unwrap()]
    }

    pub(crate) fn tree(&self, size: u64) -> LogTree {
        let hash = |node: super::tlog::LogSubtree| {
            self.levels[node.level as usize][usize::try_from(node.number).unwrap()]
        };
        let hashes: Vec<Hash> = subtrees(0, size).into_iter().map(hash).collect();
        LogTree {
            size,
            hash: Hash::of_subtrees(&hashes),
        }
    }

    pub(crate) fn tiles(&self, plan: &TilePlan) -> Vec<Vec<u8>> {
        let tiles = plan.tiles().iter();
        tiles.map(|tile| self.tile(&tile.path()).unwrap()).collect()
    }

    /// The tile of this name, if the log has all of it.
    pub(crate) fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let (name, width) = path.split_once(".p/").unwrap_or((path, "256"));
        let (level, number) = name.strip_prefix("tile/8/")?.split_once('/')?;
        let level: usize = level.parse().ok()?;
        let number: usize = number.replace(['x', '/'], "").parse().ok()?;
        let width: usize = width.parse().ok()?;
        let hashes = self.levels.get(level * 8)?;
        let hashes = hashes.get(number * 256..number * 256 + width)?;
        Some(
            hashes
                .iter()
                .flat_map(|hash| hash.as_bytes())
                .copied()
                .collect(),
        )
    }

    /// The response to the lookup of record `id` when the log had `size` records.
    pub(crate) fn response(&self, id: u64, size: u64) -> Vec<u8> {
        let mut data = format!("{id}\n{}\n", text(id, self.flavour)).into_bytes();
        data.extend(head(self.tree(size)));
        data
    }
}

/// The text of a record.
pub(crate) fn text(id: u64, flavour: &str) -> String {
    let sum = BASE64.encode(Sha256::digest(format!("{id}{flavour}")));
    format!("example.com/m{id} v1.0.0 h1:{sum}\nexample.com/m{id} v1.0.0/go.mod h1:{sum}\n")
}

/// A database in memory.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) log: Option<Log>,
    /// Instead of what the log has; `None` is 404.
    pub(crate) lies: HashMap<String, Option<Vec<u8>>>,
    /// The kind of every failure, when it can serve nothing.
    pub(crate) down: Option<Kind>,
    pub(crate) requests: Vec<String>,
}

impl Server {
    pub(crate) fn of(log: Log) -> Arc<Mutex<Server>> {
        Arc::new(Mutex::new(Server {
            log: Some(log),
            ..Server::default()
        }))
    }
}

impl Transport for Arc<Mutex<Server>> {
    fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let mut server = self.lock().unwrap();
        server.requests.push(path.to_owned());
        if let Some(kind) = server.down {
            return Err(Error::new(kind, format!("reading {path}: scripted")));
        }
        let log = server.log.as_ref().unwrap();
        let found = match server.lies.get(path) {
            Some(lie) => lie.clone(),
            None => log.tile(path).or_else(|| {
                let id = path.strip_prefix("lookup/example.com/m")?;
                let id: u64 = id.strip_suffix("@v1.0.0")?.parse().ok()?;
                let size = log.levels[0].len() as u64;
                (id < size).then(|| log.response(id, size))
            }),
        };
        let data = found
            .ok_or_else(|| Error::new(Kind::NotFound, format!("reading {path}: 404 Not Found")))?;
        assert!(data.len() as u64 <= limit, "the real one refuses by itself");
        Ok(data)
    }
}
