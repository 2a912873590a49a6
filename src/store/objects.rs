//! The calls: GET, HEAD, PUT, upload in parts, list, DELETE, and URLs for others.
//!
//! GET goes by a signed URL, so that it is an ordinary transfer: tried again, and resumed from
//! the byte where it was cut. All else is signed by headers, the hash of the body among them.

use std::io::{self, Read as _, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::clock::StoreClock;
use super::counts::{Operation, OperationCount, StoreCounts};
use super::credentials::{KeyChain, Keys, StoreEnvironment, read_profile};
use super::endpoints::StoreEndpoints;
use super::moment::parse_moment;
use super::place::{Endpoint, StorePlace};
use super::sigv4::{Signed, Signer, canonical_query, hex, sha256};
use super::xml;
use crate::error::{Error, Kind, Reason, Result};
use crate::event::EventSink;
use crate::http::{
    BodySink, Client, CredentialSettings, Fetched, PlainRequest, Reply, RequestContext, Resumable,
    RetryPolicy, Settings,
};

/// Answers that are no objects: a page of a thousand keys is some 500 KB.
const MAX_ANSWER_BYTES: u64 = 8 << 20;

/// How long a URL of a GET of this process is good for: the longest transfer.
const GET_SECONDS: u64 = 3600;

/// The most pages of one listing: a hundred million keys.
const MOST_PAGES: usize = 100_000;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its name in the tree.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was written.
    pub modified: SystemTime,
}

/// What to do with an object that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It may stay: the new one has the same bytes. Engines that know `If-None-Match` save the write.
    Keep,
    /// It is replaced.
    Replace,
}

/// One bucket and prefix, as a tree of names; used by many threads at once.
pub struct ObjectStore {
    place: StorePlace,
    endpoints: StoreEndpoints,
    keys: KeyChain,
    client: Client,
    /// For GETs over plain HTTP, each with a connection of its own. An engine that sends head and body of an answer
    /// apart, without TCP_NODELAY, waits in between for an acknowledgement, which is delayed by 40 ms on a connection
    /// that was used before. Garage 2.5.0 does that for objects of more than 3 KB.
    plain: Client,
    counts: StoreCounts,
    clock: StoreClock,
}

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// How a store is asked: as upstreams, but without netrc, and less patiently, because a server can
/// go on without it.
fn store_settings(settings: Settings) -> Settings {
    let default = RetryPolicy::default();
    Settings {
        credentials: CredentialSettings::default(),
        retry: RetryPolicy {
            retries: settings.retry.retries.min(2),
            base: Duration::from_millis(100),
            cap: Duration::from_secs(1),
            max_retry_after: Duration::from_secs(5),
            ..default
        },
        connect_timeout: settings.connect_timeout.min(Duration::from_secs(5)),
        stall_timeout: settings.stall_timeout.min(Duration::from_secs(10)),
        ..settings
    }
}

/// One request.
pub(super) struct StoreCall<'a> {
    pub(super) operation: Operation,
    pub(super) method: &'static str,
    /// Of the tree; empty for the bucket.
    pub(super) name: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: Option<&'a [u8]>,
}

impl ObjectStore {
    /// Reads settings and profile, and opens no connection.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn new(
        place: StorePlace,
        environment: StoreEnvironment,
        settings: Settings,
        context: &RequestContext,
    ) -> Result<ObjectStore> {
        let profile = read_profile(&environment)?;
        let region = (place.region.as_deref())
            .or_else(|| environment.get("AWS_REGION"))
            .or_else(|| environment.get("AWS_DEFAULT_REGION"))
            .or_else(|| profile.get("region"))
            .unwrap_or("us-east-1")
            .to_owned();
        let endpoint = (place.endpoint.as_deref())
            .or_else(|| environment.get("AWS_ENDPOINT_URL_S3"))
            .or_else(|| environment.get("AWS_ENDPOINT_URL"))
            .or_else(|| profile.get("endpoint_url"));
        let endpoints = StoreEndpoints::parse(&place, endpoint, &region)?;
        let mut settings = store_settings(settings);
        if endpoints.are_several() {
            // The next endpoint is the next try.
            settings.retry.retries = 0;
        }
        // A machine that is no instance shall not wait for one's metadata.
        let hasty = Settings {
            retry: RetryPolicy {
                retries: 1,
                ..settings.retry.clone()
            },
            connect_timeout: Duration::from_secs(1),
            ..settings.clone()
        };
        let events: &Arc<dyn EventSink> = &context.events;
        let client = |settings| Client::new(settings, Arc::clone(events)).bind(context.clone());
        let mut closing = context.clone();
        let header = ("connection".to_owned(), "close".to_owned());
        closing.headers.push(header);
        Ok(ObjectStore {
            keys: KeyChain::new(environment, profile, region, client(hasty)),
            plain: client(settings.clone()).bind(closing),
            client: client(settings),
            place,
            endpoints,
            counts: StoreCounts::default(),
            clock: StoreClock::default(),
        })
    }

    /// Where it is, without secrets.
    #[must_use]
    pub fn place(&self) -> &StorePlace {
        &self.place
    }

    /// What it was asked.
    #[must_use]
    pub fn count(&self, operation: Operation) -> OperationCount {
        self.counts.of(operation)
    }

    /// How long ago it failed and why, if nothing has worked since.
    #[must_use]
    pub fn failing(&self) -> Option<(Duration, String)> {
        self.counts.failing()
    }

    pub(super) fn named(&self, error: &Error, verb: &str, name: &str, code: &str) -> Error {
        let text = match code {
            "" => format!("{verb} {}/{name}", self.place),
            _ => format!("{verb} {}/{name}: {code}", self.place),
        };
        let mut named = Error::new(error.kind(), text).because(error.clone());
        if error.is_transient() {
            named = named.transient();
        }
        if error.kind() == Kind::Auth {
            named = named
                .hint("S3 answers 403 for what is missing, too, to those who lack s3:ListBucket");
        }
        match error.is_not_found() {
            true => named,
            false => named.with_reason(Reason::StoreFailed),
        }
    }

    /// A signed request, with its answer of any status.
    fn ask(&self, call: &StoreCall<'_>, endpoint: &Endpoint, keys: &Keys) -> Result<Reply> {
        let time = self.clock.time();
        let path = endpoint.path(&match call.name {
            "" => String::new(),
            name => self.place.key(name),
        });
        let query = canonical_query(call.query);
        let body_sha256 = sha256(call.body.unwrap_or_default());
        let mut headers = vec![
            ("host", endpoint.host.as_str()),
            ("x-amz-content-sha256", &body_sha256),
            ("x-amz-date", &time),
        ];
        let token = keys.session_token.as_deref();
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        headers.extend(call.headers);
        headers.sort_unstable();
        let authorization = signer(endpoint, keys, &time).authorization(&Signed {
            method: call.method,
            path: &path,
            query: &query,
            headers: &headers,
            body_sha256: &body_sha256,
        });
        let mut sent: Vec<(&'static str, &str)> = vec![
            ("authorization", &authorization),
            ("x-amz-content-sha256", &body_sha256),
            ("x-amz-date", &time),
        ];
        sent.extend(token.map(|token| ("x-amz-security-token", token)));
        sent.extend(call.headers);
        self.client.ask(&PlainRequest {
            method: call.method,
            url: &endpoint.url(&path, &query)?,
            headers: &sent,
            body: call.body,
        })
    }

    /// A request whose refusal may come from keys or clocks that have changed.
    pub(super) fn answer(&self, call: &StoreCall<'_>) -> Result<StoreResponse> {
        let began = Instant::now();
        let answered = self
            .endpoints
            .ask(|endpoint| self.answer_now(call, endpoint));
        let sent = call.body.map_or(0, <[u8]>::len) as u64;
        self.counts
            .record(call.operation, began, answered.as_ref().map(|_| sent));
        answered
    }

    fn answer_now(&self, call: &StoreCall<'_>, endpoint: &Endpoint) -> Result<StoreResponse> {
        let named = |error: &Error, code: &str| self.named(error, call.method, call.name, code);
        let mut again = true;
        loop {
            let keys = self.keys.keys().map_err(|error| named(&error, ""))?;
            let reply = self.ask(call, endpoint, &keys);
            let reply = reply.map_err(|error| named(&error, ""))?;
            let is_new_time = self.clock.learn(&reply);
            // S3 answers 403 by the code RequestTimeTooSkewed, Garage 400 by InvalidRequest.
            let may_work = match reply.code {
                403 => is_new_time || self.keys.refused(&keys),
                400 => is_new_time,
                _ => false,
            };
            if may_work && std::mem::take(&mut again) {
                continue;
            }
            let header = |name: &str| {
                let value = reply.headers.get(name);
                value
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            let (etag, length) = (header("etag"), header("content-length"));
            let mut text = String::new();
            let read = match call.method {
                "HEAD" => Ok(0),
                _ => reply.body.take(MAX_ANSWER_BYTES).read_to_string(&mut text),
            };
            let code = xml::text(&text, "Code").filter(|code| is_word(code));
            if !(200..300).contains(&reply.code) {
                let error = reply
                    .error
                    .unwrap_or_else(|| Error::new(Kind::Network, format!("status {}", reply.code)));
                let mut error = named(&error, code.unwrap_or_default());
                if matches!(reply.code, 301 | 307) || code == Some("AuthorizationHeaderMalformed") {
                    error =
                        error.hint("name the region of the bucket: AWS_REGION, or ?region=NAME");
                }
                return Err(match reply.code {
                    412 => error.with_reason(Reason::StoreHasIt),
                    _ => error,
                });
            }
            read.map_err(|cause| {
                let error = Error::new(Kind::Network, "reading the answer").because(cause);
                named(&error.transient(), "")
            })?;
            // What ends an upload in parts may fail after its status was sent.
            if text.contains("<Error>") {
                let error = Error::new(Kind::Network, "it failed").transient();
                return Err(named(&error, code.unwrap_or_default()));
            }
            return Ok(StoreResponse {
                etag,
                length: length.and_then(|length| length.parse().ok()),
                text,
            });
        }
    }

    /// Writes an object into a sink, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if it is not there; those of transfers, by reason of [`Reason::StoreFailed`].
    pub fn get_into(&self, name: &str, limit: u64, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        let began = Instant::now();
        let got = (self.endpoints).ask(|endpoint| self.get_from(endpoint, name, limit, sink));
        let got = got.map_err(|error| match error.kind() {
            // That is the sink's.
            Kind::LocalIo => error,
            _ => self.named(&error, "GET", name, ""),
        });
        self.counts.record(
            Operation::Get,
            began,
            got.as_ref().map(|fetched| fetched.bytes),
        );
        got
    }

    fn get_from(
        &self,
        endpoint: &Endpoint,
        name: &str,
        limit: u64,
        sink: &mut dyn BodySink,
    ) -> Result<Fetched<()>> {
        let path = endpoint.path(&self.place.key(name));
        let client = match endpoint.is_plain() {
            true => &self.plain,
            false => &self.client,
        };
        let mut again = true;
        loop {
            let keys = self.keys.keys();
            let keys = keys.map_err(|error| self.named(&error, "GET", name, ""))?;
            let query = self.presign(endpoint, name, GET_SECONDS, &keys);
            let url = endpoint.url(&path, &query)?;
            let error = match client.get_into(&url, limit, sink) {
                Err(error) if is_refusal(&error) && std::mem::take(&mut again) => error,
                got => return got,
            };
            // The answer to a request that is signed by headers tells what was wrong.
            let refused = error.kind() == Kind::Auth && self.keys.refused(&keys);
            let skew = self.clock.skew();
            let _ = self.head(name);
            if !refused && skew == self.clock.skew() {
                return Err(error);
            }
        }
    }

    /// A small object.
    ///
    /// # Errors
    /// As [`ObjectStore::get_into`].
    pub fn get(&self, name: &str, limit: u64) -> Result<Fetched<Vec<u8>>> {
        let mut data = Vec::new();
        let fetched = self.get_into(name, limit, &mut data)?;
        Ok(fetched.map(|()| data))
    }

    /// The length of an object; `None` if it is not there.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn head(&self, name: &str) -> Result<Option<u64>> {
        let answered = self.answer(&StoreCall {
            operation: Operation::Head,
            method: "HEAD",
            name,
            query: &[],
            headers: &[],
            body: None,
        });
        match answered {
            Ok(answer) => Ok(Some(answer.length.unwrap_or_default())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for nothing but an answer.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn probe(&self) -> Result<()> {
        self.page("", "", 1).map(drop)
    }

    /// Writes an object. What is there is replaced, or may be kept.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn put(&self, name: &str, data: &[u8], existing: Existing) -> Result<()> {
        let keep = [("if-none-match", "*")];
        let put = self.answer(&StoreCall {
            operation: Operation::Put,
            method: "PUT",
            name,
            query: &[],
            headers: match existing {
                Existing::Keep => &keep,
                Existing::Replace => &[],
            },
            body: Some(data),
        });
        kept(put.map(drop), existing)
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub fn delete(&self, name: &str) -> Result<()> {
        let deleted = self.answer(&StoreCall {
            operation: Operation::Delete,
            method: "DELETE",
            name,
            query: &[],
            headers: &[],
            body: None,
        });
        match deleted {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Hands on each object whose name begins with `prefix`, in the order of keys.
    ///
    /// # Errors
    /// The store does not answer, or refuses; those of `each`.
    pub fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(ListedObject) -> Result<()>,
    ) -> Result<()> {
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            let page = self.page(prefix, &token, 1000)?;
            for one in xml::elements(&page, "Contents") {
                if let Some(object) = self.listed(one) {
                    each(object)?;
                }
            }
            let next = xml::text(&page, "NextContinuationToken").map(xml::unescape);
            match next.filter(|next| *next != token && !next.is_empty()) {
                Some(next) => token = next,
                None => break,
            }
        }
        Ok(())
    }

    fn page(&self, prefix: &str, token: &str, most: usize) -> Result<String> {
        let (prefix, most) = (self.place.key(prefix), most.to_string());
        let mut query = vec![
            ("list-type", "2"),
            ("encoding-type", "url"),
            ("prefix", &prefix),
            ("max-keys", &most),
        ];
        if !token.is_empty() {
            query.push(("continuation-token", token));
        }
        let answer = self.answer(&StoreCall {
            operation: Operation::List,
            method: "GET",
            name: "",
            query: &query,
            headers: &[],
            body: None,
        })?;
        Ok(answer.text)
    }

    fn listed(&self, xml: &str) -> Option<ListedObject> {
        let key = xml::decode_key(xml::text(xml, "Key")?)?;
        let modified = parse_moment(xml::text(xml, "LastModified")?)?;
        Some(ListedObject {
            name: self.place.name(&key)?.to_owned(),
            bytes: xml::text(xml, "Size")?.parse().ok()?,
            modified: UNIX_EPOCH + Duration::from_secs(modified),
        })
    }

    fn presign(&self, endpoint: &Endpoint, name: &str, seconds: u64, keys: &Keys) -> String {
        let time = self.clock.time();
        let path = endpoint.path(&self.place.key(name));
        let token = keys.session_token.as_deref();
        signer(endpoint, keys, &time).presigned_get(&endpoint.host, &path, seconds, token)
    }

    /// A URL that gets an object for so many seconds, whoever has it; `None` if there are no keys at
    /// hand: it waits for nothing.
    #[must_use]
    pub fn presigned_url(&self, name: &str, seconds: u64) -> Option<String> {
        let keys = self.keys.held()?;
        let endpoint = self.endpoints.in_use();
        let query = self.presign(endpoint, name, seconds, &keys);
        let path = endpoint.path(&self.place.key(name));
        Some(endpoint.text(&path, &query))
    }

    /// The SHA-256 of an object of at most `limit` bytes, in hexadecimal.
    ///
    /// # Errors
    /// As [`ObjectStore::get_into`].
    pub fn sha256(&self, name: &str, limit: u64) -> Result<String> {
        let mut sink = HashingSink::default();
        self.get_into(name, limit, &mut sink)?;
        Ok(hex(&sink.0.finalize()))
    }
}

/// Hashes what comes.
#[derive(Default)]
struct HashingSink(Sha256);

impl Write for HashingSink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BodySink for HashingSink {
    fn restart(&mut self, _: Option<&Resumable>) -> io::Result<()> {
        self.0 = Sha256::new();
        Ok(())
    }
}

fn signer<'s>(endpoint: &'s Endpoint, keys: &'s Keys, time: &'s str) -> Signer<'s> {
    Signer {
        access_key: &keys.access_key,
        secret_key: &keys.secret_key,
        region: &endpoint.region,
        time,
    }
}

/// True for an answer to a signed URL that other keys or another clock may change.
fn is_refusal(error: &Error) -> bool {
    match error.kind() {
        Kind::Auth => true,
        // That has a status such as 400.
        Kind::Network => !error.is_transient(),
        _ => false,
    }
}

/// What is read of an answer.
pub(super) struct StoreResponse {
    pub(super) etag: Option<String>,
    length: Option<u64>,
    pub(super) text: String,
}

/// An object that was there is as good as one that was written, where it may stay.
pub(super) fn kept(put: Result<()>, existing: Existing) -> Result<()> {
    match put {
        Err(error) if existing == Existing::Keep && error.reason() == Some(Reason::StoreHasIt) => {
            Ok(())
        }
        put => put,
    }
}

/// True for what is fit to be shown of an answer.
fn is_word(text: &str) -> bool {
    text.len() < 64 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
