//! A checksum database with a handful of records, as files for the scripted proxy.
//!
//! The log is smaller than one tile (256 records), so that one partial tile of level 0 holds all
//! leaf hashes. Formats: golang/mod `sumdb/tlog` and `sumdb/note`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};

use super::fixtures::{Bytes, Module, escape};
use super::proxy::Proxy;

/// The name in its key and in URLs.
pub const NAME: &str = "sums.example.com";

/// A signed log of the sums of modules.
pub struct SumDb {
    key: Ed25519KeyPair,
    records: Vec<(String, String)>,
}

impl SumDb {
    /// A database that knows these modules.
    pub fn of<'a>(modules: impl IntoIterator<Item = &'a Module>) -> SumDb {
        let records = modules.into_iter().map(|module| {
            let name = format!("{}@{}", module.escaped, escape(&module.version));
            (name, super::sums::lines(module))
        });
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed");
        SumDb {
            key,
            records: records.collect(),
        }
    }

    /// Changes a record before it is logged and signed: a database that lies, or knows of
    /// another module of that name.
    #[must_use]
    pub fn claiming(mut self, name: &str, text: impl Fn(&str) -> String) -> SumDb {
        let record = self.records.iter_mut().find(|(n, _)| n == name);
        let record = record.unwrap_or_else(|| panic!("no record of {name}"));
        record.1 = text(&record.1);
        self
    }

    /// Logs one more record, after the others, about nothing that is ever fetched.
    #[must_use]
    pub fn with_filler(mut self, name: &str) -> SumDb {
        let text = format!("{name} v1.0.0 h1:x\n{name} v1.0.0/go.mod h1:x\n");
        self.records.push((format!("{name}@v1.0.0"), text));
        self
    }

    /// Logs one more record before all others, so that it is another log from the first on.
    #[must_use]
    pub fn with_other_past(mut self) -> SumDb {
        self = self.with_filler("example.com/other");
        self.records.rotate_right(1);
        self
    }

    /// The number of records.
    pub fn size(&self) -> usize {
        self.records.len()
    }

    /// What GOSUMDB is set to: name, hash and public key.
    pub fn gosumdb(&self) -> String {
        format!(
            "{NAME}+{}+{}",
            hex(&self.key_hash()),
            BASE64.encode(self.public())
        )
    }

    /// Makes the proxy answer for the database, below `sumdb/NAME/`.
    pub fn serve_on(&self, proxy: &Proxy) {
        for (path, data) in self.files() {
            proxy.put(&path, Some(Bytes::from(data)));
        }
    }

    /// The files of the database, below a proxy.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let leaves: Vec<[u8; 32]> = self
            .records
            .iter()
            .map(|(_, text)| leaf(text.as_bytes()))
            .collect();
        assert!(
            (1..256).contains(&leaves.len()),
            "the log has to fit one partial tile"
        );
        let head = self.sign(&format!(
            "go.sum database tree\n{}\n{}\n",
            leaves.len(),
            BASE64.encode(root(&leaves))
        ));
        let mut files = Vec::new();
        let mut put =
            |path: &str, data: Vec<u8>| files.push((format!("sumdb/{NAME}/{path}"), data));
        put("supported", Vec::new());
        put("latest", head.clone().into_bytes());
        for (id, (name, text)) in self.records.iter().enumerate() {
            put(
                &format!("lookup/{name}"),
                format!("{id}\n{text}\n{head}").into_bytes(),
            );
        }
        // A client asks for the widest tile its tree has; it may also have a shorter tree in mind.
        for width in 1..=leaves.len() {
            put(
                &format!("tile/8/0/000.p/{width}"),
                leaves.iter().take(width).flatten().copied().collect(),
            );
        }
        files
    }

    /// The path of the tile that has all records.
    pub fn tile(&self) -> String {
        format!("sumdb/{NAME}/tile/8/0/000.p/{}", self.size())
    }

    /// The path of a lookup, to count its hits.
    pub fn lookup(name: &str) -> String {
        format!("sumdb/{NAME}/lookup/{name}")
    }

    fn public(&self) -> Vec<u8> {
        let mut public = vec![1]; // The algorithm: Ed25519.
        public.extend_from_slice(self.key.public_key().as_ref());
        public
    }

    fn key_hash(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(format!("{NAME}\n"));
        hash.update(self.public());
        let hash = hash.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn sign(&self, text: &str) -> String {
        let mut signature = self.key_hash().to_vec();
        signature.extend_from_slice(self.key.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {NAME} {}\n", BASE64.encode(signature))
    }
}

fn leaf(data: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// The hash of a tree, RFC 6962: the left part is the largest power of two below the size.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [only] = leaves {
        return *only;
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    Sha256::new()
        .chain_update([1])
        .chain_update(root(left))
        .chain_update(root(right))
        .finalize()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
