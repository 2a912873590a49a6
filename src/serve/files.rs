//! Files of versions: from the trees, or fetched by one job for all who want them.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::flights::{Joined, Waiter};
use super::http1::{Http1Request, LiveFile, RequestMethod, Responder, Response};
use super::route::FileKind;
use super::service::{ServiceHandle, UpstreamTask, failure, live_response, trace_of};
use super::streaming::StreamingTap;
use super::upstream::{Tap, Trace};
use crate::gomod::{ModulePath, ModuleVersion};

impl ServiceHandle {
    pub(super) fn file(
        &self,
        request: &Http1Request,
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
            let known = checksums.known_since(&module);
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
        if let Some(elsewhere) = self.redirect(request, &module, kind) {
            return Some(elsewhere);
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

    /// Sends a client to the store for a zip that this server has verified there.
    fn redirect(
        &self,
        request: &Http1Request,
        module: &ModuleVersion,
        kind: FileKind,
    ) -> Option<Response> {
        let store = self.service().parts.store.as_ref()?;
        // The URL is for GET alone.
        if kind != FileKind::Zip || request.method != RequestMethod::Get {
            return None;
        }
        let url = store.redirect(module)?;
        // It is good for some minutes.
        let response = Response::text(302, "").with("Location", url);
        let response = response.with("Cache-Control", "no-store");
        Some(response.noted(kind.suffix(), "REDIRECT"))
    }

    /// Continues with a file whose version may be too young, where the database may be asked.
    pub(super) fn file_of_age(
        &self,
        module: ModuleVersion,
        kind: FileKind,
        waiter: Waiter,
        no_fetch: bool,
        trace: Trace,
    ) {
        let service = self.service();
        let checksums = service.parts.checksums.as_ref();
        let known = checksums.and_then(|checksums| checksums.ask_age(&module, &trace));
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

    pub(super) fn join_file(
        &self,
        module: ModuleVersion,
        kind: FileKind,
        waiter: Waiter,
        trace: Trace,
    ) {
        let service = self.service();
        let wanted = UpstreamTask::File(module.clone(), kind);
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
    pub(super) fn unfetched(&self, no_fetch: bool, path: &ModulePath) -> Option<Response> {
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
    pub(super) fn fetch_file(
        &self,
        wanted: &UpstreamTask,
        module: &ModuleVersion,
        kind: FileKind,
        trace: &Trace,
    ) {
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
                let tapped: Option<&dyn Tap> = match kind {
                    FileKind::Zip => Some(&tap),
                    FileKind::Info | FileKind::GoMod => None,
                };
                let fetched = upstream.fetch(module, kind, tapped, trace);
                tap.end();
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
        if fetched.is_ok() && kind == FileKind::Zip && !kept {
            service.parts.stock.added(&service.parts.main, module);
            // Clients that were sent the zip while it came do not ask for what is kept.
            service.parts.stock.touch(module, kind);
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
}
