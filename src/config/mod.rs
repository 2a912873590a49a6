//! What the settings mean: flag over process environment over `GOENV` file over
//! `$GOROOT/go.env` over built-in default, and each value remembers which of them decided.
//!
//! Two readings of the same sources: [`GoEnv`] judges nothing, because `env` has to print what
//! is wrong; [`Config`] is what a run works with, typed and refused if malformed. The process
//! environment is a value, [`Environment`], read once.
//!
//! modfetch's own settings are rows of [`settings`], each with its flag; [`flags`] says what a flag is and has
//! those in go's spelling. Nothing here opens a socket, prints, or takes a command line apart: what was typed comes
//! as [`RawArgs`], which [`crate::cli`] fills.

mod accepted;
mod args;
mod compat;
mod early;
mod effective;
mod env;
mod env_file;
pub mod flags;
mod go_env;
mod goflags;
mod known;
mod mod_mode;
mod origin;
mod overlay;
mod project;
mod quantity;
mod resolve;
pub mod settings;
mod toolchain;
mod value;

pub use accepted::AcceptedSum;
pub use args::RawArgs;
pub use early::EarlyOutput;
pub use effective::Config;
pub use env::{Environment, host_platform};
pub use env_file::{edit as edit_env_file, read as read_env_file, write as write_env_file};
pub use go_env::{GoEnv, GoValue};
pub use goflags::GoFlags;
pub use known::check_write;
pub use mod_mode::ModMode;
pub use origin::{Origin, Setting};
pub use overlay::{Overlay, ProjectFiles};
pub use project::{GoModSearch, ModuleMode, find_go_mod, find_go_work, module_mode};
pub use quantity::{parse_age, parse_size};
pub use settings::own_values;
pub use toolchain::go_version;
pub use value::{AccessLog, Color, Git, Log, Progress, parse_duration};
