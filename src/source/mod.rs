//! Where module data comes from: proxies tried in the order that GOPROXY lists them.
//!
//! A [`Source`] answers five questions about a module: which versions there are, which is the
//! latest, the metadata of a revision, a version's go.mod and its zip. [`Chain`] answers by
//! Go's GOPROXY rules; [`Offline`] refuses everything; a [`ReadOnlyCache`] gives what another module
//! cache has, and is asked before either. Nothing here knows a cache, checks a
//! checksum or prints. [`Direct`] stands for version control. A [`DatabaseRoute`] finds the way to a checksum database, which a
//! proxy may serve as well, and gets its files unchecked.
//!
//! Errors name the module as go does (`a.com/m@v1.0.0: reading URL: 404 Not Found`, `module
//! a.com/m: ...` without a version): who passes them on does not name it again.

mod chain;
mod database;
pub(crate) mod database_setting;
mod direct;
mod info;
mod offline;
mod proxy;
mod read_only_cache;
mod reuse;

pub use chain::{Chain, GoproxyEntry};
pub use database::DatabaseRoute;
pub use database_setting::DatabaseSetting;
pub use direct::{Direct, DirectSettings, GitChoice};
pub use direct::{HashKind, ObjectDatabase, ObjectId, index_pack};
pub use info::{Info, VcsOrigin};
pub use offline::{GOPROXY_OFF, Offline};
pub use proxy::ProxyUrls;
pub use read_only_cache::ReadOnlyCache;
pub use reuse::{ReuseEntry, ReuseFile};

use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::{BodySink, Fetched, RequestContext};
use crate::layout::VersionFile;

/// The longest zip that is downloaded: Go's `codehost.MaxZipFile`.
pub const MAX_ZIP_BYTES: u64 = 500 << 20;

/// The longest go.mod: what a module zip may hold (golang/mod `zip.MaxGoMod`).
pub const MAX_MOD_BYTES: u64 = 16 << 20;

/// The longest list of versions; ours to choose, Go has no limit. A hundred thousand
/// pseudo-versions fit.
pub const MAX_LIST_BYTES: u64 = 16 << 20;

/// The longest metadata; ours to choose, Go has no limit. Usual are a few hundred bytes.
pub const MAX_INFO_BYTES: u64 = 1 << 20;

/// Answers questions about modules, from many threads at once.
pub trait Source: Send + Sync {
    /// Its places, if it is several, to be asked one after the other.
    fn places(&self) -> Option<&Chain> {
        None
    }

    /// The released and pre-released versions, in semver order; no pseudo-versions.
    ///
    /// # Errors
    /// Not found if the module is unknown; a module without versions is an empty list.
    fn versions(&self, path: &ModulePath) -> Result<Vec<String>>;

    /// The version that stands for a module without released versions.
    ///
    /// # Errors
    /// Not found if the module is unknown or has no commit at all.
    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>>;

    /// The metadata of a version, branch, tag or commit.
    ///
    /// # Errors
    /// Also if the answer is malformed, or for another version than the one asked for.
    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>>;

    /// The go.mod of a version, as served.
    ///
    /// # Errors
    /// Those of the transport.
    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>>;

    /// Writes the zip of a version, unchecked, of at most [`MAX_ZIP_BYTES`].
    ///
    /// # Errors
    /// Those of the transport; a longer zip is a security error.
    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>>;

    /// Refuses unless what an earlier answer depends on is as it was: its refs and tags. A source
    /// that cannot say refuses.
    ///
    /// # Errors
    /// Something has changed, or it cannot be found out.
    fn check_reuse(&self, path: &ModulePath, _: &VcsOrigin) -> Result<()> {
        let text = format!("module {path}: a proxy does not say what its answers depend on");
        Err(Error::new(Kind::Other, text))
    }

    /// What the list of the versions that begin with `prefix` depends on, where that is known.
    fn versions_origin(&self, _: &ModulePath, _: &str) -> Option<VcsOrigin> {
        None
    }

    /// Where the repository of a module is, as `git https://HOST/PATH`, if that is where the module
    /// comes from; it is not asked.
    fn repository(&self, _: &ModulePath) -> Option<String> {
        None
    }

    /// What the failure to find `revision`, or with an empty one the latest version, depends on,
    /// where that is known.
    fn failure_origin(&self, _: &ModulePath, _revision: &str) -> Option<VcsOrigin> {
        None
    }

    /// The same source, bound to the same work, asked about `path` once more after a wrong answer: its
    /// requests pass over what caches on the way hold. `None` where no answer comes through one, so that a
    /// second one would be the first again: files, repositories.
    fn past_caches(&self, _path: &ModulePath) -> Option<Arc<dyn Source>> {
        None
    }

    /// The same source for one piece of work: its requests end with that work.
    fn bind(&self, context: &RequestContext) -> Arc<dyn Source>;
}

/// What is looked into before the source of a run is asked, and is never believed: another cache, or a
/// store. What it lacks, or has wrong, comes from the source.
pub trait LowerSource: Source {
    /// True if it has this file of a module, as far as can be said without a request.
    fn has(&self, module: &ModuleVersion, file: VersionFile) -> bool;

    /// Where it is, for messages.
    fn shown(&self) -> String;
}

/// The error of a second wrong answer, with what the first one was: a cache on the way that served
/// something wrong once is another thing than a server that means it.
#[must_use]
pub(crate) fn wrong_twice(second: Error, first: &Error) -> Error {
    let facts = |error: &Error| {
        let chain = error.chain();
        let mut lines = chain.lines();
        let head = lines.next().unwrap_or_default().to_owned();
        let found = lines.find(|line| line.trim_start().starts_with("downloaded:"));
        found.map_or(head.clone(), |found| format!("{head}, {}", found.trim()))
    };
    let (was, is) = (facts(first), facts(&second));
    second.hint(match was == is {
        true => "asked twice, the second time with Cache-Control: no-cache: the same answer".to_owned(),
        false => format!(
            "asked twice, the second time with Cache-Control: no-cache; the first answer was wrong too: {was}"
        ),
    })
}

impl dyn Source + '_ {
    /// Puts a question of several requests, about `path` at `version` (for messages, empty if
    /// there is none), to one place after the other, as a single request would be.
    ///
    /// # Errors
    /// The one that tells most, as for a single request.
    pub fn each(
        &self,
        path: &ModulePath,
        version: &str,
        question: &mut dyn FnMut(&dyn Source) -> Result<()>,
    ) -> Result<()> {
        match self.places() {
            Some(chain) => chain.ask(path, version, |proxy| question(proxy)),
            None => question(self),
        }
    }
}
