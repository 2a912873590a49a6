//! The module zip: its rules, its h1, its extraction in one inflation, and its creation from the
//! files of a repository ([`select_files`], [`ModuleZipWriter`]).
//!
//! A zip arrives from somewhere that may lie. [`ModuleZip::open`] reads its directory and checks
//! it against the rules of golang/mod's `zip` package and some more, before anything is
//! inflated; [`ModuleZip::hash`] and [`ModuleZip::extract`] then inflate each entry once. Every
//! entry is held to what the directory declares: its bytes are counted, nothing beyond the
//! declared size is written, and the h1 is returned only if all of it agreed. Whether that h1 is
//! the wanted one is for the caller to say, who until then keeps `dir` marked as partial.
//!
//! What go does not check and this does: that all readers of zips see the same files. No bytes
//! may lie before, between or behind the parts, no entries may overlap, local headers and data
//! descriptors must say what the directory says, deflate streams must end where their data
//! ends, and symbolic links and other irregular files are refused. Zips that go itself makes
//! keep to all of it.
//!
//! Costs: a read per 256 KiB of zip, three system calls per extracted file, no allocation that
//! grows with an entry (a thread holds at most some 2 MiB). The list of entries takes
//! 32 bytes and a name each.
//!
#![doc = include_str!("real.md")]
#![doc = include_str!("hostile.md")]

mod archive;
mod beside;
mod broken;
#[cfg(test)]
mod cases;
mod contents;
mod create;
#[cfg(test)]
mod damage;
mod directory;
mod fields;
#[cfg(test)]
mod fixture;
mod fold;
mod inflate;
mod local;
mod root;
mod rules;
#[cfg(test)]
mod testing;
mod tree;

pub use archive::ModuleZip;
pub use contents::{Contents, Differences};
pub use create::{ModuleZipWriter, RepositoryFile, copy_content, select_files};
pub use tree::{dir_contents, hash_dir, remove_tree, seal, sha256_of_file};
