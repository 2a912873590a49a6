//! The checksum database, proven once and then served for ever, offline too.
//!
//! What goes out is put together here: the record as it was logged, under the one newest head that
//! this server has proven. So a client that asks for many modules sees one head, however many the
//! database has signed meanwhile, and needs no tiles but those that prove its records in that one
//! tree; and these are fetched, proven and kept before the record is handed out. Where that cannot
//! be done any more, because the network went away between two heads, the response goes out as it
//! was received.
//!
//! A tile is proven in the tree of the newest head before it is kept. What lies beyond that tree
//! is passed on unproven and not kept: the client that asks has a newer head, and proves it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::http1::{RequestFields, Response, TEXT};
use super::policy::Policy;
use super::upstream::Trace;
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::sumdb::tile::MAX_TILE_BYTES;
use crate::sumdb::tlog::{Hash, LogSubtree, LogTree, Record};
use crate::sumdb::{Store, SumDbClient, lookup_file};
use crate::trust::FirstSeen;

/// How many responses are kept in memory.
const MOST: usize = 4096;

/// Bytes of one hash; a tile has as many as its width.
const HEIGHT: u32 = 8;

/// A response under a head.
#[derive(Debug, Default)]
struct Composed {
    /// The note that they are under.
    head: Vec<u8>,
    responses: HashMap<String, Arc<[u8]>>,
}

/// One checksum database, for clients.
pub(super) struct Checksums {
    seen: FirstSeen,
    composed: Mutex<Composed>,
}

/// What a client asked for.
#[derive(Clone, Debug)]
pub(super) struct SumsAnswer {
    bytes: Arc<[u8]>,
    cache: &'static str,
    kind: &'static str,
}

impl SumsAnswer {
    pub(super) fn response(&self, fields: &RequestFields) -> Response {
        Response::of_bytes(fields, self.bytes.to_vec(), self.kind, None)
            .with("X-Cache", self.cache)
            .noted("sumdb", self.cache)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is complete before the guard goes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Checksums {
    /// Serves what the database proves.
    pub(super) fn new(seen: FirstSeen) -> Checksums {
        Checksums {
            seen,
            composed: Mutex::default(),
        }
    }

    fn client(&self) -> &SumDbClient {
        self.seen.client()
    }

    fn store(&self) -> &Store {
        self.seen.store()
    }

    /// What follows the name of this database in a path below `/sumdb/`.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.client().name())?.strip_prefix('/')
    }

    /// Answers what takes no wait.
    pub(super) fn answer(
        &self,
        below: &str,
        policy: &Policy,
        fields: &RequestFields,
    ) -> Option<Response> {
        if below == "supported" {
            return Some(Response::text(200, "").noted("sumdb", "HIT"));
        }
        let found = if let Some(name) = below.strip_prefix("lookup/") {
            let module = match parse_lookup(name) {
                Ok(module) => module,
                Err(error) => return Some(super::service::failure(&error, "sumdb")),
            };
            let path = module.path();
            if policy.private.match_path(path) || !self.seen.asks_about(&module) {
                let text = format!("{module}: private, and not looked up in the checksum database");
                return Some(Response::text(403, text).noted("policy", ""));
            }
            let composed = locked(&self.composed);
            composed
                .responses
                .get(name)
                .cloned()
                .map(|bytes| (bytes, TEXT))
        } else if TileName::parse(below).is_some() {
            let bytes = self.store().read(below)?;
            Some((bytes.into(), "application/octet-stream"))
        } else if below == "latest" {
            None
        } else {
            let text = "not found: not a path of a checksum database";
            return Some(Response::text(404, text).noted("sumdb", ""));
        };
        let (bytes, kind) = found?;
        let answer = SumsAnswer {
            bytes,
            cache: "HIT",
            kind,
        };
        Some(answer.response(fields))
    }

    /// Answers what may take a wait.
    ///
    /// # Errors
    /// Those of [`SumDbClient::lookup`].
    pub(super) fn fetch(&self, below: &str, trace: &Trace) -> Result<SumsAnswer> {
        let client = &self.client().with_headers(&trace.headers());
        if let Some(name) = below.strip_prefix("lookup/") {
            return self.lookup(client, name);
        }
        if let Some(tile) = TileName::parse(below) {
            return self.tile(client, below, tile);
        }
        // `latest` is what is left.
        let note = match client.head()? {
            Some(note) => note,
            None => {
                let note = client.fetch_unproven("latest", 1 << 20)?;
                client.merge_head(&note)?;
                note
            }
        };
        Ok(SumsAnswer {
            bytes: note.into(),
            cache: "HIT",
            kind: TEXT,
        })
    }

    fn lookup(&self, client: &SumDbClient, name: &str) -> Result<SumsAnswer> {
        let module = parse_lookup(name)?;
        let file = lookup_file(&module)?;
        let was_kept = self.store().read(&file);
        let sums = client.lookup(&module)?;
        self.seen.note_size();
        let cache = if was_kept.is_some() { "HIT" } else { "MISS" };
        let composed = self.compose(client, name, sums.id(), sums.text());
        let bytes = match (composed, self.store().read(&file)) {
            (Ok(bytes), _) => bytes,
            // It was proven under its own head, whose tiles are kept.
            (Err(error), Some(bytes)) if error.kind() != Kind::Security => bytes.into(),
            (Err(error), _) => return Err(error),
        };
        Ok(SumsAnswer {
            bytes,
            cache,
            kind: TEXT,
        })
    }

    /// A record under the newest head, whose tiles are kept.
    fn compose(&self, client: &SumDbClient, name: &str, id: u64, text: &str) -> Result<Arc<[u8]>> {
        let note = client.head()?.unwrap_or_default();
        let tree = client.merge_head(&note)?;
        let node = LogSubtree {
            level: 0,
            number: id,
        };
        client.proven_tiles(tree, &[node])?;
        let mut bytes = format!("{id}\n{text}\n").into_bytes();
        bytes.extend_from_slice(&note);
        let bytes: Arc<[u8]> = bytes.into();
        let mut composed = locked(&self.composed);
        if composed.head != note || composed.responses.len() >= MOST {
            *composed = Composed {
                head: note,
                responses: HashMap::new(),
            };
        }
        composed
            .responses
            .insert(name.to_owned(), Arc::clone(&bytes));
        Ok(bytes)
    }

    fn tile(&self, client: &SumDbClient, below: &str, name: TileName) -> Result<SumsAnswer> {
        let answer = |bytes: Vec<u8>, cache| {
            Ok(SumsAnswer {
                bytes: bytes.into(),
                cache,
                kind: "application/octet-stream",
            })
        };
        let wanted = name.width * Hash::BYTES;
        // A full tile begins with each that it was before.
        if let Some(mut full) = self
            .store()
            .read(&name.full())
            .filter(|full| full.len() >= wanted)
        {
            full.truncate(wanted);
            return answer(full, "HIT");
        }
        if let Some(note) = client.head()? {
            let tree = client.merge_head(&note)?;
            if let Some(bytes) = Checksums::proven_tile(client, tree, name)? {
                return answer(bytes, "MISS");
            }
        }
        let bytes = client.fetch_unproven(below, MAX_TILE_BYTES as u64)?;
        match bytes.len() == wanted {
            true => answer(bytes, "MISS"),
            false => Err(Error::new(
                Kind::Network,
                format!("{below}: tile of wrong length"),
            )),
        }
    }

    /// A tile as far as a tree has it; `None` if it has less of it than is asked for.
    fn proven_tile(client: &SumDbClient, tree: LogTree, name: TileName) -> Result<Option<Vec<u8>>> {
        let Some(node) = name
            .last_node()
            .filter(|node| node_end(node) <= Some(tree.size))
        else {
            return Ok(None);
        };
        let tiles = client.proven_tiles(tree, &[node])?;
        let base = name.full();
        let found = tiles
            .into_iter()
            .find(|(tile, _)| tile.full().path() == base);
        let wanted = name.width * Hash::BYTES;
        Ok(found.and_then(|(_, mut bytes)| {
            (bytes.len() >= wanted).then(|| {
                bytes.truncate(wanted);
                bytes
            })
        }))
    }

    /// Since when a version has been known, by what is kept here; `None` if nothing is.
    pub(super) fn known_since(&self, module: &ModuleVersion) -> Option<SystemTime> {
        self.seen.kept(module)
    }

    /// The same, after the database was asked if need be.
    pub(super) fn ask_age(&self, module: &ModuleVersion, trace: &Trace) -> Option<SystemTime> {
        let kept = self.seen.kept(module);
        if kept.is_some() {
            return kept;
        }
        if self.seen.asks_about(module) {
            // Asked for this request, and remembered for the witness.
            let client = self.client().with_headers(&trace.headers());
            client.lookup(module).ok()?;
        }
        self.seen.ask(module).ok().flatten()
    }

    /// The number of a version's record, if it was looked up.
    pub(super) fn record_of(&self, module: &ModuleVersion) -> Option<u64> {
        let data = self.store().read(&lookup_file(module).ok()?)?;
        Some(Record::parse(&data).ok()?.id)
    }

    /// The name of the database.
    pub(super) fn name(&self) -> &str {
        self.client().name()
    }
}

/// The number of records up to the end of a subtree.
fn node_end(node: &LogSubtree) -> Option<u64> {
    node.number.checked_add(1)?.checked_shl(node.level)
}

/// Reads `PATH@VERSION`, both escaped.
fn parse_lookup(name: &str) -> Result<ModuleVersion> {
    let (path, version) = name.split_once('@').ok_or_else(|| {
        let text = format!("invalid module@version syntax {name:?}");
        Error::new(Kind::NotFound, text)
    })?;
    ModuleVersion::unescape(path, version)
        .map_err(|error| Error::new(Kind::NotFound, error.chain()))
}

/// `tile/8/L/N` or `tile/8/L/N.p/W`, in the one form that a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TileName {
    level: u32,
    number: u64,
    /// From 1 to 256.
    width: usize,
}

impl TileName {
    fn parse(name: &str) -> Option<TileName> {
        let rest = name.strip_prefix("tile/8/")?;
        let (level, rest) = rest.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, 256),
        };
        let mut value: u64 = 0;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            value = value.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let parsed = TileName {
            level: level.parse().ok().filter(|level| *level < 64 / HEIGHT)?,
            number: value,
            width,
        };
        (1..=256)
            .contains(&parsed.width)
            .then_some(parsed)
            .filter(|parsed| parsed.path() == name)
    }

    fn path(self) -> String {
        let full = self.full();
        match self.width {
            256 => full,
            width => format!("{full}.p/{width}"),
        }
    }

    fn full(self) -> String {
        let mut number = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        format!("tile/8/{}/{number}", self.level)
    }

    /// The last subtree that the tile has.
    fn last_node(self) -> Option<LogSubtree> {
        Some(LogSubtree {
            level: self.level * HEIGHT,
            number: self
                .number
                .checked_mul(256)?
                .checked_add(self.width as u64 - 1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_one_name() {
        let table = [
            ("tile/8/0/000", Some((0, 0, 256))),
            ("tile/8/1/001.p/7", Some((1, 1, 7))),
            ("tile/8/0/x001/234", Some((0, 1234, 256))),
            ("tile/8/0/x001/x234/567.p/255", Some((0, 1_234_567, 255))),
            ("tile/8/0/1", None),
            ("tile/8/0/0000", None),
            ("tile/8/0/x000/001", None),
            ("tile/8/0/001/234", None),
            ("tile/8/0/000.p/256", None),
            ("tile/8/0/000.p/0", None),
            ("tile/8/0/000.p/01", None),
            ("tile/8/00/000", None),
            ("tile/8/8/000", None),
            ("tile/9/0/000", None),
            ("tile/8/data/000", None),
            ("tile/8/0/+01", None),
            ("tile/8/0/x999/x999/x999/x999/x999/x999/x999/999", None),
        ];
        for (name, want) in table {
            let found = TileName::parse(name);
            let found = found.map(|tile| (tile.level, tile.number, tile.width));
            assert_eq!(found, want, "{name}");
        }
    }

    #[test]
    fn lookups_name_a_module_and_a_version() {
        assert_eq!(
            parse_lookup("a.com/!m@v1.0.0").unwrap().to_string(),
            "a.com/M@v1.0.0"
        );
        for bad in [
            "",
            "a.com/m",
            "a.com/M@v1.0.0",
            "a.com/m@main",
            "a.com/m@v1.0.0/go.mod",
        ] {
            assert_eq!(
                parse_lookup(bad).unwrap_err().kind(),
                Kind::NotFound,
                "{bad}"
            );
        }
    }
}
