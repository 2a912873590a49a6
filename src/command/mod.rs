//! One file a command: the glue between what was typed and the areas that do the work. What only one
//! command needs is in its folder; the private files beside it are shared.
//!
//! Nothing else imports this area.

pub mod clean;
mod directory;
pub mod doctor;
pub mod download;
pub mod env;
mod from_list;
mod go_mod;
pub mod graph;
mod interrupt;
pub mod list;
mod network;
mod pick;
pub mod plan;
mod project;
mod queries;
mod running;
mod session;
pub mod sum;
pub mod verify;
mod wanted;
pub mod why;

pub use directory::working_directory;
pub use wanted::{Scope, Wish};
