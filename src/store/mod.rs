//! An object store with the S3 API as a tree of files, for several servers and for bundles.
//!
//! What is kept there is a GOPROXY tree, by the names of [`crate::layout`], as in a directory: stock `go`
//! can read it through any web server. The servers that share it hold no lock and compare nothing: names
//! of versions are immutable, so that the last writer puts the bytes that were there. What must not be
//! seen half done has an order: `.zip`, then `.mod`, then `.info`; a version whose `.info` is there is
//! complete, and one that is not is healed by being put again. A store is never believed: who reads from it
//! checks as if a stranger had brought it.
//!
//! | file | idea |
//! |---|---|
//! | `place` | `s3://BUCKET/PREFIX`, and the host that it means |
//! | `endpoints` | the nodes that can be asked, and which one is |
//! | `sigv4`, `moment`, `clock` | signatures, and the time in them |
//! | `credentials` | keys, and the places where they are found |
//! | `objects`, `parts` | the calls |
//! | `counts` | what was asked, by operation |
//! | `source` | the store as a source of modules |
//! | `shared` | the store of a server: uploads, and what was verified |
//! | `tiles` | the files of a checksum database |
//! | `tree` | what a store holds, by version |
//! | `xml` | the few elements that are read |

mod clock;
mod counts;
mod credentials;
mod endpoints;
mod moment;
mod objects;
mod parts;
mod place;
mod shared;
mod sigv4;
mod source;
mod tiles;
mod tree;
mod xml;

pub use counts::{Operation, OperationCount};
pub use credentials::StoreEnvironment;
pub use objects::{Existing, ObjectStore};
pub use place::StorePlace;
pub use shared::SharedStore;
pub use source::{StoreBackedSource, StoreSource};
pub use tiles::StoreTiles;
pub use tree::{StoredVersion, upload_turn};
