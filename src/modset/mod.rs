//! Which modules: from arguments and a go.mod to the versions that are to be fetched.
//!
//! [`Project`] reads the main modules: one, or those that a go.work uses ([`Workspace`]). [`Edits`] are
//! their `replace` and `exclude` lines. [`Loader`] walks the requirement graph as far as
//! pruning says and is told the go.mod files it asks for: it fetches nothing itself, so that it
//! can be tested as data, and so that whoever drives it decides how many requests are in flight.
//! [`Node`] is what the graph connects: main modules, module versions, and the go versions and
//! toolchains that go lines ask for.
//! [`Graph`] is what came out, with the version that minimal version selection picks for each
//! path. [`Vendor`] is what a vendor directory tells in its place, and
//! [`BuildMod`] is why it is asked. [`Requirements`] are those of the
//! main module on their way from what go.mod says to what it should say, and [`Update`] is the
//! difference. [`Selection`] applies the command line to it. [`Query`] knows what `@latest` and its kin mean
//! among a list of versions.
//!
//! Source: golang/go `cmd/go/internal/modload/{init,buildlist,list,modfile}.go`, and the Go
//! Modules Reference on minimal version selection and graph pruning.

mod build_mod;
mod graph;
mod loader;
mod main_module;
mod mains;
mod minimal;
mod node;
mod project;
mod query;
mod replace;
mod requirements;
mod select;
mod update;
mod vendor;
mod vendored;
mod why;
mod workspace;

pub use build_mod::BuildMod;
pub use graph::Graph;
pub use loader::{Loader, Summary, Wanted};
pub use main_module::MainModule;
pub use minimal::minimal_roots;
pub use node::Node;
pub use project::Project;
pub use query::{Query, Range};
pub use replace::{Actual, Edits, MissingReplace};
pub use requirements::Requirements;
pub use select::{Argument, Choice, Named, Selection};
pub use update::Update;
pub use vendor::{Vendor, Vendoring};
pub use vendored::Vendored;
pub use workspace::Workspace;
