//! The threads of a server: one that accepts, and one for each core that drives connections.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use rustls::ServerConfig;

use super::inbox::{Inbox, ReactorMessage};
use super::listener::Listener;
use super::reactor::Reactor;
use super::socket::{Accepted, Stream};
use super::sockets::{PolledUnixListener, keep_alive};
use super::{Limits, Service};
use crate::error::{Error, Kind, Result};

/// The token of the waker; there are never so many listeners.
const WAKER: Token = Token(usize::MAX);

/// How long to wait where no more files can be opened: others are closed meanwhile.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// The answer to one connection too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";

/// A running server.
pub struct Front {
    acceptor: Option<JoinHandle<()>>,
    reactors: Vec<JoinHandle<()>>,
    inboxes: Vec<Arc<Inbox>>,
    waker: Arc<Waker>,
    stopping: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    tls: Tls,
}

/// The TLS configuration of new connections, which can be replaced.
type Tls = Arc<Mutex<Option<Arc<ServerConfig>>>>;

/// How the last requests of a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// All were answered.
    Finished,
    /// So many connections were cut when the time was over.
    Cut(usize),
}

impl Front {
    /// Serves on `listeners`, over TLS if there is a configuration.
    ///
    /// # Errors
    /// [`Kind::LocalIo`]: a thread or a poll cannot be made.
    pub fn start(
        listeners: Vec<Listener>,
        tls: Option<Arc<ServerConfig>>,
        service: &Arc<dyn Service>,
        limits: Limits,
        threads: usize,
    ) -> Result<Front> {
        let start = || {
            let open = Arc::new(AtomicUsize::new(0));
            let mut reactors = Vec::new();
            let mut inboxes = Vec::new();
            for number in 0..threads.max(1) {
                let reactor = Reactor::new(Arc::clone(service), limits, Arc::clone(&open))?;
                inboxes.push(reactor.inbox());
                let name = format!("http-{number}");
                let thread = thread::Builder::new().name(name);
                reactors.push(thread.spawn(move || reactor.run())?);
            }
            let tls: Tls = Arc::new(Mutex::new(tls));
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
            let stopping = Arc::new(AtomicBool::new(false));
            let acceptor = Acceptor {
                poll,
                inboxes: inboxes.clone(),
                tls: Arc::clone(&tls),
                stopping: Arc::clone(&stopping),
                open: Arc::clone(&open),
                most: limits.connections,
            };
            let thread = thread::Builder::new().name("http-accept".into());
            let acceptor = thread.spawn(move || acceptor.run(listeners))?;
            Ok(Front {
                acceptor: Some(acceptor),
                reactors,
                inboxes,
                waker,
                stopping,
                open,
                tls,
            })
        };
        start().map_err(|cause: io::Error| {
            Error::new(Kind::LocalIo, "cannot start the server").because(cause)
        })
    }

    /// The connections that are open.
    #[must_use]
    pub fn open_connections(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.open)
    }

    /// Uses another certificate for the connections to come.
    pub fn replace_tls(&self, config: Arc<ServerConfig>) {
        *self.tls.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    /// Accepts no more connections, closes those that are idle, and waits until the others have
    /// their answer, but no longer than `patience`.
    #[must_use]
    pub fn drain(mut self, patience: Duration) -> Drain {
        self.stop_accepting();
        for inbox in &self.inboxes {
            inbox.put(ReactorMessage::Drain);
        }
        let deadline = Instant::now() + patience;
        while self.reactors.iter().any(|reactor| !reactor.is_finished()) {
            if Instant::now() >= deadline {
                return Drain::Cut(self.open.load(Ordering::Relaxed));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Drain::Finished
    }

    fn stop_accepting(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Fails only if the acceptor's poll is gone.
        let _ = self.waker.wake();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop_accepting();
        for inbox in &self.inboxes {
            inbox.put(ReactorMessage::Stop);
        }
        for reactor in self.reactors.drain(..) {
            let _ = reactor.join();
        }
    }
}

struct Acceptor {
    poll: Poll,
    inboxes: Vec<Arc<Inbox>>,
    tls: Tls,
    stopping: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    most: usize,
}

enum Listening {
    Tcp(TcpListener),
    Unix(PolledUnixListener, Option<std::path::PathBuf>),
}

impl Acceptor {
    fn run(mut self, listeners: Vec<Listener>) {
        let mut listening: Vec<Listening> = listeners
            .into_iter()
            .map(|listener| match listener {
                Listener::Tcp(listener) => Listening::Tcp(TcpListener::from_std(listener)),
                Listener::Unix(listener, path) => {
                    Listening::Unix(PolledUnixListener::from_std(listener), path)
                }
            })
            .collect();
        for (place, listener) in listening.iter_mut().enumerate() {
            let registry = self.poll.registry();
            let registered = match listener {
                Listening::Tcp(listener) => {
                    registry.register(listener, Token(place), Interest::READABLE)
                }
                Listening::Unix(listener, _) => {
                    registry.register(listener, Token(place), Interest::READABLE)
                }
            };
            if registered.is_err() {
                return;
            }
        }
        let mut events = Events::with_capacity(16);
        let mut turn = 0;
        while !self.stopping.load(Ordering::SeqCst) {
            match self.poll.poll(&mut events, None) {
                Err(cause) if cause.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
            for event in &events {
                if let Some(listener) = listening.get(event.token().0) {
                    self.accept_all(listener, &mut turn);
                }
            }
        }
        for listener in listening {
            if let Listening::Unix(_, Some(path)) = listener {
                // Best effort: the next server replaces it.
                let _ = std::fs::remove_file(path);
            }
        }
    }

    fn accept_all(&self, listener: &Listening, turn: &mut usize) {
        while !self.stopping.load(Ordering::SeqCst) {
            match accept(listener) {
                Ok((stream, address)) => self.hand_on(stream, address, turn),
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return,
                Err(cause) if is_of_one_connection(&cause) => {}
                // No more files, or no memory: what is open goes on, and closes.
                Err(_) => thread::sleep(EXHAUSTED),
            }
        }
    }

    fn hand_on(&self, mut stream: Stream, address: Option<std::net::IpAddr>, turn: &mut usize) {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            // Best effort: a buffer that is empty takes so little at once.
            let _ = stream.write(FULL);
            return;
        }
        let tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        let accepted = Accepted {
            stream,
            address,
            tls: tls.clone(),
        };
        drop(tls);
        *turn = (*turn + 1) % self.inboxes.len();
        self.inboxes[*turn].put(ReactorMessage::Accepted(accepted));
    }
}

fn accept(listener: &Listening) -> io::Result<(Stream, Option<std::net::IpAddr>)> {
    match listener {
        Listening::Tcp(listener) => {
            let (stream, address) = listener.accept()?;
            set_up(&stream);
            let address = address.ip().to_canonical();
            Ok((Stream::Tcp(stream), Some(address)))
        }
        Listening::Unix(listener, _) => {
            let (stream, _) = listener.accept()?;
            Ok((Stream::Unix(stream), None))
        }
    }
}

fn set_up(stream: &TcpStream) {
    // Without it the end of a response waits for an acknowledgement. A connection that is closed
    // already says so when it is read.
    let _ = stream.set_nodelay(true);
    // A client that was switched off is noticed by the kernel.
    keep_alive(stream);
}

/// A failure that says nothing about the next connection: accept(2).
fn is_of_one_connection(cause: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    matches!(
        cause.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied
    )
}

#[cfg(test)]
#[path = "front_tests.rs"]
mod tests;
