//! How much is asked of whom: requests at once and a second, bytes a second, and hosts that are
//! left alone.
//!
//! | file | idea |
//! |---|---|
//! | `hosts` | who may ask which host now: the next three, behind one lock |
//! | `pace` | requests at once for a host, fewer where it says 429 or 503 |
//! | `breaker` | when a host is given up, and when it is asked again |
//! | `bucket` | so many requests, so many bytes a second |
//!
//! A request pays `hosts` a visit: it enters before each try, which waits for its turn or is
//! refused, and leaves with what the host has made of it. Bytes are paid for as they arrive.

mod breaker;
mod bucket;
mod hosts;
mod pace;

pub(super) use breaker::HostEvidence;
pub(super) use bucket::ByteRate;
pub(super) use hosts::{AttemptOutcome, HostRefusal, HostSettings, Hosts};
