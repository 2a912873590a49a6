//! go.mod, go.work, go.sum and vendor/modules.txt: pure parsers, editors and writers.
//!
//! Nothing here touches files, network, environment or clock: a parser gets bytes and the name to
//! put into messages. What is accepted, refused and said is what golang/mod's `modfile` and
//! cmd/go's `modload` and `modfetch` accept, refuse and say, so that scripts which match on
//! `go.mod:3: unknown directive: foo` go on working.
//!
//! ```text
//! bytes -> lex (tokens) -> syntax (lines and blocks with their comments) -> go_mod, go_work
//! ```
//!
//! Which reading a file gets depends on whose it is:
//!
//! | file | reading | versions that are not canonical |
//! |---|---|---|
//! | go.mod of the main module | [`ModFile::parse`]: every fault, all of them | refused, with a hint |
//! | the same, with queries | [`ModFile::parse_with`] | resolved by the caller |
//! | go.mod of a dependency | [`ModFile::parse_lax`]: skips what it does not know | completed |
//! | the same, for the graph | [`GoModSummary::parse`]: the same reading of three directives, faster | completed |
//! | go.work | [`WorkFile::parse`] | completed |
//! | vendor/modules.txt | [`ModulesTxt::parse`]: skips what it does not know | left as they are |
//!
//! What is to be written again is read into a tree of its own, in the folder `edit`, which keeps
//! every comment:
//!
//! ```text
//! bytes -> lex -> tree -> ModEdit (with what ModFile says) -> print -> bytes
//! ```
//!
//! Completed means that `v1.2` is read as `v1.2.0`. For the main module that would be wrong:
//! there `go` takes it for a query, to which `v1.2.7` may be the answer.
//!
//! Where this refuses more than `go` (which fails on each of these later, or never looks):
//! an empty module path; a go version like `1.21.3rc1`, which the format allows and which is no
//! Go version; a replacement in go.work whose path and version disagree on the major version;
//! names that are not UTF-8. Comments may hold any bytes, as for `go`.
//!
//! Text is read in one pass without recursion, in time linear in its length.

mod comments;
mod directive;
mod edit;
mod go_mod;
mod go_sum;
mod go_work;
mod godebug;
mod lex;
mod modules_txt;
mod needs;
mod problem;
mod syntax;

#[cfg(test)]
mod against_go;
#[cfg(test)]
mod tests;

pub use directive::{GoLine, Godebug, Replace, Replacement, ToolchainLine};
pub use edit::{ModEdit, Requirement};
pub use go_mod::{ModFile, Retract, check_import};
pub use go_sum::{EMPTY_GO_MOD, GoSum};
pub use go_work::WorkFile;
pub use modules_txt::{Listed, ModulesTxt};
pub use needs::GoModSummary;
