//! What a server answers: which of it is wanted, and what the rest means.
//!
//! | file | idea |
//! |---|---|
//! | `body` | where a body goes and how much of it may come |
//! | `encoding` | undoes `Content-Encoding: gzip` |
//! | `known` | asking whether what is known has changed: `If-None-Match`, 304 |
//! | `resume` | going on with a body that was cut: `Range`, `If-Range` |
//! | `status` | the text of a status that is not 200, as go words it |
//!
//! A status that is not 200 becomes an error in `status`, with what the body says of it. Of one
//! that is, `resume` says whether the body is the whole or the rest that was asked for, and
//! `body` copies it through `encoding` into a [`BodySink`], counted and no faster than
//! [`limits`](super::limits) allow.

mod body;
mod encoding;
mod known;
mod resume;
mod status;

pub(super) use body::{BodyExtent, CHUNK_BYTES, Watch, briefly, copy_body, unwritable};
pub use body::{BodySink, Fetched, TooLarge};
#[cfg(test)]
pub(super) use encoding::tests::gzip;
pub use known::KnownBodies;
pub(super) use known::KnownQuestion;
pub(super) use resume::RangeAnswer;
pub use resume::{PartialBody, Resumable, Validator};
pub(super) use status::{Detail, ReasonPhrase, status_error, status_text};
