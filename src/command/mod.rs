//! One file a subcommand: glue of a few dozen lines over the areas below.

pub mod env;
mod settings;

pub use settings::{global_flags, working_directory};
