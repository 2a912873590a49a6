//! The requirement graph: the walk through it, and what came out.
//!
//! | file | idea |
//! |---|---|
//! | `loader` | the walk, as far as pruning says, told go.mod files by whoever fetches them |
//! | `workspaces` | what the walk through a workspace has beside the walk below one main module |
//! | `loaded` | the graph as it was read, with the version that is selected for each path |
//! | `why` | the requirements that lead to a module |

mod loaded;
mod loader;
mod why;
mod workspaces;

pub use loaded::Graph;
pub use loader::{Loader, Wanted};
