//! The log and the liar of modfetch's own unit tests, with the names around them that they expect.

use std::sync::{Arc, Mutex};

use modfetch::internals::sumdb::{Transport, tile, tlog};
use modfetch::{Error, Kind, Result};

mod client {
    /// As the real one, which from here cannot be had for an `Arc`.
    pub(super) trait Transport {
        fn get(&self, path: &str, limit: u64) -> modfetch::Result<Vec<u8>>;
    }
}

#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "it has more than is used here"
)]
#[path = "../../../src/sumdb/testing.rs"]
pub(super) mod testing;

/// A server that a client can be given.
pub(super) struct Shared(pub(super) Arc<Mutex<testing::Server>>);

impl Transport for Shared {
    fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let too_long = |lie: &Option<Vec<u8>>| lie.as_ref().is_some_and(|b| b.len() as u64 > limit);
        let server = self.0.lock().expect("no panic");
        if server.lies.get(path).is_some_and(too_long) {
            return Err(Error::new(
                Kind::Security,
                format!("reading {path}: too long"),
            ));
        }
        drop(server);
        client::Transport::get(&self.0, path, limit)
    }
}
