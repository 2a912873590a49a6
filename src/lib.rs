//! modfetch fetches, checks, keeps and serves Go modules without a Go toolchain.
#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod config;
mod error;
pub mod module;

pub use error::{Error, Kind, Result};
