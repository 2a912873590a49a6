//! A store as a source of modules: looked into before upstream, and not believed.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::objects::ObjectStore;
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{ModulePath, ModuleVersion, compare, escape_version, is_pseudo_version};
use crate::http::{BodySink, Fetched, PartialBody, RequestContext, Resumable};
use crate::layout::{self, VersionFile};
use crate::source::{
    Info, LowerSource, MAX_INFO_BYTES, MAX_MOD_BYTES, MAX_ZIP_BYTES, Source, VcsOrigin,
};

/// How many files that were given out and not yet judged are remembered.
const MOST_GIVEN: usize = 10_000;

/// The modules of a store.
#[derive(Clone, Debug)]
pub struct StoreSource {
    store: Arc<ObjectStore>,
    /// What was given out; of that, what then came from elsewhere was wrong.
    given: Arc<Mutex<HashSet<(ModuleVersion, VersionFile)>>>,
}

impl StoreSource {
    /// Asks nothing yet.
    #[must_use]
    pub fn new(store: Arc<ObjectStore>) -> StoreSource {
        StoreSource {
            store,
            given: Arc::default(),
        }
    }

    fn give(&self, module: &ModuleVersion, file: VersionFile) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= MOST_GIVEN {
            given.clear();
        }
        given.insert((module.clone(), file));
    }

    /// True if the file was given out since this was asked last.
    pub(super) fn take_given(&self, module: &ModuleVersion, file: VersionFile) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.remove(&(module.clone(), file))
    }

    fn absent(&self) -> Error {
        Error::new(Kind::NotFound, format!("not in {}", self.store.place()))
    }

    /// The versions of a module that are complete, pseudo-versions too, in semver order.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn complete_versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        let folder = format!("{}/", layout::versions(&path.escape()?));
        let mut infos = BTreeSet::new();
        self.store.list(&folder, &mut |object| {
            let name = object.name.strip_prefix(&folder).unwrap_or_default();
            if let Some((version, VersionFile::Info)) = VersionFile::split(name)
                && let Some(escaped) = object.name.split("/@v/").next()
                && let Ok(module) = ModuleVersion::unescape(escaped, version)
            {
                infos.insert(module.version().as_str().to_owned());
            }
            Ok(())
        })?;
        let mut versions: Vec<String> = infos.into_iter().collect();
        versions.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
        Ok(versions)
    }
}

impl LowerSource for StoreSource {
    fn has(&self, _: &ModuleVersion, _: VersionFile) -> bool {
        // It takes a request to know.
        false
    }

    fn shown(&self) -> String {
        self.store.place().to_string()
    }
}

impl Source for StoreSource {
    fn bind(&self, _: &RequestContext) -> Arc<dyn Source> {
        Arc::new(self.clone())
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        let versions = self.complete_versions(path);
        let mut versions = versions.map_err(|error| error.about(Subject::module(path)))?;
        if versions.is_empty() {
            return Err(self.absent().about(Subject::module(path)));
        }
        versions.retain(|version| !is_pseudo_version(version));
        Ok(versions)
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        let versions = self.complete_versions(path);
        let versions = versions.map_err(|error| error.about(Subject::module(path)))?;
        let released = versions.iter().rfind(|version| !is_pseudo_version(version));
        match released.or(versions.last()) {
            Some(version) => self.info(path, version),
            None => Err(self.absent().about(Subject::module(path))),
        }
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        let named = |error: Error| error.about(Subject::version(path, revision));
        let version = escape_version(revision).map_err(named)?;
        let name = layout::file_at(&path.escape().map_err(named)?, &version, VersionFile::Info);
        let data = self.store.get(&name, MAX_INFO_BYTES).map_err(named)?;
        let module = ModuleVersion::parse(path.as_str(), revision).map_err(named)?;
        self.give(&module, VersionFile::Info);
        match Info::parse_cached(&data.value) {
            Some(info) if info.version == revision => Ok(data.map(|_| info)),
            _ => Err(named(self.absent())),
        }
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        let name = layout::file(&module.escape()?, VersionFile::GoMod);
        let data = self.store.get(&name, MAX_MOD_BYTES);
        let data = data.map_err(|error| error.about(module))?;
        self.give(module, VersionFile::GoMod);
        Ok(data)
    }

    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        let name = layout::file(&module.escape()?, VersionFile::Zip);
        let mut sink = BegunSink {
            sink,
            is_begun: false,
        };
        let fetched = self.store.get_into(&name, MAX_ZIP_BYTES, &mut sink);
        let is_begun = sink.is_begun;
        let fetched = fetched.map_err(|error| {
            // A zip that never comes whole is as good as a wrong one. A store that is out has nothing wrong.
            if is_begun && !error.is_not_found() {
                self.give(module, VersionFile::Zip);
            }
            error.about(module)
        })?;
        self.give(module, VersionFile::Zip);
        Ok(fetched)
    }
}

/// Passes a body on, and remembers that one began.
struct BegunSink<'s> {
    sink: &'s mut dyn BodySink,
    is_begun: bool,
}

impl Write for BegunSink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sink.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl BodySink for BegunSink<'_> {
    fn expect(&mut self, length: u64) {
        self.sink.expect(length);
    }

    fn restart(&mut self, resumable: Option<&Resumable>) -> io::Result<()> {
        self.is_begun = true;
        self.sink.restart(resumable)
    }

    fn kept(&self) -> Option<PartialBody> {
        self.sink.kept()
    }
}

/// A source whose lists and newest versions come from a store where it has none.
pub struct StoreBackedSource {
    /// Asked first.
    pub source: Arc<dyn Source>,
    /// Asked where that has nothing, or cannot be asked.
    pub store: StoreSource,
}

impl StoreBackedSource {
    fn or<T>(&self, asked: Result<T>, again: impl FnOnce(&StoreSource) -> Result<T>) -> Result<T> {
        asked.or_else(|error| match error.kind() {
            Kind::NotFound | Kind::Offline | Kind::Network => {
                again(&self.store).map_err(|failed| match failed.is_not_found() {
                    true => error,
                    false => failed,
                })
            }
            _ => Err(error),
        })
    }
}

impl Source for StoreBackedSource {
    fn bind(&self, context: &RequestContext) -> Arc<dyn Source> {
        Arc::new(StoreBackedSource {
            source: self.source.bind(context),
            store: self.store.clone(),
        })
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.or(self.source.versions(path), |store| store.versions(path))
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.or(self.source.latest(path), |store| store.latest(path))
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        self.source.info(path, revision)
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.source.gomod(module)
    }

    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        self.source.zip(module, sink)
    }

    fn check_reuse(&self, path: &ModulePath, origin: &VcsOrigin) -> Result<()> {
        self.source.check_reuse(path, origin)
    }

    fn past_caches(&self, path: &ModulePath) -> Option<Arc<dyn Source>> {
        self.source.past_caches(path)
    }

    fn versions_origin(&self, path: &ModulePath, prefix: &str) -> Option<VcsOrigin> {
        self.source.versions_origin(path, prefix)
    }
}
