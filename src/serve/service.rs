//! From a request to its answer: access, policy, the trees, and then upstream.
//!
//! What the trees have is answered on the thread that asks. All else goes to a pool: one job for
//! all who want the same thing ([`Flights`]), whoever of them is still there at its end.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::access::{Access, AccessDecision};
use super::answers::AnswerCache;
use super::checksums::Checksums;
use super::flights::{Flights, Joined, Waiter};
use super::http1::{
    Body, Http1Request, LiveFile, Peer, Responder, Response, ServedExchange, Service,
};
use super::journal::{Journal, SecurityCount};
use super::metrics::{Gauges, Metrics};
use super::page;
use super::policy::Policy;
use super::rate::RateLimits;
use super::route::{FileKind, Route, RouteQuery, parse_route};
use super::stock::Stock;
use super::store_metrics;
use super::tags::Tags;
use super::trees::ServedTree;
use super::upstream::{Trace, Upstream};
use super::workers::Workers;
use crate::error::{Error, Kind, Reason};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::store::SharedStore;

/// What a job is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum UpstreamTask {
    File(ModuleVersion, FileKind),
    Query(ModulePath, RouteQuery),
    /// A path below a checksum database.
    Sums(String),
}

/// What [`ModuleService`] works with.
pub(super) struct ServiceParts {
    /// What is kept, and grows.
    pub(super) main: ServedTree,
    /// What is only read, and comes first.
    pub(super) local: Vec<ServedTree>,
    pub(super) upstream: Option<Arc<dyn Upstream>>,
    /// Why there is no upstream.
    pub(super) offline: &'static str,
    /// There is no upstream but the store.
    pub(super) only_store: bool,
    pub(super) checksums: Option<Checksums>,
    pub(super) store: Option<Arc<SharedStore>>,
    pub(super) answers: AnswerCache,
    pub(super) policy: Policy,
    pub(super) access: Access,
    pub(super) rate: Option<RateLimits>,
    pub(super) journal: Journal,
    pub(super) stock: Stock,
    pub(super) security_events: SecurityCount,
    pub(super) jobs: usize,
}

/// Answers requests for modules.
pub(super) struct ModuleService {
    pub(super) parts: ServiceParts,
    pub(super) metrics: Metrics,
    pub(super) ready: AtomicBool,
    pub(super) draining: AtomicBool,
    pub(super) connections: std::sync::OnceLock<Arc<AtomicUsize>>,
    pub(super) flights: Flights<UpstreamTask>,
    /// Of the zips that are handed out.
    pub(super) tags: Tags,
    /// For what waits for upstream.
    pub(super) fetching: Workers,
    /// For what waits for the disk, or for a processor.
    pub(super) working: Workers,
    pub(super) started: Instant,
}

/// Threads for lookups in directories and for passwords.
const WORKING: usize = 16;

/// The handle that jobs hold.
#[derive(Clone)]
pub(super) struct ServiceHandle(pub(super) Arc<ModuleService>);

impl ModuleService {
    pub(super) fn new(parts: ServiceParts) -> ModuleService {
        ModuleService {
            fetching: Workers::new("upstream", parts.jobs),
            working: Workers::new("lookup", WORKING),
            metrics: Metrics::new(parts.security_events.clone()),
            ready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            connections: std::sync::OnceLock::new(),
            flights: Flights::default(),
            tags: Tags::default(),
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
    pub(super) fn trees(&self) -> impl Iterator<Item = &ServedTree> {
        self.parts.local.iter().chain([&self.parts.main])
    }

    /// Why a route is not answered, whatever the trees have.
    fn refusal(&self, route: &Route) -> Option<Response> {
        let policy = &self.parts.policy;
        let reason = match route {
            Route::File(module, _) => policy.refusal(module.path(), module.version().as_str()),
            Route::Query(path, RouteQuery::Revision(revision)) => policy.refusal(path, revision),
            Route::Query(path, _) => policy.refusal(path, ""),
            _ => None,
        }?;
        Some(Response::text(403, reason).noted("policy", ""))
    }

    /// A file that a tree has.
    pub(super) fn kept_file(
        &self,
        fields: &super::http1::RequestFields,
        module: &ModuleVersion,
        kind: FileKind,
        cache: &'static str,
    ) -> Option<Response> {
        let below = module.escape().ok()?.file(kind.suffix());
        let (tree, found) = self
            .trees()
            .find_map(|tree| Some((tree, tree.open(&below)?)))?;
        let etag = match kind {
            FileKind::Zip => self
                .tags
                .find(&below, found.identity, || tree.ziphash(module)),
            FileKind::Info | FileKind::GoMod => None,
        };
        // A cache's zip without its sum is one that is being put there, or was not finished.
        if kind == FileKind::Zip && etag.is_none() && self.parts.stock.demands_sums(tree) {
            return None;
        }
        self.parts.stock.touch(module, kind);
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

impl ServiceHandle {
    pub(super) fn service(&self) -> &ModuleService {
        &self.0
    }

    /// Answers what was admitted.
    fn route(&self, request: &Http1Request, later: &dyn Fn() -> Responder) -> Option<Response> {
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
                let mut text = service.metrics.render(service.gauges());
                if let Some(store) = &service.parts.store {
                    text.push_str(&store_metrics::render(store));
                }
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
        if let Some(store) = &service.parts.store
            && service.parts.only_store
            && let Some((_, why)) = store.objects().failing()
        {
            return Response::text(503, format!("store: {why}")).noted("health", "");
        }
        match service.ready.load(Ordering::Relaxed) {
            true => Response::text(200, "ok").noted("health", ""),
            false => Response::text(503, "starting").noted("health", ""),
        }
    }

    pub(super) fn note_upstream(
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

    fn database(
        &self,
        request: &Http1Request,
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
        let wanted = UpstreamTask::Sums(below.to_owned());
        let below = below.to_owned();
        if let Joined::First = service.flights.join(&wanted, Waiter::new(request, later())) {
            let (handle, trace) = (self.clone(), trace_of(request));
            service
                .fetching
                .run(move || handle.fetch_sums(&wanted, &below, &trace));
        }
        None
    }

    fn fetch_sums(&self, wanted: &UpstreamTask, below: &str, trace: &Trace) {
        let service = self.service();
        let began = Instant::now();
        let fetched = match &service.parts.checksums {
            Some(checksums) => checksums.fetch(below, trace),
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

impl Service for ServiceHandle {
    fn answer(
        &self,
        request: &Http1Request,
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
            AccessDecision::Granted => {}
            AccessDecision::Refused => return Some(unauthorized()),
            AccessDecision::Costly(password) => {
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

    fn finished(&self, exchange: &ServedExchange<'_>) {
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

pub(super) fn trace_of(request: &Http1Request) -> Trace {
    Trace {
        request_id: request.fields.request_id.clone().unwrap_or_default(),
        traceparent: request.fields.traceparent.clone(),
    }
}

pub(super) fn live_response(live: Arc<LiveFile>) -> Response {
    let kind = FileKind::Zip;
    let response = Response::new(200, kind.content_type(), Body::Live(live));
    immutable(response)
        .with("X-Cache", "MISS")
        .noted(kind.suffix(), "MISS")
}

/// The answer for what could not be had. A client moves on after 404 and 410 alone.
pub(super) fn failure(error: &Error, kind: &'static str) -> Response {
    let chain = error.chain();
    let (status, text) = match error.kind() {
        // The store may have the file: no client must conclude that it does not exist.
        _ if error.reason() == Some(Reason::StoreFailed) => (503, chain),
        // As upstream has it: a client moves on after both.
        Kind::NotFound if error.reason() == Some(Reason::Gone) => {
            (410, format!("not found: {chain}"))
        }
        Kind::NotFound => (404, format!("not found: {chain}")),
        Kind::Offline => (404, format!("not found: {chain}")),
        // Refused upstream, or here: a client must not look elsewhere.
        Kind::Auth => (403, chain),
        Kind::Network | Kind::Security => (502, chain),
        _ => (500, chain),
    };
    Response::text(status, text).noted(kind, "MISS")
}
