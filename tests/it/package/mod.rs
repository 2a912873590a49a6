//! The test kit itself, README and the static binary.

mod arrows;
mod readme;
mod selftest;
mod static_binary;
