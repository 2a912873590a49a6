//! The groups of flags: settings that commands have together, made from the sections of
//! [`settings`](crate::config::settings).

pub use crate::config::settings::{CONNECTION, GLOBAL, LOCKS, OUTPUT, PROJECT, SERVE, TRANSFER};
