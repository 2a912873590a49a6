//! Time: when something is tried again, when all has to end, and what servers write about it.
//!
//! | file | idea |
//! |---|---|
//! | `retry` | the pure schedule of tries, `Retry-After`, and the clock it is played against |
//! | `date` | dates as HTTP writes them |

mod date;
mod retry;

pub(crate) use date::parse_http_date;
pub(crate) use retry::RealTimer;
pub use retry::{RetryClass, RetryPolicy, Timer, parse_retry_after};
