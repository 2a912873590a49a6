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
//! All other areas belong to the program. What its tests and fuzz targets need of them is in `internals`, and
//! changes without notice.
//!
//! The rest of this page is the living design. It follows a download in the order in which data flows; the
//! documentation of each area explains that area.
//!
//! # A run of `modfetch download`
//! 1. [`cli`] parses the command line with a tree of commands and their flags. The program has two names: its
//!    own, and `go` where a link of that name starts it. Help, man pages and completions come from the same
//!    rows, help topics from Markdown files beside them.
//! 2. [`config`] resolves the settings: flag before environment before GOENV file before `$GOROOT/go.env`
//!    before default. Each value keeps its origin.
//! 3. [`command`] connects the areas. `download` reads the main module, or those of a workspace
//!    ([`project::Project`], parsed by [`gomod::modfile`]), and go.sum ([`trust::SumPolicy`]).
//! 4. [`graph`] decides which modules are needed: it loads the requirement graph as far as pruning requires, and
//!    selects minimal versions. Its caller supplies the go.mod files. [`select`] turns arguments, patterns and
//!    queries into module versions.
//! 5. [`fetch`] is the engine, and the one place with concurrency. It reads the [`cache`] first: a complete
//!    version costs no lock, no thread pool and no socket. While the graph loads, it already fetches and
//!    extracts what go.mod lists; these files become visible when the graph needs them.
//! 6. Missing files come from a [`source`]: other module caches, read-only; then the entries of GOPROXY with their
//!    `,` and `|`, over [`http`], which retries, detects stalls, resumes, limits the load of each host, and knows
//!    HTTP proxies, certificates and credentials. The entry `direct` is `source::direct`: repositories, by
//!    system programs (`proc`) or by the built-in git client.
//! 7. [`modzip`] takes a fetched zip: it checks the rules first, then inflates once, hashes and writes at the same
//!    time, into a directory with a mark that says "incomplete".
//! 8. [`trust`] compares the hash with go.sum, or with the record in the checksum database ([`sumdb`]). Only then
//!    do zip and directory become visible, by the protocol of [`cache`], which is go's.
//! 9. [`report`] prints: results in module order, progress meanwhile. Nothing else prints.
//!
//! # The other commands
//! - `sum` ends after 8 without a download: it compares and completes go.sum with database, cache and source
//!   ([`fetch::SumExaminer::examine`]), or collects all evidence about one version
//!   ([`fetch::SumExaminer::evidence`]) and judges it ([`trust::find_mismatch`]).
//! - `verify` works in the other direction: [`verify`] reads the cached files and asks [`trust`] whether they are
//!   right. A check fetches, writes and locks nothing; a repair leaves all three to [`fetch`].
//! - Between 5 and 6, go.mod is written where `go` would write it: [`fetch`] corrects the requirements
//!   ([`graph::Requirements`]), [`graph::Update`] describes the change, [`gomod::modfile::ModEdit`] makes the text,
//!   and [`fsio::rewrite`] writes the file in place.
//! - `list -m` continues after 4: [`list`] collects what cache, go.sum and source say about each module; [`fetch`]
//!   gets missing files, except zips. Where go uses a vendor directory ([`project::BuildMod`]), its modules.txt
//!   replaces the graph ([`graph::Vendor`]). [`gotemplate`] is the part of Go's templates that `-f` has.
//! - `plan` and `download --dry-run` end after 5: they show what the cache lacks ([`fetch::CacheStatus`]) and where
//!   the first proxy has it ([`source::ProxyUrls`]).
//! - `graph` and `why` print the [`graph::Graph`]. `clean` moves the whole [`cache`] aside, then deletes it: a reader
//!   never sees half a module. `cache prune` does the same for single versions.
//! - `bundle` carries modules between machines: [`bundle`] puts modules and proofs into one file, and [`tarfile`]
//!   writes and reads the one form of that file.
//! - `serve` sends modules to clients: [`serve`] has its own HTTP/1.1 front end, reads a cache or a tree, and asks a
//!   [`fetch::Run`] for a missing file, once for all clients that wait. [`store`] shares files between servers, in
//!   an object store with the S3 API.
//! - [`sbom`] turns the graph and go.sum into a bill of materials; [`audit`] compares the build list with records of
//!   vulnerabilities. Neither needs sources or a build.
//! - [`doctor`] examines each part alone: proxies, repositories, checksum database, cache, project.
//!
//! # Rules between areas
//! Arrows point one way: a test has the table. [`gomod`] and [`graph`] are pure. [`source`] does not know
//! [`cache`], nor the reverse; only [`fetch`] holds both. Nothing imports [`command`]. One function reads the process
//! environment, [`config::Environment::from_process`]. JSON, quoted strings and lists of words as Go has them are in
//! `gojson`, `gomod::quote` and `gomod::words`.
//!
//! [`layout`] has the name of every file below GOMODCACHE and of a GOPROXY tree, once for all areas. `fsio` locks and
//! writes files, `proc` runs system programs, and `system` is the one interface to what differs between operating
//! systems.
//!
//! # What is exact
//! - Exact: bytes on disk (cache, go.mod, go.sum, go.work.sum, archives), data on stdout, and what decides
//!   whether a run succeeds. Tests compare them with a real `go`.
//! - Close: the wording and the order of complaints on stderr. The words that scripts match are those of `go`.
//! - Not copied: accidents of `go`, such as results that depend on the order of earlier requests, and what no
//!   real project meets.
//!
//! # What always holds
//! - A cache that modfetch fills is the one that `go` would fill, to the byte and the mode.
//! - A file becomes visible only after a check of its h1: go.sum has it, the checksum database proves it, or the
//!   settings exempt it from proof.
//! - After a kill at any step, the cache has complete entries and marked ones; the next run completes them. A
//!   signal ends a run within a second (`signals`). The steps at which a kill could hurt have names, and tests
//!   kill the program at each (`failpoints`).
//! - Every wait for the network has a time-out. Memory depends on neither the size nor the number of modules.
//! - stdout is data, stderr is talk. Neither contains secrets, with one exception: `env` prints settings as they
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
