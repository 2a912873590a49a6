//! A pack and its index: finding an object, and putting it together from its deltas.
//!
//! Read by position, so that any number of threads share one open file, and a pack that git
//! removes while it packs anew stays readable. The index is kept in memory: 20 bytes and a bit
//! for each object, which for a shallow clone is little.
//!
//! Source: git `Documentation/gitformat-pack.txt`.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::ZlibDecoder;

use super::delta;
use super::id::{HashKind, ObjectId};
use super::object::ObjectKind;
use crate::error::{Error, Result};
use crate::system::FileAt as _;

/// The longest row of deltas that is followed; git makes rows of 50, and never more than 4095.
const MAX_DELTAS: usize = 4096;

/// What is kept of bases that several deltas begin from.
const BASE_CACHE_BYTES: usize = 8 << 20;

/// The largest object that is put together from deltas, in memory: a module's size. Git makes no
/// deltas of files of more than 512 MiB, and no module zip has a larger one than this.
const MAX_DELTA_RESULT_BYTES: u64 = 500 << 20;

const INDEX_MAGIC: &[u8] = b"\xfftOc\0\0\0\x02";

/// Where the content of an object goes.
pub(super) trait ObjectTarget: Write {
    /// The kind and the size are known; the content comes next.
    fn begin(&mut self, kind: ObjectKind, size: u64) -> io::Result<()>;
}

/// A pack with its index.
#[derive(Clone)]
pub(super) struct Pack(Arc<PackInner>);

struct PackInner {
    index_path: PathBuf,
    index: Vec<u8>,
    objects: usize,
    hash: HashKind,
    content: PackFile,
}

impl Pack {
    /// Opens the pack that an index belongs to; `None` if either is not there any more.
    pub(super) fn open(index_path: &Path, hash: HashKind) -> Result<Option<Pack>> {
        let gone = |cause: &io::Error| cause.kind() == io::ErrorKind::NotFound;
        let index = match fs::read(index_path) {
            Ok(index) => index,
            Err(cause) if gone(&cause) => return Ok(None),
            Err(cause) => return Err(Error::io("cannot read", index_path, cause)),
        };
        let path = index_path.with_extension("pack");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if gone(&cause) => return Ok(None),
            Err(cause) => return Err(Error::io("cannot open", &path, cause)),
        };
        let objects = index.get(8 + 255 * 4..8 + 256 * 4).and_then(number);
        let objects = usize::try_from(objects.unwrap_or(0)).unwrap_or(0);
        let whole = index.starts_with(INDEX_MAGIC)
            && index.len() >= 8 + 1024 + objects.saturating_mul(hash.bytes() + 8);
        if !whole {
            let cause = io::Error::other("not an index of version 2");
            return Err(Error::io("cannot read", index_path, cause));
        }
        Ok(Some(Pack(Arc::new(PackInner {
            index_path: index_path.to_owned(),
            index,
            objects,
            hash,
            content: PackFile::new(file, hash),
        }))))
    }

    pub(super) fn index_path(&self) -> &Path {
        &self.0.index_path
    }

    fn name(&self, place: usize) -> &[u8] {
        let bytes = self.0.hash.bytes();
        let start = 8 + 1024 + place * bytes;
        self.0.index.get(start..start + bytes).unwrap_or_default()
    }

    /// The places of the names that begin with a byte.
    fn bucket(&self, first: u8) -> (usize, usize) {
        let fan = |place: usize| {
            let start = 8 + 4 * place;
            let count = self.0.index.get(start..start + 4).and_then(number);
            usize::try_from(count.unwrap_or(0))
                .unwrap_or(0)
                .min(self.0.objects)
        };
        let start = usize::from(first).checked_sub(1).map_or(0, fan);
        (start, fan(first.into()))
    }

    /// Where an object is in the pack.
    pub(super) fn find(&self, id: &ObjectId) -> Option<u64> {
        let wanted = id.as_bytes();
        let (mut low, mut high) = self.bucket(*wanted.first()?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(wanted) {
                std::cmp::Ordering::Equal => return self.offset(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn offset(&self, place: usize) -> Option<u64> {
        let PackInner {
            index,
            objects,
            hash,
            ..
        } = &*self.0;
        let short = 8 + 1024 + objects * (hash.bytes() + 4);
        let start = short + 4 * place;
        let offset = number(index.get(start..start + 4)?)?;
        if offset & 0x8000_0000 == 0 {
            return Some(offset.into());
        }
        let place = usize::try_from(offset & 0x7fff_ffff).ok()?;
        let start = short + 4 * objects + 8 * place;
        let bytes = index.get(start..start + 8)?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Collects the names that begin with these hexadecimal digits, at least two.
    pub(super) fn with_prefix(&self, prefix: &str, found: &mut HashSet<ObjectId>) {
        let first = prefix
            .get(..2)
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        let Some(first) = first else {
            return;
        };
        let (start, end) = self.bucket(first);
        for place in start..end {
            let id = ObjectId::from_bytes(self.name(place), self.0.hash);
            found.extend(id.filter(|id| id.to_string().starts_with(prefix)));
        }
    }

    /// Writes the object at an offset.
    pub(super) fn copy(
        &self,
        offset: u64,
        target: &mut dyn ObjectTarget,
    ) -> io::Result<ObjectKind> {
        self.0.content.copy(offset, target, &|id| self.find(id))
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// The objects of a pack, by where they are.
pub(super) struct PackFile {
    file: File,
    hash: HashKind,
    bases: Mutex<Bases>,
}

#[derive(Default)]
struct Bases {
    kept: HashMap<u64, (ObjectKind, Arc<Vec<u8>>)>,
    bytes: usize,
}

/// What stands before the content of an object.
pub(super) struct EntryHeader {
    pub(super) form: PackedForm,
    /// Bytes of what follows, inflated.
    pub(super) size: u64,
    /// Where that begins.
    pub(super) data: u64,
}

/// What follows a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackedForm {
    Whole(ObjectKind),
    /// The difference from the object at this offset.
    OffsetDelta(u64),
    /// The difference from this object.
    NameDelta(ObjectId),
}

impl PackFile {
    pub(super) fn new(file: File, hash: HashKind) -> PackFile {
        PackFile {
            file,
            hash,
            bases: Mutex::default(),
        }
    }

    fn at(&self, offset: u64, capacity: usize) -> BufReader<At<'_>> {
        BufReader::with_capacity(
            capacity,
            At {
                file: &self.file,
                offset,
            },
        )
    }

    pub(super) fn header(&self, offset: u64) -> io::Result<EntryHeader> {
        let mut reader = self.at(offset, 64);
        let mut read = 0;
        let mut byte = || {
            let mut one = [0];
            reader.read_exact(&mut one)?;
            read += 1;
            Ok::<_, io::Error>(one[0])
        };
        let first = byte()?;
        let number = (first >> 4) & 7;
        let mut size = u64::from(first & 0x0f);
        let (mut shift, mut more) = (4, first & 0x80 != 0);
        while more {
            let next = byte()?;
            if shift > 57 {
                return Err(io::Error::other("malformed size in pack"));
            }
            size |= u64::from(next & 0x7f) << shift;
            shift += 7;
            more = next & 0x80 != 0;
        }
        let form = match number {
            6 => {
                let mut next = byte()?;
                let mut back = u64::from(next & 0x7f);
                while next & 0x80 != 0 {
                    next = byte()?;
                    back = back
                        .checked_add(1)
                        .and_then(|back| back.checked_mul(128))
                        .ok_or_else(|| io::Error::other("malformed offset in pack"))?
                        | u64::from(next & 0x7f);
                }
                let base = offset.checked_sub(back).filter(|base| *base < offset);
                PackedForm::OffsetDelta(
                    base.ok_or_else(|| io::Error::other("malformed offset in pack"))?,
                )
            }
            7 => {
                let mut name = vec![0; self.hash.bytes()];
                for place in &mut name {
                    *place = byte()?;
                }
                let id = ObjectId::from_bytes(&name, self.hash);
                PackedForm::NameDelta(id.ok_or_else(|| io::Error::other("malformed name in pack"))?)
            }
            number => {
                let kind = ObjectKind::of_number(number);
                PackedForm::Whole(kind.ok_or_else(|| io::Error::other("unknown kind in pack"))?)
            }
        };
        Ok(EntryHeader {
            form,
            size,
            data: offset + read,
        })
    }

    /// What follows a header, inflated into memory; and where it ends.
    pub(super) fn inflate(&self, header: &EntryHeader) -> io::Result<Vec<u8>> {
        if header.size > MAX_DELTA_RESULT_BYTES {
            return Err(io::Error::other("too large for memory"));
        }
        let mut data = Vec::new();
        let mut decoder = ZlibDecoder::new(self.at(header.data, 8 << 10));
        (&mut decoder)
            .take(header.size + 1)
            .read_to_end(&mut data)?;
        match data.len() as u64 == header.size {
            true => Ok(data),
            false => Err(io::Error::other("not as long as it says")),
        }
    }

    /// Inflates what follows a header into `out`, and returns where it ends in the pack.
    pub(super) fn inflate_into(
        &self,
        header: &EntryHeader,
        out: &mut dyn Write,
    ) -> io::Result<u64> {
        let mut decoder = ZlibDecoder::new(self.at(header.data, 32 << 10));
        let count = io::copy(&mut (&mut decoder).take(header.size + 1), out)?;
        if count != header.size {
            return Err(io::Error::other("not as long as it says"));
        }
        // The end of the stream and its checksum are read only when asked for more.
        if decoder.read(&mut [0])? != 0 {
            return Err(io::Error::other("longer than it says"));
        }
        Ok(header.data + decoder.total_in())
    }

    fn copy(
        &self,
        offset: u64,
        target: &mut dyn ObjectTarget,
        find: &dyn Fn(&ObjectId) -> Option<u64>,
    ) -> io::Result<ObjectKind> {
        let header = self.header(offset)?;
        if let PackedForm::Whole(kind) = header.form {
            target.begin(kind, header.size)?;
            self.inflate_into(&header, target)?;
            return Ok(kind);
        }
        let (kind, data) = self.resolve(offset, find)?;
        target.begin(kind, data.len() as u64)?;
        target.write_all(&data)?;
        Ok(kind)
    }

    /// An object in memory, put together from its deltas. `find` says where another object of
    /// the pack is.
    pub(super) fn resolve(
        &self,
        offset: u64,
        find: &dyn Fn(&ObjectId) -> Option<u64>,
    ) -> io::Result<(ObjectKind, Arc<Vec<u8>>)> {
        let mut deltas = Vec::new();
        let mut at = offset;
        let (kind, mut data) = loop {
            if let Some(base) = self.base(at) {
                break base;
            }
            let header = self.header(at)?;
            at = match header.form {
                PackedForm::Whole(kind) => {
                    let data = Arc::new(self.inflate(&header)?);
                    self.keep(at, kind, &data);
                    break (kind, data);
                }
                PackedForm::OffsetDelta(base) => {
                    deltas.push((at, header));
                    base
                }
                PackedForm::NameDelta(id) => {
                    deltas.push((at, header));
                    find(&id)
                        .ok_or_else(|| io::Error::other(format!("its base {id} is missing")))?
                }
            };
            if deltas.len() > MAX_DELTAS {
                return Err(io::Error::other("too many deltas in a row"));
            }
        };
        while let Some((at, header)) = deltas.pop() {
            let difference = self.inflate(&header)?;
            let size = delta::result_size(&difference);
            if size.is_none_or(|size| size > MAX_DELTA_RESULT_BYTES) {
                return Err(io::Error::other("too large for memory"));
            }
            let made = delta::apply(&data, &difference);
            data = Arc::new(made.ok_or_else(|| io::Error::other("malformed delta"))?);
            self.keep(at, kind, &data);
        }
        Ok((kind, data))
    }

    fn base(&self, offset: u64) -> Option<(ObjectKind, Arc<Vec<u8>>)> {
        let bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        bases.kept.get(&offset).cloned()
    }

    fn keep(&self, offset: u64, kind: ObjectKind, data: &Arc<Vec<u8>>) {
        if data.len() > BASE_CACHE_BYTES / 8 {
            return;
        }
        let mut bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        if bases.bytes + data.len() > BASE_CACHE_BYTES {
            *bases = Bases::default();
        }
        bases.bytes += data.len();
        bases.kept.insert(offset, (kind, Arc::clone(data)));
    }
}

/// A file from a position on.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(out, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
