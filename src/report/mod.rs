//! All that the user reads. The only area that writes to stdout or stderr.
//!
//! stdout is data a script may parse, stderr is talk. [`Console`] prints results and errors from
//! the calling thread; [`ProgressReporter`] prints what happens meanwhile (progress, `-x`, retries) from one
//! thread of its own, fed over a channel by whoever works, and is finished before results are
//! printed, so the two never mix within a line. Until there is something to tell it starts no
//! thread.

mod age;
mod audited;
mod cache;
mod console;
mod count;
mod error_groups;
mod explained;
mod json;
mod listed;
mod outcome;
mod planned;
mod progress;
mod sbom;
mod summary;
mod verified;

pub use age::age;
pub use audited::{AuditForm, AuditReport, audit_text};
pub use cache::{
    DiskUsage, DiskUsageBy, PruneReport, eviction_json, eviction_line, version_json, version_line,
};
pub use console::Console;
pub use count::human;
pub use error_groups::group_by_host;
pub use explained::Explained;
pub use json::JsonObject;
pub use listed::module_json;
pub use outcome::{failed_target_json, target_json};
pub use planned::{Planned, planned_table};
pub use progress::{ProgressReporter, ProgressSettings};
pub use sbom::{BomFormat, BomStamp, bill_of_materials, utc_date};
pub use summary::Summary;
pub use verified::{finding, report_json};
