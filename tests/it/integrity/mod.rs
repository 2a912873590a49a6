//! Sums, signatures, locks, signals and kills: the cache stays valid.

mod accept_unlogged;
mod bundled;
mod concurrent;
pub mod disk;
mod failed_downloads;
mod hostile;
mod kill;
mod locks;
mod modfull;
mod prune;
mod read_only_cache;
mod readonly;
mod repair;
mod signals;
pub mod sumdb;
mod sumdb_asked;
mod tamper;
mod trust;
mod verify_repair;
mod verify_sums;
