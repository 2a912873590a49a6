//! For tests: which files of the database does a client read?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store::Advance;
use super::tile_store::TileStore;
use crate::error::Result;

/// A store in memory that starts with a head or none and records which files a client asks for:
/// exactly those that a machine with that head and nothing else reads.
#[derive(Debug, Default)]
pub struct RecordingStore {
    state: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    latest: Vec<u8>,
    /// `None` for a file that was asked for and was not there.
    files: BTreeMap<String, Option<Vec<u8>>>,
}

impl RecordingStore {
    /// The store of a machine that has seen this signed head, or none if it is empty.
    #[must_use]
    pub fn with_head(head: &[u8]) -> RecordingStore {
        let state = Recorded {
            latest: head.to_owned(),
            ..Recorded::default()
        };
        RecordingStore {
            state: Mutex::new(state),
        }
    }

    /// The files that the client has proven and kept, by name.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let kept = state.files.iter();
        kept.filter_map(|(name, data)| Some((name.clone(), data.clone()?)))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, Recorded> {
        // Every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TileStore for RecordingStore {
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        let mut state = self.state();
        let asked = state.files.entry(file.to_owned()).or_default();
        asked.clone()
    }

    fn write(&self, file: &str, data: &[u8]) -> bool {
        self.state()
            .files
            .insert(file.to_owned(), Some(data.to_owned()));
        true
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn read_latest(&self, _: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        Ok(self.state().latest.clone())
    }

    fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance> {
        let mut state = self.state();
        if !state.latest.is_empty() && state.latest != expected && state.latest != new {
            return Ok(Advance::Found(state.latest.clone()));
        }
        state.latest = new.to_owned();
        Ok(Advance::Done)
    }

    fn latest_file(&self) -> Option<&Path> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::SumDbClient;
    use super::super::note::NoteVerifier;
    use super::super::testing::{Log, NAME, Server, head, key};
    use super::*;
    use crate::gomod::ModuleVersion;

    /// The tiles that a client which starts with `head` keeps for these records of a log.
    fn recorded(log: &Log, head: &[u8], ids: &[u64]) -> Vec<String> {
        let store = Arc::new(RecordingStore::with_head(head));
        let server = Server::of(log.clone());
        let verifier = NoteVerifier::parse(&key(NAME)).unwrap();
        let client = SumDbClient::new(verifier, Arc::clone(&store), Box::new(server));
        for id in ids {
            let module = ModuleVersion::parse(&format!("example.com/m{id}"), "v1.0.0").unwrap();
            client.lookup(&module).unwrap();
        }
        let kept = store.kept().into_keys();
        kept.filter(|name| name.starts_with("tile/")).collect()
    }

    #[test]
    fn a_recording_store_has_the_tiles_that_a_client_reads() {
        // 70000 = 1 * 65536 + 17 * 256 + 112; record 300 is in tile 1.
        let log = Log::of(70_000);
        let fresh = [
            "tile/8/0/001",
            "tile/8/0/273.p/112",
            "tile/8/1/000",
            "tile/8/1/001.p/17",
            "tile/8/2/000.p/1",
        ];
        assert_eq!(recorded(&log, b"", &[300]), fresh);
        // 700 = 2 * 256 + 188: what shows that this head is the log's beginning is read as well.
        let older = recorded(&log, &head(log.tree(700)), &[300]);
        let added: Vec<&String> = older
            .iter()
            .filter(|name| !fresh.contains(&name.as_str()))
            .collect();
        assert_eq!(added, ["tile/8/0/002"]);
    }
}
