//! go.mod changed and written again, as go would write them.
//!
//! | file | idea |
//! |---|---|
//! | `mod_edit` | changes to a go.mod |
//! | `separate` | its direct and indirect requirements in blocks of their own |
//! | `sort` | the order of lines in a block, and which of repeated ones counts |
//! | `print` | the tree in the standard style |
//! | `parse` | from text to the tree |
//! | `tree` | a file with every token and comment, owned |
//! | `raw_bytes` | bytes that are not UTF-8, carried through text and back |

mod mod_edit;
mod parse;
mod print;
mod raw_bytes;
mod separate;
mod sort;
mod tree;

#[cfg(test)]
mod against_go;

pub use mod_edit::{ModEdit, Requirement};
