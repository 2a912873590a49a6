//! One module version: its files, from cache or source, checked.
//!
//! | file | idea |
//! |---|---|
//! | `compute` | the computing half of a zip: check, hash and unpack, then the commit |
//! | `transfer` | the blocking half of a zip: its lock, the second look, the bytes |
//! | `meta` | the two small files, `.info` and `.mod` |
//! | `lower` | what module caches that are only read have is taken from there first |

mod compute;
mod lower;
mod meta;
mod transfer;

pub(super) use compute::{Finished, Prepared};
pub(super) use transfer::{Begin, OnContention, Ready, Transferred, Unneeded};
