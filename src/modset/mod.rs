//! Which modules: from arguments and a go.mod to the versions that are to be fetched.
//!
//! | folder | idea |
//! |---|---|
//! | `vendoring` | a vendor directory in place of the graph: [`Vendor`], what it tells, whether go.mod agrees |
//! | `update` | what go.mod should require, and what that changes in it: [`Requirements`], [`Update`] |
//! | `arguments` | the command line: what it means in the graph ([`Selection`]), which version `@latest` and its kin mean ([`Query`]) |
//! | `graph` | the walk ([`Loader`]) and what minimal version selection makes of it ([`Graph`]) |
//! | `main_modules` | what go.mod and go.work say: [`Project`], [`Workspace`], and their `replace` and `exclude` lines ([`Edits`]) |
//!
//! A folder uses those below it and none above. All of them may use the files:
//!
//! | file | idea |
//! |---|---|
//! | `node` | what the graph connects: main modules, module versions, and the go versions and toolchains that go lines ask for |
//! | `summary` | what one go.mod tells the graph |
//! | `go_line` | what a go line, or none, decides about the graph |
//! | `build_mod` | what `-mod` is, and why |
//!
//! Nothing here fetches: [`Loader`] is told the go.mod files that it asks for, so that it can be
//! tested as data, and so that whoever drives it decides how many requests are in flight.
//!
//! Source: golang/go `cmd/go/internal/modload/{init,buildlist,list,modfile}.go`, and the Go
//! Modules Reference on minimal version selection and graph pruning.

mod arguments;
mod build_mod;
mod go_line;
mod graph;
mod main_modules;
mod node;
mod summary;
#[cfg(test)]
mod testing;
mod update;
mod vendoring;

pub use arguments::{Argument, Choice, Named, Query, Range, Selection};
pub use build_mod::BuildMod;
pub use go_line::PRUNING_GO;
pub use graph::{Graph, Loader, Wanted};
pub use main_modules::{Actual, Edits, MainModule, MissingReplace, NO_GO_MOD, Project, Workspace};
pub use node::Node;
pub use summary::Summary;
pub use update::{Requirements, Update, minimal_roots};
pub use vendoring::{Vendor, Vendored, Vendoring};
