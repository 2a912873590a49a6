//! One entry's record to its content: read, checked against the central directory, inflated
//! once, and handed on, with its SHA-256 computed on the way.
//!
//! Memory: buffers are kept by each thread and used again. An entry of up to [`WHOLE_BYTES`] is
//! handed on in one piece, a larger one through windows of [`WINDOW_BYTES`]. A thread holds at
//! most [`WHOLE_BYTES`] of input, as much output, and the inflater's own 40 KiB.
//!
//! The decoder is zlib-rs. On 34,000 entries of 249 zips from proxy.golang.org (700 MB out of 120
//! MB, one core, medians of seven) it makes 810 MB/s, miniz_oxide 478, libdeflate 1,057; SHA-256
//! 1,431. libdeflate would take 8 of 100 parts of the processor time of a cold download away. It
//! is C that reads what strangers send, and knows whole entries only: for large ones there would
//! still have to be another.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use sha2::{Digest, Sha256};

use super::directory::EntryMethod;
use super::local::{Central, MAX_LOCAL_BYTES};
use crate::error::Error;
use crate::gomod::FileHash;
use crate::system::FileAt as _;

/// Entries whose record and content are at most this long are read and inflated in one piece.
pub(super) const WHOLE_BYTES: usize = 1 << 20;
/// The window that larger entries pass through.
pub(super) const WINDOW_BYTES: usize = 256 << 10;
const _: () = assert!(WINDOW_BYTES >= MAX_LOCAL_BYTES);

/// Why an entry was not unpacked.
pub(super) enum EntryFault {
    /// The zip breaks a rule.
    Rule(Cow<'static, str>),
    /// The zip file cannot be read.
    Read(io::Error),
    /// The content cannot be written.
    Write(Error),
}

impl From<&'static str> for EntryFault {
    fn from(reason: &'static str) -> EntryFault {
        EntryFault::Rule(reason.into())
    }
}

/// The part of the zip file that holds one entry.
#[derive(Clone, Copy, Default)]
pub(super) struct ZipSpan {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// Where content goes, besides into the hash.
pub(super) trait ContentSink {
    fn write(&mut self, content: &[u8]) -> Result<(), Error>;
}

/// For content that is only hashed.
pub(super) struct Nowhere;

impl ContentSink for Nowhere {
    fn write(&mut self, _content: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// A thread's buffers and inflater.
pub(super) struct Scratch {
    input: Vec<u8>,
    inflater: Inflater,
}

struct Inflater {
    output: Vec<u8>,
    state: Decompress,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

/// The first `len` bytes of `buffer`, which grows to have them.
pub(super) fn prefix(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    buffer.get_mut(..len).unwrap_or_default()
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            input: Vec::new(),
            inflater: Inflater {
                output: Vec::new(),
                state: Decompress::new(false),
            },
        }
    }

    /// Lends the calling thread's buffers. `work` must not hand work to a thread pool and wait:
    /// the thread could then run another job that needs them (which would get new ones).
    pub(super) fn with<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => work(&mut scratch),
            Err(_) => work(&mut Scratch::new()),
        })
    }

    /// Reads `span` of `file`, at most [`WHOLE_BYTES`].
    pub(super) fn load(&mut self, file: &File, span: ZipSpan) -> io::Result<Loaded<'_>> {
        let bytes = usize::try_from(span.bytes).map_err(io::Error::other)?;
        let input = prefix(&mut self.input, bytes);
        file.read_exact_at(input, span.offset)?;
        Ok(Loaded {
            span,
            input,
            inflater: &mut self.inflater,
        })
    }

    /// Unpacks an entry of any size through windows.
    pub(super) fn stream(
        &mut self,
        file: &File,
        span: ZipSpan,
        entry: &Central<'_>,
        sink: &mut impl ContentSink,
    ) -> Result<FileHash, EntryFault> {
        let head_bytes = span.bytes.min(MAX_LOCAL_BYTES as u64) as usize;
        let head = prefix(&mut self.input, head_bytes);
        file.read_exact_at(head, span.offset)
            .map_err(EntryFault::Read)?;
        let data_start = entry.check_local(head)? as u64;
        let data_end = data_start + u64::from(entry.compressed);
        let after_bytes = span
            .bytes
            .checked_sub(data_end)
            .ok_or("zip: entries overlap")?;
        // No descriptor is longer than 24 bytes; one more is enough to see that there is more.
        let mut after = [0; 25];
        let after = &mut after[..after_bytes.min(25) as usize];
        file.read_exact_at(after, span.offset + data_end)
            .map_err(EntryFault::Read)?;
        entry.check_after(after)?;

        let mut reader = SpanWindow {
            file,
            window: prefix(&mut self.input, WINDOW_BYTES),
            start: 0,
            filled: 0,
            next_offset: span.offset + data_start,
            end_offset: span.offset + data_end,
        };
        reader.advance().map_err(EntryFault::Read)?;
        let mut content = EntryContent::new(entry, sink);
        match entry.method {
            EntryMethod::Stored => {
                while !reader.ready().is_empty() {
                    content.add(reader.ready())?;
                    reader.advance().map_err(EntryFault::Read)?;
                }
            }
            EntryMethod::Deflate => self.inflater.stream(&mut reader, &mut content)?,
        }
        content.finish()
    }
}

/// A run of whole records in memory.
pub(super) struct Loaded<'a> {
    span: ZipSpan,
    input: &'a [u8],
    inflater: &'a mut Inflater,
}

impl<'a> Loaded<'a> {
    /// Unpacks one of the entries in the run, in one piece.
    pub(super) fn unpack(
        &mut self,
        span: ZipSpan,
        entry: &Central<'_>,
        sink: &mut impl ContentSink,
    ) -> Result<FileHash, EntryFault> {
        let record = self.record(span).ok_or("zip: entries overlap")?;
        let data_start = entry.check_local(record)?;
        let (data, after) = record
            .get(data_start..)
            .and_then(|rest| rest.split_at_checked(entry.compressed as usize))
            .ok_or("zip: entries overlap")?;
        entry.check_after(after)?;
        let mut content = EntryContent::new(entry, sink);
        match entry.method {
            EntryMethod::Stored => content.add(data)?,
            EntryMethod::Deflate => content.add(self.inflater.whole(data, entry)?)?,
        }
        content.finish()
    }

    fn record(&self, span: ZipSpan) -> Option<&'a [u8]> {
        let start = usize::try_from(span.offset.checked_sub(self.span.offset)?).ok()?;
        let bytes = usize::try_from(span.bytes).ok()?;
        self.input.get(start..)?.get(..bytes)
    }
}

impl Inflater {
    /// Inflates all of `data`. One byte more than declared has room, to tell that there is more.
    fn whole(&mut self, data: &[u8], entry: &Central<'_>) -> Result<&[u8], EntryFault> {
        let declared = entry.unpacked as usize;
        let output = prefix(&mut self.output, declared + 1);
        self.state.reset(false);
        let status = self.state.decompress(data, output, FlushDecompress::Finish);
        if self.state.total_out() > declared as u64 {
            return Err(too_large(entry));
        }
        match status {
            Ok(Status::StreamEnd) if self.state.total_in() == data.len() as u64 => {}
            Ok(Status::StreamEnd) => return Err(UNUSED_DATA.into()),
            Ok(Status::Ok | Status::BufError) => return Err(TRUNCATED.into()),
            Err(_) => return Err(CORRUPT.into()),
        }
        let produced = usize::try_from(self.state.total_out()).unwrap_or(usize::MAX);
        Ok(self.output.get(..produced).unwrap_or_default())
    }

    fn stream(
        &mut self,
        reader: &mut SpanWindow<'_>,
        content: &mut EntryContent<'_, impl ContentSink>,
    ) -> Result<(), EntryFault> {
        let output = prefix(&mut self.output, WINDOW_BYTES);
        self.state.reset(false);
        loop {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(reader.ready(), output, FlushDecompress::None)
                .map_err(|_| CORRUPT)?;
            let consumed = usize::try_from(self.state.total_in() - read).unwrap_or(usize::MAX);
            let produced = usize::try_from(self.state.total_out() - written).unwrap_or(usize::MAX);
            content.add(output.get(..produced).unwrap_or_default())?;
            reader.start += consumed;
            if status == Status::StreamEnd {
                return match reader.rest() {
                    0 => Ok(()),
                    _ => Err(UNUSED_DATA.into()),
                };
            }
            if reader.ready().is_empty() && reader.rest() > 0 {
                reader.advance().map_err(EntryFault::Read)?;
            } else if consumed == 0 && produced == 0 {
                return Err(TRUNCATED.into());
            }
        }
    }
}

const CORRUPT: &str = "flate: corrupt input";
const TRUNCATED: &str = "unexpected EOF";
const UNUSED_DATA: &str = "zip: unused bytes in the entry's data";

fn too_large(entry: &Central<'_>) -> EntryFault {
    EntryFault::Rule(
        format!(
            "uncompressed size of file {} is larger than declared size ({} bytes)",
            entry.name, entry.unpacked
        )
        .into(),
    )
}

/// A window that moves over a span of the zip file.
struct SpanWindow<'a> {
    file: &'a File,
    window: &'a mut [u8],
    /// window[start..filled] is read and not yet used.
    start: usize,
    filled: usize,
    /// Where the next read starts and where the last one ends.
    next_offset: u64,
    end_offset: u64,
}

impl SpanWindow<'_> {
    fn ready(&self) -> &[u8] {
        self.window.get(self.start..self.filled).unwrap_or_default()
    }

    /// Bytes not yet used, read or not.
    fn rest(&self) -> u64 {
        self.ready().len() as u64 + (self.end_offset - self.next_offset)
    }

    /// Replaces what is in the window with what comes next: nothing at the end.
    fn advance(&mut self) -> io::Result<()> {
        let left = self.end_offset - self.next_offset;
        let len = left.min(self.window.len() as u64) as usize;
        let target = self.window.get_mut(..len).unwrap_or_default();
        self.file.read_exact_at(target, self.next_offset)?;
        (self.start, self.filled) = (0, len);
        self.next_offset += len as u64;
        Ok(())
    }
}

/// What has been unpacked of an entry: counted, hashed and handed on.
struct EntryContent<'a, S> {
    entry: &'a Central<'a>,
    sink: &'a mut S,
    bytes: u64,
    crc: Crc,
    hash: Sha256,
}

impl<'a, S: ContentSink> EntryContent<'a, S> {
    fn new(entry: &'a Central<'a>, sink: &'a mut S) -> EntryContent<'a, S> {
        EntryContent {
            entry,
            sink,
            bytes: 0,
            crc: Crc::new(),
            hash: Sha256::new(),
        }
    }

    /// Takes the next piece. Nothing beyond the declared size reaches the sink.
    fn add(&mut self, piece: &[u8]) -> Result<(), EntryFault> {
        if piece.is_empty() {
            return Ok(());
        }
        self.bytes += piece.len() as u64;
        if self.bytes > u64::from(self.entry.unpacked) {
            return Err(too_large(self.entry));
        }
        self.crc.update(piece);
        self.hash.update(piece);
        self.sink.write(piece).map_err(EntryFault::Write)
    }

    fn finish(self) -> Result<FileHash, EntryFault> {
        if self.bytes != u64::from(self.entry.unpacked) {
            return Err(TRUNCATED.into());
        }
        if self.crc.sum() != self.entry.crc {
            return Err("zip: checksum error".into());
        }
        Ok(self.hash.finalize().into())
    }
}
