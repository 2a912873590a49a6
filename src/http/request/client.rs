//! The one way in: a GET with a limit, tried until it works or cannot.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;

use super::agent;
use super::attempt::{Brought, TryTime};
use crate::error::{Error, Kind, Result};
use crate::http::Settings;
use crate::http::answer::{CHUNK_BYTES, Fetched, Kept, Sink, TooLarge, unwritable};
use crate::http::connect::Proxies;
use crate::http::credentials::Credentials;
use crate::http::event::{Event, Observer};
use crate::http::failure::{evidence, not_asked, out_of_time, reading, short_reason, tried};
use crate::http::file;
use crate::http::limits::{ByteRate, HostSettings, Hosts, Refusal, Told};
use crate::http::time::{Deadline, RealTimer, Timer};
use crate::http::url::{Scheme, Url};

/// Makes GET requests; cheap to clone, clones share connections.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) timer: Box<dyn Timer>,
    pub(super) hosts: Hosts,
    pub(super) rate: Option<ByteRate>,
    pub(super) credentials: Credentials,
    network: OnceLock<Network>,
    hung_up: AtomicBool,
}

/// What only a request over the network needs.
pub(super) struct Network {
    pub(super) agent: Agent,
    pub(super) proxies: Arc<Proxies>,
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
        let limits = HostSettings {
            at_once: settings.per_host,
            per_second: settings.requests_per_second,
            longest_hold: settings.retry.max_retry_after,
        };
        let rate = |bytes_per_second| ByteRate::new(bytes_per_second, timer.instant());
        Client(Arc::new(Inner {
            hosts: Hosts::new(limits),
            rate: settings.bytes_per_second.map(rate),
            credentials: Credentials::new(settings.credentials.clone()),
            settings,
            observer,
            timer,
            network: OnceLock::new(),
            hung_up: AtomicBool::new(false),
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
                resumed: 0,
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
        // When the first try began: waiting for a turn is no try.
        let mut begun = None;
        let mut attempt = 1;
        // Of the host that was asked for: where it redirects to is its own affair.
        let mut visit = inner.hosts.visit(url.host(), &*inner.timer);
        loop {
            if self.has_hung_up() {
                return Err(reading(&shown, Kind::Network, "not wanted any more"));
            }
            let kept = sink
                .kept()
                .filter(|kept| kept.of.url == shown.as_str() && kept.of.length <= limit);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_whole()) {
                let (url, bytes) = (&shown, kept.bytes);
                inner.observer.event(&Event::Resume { url, bytes });
                inner.observer.event(&Event::Done {
                    url,
                    bytes: 0,
                    resumed: bytes,
                    elapsed: Duration::ZERO,
                });
                return Ok(Fetched {
                    value: (),
                    bytes: 0,
                    resumed: bytes,
                    retries: attempt - 1,
                });
            }
            match visit.enter(inner.settings.deadline.map(|deadline| deadline.at())) {
                Ok(()) => {}
                Err(Refusal::GivenUp(cause)) => {
                    return Err(not_asked(&shown, url.host(), &cause));
                }
                Err(Refusal::TooLate) => {
                    let deadline = inner.settings.deadline;
                    return Err(deadline.map_or_else(
                        || not_asked(&shown, url.host(), "its turn comes too late"),
                        |deadline| out_of_time(&shown, &deadline),
                    ));
                }
            }
            if let Some(deadline) = inner.settings.deadline.filter(Deadline::is_over) {
                return Err(out_of_time(&shown, &deadline));
            }
            let started = *begun.get_or_insert_with(|| inner.timer.instant());
            inner.observer.event(&Event::Start {
                url: &shown,
                attempt,
            });
            let kept = kept.filter(Kept::is_begun);
            let failed = match self.one_try(url, limit, sink, kept, time, attempt) {
                Ok(Brought { bytes, resumed }) => {
                    visit.leave(Told::Answer);
                    let elapsed = inner.timer.instant().saturating_duration_since(started);
                    inner.observer.event(&Event::Done {
                        url: &shown,
                        bytes,
                        resumed,
                        elapsed,
                    });
                    return Ok(Fetched {
                        value: (),
                        bytes,
                        resumed,
                        retries: attempt - 1,
                    });
                }
                Err(failed) => failed,
            };
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
                let deadline = inner.settings.deadline;
                deadline.is_none_or(|deadline| *wait < deadline.left())
                    && retry.is_in_time(elapsed, *wait)
                    && !self.has_hung_up()
            };
            let Some(wait) = wait.filter(in_time) else {
                inner.observer.event(&Event::Failed {
                    url: &shown,
                    attempt,
                    cause,
                    elapsed,
                });
                if !cause.is_transient() {
                    return Err(failed.error);
                }
                let reason = short_reason(&shown, cause);
                if let Some(given_up) = visit.in_vain(evidence(cause), &reason) {
                    inner.observer.event(&Event::GivenUp {
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
            inner.observer.event(&Event::Retry {
                url: &shown,
                attempt,
                wait,
                cause,
            });
            inner.timer.sleep(wait);
            attempt += 1;
        }
    }

    /// Ends every request and every wait for an answer, of the clones as well: nothing more is
    /// wanted, and what is asked for from now on fails at once. A connection that is being made is
    /// only given up when it is there, or its time-out has passed.
    pub fn hang_up(&self) {
        self.0.hung_up.store(true, Ordering::SeqCst);
        if let Some(network) = self.0.network.get() {
            network.agent.clone().shutdown();
        }
    }

    fn has_hung_up(&self) -> bool {
        self.0.hung_up.load(Ordering::SeqCst)
    }

    pub(super) fn network(&self) -> &Network {
        self.0.network.get_or_init(|| {
            let proxies = Arc::new(Proxies::new(&self.0.settings.proxy));
            Network {
                agent: agent::build(&self.0.settings, &proxies),
                proxies,
            }
        })
    }
}

fn read_file(url: &Url, limit: u64, sink: &mut dyn Sink) -> Result<u64> {
    let mut file = file::open(url)?;
    let shown = url.redacted();
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
