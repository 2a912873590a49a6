//! What each command prints, writes and exits with.

mod clean;
mod doctor;
mod download;
mod flags;
mod input;
pub mod json;
mod missing_sum;
mod overlay;
pub mod plan;
mod scope;
mod sum;
mod verify;
pub mod why;
