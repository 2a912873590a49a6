//! What went wrong: in words, whether it may pass, and what it says about the host.
//!
//! | file | idea |
//! |---|---|
//! | `circumstances` | turns an error of ureq, rustls or a proxy into one for the user |
//! | `trouble` | how far trouble with a host goes, for others who would ask it too |
//!
//! Whoever meets a failure has `circumstances` explain it. When the last try has failed, the
//! client adds to it by `trouble` how often it was tried, and tells [`limits`](super::limits)
//! what is to be held against the host.

mod circumstances;
mod trouble;

pub(super) use circumstances::{Circumstances, out_of_time, reading};
pub use trouble::HostTrouble;
#[cfg(test)]
pub(crate) use trouble::Reach;
pub(super) use trouble::{evidence, not_asked, short_reason, tried};
