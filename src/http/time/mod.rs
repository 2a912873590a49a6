//! Time: when something is tried again, when all has to end, and what servers write about it.
//!
//! | file | idea |
//! |---|---|
//! | `retry` | the pure schedule of tries, `Retry-After`, and the clock it is played against |
//! | `deadline` | the end of the whole run's time |
//! | `date` | dates as HTTP writes them |

mod date;
mod deadline;
mod retry;

pub(crate) use date::days_from_civil;
pub(super) use date::parse_http_date;
pub use deadline::Deadline;
pub(super) use retry::RealTimer;
pub use retry::{Failure, RetryPolicy, Timer, parse_retry_after};
