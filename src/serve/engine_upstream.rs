//! The engine of `download` as the upstream of a server.

use std::fs::{self, File};
use std::sync::Arc;

use super::route::FileKind;
use super::upstream::{Keeper, Tap, Trace, Upstream};
use crate::cache::{Cache, EntryPiece};
use crate::cancel::CancelToken;
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::fetch::{Engine, FileOrigin, Run, RunOptions, ZipTap};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::KnownBodies;
use crate::layout::VersionFile;
use crate::modzip::ModuleZip;
use crate::source::{Info, Source};
use crate::store::SharedStore;
use crate::trust::{SumPart, SumPolicy};

/// Fetches by one [`Run`] for each question, so that nothing grows with the number of requests.
pub struct EngineUpstream {
    engine: Arc<Engine>,
    sums: Arc<SumPolicy>,
    events: Arc<dyn EventSink>,
    cancel: CancelToken,
    /// Answers that may change, to be asked for again conditionally.
    known: Arc<KnownBodies>,
    store: Option<Arc<SharedStore>>,
}

impl EngineUpstream {
    /// Fetches by `engine`, until `cancel` ends it.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        sums: Arc<SumPolicy>,
        events: Arc<dyn EventSink>,
        cancel: CancelToken,
    ) -> EngineUpstream {
        EngineUpstream {
            engine,
            sums,
            events,
            cancel,
            known: Arc::default(),
            store: None,
        }
    }

    /// What is fetched and proven goes to `store` as well, which the engine looks into first.
    #[must_use]
    pub fn with_store(self, store: Option<Arc<SharedStore>>) -> EngineUpstream {
        EngineUpstream { store, ..self }
    }

    /// A run for a question whose answer may change.
    fn query(&self, trace: &Trace) -> Run {
        self.run(trace, Some(Arc::clone(&self.known)))
    }

    fn run(&self, trace: &Trace, known: Option<Arc<KnownBodies>>) -> Run {
        let headers = trace.headers();
        let sums = Arc::new(self.sums.with_headers(&headers));
        let options = RunOptions {
            events: Arc::clone(&self.events),
            cancel: Some(self.cancel.child()),
            headers,
            known,
            ..RunOptions::new(sums)
        };
        Run::new(&self.engine, options)
    }
}

struct Tapped<'t>(&'t dyn Tap);

impl ZipTap for Tapped<'_> {
    fn begin(&self, partial: File, length: Option<u64>) {
        self.0.begin(partial, length);
    }

    fn arrived(&self, bytes: u64) {
        self.0.arrived(bytes);
    }

    fn proven(&self, bytes: u64) {
        self.0.proven(bytes);
    }
}

impl Upstream for EngineUpstream {
    fn fetch(
        &self,
        module: &ModuleVersion,
        kind: FileKind,
        tap: Option<&dyn Tap>,
        trace: &Trace,
    ) -> Result<()> {
        let run = self.run(trace, None);
        let (fetched, file) = match kind {
            FileKind::Info => (run.info(module)?.file, VersionFile::Info),
            FileKind::GoMod => (run.go_mod(module)?, VersionFile::GoMod),
            FileKind::Zip => {
                let tapped = tap.map(Tapped);
                let tapped = tapped.as_ref().map(|tapped| tapped as &dyn ZipTap);
                (run.zip(module, tapped)?, VersionFile::Zip)
            }
        };
        if let Some(store) = &self.store {
            store.settle(module, file, fetched.from == FileOrigin::Source);
        }
        Ok(())
    }

    fn versions(&self, path: &ModulePath, trace: &Trace) -> Result<Vec<String>> {
        self.query(trace).versions(path)
    }

    fn latest(&self, path: &ModulePath, trace: &Trace) -> Result<Info> {
        self.query(trace).latest(path)
    }

    fn revision(&self, path: &ModulePath, revision: &str, trace: &Trace) -> Result<Info> {
        self.query(trace).revision(path, revision)
    }
}

/// Looks after a module cache.
pub struct CacheKeeper {
    cache: Cache,
    sums: Arc<SumPolicy>,
    source: Option<Arc<dyn Source>>,
    evictable: Evictable,
}

/// Which zips may go when there are too many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evictable {
    /// Those that upstream still has, which is asked; without upstream none.
    Available,
    /// Any.
    All,
}

impl CacheKeeper {
    /// Looks after `cache`.
    #[must_use]
    pub fn new(
        cache: Cache,
        sums: Arc<SumPolicy>,
        source: Option<Arc<dyn Source>>,
        evictable: Evictable,
    ) -> CacheKeeper {
        CacheKeeper {
            cache,
            sums,
            source,
            evictable,
        }
    }

    fn may_go(&self, module: &ModuleVersion) -> bool {
        let version = module.version().as_str();
        let asked = |source: &Arc<dyn Source>| source.info(module.path(), version).is_ok();
        self.evictable == Evictable::All || self.source.as_ref().is_some_and(asked)
    }
}

impl Keeper for CacheKeeper {
    fn record_use(&self, gomods: &[ModuleVersion], zips: &[ModuleVersion]) {
        self.cache.record_use(zips, gomods);
    }

    fn remove_zip(&self, module: &ModuleVersion) -> Result<bool> {
        if !self.may_go(module) {
            return Ok(false);
        }
        let entry = self.cache.entry(module)?;
        let Some(_lock) = entry.try_lock()? else {
            return Ok(false);
        };
        // The sum goes last: without its zip it means nothing, and a zip without it is hashed anew.
        for place in [entry.zip_path(), entry.ziphash_path()] {
            match fs::remove_file(&place) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("cannot remove", &place, cause));
                }
                _ => {}
            }
        }
        Ok(true)
    }

    fn verify_zip(&self, module: &ModuleVersion, file: File) -> Result<()> {
        let entry = self.cache.entry(module)?;
        let checked = ModuleZip::open(file, module)
            .and_then(|zip| zip.hash())
            .and_then(|h1| {
                if let Some(recorded) = entry.read_ziphash()?
                    && recorded != h1
                {
                    let text = format!(
                        "{module}: zip has been modified\n\tzip: {h1}\n\tziphash: {recorded}"
                    );
                    return Err(Error::new(Kind::Security, text));
                }
                self.sums.check(module, SumPart::Zip, &h1)
            });
        let Err(error) = checked else {
            return Ok(());
        };
        // What cannot be proven now was proven when it was kept.
        if error.kind() != Kind::Security {
            return Ok(());
        }
        let lock = entry.lock()?;
        let pieces = [EntryPiece::Zip, EntryPiece::ZipHash];
        let moved = self.cache.quarantine(&entry, &pieces, &lock);
        Err(match moved {
            Ok(place) => error.hint(format!("it was moved to {}", place.display())),
            Err(failed) => failed.context(error.chain()),
        })
    }
}
