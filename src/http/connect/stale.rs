//! Connections that the server closed while they were idle.
//!
//! ureq looks at an idle connection before it uses it again, which finds most of them. Between
//! that look and the request there is a gap, and a server that has stopped listening on the
//! connection may say so only when the request arrives. Such a failure says nothing about the
//! request: as Go's client does, it is made again at once, on another connection.

use std::fmt;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::connection::{self, ConnectionHandle};
use crate::cancel::CancelHook;

/// A connection that had been idle failed before the first byte of an answer.
#[derive(Debug)]
pub(in crate::http) struct Stale;

impl Stale {
    /// True if `error` is about a stale connection.
    pub(in crate::http) fn caused(error: &ureq::Error) -> bool {
        matches!(error, ureq::Error::Other(inner) if inner.is::<Stale>())
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an idle connection was closed")
    }
}

impl std::error::Error for Stale {}

/// Last in the chain of connectors: watches what all others have made.
#[derive(Debug)]
pub(in crate::http) struct StaleWatch;

impl<In: Transport> Connector<In> for StaleWatch {
    type Out = Watched<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| Watched {
            inner,
            was_idle: false,
            handle: connection::opened(),
            hook: None,
        }))
    }
}

/// A connection that knows whether it has been idle and silent since.
pub(in crate::http) struct Watched<In> {
    inner: In,
    was_idle: bool,
    /// Of the socket, if this is the connection that opened it.
    handle: Option<ConnectionHandle>,
    /// Ends the connection with the work that uses it.
    hook: Option<CancelHook>,
}

impl<In> fmt::Debug for Watched<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("was_idle", &self.was_idle)
            .finish_non_exhaustive()
    }
}

impl<In> Watched<In> {
    /// A server that takes its time is not stale; everything else on a silent connection is.
    fn explain(&self, error: ureq::Error) -> ureq::Error {
        match error {
            ureq::Error::Timeout(_) => error,
            _ if self.was_idle => ureq::Error::Other(Box::new(Stale)),
            _ => error,
        }
    }
}

impl<In: Transport> Transport for Watched<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.hook.is_none() {
            self.hook = self.handle.as_ref().and_then(ConnectionHandle::register);
        }
        self.inner
            .transmit_output(amount, timeout)
            .map_err(|error| self.explain(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(timeout) {
            Ok(true) => {
                self.was_idle = false;
                Ok(true)
            }
            Ok(false) if self.was_idle => Err(ureq::Error::Other(Box::new(Stale))),
            Ok(false) => Ok(false),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Asked only of connections that go to the pool or come from it.
    fn is_open(&mut self) -> bool {
        self.was_idle = true;
        self.hook = None;
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
