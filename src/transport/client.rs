//! The one way in: a GET with a limit, tried until it works or cannot.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::Settings;
use super::agent;
use super::credentials::{Credentials, Held, Refused};
use super::encoding::{Decoded, Encoding, Trouble};
use super::event::{Event, Observer};
use super::failure::{Circumstances, reading, tried};
use super::file;
use super::hosts::HostLimits;
use super::proxy_env::Proxies;
use super::retry::{Failure, RealTimer, Timer, parse_retry_after};
use super::stale::Stale;
use super::status::{Detail, MAX_DRAIN_BYTES, status_error, status_text};
use super::url::{RedactedUrl, Scheme, Url};
use crate::error::{Error, Kind, Result};

/// As many redirects are followed, as Go does.
const MAX_REDIRECTS: usize = 10;

/// How much is read and handed on at once.
const CHUNK_BYTES: usize = 32 << 10;

/// Where a body goes.
pub trait Sink: io::Write {
    /// Throws away what was written, before another try.
    ///
    /// # Errors
    /// What the system says; the transfer then fails for good.
    fn restart(&mut self) -> io::Result<()>;
}

impl Sink for Vec<u8> {
    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

/// What a successful transfer brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    /// The outcome.
    pub value: T,
    /// How many bytes of body came over the network (or from a file) in the try that worked.
    pub bytes: u64,
    /// How many tries failed before.
    pub retries: u32,
}

impl<T> Fetched<T> {
    /// Turns the outcome into another.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fetched<U> {
        Fetched {
            value: change(self.value),
            bytes: self.bytes,
            retries: self.retries,
        }
    }
}

/// The reason of an error for a body that is longer than the caller's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// In bytes.
    pub limit: u64,
}

impl TooLarge {
    /// True if `error` was caused by passing a limit.
    #[must_use]
    pub fn caused(error: &Error) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if cause.is::<TooLarge>() {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "larger than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLarge {}

/// Makes GET requests; cheap to clone, clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    observer: Arc<dyn Observer>,
    timer: Box<dyn Timer>,
    hosts: HostLimits,
    credentials: Credentials,
    network: OnceLock<Network>,
}

/// What only a request over the network needs.
struct Network {
    agent: Agent,
    proxies: Arc<Proxies>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Remembers the settings; everything else waits for the first request that needs it, the
    /// TLS roots for the first https one.
    #[must_use]
    pub fn new(settings: Settings, observer: Arc<dyn Observer>) -> Client {
        Client::with_timer(settings, observer, Box::new(RealTimer))
    }

    /// As [`Client::new`], with another clock: for tests, which should not sleep.
    #[must_use]
    pub fn with_timer(
        settings: Settings,
        observer: Arc<dyn Observer>,
        timer: Box<dyn Timer>,
    ) -> Client {
        Client(Arc::new(Inner {
            hosts: HostLimits::new(settings.per_host),
            credentials: Credentials::new(settings.credentials.clone()),
            settings,
            observer,
            timer,
            network: OnceLock::new(),
        }))
    }

    /// Gets a body of at most `limit` bytes into memory, each try within
    /// [`Settings::small_body_timeout`].
    ///
    /// # Errors
    /// As [`Client::get_into`].
    pub fn get(&self, url: &Url, limit: u64) -> Result<Fetched<Vec<u8>>> {
        let mut body = Vec::new();
        let fetched = self.get_within(url, limit, &mut body, TryTime::Limited)?;
        Ok(fetched.map(|()| body))
    }

    /// Gets a body of at most `limit` bytes into a sink, which is restarted before each further
    /// try, and holds what came of the last one if all fail. A try takes as long as it takes,
    /// while bytes arrive.
    ///
    /// # Errors
    /// - [`Kind::NotFound`] for 404, 410 or a missing file; [`Kind::Auth`] for 401, 403 and 407;
    ///   [`Kind::Network`] for any other status and for trouble on the way, after the retries;
    ///   all in go's words where it has some: `reading URL: 404 Not Found`.
    /// - [`Kind::Network`] by reason of [`TooLarge`].
    /// - [`Kind::LocalIo`] if the sink or a file fails.
    /// - [`Kind::Input`] for settings and URLs that cannot be used.
    pub fn get_into(&self, url: &Url, limit: u64, sink: &mut dyn Sink) -> Result<Fetched<()>> {
        self.get_within(url, limit, sink, TryTime::Unlimited)
    }

    /// Puts off another request for `url` that the caller decided on, told like a retry; `cause`
    /// is how the last one, number `attempt`, ended.
    pub fn pause(&self, url: &Url, attempt: u32, wait: Duration, cause: &Error) {
        self.0.observer.event(&Event::Retry {
            url: &url.redacted(),
            attempt,
            wait,
            cause,
        });
        self.0.timer.sleep(wait);
    }

    fn get_within(
        &self,
        url: &Url,
        limit: u64,
        sink: &mut dyn Sink,
        time: TryTime,
    ) -> Result<Fetched<()>> {
        if url.scheme() == Scheme::File {
            let bytes = read_file(url, limit, sink)?;
            let url = &url.redacted();
            self.0.observer.event(&Event::Body { url, bytes });
            return Ok(Fetched {
                value: (),
                bytes,
                retries: 0,
            });
        }
        self.transfer(url, limit, sink, time)
    }

    fn transfer(
        &self,
        url: &Url,
        limit: u64,
        sink: &mut dyn Sink,
        time: TryTime,
    ) -> Result<Fetched<()>> {
        let inner = &*self.0;
        let shown = url.redacted();
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            // Given back before a pause, and of the host that was asked for: where it redirects
            // to is its own affair.
            let turn = inner.hosts.turn(url.host());
            inner.observer.event(&Event::Start {
                url: &shown,
                attempt,
            });
            let failed = match self.one_try(url, limit, sink, time, attempt) {
                Ok(bytes) => {
                    let elapsed = started.elapsed();
                    inner.observer.event(&Event::Done {
                        url: &shown,
                        bytes,
                        elapsed,
                    });
                    return Ok(Fetched {
                        value: (),
                        bytes,
                        retries: attempt - 1,
                    });
                }
                Err(failed) => failed,
            };
            drop(turn);
            let cause = &failed.error;
            let jitter = inner.timer.jitter();
            let Some(wait) = inner
                .settings
                .retry
                .schedule(attempt, failed.failure(), jitter)
            else {
                let elapsed = started.elapsed();
                inner.observer.event(&Event::Failed {
                    url: &shown,
                    attempt,
                    cause,
                    elapsed,
                });
                return Err(if cause.is_transient() && attempt > 1 {
                    tried(&failed.error, attempt)
                } else {
                    failed.error
                });
            };
            inner.observer.event(&Event::Retry {
                url: &shown,
                attempt,
                wait,
                cause,
            });
            inner.timer.sleep(wait);
            sink.restart().map_err(|cause| unwritable(&shown, cause))?;
            attempt += 1;
        }
    }

    fn network(&self) -> &Network {
        self.0.network.get_or_init(|| {
            let proxies = Arc::new(Proxies::new(&self.0.settings.proxy));
            Network {
                agent: agent::build(&self.0.settings, &proxies),
                proxies,
            }
        })
    }

    /// One try: redirects, status, body. Returns the size of the body as it was sent.
    fn one_try(
        &self,
        url: &Url,
        limit: u64,
        sink: &mut dyn Sink,
        time: TryTime,
        attempt: u32,
    ) -> Result<u64, Failed> {
        let shown = &url.redacted();
        let started = Instant::now();
        let until = match time {
            TryTime::Limited => started.checked_add(self.0.settings.whole_try()),
            TryTime::Unlimited => None,
        };
        let proxies = &self.network().proxies;
        let mut now = url.clone();
        let mut redirects = 0;
        // Where a redirect has led away, nobody is told who we are any more, even on the way back.
        let mut at_home = true;
        let mut asked = false;
        loop {
            let hop = proxies
                .for_target(now.scheme(), now.hostname(), now.port())
                .map_err(|error| error.context(format!("reading {shown}")))?;
            let circumstances = Circumstances {
                url: shown,
                now: &now,
                through: hop.map(|hop| hop.shown.as_str()),
                settings: &self.0.settings,
            };
            let credentials = &self.0.credentials;
            let held = match at_home {
                true => credentials
                    .find(&now, hop.is_some())
                    .map_err(|error| error.context(format!("reading {shown}")))?,
                false => None,
            };
            let sent = held.as_deref();
            let response = self.send(&now, sent, until, &circumstances)?;
            // What was sent may come back: in a text that explains what was wrong with it, in
            // the URL of a login page. There it can have any form (encoded, quoted, cut in two,
            // hashed), so none of it is shown, rather than all but the forms thought of.
            let told = now.tells_secrets()
                || sent.is_some()
                || hop.is_some_and(|hop| hop.authorization.is_some());
            let status = response.status();
            self.0.observer.event(&Event::Response {
                url: &now.redacted(),
                status: &status_text(status),
                elapsed: started.elapsed(),
                attempt,
            });
            if let Some(held) = sent {
                Credentials::judge(held, status);
            }
            if let Some(location) = location(&response) {
                let target = redirect(&now, sent, &location, redirects, shown, told)?;
                redirects += 1;
                at_home &= target.has_origin_of(&now);
                // Reading the small body to its end frees the connection for the next request.
                let mut body = self.briefly(response.into_body());
                let _ = io::copy(&mut body, &mut io::sink());
                now = target;
                continue;
            }
            if status != StatusCode::OK {
                let (parts, body) = response.into_parts();
                if at_home && !asked && credentials.may_go_to(&now, hop.is_some()) {
                    asked = true;
                    let refusal = (parts.version, status, &parts.headers);
                    if credentials.again(&now, sent, refusal).is_some() {
                        let _ = io::copy(&mut self.briefly(body), &mut io::sink());
                        continue;
                    }
                }
                let retry_after = parts
                    .headers
                    .get(header::RETRY_AFTER)
                    .and_then(|value| parse_retry_after(value.to_str().ok()?, self.0.timer.now()));
                let detail = if told { Detail::Hidden } else { Detail::Shown };
                let body = self.briefly(body);
                let mut error = status_error(shown, status, &parts.headers, body, detail);
                if matches!(status.as_u16(), 401 | 403) {
                    let refused = Refused {
                        url: &now,
                        sent,
                        redirected: !at_home,
                        proxied: hop.is_some(),
                    };
                    error = credentials.explain(error, &refused);
                }
                return Err(Failed { error, retry_after });
            }
            return self.copy_body(response, shown, limit, sink, &circumstances);
        }
    }

    /// Sends the request: with credentials only if they belong there, and over TLS or loopback.
    fn send(
        &self,
        url: &Url,
        held: Option<&Held>,
        until: Option<Instant>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Response<Body>, Failed> {
        let mut authorization = None;
        if let Some(user) = url.user() {
            let proxied = circumstances.through.is_some();
            if !url.is_loopback() && !self.0.credentials.may_go_to(url, proxied) {
                return Err(Error::new(
                    Kind::Auth,
                    format!("refusing to pass credentials to insecure URL: {url}"),
                )
                .hint("use https, or name the host with --allow-insecure-auth")
                .into());
            }
            let password = user.password.as_deref().unwrap_or_default();
            let pair = BASE64_STANDARD.encode([user.name.as_slice(), b":", password].concat());
            authorization = Some(format!("Basic {pair}"));
        }
        // Each stale connection is gone with its failure, so there are no more than idle ones.
        let mut stale = 0..=self.0.settings.connections;
        loop {
            let mut request = self.network().agent.get(url.wire());
            if let Some(value) = &authorization {
                request = request.header(header::AUTHORIZATION, value);
            }
            for (name, value) in held.into_iter().flat_map(Held::headers) {
                request = request.header(name, value);
            }
            if let Some(until) = until {
                let left = until.saturating_duration_since(Instant::now());
                request = request.config().timeout_global(Some(left)).build();
            }
            match request.call() {
                Err(error) if Stale::caused(&error) && stale.next().is_some() => {}
                outcome => return Ok(outcome.map_err(|error| circumstances.explain(error))?),
            }
        }
    }

    /// A body that is of no interest, or of little: so much of it as one answer commonly has,
    /// and not for long, however its bytes trickle.
    fn briefly(&self, body: Body) -> impl Read {
        let until = Instant::now().checked_add(self.0.settings.stall_timeout);
        Brief {
            inner: body.into_reader(),
            until,
        }
        .take(MAX_DRAIN_BYTES)
    }

    fn copy_body(
        &self,
        response: Response<Body>,
        shown: &RedactedUrl,
        limit: u64,
        sink: &mut dyn Sink,
        circumstances: &Circumstances<'_>,
    ) -> Result<u64, Failed> {
        let too_large =
            || Error::new(Kind::Network, format!("reading {shown}")).because(TooLarge { limit });
        let encoding = Encoding::of(response.headers())
            .map_err(|name| circumstances.unsupported_encoding(name))?;
        if encoding == Encoding::Identity
            && response
                .body()
                .content_length()
                .is_some_and(|length| length > limit)
        {
            return Err(too_large().into());
        }
        let mut body = Decoded::new(response.into_body().into_reader(), encoding, limit);
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut total, mut told) = (0, 0);
        loop {
            let count = match body.read(&mut chunk) {
                Ok(0) => return Ok(body.received()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failed::from(match body.trouble() {
                        Trouble::Transfer => circumstances.explain_io(&error),
                        Trouble::Decoding => circumstances.undecodable(&error),
                        Trouble::TooLong => too_large(),
                    }));
                }
            };
            total += count as u64;
            if total > limit {
                return Err(too_large().into());
            }
            let part = chunk.get(..count).unwrap_or_default();
            sink.write_all(part)
                .map_err(|cause| unwritable(shown, cause))?;
            let bytes = body.received().saturating_sub(told);
            told += bytes;
            self.0.observer.event(&Event::Body { url: shown, bytes });
        }
    }
}

/// Whether a try as a whole has a time-out.
#[derive(Clone, Copy)]
enum TryTime {
    Limited,
    Unlimited,
}

/// Ends, as if there were no more, when its time is up.
struct Brief<R> {
    inner: R,
    until: Option<Instant>,
}

impl<R: Read> Read for Brief<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Ok(0);
        }
        self.inner.read(out)
    }
}

/// A failed try.
struct Failed {
    error: Error,
    retry_after: Option<Duration>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed {
            error,
            retry_after: None,
        }
    }
}

impl Failed {
    fn failure(&self) -> Failure {
        match (self.error.is_transient(), self.retry_after) {
            (false, _) => Failure::Final,
            (true, None) => Failure::Transient,
            (true, Some(wait)) => Failure::After(wait),
        }
    }
}

fn unwritable(shown: &RedactedUrl, cause: io::Error) -> Error {
    Error::new(Kind::LocalIo, format!("cannot write what {shown} sent")).because(cause)
}

/// The target of a response that is a redirect. As in Go, one without `Location` is none.
fn location(response: &Response<Body>) -> Option<String> {
    let followed = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let value = response
        .headers()
        .get(header::LOCATION)
        .filter(|_| followed)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// `told` is true if who redirects knows what must not be printed.
fn redirect(
    now: &Url,
    sent: Option<&Held>,
    location: &str,
    followed: usize,
    shown: &RedactedUrl,
    told: bool,
) -> Result<Url> {
    if followed >= MAX_REDIRECTS {
        let reason = format!("stopped after {MAX_REDIRECTS} redirects");
        return Err(reading(shown, Kind::Network, reason));
    }
    let mut target = now.redirect(location).map_err(|reason| {
        // The header is not repeated: it may hold a signature.
        let reason = if told {
            "redirected to a malformed URL".to_owned()
        } else {
            format!("redirected to a malformed URL: {reason}")
        };
        reading(shown, Kind::Network, reason)
    })?;
    if told {
        let host = target.host();
        if now.user().is_some_and(|user| user.is_in_host(host))
            || sent.is_some_and(|sent| sent.is_in_host(host))
        {
            // Its look-up would tell the password to name servers.
            let reason = "redirected to a host whose name repeats the credentials";
            return Err(reading(shown, Kind::Auth, reason));
        }
        target = target.with_hidden_path();
    }
    if now.scheme() == Scheme::Https && target.scheme() != Scheme::Https {
        let reason = format!("redirected from secure URL {now} to insecure URL {target}");
        return Err(reading(shown, Kind::Network, reason));
    }
    Ok(target)
}

fn read_file(url: &Url, limit: u64, sink: &mut dyn Sink) -> Result<u64> {
    let mut file = file::open(url)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(file::unreadable(url, Kind::LocalIo, error)),
        };
        total += count as u64;
        if total > limit {
            let error = Error::new(Kind::LocalIo, format!("reading {url}"));
            return Err(error.because(TooLarge { limit }));
        }
        let part = chunk.get(..count).unwrap_or_default();
        sink.write_all(part)
            .map_err(|cause| unwritable(&url.redacted(), cause))?;
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
