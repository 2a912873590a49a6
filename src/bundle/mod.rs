//! Bundles: modules in one file that proves itself, for machines that no network reaches.
//!
//! A bundle is a plain tar file ([`crate::tarfile`]) whose tree is a `file://` GOPROXY with a checksum
//! database. Unpacked by any tar program, stock `go` uses it as it is and verifies it with the key
//! that it has built in; who carried the file need not be trusted.
//!
//! # Members, in this order
//! | member | content |
//! |---|---|
//! | `modfetch-bundle.json` | the [`Manifest`]: each module with its sums, the database, the options |
//! | `sumdb/NAME/supported` | empty: tells `go` that the tree has the database |
//! | `sumdb/NAME/latest` | the signed tree head that all records are proven under |
//! | `sumdb/NAME/tile/8/...` | exactly the tiles that a client reads ([`proofs::ProofTiles`]) |
//! | `sumdb/NAME/lookup/P@V` | a record each, all with that one head |
//! | `P/@latest`, `P/@v/list` | per module path: what `go` asks to find the newest version |
//! | `P/@v/V.info`, `.mod`, `.zip` | per module version, as far as the manifest says |
//!
//! The manifest determines names and order of all other members, so there is one sequence of
//! bytes for one set of inputs, and a member that is missing, added or moved is an error. A tile
//! comes after the tile that proves it, a record after its tiles, a module after its record: a
//! reader checks each member when it has read it, in one pass, and keeps only hashes.
//!
//! # What is not proven
//! Times and the choice of the newest version are what the proxy said; no database has them.
//!
//! | file | idea |
//! |---|---|
//! | `manifest` | the manifest: reading, writing, the members it implies |
//! | `proofs` | which tiles a client reads, and their proof in the order of the archive |
//! | `reader` | one pass over a bundle: each member is checked, then handed to a [`BundleSink`] |
//! | `create`, `verify`, `import` | the operations |

mod import;
mod import_log;
mod manifest;
mod proofs;
mod reader;
mod tile_spool;
mod timeline;
mod tree;
mod verify;
mod want;
mod write;
mod zip_jobs;

pub use import::{BundleImport, ImportOptions, import_bundle};
pub use import_log::ImportLog;
pub use manifest::{MANIFEST_NAME, Manifest, ManifestModule, ManifestZip};
pub use reader::{
    BundleHead, BundleSink, BundleSummary, BundleTrust, Voucher, read_bundle,
    read_manifest_and_head,
};
pub use tree::import_into_tree;
pub use verify::verify_bundle;
pub use want::{BundleWant, WantedProject};
pub use write::{BundleModule, BundleProofs, write_bundle};
pub(crate) use zip_jobs::unnamed_file;
