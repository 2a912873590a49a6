//! The requirement graph: its walk, minimal version selection, and what go.mod should say of it.
//!
//! | part | idea |
//! |---|---|
//! | `loader` | the walk, as far as pruning says; its caller supplies the go.mod files |
//! | `workspaces` | what the walk through a workspace adds to the walk below one main module |
//! | `loaded` | the graph as it was read, with the version that is selected for each path ([`Graph`]) |
//! | `why` | the requirements that lead to a module |
//! | `update` | what go.mod should require, and what that changes in it: [`Requirements`], [`Update`] |
//! | `vendoring` | a vendor directory in place of the graph: [`Vendor`], and whether go.mod agrees |
//!
//! Nothing here fetches: [`Loader`] asks for go.mod files and its caller supplies them, so that it
//! can be tested as data, and so that the caller decides how many requests are in flight.
//!
//! Source: golang/go `cmd/go/internal/modload/{buildlist,list,modfile}.go`, and the Go Modules
//! Reference on minimal version selection and graph pruning.

mod loaded;
mod loader;
#[cfg(test)]
pub(crate) mod testing;
mod update;
mod vendoring;
mod why;
mod workspaces;

pub use loaded::Graph;
pub use loader::{Loader, WantedGoMod};
pub use update::{Requirements, Update, minimal_roots};
pub use vendoring::{Vendor, Vendored, Vendoring};
