//! The `modfetch` program.
fn main() {}
