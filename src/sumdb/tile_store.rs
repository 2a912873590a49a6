//! What a client needs of the place where it keeps what it has proven.

use std::fmt;
use std::path::Path;

use super::store::{Advance, Store};
use crate::error::Result;

/// Keeps the files of one database: responses to lookups (`lookup/P@V`), tiles (`tile/8/...`) and
/// the newest signed head. What is read from it is proven again, so it need not be trusted.
pub trait TileStore: fmt::Debug + Send + Sync {
    /// The content of a kept file; `None` if there is none, or none that is readable.
    fn read(&self, file: &str) -> Option<Vec<u8>>;

    /// Keeps a file. Returns whether that worked: a store that cannot be written is no failure.
    fn write(&self, file: &str, data: &[u8]) -> bool;

    /// The response to a lookup that was read from here was proven.
    fn believed(&self, _file: &str, _data: &[u8]) {}

    /// True if nothing will be written, so that what is damaged is reported and not repaired.
    fn is_read_only(&self) -> bool;

    /// The newest head; empty if none was kept yet. `is_whole` tells a head from a torn file.
    ///
    /// # Errors
    /// Those of the store: a head that is there and cannot be read must not count as none.
    fn read_latest(&self, is_whole: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>>;

    /// Replaces the newest head, if it is still `expected` or there is none.
    ///
    /// # Errors
    /// Those of the store.
    fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance>;

    /// Where the newest head is, for messages; `None` if it is in no file.
    fn latest_file(&self) -> Option<&Path>;
}

impl TileStore for Store {
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        Store::read(self, file)
    }

    fn write(&self, file: &str, data: &[u8]) -> bool {
        Store::write(self, file, data)
    }

    fn is_read_only(&self) -> bool {
        Store::is_read_only(self)
    }

    fn read_latest(&self, is_whole: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        Store::read_latest(self, is_whole)
    }

    fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance> {
        Store::advance_latest(self, expected, new)
    }

    fn latest_file(&self) -> Option<&Path> {
        self.latest_path().ok()
    }
}

impl<S: TileStore + ?Sized> TileStore for std::sync::Arc<S> {
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        (**self).read(file)
    }

    fn write(&self, file: &str, data: &[u8]) -> bool {
        (**self).write(file, data)
    }

    fn believed(&self, file: &str, data: &[u8]) {
        (**self).believed(file, data);
    }

    fn is_read_only(&self) -> bool {
        (**self).is_read_only()
    }

    fn read_latest(&self, is_whole: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        (**self).read_latest(is_whole)
    }

    fn advance_latest(&self, expected: &[u8], new: &[u8]) -> Result<Advance> {
        (**self).advance_latest(expected, new)
    }

    fn latest_file(&self) -> Option<&Path> {
        (**self).latest_file()
    }
}
