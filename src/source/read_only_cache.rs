//! Module caches that are only read: a mounted volume, a layer of an image, another user's cache.
//!
//! What is whole in one of them is taken from there before anything is fetched. Nothing is
//! written and no lock is taken: its owner may be another user or machine, and what stands under
//! its name in a module cache came there whole. It is not believed, either. Whoever asks checks it
//! like everything else that comes from a [`Source`].

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Info, LowerSource, MAX_INFO_BYTES, MAX_MOD_BYTES, MAX_ZIP_BYTES, Source};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{H1, ModulePath, ModuleVersion, escape_version};
use crate::http::{BodySink, Fetched, RequestContext};
use crate::layout::{self, VersionFile};

/// How much is copied at once.
const CHUNK_BYTES: usize = 128 << 10;

/// One module cache that is only read.
#[derive(Clone, Debug)]
pub struct ReadOnlyCache {
    root: PathBuf,
}

impl ReadOnlyCache {
    /// Names the cache at `root`, a directory that GOMODCACHE could name.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if it is not there, or not a directory.
    pub fn at(root: &Path) -> Result<ReadOnlyCache> {
        let unreadable = |cause| Error::io("cannot read module cache", root, cause);
        if !fs::metadata(root).map_err(unreadable)?.is_dir() {
            return Err(unreadable(ErrorKind::NotADirectory.into()));
        }
        Ok(ReadOnlyCache {
            root: root.to_owned(),
        })
    }

    fn file(&self, path: &ModulePath, version: &str, file: VersionFile) -> Result<PathBuf> {
        let (path, version) = (path.escape()?, escape_version(version)?);
        let tree = self.root.join(layout::DOWNLOAD);
        Ok(tree.join(layout::file_at(&path, &version, file)))
    }

    /// The content of a small file; not found if it is longer than `limit`, which then is none
    /// that belongs here.
    fn read(
        &self,
        path: &ModulePath,
        version: &str,
        file: VersionFile,
        limit: u64,
    ) -> Result<Vec<u8>> {
        let file = self.file(path, version, file)?;
        let mut data = Vec::new();
        let read = open(&file).and_then(|opened| {
            let read = opened.take(limit + 1).read_to_end(&mut data);
            read.map_err(|cause| Error::io("cannot read", &file, cause))
        });
        match read {
            Ok(_) if data.len() as u64 <= limit => Ok(data),
            Ok(_) => Err(self.absent()),
            Err(error) if error.is_not_found() => Err(self.absent()),
            Err(error) => Err(error),
        }
        .map_err(|error: Error| error.about(Subject::version(path, version)))
    }

    fn absent(&self) -> Error {
        let root = self.root.display();
        Error::new(Kind::NotFound, format!("not in the module cache {root}"))
    }
}

fn open(file: &Path) -> Result<File> {
    File::open(file).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => Error::new(Kind::NotFound, "no such file"),
        _ => Error::io("cannot open", file, cause),
    })
}

fn taken<T>(value: T, bytes: u64) -> Fetched<T> {
    Fetched {
        value,
        bytes,
        retries: 0,
        resumed: 0,
    }
}

impl LowerSource for ReadOnlyCache {
    fn has(&self, module: &ModuleVersion, file: VersionFile) -> bool {
        let (path, version) = (module.path(), module.version().as_str());
        let is_there = |file| {
            let file = self.file(path, version, file);
            file.is_ok_and(|file| file.is_file())
        };
        is_there(file) && (file != VersionFile::Zip || is_there(VersionFile::ZipHash))
    }

    fn shown(&self) -> String {
        self.root.display().to_string()
    }
}

impl Source for ReadOnlyCache {
    fn bind(&self, _: &RequestContext) -> Arc<dyn Source> {
        Arc::new(self.clone())
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        // It has some versions, and does not know of others.
        Err(self.absent().about(Subject::module(path)))
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        Err(self.absent().about(Subject::module(path)))
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        let data = self.read(path, revision, VersionFile::Info, MAX_INFO_BYTES)?;
        // As in a cache of one's own, what cannot be read is as good as none.
        match Info::parse_cached(&data) {
            Some(info) if info.version == revision => Ok(taken(info, data.len() as u64)),
            _ => Err(self.absent().about(Subject::version(path, revision))),
        }
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        let version = module.version().as_str();
        let data = self.read(module.path(), version, VersionFile::GoMod, MAX_MOD_BYTES)?;
        let bytes = data.len() as u64;
        Ok(taken(data, bytes))
    }

    /// A zip without a hash beside it may be a torn one; it counts as none.
    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        let (path, version) = (module.path(), module.version().as_str());
        let named = |error: Error| error.about(module);
        let ziphash = self.read(path, version, VersionFile::ZipHash, MAX_INFO_BYTES)?;
        let ziphash = String::from_utf8(ziphash).ok();
        if ziphash.is_none_or(|text| H1::parse(text.trim()).is_err()) {
            return Err(named(self.absent()));
        }
        let file = self.file(path, version, VersionFile::Zip).map_err(named)?;
        let mut zip = open(&file).map_err(|error| match error.is_not_found() {
            true => named(self.absent()),
            false => named(error),
        })?;
        let cannot_copy = |cause: io::Error| {
            let text = format!("cannot copy {}", file.display());
            named(Error::new(Kind::LocalIo, text).because(cause))
        };
        // Not before it is sure that there is something to take the place of what is kept.
        let length = zip.metadata().ok().map(|found| found.len());
        length.into_iter().for_each(|length| sink.expect(length));
        sink.restart(None).map_err(cannot_copy)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut total = 0;
        loop {
            let count = match zip.read(&mut chunk) {
                Ok(0) => return Ok(taken((), total)),
                Ok(count) => count,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(cause) => return Err(named(Error::io("cannot read", &file, cause))),
            };
            total += count as u64;
            if total > MAX_ZIP_BYTES {
                return Err(named(self.absent()));
            }
            let part = chunk.get(..count).unwrap_or_default();
            sink.write_all(part).map_err(cannot_copy)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn what_is_whole_is_given_and_what_is_not_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let lower = ReadOnlyCache::at(dir.path()).unwrap();
        let module = ModuleVersion::parse("a.com/Up", "v1.0.0").unwrap();
        let versions = dir.path().join("cache/download/a.com/!up/@v");
        fs::create_dir_all(&versions).unwrap();
        let put = |name: &str, data: &str| fs::write(versions.join(name), data).unwrap();
        let zip = || {
            let mut zip = Vec::new();
            lower.zip(&module, &mut zip).map(|_| zip)
        };
        let info = || {
            lower
                .info(module.path(), "v1.0.0")
                .map(|info| info.value.version)
        };
        let absent = |error: Error| {
            let root = dir.path().display();
            let want = format!("a.com/Up@v1.0.0: not in the module cache {root}");
            assert_eq!((error.chain(), error.is_not_found()), (want, true));
        };
        absent(info().unwrap_err());
        absent(lower.gomod(&module).unwrap_err());
        absent(zip().unwrap_err());
        put("v1.0.0.zip", "PK");
        absent(zip().unwrap_err());
        put("v1.0.0.ziphash", "h1:torn");
        absent(zip().unwrap_err());
        put("v1.0.0.ziphash", HASH);
        assert_eq!(zip().unwrap(), b"PK");
        for (text, whole) in [
            ("{", false),
            ("{\"Version\":\"v1.0.1\"}", false),
            ("{\"Version\":\"v1.0.0\"}", true),
        ] {
            put("v1.0.0.info", text);
            match info() {
                Ok(version) => assert!(whole && version == "v1.0.0"),
                Err(error) => absent(error),
            }
        }
        put("v1.0.0.mod", "module a.com/Up\n");
        let gomod = lower.gomod(&module).unwrap();
        assert_eq!(
            (gomod.value.as_slice(), gomod.bytes),
            (&b"module a.com/Up\n"[..], 16)
        );
        assert!(lower.versions(module.path()).unwrap_err().is_not_found());
        assert!(lower.latest(module.path()).unwrap_err().is_not_found());
    }

    #[test]
    fn a_cache_that_is_none_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, cause) in [
            (dir.path().join("missing"), "no such file or directory"),
            (file, "not a directory"),
        ] {
            let error = ReadOnlyCache::at(&path).unwrap_err();
            assert_eq!(error.kind(), Kind::LocalIo);
            let want = format!("cannot read module cache {}: {cause}", path.display());
            assert_eq!(error.chain(), want);
        }
    }
}
