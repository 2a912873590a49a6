//! The one tar format that modfetch writes and reads: bundles and exported caches.
//!
//! An archive has one byte sequence for one list of files, so equal inputs give equal archives,
//! and any tar program can unpack it:
//!
//! - Members are regular files. Directories are implied by the names.
//! - Headers are ustar: mode 0644, owner and group 0 without names, modification time 0.
//! - A name that does not fit into ustar's 100 and 155 bytes has a pax header before it, with one
//!   record, `path`. No other pax record, GNU extension or sparse map occurs.
//! - Content is padded with zeros to 512 bytes. Zeros end the archive: two blocks of 512 bytes and
//!   what fills the last 10,240.
//!
//! [`TarWriter`] takes members in the order in which they come; the caller sorts them. [`TarReader`]
//! is strict: it reads from a pipe in bounded memory and accepts a header only if [`TarWriter`] would
//! have written each of its bytes. So links, devices, wrong checksums and extensions need no rules of
//! their own. It also refuses duplicates, names that leave the archive's root, and what follows the end.
//!
//! Source: POSIX.1-2017 `pax`, "ustar Interchange Format" and "pax Extended Header".

mod header;
mod reader;
mod writer;

pub use reader::{TarMember, TarReader};
pub use writer::TarWriter;
