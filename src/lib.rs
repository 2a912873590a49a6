//! modfetch fetches, checks, keeps and serves Go modules without a Go toolchain.
#![forbid(unsafe_code)]

mod error;
pub mod module;
pub mod source;
pub mod transport;

pub use error::{Error, Kind, Result};
