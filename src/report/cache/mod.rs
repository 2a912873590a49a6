//! What `modfetch cache` prints: space, versions, and what a prune removes.

mod disk_usage;
mod prune;
mod versions;

pub use disk_usage::{DiskUsage, DiskUsageBy};
pub use prune::{PruneReport, eviction_json, eviction_line};
pub use versions::{version_json, version_line};
