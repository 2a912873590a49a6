//! Reads the head of each answer before ureq's parser sees it, and writes it anew ([`response_head`]).
//!
//! After a request the connection is at a head: its bytes are taken out of the connection's own buffer until the head
//! is whole, and ureq is shown either nothing or a whole head. The bytes behind it stay in the connection's buffer, and
//! from there on this file only hands on.
//!
//! [`response_head`]: super::response_head

use std::fmt;
use std::sync::Arc;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::proxies::Proxies;
use super::response_head::{MAX_HEAD_BYTES, ResponseHead, head_length};
use crate::http::exchange;

/// Last in the chain of connectors. A connection to a proxy is handed on as it is: it becomes part of one to a target.
#[derive(Debug)]
pub(in crate::http) struct HeadConnector(pub(in crate::http) Arc<Proxies>);

impl<In: Transport> Connector<In> for HeadConnector {
    type Out = HeadReader<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let to_target = !self.0.has(details.uri);
        Ok(chained.map(|inner| HeadReader {
            inner,
            to_target,
            at: HeadPosition::Body,
            head: Vec::new(),
            counted: 0,
        }))
    }
}

/// Where in an answer a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadPosition {
    /// Before the end of the head; `head` has what has come of it.
    Head,
    /// `head` is for ureq, which has not read it so far.
    Parser,
    /// Behind the head, or between two requests.
    Body,
}

/// A connection whose heads are written anew.
pub(in crate::http) struct HeadReader<In> {
    inner: In,
    to_target: bool,
    at: HeadPosition,
    head: Vec<u8>,
    /// The bytes of this answer that were read so far, interim answers and empty lines included.
    counted: usize,
}

impl<In> fmt::Debug for HeadReader<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadReader")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl<In: Transport> HeadReader<In> {
    /// Takes what has come of the head; true if it is whole.
    ///
    /// # Errors
    /// It is too long.
    fn take_head(&mut self) -> Result<bool, ureq::Error> {
        loop {
            if self.head.is_empty() {
                self.skip_empty_lines();
            }
            let seen = self.head.len();
            let buffers = self.inner.buffers();
            self.head.extend_from_slice(buffers.input());
            let end = head_length(&self.head, seen);
            let taken = end.unwrap_or(self.head.len()).saturating_sub(seen);
            buffers.input_consume(taken);
            self.counted += taken;
            if self.counted > MAX_HEAD_BYTES {
                return Err(ureq::Error::LargeResponseHeader(
                    self.counted,
                    MAX_HEAD_BYTES,
                ));
            }
            let Some(end) = end else { return Ok(false) };
            self.head.truncate(end);
            let head = ResponseHead::read(&self.head);
            if !head.is_interim {
                exchange::phrased(&head.reason);
                self.head = head.text;
                self.at = HeadPosition::Parser;
                return Ok(true);
            }
            self.head.clear();
        }
    }

    /// ureq's parser skips empty lines before a head; here they would be taken for its end.
    fn skip_empty_lines(&mut self) {
        let buffers = self.inner.buffers();
        let input = buffers.input();
        let mut rest = input;
        while let Some(after) = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")) {
            rest = after;
        }
        let skipped = input.len() - rest.len();
        if skipped > 0 {
            buffers.input_consume(skipped);
            self.counted += skipped;
        }
    }
}

impl<In: Transport> Transport for HeadReader<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        match self.at {
            HeadPosition::Head | HeadPosition::Parser => self,
            HeadPosition::Body => self.inner.buffers(),
        }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.to_target && self.at == HeadPosition::Body {
            self.at = HeadPosition::Head;
            self.head = Vec::new();
            self.counted = 0;
        }
        self.inner.transmit_output(amount, timeout)
    }

    /// One read at most, so that ureq's time-out for the head as a whole holds.
    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.at {
            HeadPosition::Body => self.inner.await_input(timeout),
            HeadPosition::Head => {
                if self.take_head()? {
                    return Ok(true);
                }
                let progress = self.inner.await_input(timeout)?;
                self.take_head()?;
                Ok(progress)
            }
            // ureq sees no end in it, so what follows would not help.
            HeadPosition::Parser => Ok(false),
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// What ureq sees of the connection at a head.
impl<In: Transport> Buffers for HeadReader<In> {
    fn output(&mut self) -> &mut [u8] {
        self.inner.buffers().output()
    }

    fn input(&self) -> &[u8] {
        match self.at {
            HeadPosition::Parser => &self.head,
            HeadPosition::Head | HeadPosition::Body => &[],
        }
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.inner.buffers().input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.inner.buffers().input_appended(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        if self.at == HeadPosition::Parser && amount > 0 {
            // The parser takes a head whole.
            self.head.drain(..amount.min(self.head.len()));
            if self.head.is_empty() {
                self.head = Vec::new();
                self.at = HeadPosition::Body;
            }
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.inner.buffers().tmp_and_output()
    }

    fn can_use_input(&self) -> bool {
        false
    }
}
