//! Questions whose answers may change: lists, `@latest`, branches and commits.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::answers::{QueryKey, Usable};
use super::flights::{Joined, Waiter};
use super::http1::{Http1Request, RequestFields, Responder, Response, TEXT};
use super::route::{FileKind, RouteQuery};
use super::service::{ServiceHandle, UpstreamTask, failure, trace_of};
use super::trees::{latest_of, sort_released};
use super::upstream::{Trace, Upstream};
use crate::error::{Error, Kind};
use crate::gomod::{ModulePath, ModuleVersion, escape_version};

impl ServiceHandle {
    pub(super) fn query(
        &self,
        request: &Http1Request,
        key: QueryKey,
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
        let wanted = UpstreamTask::Query(key.0.clone(), key.1.clone());
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
    pub(super) fn answer_query(&self, key: &QueryKey, waiter: Waiter) {
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
    pub(super) fn fetch_query(&self, wanted: &UpstreamTask, key: &QueryKey, trace: &Trace) {
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

    pub(super) fn resolve_query(
        &self,
        key: &QueryKey,
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

    pub(super) fn ask_upstream(
        &self,
        upstream: &dyn Upstream,
        key: &QueryKey,
        trace: &Trace,
    ) -> Result<Vec<u8>, Error> {
        let (path, query) = key;
        let parts = &self.service().parts;
        match query {
            RouteQuery::List => {
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
                Ok(self.list_text(path, versions, trace))
            }
            RouteQuery::Latest => {
                let local: Vec<String> = (parts.local.iter())
                    .flat_map(|tree| tree.versions(path))
                    .collect();
                let info = upstream.latest(path, trace);
                // Not one that is too young, or denied.
                let hidden = |version: &str| !self.is_shown(path, version, trace);
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
            RouteQuery::Revision(revision) => {
                let info = upstream.revision(path, revision, trace)?;
                if let Some(reason) = parts.policy.refusal(path, &info.version) {
                    return Err(Error::new(Kind::Auth, reason));
                }
                Ok(info.to_cache_json().into_bytes())
            }
        }
    }

    pub(super) fn info_of(
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
    pub(super) fn is_shown(&self, path: &ModulePath, version: &str, trace: &Trace) -> bool {
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
        let known = checksums.and_then(|checksums| checksums.ask_age(&module, trace));
        let now = SystemTime::now();
        parts.policy.too_young(path, version, known, now).is_none()
    }

    /// A list without what the policy hides. The age of the newest versions alone is asked for:
    /// what is old is old enough, and each version is judged again when it is asked for.
    pub(super) fn list_text(
        &self,
        path: &ModulePath,
        mut versions: Vec<String>,
        trace: &Trace,
    ) -> Vec<u8> {
        const NEWEST: usize = 16;
        let parts = &self.service().parts;
        versions.retain(|version| parts.policy.shows(path, version));
        if parts.policy.min_age.is_some() {
            let newest = versions.len().saturating_sub(NEWEST);
            let tail = versions.split_off(newest);
            versions.extend(
                tail.into_iter()
                    .filter(|version| self.is_shown(path, version, trace)),
            );
        }
        versions
            .iter()
            .flat_map(|version| [version.as_bytes(), b"\n"].concat())
            .collect()
    }

    /// The answer by what the trees have, without upstream; `None` if they know nothing.
    pub(super) fn local_answer(&self, key: &QueryKey) -> Option<Vec<u8>> {
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
            RouteQuery::List if versions.is_empty() => None,
            RouteQuery::List => {
                let text: String = sort_released(versions)
                    .iter()
                    .map(|version| format!("{version}\n"))
                    .collect();
                Some(text.into_bytes())
            }
            RouteQuery::Latest => {
                let module = ModuleVersion::parse(path.as_str(), latest_of(&versions)?).ok()?;
                let below = module.escape().ok()?.file(FileKind::Info.suffix());
                service.trees().find_map(|tree| tree.read(&below))
            }
            RouteQuery::Revision(revision) => {
                // A tree of files may have it under that name.
                let escaped = escape_version(revision).ok()?;
                let below = format!("{}/@v/{escaped}.info", path.escape().ok()?);
                let found = service.trees().find_map(|tree| tree.read(&below));
                found.or_else(|| {
                    let last = parts.answers.last(key)?;
                    Some(last.to_vec())
                })
            }
        }
    }
}

fn kind_of(query: &RouteQuery) -> &'static str {
    match query {
        RouteQuery::List => "list",
        RouteQuery::Latest => "latest",
        RouteQuery::Revision(_) => "revision",
    }
}

fn answer(
    fields: &RequestFields,
    query: &RouteQuery,
    data: &[u8],
    cache: &'static str,
    age: Duration,
) -> Response {
    let kind = match query {
        RouteQuery::List => TEXT,
        RouteQuery::Latest | RouteQuery::Revision(_) => FileKind::Info.content_type(),
    };
    Response::of_bytes(fields, data.to_vec(), kind, None)
        .with("X-Cache", cache)
        .with("Age", age.as_secs().to_string())
        .noted(kind_of(query), cache)
}
