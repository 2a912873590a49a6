//! modfetch fetches, checks, keeps and serves Go modules without a Go toolchain.
#![forbid(unsafe_code)]

pub mod cache;
pub mod cli;
pub mod command;
pub mod config;
mod error;
pub mod modfile;
pub mod modset;
pub mod module;
pub mod modzip;
pub mod trust;

pub use error::{Error, Kind, Result};
