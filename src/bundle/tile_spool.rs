//! The database of a bundle that is being imported, as what a client of this machine asks.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::sumdb::Transport;
use crate::system::FileAt as _;

/// Tiles, in a file without a name, and the response to the lookup that is being checked.
#[derive(Clone, Debug)]
pub(super) struct TileSpool(Arc<Mutex<Spooled>>);

#[derive(Debug)]
struct Spooled {
    file: File,
    /// How much of it is used, in bytes.
    bytes: u64,
    /// Offset and length of each tile.
    tiles: HashMap<String, (u64, usize)>,
    response: Option<(String, Vec<u8>)>,
}

impl TileSpool {
    /// An empty spool in this file.
    pub(super) fn new(file: File) -> TileSpool {
        TileSpool(Arc::new(Mutex::new(Spooled {
            file,
            bytes: 0,
            tiles: HashMap::new(),
            response: None,
        })))
    }

    /// Keeps a tile, by its name below the database.
    ///
    /// # Errors
    /// [`Kind::LocalIo`].
    pub(super) fn add(&self, name: &str, content: &[u8]) -> Result<()> {
        let mut spooled = self.spooled();
        let written = spooled.file.write_all_at(content, spooled.bytes);
        written.map_err(|cause| {
            Error::new(Kind::LocalIo, "cannot write a temporary file").because(cause)
        })?;
        let offset = spooled.bytes;
        spooled
            .tiles
            .insert(name.to_owned(), (offset, content.len()));
        spooled.bytes += content.len() as u64;
        Ok(())
    }

    /// The content of a tile.
    pub(super) fn tile(&self, name: &str) -> Option<Vec<u8>> {
        let spooled = self.spooled();
        let &(offset, length) = spooled.tiles.get(name)?;
        let mut content = vec![0; length];
        spooled.file.read_exact_at(&mut content, offset).ok()?;
        Some(content)
    }

    /// The names of all tiles.
    pub(super) fn names(&self) -> Vec<String> {
        self.spooled().tiles.keys().cloned().collect()
    }

    /// Makes `response` the answer to the lookup at `file`, and to no other.
    pub(super) fn answer(&self, file: &str, response: Vec<u8>) {
        self.spooled().response = Some((file.to_owned(), response));
    }

    fn spooled(&self) -> MutexGuard<'_, Spooled> {
        // What a panic could leave is a tile without a name.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for TileSpool {
    fn get(&self, path: &str, _: u64) -> Result<Vec<u8>> {
        let response = self.spooled().response.clone();
        let response = response.filter(|(file, _)| file == path);
        let found = response.map(|(_, response)| response);
        found.or_else(|| self.tile(path)).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("{path}: the bundle does not have it"),
            )
        })
    }
}
