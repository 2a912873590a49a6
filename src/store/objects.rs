//! The calls: GET, HEAD, PUT, upload in parts, list, DELETE, and URLs for others.
//!
//! GET goes by a signed URL, so that it is an ordinary transfer: tried again, and gone on with from
//! the byte where it was cut. All else is signed by headers, the hash of the body among them.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::counts::{Operation, OperationCount, StoreCounts};
use super::credentials::{KeyChain, Keys, StoreEnvironment, read_profile};
use super::moment::{amz_time, parse_moment};
use super::place::{Endpoint, StorePlace};
use super::sigv4::{Signed, Signer, canonical_query, hex, sha256};
use super::xml;
use crate::error::{Error, Kind, Reason, Result};
use crate::event::EventSink;
use crate::http::{
    BodySink, Client, CredentialSettings, Fetched, PlainRequest, Reply, RequestContext, Resumable,
    RetryPolicy, Settings, parse_http_date,
};
use crate::system::FileAt as _;

/// Longer objects go up in parts of this size: S3 wants at least 5 MiB, and a part is held in memory.
const PART_BYTES: u64 = 8 << 20;

/// Answers that are no objects: a page of a thousand keys is some 500 KB.
const MAX_ANSWER_BYTES: u64 = 8 << 20;

/// How long a URL of a GET of this process is good for: the longest transfer.
const GET_SECONDS: u64 = 3600;

/// A clock that is off by more is put right: S3 refuses at 15 minutes.
const SKEW_SECONDS: i64 = 240;

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
    endpoint: Endpoint,
    keys: KeyChain,
    client: Client,
    counts: StoreCounts,
    /// Seconds by which the store's clock is ahead of this machine's.
    skew: AtomicI64,
}

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// How a store is asked: as upstreams, but by nobody's netrc, and less patiently, because a server can
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

struct StoreCall<'a> {
    operation: Operation,
    method: &'static str,
    /// Of the tree; empty for the bucket.
    name: &'a str,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'static str, &'a str)],
    body: Option<&'a [u8]>,
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
        let endpoint = Endpoint::new(&place, endpoint, region.clone())?;
        let settings = store_settings(settings);
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
        Ok(ObjectStore {
            keys: KeyChain::new(environment, profile, region, client(hasty)),
            client: client(settings),
            place,
            endpoint,
            counts: StoreCounts::default(),
            skew: AtomicI64::new(0),
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

    fn time(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        amz_time(now.saturating_add_signed(self.skew.load(Ordering::Relaxed)))
    }

    fn signer<'s>(&'s self, keys: &'s Keys, time: &'s str) -> Signer<'s> {
        Signer {
            access_key: &keys.access_key,
            secret_key: &keys.secret_key,
            region: &self.endpoint.region,
            time,
        }
    }

    fn named(&self, error: &Error, verb: &str, name: &str, code: &str) -> Error {
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

    /// True if the store's clock differs and this machine's is now put right.
    fn learn_clock(&self, reply: &Reply) -> bool {
        let ours = SystemTime::now().duration_since(UNIX_EPOCH);
        let ours = ours.map_or(0, |ours| ours.as_secs().cast_signed());
        let date = reply
            .headers
            .get("date")
            .and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(|date| parse_http_date(date, ours)) else {
            return false;
        };
        let skew = theirs - ours;
        let before = self.skew.load(Ordering::Relaxed);
        if (skew - before).abs() <= SKEW_SECONDS {
            return false;
        }
        self.skew.store(skew, Ordering::Relaxed);
        true
    }

    /// A signed request, with its answer of any status.
    fn ask(&self, call: &StoreCall<'_>, keys: &Keys) -> Result<Reply> {
        let time = self.time();
        let path = self.endpoint.path(&match call.name {
            "" => String::new(),
            name => self.place.key(name),
        });
        let query = canonical_query(call.query);
        let body_sha256 = sha256(call.body.unwrap_or_default());
        let mut headers = vec![
            ("host", self.endpoint.host.as_str()),
            ("x-amz-content-sha256", &body_sha256),
            ("x-amz-date", &time),
        ];
        let token = keys.session_token.as_deref();
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        headers.extend(call.headers);
        headers.sort_unstable();
        let authorization = self.signer(keys, &time).authorization(&Signed {
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
            url: &self.endpoint.url(&path, &query)?,
            headers: &sent,
            body: call.body,
        })
    }

    /// A request whose refusal may come from keys or clocks that have changed.
    fn answer(&self, call: &StoreCall<'_>) -> Result<StoreResponse> {
        let began = Instant::now();
        let answered = self.answer_now(call);
        let sent = call.body.map_or(0, <[u8]>::len) as u64;
        self.counts
            .record(call.operation, began, answered.as_ref().map(|_| sent));
        answered
    }

    fn answer_now(&self, call: &StoreCall<'_>) -> Result<StoreResponse> {
        let named = |error: &Error, code: &str| self.named(error, call.method, call.name, code);
        let mut again = true;
        loop {
            let keys = self.keys.keys().map_err(|error| named(&error, ""))?;
            let reply = self.ask(call, &keys).map_err(|error| named(&error, ""))?;
            if reply.code == 403
                && std::mem::take(&mut again)
                && (self.learn_clock(&reply) || self.keys.refused(&keys))
            {
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
        let mut again = true;
        let got = loop {
            let keys = self
                .keys
                .keys()
                .map_err(|error| self.named(&error, "GET", name, ""))?;
            let url = self.presign(name, GET_SECONDS, &keys);
            let path = self.endpoint.path(&self.place.key(name));
            let got = self
                .endpoint
                .url(&path, &url)
                .and_then(|url| self.client.get_into(&url, limit, sink));
            match got {
                Err(error) if error.kind() == Kind::Auth && std::mem::take(&mut again) => {
                    // The answer to a signed request tells what was wrong.
                    let refused = self.keys.refused(&keys);
                    let clock = self.skew.load(Ordering::Relaxed);
                    let _ = self.head(name);
                    if !refused && clock == self.skew.load(Ordering::Relaxed) {
                        break Err(error);
                    }
                }
                got => break got,
            }
        };
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

    /// Writes an object from a file, in parts if it is long.
    ///
    /// # Errors
    /// The file cannot be read; as [`ObjectStore::put`].
    pub fn put_file(&self, name: &str, file: &File, existing: Existing) -> Result<u64> {
        let unreadable =
            |cause| Error::new(Kind::LocalIo, format!("cannot read {name}")).because(cause);
        let length = file.metadata().map_err(unreadable)?.len();
        let part = |from: u64| {
            let bytes = PART_BYTES.min(length - from);
            let mut data = vec![0; usize::try_from(bytes).expect("a part fits in memory")];
            file.read_exact_at(&mut data, from).map_err(unreadable)?;
            Ok::<_, Error>(data)
        };
        if length <= PART_BYTES {
            self.put(name, &part(0)?, existing)?;
            return Ok(length);
        }
        let begun = self.answer(&StoreCall {
            query: &[("uploads", "")],
            ..StoreCall::part(name, "POST", Some(b""))
        })?;
        let upload = xml::text(&begun.text, "UploadId").map(xml::unescape);
        let upload = upload.ok_or_else(|| {
            let error = Error::new(Kind::Network, "an answer without an upload");
            self.named(&error, "POST", name, "")
        })?;
        let sent = self.put_parts(name, &upload, length, existing, &part);
        if sent.is_err() {
            // Parts that nothing ends are paid for until a rule of the bucket removes them.
            let _ = self.answer(&StoreCall {
                query: &[("uploadId", &upload)],
                ..StoreCall::part(name, "DELETE", None)
            });
        }
        kept(sent, existing)?;
        Ok(length)
    }

    fn put_parts(
        &self,
        name: &str,
        upload: &str,
        length: u64,
        existing: Existing,
        part: &dyn Fn(u64) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut parts = String::new();
        for (number, from) in (1..).zip((0..length).step_by(PART_BYTES as usize)) {
            let number: u32 = number;
            let number = number.to_string();
            let data = part(from)?;
            let answer = self.answer(&StoreCall {
                query: &[("partNumber", &number), ("uploadId", upload)],
                ..StoreCall::part(name, "PUT", Some(&data))
            })?;
            let etag = answer.etag.unwrap_or_default();
            let etag = etag.trim_matches('"');
            parts.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>"
            ));
        }
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let keep = [("if-none-match", "*")];
        let ended = self.answer(&StoreCall {
            query: &[("uploadId", upload)],
            headers: match existing {
                Existing::Keep => &keep,
                Existing::Replace => &[],
            },
            ..StoreCall::part(name, "POST", Some(body.as_bytes()))
        });
        ended.map(drop)
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

    fn presign(&self, name: &str, seconds: u64, keys: &Keys) -> String {
        let time = self.time();
        let path = self.endpoint.path(&self.place.key(name));
        let token = keys.session_token.as_deref();
        self.signer(keys, &time)
            .presigned_get(&self.endpoint.host, &path, seconds, token)
    }

    /// A URL that gets an object for so many seconds, whoever has it; `None` if there are no keys at
    /// hand: it waits for nothing.
    #[must_use]
    pub fn presigned_url(&self, name: &str, seconds: u64) -> Option<String> {
        let keys = self.keys.held()?;
        let query = self.presign(name, seconds, &keys);
        let path = self.endpoint.path(&self.place.key(name));
        Some(self.endpoint.text(&path, &query))
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

impl<'a> StoreCall<'a> {
    fn part(name: &'a str, method: &'static str, body: Option<&'a [u8]>) -> StoreCall<'a> {
        StoreCall {
            operation: Operation::Multipart,
            method,
            name,
            query: &[],
            headers: &[],
            body,
        }
    }
}

/// What is read of an answer.
struct StoreResponse {
    etag: Option<String>,
    length: Option<u64>,
    text: String,
}

/// An object that was there is as good as one that was written, where it may stay.
fn kept(put: Result<()>, existing: Existing) -> Result<()> {
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
