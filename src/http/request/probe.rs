//! Looking at a server without wanting what it has: one request, tried once, for `doctor`.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ureq::Body;
use ureq::http::{Response, header};

use super::attempt::{location, redirect};
use super::client::Client;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink, Timings};
use crate::http::answer::{ReasonPhrase, status_text};
use crate::http::exchange::ExchangeRecorder;
use crate::http::failure::FailureContext;
use crate::http::time::parse_http_date;
use crate::http::url::{RedactedUrl, Scheme, Url};

/// What became of it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The way to the server that was named, even if that only redirected.
    pub steps: Timings,
    /// From the beginning to the header of its answer.
    pub first_byte: Option<Duration>,
    /// The answer in the end.
    pub answer: Result<ProbeAnswer>,
}

/// An answer of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// Where it came from: another URL than was asked for, if that redirected.
    pub url: RedactedUrl,
    /// As in `404 Not Found`.
    pub code: u16,
    /// As `404 Not Found`.
    pub status: String,
    /// By how many seconds the server's clock is ahead of ours, if it said what time it has.
    pub ahead: Option<i64>,
    /// The entity tag, if it is a strong one.
    pub strong_tag: bool,
    /// It said when the content was last changed.
    pub last_modified: bool,
    /// The beginning of the body. Not to be printed: it may repeat what was sent.
    pub body: Vec<u8>,
}

/// Credentials, without what is secret of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeCredentials {
    /// Their kind, or the place where they were found.
    pub source: String,
    /// They may be sent: not over plain http to just any host.
    pub allowed: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeBody {
    /// So many bytes of the body, at most.
    Body(u64),
    /// Everything from the second byte on, of which nothing is read: what a resumed transfer asks.
    Rest,
}

impl Client {
    /// Looks at a URL once, without another try whatever happens. For http and https.
    #[must_use]
    pub fn probe(&self, url: &Url, wanted: ProbeBody) -> Probe {
        let first = Noted::default();
        let answer = self.look(url, wanted, &first);
        let (steps, first_byte) = first
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or_default();
        Probe {
            steps,
            first_byte,
            answer,
        }
    }

    /// The HTTP proxy for a URL, printable; `None` if it is asked directly.
    ///
    /// # Errors
    /// [`Kind::Input`]: the proxy's own URL cannot be used.
    pub fn route(&self, url: &Url) -> Result<Option<&str>> {
        let proxies = &self.network().proxies;
        let hop = proxies.for_target(url.scheme(), url.hostname(), url.port())?;
        Ok(hop.map(|hop| hop.shown.as_str()))
    }

    /// Which credentials belong to a URL; never what they are.
    ///
    /// # Errors
    /// [`Kind::Input`]: settings that make no sense.
    pub fn credentials(&self, url: &Url) -> Result<Option<ProbeCredentials>> {
        let proxied = self.route(url)?.is_some();
        let credentials = &self.inner.credentials;
        if let Some(user) = url.user() {
            let what = match user.password {
                Some(_) => "user and password in the URL",
                None => "a user name or token in the URL",
            };
            return Ok(Some(ProbeCredentials {
                source: what.to_owned(),
                allowed: url.is_loopback() || credentials.may_go_to(url, proxied),
            }));
        }
        let held = credentials.find(url, proxied)?;
        Ok(held.map(|held| ProbeCredentials {
            source: held.source.clone(),
            allowed: true,
        }))
    }

    fn look(&self, url: &Url, wanted: ProbeBody, first: &Noted) -> Result<ProbeAnswer> {
        if url.scheme() == Scheme::File {
            return Err(Error::new(Kind::Other, format!("{url} is no server")));
        }
        let settings = &self.inner.settings;
        let shown = &url.redacted();
        let until = Instant::now().checked_add(settings.whole_try());
        let mut now = url.clone();
        let mut redirects = 0;
        let mut at_home = true;
        let asks: &[_] = match wanted {
            ProbeBody::Rest => &[(header::RANGE, "bytes=1-".to_owned())],
            ProbeBody::Body(_) => &[],
        };
        loop {
            let proxies = &self.network().proxies;
            let hop = proxies.for_target(now.scheme(), now.hostname(), now.port())?;
            let through = hop.map(|hop| hop.shown.as_str());
            let circumstances = FailureContext {
                url: shown,
                now: &now,
                through,
                settings,
                deadline: self.deadline(),
            };
            let held = match at_home {
                true => self.inner.credentials.find(&now, hop.is_some())?,
                false => None,
            };
            let sent = held.as_deref();
            let mut exchange = ExchangeRecorder::begin(first, now.redacted(), 1, through);
            let mut response = self
                .send(&now, sent, asks, until, &circumstances)
                .map_err(|failed| failed.error)?;
            let told = now.tells_secrets()
                || sent.is_some()
                || hop.is_some_and(|hop| hop.authorization.is_some());
            if told {
                ReasonPhrase::hide(&mut response);
            }
            exchange.answered(status_text(response.status(), response.extensions()));
            let Some(location) = location(&response) else {
                return Ok(answer(response, now.redacted(), wanted));
            };
            let target = redirect(&now, sent, &location, redirects, shown, told)?;
            at_home &= target.has_origin_of(&now);
            redirects += 1;
            now = target;
        }
    }
}

fn answer(response: Response<Body>, url: RedactedUrl, wanted: ProbeBody) -> ProbeAnswer {
    let text = |name| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let strong_tag = text(header::ETAG).is_some_and(|tag| !tag.starts_with("W/"));
    let last_modified = text(header::LAST_MODIFIED).is_some();
    let date = text(header::DATE);
    let age = text(header::AGE).and_then(|age| age.trim().parse::<i64>().ok());
    let ahead = date.and_then(|date| ahead(&date, age.unwrap_or(0), SystemTime::now()));
    let code = response.status().as_u16();
    let status = status_text(response.status(), response.extensions());
    let mut body = Vec::new();
    if let ProbeBody::Body(limit) = wanted {
        // What came before a failure is what there is to see.
        let reader = response.into_body().into_reader();
        let _ = reader.take(limit).read_to_end(&mut body);
    }
    ProbeAnswer {
        url,
        code,
        status,
        ahead,
        strong_tag,
        last_modified,
        body,
    }
}

/// How far a server's clock is ahead. A copy that was kept somewhere has the date at which it was
/// made, and `Age` says how long ago that is (RFC 9111, 5.1).
fn ahead(date: &str, age: i64, now: SystemTime) -> Option<i64> {
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = i64::try_from(now).ok()?;
    let there = parse_http_date(date, now)?.checked_add(age.max(0))?;
    there.checked_sub(now)
}

/// Keeps the first exchange.
#[derive(Default)]
struct Noted(Mutex<Option<(Timings, Option<Duration>)>>);

impl EventSink for Noted {
    fn event(&self, event: &Event<'_>) {
        if let Event::ExchangeFinished(over) = event {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get_or_insert_with(|| (over.timings.clone(), over.first_byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NoEvents;
    use crate::http::{Server, Settings, Then, reply};
    use std::sync::Arc;

    #[test]
    fn the_clock_of_a_server_is_its_date_and_the_age_of_the_copy() {
        // The date of RFC 9110's example is 784111777.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(ahead(date, 0, at(784_111_777)), Some(0));
        assert_eq!(ahead(date, 0, at(784_111_700)), Some(77));
        assert_eq!(ahead(date, 100, at(784_111_877)), Some(0));
        assert_eq!(ahead(date, -5, at(784_111_778)), Some(-1));
        assert_eq!(ahead("yesterday", 0, at(1)), None);
        assert_eq!(ahead(date, i64::MAX, at(1)), None);
    }

    #[test]
    fn any_status_is_an_answer_and_nothing_is_tried_again() {
        let server = Server::start(|target, _, wire| {
            let headers = "ETag: W/\"a\"\r\nLast-Modified: x\r\n";
            match target {
                "/moved" => reply(wire, "302 Found", "Location: /busy\r\n", ""),
                "/tagged" => reply(wire, "206 Partial Content", "ETag: \"a\"\r\n", "rest"),
                _ => reply(wire, "503 Busy", headers, "later"),
            };
            Then::Keep
        });
        let client = Client::new(Settings::default(), Arc::new(NoEvents));
        let probe =
            |path: &str, wanted| client.probe(&Url::parse(&server.url(path)).unwrap(), wanted);
        let moved = probe("/moved", ProbeBody::Body(3));
        assert!(moved.first_byte.is_some() && moved.steps.connect.is_some());
        let answer = moved.answer.unwrap();
        assert_eq!((answer.code, answer.body.as_slice()), (503, &b"lat"[..]));
        assert_eq!(answer.url.to_string(), server.url("/busy"));
        assert!(!answer.strong_tag && answer.last_modified && answer.ahead.is_none());
        let tagged = probe("/tagged", ProbeBody::Rest).answer.unwrap();
        assert!(tagged.strong_tag && tagged.code == 206 && tagged.body.is_empty());
        let heads = server.heads();
        assert_eq!(heads.len(), 3);
        assert!(
            heads[2].to_lowercase().contains("\r\nrange: bytes=1-\r\n"),
            "{}",
            heads[2]
        );
        assert!(!heads[0].to_lowercase().contains("range"));
    }

    #[test]
    fn what_was_reached_is_told_although_it_failed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let client = Client::new(Settings::default(), Arc::new(NoEvents));
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        let probe = client.probe(&url, ProbeBody::Body(1));
        assert!(probe.answer.is_err() && probe.steps.lookup.is_some());
        assert!(probe.steps.connect.is_none() && probe.first_byte.is_none());
        assert_eq!(client.route(&url).unwrap(), None);
    }
}
