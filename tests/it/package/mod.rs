//! The test kit itself, README and the static binary.

mod arrows;
mod help;
mod readme;
mod recipes;
mod selftest;
mod static_binary;
mod type_names;
