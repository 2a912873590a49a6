//! One file a command: the glue between what was typed and the areas that do the work.
//!
//! Nothing else imports this area.

pub mod download;
pub mod env;
mod network;
mod settings;

pub use settings::{global_flags, working_directory};
