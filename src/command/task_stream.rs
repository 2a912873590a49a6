//! Files that are read or written in one pass, with progress: bundles and archives.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::event::{Event, EventSink};

/// A stream whose bytes count as the progress of a task.
pub(super) struct TaskStream<S> {
    inner: S,
    events: Arc<dyn EventSink>,
}

impl<S> TaskStream<S> {
    /// Begins the task, of `bytes` bytes if their number is known.
    pub(super) fn begin(
        inner: S,
        task: &'static str,
        bytes: Option<u64>,
        events: Arc<dyn EventSink>,
    ) -> TaskStream<S> {
        events.event(&Event::TaskStarted {
            task,
            items: None,
            bytes,
        });
        TaskStream { inner, events }
    }

    fn advance(&self, bytes: usize) -> usize {
        self.events.event(&Event::TaskAdvanced {
            items: 0,
            bytes: bytes as u64,
        });
        bytes
    }
}

impl<R: Read> Read for TaskStream<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(room)?;
        Ok(self.advance(read))
    }
}

impl<W: Write> Write for TaskStream<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        Ok(self.advance(written))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
