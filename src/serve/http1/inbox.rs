//! What other threads have for a reactor: connections, answers, news of bodies, and the end.

use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

use super::response::Response;
use super::socket::Accepted;

/// One connection of one reactor; a number is not used for two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionId {
    /// Its place among the connections.
    pub(super) place: usize,
    /// Which of those that had this place it is.
    pub(super) generation: u64,
}

#[derive(Debug)]
pub(super) enum ReactorMessage {
    /// A new connection.
    Accepted(Accepted),
    /// The answer to the request that a connection waits for.
    Answer(ConnectionId, Box<Response>),
    /// The live file that a connection sends has grown or ended.
    Grown(ConnectionId),
    /// No more requests are taken: what is being answered is finished.
    Drain,
    /// Everything is dropped.
    Stop,
}

/// Where messages wait until the reactor wakes.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: Mutex<Vec<ReactorMessage>>,
    waker: Waker,
}

impl Inbox {
    pub(super) fn new(waker: Waker) -> Inbox {
        Inbox {
            messages: Mutex::default(),
            waker,
        }
    }

    pub(super) fn put(&self, message: ReactorMessage) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = messages.is_empty();
        messages.push(message);
        drop(messages);
        if was_empty {
            // Fails only if the reactor's poll is gone, and then the message has no reader.
            let _ = self.waker.wake();
        }
    }

    pub(super) fn take(&self) -> Vec<ReactorMessage> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut messages)
    }
}

/// Wakes one connection that waits for a live file.
#[derive(Clone, Debug)]
pub struct BodyWaker {
    pub(super) inbox: Arc<Inbox>,
    pub(super) id: ConnectionId,
}

impl BodyWaker {
    pub(super) fn wake(self) {
        self.inbox.put(ReactorMessage::Grown(self.id));
    }
}

/// The duty to answer one request, from any thread. Dropped, it answers 500.
#[derive(Debug)]
pub struct Responder {
    inbox: Arc<Inbox>,
    id: ConnectionId,
    is_http11: bool,
    answered: bool,
}

impl Responder {
    pub(super) fn new(inbox: Arc<Inbox>, id: ConnectionId, is_http11: bool) -> Responder {
        Responder {
            inbox,
            id,
            is_http11,
            answered: false,
        }
    }

    /// True if the client can be sent a body whose length is not known.
    #[must_use]
    pub fn takes_chunks(&self) -> bool {
        self.is_http11
    }

    /// Answers.
    pub fn send(mut self, response: Response) {
        self.answered = true;
        self.inbox
            .put(ReactorMessage::Answer(self.id, Box::new(response)));
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.answered {
            let response = Response::text(500, "the request was given up");
            self.inbox
                .put(ReactorMessage::Answer(self.id, Box::new(response)));
        }
    }
}
