//! The two small files of a module version: `.info` and `.mod`.

use std::path::Path;

use super::ModuleFiles;
use super::read_only::NotBelow;
use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Result};
use crate::fetch::Keep;
use crate::gomod::{H1, ModuleVersion};
use crate::project::GraphSummary;
use crate::source::{Info, Source, wrong_twice};
use crate::trust::SumPart;

/// go.mod files that `vgo` made up, before Go had modules; `go` ignores them too.
const VGO_PREFIX: &[u8] = b"//vgo 0.0.";

/// A go.mod whose sum was checked.
pub(in crate::fetch) struct VerifiedGoMod {
    pub(in crate::fetch) data: Vec<u8>,
    pub(in crate::fetch) h1: H1,
}

/// Says of a file that disagrees with its record that it was in the cache already.
pub(in crate::fetch) fn cached(error: Error, path: &Path) -> Error {
    match error.kind() {
        Kind::Security => {
            let path = path.display();
            error.hint(format!(
                "this copy was in the cache: remove {path} to fetch it again"
            ))
        }
        _ => error,
    }
}

impl ModuleFiles<'_> {
    /// What the cache has; what cannot be read is not there, where nothing has to be kept.
    fn at_hand<T>(self, read: Result<Option<T>>) -> Result<Option<T>> {
        match read {
            Err(error) if self.may_lose(&error) => {
                self.run.warn_unkept(format!("warning: {}", error.chain()));
                Ok(None)
            }
            other => other,
        }
    }

    /// Passes over that a file was not written, where nothing has to be kept.
    pub(in crate::fetch) fn kept(self, written: Result<()>) -> Result<()> {
        match written {
            Err(error) if self.may_lose(&error) => {
                let text = error.chain();
                self.run
                    .warn_unkept(format!("warning: what is fetched is not kept: {text}"));
                Ok(())
            }
            other => other,
        }
    }

    fn may_lose(self, error: &Error) -> bool {
        self.run.keep == Keep::IfPossible && error.kind() == Kind::LocalIo
    }

    /// The cached `.info`, if there is a readable one.
    pub(in crate::fetch) fn cached_info(self, entry: &CacheEntry) -> Result<Option<Info>> {
        let read = self.at_hand(entry.read_info(Info::parse_cached))?;
        Ok(read.flatten())
    }

    /// The `.info`, from the cache or from the source.
    pub(in crate::fetch) fn info(self, entry: &CacheEntry) -> Result<Info> {
        if let Some(info) = self.cached_info(entry)? {
            return Ok(info);
        }
        self.keep_info(entry, self.fetch_info(entry)?)
    }

    /// Both small files of a version without a known sum: what was asked together is kept only if all
    /// of it makes sense. A sign-in page in the place of one says nothing good of the other.
    pub(in crate::fetch) fn unproven_meta(self, entry: &CacheEntry) -> (Result<Info>, Result<H1>) {
        let failed = |error: Error| (Err(error.clone()), Err(error));
        let info = match self.cached_info(entry) {
            Ok(Some(info)) => return (Ok(info), self.gomod(entry).map(|gomod| gomod.h1)),
            Ok(None) => self.fetch_info(entry),
            Err(error) => Err(error),
        };
        let info = match info {
            Ok(info) => info,
            Err(error) => return failed(error),
        };
        match self.gomod(entry) {
            Err(error) if matches!(error.kind(), Kind::Security | Kind::Input) => failed(error),
            gomod => (self.keep_info(entry, info), gomod.map(|gomod| gomod.h1)),
        }
    }

    /// The `.info` that the source has, which is not kept yet.
    pub(in crate::fetch) fn fetch_info(self, entry: &CacheEntry) -> Result<Info> {
        let module = entry.module();
        let (path, version) = (module.path(), module.version().as_str());
        Ok(
            match self.ask_read_only(|cache| cache.info(path, version)) {
                Ok((info, _)) => info,
                Err(why) => {
                    let asked = self.link.source.info(path, version);
                    let fetched = asked.map_err(|error| why.judge(error, module))?;
                    self.run.record_traffic(module, fetched)
                }
            },
        )
    }

    /// Stores an `.info`.
    pub(in crate::fetch) fn keep_info(self, entry: &CacheEntry, info: Info) -> Result<Info> {
        self.kept(entry.write_info(info.to_cache_json().as_bytes()))?;
        Ok(info)
    }

    /// The cached `.mod`, checked against go.sum, if there is one.
    pub(in crate::fetch) fn cached_gomod(
        self,
        entry: &CacheEntry,
    ) -> Result<Option<VerifiedGoMod>> {
        match self.at_hand(entry.read_gomod())? {
            Some(data) if !data.starts_with(VGO_PREFIX) => {
                let checked = self.checked(entry.module(), data);
                let gomod = checked.map_err(|error| cached(error, &entry.gomod_path()))?;
                self.run.remember_gomod(entry.module(), &gomod);
                Ok(Some(gomod))
            }
            _ => Ok(None),
        }
    }

    /// The h1 of the cached `.mod`, checked in this run.
    pub(in crate::fetch) fn cached_gomod_sum(self, entry: &CacheEntry) -> Result<Option<H1>> {
        match self.run.checked_gomod_sum(entry.module()) {
            Some(h1) => Ok(Some(h1)),
            None => Ok(self.cached_gomod(entry)?.map(|gomod| gomod.h1)),
        }
    }

    /// The `.mod`, from the cache or from the source, checked before it is stored.
    pub(in crate::fetch) fn gomod(self, entry: &CacheEntry) -> Result<VerifiedGoMod> {
        if let Some(gomod) = self.cached_gomod(entry)? {
            return Ok(gomod);
        }
        let module = entry.module();
        self.run.sums.precheck(module, SumPart::GoMod)?;
        let gomod = match self.read_only_gomod(module)? {
            Ok(gomod) => gomod,
            Err(why) => {
                let fetched = self.fetch_gomod(module);
                fetched.map_err(|error| why.judge(error, module))?
            }
        };
        if self.run.keep != Keep::Nothing {
            self.kept(entry.write_gomod(&gomod.data))?;
            self.run.remember_gomod(module, &gomod);
        }
        Ok(gomod)
    }

    /// The `.mod` that the source has, checked. A wrong one is asked for once more, past caches on the
    /// way; the second is final.
    fn fetch_gomod(self, module: &ModuleVersion) -> Result<VerifiedGoMod> {
        let ask = |source: &dyn Source| {
            let fetched = source.gomod(module)?;
            Ok::<_, Error>(self.run.record_traffic(module, fetched))
        };
        let first = match self.judged(module, ask(&*self.link.source)?) {
            Err(error) if matches!(error.kind(), Kind::Security | Kind::Input) => error,
            judged => return judged,
        };
        let Some(again) = self.link.source.past_caches(module.path()) else {
            return Err(first);
        };
        self.run.record_refetch(module, &first);
        let second = self.judged(module, ask(&*again)?);
        second.map_err(|second| wrong_twice(second, &first))
    }

    /// Checks a `.mod` that has come. Without a known sum, it has to be a go.mod that names a
    /// module: a sign-in page is a good answer too, and its hash would go into go.sum.
    fn judged(self, module: &ModuleVersion, data: Vec<u8>) -> Result<VerifiedGoMod> {
        if self.run.sums.believes_anything(module, SumPart::GoMod) {
            let summary = GraphSummary::parse("go.mod", &data);
            if summary
                .map_err(|error| error.about(module))?
                .module
                .is_none()
            {
                let text = "parsing go.mod: missing module line";
                return Err(Error::new(Kind::Input, text).about(module));
            }
        }
        self.checked(module, data)
    }

    /// The `.mod` that a cache has which is only read, checked.
    fn read_only_gomod(self, module: &ModuleVersion) -> Result<Result<VerifiedGoMod, NotBelow>> {
        let (data, cache) = match self.ask_read_only(|cache| cache.gomod(module)) {
            Ok((data, _)) if data.starts_with(VGO_PREFIX) => return Ok(Err(NotBelow::NOTHING)),
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        match self.checked(module, data) {
            Ok(gomod) => Ok(Ok(gomod)),
            Err(error) if error.kind() == Kind::Security => {
                self.damaged(&**cache, &error);
                Ok(Err(NotBelow::NOTHING))
            }
            Err(error) => Err(error),
        }
    }

    fn checked(self, module: &ModuleVersion, data: Vec<u8>) -> Result<VerifiedGoMod> {
        let h1 = H1::of_go_mod(&data);
        self.run.sums.check(module, SumPart::GoMod, &h1)?;
        Ok(VerifiedGoMod { data, h1 })
    }
}
