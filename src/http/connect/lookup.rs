//! Name look-ups, one for all who ask at the same time, remembered for a while.
//!
//! A run starts with many connections to one host at once. Sixty-four look-ups of the same name
//! in the same instant overwhelm a small resolver, which then answers none of them for seconds
//! (seen: half of a run's requests waited ten seconds for a name).

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};

/// The system does not say how long an answer holds; this is short beside common lifetimes, and
/// long beside the start of a run.
const REMEMBERED: Duration = Duration::from_secs(30);

/// A resolver that asks another one once for all who ask at the same time.
#[derive(Debug)]
pub(in crate::http) struct SharedResolver<R> {
    inner: R,
    asked: Mutex<HashMap<String, Arc<LookupRequest>>>,
}

/// One look-up, under way or answered.
#[derive(Debug, Default)]
struct LookupRequest {
    answer: Mutex<Option<(Instant, LookupResult)>>,
    answered: Condvar,
}

type LookupResult = Result<ResolvedSocketAddrs, LookupFailure>;

/// A failed look-up in a form that can be shared.
#[derive(Clone, Debug)]
enum LookupFailure {
    NotFound,
    TimedOut(Timeout),
    Other(io::ErrorKind, String),
}

impl<R: Resolver> SharedResolver<R> {
    pub(in crate::http) fn new(inner: R) -> SharedResolver<R> {
        SharedResolver {
            inner,
            asked: Mutex::default(),
        }
    }

    /// The question for `key`, and whether the caller is the one who has to ask it.
    fn question(&self, key: &str) -> (Arc<LookupRequest>, bool) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(question) = asked.get(key)
            && question.is_useful()
        {
            return (Arc::clone(question), false);
        }
        let question = Arc::<LookupRequest>::default();
        asked.insert(key.to_owned(), Arc::clone(&question));
        (question, true)
    }
}

impl LookupRequest {
    /// Under way, or answered with addresses not long ago. A failure is the answer to those who were
    /// waiting for it, and is not kept: the next request asks again.
    fn is_useful(&self) -> bool {
        match &*self.answer.lock().unwrap_or_else(PoisonError::into_inner) {
            None => true,
            Some((at, Ok(_))) => at.elapsed() < REMEMBERED,
            Some((_, Err(_))) => false,
        }
    }

    fn tell(&self, answer: LookupResult) {
        let mut place = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some((Instant::now(), answer));
        self.answered.notify_all();
    }

    /// Waits as long as the one who asks, whose look-up has a time-out.
    fn wait(&self) -> LookupResult {
        let mut place = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((_, answer)) = &*place {
                return answer.clone();
            }
            place = self
                .answered
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Answers with a failure if the asking thread ends before, so that no other thread waits in vain.
struct RunningLookup<'a>(Option<&'a LookupRequest>);

impl RunningLookup<'_> {
    fn tell(mut self, answer: LookupResult) {
        if let Some(question) = self.0.take() {
            question.tell(answer);
        }
    }
}

impl Drop for RunningLookup<'_> {
    fn drop(&mut self) {
        if let Some(question) = self.0 {
            question.tell(Err(LookupFailure::Other(
                io::ErrorKind::Interrupted,
                "look-up ended".into(),
            )));
        }
    }
}

impl<R: Resolver + fmt::Debug> Resolver for SharedResolver<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(authority) = uri.authority() else {
            return self.inner.resolve(uri, config, timeout);
        };
        // The port is in the answer, and it may be the scheme that gives it.
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = authority.host();
        let port = authority.port_u16().unwrap_or_default();
        let (question, mine) = self.question(&format!("{scheme}://{host}:{port}"));
        if mine {
            let asking = RunningLookup(Some(&question));
            let answer = self
                .inner
                .resolve(uri, config, timeout)
                .map_err(|error| match error {
                    ureq::Error::HostNotFound => LookupFailure::NotFound,
                    ureq::Error::Timeout(timeout) => LookupFailure::TimedOut(timeout),
                    ureq::Error::Io(cause) => LookupFailure::Other(cause.kind(), cause.to_string()),
                    other => LookupFailure::Other(io::ErrorKind::Other, other.to_string()),
                });
            asking.tell(answer);
        }
        question.wait().map_err(|failure| match failure {
            LookupFailure::NotFound => ureq::Error::HostNotFound,
            LookupFailure::TimedOut(timeout) => ureq::Error::Timeout(timeout),
            LookupFailure::Other(kind, text) => ureq::Error::Io(io::Error::new(kind, text)),
        })
    }
}

/// The system's resolver, with the time-out that it lacks.
///
/// ureq's own gives it one by a thread, too, but panics where the process may have no more
/// threads, and takes one for an address that needs no look-up.
#[derive(Debug, Default)]
pub(in crate::http) struct TimedResolver;

impl Resolver for TimedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // Without a time-out ureq's resolver asks on the thread it is called on.
        let unhurried = NextTimeout {
            after: time::Duration::NotHappening,
            ..timeout
        };
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = || DefaultResolver::default().resolve(uri, config, unhurried);
        if timeout.after.is_not_happening() || bare.parse::<IpAddr>().is_ok() {
            return here();
        }
        let (sender, answer) = bounded(1);
        let (uri, config) = (uri.clone(), config.clone());
        let asking = thread::Builder::new()
            .name("look-up".into())
            .spawn(move || {
                // Who asked may have given up.
                let _ = sender.send(DefaultResolver::default().resolve(&uri, &config, unhurried));
            });
        match asking {
            Ok(_) => answer
                .recv_timeout(*timeout.after)
                .unwrap_or(Err(ureq::Error::Timeout(timeout.reason))),
            // No thread is to be had: the system's own time-outs must do.
            Err(_) => here(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// Answers when it is let, and counts.
    #[derive(Debug)]
    struct Scripted {
        calls: Arc<AtomicUsize>,
        gate: crossbeam_channel::Receiver<bool>,
    }

    impl Resolver for Scripted {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if !self.gate.recv().unwrap() {
                return Err(ureq::Error::HostNotFound);
            }
            let mut addresses = self.empty();
            addresses.push(SocketAddr::from(([127, 0, 0, 1], 80)));
            Ok(addresses)
        }
    }

    fn ask(resolver: &SharedResolver<Scripted>, uri: &str) -> Result<usize, ureq::Error> {
        let timeout = NextTimeout {
            after: time::Duration::NotHappening,
            reason: Timeout::Resolve,
            per_read: None,
            per_write: None,
        };
        let uri = uri.parse().unwrap();
        resolver
            .resolve(&uri, &Config::default(), timeout)
            .map(|found| found.len())
    }

    #[test]
    fn addresses_and_names_are_resolved_within_the_time() {
        let soon = NextTimeout {
            after: Duration::from_secs(20).into(),
            reason: Timeout::Resolve,
            per_read: None,
            per_write: None,
        };
        let ask = |uri: &str| {
            let found = TimedResolver.resolve(&uri.parse().unwrap(), &Config::default(), soon);
            found.map(|found| found.to_vec())
        };
        assert_eq!(
            ask("http://127.0.0.1:81/").unwrap(),
            [SocketAddr::from(([127, 0, 0, 1], 81))]
        );
        assert_eq!(
            ask("https://[::1]/").unwrap(),
            ["[::1]:443".parse().unwrap()]
        );
        assert!(
            ask("http://localhost:8/")
                .unwrap()
                .iter()
                .all(|found| found.ip().is_loopback())
        );
    }

    #[test]
    fn all_who_ask_at_once_share_one_answer_and_a_failure_is_not_remembered() {
        let calls = Arc::new(AtomicUsize::new(0));
        let (open, gate) = crossbeam_channel::unbounded();
        let resolver = SharedResolver::new(Scripted {
            calls: Arc::clone(&calls),
            gate,
        });
        open.send(false).unwrap();
        assert!(matches!(
            ask(&resolver, "http://a.com/x"),
            Err(ureq::Error::HostNotFound)
        ));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        thread::scope(|scope| {
            let ask_one = || ask(&resolver, "http://a.com/y").map(drop).is_ok();
            let askers: Vec<_> = (0..16).map(|_| scope.spawn(ask_one)).collect();
            open.send(true).unwrap();
            assert!(askers.into_iter().all(|asker| asker.join().unwrap()));
        });
        assert_eq!(
            calls.load(Ordering::SeqCst),
            2,
            "sixteen askers, one look-up"
        );
        assert_eq!(ask(&resolver, "http://a.com/z").unwrap(), 1, "remembered");
        open.send(true).unwrap();
        assert_eq!(
            ask(&resolver, "http://a.com:81/z").unwrap(),
            1,
            "another port is another answer"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }
}
