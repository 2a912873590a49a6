//! How much at once.
//!
//! | file | idea |
//! |---|---|
//! | `pools` | the two thread pools, made when first needed |
//! | `files` | how many files may be open, and how many transfers that is enough for |

mod files;
mod pools;

pub(super) use files::holdable;
pub use pools::on_cores;
pub(super) use pools::{Pools, cores, on_two};
