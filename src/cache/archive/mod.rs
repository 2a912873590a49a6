//! A cache, or what projects need of it, as one file: for a CI job that keeps modules between runs.
//!
//! An archive is a tar file ([`crate::tarfile`]) without times, whose names are those below GOMODCACHE.
//! Versions are in their order, and of each the members are, as far as they are there:
//!
//! ```text
//! cache/download/P/@v/V.info
//! cache/download/P/@v/V.mod
//! cache/download/P/@v/V.ziphash
//! cache/download/P/@v/V.zip      or      P@V/...
//! ```
//!
//! Equal caches give equal archives. Zips are a quarter of the size of what they unpack to, and are
//! unpacked on all cores when they are imported; directories compress better when the archive itself is
//! compressed.
//!
//! An import trusts no sender: the h1 of what comes out is compared with the ziphash in the archive and with
//! what the caller knows ([`ImportTrust`]) before a reader of the cache sees it. It takes go's locks and
//! goes go's way into the cache.

mod export;
mod import;
mod names;
mod tree;

pub use export::{ExportItem, Exported};
pub use import::{ImportTrust, Imported};
