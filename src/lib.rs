//! modfetch fetches, checks, keeps, carries and serves Go modules without a Go toolchain.
//!
//! # As a library
//! What is listed below this page is the interface for other programs. It needs no environment:
//!
//! ```no_run
//! use modfetch::{DownloadOptions, Downloader, ModuleVersion};
//!
//! # fn main() -> modfetch::Result<()> {
//! let downloader = Downloader::new(DownloadOptions::new("/home/me/go/pkg/mod".into()))?;
//! let modules = [
//!     ModuleVersion::parse("golang.org/x/text", "v0.21.0")?,
//!     ModuleVersion::parse("golang.org/x/mod", "v0.22.0")?,
//! ];
//! for outcome in downloader.download(&modules) {
//!     match (outcome.sum, outcome.error) {
//!         (Some(sum), None) => println!("{} {sum}", outcome.module),
//!         (_, Some(error)) => eprintln!("{}", error.chain()),
//!         (None, None) => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! All other areas are for the program, its tests and fuzz targets, and change without notice.
//!
//! The rest of this page is the living design. It tells the story of a download in the order data flows;
//! each area explains itself.
//!
//! # The story of `modfetch download`
//! 1. [`cli`] reads what was typed against a tree of commands and their flags. The program has two names:
//!    its own, and `go` when called through a link of that name. Help, man pages and completions come from the
//!    same rows, help topics from Markdown files beside them.
//! 2. [`config`] finds out what it means: flag over environment over GOENV file over
//!    `$GOROOT/go.env` over default, each value with its origin.
//! 3. [`command`] is the glue. `download` reads the main module, or those of a workspace
//!    ([`project::Project`], parsed by [`gomod::modfile`]), and go.sum ([`trust::SumPolicy`]).
//! 4. [`graph`] says which modules: the requirement graph as far as pruning lets it grow,
//!    minimal version selection. Its caller supplies the go.mod files. [`select`] turns arguments,
//!    patterns and queries into module versions.
//! 5. [`fetch`] is the engine and the one place with concurrency. It looks into the [`cache`]
//!    first, and what is complete there costs no lock, no thread pool and no socket.
//!    Where the graph is waited for, what go.mod lists is fetched and unpacked meanwhile, and
//!    becomes visible when the graph says that it is needed.
//! 6. What is missing comes from a [`source`]: other module caches that are only read, then the
//!    GOPROXY list with its `,` and `|`, over [`http`], which retries, notices stalls, goes on
//!    with what was cut, spares hosts, and knows about proxies, certificates and credentials.
//! 7. A fetched zip goes through [`modzip`]: rules first, then one inflation that hashes and
//!    writes at the same time, into a directory that is marked incomplete.
//! 8. [`trust`] compares the hash with go.sum, or with what the checksum database has logged
//!    ([`sumdb`]). Only then do zip and directory become visible, by
//!    the protocol of [`cache`], which is go's.
//!
//!    `sum` takes the same way as far as here, without a download: go.sum is compared and completed
//!    from what database, cache and source say ([`fetch::SumExaminer::examine`]), or all witnesses are
//!    heard about one version ([`fetch::SumExaminer::evidence`]) and judged ([`trust::find_mismatch`]).
//! 9. [`report`] prints: results in module order, progress meanwhile, and nothing else prints.
//!
//! `modfetch verify` goes the other way: [`verify`] reads what is cached and asks [`trust`] whether
//! it is right. Beside [`fetch`] it is the one area that holds both the [`cache`] and what vouches
//! for it; a check fetches, writes and locks nothing, and a repair leaves all three to [`fetch`].
//!
//! Between 5 and 6 go.mod is written where `go` would: [`fetch`] puts the requirements right
//! ([`graph::Requirements`]), [`graph::Update`] says what that changes, and [`gomod::modfile::ModEdit`] makes
//! the text. It is written in place, as go.sum is ([`fsio::rewrite`]).
//!
//! `list -m` takes what came out of 4 as well: [`list`] says of each module what cache, go.sum and
//! source have of it, and lets [`fetch`] ask for what is missing, but for no zip. Where go would use a
//! vendor directory ([`project::BuildMod`]), its modules.txt takes the place of the graph
//! ([`graph::Vendor`]).
//!
//! `plan` and `download --dry-run` end after 5: what the cache lacks ([`fetch::CacheStatus`]) and where the
//! first proxy has it ([`source::ProxyUrls`]) is told, and nothing is kept.
//!
//! [`gotemplate`] is for listings: the part of Go's templates that `list -m -f` takes, pure and on its own.
//!
//! Two commands need only a part of it: `graph` and `why` print what [`graph::Graph`] has become after 5, and
//! `clean` hands the whole [`cache`] back, aside first and away then, for what a reader must not see
//! is half a module.
//!
//! What carries modules from machine to machine is one file: [`tarfile`] writes and reads the one form of it.
//!
//! [`sbom`] turns the graph and go.sum into a bill of materials, and [`audit`] compares the build list with records of vulnerabilities; neither needs sources
//! or a build.
//!
//! Where that does not work, [`doctor`] looks at each part on its own: proxies, checksum database,
//! cache, project.
//!
//! `serve` hands modules out instead: [`serve`] has an HTTP/1.1 front end of its own, looks into a
//! cache or a tree, and asks a [`fetch::Run`] for what is missing, one for all who wait for it.
//!
//! # Rules between areas
//! Arrows point one way. [`gomod`], [`graph`] and [`sumdb`] are pure. [`source`] does
//! not know [`cache`], nor the reverse; only [`fetch`] holds both. Nothing imports [`command`].
//! The process environment is read in one function, [`config::Environment::from_process`].
//! Go's ways with text that several areas need, JSON, quoted strings and lists of words, are in
//! `gojson`, `gomod::quote` and `gomod::words`.
//!
//! [`layout`] has the name of every file below GOMODCACHE and of a GOPROXY tree, once for all areas;
//! `fsio` has the ways to lock and write files, `proc` runs system programs, and neither knows what for.
//! What differs between operating systems is in `system`, behind one interface.
//!
//! # What is exact
//! - Exact: bytes on disk (cache, go.mod, go.sum, go.work.sum, archives), data on stdout, and what decides
//!   whether a run succeeds. Tests compare them with a real `go`.
//! - Close: the wording and the order of complaints on stderr. The words that scripts match are those of `go`.
//! - Not copied: accidents of `go`, such as results that depend on the order of earlier requests, and what no
//!   real project meets.
//!
//! # What always holds
//! - A cache filled here is the one `go` would have made, to the byte and the mode.
//! - Nothing becomes visible whose h1 was not checked against go.sum, proven by the checksum
//!   database, or exempted from proof by the settings.
//! - Killed anywhere, the cache has complete entries and marked ones; the next run completes them.
//!   A signal that asks for the end is obeyed within a second (`signals`); the steps at which a
//!   kill could hurt have names, and tests kill the program at each (`failpoints`).
//! - Every wait for the network has a time-out; memory depends on neither the size nor the
//!   number of modules.
//! - stdout is data, stderr is talk. Secrets are in neither, but that `env` prints settings as they
//!   are, like `go env`.

#![forbid(unsafe_code)]

mod audit;
mod bundle;
mod cache;
mod cancel;
mod cli;
mod command;
mod config;
mod doctor;
mod downloader;
mod error;
mod event;
mod failpoints;
mod fetch;
mod fsio;
mod gojson;
mod gomod;
mod gotemplate;
mod graph;
mod http;
#[doc(hidden)]
pub mod internals;
mod layout;
mod list;
mod map;
mod memo;
mod modzip;
mod proc;
mod project;
mod report;
mod run;
mod sbom;
mod select;
mod serve;
mod signals;
mod source;
mod store;
mod sumdb;
mod system;
mod tarfile;
mod trust;
mod verify;

pub use bundle::{Manifest, verify_bundle};
pub use cache::Cache;
pub use cancel::CancelToken;
pub use config::Environment;
pub use downloader::{DownloadOptions, Downloader};
pub(crate) use error::io_text;
pub use error::{Error, Kind, Reason, Result, Subject};
pub use event::{Event, EventSink, NoEvents};
pub use fetch::{Engine, EngineParts, Outcome, Run, RunOptions, Scheduler, Want};
pub use gomod::{H1, ModulePath, ModuleVersion, Version};
pub use http::{Client, Settings};
pub use run::run;
pub use source::{Chain, Direct, ReadOnlyCache, Source};
pub use trust::{SumPolicy, SumSettings};
pub use verify::{Verifier, VerifyReport};
