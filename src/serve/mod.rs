//! The caching proxy: modules, and what proves them, handed out over HTTP.
//!
//! A request takes this way: `http1` reads it, `service` judges it (`access`, `policy`) and looks
//! into the `trees`; what they lack is fetched, proven and kept by the engine of `download`
//! (`upstream`, `engine_upstream`), one job for all who want it (`flights`), and goes out while it
//! arrives (`streaming`). Answers that may change have an age (`answers`). The checksum database is
//! served from what was proven (`checksums`).
//!
//! | file | idea |
//! |---|---|
//! | `http1` | HTTP/1.1 for files; knows no modules |
//! | `route` | what a path asks for |
//! | `files`, `queries` | the two kinds of requests for modules |
//! | `trees`, `tags` | module caches and GOPROXY trees, read |
//! | `upstream`, `engine_upstream` | what is fetched, and by whom |
//! | `flights`, `workers` | one job for many requests, threads for jobs |
//! | `streaming` | zips that go out while they arrive |
//! | `answers` | lists, `@latest`, branches, and their age |
//! | `checksums` | the checksum database |
//! | `policy`, `access`, `rate` | what is handed out, to whom, how fast |
//! | `stock`, `upkeep` | how much is kept, room, verifying again |
//! | `metrics`, `store_metrics`, `journal`, `page` | counts, log, the page for people |
//! | `settings`, `server`, `notify` | all of it as one thing that is started, reloaded and drained |
//!
//! What always holds: a file of a version is kept only after its sum was proven, and its last
//! bytes go out only then. No path leads out of a tree. What is private is asked of no upstream and
//! of no database. A refusal by policy is 403, after which a client looks nowhere else.

mod access;
mod answers;
mod checksums;
mod engine_upstream;
mod files;
mod flights;
pub mod http1;
mod journal;
mod metrics;
mod notify;
mod page;
mod policy;
mod queries;
mod rate;
mod route;
mod server;
mod service;
mod settings;
mod stock;
mod store_metrics;
mod streaming;
mod tags;
mod trees;
mod upkeep;
mod upstream;
mod workers;

pub use access::AccessSettings;
pub use answers::Freshness;
pub use engine_upstream::{CacheKeeper, EngineUpstream, Evictable};
pub use journal::{LineSink, RefetchLog, SecurityCount};
pub use notify::ServiceManager;
pub use policy::{ModulePatterns, Policy};
pub use server::{ServedDatabase, Server, ServerParts};
pub use settings::ServeSettings;
pub use upstream::Upstream;
