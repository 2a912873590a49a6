//! The test kit itself, README and the static binary.

mod arrows;
mod help;
mod readme;
mod selftest;
mod static_binary;
