//! The main modules of a run, and what their files say before any graph is read.
//!
//! | file | idea |
//! |---|---|
//! | `project` | all of them: one, or those of a workspace; where the graph starts |
//! | `workspace` | reading go.work and the main modules that it uses |
//! | `main_module` | one of them: where its go.mod is, and what that says |
//! | `replace` | their `replace` and `exclude` lines, applied to module versions |

mod main_module;
mod project;
mod replace;
mod workspace;

pub use main_module::MainModule;
pub use project::{NO_GO_MOD, Project};
pub(crate) use replace::from_workspace;
pub use replace::{MissingReplace, ReplaceRules, ResolvedModule};
pub use workspace::Workspace;
