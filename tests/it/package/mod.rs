//! The test kit itself, README and the static binary.

mod readme;
mod selftest;
mod static_binary;
