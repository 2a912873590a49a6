//! Whether bytes may be used: every h1 meets its record before anything becomes visible.
//!
//! [`SumPolicy`] holds go.sum for one run; in a workspace go.work.sum, and every go.sum beside it to
//! read. What go.sum knows must match it. What it does not
//! know is accepted where the settings exempt the module from proof (GONOSUMDB, GOPRIVATE,
//! GOSUMDB=off); otherwise the checksum database must have logged the same ([`crate::sumdb`]).
//!
//! Sums that were accepted are remembered and written by [`SumPolicy::save`], when and as `go`
//! writes go.sum: only those of modules the build list needs, only if something is new, under
//! the locks that `go` takes.
//!
//! [`FirstSeen`] says since when a version has been known, for those who refuse young ones.
//!
//! Source: golang/go `cmd/go/internal/modfetch/fetch.go`, from `checkModSum` to `WriteGoSum`.

mod explain;
mod policy;
mod proof;
mod save;
mod seen;

pub use explain::{Age, HashMismatch, HashReport, HashSource, ReportedHash, find_mismatch};
pub use policy::{SumPart, SumPolicy, SumSettings};
pub use proof::{Database, Logged};
pub use seen::{FirstSeen, describe_youth, show_age};
