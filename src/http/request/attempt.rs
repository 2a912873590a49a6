//! One try: the request and its redirects, what the status means, the body.

use std::io;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::Body;
use ureq::http::{HeaderName, Response, StatusCode, header};

use super::client::Client;
use crate::error::{Error, Kind, Result};
use crate::http::answer::{
    BodyExtent, BodySink, Detail, KnownQuestion, PartialBody, RangeAnswer, ReasonPhrase, Resumable,
    Watch, briefly, copy_body, status_error, status_text,
};
use crate::http::connect::{Stale, connection};
use crate::http::credentials::{Credentials, Held, Refused};
use crate::http::exchange::ExchangeRecorder;
use crate::http::failure::{FailureContext, reading};
use crate::http::limits::AttemptOutcome;
use crate::http::time::{RetryClass, parse_retry_after};
use crate::http::url::{RedactedUrl, Scheme, Url};

/// As many redirects are followed, as Go does.
const MAX_REDIRECTS: usize = 10;

/// Whether a try as a whole has a time-out.
#[derive(Clone, Copy)]
pub(super) enum TryTime {
    Limited,
    Unlimited,
}

/// What is wanted of a body.
#[derive(Clone, Copy)]
pub(super) struct Demand<'d> {
    /// The most bytes.
    pub(super) limit: u64,
    pub(super) time: TryTime,
    /// Where the body may be known already.
    pub(super) question: Option<&'d KnownQuestion<'d>>,
}

/// What a good try brought, in bytes.
pub(super) struct Brought {
    pub(super) bytes: u64,
    /// What needed not come again.
    pub(super) resumed: u64,
}

/// A failed try.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The status was 429 or 503.
    busy: bool,
    retry_after: Option<Duration>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed {
            error,
            busy: false,
            retry_after: None,
        }
    }
}

impl Failed {
    /// What it says about the host.
    pub(super) fn told(&self) -> AttemptOutcome {
        match self.error.kind() {
            _ if self.busy => AttemptOutcome::TooMuch(self.retry_after),
            _ if self.error.is_transient() => AttemptOutcome::Trouble,
            Kind::NotFound | Kind::Auth => AttemptOutcome::Answer,
            _ => AttemptOutcome::Nothing,
        }
    }

    /// What the schedule of tries has to know.
    pub(super) fn failure(&self) -> RetryClass {
        match (self.error.is_transient(), self.retry_after) {
            (false, _) => RetryClass::Final,
            (true, None) => RetryClass::Transient,
            (true, Some(wait)) => RetryClass::After(wait),
        }
    }
}

impl Client {
    /// One try: redirects, status, body. Asks for the rest of what is `kept`, and, if the answer
    /// to that is of no use, for the whole.
    pub(super) fn one_try(
        &self,
        url: &Url,
        demand: Demand<'_>,
        sink: &mut dyn BodySink,
        mut kept: Option<PartialBody>,
        attempt: u32,
    ) -> Result<Brought, Failed> {
        let shown = &url.redacted();
        let started = Instant::now();
        let for_this = match demand.time {
            // Bytes that have to wait for their turn do not make the host slow.
            TryTime::Limited if self.inner.rate.is_none() => {
                started.checked_add(self.inner.settings.whole_try())
            }
            TryTime::Limited | TryTime::Unlimited => None,
        };
        let for_all = self.deadline().map(|deadline| deadline.at());
        let until = for_this.into_iter().chain(for_all).min();
        let stall_timeout = self.inner.settings.stall_timeout;
        let proxies = &self.network().proxies;
        let mut now = url.clone();
        let mut redirects = 0;
        // After a redirect to another host no request has credentials, even on the way back.
        let mut at_home = true;
        let mut asked = false;
        loop {
            let hop = proxies
                .for_target(now.scheme(), now.hostname(), now.port())
                .map_err(|error| error.context(format!("reading {shown}")))?;
            let through = hop.map(|hop| hop.shown.as_str());
            let circumstances = FailureContext {
                url: shown,
                now: &now,
                through,
                settings: &self.inner.settings,
                deadline: self.deadline(),
            };
            let credentials = &self.inner.credentials;
            let held = match at_home {
                true => credentials
                    .find(&now, hop.is_some())
                    .map_err(|error| error.context(format!("reading {shown}")))?,
                false => None,
            };
            let sent = held.as_deref();
            let asks = match (&kept, demand.question) {
                (Some(kept), _) => kept.headers(),
                (None, Some(question)) => question.headers(&now),
                (None, None) => Vec::new(),
            };
            let mut exchange =
                ExchangeRecorder::begin(&*self.context.events, now.redacted(), attempt, through);
            let response = self.send(&now, sent, &asks, until, &circumstances);
            let mut response = response.inspect_err(|failed| exchange.failed(&failed.error))?;
            // What was sent may come back: in a text that explains what was wrong with it, in
            // the URL of a login page. There it can have any form (encoded, quoted, cut in two,
            // hashed), so none of it is shown, rather than all but the forms thought of.
            let told = now.tells_secrets()
                || sent.is_some()
                || hop.is_some_and(|hop| hop.authorization.is_some());
            if told {
                ReasonPhrase::hide(&mut response);
            }
            let status = response.status();
            exchange.answered(status_text(status, response.extensions()));
            if let Some(held) = sent {
                Credentials::judge(held, status);
            }
            if let Some(location) = location(&response) {
                let target = redirect(&now, sent, &location, redirects, shown, told)?;
                redirects += 1;
                at_home &= target.has_origin_of(&now);
                // Reading the small body to its end frees the connection for the next request.
                let mut body = briefly(response.into_body(), stall_timeout);
                let _ = io::copy(&mut body, &mut io::sink());
                now = target;
                continue;
            }
            if status == StatusCode::NOT_MODIFIED
                && demand.question.is_some_and(|known| known.confirm(&now))
            {
                self.inner.hosts.answered(url.host());
                let _ = io::copy(
                    &mut briefly(response.into_body(), stall_timeout),
                    &mut io::sink(),
                );
                return Ok(Brought {
                    bytes: 0,
                    resumed: 0,
                });
            }
            let length = response.body().content_length();
            let judged = kept
                .as_ref()
                .map(|kept| kept.judge(status, response.headers(), length));
            if judged == Some(RangeAnswer::Unusable) {
                let mut body = briefly(response.into_body(), stall_timeout);
                let _ = io::copy(&mut body, &mut io::sink());
                // From where it began: what a redirect took away counts again.
                (now, redirects, kept, at_home) = (url.clone(), 0, None, true);
                continue;
            }
            let extent = match kept.take_if(|_| judged == Some(RangeAnswer::Rest)) {
                Some(kept) => Some(BodyExtent::Rest(kept)),
                None if status == StatusCode::OK => {
                    let date = self.inner.timer.now();
                    if let Some(question) = demand.question {
                        question.stated(&now, response.headers(), date);
                    }
                    let of = Resumable::of(shown, response.headers(), length, date);
                    Some(BodyExtent::Whole(of))
                }
                None => None,
            };
            let Some(extent) = extent else {
                let (parts, body) = response.into_parts();
                if at_home && !asked && credentials.may_go_to(&now, hop.is_some()) {
                    asked = true;
                    if credentials.again(&now, sent, &parts).is_some() {
                        let _ = io::copy(&mut briefly(body, stall_timeout), &mut io::sink());
                        continue;
                    }
                }
                let retry_after = parts.headers.get(header::RETRY_AFTER).and_then(|value| {
                    parse_retry_after(value.to_str().ok()?, self.inner.timer.now())
                });
                let detail = if told { Detail::Hidden } else { Detail::Shown };
                let body = briefly(body, stall_timeout);
                let mut error = status_error(shown, &parts, body, detail);
                if matches!(status.as_u16(), 401 | 403) {
                    let refused = Refused {
                        url: &now,
                        sent,
                        redirected: !at_home,
                        proxied: hop.is_some(),
                    };
                    error = credentials.explain(error, &refused);
                }
                let busy = matches!(status.as_u16(), 429 | 503);
                return Err(Failed {
                    error,
                    busy,
                    retry_after,
                });
            };
            self.inner.hosts.answered(url.host());
            let watch = Watch {
                events: &exchange,
                timer: &*self.inner.timer,
                rate: self.inner.rate.as_ref(),
                cancel: &self.context.cancel,
            };
            let copied = copy_body(
                response,
                &extent,
                demand.limit,
                sink,
                &circumstances,
                &watch,
            );
            let bytes = copied.inspect_err(|error| exchange.failed(error))?;
            let resumed = match extent {
                BodyExtent::Whole(_) => 0,
                BodyExtent::Rest(kept) => kept.bytes,
            };
            return Ok(Brought { bytes, resumed });
        }
    }

    /// Sends the request, with these headers beside the usual ones: with credentials only if they
    /// belong there, and over TLS or loopback.
    pub(super) fn send(
        &self,
        url: &Url,
        held: Option<&Held>,
        asks: &[(HeaderName, String)],
        until: Option<Instant>,
        circumstances: &FailureContext<'_>,
    ) -> Result<Response<Body>, Failed> {
        let mut authorization = None;
        if let Some(user) = url.user() {
            let proxied = circumstances.through.is_some();
            if !url.is_loopback() && !self.inner.credentials.may_go_to(url, proxied) {
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
        let mut stale = 0..=self.inner.settings.connections;
        loop {
            let mut request = self.network().agent.get(url.wire());
            if let Some(value) = &authorization {
                request = request.header(header::AUTHORIZATION, value);
            }
            for (name, value) in held.into_iter().flat_map(Held::headers) {
                request = request.header(name, value);
            }
            for (name, value) in asks {
                request = request.header(name, value);
            }
            for (name, value) in &self.context.headers {
                request = request.header(name, value);
            }
            if let Some(until) = until {
                let left = until.saturating_duration_since(Instant::now());
                request = request.config().timeout_global(Some(left)).build();
            }
            let under_way = connection::use_for(&self.context.cancel);
            let called = request.call();
            drop(under_way);
            match called {
                Err(error) if Stale::caused(&error) && stale.next().is_some() => {}
                outcome => {
                    let response = outcome.map_err(|error| circumstances.explain(error))?;
                    return Ok(ReasonPhrase::add_to(response));
                }
            }
        }
    }
}

/// The target of a response that is a redirect. As in Go, one without `Location` is none.
pub(super) fn location(response: &Response<Body>) -> Option<String> {
    let followed = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let value = response
        .headers()
        .get(header::LOCATION)
        .filter(|_| followed)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// `told` is true if the redirecting server got credentials: it may repeat them in the URL.
pub(super) fn redirect(
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
