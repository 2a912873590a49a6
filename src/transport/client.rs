//! The one way in: a GET with a limit, tried until it works or cannot.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use ureq::Agent;

use super::Settings;
use super::agent;
use super::attempt::TryTime;
use super::body::{CHUNK_BYTES, Fetched, Sink, TooLarge, unwritable};
use super::event::{Event, Observer};
use super::failure::tried;
use super::file;
use super::hosts::HostLimits;
use super::proxy_env::Proxies;
use super::retry::{RealTimer, Timer};
use super::url::{Scheme, Url};
use crate::error::{Error, Kind, Result};

/// Makes GET requests; cheap to clone, clones share connections.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) timer: Box<dyn Timer>,
    hosts: HostLimits,
    network: OnceLock<Network>,
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
        Client(Arc::new(Inner {
            hosts: HostLimits::new(settings.per_host),
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
