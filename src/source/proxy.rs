//! One proxy of the GOPROXY list: http, https or a tree of files.
//!
//! Source: golang/go `cmd/go/internal/modfetch/proxy.go`, `proxyRepo`.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Info, MAX_INFO_BYTES, MAX_LIST_BYTES, MAX_MOD_BYTES, MAX_ZIP_BYTES, Source, wrong_twice,
};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::Time;
use crate::gomod::{
    EscapedPath, ModulePath, ModuleVersion, canonical, compare, escape_version, is_pseudo_version,
    is_valid, pseudo_version_time,
};
use crate::http::{BodySink, Client, Fetched, RequestContext, Scheme, TooLarge, Url};
use crate::layout::{self, VersionFile};

/// Where the files of a module version are. User and password of the proxy are in none of them,
/// and a query is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrls {
    /// The proxy.
    pub proxy: String,
    /// The `.info`.
    pub info: String,
    /// The go.mod.
    pub gomod: String,
    /// The zip.
    pub zip: String,
}

/// A module proxy at a base URL.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    base: Url,
    client: Client,
}

impl Proxy {
    pub(super) fn new(base: Url, client: Client) -> Proxy {
        Proxy { base, client }
    }

    /// The same proxy for one piece of work.
    pub(super) fn bound(&self, context: &RequestContext) -> Proxy {
        Proxy {
            base: self.base.clone(),
            client: self.client.bind(context.clone()),
        }
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Where it has the files of a module version.
    pub(super) fn place(&self, module: &ModuleVersion) -> Result<ProxyUrls> {
        let version = escape_version(module.version().as_str())?;
        let file = |file| {
            let url = self.version_url(module.path(), &version, file)?;
            Ok(url.without_user().to_string())
        };
        Ok(ProxyUrls {
            proxy: self.base.clone().without_user().to_string(),
            info: file(VersionFile::Info)?,
            gomod: file(VersionFile::GoMod)?,
            zip: file(VersionFile::Zip)?,
        })
    }

    /// Where it serves the checksum database `name`, if it says that it does.
    pub(super) fn database(&self, name: &str) -> Result<Url> {
        let base = self.base.join(&layout::sumdb(name));
        let supported = base.join(layout::SUMDB_SUPPORTED);
        self.client.get(&supported, MAX_INFO_BYTES).map(|_| base)
    }

    fn version_url(&self, path: &ModulePath, version: &str, file: VersionFile) -> Result<Url> {
        let name = layout::file_at(&path.escape()?, version, file);
        Ok(self.base.join(&name))
    }

    fn get(
        &self,
        path: &ModulePath,
        name: impl FnOnce(&EscapedPath) -> String,
        limit: u64,
    ) -> Result<Fetched<Vec<u8>>> {
        let name = name(&path.escape()?);
        self.client.get(&self.base.join(&name), limit)
    }

    /// Gets metadata that `judge` accepts. A wrong body is asked for once more, past caches on the way:
    /// the second is final.
    fn get_info(
        &self,
        path: &ModulePath,
        name: impl Fn(&EscapedPath) -> String,
        judge: impl Fn(Info) -> Result<Info>,
    ) -> Result<Fetched<Info>> {
        let understand = |body: &[u8]| self.parse_info(body).and_then(&judge);
        let body = self.get(path, &name, MAX_INFO_BYTES)?;
        let first = match understand(&body.value) {
            Ok(info) => return Ok(body.map(|_| info)),
            Err(error) => error,
        };
        let Some(again) = self.past_caches_proxy() else {
            return Err(first);
        };
        let url = self.base.join(&name(&path.escape()?));
        self.client.pause(&url, 1, Duration::ZERO, &first);
        let body = again.get(path, name, MAX_INFO_BYTES)?;
        let info = understand(&body.value).map_err(|second| wrong_twice(second, &first))?;
        Ok(Fetched {
            retries: body.retries + 1,
            ..body.map(|_| info)
        })
    }

    pub(super) fn past_caches_proxy(&self) -> Option<Proxy> {
        (self.base.scheme() != Scheme::File).then(|| Proxy {
            base: self.base.clone(),
            client: self.client.past_caches(),
        })
    }

    fn parse_info(&self, body: &[u8]) -> Result<Info> {
        Info::parse(body).map_err(|reason| {
            let base = self.base.redacted();
            let base = base.as_str();
            Error::new(
                Kind::Network,
                format!("invalid response from proxy {base:?}: {reason}"),
            )
        })
    }

    /// The newest of the list by time, the one it states or that of the pseudo-version.
    fn latest_of_list(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        let list = self
            .get(path, layout::list, MAX_LIST_BYTES)
            .map_err(|error| version_error(path, "", error))?;
        let text = String::from_utf8_lossy(&list.value);
        let mut best: Option<(Time, &str)> = None;
        for line in text.split('\n') {
            let mut words = line.split_whitespace();
            let Some(version) = words.next().filter(|version| is_valid(version)) else {
                continue;
            };
            let time = match words.next() {
                Some(stated) => Time::parse(stated).unwrap_or(Time::ZERO),
                None if is_pseudo_version(version) => pseudo_version_time(version)
                    .and_then(Time::parse_pseudo)
                    .unwrap_or(Time::ZERO),
                // Only asked where there is no release; one that came since is passed over.
                None => continue,
            };
            if time > best.map_or(Time::ZERO, |(time, _)| time) {
                best = Some((time, version));
            }
        }
        match best {
            Some((_, version)) => self.info(path, version).map(|info| Fetched {
                bytes: info.bytes + list.bytes,
                retries: info.retries + list.retries,
                ..info
            }),
            None => Err(version_error(
                path,
                "",
                Error::new(Kind::NotFound, "no commits"),
            )),
        }
    }
}

/// Names the module, as go's `ModuleError` and `InvalidVersionError` do.
fn version_error(path: &ModulePath, version: &str, error: Error) -> Error {
    if version.is_empty() {
        return error.about(Subject::module(path));
    }
    if canonical(version).as_deref() == Some(version) {
        return error.about(Subject::version(path, version));
    }
    let noun = if is_pseudo_version(version) {
        "pseudo-version"
    } else {
        "version"
    };
    error
        .context(format!("invalid {noun}"))
        .about(Subject::version(path, version))
}

fn named(module: &ModuleVersion) -> impl Fn(Error) -> Error {
    move |error| version_error(module.path(), module.version().as_str(), error)
}

impl Source for Proxy {
    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        let list = self
            .get(path, layout::list, MAX_LIST_BYTES)
            .map_err(|error| version_error(path, "", error))?;
        let text = String::from_utf8_lossy(&list.value);
        let mut versions: Vec<String> = text
            .split('\n')
            .filter_map(|line| line.split_whitespace().next())
            .filter(|version| is_valid(version) && !is_pseudo_version(version))
            .map(str::to_owned)
            .collect();
        versions.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
        Ok(versions)
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        match self.get_info(path, layout::latest, Ok) {
            Err(error) if error.is_not_found() => self.latest_of_list(path),
            found => found.map_err(|error| version_error(path, "", error)),
        }
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        let name = |error| version_error(path, revision, error);
        let escaped = escape_version(revision).map_err(name)?;
        let file = |path: &EscapedPath| layout::file_at(path, &escaped, VersionFile::Info);
        let proper = ModuleVersion::parse(path.as_str(), revision).is_ok();
        let judge = |info: Info| match info.version != revision && proper {
            true => Err(Error::new(
                Kind::Network,
                format!(
                    "proxy returned info for version {} instead of requested version",
                    info.version
                ),
            )),
            false => Ok(info),
        };
        self.get_info(path, file, judge).map_err(name)
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        let version = escape_version(module.version().as_str()).map_err(named(module))?;
        let file = |path: &EscapedPath| layout::file_at(path, &version, VersionFile::GoMod);
        self.get(module.path(), file, MAX_MOD_BYTES)
            .map_err(named(module))
    }

    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        let version = escape_version(module.version().as_str()).map_err(named(module))?;
        let url = self
            .version_url(module.path(), &version, VersionFile::Zip)
            .map_err(named(module))?;
        self.client
            .get_into(&url, MAX_ZIP_BYTES, sink)
            .map_err(|error| {
                named(module)(if TooLarge::caused(&error) {
                    Error::new(Kind::Security, "downloaded zip file too large")
                } else {
                    error
                })
            })
    }

    fn past_caches(&self, _: &ModulePath) -> Option<Arc<dyn Source>> {
        let proxy = self.past_caches_proxy()?;
        Some(Arc::new(proxy))
    }

    fn bind(&self, context: &RequestContext) -> Arc<dyn Source> {
        Arc::new(self.bound(context))
    }
}
