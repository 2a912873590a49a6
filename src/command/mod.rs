//! One file a command: the glue between what was typed and the areas that do the work. What only one
//! command needs is in its folder; the private files beside it are shared.
//!
//! Nothing else imports this area but [`crate::run`](crate::run()), which finds the row of a command in [`COMMANDS`].

mod age;
mod audit;
mod bundle;
mod cache;
pub mod clean;
mod completions;
mod definition;
mod directory;
pub mod doctor;
pub mod download;
pub mod env;
mod go_mod;
pub mod graph;
mod help;
mod interrupt;
pub mod list;
mod man;
mod network;
pub mod plan;
mod project;
mod queries;
mod running;
mod sbom;
mod serve;
mod session;
pub mod sum;
mod sums;
mod toolchain;
pub mod verify;
mod verify_store;
pub mod why;

pub use directory::working_directory;
mod table;
mod task_stream;
mod version;

pub use definition::{Command, CommandCall, Runner};
pub use table::{COMMANDS, command_tree};
