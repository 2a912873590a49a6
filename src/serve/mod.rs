//! The caching proxy: modules, and what proves them, handed out over HTTP.

pub mod http1;
