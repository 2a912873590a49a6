//! What the settings mean: flag over process environment over `GOENV` file over
//! `$GOROOT/go.env` over built-in default, and each value remembers which of them decided.
//!
//! Two readings of the same sources: [`GoEnv`] judges nothing, because `env` has to print what
//! is wrong; [`Config`] is what a run works with, typed and refused if malformed. The process
//! environment is a value, [`Environment`], read once.
//!
//! Nothing here opens a socket, prints, or takes a command line apart: what was typed comes as
//! [`crate::cli::RawArgs`].

mod env;
mod env_file;
mod go_env;
mod goflags;
mod known;
mod mod_mode;
mod origin;
mod overlay;
mod own;
mod project;
mod resolve;
mod settings;
mod telling;
mod toolchain;

pub use env::{Environment, host_platform};
pub use env_file::{edit as edit_env_file, read as read_env_file, write as write_env_file};
pub use go_env::{GoEnv, GoValue};
pub use goflags::GoFlags;
pub use known::{check_write, is_go_variable};
pub use mod_mode::ModMode;
pub use origin::{Origin, Setting};
pub use overlay::{Files, Overlay};
pub use own::{Color, Log, OwnValue, Progress, own_values, parse_bool, parse_duration};
pub use project::{GoMod, ModuleMode, find_go_mod, find_go_work, module_mode};
pub use settings::Config;
pub use telling::Telling;
pub use toolchain::go_version;
