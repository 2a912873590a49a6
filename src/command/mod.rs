//! One file a command: the glue between what was typed and the areas that do the work.
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
mod list_begin;
mod list_print;
mod list_vendored;
mod network;
mod pick;
pub mod plan;
mod plan_files;
mod project;
mod queries;
mod running;
mod session;
pub mod sum;
mod sum_check;
mod sum_explain;
pub mod verify;
mod wanted;
pub mod why;

pub use directory::working_directory;
pub use wanted::{Scope, Wish};
