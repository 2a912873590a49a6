//! What went wrong: in words, whether it may pass, and what it says about the host.
//!
//! | file | idea |
//! |---|---|
//! | `context` | turns an error of ureq, rustls or a proxy into one for the user |
//! | `host_failure` | how far trouble with a host goes, for others who would ask it too |
//!
//! Whoever meets a failure has `context` explain it. When the last try has failed, the
//! client adds to it by `host_failure` how often it was tried, and tells [`limits`](super::limits)
//! what is to be held against the host.

mod context;
mod host_failure;

pub(super) use context::{FailureContext, out_of_time, reading};
#[cfg(test)]
pub(crate) use host_failure::FailureScope;
pub use host_failure::HostFailure;
pub(super) use host_failure::{evidence, not_asked, short_reason, tried};
