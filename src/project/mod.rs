//! The main modules of a run: what their go.mod, or a go.work, says before any graph is read.
//!
//! | part | idea |
//! |---|---|
//! | `main_modules` | reading go.mod and go.work: [`Project`], [`Workspace`], and their `replace` and `exclude` lines ([`ReplaceRules`]) |
//! | `node` | what a graph connects: main modules, module versions, and the go versions and toolchains that go lines ask for |
//! | `summary` | what one go.mod contributes to a graph |
//! | `go_line` | what a go line, or its absence, decides about a graph |
//! | `build_mod` | what `-mod` is, and why |
//!
//! Source: golang/go `cmd/go/internal/modload/{init,modfile}.go`.

mod build_mod;
pub(crate) mod go_line;
pub(crate) mod main_modules;
mod node;
mod summary;

pub use build_mod::BuildMod;
pub use go_line::PRUNING_GO;
pub use main_modules::{
    MainModule, MissingReplace, NO_GO_MOD, Project, ReplaceRules, ResolvedModule, Workspace,
};
pub use node::Node;
pub use summary::GraphSummary;
