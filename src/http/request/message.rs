//! A request whose answer counts whatever its status: a page that may say something, or a message
//! of a protocol over HTTP.
//!
//! Redirects, credentials, proxies, tries and the limits of a host are those of every other
//! request. A request with a body, or with an `Authorization` of its own, is not redirected: both are
//! meant for one server.

use std::io::Read;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::Body;
use ureq::http::{HeaderMap, Request, Response, header};

use super::attempt::{location, redirect};
use super::client::Client;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::http::answer::{Detail, ReasonPhrase, briefly, status_error, status_text};
use crate::http::connect::{Stale, connection};
use crate::http::credentials::{Credentials, Held, Refused};
use crate::http::exchange::ExchangeRecorder;
use crate::http::failure::{FailureContext, not_asked, tried};
use crate::http::limits::{AttemptOutcome, HostRefusal};
use crate::http::time::RetryClass;
use crate::http::url::{RedactedUrl, Url};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainRequest<'a> {
    /// As `GET`.
    pub(crate) method: &'static str,
    /// Whom.
    pub(crate) url: &'a Url,
    /// Headers beside the usual ones.
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// What is sent.
    pub(crate) body: Option<&'a [u8]>,
}

impl PlainRequest<'_> {
    /// A body, or who we are, is meant for one server.
    fn may_be_redirected(&self) -> bool {
        let shows = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("authorization");
        self.body.is_none() && !self.headers.iter().any(shows)
    }
}

/// An answer of any status, with its body still to be read.
pub(crate) struct Reply {
    /// Where it came from: another URL than was asked, if that redirected.
    pub(crate) url: Url,
    /// As `404`.
    pub(crate) code: u16,
    /// What the status would be as an error; `None` for 200.
    pub(crate) error: Option<Error>,
    /// The `Content-Type`; empty if there is none.
    pub(crate) content_type: String,
    /// All headers.
    pub(crate) headers: HeaderMap,
    /// Each read waits no longer than for the stall time-out.
    pub(crate) body: Box<dyn Read + Send>,
}

impl Client {
    /// Asks, and again while what fails may pass. An answer of a status that another request may
    /// not get counts when the tries are over.
    ///
    /// # Errors
    /// There was no answer.
    pub(crate) fn ask(&self, message: &PlainRequest<'_>) -> Result<Reply> {
        let inner = &*self.inner;
        let cancel = &self.context.cancel;
        let shown = message.url.redacted();
        let mut begun = None;
        let mut attempt = 1;
        let mut visit = inner.hosts.visit(message.url.host(), &*inner.timer);
        loop {
            let deadline = self.deadline();
            if let Err(refusal) = visit.enter(deadline.map(|deadline| deadline.at()), cancel) {
                let cause = match &refusal {
                    HostRefusal::BreakerOpen(cause) => cause,
                    HostRefusal::Cancelled => "it is not wanted any more",
                    HostRefusal::TooLate => "its turn comes too late",
                };
                return Err(not_asked(&shown, message.url.host(), cause));
            }
            let started = *begun.get_or_insert_with(|| inner.timer.instant());
            self.say(&Event::RequestStarted {
                url: shown.as_str(),
                attempt,
            });
            let asked = self.ask_once(message, &shown, attempt);
            let (cause, reply) = match asked {
                Ok(reply) => match reply.error.clone().filter(Error::is_transient) {
                    None => {
                        visit.leave(AttemptOutcome::Answer);
                        let elapsed = inner.timer.instant().saturating_duration_since(started);
                        self.say(&Event::RequestFinished {
                            url: shown.as_str(),
                            bytes: 0,
                            resumed: 0,
                            elapsed,
                        });
                        return Ok(reply);
                    }
                    Some(cause) => (cause, Some(reply)),
                },
                Err(cause) => (cause, None),
            };
            visit.leave(match (cause.is_transient(), &reply) {
                (true, Some(reply)) if matches!(reply.code, 429 | 503) => {
                    AttemptOutcome::TooMuch(None)
                }
                (true, _) => AttemptOutcome::Trouble,
                (false, _) => AttemptOutcome::Nothing,
            });
            let retry = &inner.settings.retry;
            let elapsed = inner.timer.instant().saturating_duration_since(started);
            let failure = match cause.is_transient() {
                true => RetryClass::Transient,
                false => RetryClass::Final,
            };
            let counted = visit.counted(attempt, retry.retries);
            let wait = retry.schedule(counted, elapsed, failure, inner.timer.jitter());
            let wait = wait.map(|wait| wait.max(visit.held())).filter(|wait| {
                deadline.is_none_or(|deadline| *wait < deadline.left())
                    && retry.is_in_time(elapsed, *wait)
            });
            let Some(wait) = wait else {
                self.say(&Event::RequestFailed {
                    url: shown.as_str(),
                    attempt,
                    cause: &cause,
                    elapsed,
                });
                return match reply {
                    Some(reply) => Ok(reply),
                    None if cause.is_transient() => Err(tried(&cause, attempt, message.url.host())),
                    None => Err(cause),
                };
            };
            self.say(&Event::RequestRetried {
                url: shown.as_str(),
                attempt,
                wait,
                cause: &cause,
            });
            inner.timer.wait(wait, cancel);
            attempt += 1;
        }
    }

    fn ask_once(
        &self,
        message: &PlainRequest<'_>,
        shown: &RedactedUrl,
        attempt: u32,
    ) -> Result<Reply> {
        let settings = &self.inner.settings;
        let credentials = &self.inner.credentials;
        let proxies = &self.network().proxies;
        let mut now = message.url.clone();
        let (mut redirects, mut at_home, mut asked) = (0, true, false);
        loop {
            let hop = proxies
                .for_target(now.scheme(), now.hostname(), now.port())
                .map_err(|error| error.context(format!("reading {shown}")))?;
            let through = hop.map(|hop| hop.shown.as_str());
            let circumstances = FailureContext {
                url: shown,
                now: &now,
                through,
                settings,
                deadline: self.deadline(),
            };
            let held = match at_home {
                true => credentials
                    .find(&now, hop.is_some())
                    .map_err(|error| error.context(format!("reading {shown}")))?,
                false => None,
            };
            let sent = held.as_deref();
            let mut exchange =
                ExchangeRecorder::begin(&*self.context.events, now.redacted(), attempt, through);
            let response = self.send_message(message, &now, sent, at_home, &circumstances);
            let mut response = response.inspect_err(|error| exchange.failed(error))?;
            let told = now.tells_secrets()
                || sent.is_some()
                || hop.is_some_and(|hop| hop.authorization.is_some())
                || !message.may_be_redirected();
            if told {
                ReasonPhrase::hide(&mut response);
            }
            let status = response.status();
            exchange.answered(status_text(status, response.extensions()));
            if let Some(held) = sent {
                Credentials::judge(held, status);
            }
            if let Some(location) = location(&response).filter(|_| message.may_be_redirected()) {
                let target = redirect(&now, sent, &location, redirects, shown, told)?;
                redirects += 1;
                at_home &= target.has_origin_of(&now);
                now = target;
                continue;
            }
            let (parts, body) = response.into_parts();
            if at_home
                && !asked
                && status.is_client_error()
                && credentials.may_go_to(&now, hop.is_some())
            {
                asked = true;
                if credentials.again(&now, sent, &parts).is_some() {
                    let _ = std::io::copy(
                        &mut briefly(body, settings.stall_timeout),
                        &mut std::io::sink(),
                    );
                    continue;
                }
            }
            let error = (status.as_u16() != 200).then(|| {
                // The body stays for the caller; without it the text is the status alone.
                let error = status_error(shown, &parts, &b""[..], Detail::Shown);
                match status.as_u16() {
                    401 | 403 => credentials.explain(
                        error,
                        &Refused {
                            url: &now,
                            sent,
                            redirected: !at_home,
                            proxied: hop.is_some(),
                        },
                    ),
                    _ => error,
                }
            });
            let content_type = parts.headers.get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            return Ok(Reply {
                code: status.as_u16(),
                error,
                content_type: content_type.unwrap_or_default().to_owned(),
                headers: parts.headers,
                body: Box::new(body.into_reader()),
                url: now,
            });
        }
    }

    fn send_message(
        &self,
        message: &PlainRequest<'_>,
        url: &Url,
        held: Option<&Held>,
        at_home: bool,
        circumstances: &FailureContext<'_>,
    ) -> Result<Response<Body>> {
        // Each stale connection is gone with its failure, so there are no more than idle ones.
        let mut stale = 0..=self.inner.settings.connections;
        loop {
            match self.send_message_once(message, url, held, at_home, circumstances)? {
                Err(error) if Stale::caused(&error) && stale.next().is_some() => {}
                sent => {
                    let response = sent.map_err(|error| circumstances.explain(error))?;
                    return Ok(ReasonPhrase::add_to(response));
                }
            }
        }
    }

    fn send_message_once(
        &self,
        message: &PlainRequest<'_>,
        url: &Url,
        held: Option<&Held>,
        at_home: bool,
        circumstances: &FailureContext<'_>,
    ) -> Result<Result<Response<Body>, ureq::Error>> {
        let mut request = Request::builder().method(message.method).uri(url.wire());
        if let Some(user) = url.user().filter(|_| at_home) {
            let proxied = circumstances.through.is_some();
            if !url.is_loopback() && !self.inner.credentials.may_go_to(url, proxied) {
                let text = format!("refusing to pass credentials to insecure URL: {url}");
                return Err(Error::new(Kind::Auth, text)
                    .hint("use https, or name the host with --allow-insecure-auth"));
            }
            let password = user.password.as_deref().unwrap_or_default();
            let pair = BASE64_STANDARD.encode([user.name.as_slice(), b":", password].concat());
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        for (name, value) in held.into_iter().flat_map(Held::headers) {
            request = request.header(name, value);
        }
        for (name, value) in &self.context.headers {
            request = request.header(name, value);
        }
        for (name, value) in message.headers {
            request = request.header(*name, *value);
        }
        let malformed = |cause| {
            let text = format!("reading {}: malformed request", circumstances.url);
            Error::new(Kind::Input, text).because(cause)
        };
        let agent = &self.network().agent;
        let deadline = self.deadline();
        let under_way = connection::use_for(&self.context.cancel);
        let left = deadline.map(|deadline| deadline.at().saturating_duration_since(Instant::now()));
        let sent = match message.body {
            None => {
                let request = request.body(()).map_err(malformed)?;
                let request = agent
                    .configure_request(request)
                    .timeout_global(left)
                    .build();
                agent.run(request)
            }
            Some(body) => {
                let request = request.body(body).map_err(malformed)?;
                let request = agent
                    .configure_request(request)
                    .timeout_global(left)
                    .build();
                agent.run(request)
            }
        };
        drop(under_way);
        Ok(sent)
    }

    /// The headers that show who we are to the server at `url`, where they may be shown at all.
    ///
    /// # Errors
    /// [`Kind::Input`] for settings that make no sense.
    pub(crate) fn credentials_for(&self, url: &Url) -> Result<Vec<(String, String)>> {
        let proxied = self.route(url)?.is_some();
        let held = self.inner.credentials.find(url, proxied)?;
        let headers = held.iter().flat_map(|held| held.headers());
        Ok(headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::NoEvents;
    use crate::http::{RetryPolicy, Server, Settings, Then, reply};

    fn client(retries: u32) -> Client {
        let retry = RetryPolicy {
            retries,
            base: std::time::Duration::from_millis(1),
            ..RetryPolicy::default()
        };
        let settings = Settings {
            retry,
            ..Settings::default()
        };
        Client::new(settings, Arc::new(NoEvents))
    }

    #[test]
    fn any_status_is_an_answer_and_bodies_are_sent() {
        let server = Server::start(|target, heads, wire| {
            match target {
                "/moved" => reply(wire, "302 Found", "Location: /missing\r\n", ""),
                "/busy" if heads < 2 => reply(wire, "503 Service Unavailable", "", "later"),
                "/busy" => reply(wire, "200 OK", "", "now"),
                _ => reply(wire, "404 Not Found", "Content-Type: text/html\r\n", "page"),
            };
            Then::Close
        });
        let ask = |path: &str, body: Option<&[u8]>| {
            let url = Url::parse(&server.url(path)).unwrap();
            let headers = [("git-protocol", "version=2")];
            let message = PlainRequest {
                method: if body.is_some() { "POST" } else { "GET" },
                url: &url,
                headers: &headers,
                body,
            };
            client(2).ask(&message).unwrap()
        };
        let mut missing = ask("/moved", None);
        let mut text = String::new();
        missing.body.read_to_string(&mut text).unwrap();
        assert_eq!((missing.code, text.as_str()), (404, "page"));
        assert_eq!(missing.content_type, "text/html");
        assert_eq!(missing.url.to_string(), server.url("/missing"));
        assert!(missing.error.unwrap().is_not_found());
        assert!(
            server.heads()[1]
                .to_lowercase()
                .contains("git-protocol: version=2")
        );
        let posted = ask("/x", Some(b"0000"));
        assert_eq!(posted.code, 404);
        let head = server.heads().last().unwrap().to_lowercase();
        assert!(
            head.starts_with("post /x ") && head.contains("content-length: 4"),
            "{head}"
        );
    }
}
