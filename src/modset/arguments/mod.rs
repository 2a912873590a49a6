//! What the command line asks for.
//!
//! | file | idea |
//! |---|---|
//! | `select` | arguments applied to the graph: which module versions are meant, in which order |
//! | `query` | which of a module's versions a word such as `latest`, `v1.2` or `<v2` means |

mod query;
mod select;

pub use query::{Query, Range};
pub use select::{Argument, Choice, Named, Selection};
