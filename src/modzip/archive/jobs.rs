//! The entries of an open zip as work for threads: cut into jobs, run, the hashes put together.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::super::broken::Broken;
use super::super::inflate::{ContentSink, EntryFault, Scratch, WHOLE_BYTES, ZipSpan};
use super::{ModuleZip, ZipEntry};
use crate::error::{Error, Result};
use crate::gomod::FileHash;

/// Neighbouring small entries are read together: one read of up to this many bytes, one job.
const RUN_BYTES: u64 = 256 << 10;
/// A job's share of what a run unpacks to, in bytes, and of entries: jobs stay alike in length.
const RUN_UNPACKED_BYTES: u64 = 1 << 20;
const RUN_ENTRIES: usize = 64;
/// Below both of these a zip is one job: handing it round would cost more than it saves.
const ALONE_ENTRIES: usize = 64;
const ALONE_UNPACKED_BYTES: u64 = 1 << 20;

/// Neighbouring entries that one thread unpacks in one go.
pub(super) struct UnpackJob<'a> {
    /// The place of the first one in the zip's entries.
    first: usize,
    entries: &'a [ZipEntry],
    span: ZipSpan,
    unpacked: u64,
}

impl ModuleZip {
    /// Has every entry worked on; returns their hashes, in the order of the entries.
    pub(super) fn process<W>(&self, work: W) -> Result<Vec<FileHash>>
    where
        W: Fn(&UnpackJob<'_>, &mut [FileHash]) -> Result<()> + Sync,
    {
        let mut hashes = vec![FileHash::default(); self.entries.len()];
        let mut jobs = self.jobs(&mut hashes);
        let alone =
            self.entries.len() < ALONE_ENTRIES && self.unpacked_bytes < ALONE_UNPACKED_BYTES;
        if alone {
            jobs.iter_mut()
                .try_for_each(|(job, hashes)| work(job, hashes))?;
        } else {
            // The longest first; those of one run stay in the file's order.
            jobs.sort_by_key(|(job, _)| Reverse(job.unpacked / RUN_UNPACKED_BYTES));
            jobs.par_iter_mut()
                .with_max_len(1)
                .try_for_each(|(job, hashes)| work(job, hashes))?;
        }
        drop(jobs);
        Ok(hashes)
    }

    /// Cuts the entries into jobs: a large entry is one, neighbouring small ones are one.
    fn jobs<'a>(&'a self, hashes: &'a mut [FileHash]) -> Vec<(UnpackJob<'a>, &'a mut [FileHash])> {
        let mut jobs = Vec::new();
        let mut rest = hashes;
        let mut first = 0;
        while first < self.entries.len() {
            let mut job = UnpackJob {
                first,
                entries: &[],
                span: ZipSpan::default(),
                unpacked: 0,
            };
            if let Some(entry) = self.entries.get(first) {
                job.span.offset = entry.offset.into();
            }
            for (i, entry) in self.entries.iter().enumerate().skip(first) {
                let bytes = self.span(i, entry).unwrap_or_default().bytes;
                let unpacked = u64::from(entry.unpacked);
                let full = job.span.bytes + bytes > RUN_BYTES
                    || job.unpacked + unpacked > RUN_UNPACKED_BYTES
                    || i - first == RUN_ENTRIES;
                if full && i > first {
                    break;
                }
                job.span.bytes += bytes;
                job.unpacked += unpacked;
                job.entries = self.entries.get(first..=i).unwrap_or_default();
            }
            first += job.entries.len();
            let (mine, others) = rest.split_at_mut(job.entries.len());
            rest = others;
            jobs.push((job, mine));
        }
        jobs
    }

    /// Unpacks a job's entries, each into what `output` makes for its file name.
    pub(super) fn run<'z, S: ContentSink>(
        &'z self,
        job: &UnpackJob<'_>,
        hashes: &mut [FileHash],
        output: impl Fn(Option<&'z str>) -> Result<S>,
    ) -> Result<()> {
        Scratch::with(|scratch| {
            if job.span.bytes > WHOLE_BYTES as u64 || job.unpacked > WHOLE_BYTES as u64 {
                // Such a job has one entry: a run ends before it gets this long.
                for (entry, hash) in job.entries.iter().zip(hashes) {
                    let mut sink = output(self.file_name(entry))?;
                    *hash = scratch
                        .stream(&self.file, job.span, &self.central(entry), &mut sink)
                        .map_err(|fault| self.entry_error(entry, fault))?;
                }
                return Ok(());
            }
            let mut loaded = scratch
                .load(&self.file, job.span)
                .map_err(|error| self.cannot_read(error))?;
            for (i, (entry, hash)) in job.entries.iter().zip(hashes).enumerate() {
                let span = self.span(job.first + i, entry).unwrap_or_default();
                let mut sink = output(self.file_name(entry))?;
                *hash = loaded
                    .unpack(span, &self.central(entry), &mut sink)
                    .map_err(|fault| self.entry_error(entry, fault))?;
            }
            Ok(())
        })
    }

    fn entry_error(&self, entry: &ZipEntry, fault: EntryFault) -> Error {
        match fault {
            EntryFault::Rule(reason) => Broken::entry(self.name(entry), reason).of(&self.module),
            EntryFault::Read(error) => self.cannot_read(error),
            EntryFault::Write(error) => error,
        }
    }
}
