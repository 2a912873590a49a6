//! The files of a checksum database, kept on this machine and in the store.
//!
//! What is read from the store is proven by the client of the database, as what is read from disk; what
//! was proven is written to both. The newest head is this machine's own; one that has none yet begins with
//! the store's, whose signature is checked. A store that fails is as good as one that has nothing.

use std::path::Path;
use std::sync::Arc;

use super::objects::ObjectStore;
use super::shared::SharedStore;
use crate::error::Result;
use crate::layout;
use crate::sumdb::{Advance, Store, TileStore};

/// A file that is longer is not read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct StoreTiles {
    /// On this machine.
    pub local: Store,
    /// Shared by servers.
    pub objects: Arc<ObjectStore>,
    /// Takes what was proven there; `None` if the store is only read.
    pub uploads: Option<Arc<SharedStore>>,
    /// The name of the database.
    pub name: String,
}

impl StoreTiles {
    fn place(&self, file: &str) -> String {
        format!("{}/{file}", layout::sumdb(&self.name))
    }

    fn upload(&self, file: &str, data: &[u8]) {
        if let Some(uploads) = &self.uploads {
            uploads.put_file(self.place(file), data.to_owned());
        }
    }

    fn stored(&self, file: &str) -> Option<Vec<u8>> {
        let got = self.objects.get(&self.place(file), MAX_FILE_BYTES);
        got.ok().map(|fetched| fetched.value)
    }
}

impl TileStore for StoreTiles {
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        self.local.read(file).or_else(|| self.stored(file))
    }

    fn write(&self, file: &str, data: &[u8]) -> bool {
        self.upload(file, data);
        self.local.write(file, data)
    }

    fn believed(&self, file: &str, data: &[u8]) {
        // From the store: what other parts of a server look for is on this machine.
        if self.local.read(file).is_none() {
            self.local.write(file, data);
        }
    }

    fn is_read_only(&self) -> bool {
        self.local.is_read_only()
    }

    fn read_latest(&self, is_whole: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let latest = self.local.read_latest(is_whole)?;
        match latest.is_empty() {
            true => Ok(self
                .stored("latest")
                .filter(|note| is_whole(note))
                .unwrap_or_default()),
            false => Ok(latest),
        }
    }

    fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance> {
        let advanced = self.local.advance_latest(expected, new)?;
        if advanced == Advance::Done {
            self.upload("latest", new);
        }
        Ok(advanced)
    }

    fn latest_file(&self) -> Option<&Path> {
        self.local.latest_path().ok()
    }
}
