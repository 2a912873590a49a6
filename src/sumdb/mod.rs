//! The client of a Go checksum database: a signed, append-only log of the sums of modules.
//!
//! A response to a lookup counts for nothing by itself. It is believed when the head that came
//! with it is signed by the key that GOSUMDB names, when that head and the newest one seen so far
//! are moments of one log, and when the log has the record. [`tlog`] and [`tile`] say which hashes
//! show that, [`note`] checks signatures; all three are pure. [`SumDbClient`] asks and judges; `tiles` gets
//! what it needs for that. Both fetch through a [`Transport`] and keep what was proven in a
//! [`TileStore`]: go's files ([`Store`]), or memory that records what was asked for.
//!
//! # What always holds
//! - Nothing is written before everything it depends on is proven: tiles after they made up the
//!   hash of a head that continues the one before, then the head, then the response.
//! - What is read from the disk is proven as if it had just come; if it is wrong, it is fetched.
//! - A lookup and a tile are requested once, however many threads ask.
//! - No lock is held while waiting for the network or for another lock.
//!
//! # What go does and this does not (go1.26.8)
//! It saves a newest head that no tile supports and is stuck with it; it keeps the tiles of a
//! fork, and a response about another module under the name of the one asked for; a head of
//! more than 2^62 records never ends; a torn cached response fails for ever.

mod client;
mod dates;
pub mod note;
#[cfg(test)]
pub(crate) mod recording_store;
mod store;
#[cfg(test)]
pub(crate) mod testing;
pub mod tile;
mod tile_store;
mod tiles;
pub mod tlog;

pub use client::{LoggedSums, SumDbClient, Transport, lookup_file};
pub use dates::LogDates;
pub use store::{Advance, Store};
pub use tile_store::TileStore;
