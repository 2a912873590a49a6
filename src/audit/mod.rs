//! Whether a project uses modules with known faults.
//!
//! `modfetch audit` compares the build list with records of vulnerabilities in the OSV form, which lie in a directory or in one zip
//! (Go's database publishes `vulndb.zip`; lists of malicious packages have the same form). It opens no socket for that. It works at the level of modules:
//! a module is reported if its version is in a range, whether the affected package is compiled or not.
//!
//! | part | idea |
//! |---|---|
//! | `osv` | one record: which versions of which modules, and what fixes them |
//! | `database` | all records of a directory or a zip, and the date of the snapshot |
//! | `ignore` | the file of accepted findings, each with a reason and perhaps an end |
//! | `go` | the records about the standard library and the commands of go |
//! | `finding` | what is reported |
//!
//! A database that cannot be read whole, or that has no record of the Go ecosystem, is an error: "nothing found" must mean that something
//! was looked into.

mod database;
mod finding;
mod go;
mod ignore;
mod osv;

pub use database::VulnDatabase;
pub use finding::{AuditFinding, FindingKind, findings_of_new_paths};
pub use go::findings_of_go;
pub use ignore::IgnoreFile;
