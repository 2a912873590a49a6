//! The connections of the scripted proxy: requests read, answers sent, cut, stalled or reset.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use super::answer::{Ending, Site, plan, read_request, reason};
use super::script::{HeadEnd, Request};
use super::tls;

#[derive(Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Told about release and the end of the server: what stalls and delays wait for.
    pub(super) changed: Condvar,
    pub(super) stopping: AtomicBool,
    pub(super) connections: AtomicUsize,
    /// Connections ever accepted: `connections` can be set back.
    pub(super) last_number: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    pub(super) max_in_flight: AtomicUsize,
    pub(super) bytes_sent: AtomicU64,
    pub(super) tls: OnceLock<tls::Acceptor>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) site: Site,
    pub(super) log: Vec<Request>,
    pub(super) open: HashMap<usize, TcpStream>,
    pub(super) released: usize,
    pub(super) stalled: usize,
}

impl Shared {
    /// A test that failed while it held the lock must not hide its message behind ours.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Duration,
    ) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout(state, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Sleeps, but not beyond the end of the server.
    pub(super) fn sleep(&self, duration: Duration) {
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

    pub(super) fn stall(&self) {
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

/// Takes connections until the server stops; returns the threads that answer them.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
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
    handlers
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
    if let Some(raw) = &plan.raw_head {
        head = raw.replace("[LENGTH]", &plan.body.len().to_string());
    }
    if let Ending::Head(after, end) = plan.ending {
        let (sent, rest) = head.as_bytes().split_at(after.min(head.len()));
        stream.write_all(sent)?;
        stream.flush()?;
        match end {
            HeadEnd::Close => return Ok(Next::Close),
            HeadEnd::Reset => return reset(stream, number, shared),
            HeadEnd::Stall => shared.stall(),
        }
        stream.write_all(rest)?;
    } else {
        stream.write_all(head.as_bytes())?;
    }
    if head_only {
        return Ok(Next::Keep);
    }
    let body = &plan.body;
    let send = |stream: &mut _, part: &[u8]| send(stream, part, plan.bytes_per_second, shared);
    match plan.ending {
        Ending::Whole | Ending::Head(..) => {
            send(stream, body)?;
            Ok(Next::Keep)
        }
        Ending::Cut(after) => {
            send(stream, &body[..after.min(body.len())])?;
            Ok(Next::Close)
        }
        Ending::Stall(after) => {
            let after = after.min(body.len());
            send(stream, &body[..after])?;
            stream.flush()?;
            shared.stall();
            send(stream, &body[after..])?;
            Ok(Next::Keep)
        }
        Ending::Reset(after) => {
            send(stream, &body[..after.min(body.len())])?;
            stream.flush()?;
            reset(stream, number, shared)
        }
    }
}

fn reset(stream: &impl Connection, number: usize, shared: &Shared) -> io::Result<Next> {
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
