//! From the arguments of a command line to module versions.

mod arguments;

pub use arguments::{Argument, Choice, Named, Query, Range, Selection};
