//! Bundles: made on one side of an air gap, checked and used on the other, by modfetch and by go.

mod create;
mod heads;
mod import;
mod site;
mod tampered;
mod tree;
