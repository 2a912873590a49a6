//! From the arguments of a command line to module versions.
//!
//! | file | idea |
//! |---|---|
//! | `args` | what was typed: [`SelectionArgs`] |
//! | `from_list` | `--from`: arguments that a file lists |
//! | `context` | what arguments are read against: the main modules and their requirements |
//! | `needs_graph` | whether saying what an argument means takes the whole graph |
//! | `selection` | which modules a download, a plan or a check is about: [`Selection`] |
//! | `target` | the arguments applied to the graph: one [`Target`] a module, in go's order |
//! | `resolve` | targets to versions: queries are asked of the source |
//! | `list_target` | the same for `list -m`, which also describes what has no version |
//!
//! Nothing here prints.

mod args;
mod context;
mod from_list;
mod list_target;
mod needs_graph;
mod resolve;
mod selection;
mod target;

pub use args::{Scope, SelectionArgs};
pub use context::SelectionContext;
pub use list_target::{ListTarget, NO_MAIN, list_targets, versioned_path};
pub use needs_graph::{any_needs_graph, needs_graph};
pub use resolve::{ChosenBy, ResolvedTarget, resolve, reused_failure};
pub use selection::Selection;
pub use target::{Target, Targets, ToolVersion};
