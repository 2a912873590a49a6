//! What each command prints, writes and exits with.

mod audit;
pub mod cache;
mod clean;
mod doctor;
mod download;
mod flags;
mod go_releases;
mod input;
pub mod json;
mod missing_sum;
mod overlay;
pub mod plan;
mod sbom;
mod scope;
mod serve;
mod sum;
mod verify;
mod want;
pub mod why;
