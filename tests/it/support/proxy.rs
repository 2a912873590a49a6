//! A real module proxy on 127.0.0.1 that can be told to misbehave.
//!
//! HTTP/1.1 with keep-alive over `std::net`, a thread per connection, over TLS if asked. It
//! serves a [`Tree`] from memory, answers `Range` (with `If-Range`), counts and logs requests,
//! and commits scripted [`Fault`]s. Dropping it closes every connection and joins every thread,
//! also those that stall or delay.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use super::answer::{Ending, Site, plan, read_request, reason};
use super::script::{Fault, Request, Rule, Times};
use super::tls;
use super::universe::{Bytes, Module, Tree, Universe};

/// A running server; see the module's documentation.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
    ca: Option<PathBuf>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told about release and the end of the server: what stalls and delays wait for.
    changed: Condvar,
    stopping: AtomicBool,
    connections: AtomicUsize,
    /// Connections ever accepted: `connections` can be set back.
    last_number: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    bytes_sent: AtomicU64,
    tls: OnceLock<tls::Acceptor>,
}

#[derive(Default)]
struct State {
    site: Site,
    log: Vec<Request>,
    open: HashMap<usize, TcpStream>,
    released: usize,
    stalled: usize,
}

impl Proxy {
    /// Serves the universe of `testdata/mod`.
    pub fn serve() -> Proxy {
        Proxy::of(universe_tree())
    }

    /// Serves nothing but the given modules.
    pub fn of_modules(modules: Vec<Module>) -> Proxy {
        Proxy::of(Arc::new(Universe::of(modules).tree()))
    }

    /// Serves a tree of files.
    pub fn of(tree: Arc<Tree>) -> Proxy {
        Proxy::start(tree, None)
    }

    /// Serves the universe over TLS, with a certificate of an authority made for it: see
    /// [`Proxy::ca`]. `folder` is where that authority's certificate is put.
    pub fn serve_tls(folder: &Path) -> Proxy {
        Proxy::start(universe_tree(), Some(folder))
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
            move || accept(&listener, &shared)
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
    pub fn babbling(self, pattern: &str, times: Times) -> Proxy {
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

    /// Puts a file in the place of what the universe has at a path.
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
        // Wakes the accept call, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
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
pub fn universe_tree() -> Arc<Tree> {
    static TREE: OnceLock<Arc<Tree>> = OnceLock::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    Arc::clone(TREE.get_or_init(|| Arc::new(Universe::read(&folder).tree())))
}

impl Shared {
    /// A test that failed while it held the lock must not hide its message behind ours.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout(state, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Sleeps, but not beyond the end of the server.
    fn sleep(&self, duration: Duration) {
        let deadline = Instant::now() + duration;
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stopping() {
                return;
            }
            state = self.wait(state, left);
        }
    }

    fn stall(&self) {
        let mut state = self.lock();
        let before = state.released;
        state.stalled += 1;
        self.changed.notify_all();
        while state.released == before && !self.stopping() {
            state = self.wait(state, Duration::from_secs(1));
        }
        state.stalled -= 1;
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut handlers = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping() {
            break;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.last_number.fetch_add(1, Ordering::SeqCst);
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        handlers.push(thread::spawn(move || {
            if let Ok(copy) = stream.try_clone() {
                shared.lock().open.insert(number, copy);
            }
            // Drop may have looked at the open connections just before this one was there.
            if !shared.stopping() {
                let _ = stream.set_nodelay(true);
                let _ = match shared.tls.get() {
                    Some(acceptor) => acceptor
                        .accept(stream)
                        .and_then(|stream| converse(stream, number, &shared)),
                    None => converse(stream, number, &shared),
                };
            }
            shared.lock().open.remove(&number);
        }));
        handlers.retain(|handler| !handler.is_finished());
    }
    for handler in handlers {
        let _ = handler.join();
    }
}

/// A connection that can be reset.
pub trait Connection: Read + Write {
    /// The socket below.
    fn socket(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// Answers requests until the peer or a fault ends the connection.
fn converse(stream: impl Connection, number: usize, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader)? {
        request.connection = number;
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.max_in_flight.fetch_max(now, Ordering::SeqCst);
        let close = request
            .header("connection")
            .is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let outcome = respond(reader.get_mut(), request, shared);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        if outcome? == Next::Close || close || shared.stopping() {
            break;
        }
    }
    let _ = reader.get_mut().flush();
    // The copy kept for Drop would keep the connection open.
    let _ = reader.get_ref().socket().shutdown(Shutdown::Both);
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Next {
    Keep,
    Close,
}

fn respond(
    stream: &mut impl Connection,
    mut request: Request,
    shared: &Shared,
) -> io::Result<Next> {
    let plan = {
        let mut state = shared.lock();
        plan(&mut state.site, &request)
    };
    shared.sleep(plan.delay);
    request.status = plan.status;
    let number = request.connection;
    let head_only = request.method == "HEAD";
    shared.lock().log.push(request);
    if plan.status == 0 {
        stream.write_all(b"SMTP/1.1 two hundred\r\n\r\n")?;
        return Ok(Next::Close);
    }
    let mut head = format!("HTTP/1.1 {} {}\r\n", plan.status, reason(plan.status));
    for (name, value) in &plan.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", plan.body.len()));
    stream.write_all(head.as_bytes())?;
    if head_only {
        return Ok(Next::Keep);
    }
    let body = &plan.body;
    match plan.ending {
        Ending::Whole => {
            send(stream, body, plan.bytes_per_second, shared)?;
            Ok(Next::Keep)
        }
        Ending::Cut(after) => {
            send(
                stream,
                &body[..after.min(body.len())],
                plan.bytes_per_second,
                shared,
            )?;
            Ok(Next::Close)
        }
        Ending::Stall(after) => {
            let after = after.min(body.len());
            send(stream, &body[..after], plan.bytes_per_second, shared)?;
            stream.flush()?;
            shared.stall();
            send(stream, &body[after..], plan.bytes_per_second, shared)?;
            Ok(Next::Keep)
        }
        Ending::Reset(after) => {
            send(
                stream,
                &body[..after.min(body.len())],
                plan.bytes_per_second,
                shared,
            )?;
            stream.flush()?;
            // Lingering for no time makes closing a reset.
            let linger = nix::libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            setsockopt(stream.socket(), sockopt::Linger, &linger)?;
            let mut state = shared.lock();
            state.open.remove(&number);
            Err(io::Error::other("reset on purpose"))
        }
    }
}

fn send(
    stream: &mut impl Connection,
    body: &[u8],
    bytes_per_second: Option<u64>,
    shared: &Shared,
) -> io::Result<()> {
    // 50 pieces a second are smooth enough to measure a rate.
    let piece = bytes_per_second.map_or(256 << 10, |rate| (rate / 50).max(1)) as usize;
    for chunk in body.chunks(piece) {
        if shared.stopping() {
            return Err(io::Error::other("the server is gone"));
        }
        stream.write_all(chunk)?;
        shared
            .bytes_sent
            .fetch_add(chunk.len() as u64, Ordering::SeqCst);
        if bytes_per_second.is_some() {
            shared.sleep(Duration::from_millis(20));
        }
    }
    stream.flush()
}
