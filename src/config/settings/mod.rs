//! modfetch's own settings: one row each, which is its flag, its variable, its default, how it is read, what
//! help says, and the field in which a run finds it.
//!
//! A section is a file with one `settings!`: the rows make a struct of resolved values, which is a field of
//! [`Config`](super::Config), and the group of flags that commands name. Precedence is the same for all: flag over
//! variable (process environment over `GOENV` file over `$GOROOT/go.env`) over the other variable of the row over
//! its default.
//!
//! To add a setting, add a row. To add a section, add a file, its name in the three places below, and a field in
//! `Config`, which [`Config::resolve`](super::Config::resolve) fills.

#[macro_use]
mod row;

mod connection;
mod download;
mod global;
mod locks;
mod output;
mod project;
mod serve;
mod transfer;

pub use connection::*;
pub use download::*;
pub use global::*;
pub use locks::*;
pub use output::*;
pub use project::*;
use row::AnySetting;
pub use row::{OwnValue, SettingRow};
pub use serve::*;
pub use transfer::*;

use super::GoEnv;
#[cfg(test)]
use super::flags::Flag;

/// The rows of every section.
fn rows() -> impl Iterator<Item = &'static (dyn AnySetting + Sync)> {
    [
        ConnectionSettings::ROWS,
        DownloadSettings::ROWS,
        GlobalSettings::ROWS,
        LockSettings::ROWS,
        OutputSettings::ROWS,
        ProjectSettings::ROWS,
        ServeOptions::ROWS,
        TransferSettings::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The flag of each setting: long name, variable, default and texts; for the tables of the help topics.
#[cfg(test)]
pub fn setting_flags() -> impl Iterator<Item = &'static Flag> {
    rows().map(AnySetting::flag)
}

/// Lists modfetch's own settings as environment and files give them, refused values too, by variable.
#[must_use]
pub fn own_values(go_env: &GoEnv) -> Vec<OwnValue> {
    let mut values: Vec<OwnValue> = rows().map(|row| row.own_value(go_env)).collect();
    values.sort_by_key(|value| value.variable);
    values
}
