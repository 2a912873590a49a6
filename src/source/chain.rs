//! GOPROXY's rules: which proxies are asked, in which order, and whose error is shown.
//!
//! Source: golang/go `cmd/go/internal/modfetch` `proxy.go` (`proxyList`, `TryProxies`) and
//! `repo.go` (`lookup`).
//!
//! Each entry is a [`Source`]; the one for `direct` is handed in, and also answers for the modules
//! that GONOPROXY names, whatever the list says of them.

use std::fmt;
use std::sync::Arc;

use super::proxy::{Proxy, ProxyUrls};
use super::{Info, Source};
use crate::error::{Error, Kind, Reason, Result, Subject};
use crate::gomod::{ModulePath, ModuleVersion, PrefixPatterns};
use crate::http::{BodySink, Client, Fetched, RequestContext, Scheme, Url};

/// The entries of a GOPROXY list.
#[derive(Clone)]
pub struct Chain {
    hops: Vec<ChainEntry>,
    noproxy: PrefixPatterns,
    /// Modules from the repositories they are written in.
    direct: Arc<dyn Source>,
    /// What is wrong with the list: the answer to every question.
    broken: Option<Error>,
}

#[derive(Clone, Debug)]
struct ChainEntry {
    kind: ChainEntryKind,
    next: FallThrough,
}

#[derive(Clone, Debug)]
enum ChainEntryKind {
    Proxy(Arc<Proxy>),
    Off,
    Direct,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("hops", &self.hops)
            .field("noproxy", &self.noproxy)
            .finish_non_exhaustive()
    }
}

/// An entry of a GOPROXY list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoproxyEntry<'a> {
    /// A proxy at this URL.
    Proxy(&'a Url),
    /// Version control.
    Direct,
    /// Nothing more is asked.
    Off,
}

/// When the hop after this one is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FallThrough {
    /// `,`: after 404 and 410 only.
    IfNotFound,
    /// `|`: after any error.
    Always,
}

impl Chain {
    /// Reads a GOPROXY list; `origin` says in messages where it was set, as `from the
    /// environment`; `noproxy` is GONOPROXY; `direct` answers where no proxy is asked.
    /// Connects to nothing.
    ///
    /// # Errors
    /// [`Kind::Input`]: an entry that is no URL of a proxy, or no entry at all.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a client is a handle, kept by the hops"
    )]
    pub fn parse(
        goproxy: &str,
        origin: &str,
        noproxy: PrefixPatterns,
        client: Client,
        direct: Arc<dyn Source>,
    ) -> Result<Chain> {
        let hops = parse_hops(goproxy, &client)
            .map_err(|error| error.context(format!("invalid GOPROXY ({origin})")))?;
        Ok(Chain {
            hops,
            noproxy,
            direct,
            broken: None,
        })
    }

    /// As [`Chain::parse`], where a list that makes no sense fails when something is asked: as in go, a
    /// complete cache needs none.
    #[must_use]
    pub fn parse_lazily(
        goproxy: &str,
        origin: &str,
        noproxy: PrefixPatterns,
        client: Client,
        direct: Arc<dyn Source>,
    ) -> Chain {
        let refusing = Arc::clone(&direct);
        Chain::parse(goproxy, origin, noproxy.clone(), client, direct).unwrap_or_else(|error| {
            Chain {
                hops: Vec::new(),
                noproxy,
                direct: refusing,
                broken: Some(error),
            }
        })
    }

    /// True if the list says that nothing may be asked at all.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self.hops.first(), Some(hop) if matches!(hop.kind, ChainEntryKind::Off))
    }

    /// The entries, in their order, up to the first `direct` or `off`.
    pub fn entries(&self) -> impl Iterator<Item = GoproxyEntry<'_>> {
        self.hops.iter().map(|hop| match &hop.kind {
            ChainEntryKind::Proxy(proxy) => GoproxyEntry::Proxy(proxy.base()),
            ChainEntryKind::Direct => GoproxyEntry::Direct,
            ChainEntryKind::Off => GoproxyEntry::Off,
        })
    }

    /// Where the files of a module version would be asked for first; `None` where no proxy is
    /// asked: GONOPROXY, or `direct` or `off` first.
    #[must_use]
    pub fn first_place(&self, module: &ModuleVersion) -> Option<ProxyUrls> {
        let path = module.path();
        match self.hops.first().map(|hop| &hop.kind) {
            Some(ChainEntryKind::Proxy(proxy)) if !self.noproxy.matches(path.as_str()) => {
                proxy.place(module).ok()
            }
            _ => None,
        }
    }

    /// Where the repository of a module is, as `git https://HOST/PATH`, if no proxy is asked for the
    /// module; a page may have to be read for that.
    #[must_use]
    pub fn repository(&self, path: &ModulePath) -> Option<String> {
        let first = self.hops.first().map(|hop| &hop.kind);
        let is_direct = matches!(first, Some(ChainEntryKind::Direct));
        let is_private = self.noproxy.matches(path.as_str());
        (is_direct || is_private)
            .then(|| self.direct.repository(path))
            .flatten()
    }

    /// Where the first proxy that serves the checksum database `name` does so; `None` if none
    /// does, or the list ends in `direct` or `off`, which then only is about modules.
    ///
    /// # Errors
    /// Any answer but 200, 404 and 410 counts as the database being unavailable, unless `|`
    /// lets `direct` be reached.
    pub(super) fn database(&self, name: &str) -> Result<Option<Url>> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut best: Option<Error> = None;
        for hop in &self.hops {
            let error = match &hop.kind {
                ChainEntryKind::Proxy(proxy) => match proxy.database(name) {
                    Ok(base) => return Ok(Some(base)),
                    Err(error) => error,
                },
                ChainEntryKind::Direct => return Ok(None),
                ChainEntryKind::Off => break,
            };
            let not_found = error.is_not_found();
            if !not_found {
                best = Some(error);
                if hop.next == FallThrough::IfNotFound {
                    break;
                }
            }
        }
        best.map_or(Ok(None), Err)
    }

    /// Asks one hop after the other. `version` is for messages, empty if there is none.
    pub(super) fn ask<T>(
        &self,
        path: &ModulePath,
        version: &str,
        mut question: impl FnMut(&dyn Source) -> Result<T>,
    ) -> Result<T> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if self.noproxy.matches(path.as_str()) {
            return question(&*self.direct);
        }
        // What a proxy said other than "not found" tells more, and the first such error is kept
        // until a later one; among equals the last one is shown, as go does.
        let mut best: Option<Error> = None;
        for hop in &self.hops {
            let error = match &hop.kind {
                ChainEntryKind::Proxy(proxy) => match question(&**proxy) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                },
                ChainEntryKind::Off => return Err(ended_by_off(path, version, best)),
                // As in go, what the repository says counts more than what proxies said.
                ChainEntryKind::Direct => return question(&*self.direct),
            };
            let not_found = error.is_not_found();
            if best.as_ref().is_none_or(Error::is_not_found) || !not_found {
                best = Some(error);
            }
            if !not_found && hop.next == FallThrough::IfNotFound {
                break;
            }
        }
        Err(best.unwrap_or_else(|| Error::new(Kind::Input, NO_ENTRIES)))
    }
}

const NO_ENTRIES: &str = "GOPROXY list is not the empty string, but contains no entries";

/// Names the module where no proxy was asked: go does not call the version invalid here.
fn named(path: &ModulePath, version: &str, error: Error) -> Error {
    error.about(Subject::version(path, version))
}

/// After `off`: go shows this text also where proxies before it answered "not found".
fn ended_by_off(path: &ModulePath, version: &str, best: Option<Error>) -> Error {
    let off = |kind| {
        Error::new(kind, "module lookup disabled by GOPROXY=off").with_reason(Reason::ProxyOff)
    };
    match best {
        None => named(path, version, off(Kind::Offline)),
        Some(error) if error.is_not_found() => named(path, version, off(Kind::NotFound))
            .hint(format!("before off in GOPROXY: {}", error.chain())),
        Some(error) => error,
    }
}

fn parse_hops(goproxy: &str, client: &Client) -> Result<Vec<ChainEntry>> {
    let mut hops = Vec::new();
    for entry in goproxy.split_inclusive([',', '|']) {
        let next = if entry.ends_with('|') {
            FallThrough::Always
        } else {
            FallThrough::IfNotFound
        };
        let kind = match entry.trim_end_matches([',', '|']).trim() {
            "" => continue,
            "off" => ChainEntryKind::Off,
            "direct" => ChainEntryKind::Direct,
            text => ChainEntryKind::Proxy(Arc::new(Proxy::new(parse_base(text)?, client.clone()))),
        };
        let last = !matches!(kind, ChainEntryKind::Proxy(_));
        hops.push(ChainEntry { kind, next });
        // go ignores what follows.
        if last {
            break;
        }
    }
    if hops.is_empty() {
        return Err(Error::new(Kind::Input, NO_ENTRIES));
    }
    Ok(hops)
}

pub(super) fn parse_base(text: &str) -> Result<Url> {
    // A single word is reserved for built-in behaviour; what looks like a host gets a scheme.
    let implicit = text.contains(['.', ':', '/']) && !text.contains(":/") && !text.starts_with('/');
    let text = if implicit {
        format!("https://{text}")
    } else {
        text.to_owned()
    };
    let refused = |reason: &str| {
        let shown = Url::redact_text(&text);
        Error::new(Kind::Input, format!("{reason}: {shown}"))
    };
    let scheme = text
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None => return Err(refused("invalid proxy URL missing scheme")),
        Some("http" | "https" | "") => {}
        Some("file") if text.to_ascii_lowercase().starts_with("file:///") => {}
        Some("file") => return Err(refused("invalid file:// proxy URL with non-path elements")),
        Some(_) => {
            return Err(refused(
                "invalid proxy URL scheme (must be https, http, file)",
            ));
        }
    }
    let url = Url::parse(&text)?;
    if url.scheme() == Scheme::File && (!url.is_only_path() || text.contains('#')) {
        return Err(refused("invalid file:// proxy URL with non-path elements"));
    }
    Ok(url)
}

impl Source for Chain {
    fn places(&self) -> Option<&Chain> {
        Some(self)
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.ask(path, "", |source| source.versions(path))
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.ask(path, "", |source| source.latest(path))
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        self.ask(path, revision, |source| source.info(path, revision))
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.ask(module.path(), module.version().as_str(), |source| {
            source.gomod(module)
        })
    }

    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        self.ask(module.path(), module.version().as_str(), |source| {
            source.zip(module, sink)
        })
    }

    fn past_caches(&self, path: &ModulePath) -> Option<Arc<dyn Source>> {
        if self.noproxy.matches(path.as_str()) {
            return None;
        }
        let mut passed = false;
        let hops = self.hops.iter().map(|hop| {
            let again = match &hop.kind {
                ChainEntryKind::Proxy(proxy) => proxy.past_caches_proxy(),
                ChainEntryKind::Off | ChainEntryKind::Direct => None,
            };
            passed |= again.is_some();
            ChainEntry {
                kind: again.map_or_else(
                    || hop.kind.clone(),
                    |proxy| ChainEntryKind::Proxy(Arc::new(proxy)),
                ),
                next: hop.next,
            }
        });
        let hops = hops.collect();
        passed.then(|| -> Arc<dyn Source> {
            Arc::new(Chain {
                hops,
                direct: Arc::clone(&self.direct),
                ..self.clone()
            })
        })
    }

    fn bind(&self, context: &RequestContext) -> Arc<dyn Source> {
        let bound = |hop: &ChainEntry| ChainEntry {
            kind: match &hop.kind {
                ChainEntryKind::Proxy(proxy) => {
                    ChainEntryKind::Proxy(Arc::new(proxy.bound(context)))
                }
                other => other.clone(),
            },
            next: hop.next,
        };
        Arc::new(Chain {
            hops: self.hops.iter().map(bound).collect(),
            direct: self.direct.bind(context),
            ..self.clone()
        })
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
