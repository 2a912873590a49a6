//! From a request to its answer: access, policy, the trees, and then upstream.
//!
//! What the trees have is answered on the thread that asks. All else goes to a pool: one job for
//! all who want the same thing ([`Flights`]), whoever of them is still there at its end.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::access::{Access, Admission};
use super::answers::{Answers, Usable};
use super::checksums::Checksums;
use super::flights::{Flights, Joined, Waiter};
use super::http1::{Body, Exchange, LiveFile, Peer, Request, Responder, Response, Service, TEXT};
use super::journal::Journal;
use super::metrics::{Gauges, Metrics};
use super::page;
use super::policy::Policy;
use super::rate::RateLimits;
use super::route::{FileKind, Query, Route, parse_route};
use super::stock::Stock;
use super::streaming::StreamingTap;
use super::trees::{Tree, latest_of, sort_released};
use super::upstream::{Trace, Upstream};
use super::workers::Workers;
use crate::error::{Error, Kind};
use crate::gomod::{ModulePath, ModuleVersion};

/// What a job is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    File(ModuleVersion, FileKind),
    Query(ModulePath, Query),
    /// A path below a checksum database.
    Sums(String),
}

/// What [`ModuleService`] works with.
pub(super) struct Parts {
    /// What is kept, and grows.
    pub(super) main: Tree,
    /// What is only read, and comes first.
    pub(super) local: Vec<Tree>,
    pub(super) upstream: Option<Arc<dyn Upstream>>,
    /// Why there is no upstream.
    pub(super) offline: &'static str,
    pub(super) checksums: Option<Checksums>,
    pub(super) answers: Answers,
    pub(super) policy: Policy,
    pub(super) access: Access,
    pub(super) rate: Option<RateLimits>,
    pub(super) journal: Journal,
    pub(super) stock: Stock,
    pub(super) jobs: usize,
}

/// Answers requests for modules.
pub(super) struct ModuleService {
    pub(super) parts: Parts,
    pub(super) metrics: Metrics,
    pub(super) ready: AtomicBool,
    pub(super) draining: AtomicBool,
    pub(super) connections: std::sync::OnceLock<Arc<AtomicUsize>>,
    flights: Flights<Wanted>,
    /// For what waits for upstream.
    fetching: Workers,
    /// For what waits for the disk, or for a processor.
    working: Workers,
    pub(super) started: Instant,
}

/// Threads for lookups in directories and for passwords.
const WORKING: usize = 16;

/// The handle that jobs hold.
#[derive(Clone)]
pub(super) struct Handle(pub(super) Arc<ModuleService>);

impl ModuleService {
    pub(super) fn new(parts: Parts) -> ModuleService {
        ModuleService {
            fetching: Workers::new("upstream", parts.jobs),
            working: Workers::new("lookup", WORKING),
            metrics: Metrics::default(),
            ready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            connections: std::sync::OnceLock::new(),
            flights: Flights::default(),
            started: Instant::now(),
            parts,
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let connections = self.connections.get();
        let connections = connections.map_or(0, |open| open.load(Ordering::Relaxed));
        let stocked = self.parts.stock.counted();
        Gauges {
            connections: connections as u64,
            in_flight: self.flights.count() as u64,
            stored_bytes: stocked.map(|stocked| stocked.bytes),
            stored_zips: stocked.map(|stocked| stocked.zips),
        }
    }

    /// The trees in the order in which they are looked into.
    fn trees(&self) -> impl Iterator<Item = &Tree> {
        self.parts.local.iter().chain([&self.parts.main])
    }

    /// Why a route is not answered, whatever the trees have.
    fn refusal(&self, route: &Route) -> Option<Response> {
        let policy = &self.parts.policy;
        let reason = match route {
            Route::File(module, _) => policy.refusal(module.path(), module.version().as_str()),
            Route::Query(path, Query::Revision(revision)) => policy.refusal(path, revision),
            Route::Query(path, _) => policy.refusal(path, ""),
            _ => None,
        }?;
        Some(Response::text(403, reason).noted("policy", ""))
    }

    /// A file that a tree has.
    fn kept_file(
        &self,
        fields: &super::http1::Fields,
        module: &ModuleVersion,
        kind: FileKind,
        cache: &'static str,
    ) -> Option<Response> {
        let below = module.escape().ok()?.file(kind.suffix());
        let (tree, found) = self
            .trees()
            .find_map(|tree| Some((tree, tree.open(&below)?)))?;
        let h1 = match kind {
            FileKind::Zip => tree.ziphash(module),
            FileKind::Info | FileKind::GoMod => None,
        };
        // A cache's zip without its sum is one that is being put there, or was not finished.
        if kind == FileKind::Zip && h1.is_none() && self.parts.stock.demands_sums(tree) {
            return None;
        }
        self.parts.stock.touch(module);
        let etag = h1.map(|h1| format!("\"{}\"", h1.as_str()));
        let file = Arc::new(found.file);
        let response = Response::of_file(
            fields,
            file,
            found.length,
            kind.content_type(),
            etag.as_deref(),
        );
        Some(
            immutable(response)
                .with("X-Cache", cache)
                .noted(kind.suffix(), cache),
        )
    }
}

/// What never changes may be kept by everybody.
fn immutable(response: Response) -> Response {
    response.with("Cache-Control", "max-age=31536000, immutable")
}

impl Handle {
    fn service(&self) -> &ModuleService {
        &self.0
    }

    /// Answers what was admitted.
    fn route(&self, request: &Request, later: &dyn Fn() -> Responder) -> Option<Response> {
        let service = self.service();
        let route = match parse_route(&request.path) {
            Ok(route) => route,
            Err(error) => {
                // As go's proxies: what is no module path is not found, and a client moves on.
                let text = format!("not found: {}", error.chain());
                return Some(Response::text(404, text).noted("unknown", ""));
            }
        };
        if let Some(refused) = service.refusal(&route) {
            return Some(refused);
        }
        match route {
            Route::Live => Some(Response::text(200, "ok").noted("health", "")),
            Route::Ready => Some(self.readiness()),
            Route::Metrics => {
                let text = service.metrics.render(service.gauges());
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                let body = Body::Bytes(Cow::Owned(text.into_bytes()));
                Some(Response::new(200, kind, body).noted("metrics", ""))
            }
            Route::Page => {
                let (handle, responder, query) = (self.clone(), later(), request.query.clone());
                service.working.run(move || {
                    responder.send(page::respond(handle.service(), &query).noted("page", ""));
                });
                None
            }
            Route::File(module, kind) => self.file(request, module, kind, later),
            Route::Query(path, query) => self.query(request, (path, query), later),
            Route::Database(path) => self.database(request, &path, later),
        }
    }

    fn readiness(&self) -> Response {
        let service = self.service();
        if service.draining.load(Ordering::Relaxed) {
            return Response::text(503, "draining").noted("health", "");
        }
        match service.ready.load(Ordering::Relaxed) {
            true => Response::text(200, "ok").noted("health", ""),
            false => Response::text(503, "starting").noted("health", ""),
        }
    }

    fn file(
        &self,
        request: &Request,
        module: ModuleVersion,
        kind: FileKind,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response> {
        let service = self.service();
        if let Some(checksums) = &service.parts.checksums
            && service.parts.policy.min_age.is_some()
            && !service
                .parts
                .local
                .iter()
                .any(|tree| tree.open_file(&module, kind).is_some())
        {
            // The age of a version may have to be asked for.
            let (path, version) = (module.path(), module.version().as_str());
            let known = checksums.known_since(&module, false);
            let young = service
                .parts
                .policy
                .too_young(path, version, known, SystemTime::now());
            if young.is_some() {
                let (handle, waiter) = (self.clone(), Waiter::new(request, later()));
                let (no_fetch, trace) = (request.fields.disable_module_fetch, trace_of(request));
                service.fetching.run(move || {
                    handle.file_of_age(module, kind, waiter, no_fetch, trace);
                });
                return None;
            }
        }
        if let Some(kept) = service.kept_file(&request.fields, &module, kind, "HIT") {
            return Some(kept);
        }
        if let Some(refused) = self.unfetched(request.fields.disable_module_fetch, module.path()) {
            return Some(refused.noted(kind.suffix(), "MISS"));
        }
        let waiter = Waiter::new(request, later());
        self.join_file(module, kind, waiter, trace_of(request));
        None
    }

    /// Goes on with a file whose version may be too young, where the database may be asked.
    fn file_of_age(
        &self,
        module: ModuleVersion,
        kind: FileKind,
        waiter: Waiter,
        no_fetch: bool,
        trace: Trace,
    ) {
        let service = self.service();
        let checksums = service.parts.checksums.as_ref();
        let known = checksums.and_then(|checksums| checksums.known_since(&module, true));
        let (path, version) = (module.path(), module.version().as_str());
        let now = SystemTime::now();
        if let Some(reason) = service.parts.policy.too_young(path, version, known, now) {
            let response = Response::text(403, reason).noted("policy", "");
            return waiter.responder.send(response);
        }
        if let Some(kept) = service.kept_file(&waiter.fields, &module, kind, "HIT") {
            return waiter.responder.send(kept);
        }
        if let Some(refused) = self.unfetched(no_fetch, path) {
            return waiter.responder.send(refused.noted(kind.suffix(), "MISS"));
        }
        self.join_file(module, kind, waiter, trace);
    }

    fn join_file(&self, module: ModuleVersion, kind: FileKind, waiter: Waiter, trace: Trace) {
        let service = self.service();
        let wanted = Wanted::File(module.clone(), kind);
        match service.flights.join(&wanted, waiter) {
            Joined::Waits => {}
            Joined::Live(live, waiter) => waiter.responder.send(live_response(live)),
            Joined::First => {
                let handle = self.clone();
                service
                    .fetching
                    .run(move || handle.fetch_file(&wanted, &module, kind, &trace));
            }
        }
    }

    /// Why nothing is fetched for a request; `None` if it may be.
    fn unfetched(&self, no_fetch: bool, path: &ModulePath) -> Option<Response> {
        let parts = &self.service().parts;
        if parts.policy.private.match_path(path) {
            let text = format!("not found: {path}: private module (--private), not kept here");
            return Some(Response::text(404, text));
        }
        if no_fetch {
            return Some(Response::text(404, "not found: temporarily unavailable"));
        }
        if parts.upstream.is_none() {
            let text = format!(
                "not found: {path}: not kept here, and fetching is disabled by {}",
                parts.offline
            );
            return Some(Response::text(404, text));
        }
        None
    }

    /// The job for one file of a version.
    fn fetch_file(&self, wanted: &Wanted, module: &ModuleVersion, kind: FileKind, trace: &Trace) {
        let service = self.service();
        // It may have come since the request was looked at.
        let kept = service.parts.main.open_file(module, kind).is_some()
            && (kind != FileKind::Zip || service.parts.main.ziphash(module).is_some());
        let fetched = match &service.parts.upstream {
            Some(upstream) if !kept => {
                let began = Instant::now();
                let handle = self.clone();
                let key = wanted.clone();
                let tap = StreamingTap::new(move |live: Option<&Arc<LiveFile>>| match live {
                    Some(live) => {
                        for waiter in handle.service().flights.publish(&key, live) {
                            waiter.responder.send(live_response(Arc::clone(live)));
                        }
                    }
                    None => handle.service().flights.withdraw(&key),
                });
                let tapped: Option<&dyn super::upstream::Tap> = match kind {
                    FileKind::Zip => Some(&tap),
                    FileKind::Info | FileKind::GoMod => None,
                };
                let fetched = upstream.fetch(module, kind, tapped, trace);
                tap.end(fetched.is_ok());
                self.note_upstream(
                    kind.suffix(),
                    &module.to_string(),
                    began,
                    fetched.as_ref().err(),
                );
                fetched
            }
            _ => Ok(()),
        };
        if fetched.is_ok() {
            service.parts.stock.added(&service.parts.main, module);
        }
        let waiting = service.flights.end(wanted);
        for waiter in waiting {
            let response = match &fetched {
                Ok(()) => service
                    .kept_file(&waiter.fields, module, kind, "MISS")
                    .unwrap_or_else(|| Response::text(500, "what was kept cannot be read")),
                Err(error) => failure(error, kind.suffix()),
            };
            waiter.responder.send(response);
        }
    }

    fn note_upstream(
        &self,
        kind: &'static str,
        subject: &str,
        began: Instant,
        error: Option<&Error>,
    ) {
        let service = self.service();
        let failed = error.filter(|error| !error.is_not_found());
        let name = failed.map(|error| error.kind().name());
        service
            .metrics
            .record_upstream(kind, subject, began.elapsed(), name);
        let Some(error) = failed else {
            return;
        };
        if error.kind() == Kind::Security {
            service.metrics.record_security_event();
            service.parts.journal.security(&error.chain());
        } else {
            service
                .parts
                .journal
                .warn(&format!("upstream: {}", error.chain()));
        }
    }

    fn query(
        &self,
        request: &Request,
        key: super::answers::QueryKey,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response> {
        let service = self.service();
        let now = SystemTime::now();
        match service.parts.answers.recall(&key, now) {
            Usable::Fresh(data, age) => {
                return Some(answer(&request.fields, &key.1, &data, "HIT", age));
            }
            Usable::Missing(error) if service.parts.upstream.is_some() => {
                return Some(failure(&error, kind_of(&key.1)));
            }
            _ => {}
        }
        let wanted = Wanted::Query(key.0.clone(), key.1.clone());
        let waiter = Waiter::new(request, later());
        let (no_fetch, trace) = (request.fields.disable_module_fetch, trace_of(request));
        if no_fetch {
            // It may not wait for a job that asks upstream.
            let handle = self.clone();
            service
                .working
                .run(move || handle.answer_query(&key, waiter));
            return None;
        }
        if let Joined::First = service.flights.join(&wanted, waiter) {
            let handle = self.clone();
            service
                .fetching
                .run(move || handle.fetch_query(&wanted, &key, &trace));
        }
        None
    }

    /// Answers a question from what there is.
    fn answer_query(&self, key: &super::answers::QueryKey, waiter: Waiter) {
        let service = self.service();
        let response = match service.parts.answers.find(key, SystemTime::now()) {
            Usable::Fresh(data, age) => answer(&waiter.fields, &key.1, &data, "HIT", age),
            Usable::Expired(data, age) => answer(&waiter.fields, &key.1, &data, "STALE", age),
            Usable::Missing(_) | Usable::No => match self.local_answer(key) {
                Some(data) => answer(&waiter.fields, &key.1, &data, "HIT", Duration::ZERO),
                None => Response::text(404, "not found: temporarily unavailable")
                    .noted(kind_of(&key.1), "MISS"),
            },
        };
        waiter.responder.send(response);
    }

    /// The job for one question.
    fn fetch_query(&self, wanted: &Wanted, key: &super::answers::QueryKey, trace: &Trace) {
        let service = self.service();
        let outcome = self.resolve_query(key, trace);
        for waiter in service.flights.end(wanted) {
            let response = match &outcome {
                Ok((data, state, age)) => answer(&waiter.fields, &key.1, data, state, *age),
                Err(error) => failure(error, kind_of(&key.1)),
            };
            waiter.responder.send(response);
        }
    }

    fn resolve_query(
        &self,
        key: &super::answers::QueryKey,
        trace: &Trace,
    ) -> Result<(Arc<[u8]>, &'static str, Duration), Error> {
        let parts = &self.service().parts;
        let now = SystemTime::now();
        let (expired, had) = match parts.answers.find(key, now) {
            Usable::Fresh(data, age) => return Ok((data, "HIT", age)),
            Usable::Expired(data, age) => (Some((data, age)), true),
            Usable::Missing(_) | Usable::No => (None, false),
        };
        let upstream = match &parts.upstream {
            Some(upstream) if !parts.policy.private.match_path(&key.0) => upstream,
            _ => {
                let found = self.local_answer(key);
                return match found {
                    Some(data) => Ok((data.into(), "HIT", Duration::ZERO)),
                    None => {
                        let text = format!("{}: not kept here", key.0);
                        Err(Error::new(Kind::NotFound, text))
                    }
                };
            }
        };
        let began = Instant::now();
        let asked = self.ask_upstream(upstream.as_ref(), key, trace);
        self.note_upstream(kind_of(&key.1), key.0.as_str(), began, asked.as_ref().err());
        match asked {
            Ok(data) => {
                let data = parts.answers.keep(key, &data, SystemTime::now());
                Ok((data, if had { "EXPIRED" } else { "MISS" }, Duration::ZERO))
            }
            Err(error) if error.is_not_found() => match self.local_answer(key) {
                Some(data) => Ok((data.into(), "MISS", Duration::ZERO)),
                None => {
                    parts
                        .answers
                        .keep_missing(key, error.clone(), SystemTime::now());
                    Err(error)
                }
            },
            Err(error) => match expired {
                Some((data, age)) => Ok((data, "STALE", age)),
                None => match self.local_answer(key) {
                    Some(data) => Ok((data.into(), "STALE", Duration::ZERO)),
                    None => Err(error),
                },
            },
        }
    }

    fn ask_upstream(
        &self,
        upstream: &dyn Upstream,
        key: &super::answers::QueryKey,
        trace: &Trace,
    ) -> Result<Vec<u8>, Error> {
        let (path, query) = key;
        let parts = &self.service().parts;
        match query {
            Query::List => {
                let mut versions = upstream.versions(path, trace)?;
                // A version that was there once is not forgotten: others depend on it.
                if let Some(last) = parts.answers.last(key) {
                    let last = String::from_utf8_lossy(&last).into_owned();
                    versions.extend(last.lines().map(str::to_owned));
                }
                for tree in &parts.local {
                    versions.extend(tree.versions(path));
                }
                let versions = sort_released(versions);
                Ok(self.list_text(path, versions))
            }
            Query::Latest => {
                let local: Vec<String> = (parts.local.iter())
                    .flat_map(|tree| tree.versions(path))
                    .collect();
                let info = upstream.latest(path, trace);
                // Not one that is too young, or denied.
                let hidden = |version: &str| !self.is_shown(path, version);
                match info {
                    Ok(info) if local.is_empty() && !hidden(&info.version) => {
                        Ok(info.to_cache_json().into_bytes())
                    }
                    Ok(_) | Err(_) if !local.is_empty() || parts.policy.min_age.is_some() => {
                        let mut versions = upstream.versions(path, trace).unwrap_or_default();
                        versions.extend(local);
                        versions.retain(|version| !hidden(version));
                        let best = latest_of(&versions).ok_or_else(|| {
                            Error::new(Kind::NotFound, format!("{path}: no matching version"))
                        })?;
                        self.info_of(upstream, path, best, trace)
                    }
                    Ok(info) => Err(Error::new(
                        Kind::NotFound,
                        format!(
                            "{path}@{}: refused by the policy of this proxy",
                            info.version
                        ),
                    )),
                    Err(error) => Err(error),
                }
            }
            Query::Revision(revision) => {
                let info = upstream.revision(path, revision, trace)?;
                if let Some(reason) = parts.policy.refusal(path, &info.version) {
                    return Err(Error::new(Kind::Auth, reason));
                }
                Ok(info.to_cache_json().into_bytes())
            }
        }
    }

    fn info_of(
        &self,
        upstream: &dyn Upstream,
        path: &ModulePath,
        version: &str,
        trace: &Trace,
    ) -> Result<Vec<u8>, Error> {
        let module = ModuleVersion::parse(path.as_str(), version)?;
        let below = module.escape()?.file(FileKind::Info.suffix());
        let kept = || self.service().trees().find_map(|tree| tree.read(&below));
        if let Some(data) = kept() {
            return Ok(data);
        }
        upstream.fetch(&module, FileKind::Info, None, trace)?;
        kept().ok_or_else(|| {
            let text = format!("{module}: what was kept cannot be read");
            Error::new(Kind::LocalIo, text)
        })
    }

    /// True if a version may appear in lists and as the latest.
    fn is_shown(&self, path: &ModulePath, version: &str) -> bool {
        let parts = &self.service().parts;
        if !parts.policy.shows(path, version) {
            return false;
        }
        if parts.policy.min_age.is_none() {
            return true;
        }
        let Ok(module) = ModuleVersion::parse(path.as_str(), version) else {
            return false;
        };
        let checksums = parts.checksums.as_ref();
        let known = checksums.and_then(|checksums| checksums.known_since(&module, true));
        let now = SystemTime::now();
        parts.policy.too_young(path, version, known, now).is_none()
    }

    /// A list without what the policy hides. The age of the newest versions alone is asked for:
    /// what is old is old enough, and each version is judged again when it is asked for.
    fn list_text(&self, path: &ModulePath, mut versions: Vec<String>) -> Vec<u8> {
        const NEWEST: usize = 16;
        let parts = &self.service().parts;
        versions.retain(|version| parts.policy.shows(path, version));
        if parts.policy.min_age.is_some() {
            let newest = versions.len().saturating_sub(NEWEST);
            let tail = versions.split_off(newest);
            versions.extend(
                tail.into_iter()
                    .filter(|version| self.is_shown(path, version)),
            );
        }
        versions
            .iter()
            .flat_map(|version| [version.as_bytes(), b"\n"].concat())
            .collect()
    }

    /// The answer by what the trees have, without upstream; `None` if they know nothing.
    fn local_answer(&self, key: &super::answers::QueryKey) -> Option<Vec<u8>> {
        let (path, query) = key;
        let service = self.service();
        let parts = &service.parts;
        let mut versions = Vec::new();
        for tree in service.trees() {
            versions.extend(tree.versions(path));
            // The list of a tree that others have made says what it has.
            if !parts.stock.demands_sums(tree) {
                versions.extend(tree.listed(path).unwrap_or_default());
            }
        }
        versions.retain(|version| parts.policy.shows(path, version));
        match query {
            Query::List if versions.is_empty() => None,
            Query::List => {
                let text: String = sort_released(versions)
                    .iter()
                    .map(|version| format!("{version}\n"))
                    .collect();
                Some(text.into_bytes())
            }
            Query::Latest => {
                let module = ModuleVersion::parse(path.as_str(), latest_of(&versions)?).ok()?;
                let below = module.escape().ok()?.file(FileKind::Info.suffix());
                service.trees().find_map(|tree| tree.read(&below))
            }
            Query::Revision(revision) => {
                // A tree of files may have it under that name.
                let escaped = crate::gomod::escape_version(revision).ok()?;
                let below = format!("{}/@v/{escaped}.info", path.escape().ok()?);
                let found = service.trees().find_map(|tree| tree.read(&below));
                found.or_else(|| {
                    let last = parts.answers.last(key)?;
                    Some(last.to_vec())
                })
            }
        }
    }

    fn database(
        &self,
        request: &Request,
        path: &str,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response> {
        let service = self.service();
        let unknown =
            || Response::text(404, "not found: no such checksum database here").noted("sumdb", "");
        let Some(checksums) = &service.parts.checksums else {
            return Some(unknown());
        };
        let Some(below) = checksums.below(path) else {
            return Some(unknown());
        };
        if let Some(response) = checksums.answer(below, &service.parts.policy, &request.fields) {
            return Some(response);
        }
        let wanted = Wanted::Sums(below.to_owned());
        let below = below.to_owned();
        if let Joined::First = service.flights.join(&wanted, Waiter::new(request, later())) {
            let (handle, trace) = (self.clone(), trace_of(request));
            service
                .fetching
                .run(move || handle.fetch_sums(&wanted, &below, &trace));
        }
        None
    }

    fn fetch_sums(&self, wanted: &Wanted, below: &str, _trace: &Trace) {
        let service = self.service();
        let began = Instant::now();
        let fetched = match &service.parts.checksums {
            Some(checksums) => checksums.fetch(below),
            None => Err(Error::new(Kind::NotFound, "no checksum database")),
        };
        self.note_upstream("sumdb", below, began, fetched.as_ref().err());
        for waiter in service.flights.end(wanted) {
            let response = match &fetched {
                Ok(found) => found.response(&waiter.fields),
                Err(error) => failure(error, "sumdb"),
            };
            waiter.responder.send(response);
        }
    }
}

impl Service for Handle {
    fn answer(
        &self,
        request: &Request,
        peer: Peer,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response> {
        let service = self.service();
        // A supervisor has no password.
        let open = matches!(&*request.path, "/livez" | "/readyz");
        if !open
            && let Some(rate) = &service.parts.rate
            && let Some(address) = peer.address
            && let Err(wait) = rate.take(address)
        {
            let response = Response::text(429, "too many requests from this address");
            let response = response.with("Retry-After", wait.to_string());
            return Some(response.noted("rate", ""));
        }
        match service.parts.access.admit(request, peer) {
            _ if open => {}
            Admission::Granted => {}
            Admission::Refused => return Some(unauthorized()),
            Admission::Costly(password) => {
                let (handle, responder, request) = (self.clone(), later(), request.clone());
                service.working.run(move || {
                    if !handle.service().parts.access.check_password(&password) {
                        return responder.send(unauthorized());
                    }
                    let slot = std::cell::Cell::new(Some(responder));
                    let later = || slot.take().expect("a request is answered once");
                    if let Some(response) = handle.route(&request, &later)
                        && let Some(responder) = slot.take()
                    {
                        responder.send(response);
                    }
                });
                return None;
            }
        }
        self.route(request, later)
    }

    fn finished(&self, exchange: &Exchange<'_>) {
        self.service().metrics.record(exchange);
        self.service().parts.journal.access(exchange);
    }
}

fn unauthorized() -> Response {
    Response::text(401, "authorization required")
        .with(
            "WWW-Authenticate",
            "Basic realm=\"modfetch\", charset=\"UTF-8\"",
        )
        .noted("access", "")
}

fn trace_of(request: &Request) -> Trace {
    Trace {
        request_id: request.fields.request_id.clone().unwrap_or_default(),
        traceparent: request.fields.traceparent.clone(),
    }
}

fn live_response(live: Arc<LiveFile>) -> Response {
    let kind = FileKind::Zip;
    let response = Response::new(200, kind.content_type(), Body::Live(live));
    immutable(response)
        .with("X-Cache", "MISS")
        .noted(kind.suffix(), "MISS")
}

fn kind_of(query: &Query) -> &'static str {
    match query {
        Query::List => "list",
        Query::Latest => "latest",
        Query::Revision(_) => "revision",
    }
}

fn answer(
    fields: &super::http1::Fields,
    query: &Query,
    data: &[u8],
    cache: &'static str,
    age: Duration,
) -> Response {
    let kind = match query {
        Query::List => TEXT,
        Query::Latest | Query::Revision(_) => FileKind::Info.content_type(),
    };
    Response::of_bytes(fields, data.to_vec(), kind, None)
        .with("X-Cache", cache)
        .with("Age", age.as_secs().to_string())
        .noted(kind_of(query), cache)
}

/// The answer for what could not be had. A client moves on after 404 alone.
pub(super) fn failure(error: &Error, kind: &'static str) -> Response {
    let chain = error.chain();
    let (status, text) = match error.kind() {
        Kind::NotFound => (404, format!("not found: {chain}")),
        Kind::Offline => (404, format!("not found: {chain}")),
        // Refused upstream, or here: a client must not look elsewhere.
        Kind::Auth => (403, chain),
        Kind::Network | Kind::Security => (502, chain),
        _ => (500, chain),
    };
    Response::text(status, text).noted(kind, "MISS")
}
