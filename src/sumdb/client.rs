//! Asking: lookup, proof, and only then the disk.
//!
//! Source: golang/mod `sumdb/client.go`.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::note::NoteVerifier;
use super::store::Advance;
use super::tile::Tile;
use super::tile_store::TileStore;
use super::tiles::{Tiles, lock};
use super::tlog::{Hash, LogSubtree, LogTree, Record, consistency_proof, subtrees};
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::layout;
use crate::memo::{Memo, MemoSettings};

/// The longest response to a lookup; ours to choose, Go has no limit. Usual are 700 bytes.
const MAX_RECORD_BYTES: u64 = 1 << 20;

/// Records in memory: some 700 bytes each. The others are in the store.
const RECORDS: MemoSettings = MemoSettings::holding(1 << 14);

/// A head that cannot be read now may be readable at the next lookup.
const START: MemoSettings = MemoSettings {
    capacity: 1,
    failure_ttl: Duration::ZERO,
};

/// Gets files from the database, from many threads at once.
pub trait Transport: Send + Sync {
    /// The body at `path` below the database (`lookup/P@V`, `tile/8/...`), of at most `limit`
    /// bytes.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for 404 and 410; [`Kind::Offline`] if nothing may be asked; others.
    fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>>;

    /// The same, whose requests have these headers beside their own; `None` where requests have none.
    fn with_headers(&self, _headers: &[(String, String)]) -> Option<Arc<dyn Transport>> {
        None
    }
}

/// The lines that the database has logged about one module version.
#[derive(Clone, Debug)]
pub struct LoggedSums {
    id: u64,
    text: Arc<str>,
}

impl LoggedSums {
    /// The number of the record in the log.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The lines, as they were logged.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The hashes of `version_key`, a version or `VERSION/go.mod`.
    pub fn of<'a>(&'a self, path: &'a str, version_key: &'a str) -> impl Iterator<Item = &'a str> {
        self.text.lines().filter_map(move |line| {
            let rest = line.strip_prefix(path)?.strip_prefix(' ')?;
            rest.strip_prefix(version_key)?.strip_prefix(' ')
        })
    }

    /// True if both sums of the module are there: a response about another one is not kept.
    fn are_about(&self, module: &ModuleVersion) -> bool {
        let (path, version) = (module.path().as_str(), module.version().as_str());
        let gomod = format!("{version}/go.mod");
        [version, &gomod].iter().all(|key| {
            let mut sums = self.of(path, key);
            sums.any(|sum| sum.starts_with("h1:"))
        })
    }
}

/// A signed head whose signature was checked.
#[derive(Clone, Debug)]
struct Head {
    tree: LogTree,
    note: Vec<u8>,
}

/// Why a response is not believed.
enum ResponseRefusal {
    /// It is not proven; if it was cached, another one may be.
    Unproven(Error),
    /// There is no point in asking again: the log has forked, or something else failed.
    Final(Error),
}

impl From<Error> for ResponseRefusal {
    fn from(error: Error) -> ResponseRefusal {
        ResponseRefusal::Final(error)
    }
}

impl ResponseRefusal {
    fn into_error(self) -> Error {
        match self {
            ResponseRefusal::Unproven(error) | ResponseRefusal::Final(error) => error,
        }
    }
}

fn unproven(reason: impl Into<String>) -> ResponseRefusal {
    ResponseRefusal::Unproven(Error::new(Kind::Security, reason))
}

/// A client of one database; shared by all threads. Clones share what is known.
#[derive(Clone)]
pub struct SumDbClient {
    verifier: NoteVerifier,
    store: Arc<dyn TileStore>,
    transport: Arc<dyn Transport>,
    /// The newest head of an earlier run was taken over.
    started: Arc<Memo<(), ()>>,
    /// The newest head that was proven to continue all before it.
    latest: Arc<Mutex<Arc<Head>>>,
    /// The head in the file, as far as is known.
    saved: Arc<Mutex<Vec<u8>>>,
    sums: Arc<Memo<String, LoggedSums>>,
    tiles: Tiles,
}

impl fmt::Debug for SumDbClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("verifier", &self.verifier)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl SumDbClient {
    /// Makes a client; nothing is read or asked until the first lookup.
    #[must_use]
    pub fn new(
        verifier: NoteVerifier,
        store: impl TileStore + 'static,
        transport: Box<dyn Transport>,
    ) -> SumDbClient {
        let empty = Head {
            tree: LogTree::empty(),
            note: Vec::new(),
        };
        let store: Arc<dyn TileStore> = Arc::new(store);
        let transport: Arc<dyn Transport> = Arc::from(transport);
        SumDbClient {
            verifier,
            tiles: Tiles::new(Arc::clone(&store), Arc::clone(&transport)),
            store,
            transport,
            started: Arc::new(Memo::new(START)),
            latest: Arc::new(Mutex::new(Arc::new(empty))),
            saved: Arc::default(),
            sums: Arc::new(Memo::new(RECORDS)),
        }
    }

    /// The same client, whose requests have these headers beside their own.
    #[must_use]
    pub fn with_headers(&self, headers: &[(String, String)]) -> SumDbClient {
        let client = self.clone();
        match self.transport.with_headers(headers) {
            Some(transport) => SumDbClient {
                tiles: self.tiles.through(Arc::clone(&transport)),
                transport,
                ..client
            },
            None => client,
        }
    }

    /// The name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// What the database has logged about `module`: from the cache or by asking, proven either
    /// way. Remembered; failures for [`MemoSettings::FAILURE_TTL`].
    ///
    /// # Errors
    /// - [`Kind::Security`]: the response, a head or a tile is not what was signed, or the log
    ///   has forked; then both heads and the proof are in the text.
    /// - [`Kind::NotFound`]: the database does not know the module. It is refused all the same,
    ///   but nothing was forged: most often the module is private, or its version is seconds
    ///   old, and exit status 5 shall stay an alarm.
    /// - [`Kind::Network`], [`Kind::Auth`], [`Kind::Offline`]: it could not be asked.
    /// - [`Kind::LocalIo`], [`Kind::Input`]: the newest head cannot be kept.
    pub fn lookup(&self, module: &ModuleVersion) -> Result<LoggedSums> {
        let file = lookup_file(module)?;
        self.sums.get(&file, || {
            self.started.get(&(), || self.start())?;
            self.find(module, &file)
        })
    }

    /// The newest signed head that was seen and proven; `None` if there was none.
    ///
    /// # Errors
    /// As [`SumDbClient::lookup`].
    pub fn head(&self) -> Result<Option<Vec<u8>>> {
        self.started.get(&(), || self.start())?;
        let latest = Arc::clone(&lock(&self.latest));
        Ok((!latest.note.is_empty()).then(|| latest.note.clone()))
    }

    /// Checks that a signed head and all that were seen before are moments of one log, and keeps it
    /// if it is the newest. Returns its tree.
    ///
    /// # Errors
    /// As [`SumDbClient::lookup`].
    pub fn merge_head(&self, note: &[u8]) -> Result<LogTree> {
        self.started.get(&(), || self.start())?;
        let head = Arc::new(self.open(note).map_err(ResponseRefusal::into_error)?);
        self.prove(&head, None)
            .map_err(ResponseRefusal::into_error)?;
        self.publish().map_err(ResponseRefusal::into_error)?;
        Ok(head.tree)
    }

    /// The tiles that prove some hashes of `tree`, proven, in the order of [`TilePlan::tiles`]. The caller
    /// knows the tree from [`SumDbClient::merge_head`].
    ///
    /// # Errors
    /// As [`SumDbClient::lookup`].
    ///
    /// [`TilePlan::tiles`]: super::tile::TilePlan::tiles
    pub fn proven_tiles(
        &self,
        tree: LogTree,
        wanted: &[LogSubtree],
    ) -> Result<Vec<(Tile, Vec<u8>)>> {
        let proof = self.tiles.read(tree, wanted)?;
        let tiles = proof.tiles.iter();
        let tiles = tiles.map(|(tile, content)| (*tile, content.as_ref().to_vec()));
        let tiles = tiles.collect();
        self.tiles.keep(proof.tiles);
        Ok(tiles)
    }

    /// A file as the database sends it, for a client that proves it.
    ///
    /// # Errors
    /// Those of the transport.
    pub fn fetch_unproven(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        self.transport.get(path, limit)
    }

    /// True if [`SumDbClient::lookup`] would say what it said before: it waits for nothing.
    #[must_use]
    pub fn has_answered(&self, module: &ModuleVersion) -> bool {
        lookup_file(module).is_ok_and(|file| self.sums.peek(&file).is_some())
    }

    /// Takes over the newest head that an earlier run, or go, has kept.
    fn start(&self) -> Result<()> {
        let is_whole = |note: &[u8]| note.is_empty() || self.open(note).is_ok();
        let note = self.store.read_latest(&is_whole)?;
        if note.is_empty() {
            return Ok(());
        }
        *lock(&self.latest) = Arc::new(self.open_saved(&note)?);
        *lock(&self.saved) = note;
        Ok(())
    }

    /// Checks the signature of a head that was kept.
    fn open_saved(&self, note: &[u8]) -> Result<Head> {
        self.open(note).map_err(|refusal| {
            let file = self.store.latest_file();
            let file = file.map(|path| path.display().to_string());
            let file = file.unwrap_or_default();
            let error = refusal.into_error().context(format!("reading {file}"));
            error.hint(format!(
                "{file} records which state of {} was seen last; if it is damaged, remove it",
                self.name()
            ))
        })
    }

    fn find(&self, module: &ModuleVersion, file: &str) -> Result<LoggedSums> {
        // What the cache has is used, or is at least what is complained about offline.
        let mut cached = None;
        if let Some(data) = self.store.read(file) {
            match self.believe(&data) {
                Ok(sums) if sums.are_about(module) => {
                    self.store.believed(file, &data);
                    return Ok(sums);
                }
                Ok(sums) => cached = Some(Ok(sums)),
                Err(ResponseRefusal::Unproven(error)) => cached = Some(Err(error)),
                Err(ResponseRefusal::Final(error)) => return Err(error),
            }
        }
        let data = match self.transport.get(file, MAX_RECORD_BYTES) {
            Ok(data) => data,
            Err(error) => {
                return match cached {
                    Some(found) if error.kind() == Kind::Offline => found,
                    _ => Err(explain_unknown(error, module)),
                };
            }
        };
        let sums = self.believe(&data).map_err(ResponseRefusal::into_error)?;
        if sums.are_about(module) {
            self.store.write(file, &data);
        }
        Ok(sums)
    }

    /// Checks a response in every way there is.
    fn believe(&self, data: &[u8]) -> Result<LoggedSums, ResponseRefusal> {
        let record = Record::parse(data).map_err(|reason| unproven(reason.to_string()))?;
        let head = Arc::new(self.open(record.head)?);
        self.prove(&head, Some(&record))?;
        self.publish()?;
        Ok(LoggedSums {
            id: record.id,
            text: record.text.into(),
        })
    }

    /// Checks the signature of a head.
    fn open(&self, note: &[u8]) -> Result<Head, ResponseRefusal> {
        let text = self.verifier.open(note).map_err(|reason| {
            let shown = String::from_utf8_lossy(note);
            // A page that is no note at all is not repeated whole.
            let shown: String = shown.chars().filter(|&c| c >= ' ' || c == '\n').collect();
            let shown: String = shown.chars().take(1000).collect();
            unproven(format!("reading tree note: {reason}\nnote:\n{shown}"))
        })?;
        let tree = LogTree::parse(text)
            .map_err(|reason| unproven(format!("reading tree: {reason}\ntree:\n{text}")))?;
        Ok(Head {
            tree,
            note: note.to_owned(),
        })
    }

    /// Proves that `head` and the newest head are moments of one log which has the record; then
    /// keeps the tiles that showed it, and `head` if it is newer.
    fn prove(&self, head: &Arc<Head>, record: Option<&Record<'_>>) -> Result<(), ResponseRefusal> {
        loop {
            // Other threads may move it on; it is not locked while tiles are fetched.
            let latest = Arc::clone(&lock(&self.latest));
            let moves_on = head.tree.size > latest.tree.size;
            let (older, newer) = if moves_on {
                (&latest, head)
            } else {
                (head, &latest)
            };
            let mut wanted = Vec::new();
            if older.tree != newer.tree {
                wanted = subtrees(0, older.tree.size);
            }
            if let Some(record) = record {
                if record.id >= newer.tree.size {
                    let (id, size) = (record.id, newer.tree.size);
                    return Err(unproven(format!(
                        "cannot validate record {id} in tree of size {size}"
                    )));
                }
                wanted.push(LogSubtree {
                    level: 0,
                    number: record.id,
                });
            }
            let proof = match self.tiles.read(newer.tree, &wanted) {
                Ok(proof) => proof,
                Err(error) => {
                    // A fork is the graver news, and its proof may be there all the same.
                    self.compare(older, newer)?;
                    return Err(ResponseRefusal::Final(error));
                }
            };
            let mut hashes = proof.hashes.as_slice();
            let leaf = record.and_then(|_| hashes.split_off_last());
            if older.tree != newer.tree && Hash::of_subtrees(hashes) != older.tree.hash {
                return Err(self.forked(older, newer, Hash::of_subtrees(hashes)).into());
            }
            if record.map(|record| Hash::of_record(record.text.as_bytes())) != leaf.copied() {
                return Err(unproven(
                    "cannot authenticate record data in server response",
                ));
            }
            self.tiles.keep(proof.tiles);
            if !moves_on {
                return Ok(());
            }
            let mut now = lock(&self.latest);
            if Arc::ptr_eq(&now, &latest) {
                *now = Arc::clone(head);
                return Ok(());
            }
        }
    }

    /// Shows that `older` is the beginning of `newer`.
    fn compare(&self, older: &Head, newer: &Head) -> Result<()> {
        let (old, new) = (older.tree, newer.tree);
        let hash = if old.size == new.size {
            new.hash
        } else {
            let proof = self
                .tiles
                .read(new, &subtrees(0, old.size))
                .map_err(|error| {
                    error.context(format!(
                        "checking tree#{} against tree#{}",
                        old.size, new.size
                    ))
                })?;
            Hash::of_subtrees(&proof.hashes)
        };
        if hash == old.hash {
            Ok(())
        } else {
            Err(self.forked(older, newer, hash))
        }
    }

    /// Brings the newest head into its file, if it is not there.
    fn publish(&self) -> Result<(), ResponseRefusal> {
        loop {
            let newest = Arc::clone(&lock(&self.latest));
            let saved = lock(&self.saved).clone();
            if saved == newest.note {
                return Ok(());
            }
            let found = match self.store.advance_latest(&saved, &newest.note)? {
                Advance::Done => {
                    *lock(&self.saved) = newest.note.clone();
                    continue;
                }
                Advance::Found(found) => found,
            };
            // Another process has seen another head: it must be of the same log.
            let other = Arc::new(self.open_saved(&found)?);
            self.prove(&other, None)?;
            let newest = Arc::clone(&lock(&self.latest));
            if other.tree == newest.tree {
                // Two signatures of one head are as good as one.
                let mut latest = lock(&self.latest);
                if Arc::ptr_eq(&latest, &newest) {
                    *latest = other;
                }
            }
            *lock(&self.saved) = found;
        }
    }

    /// The proof that the log has two histories, in go's form.
    fn forked(&self, older: &Head, newer: &Head, computed: Hash) -> Error {
        let indent = |note: &[u8]| String::from_utf8_lossy(note).replace('\n', "\n\t");
        let mut text = format!(
            "SECURITY ERROR\n\
             go.sum database server misbehavior detected!\n\
             \n\
             old database:\n\t{}\n\
             new database:\n\t{}\n\
             proof of misbehavior:\n\t{computed}",
            indent(&older.note),
            indent(&newer.note)
        );
        let parts = consistency_proof(older.tree.size, newer.tree.size);
        // The tiles were fetched a moment ago.
        match self.tiles.read(newer.tree, &parts.concat()) {
            Ok(proof) => {
                let mut hashes = proof.hashes.as_slice();
                for part in &parts {
                    let (these, rest) = hashes.split_at_checked(part.len()).unwrap_or_default();
                    text.push_str(&format!("\n\t{}", Hash::of_subtrees(these)));
                    hashes = rest;
                }
            }
            Err(error) => text.push_str(&format!("\n\tincomplete: {}", error.chain())),
        }
        Error::new(Kind::Security, text).hint(format!(
            "{} has signed both; keep this text, it proves it",
            self.name()
        ))
    }
}

/// Where the response about a module is, below the database and in the cache.
///
/// # Errors
/// [`Kind::Input`] if the path or version may not be fetched.
pub fn lookup_file(module: &ModuleVersion) -> Result<String> {
    Ok(layout::sumdb_lookup(&module.escape()?))
}

fn explain_unknown(error: Error, module: &ModuleVersion) -> Error {
    if !error.is_not_found() {
        return error;
    }
    let path = module.path();
    error.hint(format!(
        "the checksum database does not know it, so nothing proves it: if it is private, set \
         GOPRIVATE={path}; if it was published just now, try again later"
    ))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
