//! The one way in: a GET with a limit, tried until it works or cannot.

use std::fmt;
use std::fs::Metadata;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;

use super::agent;
use super::attempt::{Brought, Demand, TryTime};
use super::context::RequestContext;
use crate::cancel::{Cancelled, Deadline};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink};
use crate::http::Settings;
use crate::http::answer::{BodySink, CHUNK_BYTES, Fetched, PartialBody, TooLarge, unwritable};
use crate::http::connect::Proxies;
use crate::http::credentials::Credentials;
use crate::http::failure::{evidence, not_asked, out_of_time, short_reason, tried};
use crate::http::file;
use crate::http::limits::{AttemptOutcome, ByteRate, HostRefusal, HostSettings, Hosts};
use crate::http::time::{RealTimer, Timer};
use crate::http::url::{RedactedUrl, Scheme, Url};

/// Makes GET requests for one piece of work; cheap to clone. Clones, and clients for other work that were made by
/// [`Client::bind`], share connections, limits and credentials.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<ClientInner>,
    pub(super) context: RequestContext,
}

/// What the clones share.
pub(super) struct ClientInner {
    pub(super) settings: Settings,
    pub(super) timer: Box<dyn Timer>,
    pub(super) hosts: Hosts,
    pub(super) rate: Option<ByteRate>,
    pub(super) credentials: Credentials,
    network: OnceLock<ClientNetwork>,
}

/// What only a request over the network needs.
pub(super) struct ClientNetwork {
    pub(super) agent: Agent,
    pub(super) proxies: Arc<Proxies>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Remembers the settings; everything else waits for the first request that needs it, the
    /// TLS roots for the first https one.
    #[must_use]
    pub fn new(settings: Settings, events: Arc<dyn EventSink>) -> Client {
        Client::with_timer(settings, events, Box::new(RealTimer))
    }

    /// As [`Client::new`], with another clock: for tests, which should not sleep.
    #[must_use]
    pub fn with_timer(
        settings: Settings,
        events: Arc<dyn EventSink>,
        timer: Box<dyn Timer>,
    ) -> Client {
        let limits = HostSettings {
            at_once: settings.per_host,
            per_second: settings.requests_per_second,
            longest_hold: settings.retry.max_retry_after,
        };
        let rate = |bytes_per_second| ByteRate::new(bytes_per_second, timer.instant());
        let inner = Arc::new(ClientInner {
            hosts: Hosts::new(limits),
            rate: settings.bytes_per_second.map(rate),
            credentials: Credentials::new(settings.credentials.clone()),
            settings,
            timer,
            network: OnceLock::new(),
        });
        let context = RequestContext::new(events);
        Client { inner, context }
    }

    /// The same client for another piece of work.
    #[must_use]
    pub fn bind(&self, context: RequestContext) -> Client {
        Client {
            inner: Arc::clone(&self.inner),
            context,
        }
    }

    /// The same client for the same work, whose requests pass over what caches on the way hold.
    #[must_use]
    pub(crate) fn past_caches(&self) -> Client {
        self.bind(self.context.past_caches())
    }

    /// The same client for the same work, whose requests have these headers beside their own.
    #[must_use]
    pub fn with_headers(&self, headers: &[(String, String)]) -> Client {
        let mut context = self.context.clone();
        context.headers.extend_from_slice(headers);
        self.bind(context)
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.context.cancel.deadline()
    }

    pub(super) fn say(&self, event: &Event<'_>) {
        self.context.events.event(event);
    }

    /// Gets a body of at most `limit` bytes into memory, each try within
    /// [`Settings::small_body_timeout`]. What the context knows of it comes again only if it has changed.
    ///
    /// # Errors
    /// As [`Client::get_into`].
    pub fn get(&self, url: &Url, limit: u64) -> Result<Fetched<Vec<u8>>> {
        let mut body = Vec::new();
        let known = self.context.known.as_deref();
        let question = known.map(|known| known.question(url));
        let demand = Demand {
            limit,
            time: TryTime::Limited,
            question: question.as_ref(),
        };
        let fetched = self.get_within(url, &mut body, demand)?;
        Ok(fetched.map(|()| match question {
            Some(question) => question.settle(body),
            None => body,
        }))
    }

    /// Gets a body of at most `limit` bytes into a sink, which is restarted before the first byte
    /// of each body, and holds what came of the last one if all fail. Where it holds the beginning
    /// of what `url` has, and the server still has the same, only the rest is fetched; if it holds
    /// all of it, nothing is asked. A try takes as long as it takes, while bytes arrive.
    ///
    /// # Errors
    /// - [`Kind::NotFound`] for 404, 410 or a missing file; [`Kind::Auth`] for 401, 403 and 407;
    ///   [`Kind::Network`] for any other status and for trouble on the way, after the retries;
    ///   all in go's words where it has some: `reading URL: 404 Not Found`.
    /// - [`Kind::Network`] by reason of [`TooLarge`].
    /// - [`Kind::LocalIo`] if the sink or a file fails.
    /// - [`Kind::Input`] for settings and URLs that cannot be used.
    pub fn get_into(&self, url: &Url, limit: u64, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        let demand = Demand {
            limit,
            time: TryTime::Unlimited,
            question: None,
        };
        self.get_within(url, sink, demand)
    }

    /// Puts off another request for `url` that the caller decided on, reported like a retry; `cause`
    /// is how the last one, number `attempt`, ended.
    pub fn pause(&self, url: &Url, attempt: u32, wait: Duration, cause: &Error) {
        self.say(&Event::RequestRetried {
            url: url.redacted().as_str(),
            attempt,
            wait,
            cause,
        });
        self.inner.timer.wait(wait, &self.context.cancel);
    }

    fn get_within(
        &self,
        url: &Url,
        sink: &mut dyn BodySink,
        demand: Demand<'_>,
    ) -> Result<Fetched<()>> {
        if url.scheme() == Scheme::File {
            let bytes = read_file(url, demand.limit, sink)?;
            let url = url.redacted();
            let url = url.as_str();
            self.say(&Event::BodyReceived { url, bytes });
            return Ok(Fetched::of_bytes(bytes));
        }
        self.transfer(url, sink, demand)
    }

    fn transfer(
        &self,
        url: &Url,
        sink: &mut dyn BodySink,
        demand: Demand<'_>,
    ) -> Result<Fetched<()>> {
        let inner = &*self.inner;
        let cancel = &self.context.cancel;
        let shown = url.redacted();
        // When the first try began: waiting for a turn is no try.
        let mut begun = None;
        let mut attempt = 1;
        // Of the host that was asked for: where it redirects to is its own affair.
        let mut visit = inner.hosts.visit(url.host(), &*inner.timer);
        loop {
            let kept = sink
                .kept()
                .filter(|kept| kept.of.url == shown.as_str() && kept.of.length <= demand.limit);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_whole()) {
                let (url, bytes) = (shown.as_str(), kept.bytes);
                self.say(&Event::RequestResumed { url, bytes });
                self.say(&Event::RequestFinished {
                    url,
                    bytes: 0,
                    resumed: bytes,
                    elapsed: Duration::ZERO,
                });
                return Ok(Fetched {
                    resumed: bytes,
                    retries: attempt - 1,
                    ..Fetched::of_bytes(0)
                });
            }
            match visit.enter(self.deadline().map(|deadline| deadline.at()), cancel) {
                Ok(()) => {}
                Err(HostRefusal::BreakerOpen(cause)) => {
                    return Err(not_asked(&shown, url.host(), &cause));
                }
                Err(HostRefusal::Cancelled) => return Err(cancelled(&shown)),
                Err(HostRefusal::TooLate) => {
                    return Err(self.deadline().map_or_else(
                        || not_asked(&shown, url.host(), "its turn comes too late"),
                        |deadline| out_of_time(&shown, &deadline),
                    ));
                }
            }
            if let Some(deadline) = self.deadline().filter(Deadline::is_over) {
                return Err(out_of_time(&shown, &deadline));
            }
            let started = *begun.get_or_insert_with(|| inner.timer.instant());
            self.say(&Event::RequestStarted {
                url: shown.as_str(),
                attempt,
            });
            let kept = kept.filter(PartialBody::is_begun);
            let failed = match self.one_try(url, demand, sink, kept, attempt) {
                Ok(Brought { bytes, resumed }) => {
                    visit.leave(AttemptOutcome::Answer);
                    let elapsed = inner.timer.instant().saturating_duration_since(started);
                    self.say(&Event::RequestFinished {
                        url: shown.as_str(),
                        bytes,
                        resumed,
                        elapsed,
                    });
                    return Ok(Fetched {
                        resumed,
                        retries: attempt - 1,
                        ..Fetched::of_bytes(bytes)
                    });
                }
                Err(failed) => failed,
            };
            if cancel.is_cancelled() {
                visit.leave(AttemptOutcome::Nothing);
                return Err(cancelled(&shown));
            }
            visit.leave(failed.told());
            let cause = &failed.error;
            let jitter = inner.timer.jitter();
            let elapsed = inner.timer.instant().saturating_duration_since(started);
            let retry = &inner.settings.retry;
            let counted = visit.counted(attempt, retry.retries);
            let wait = retry.schedule(counted, elapsed, failed.failure(), jitter);
            // Others may have heard that the host wants to be left alone for longer.
            let wait = wait.map(|wait| wait.max(visit.held()));
            let in_time = |wait: &Duration| {
                let deadline = self.deadline();
                deadline.is_none_or(|deadline| *wait < deadline.left())
                    && retry.is_in_time(elapsed, *wait)
            };
            let Some(wait) = wait.filter(in_time) else {
                self.say(&Event::RequestFailed {
                    url: shown.as_str(),
                    attempt,
                    cause,
                    elapsed,
                });
                if !cause.is_transient() {
                    return Err(failed.error);
                }
                let reason = short_reason(&shown, cause);
                if let Some(given_up) = visit.exhausted(evidence(cause), &reason) {
                    self.say(&Event::HostOpened {
                        host: url.host(),
                        cause: &given_up,
                    });
                }
                let error = tried(cause, attempt, url.host());
                return Err(if counted <= retry.retries {
                    error.hint(
                        "the next try would begin after the time that --retry-max-time or \
                         --timeout allows",
                    )
                } else {
                    error
                });
            };
            self.say(&Event::RequestRetried {
                url: shown.as_str(),
                attempt,
                wait,
                cause,
            });
            inner.timer.wait(wait, cancel);
            attempt += 1;
        }
    }

    pub(super) fn network(&self) -> &ClientNetwork {
        self.inner.network.get_or_init(|| {
            let proxies = Arc::new(Proxies::new(&self.inner.settings.proxy));
            ClientNetwork {
                agent: agent::build(&self.inner.settings, &proxies),
                proxies,
            }
        })
    }
}

/// The request was under way when its work was cancelled.
fn cancelled(shown: &RedactedUrl) -> Error {
    Error::new(Kind::Other, format!("reading {shown}")).because(Cancelled)
}

fn read_file(url: &Url, limit: u64, sink: &mut dyn BodySink) -> Result<u64> {
    let mut file = file::open(url)?;
    let shown = url.redacted();
    let length = file.metadata().ok().filter(Metadata::is_file);
    length
        .into_iter()
        .for_each(|found| sink.expect(found.len()));
    let restarted = sink.restart(None);
    restarted.map_err(|cause| unwritable(&shown, cause))?;
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
            .map_err(|cause| unwritable(&shown, cause))?;
    }
}

#[cfg(test)]
#[path = "client_tests/mod.rs"]
mod tests;
