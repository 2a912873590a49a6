//! The loop that waits for many connections at once, and drives each as far as it goes.
//!
//! One thread a core runs one of these. A service that answers at once is asked on this thread:
//! opening a file and asking for its size are what a static server does there as well. All that may
//! wait is done elsewhere, and comes back through the inbox.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Poll, Token, Waker};

use super::connection::{Connection, Context, Fate};
use super::date::http_date;
use super::inbox::{ConnectionId, Inbox, ReactorMessage};
use super::sending::CHUNK_BYTES;
use super::{Limits, Service};

/// The token of the inbox; no place is that high.
const INBOX: Token = Token(usize::MAX);

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_secs(1);

pub(super) struct Reactor {
    poll: Poll,
    inbox: Arc<Inbox>,
    service: Arc<dyn Service>,
    limits: Limits,
    /// The connections of all reactors.
    open: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Connections {
    places: Vec<Option<Box<Connection>>>,
    free: Vec<usize>,
    generation: u64,
    count: usize,
}

impl Connections {
    fn claim(&mut self) -> ConnectionId {
        self.generation += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        ConnectionId {
            place,
            generation: self.generation,
        }
    }

    fn find(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let found = self.places.get_mut(id.place)?.as_deref_mut()?;
        (found.id() == id).then_some(found)
    }
}

impl Reactor {
    /// # Errors
    /// The system has no more of what a poll needs.
    pub(super) fn new(
        service: Arc<dyn Service>,
        limits: Limits,
        open: Arc<AtomicUsize>,
    ) -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), INBOX)?));
        Ok(Reactor {
            poll,
            inbox,
            service,
            limits,
            open,
        })
    }

    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Runs until it is stopped, or has been drained.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut connections = Connections::default();
        let mut scratch = vec![0; CHUNK_BYTES];
        let mut rooms = Vec::new();
        let mut again: Vec<ConnectionId> = Vec::new();
        let mut draining = false;
        let mut next_tick = Instant::now() + TICK;
        let mut date = String::new();
        let mut date_of = None;
        loop {
            let timeout = match (again.is_empty(), connections.count) {
                (false, _) => Some(Duration::ZERO),
                (true, 0) => None,
                (true, _) => Some(next_tick.saturating_duration_since(Instant::now())),
            };
            match self.poll.poll(&mut events, timeout) {
                Err(cause) if cause.kind() != io::ErrorKind::Interrupted => return,
                _ => {}
            }
            let now = Instant::now();
            let clock = SystemTime::now();
            let second = clock
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            if date_of != Some(second) {
                date = http_date(clock);
                date_of = Some(second);
            }
            let mut context = Context {
                service: &*self.service,
                limits: &self.limits,
                inbox: &self.inbox,
                scratch: &mut scratch,
                rooms: &mut rooms,
                now,
                date: &date,
                draining,
            };
            let waiting = std::mem::take(&mut again);
            for event in &events {
                if event.token() == INBOX {
                    continue;
                }
                let place = event.token().0;
                let Some(Some(connection)) = connections.places.get_mut(place) else {
                    continue;
                };
                let closed = event.is_read_closed() || event.is_error();
                connection.notice(event.is_readable() || closed, event.is_writable(), closed);
                let id = connection.id();
                self.drive(&mut connections, id, &mut context, &mut again);
            }
            for message in self.inbox.take() {
                match message {
                    ReactorMessage::Accepted(mut accepted) => {
                        if self.open.load(Ordering::Relaxed) > self.limits.roomy() {
                            self.close_longest_idle(&mut connections, now);
                        }
                        let id = connections.claim();
                        let registered = accepted.stream.register(self.poll.registry(), id.place);
                        let made =
                            registered.and_then(|()| Connection::new(accepted, id, &context));
                        match made {
                            Ok(connection) => {
                                connections.places[id.place] = Some(Box::new(connection));
                                connections.count += 1;
                                self.drive(&mut connections, id, &mut context, &mut again);
                            }
                            Err(_) => {
                                connections.free.push(id.place);
                                self.open.fetch_sub(1, Ordering::Relaxed);
                            }
                        }
                    }
                    ReactorMessage::Answer(id, response) => {
                        if let Some(connection) = connections.find(id) {
                            connection.answer(*response, &mut context);
                            self.drive(&mut connections, id, &mut context, &mut again);
                        }
                    }
                    ReactorMessage::Grown(id) => {
                        self.drive(&mut connections, id, &mut context, &mut again);
                    }
                    ReactorMessage::Drain => {
                        draining = true;
                        context.draining = true;
                        self.each(
                            &mut connections,
                            &mut context,
                            |connection, _| match connection.is_idle() {
                                true => Fate::Closed,
                                false => Fate::Kept,
                            },
                        );
                    }
                    ReactorMessage::Stop => return,
                }
            }
            for id in waiting {
                self.drive(&mut connections, id, &mut context, &mut again);
            }
            if now >= next_tick {
                next_tick = now + TICK;
                self.each(&mut connections, &mut context, Connection::check_deadline);
            }
            if draining && connections.count == 0 {
                return;
            }
        }
    }

    fn drive(
        &self,
        connections: &mut Connections,
        id: ConnectionId,
        context: &mut Context<'_>,
        again: &mut Vec<ConnectionId>,
    ) {
        let Some(connection) = connections.find(id) else {
            return;
        };
        match connection.drive(context) {
            Fate::Kept => {}
            Fate::Again => again.push(id),
            Fate::Closed => self.close(connections, id.place),
        }
    }

    fn each(
        &self,
        connections: &mut Connections,
        context: &mut Context<'_>,
        mut look: impl FnMut(&mut Connection, &mut Context<'_>) -> Fate,
    ) {
        for place in 0..connections.places.len() {
            let found = connections.places[place].as_deref_mut();
            if found.is_some_and(|connection| look(connection, context) == Fate::Closed) {
                self.close(connections, place);
            }
        }
    }

    /// Makes room for a client that asks, by closing the connection of one that has not asked for the longest time.
    fn close_longest_idle(&self, connections: &mut Connections, now: Instant) {
        let places = connections.places.iter().enumerate();
        let idle = places.filter_map(|(place, connection)| {
            let since = connection.as_ref()?.idle_since(now)?;
            Some((since, place))
        });
        if let Some((_, place)) = idle.min() {
            self.close(connections, place);
        }
    }

    fn close(&self, connections: &mut Connections, place: usize) {
        if let Some(mut connection) = connections.places[place].take() {
            connection.stream.deregister(self.poll.registry());
            connections.free.push(place);
            connections.count -= 1;
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
