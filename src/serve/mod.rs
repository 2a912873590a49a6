//! The caching proxy: modules, and what proves them, handed out over HTTP.

pub mod http1;

mod access;
mod flights;
mod metrics;
mod policy;
mod route;
mod trees;
mod upstream;
mod workers;
