//! A real module proxy on 127.0.0.1 that can be told to misbehave.
//!
//! HTTP/1.1 with keep-alive over `std::net`, a thread per connection, over TLS if asked. It
//! serves a [`Tree`] from memory, answers `Range` (with `If-Range`), counts and logs requests,
//! and commits scripted [`Fault`]s. Dropping it closes every connection and joins every thread,
//! also those that stall or delay.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::chaos::Chaos;
use super::fixtures::{Bytes, Fixtures, Module, Tree};
use super::script::{Fault, HeadEnd, Request, Rule, Times};
use super::serving::{Shared, accept};
use super::tls;

/// A running server; see the module's documentation.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
    ca: Option<PathBuf>,
}

impl Proxy {
    /// Serves the fixtures of `testdata/mod`.
    pub fn serve() -> Proxy {
        Proxy::of(fixtures_tree())
    }

    /// Serves nothing but the given modules.
    pub fn of_modules(modules: Vec<Module>) -> Proxy {
        Proxy::of(Arc::new(Fixtures::of(modules).tree()))
    }

    /// Serves a tree of files.
    pub fn of(tree: Arc<Tree>) -> Proxy {
        Proxy::start(tree, None)
    }

    /// Serves the fixtures over TLS, with a certificate of an authority made for it: see
    /// [`Proxy::ca`]. `folder` is where that authority's certificate is put.
    pub fn serve_tls(folder: &Path) -> Proxy {
        Proxy::start(fixtures_tree(), Some(folder))
    }

    fn start(tree: Arc<Tree>, tls_folder: Option<&Path>) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free local port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        shared.lock().site.tree = tree;
        let ca = tls_folder.map(|folder| {
            let (acceptor, pem) = tls::Acceptor::new();
            assert!(shared.tls.set(acceptor).is_ok(), "a new cell is empty");
            let path = folder.join("proxy-ca.pem");
            std::fs::write(&path, pem).expect("the folder for the certificate is writable");
            path
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let handlers = accept(&listener, &shared);
                drop(listener);
                for handler in handlers {
                    let _ = handler.join();
                }
            }
        });
        Proxy {
            shared,
            address,
            acceptor: Some(acceptor),
            ca,
        }
    }

    // What it does wrong, in the order the rules were given: the first that matches and has
    // times left is committed.

    /// Adds any fault to a running server.
    pub fn script(&self, pattern: &str, fault: Fault, times: Times) {
        let rule = Rule {
            pattern: pattern.to_owned(),
            fault,
            left: times.0,
        };
        self.shared.lock().site.rules.push(rule);
    }

    fn with(self, pattern: &str, fault: Fault, times: Times) -> Proxy {
        self.script(pattern, fault, times);
        self
    }

    /// Answers a status with a short text body.
    pub fn failing(self, pattern: &str, status: u16, times: Times) -> Proxy {
        self.failing_with(pattern, status, &[], "scripted failure\n", times)
    }

    /// Answers a status with headers (such as `Retry-After`) and a body.
    pub fn failing_with(
        self,
        pattern: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
        times: Times,
    ) -> Proxy {
        let headers = headers
            .iter()
            .map(|&(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        self.with(pattern, Fault::Status(status, headers, body.into()), times)
    }

    /// Cuts the body after some bytes.
    pub fn truncating(self, pattern: &str, after: usize, times: Times) -> Proxy {
        self.with(pattern, Fault::Cut(after), times)
    }

    /// Stalls after some bytes of the body.
    pub fn stalling(self, pattern: &str, after: usize, times: Times) -> Proxy {
        self.with(pattern, Fault::Stall(after), times)
    }

    /// Resets the connection after some bytes of the body.
    pub fn resetting(self, pattern: &str, after: usize, times: Times) -> Proxy {
        self.with(pattern, Fault::Reset(after), times)
    }

    /// Answers with a status line that is none.
    pub fn sending_garbage(self, pattern: &str, times: Times) -> Proxy {
        self.with(pattern, Fault::Garbage, times)
    }

    /// Corrupts one byte of the body.
    pub fn corrupting(self, pattern: &str, at: usize, times: Times) -> Proxy {
        self.with(pattern, Fault::Corrupt(at), times)
    }

    /// Answers with another body.
    pub fn answering(self, pattern: &str, kind: &str, body: &[u8], times: Times) -> Proxy {
        self.with(pattern, Fault::Body(kind.to_owned(), body.to_vec()), times)
    }

    /// Redirects to another URL.
    pub fn redirecting(self, pattern: &str, url: &str, times: Times) -> Proxy {
        self.with(pattern, Fault::Redirect(url.to_owned()), times)
    }

    /// Waits before it answers.
    pub fn delaying(self, pattern: &str, delay: Duration, times: Times) -> Proxy {
        self.with(pattern, Fault::Delay(delay), times)
    }

    /// Breaks headers off after some bytes.
    pub fn truncating_headers(
        self,
        pattern: &str,
        after: usize,
        end: HeadEnd,
        times: Times,
    ) -> Proxy {
        self.with(pattern, Fault::Head(after, end), times)
    }

    /// Misbehaves at random from now on, where no rule says otherwise; `None` ends it.
    pub fn enable_chaos(&self, chaos: Option<Chaos>) {
        self.shared.lock().site.chaos = chaos;
    }

    /// What was done wrong at random, by name.
    pub fn chaos_counts(&self) -> BTreeMap<&'static str, usize> {
        let state = self.shared.lock();
        state
            .site
            .chaos
            .as_ref()
            .map(Chaos::committed)
            .unwrap_or_default()
    }

    /// Sends bodies no faster than this, each connection on its own.
    pub fn limiting(self, bytes_per_second: u64) -> Proxy {
        self.shared.lock().site.bytes_per_second = Some(bytes_per_second.max(1));
        self
    }

    /// Ignores `Range` and sends no validators.
    pub fn without_ranges(self) -> Proxy {
        self.shared.lock().site.no_ranges = true;
        self
    }

    /// Gives a file this entity tag, be it a weak one.
    pub fn tagging(self, path: &str, tag: &str) -> Proxy {
        let tag = tag.to_owned();
        self.shared.lock().site.tags.insert(path.to_owned(), tag);
        self
    }

    /// Answers 401 unless a request brings exactly this `Authorization` header.
    pub fn demanding(self, authorization: &str) -> Proxy {
        self.shared.lock().site.credentials = Some(authorization.to_owned());
        self
    }

    /// Puts a file in the place of what the fixtures has at a path.
    pub fn with_file(self, path: &str, data: impl Into<Vec<u8>>) -> Proxy {
        let data: Vec<u8> = data.into();
        self.put(path, Some(data.into()));
        self
    }

    /// Takes a file away: it answers 404.
    pub fn without_file(self, path: &str) -> Proxy {
        self.put(path, None);
        self
    }

    /// Replaces or removes a file of a running server.
    pub fn put(&self, path: &str, data: Option<Bytes>) {
        let mut state = self.shared.lock();
        state.site.tags.remove(path);
        state.site.overrides.insert(path.to_owned(), data);
    }

    /// Drops every rule: from now on the server is well.
    pub fn heal(&self) {
        self.shared.lock().site.rules.clear();
    }

    /// Lets everything that stalls now go on and send the rest.
    pub fn release(&self) {
        self.shared.lock().released += 1;
        self.shared.changed.notify_all();
    }

    /// Waits until this many responses stall at the same time.
    ///
    /// # Panics
    /// After 30 seconds.
    pub fn wait_for_stalls(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut state = self.shared.lock();
        while state.stalled < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "only {} of {count} responses stalled",
                state.stalled
            );
            state = self.shared.wait(state, left);
        }
    }

    /// Closes every connection and accepts no more, as a server that is killed.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in self.shared.lock().open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
        // The first wakes the accept call, which then sees that it is over. A connection that the
        // kernel still takes afterwards would be reset, and not refused.
        let refused = || TcpStream::connect(self.address).is_err();
        super::until("the end of the server", refused);
    }

    // What it has seen.

    /// The URL to put into GOPROXY.
    pub fn url(&self) -> String {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The PEM file of the authority, of a server with TLS.
    pub fn ca(&self) -> &Path {
        self.ca
            .as_deref()
            .expect("only a server with TLS has an authority")
    }

    /// How many requests a path has had. The path may hold one `*`.
    pub fn hits(&self, pattern: &str) -> usize {
        let rule = Rule {
            pattern: pattern.to_owned(),
            fault: Fault::Garbage,
            left: 0,
        };
        self.shared
            .lock()
            .log
            .iter()
            .filter(|request| rule.matches(&request.path))
            .count()
    }

    /// All requests, in the order their answers began.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().log.clone()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most requests that were being answered at the same time.
    pub fn max_in_flight(&self) -> usize {
        self.shared.max_in_flight.load(Ordering::SeqCst)
    }

    /// Bytes of bodies sent so far.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.bytes_sent.load(Ordering::SeqCst)
    }

    /// Forgets requests and counts.
    pub fn forget(&self) {
        self.shared.lock().log.clear();
        self.shared.bytes_sent.store(0, Ordering::SeqCst);
        self.shared.max_in_flight.store(0, Ordering::SeqCst);
        self.shared.connections.store(0, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// The tree of `testdata/mod`, zipped once per test process.
pub fn fixtures_tree() -> Arc<Tree> {
    static TREE: OnceLock<Arc<Tree>> = OnceLock::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    Arc::clone(TREE.get_or_init(|| Arc::new(Fixtures::read(&folder).tree())))
}
