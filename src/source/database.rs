//! The way to a checksum database: through the first proxy that serves it, or directly.
//!
//! Source: golang/go `cmd/go/internal/modfetch/sumdb.go`, `initBase`.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::Chain;
use crate::error::{Kind, Result};
use crate::http::{Client, Url};
use crate::memo::{Memo, MemoSettings};

/// Gets files of one database. Which way it goes is found out at the first request. Clones share that.
#[derive(Clone, Debug)]
pub struct DatabaseRoute {
    name: String,
    chain: Chain,
    /// Where it is without a proxy.
    direct: Url,
    client: Client,
    /// Given, or found at the first request.
    fixed: Option<Url>,
    found: Arc<Memo<(), Url>>,
    patience: Duration,
    /// When a record was found missing for the first time.
    missed: Arc<OnceLock<Instant>>,
}

/// The first wait for a record that may be on its way. Each further one is twice as long, up to
/// the longest: a proxy may remember for about a minute that there was none.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long to wait after so many tries, from 1, if there is so much time left; `None` to give
/// up. The last wait is cut, so that the last try is made when the time is over.
fn next_wait(tries: u32, left: Duration) -> Option<Duration> {
    // More doublings than 16 would not fit; the longest is reached long before.
    let doublings = tries.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    (!left.is_zero()).then_some(wait.min(left))
}

impl DatabaseRoute {
    /// The way by GOPROXY, or to `direct` where that does not have the database. `fixed` is
    /// taken instead of either.
    #[must_use]
    pub fn new(
        name: String,
        chain: Chain,
        direct: Url,
        fixed: Option<Url>,
        client: Client,
    ) -> DatabaseRoute {
        DatabaseRoute {
            name,
            chain,
            direct,
            client,
            fixed,
            found: Arc::new(Memo::new(MemoSettings::holding(1))),
            patience: Duration::ZERO,
            missed: Arc::default(),
        }
    }

    /// Asks again for records that are not there, until `patience` has passed since the first of
    /// them was missed: they may have been published moments ago.
    #[must_use]
    pub fn waiting(self, patience: Duration) -> DatabaseRoute {
        DatabaseRoute { patience, ..self }
    }

    /// The same way, whose requests have these headers beside their own.
    #[must_use]
    pub fn with_headers(&self, headers: &[(String, String)]) -> DatabaseRoute {
        DatabaseRoute {
            client: self.client.with_headers(headers),
            ..self.clone()
        }
    }

    /// The body at `path` below the database, of at most `limit` bytes, unchecked.
    ///
    /// # Errors
    /// Those of the transport; of the search for the way, remembered for a while.
    pub fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let mut base = self.base()?;
        let mut tries = 1;
        let mut moved = false;
        loop {
            let url = base.join(path);
            let error = match self.client.get(&url, limit) {
                Ok(body) => return Ok(body.value),
                Err(error) => error,
            };
            if error.kind() == Kind::Network
                && !std::mem::replace(&mut moved, true)
                && let Some(other) = self.other_base(&base)
            {
                base = other;
                continue;
            }
            // Tiles do not come late: a head is signed when they are there.
            if !error.is_not_found() || !path.starts_with("lookup/") {
                return Err(error);
            }
            let missed = self.missed.get_or_init(Instant::now);
            let left = self.patience.saturating_sub(missed.elapsed());
            let Some(wait) = next_wait(tries, left) else {
                return Err(error);
            };
            self.client.pause(&url, tries, wait, &error);
            tries += 1;
        }
    }

    /// Another way than one that has failed, if the proxies have one by the rules of the first search. `go` fails here.
    fn other_base(&self, failed: &Url) -> Option<Url> {
        if self.fixed.is_some() {
            return None;
        }
        let held = self.found.peek(&());
        if held.is_some_and(|held| held.is_ok_and(|base| base == *failed)) {
            self.found.forget(&());
        }
        self.base().ok().filter(|base| base != failed)
    }

    /// Where it is, found out by asking the proxies if need be.
    ///
    /// # Errors
    /// Those of the search, remembered for [`MemoSettings::FAILURE_TTL`].
    pub fn base(&self) -> Result<Url> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.clone());
        }
        self.found.get(&(), || {
            let proxied = self.chain.database(&self.name)?;
            Ok(proxied.unwrap_or_else(|| self.direct.clone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::event::NoEvents;
    use crate::gomod::PrefixPatterns;
    use crate::http::{RetryPolicy, Server, Settings, Then, reply};
    use std::sync::Arc;

    fn refusing() -> Arc<dyn crate::source::Source> {
        Arc::new(crate::source::Offline("direct"))
    }

    fn client() -> Client {
        let retry = RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        };
        let settings = Settings {
            retry,
            ..Settings::default()
        };
        Client::new(settings, Arc::new(NoEvents))
    }

    #[test]
    fn the_way_is_found_by_gos_rules_and_once() {
        let server = Server::start(|target, _, wire| {
            let first = target.split('/').nth(1);
            let status = match first {
                Some("missing") => "404 Not Found",
                Some("gone") => "410 Gone",
                Some("broken") => "503 Service Unavailable",
                Some("denied") => "403 Forbidden",
                _ => "200 OK",
            };
            reply(wire, status, "", target);
            Then::Keep
        });
        let url = |name: &str| server.url(&format!("/{name}"));
        let (good, missing, gone) = (url("good"), url("missing"), url("gone"));
        let (broken, denied) = (url("broken"), url("denied"));
        let through = Ok("/good/sumdb/h.com/db/tile/8/0/x001/234.p/5");
        let direct = Ok("/direct/tile/8/0/x001/234.p/5");
        // The outcomes are those of go's initBase and TryProxies.
        let rows = [
            (good.clone(), through),
            (format!("{missing},{gone},{good}"), through),
            (format!("{broken}|{good}"), through),
            (missing.clone(), direct),
            (format!("{missing},direct"), direct),
            (format!("{missing},off"), direct),
            ("direct".to_owned(), direct),
            (format!("{broken}|direct"), direct),
            (format!("{broken},direct"), Err(Kind::Network)),
            (format!("{broken}|{missing}"), Err(Kind::Network)),
            (format!("{broken}|off"), Err(Kind::Network)),
            (format!("{denied},{good}"), Err(Kind::Auth)),
        ];
        for (goproxy, want) in rows {
            let chain = Chain::parse(
                &goproxy,
                "",
                PrefixPatterns::default(),
                client(),
                refusing(),
            )
            .unwrap();
            let direct = Url::parse(&url("direct")).unwrap();
            let name = "h.com/db".to_owned();
            let route = DatabaseRoute::new(name, chain, direct, None, client());
            for _ in 0..2 {
                let got = route.get("tile/8/0/x001/234.p/5", 100);
                let got = got.map(|body| String::from_utf8(body).unwrap());
                let got = got.as_deref().map_err(Error::kind);
                assert_eq!(got, want, "{goproxy}");
            }
        }
    }

    #[test]
    fn a_proxy_that_ends_is_left_for_the_next_where_the_list_says_so() {
        let server = Server::start(|target, count, wire| {
            let ends = target.starts_with("/ends");
            let ended = ends && (count > 1 || !target.ends_with("/supported"));
            let status = match ended {
                true => "500 Internal Server Error",
                false => "200 OK",
            };
            reply(wire, status, "", target);
            Then::Keep
        });
        let second = server.url("/second");
        let rows = [
            (format!("{}|{second}", server.url("/ends1")), true),
            (format!("{},{second}", server.url("/ends2")), false),
        ];
        for (goproxy, works) in rows {
            let chain = Chain::parse(
                &goproxy,
                "",
                PrefixPatterns::default(),
                client(),
                refusing(),
            );
            let direct = Url::parse(&server.url("/direct")).unwrap();
            let route = DatabaseRoute::new("db".into(), chain.unwrap(), direct, None, client());
            for name in ["lookup/a.com@v1.0.0", "tile/8/0/000"] {
                let got = route.get(name, 100).map_err(|error| error.kind());
                let want = format!("/second/sumdb/db/{name}").into_bytes();
                assert_eq!(got, if works { Ok(want) } else { Err(Kind::Network) });
            }
        }
    }

    #[test]
    fn waits_grow_and_end_with_the_time() {
        let s = Duration::from_secs;
        let rows = [
            (1, s(300), Some(Duration::from_millis(500))),
            (2, s(300), Some(s(1))),
            (4, s(300), Some(s(4))),
            (7, s(300), Some(s(30))),
            (u32::MAX, s(300), Some(s(30))),
            (9, s(3), Some(s(3))),
            (1, Duration::ZERO, None),
        ];
        for (tries, left, want) in rows {
            assert_eq!(next_wait(tries, left), want, "{tries} {left:?}");
        }
    }

    #[test]
    fn a_record_that_is_late_is_waited_for_and_nothing_else_is() {
        let server = Server::start(|target, heads, wire| {
            let status = match heads {
                _ if target.ends_with("/lookup/late@v1") && heads > 1 => "200 OK",
                _ if target.ends_with("/supported") => "200 OK",
                _ => "404 Not Found",
            };
            reply(wire, status, "", "body");
            Then::Keep
        });
        let fixed = Url::parse(&server.url("/db")).unwrap();
        let chain =
            || Chain::parse("off", "", PrefixPatterns::default(), client(), refusing()).unwrap();
        let route = |patience: u64| {
            let direct = fixed.clone();
            DatabaseRoute::new("db".into(), chain(), direct, Some(fixed.clone()), client())
                .waiting(Duration::from_millis(patience))
        };
        let heads = || server.heads().len();
        assert!(
            route(0)
                .get("lookup/never@v1", 9)
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!(heads(), 1);
        assert!(
            route(60_000)
                .get("tile/8/0/000.p/1", 9)
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!(heads(), 2);
        assert!(
            route(200)
                .get("lookup/never@v1", 9)
                .unwrap_err()
                .is_not_found()
        );
        assert!(heads() > 3);
        assert_eq!(route(60_000).get("lookup/late@v1", 9).unwrap(), b"body");
    }

    #[test]
    fn a_fixed_place_is_taken_as_it_is_and_may_be_a_tree_of_files() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        put("fixed/lookup/a@v1", "fixed");
        put("proxy/sumdb/db/lookup/a@v1", "proxied");
        let tree = |name: &str| format!("file://{}/{name}", dir.path().display());
        let route = |fixed: Option<&str>| {
            let chain = Chain::parse(
                &tree("proxy"),
                "",
                PrefixPatterns::default(),
                client(),
                refusing(),
            );
            let direct = Url::parse(&tree("direct")).unwrap();
            let fixed = fixed.map(|name| Url::parse(&tree(name)).unwrap());
            DatabaseRoute::new("db".to_owned(), chain.unwrap(), direct, fixed, client())
        };
        assert_eq!(
            route(Some("fixed")).get("lookup/a@v1", 9).unwrap(),
            b"fixed"
        );
        // A tree that does not say that it has the database is not asked.
        assert!(
            route(None)
                .get("lookup/a@v1", 9)
                .unwrap_err()
                .is_not_found()
        );
        put("proxy/sumdb/db/supported", "");
        assert_eq!(route(None).get("lookup/a@v1", 9).unwrap(), b"proxied");
        let error = route(None).get("lookup/a@v1", 3).unwrap_err();
        assert!(crate::http::TooLarge::caused(&error));
    }
}
