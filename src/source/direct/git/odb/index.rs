//! Makes the index of a pack that was received: every object put together, hashed and listed.
//!
//! Two passes. The first walks the pack from front to back: whole objects are hashed as they are
//! inflated, deltas are noted with where they begin and end. The second puts the deltas together,
//! each after its base. A pack whose own checksum is wrong, that lacks a base, or that holds an
//! object with a SHA-1 collision is refused.
//!
//! Source: git `Documentation/gitformat-pack.txt`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};

use super::id::{HashKind, Hasher, ObjectId};
use super::object::{ObjectKind, header};
use super::pack::{PackFile, PackedForm};

use crate::system::FileAt as _;

/// The index of a pack, as a file of version 2 has it, and the pack's checksum.
pub struct IndexedPack {
    /// The bytes of the file.
    pub index: Vec<u8>,
    /// Names the pack.
    pub(in crate::source::direct) checksum: ObjectId,
    pub(in crate::source::direct) objects: usize,
}

struct PackEntry {
    offset: u64,
    crc: u32,
    id: Option<ObjectId>,
    base: Option<PackedForm>,
}

fn broken(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}

/// Makes the index of the pack in `file`.
///
/// # Errors
/// `InvalidData` if the pack is not what it should be; what the system says.
pub fn index_pack(file: &File, hash: HashKind) -> io::Result<IndexedPack> {
    let length = file.metadata()?.len();
    let content_end = length
        .checked_sub(hash.bytes() as u64)
        .filter(|end| *end >= 12)
        .ok_or_else(|| broken("pack is cut"))?;
    let mut head = [0; 12];
    file.read_exact_at(&mut head, 0)?;
    let [magic @ .., c0, c1, c2, c3] = head;
    if magic != *b"PACK\0\0\0\x02" {
        return Err(broken("not a pack of version 2"));
    }
    let count = u32::from_be_bytes([c0, c1, c2, c3]);
    let checksum = checksum(file, content_end, hash)?;
    let pack = PackFile::new(file.try_clone()?, hash);
    let mut entries: Vec<PackEntry> = Vec::new();
    let mut offset = 12;
    for _ in 0..count {
        if offset >= content_end {
            return Err(broken("pack has fewer objects than it says"));
        }
        let found = pack.header(offset)?;
        let (id, base, end) = match found.form {
            PackedForm::Whole(kind) => {
                let mut naming = Naming::new(hash, kind, found.size);
                let end = pack.inflate_into(&found, &mut naming)?;
                (Some(naming.finish()?), None, end)
            }
            form => (
                None,
                Some(form),
                pack.inflate_into(&found, &mut io::sink())?,
            ),
        };
        let crc = crc(file, offset, end)?;
        entries.push(PackEntry {
            offset,
            crc,
            id,
            base,
        });
        offset = end;
    }
    if offset != content_end {
        return Err(broken("pack has more than its objects"));
    }
    name_deltas(&pack, &mut entries, hash)?;
    let mut named: Vec<(ObjectId, u64, u32)> = entries
        .iter()
        .filter_map(|entry| Some((entry.id?, entry.offset, entry.crc)))
        .collect();
    named.sort_unstable();
    let objects = named.len();
    Ok(IndexedPack {
        index: write_index(&named, &checksum, hash).ok_or_else(|| broken("malformed pack"))?,
        checksum,
        objects,
    })
}

/// Names the objects that are deltas. Those that begin from a name wait until that is known.
fn name_deltas(pack: &PackFile, entries: &mut [PackEntry], hash: HashKind) -> io::Result<()> {
    let mut places: HashMap<ObjectId, u64> = entries
        .iter()
        .filter_map(|entry| Some((entry.id?, entry.offset)))
        .collect();
    let mut open: Vec<usize> = (0..entries.len())
        .filter(|&place| entries.get(place).is_some_and(|entry| entry.id.is_none()))
        .collect();
    while !open.is_empty() {
        let before = open.len();
        let mut still_open = Vec::new();
        for place in open {
            let Some(entry) = entries.get_mut(place) else {
                continue;
            };
            let waits = match entry.base {
                Some(PackedForm::NameDelta(base)) => !places.contains_key(&base),
                _ => false,
            };
            let resolved = match waits {
                true => None,
                false => {
                    let find = |id: &ObjectId| places.get(id).copied();
                    match pack.resolve(entry.offset, &find) {
                        Ok(resolved) => Some(resolved),
                        // A base further down the row may still have to be named.
                        Err(_) if entry.base.is_some() && before > 1 => None,
                        Err(cause) => return Err(broken(cause.to_string())),
                    }
                }
            };
            match resolved {
                Some((kind, data)) => {
                    let mut naming = Naming::new(hash, kind, data.len() as u64);
                    naming.write_all(&data)?;
                    let id = naming.finish()?;
                    entry.id = Some(id);
                    places.insert(id, entry.offset);
                }
                None => still_open.push(place),
            }
        }
        if still_open.len() == before {
            return Err(broken(
                "pack lacks the base of a delta, or a delta is malformed",
            ));
        }
        open = still_open;
    }
    Ok(())
}

/// Computes the name of an object from its content.
struct Naming(Hasher);

impl Naming {
    fn new(hash: HashKind, kind: ObjectKind, size: u64) -> Naming {
        let mut hasher = Hasher::new(hash);
        hasher.update(&header(kind, size));
        Naming(hasher)
    }

    fn finish(self) -> io::Result<ObjectId> {
        let found = self.0.finish();
        found.ok_or_else(|| broken("pack holds half of a SHA-1 collision"))
    }
}

impl Write for Naming {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checks what the pack says of itself at its end.
fn checksum(file: &File, end: u64, hash: HashKind) -> io::Result<ObjectId> {
    let mut reader = file.try_clone()?;
    reader.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new(hash);
    let mut content = (&mut reader).take(end);
    let mut piece = vec![0; 64 << 10];
    loop {
        match content.read(&mut piece)? {
            0 => break,
            count => hasher.update(piece.get(..count).unwrap_or_default()),
        }
    }
    let mut stated = vec![0; hash.bytes()];
    reader.read_exact(&mut stated)?;
    let stated = ObjectId::from_bytes(&stated, hash);
    match (hasher.finish(), stated) {
        (Some(found), Some(stated)) if found == stated => Ok(found),
        _ => Err(broken("pack is damaged: its checksum is wrong")),
    }
}

fn crc(file: &File, start: u64, end: u64) -> io::Result<u32> {
    let mut crc = flate2::Crc::new();
    let mut piece = [0; 8 << 10];
    let mut at = start;
    while at < end {
        let wanted = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        let part = piece.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(part, at)?;
        crc.update(part);
        at += part.len() as u64;
    }
    Ok(crc.sum())
}

fn write_index(
    named: &[(ObjectId, u64, u32)],
    pack_checksum: &ObjectId,
    hash: HashKind,
) -> Option<Vec<u8>> {
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    let mut place = 0;
    for first in 0..=255u8 {
        while named
            .get(place)
            .is_some_and(|(id, ..)| id.as_bytes().first() <= Some(&first))
        {
            place += 1;
        }
        index.extend(u32::try_from(place).ok()?.to_be_bytes());
    }
    for (id, ..) in named {
        index.extend_from_slice(id.as_bytes());
    }
    for (_, _, crc) in named {
        index.extend(crc.to_be_bytes());
    }
    let mut long = Vec::new();
    for (_, offset, _) in named {
        let short = u32::try_from(*offset)
            .ok()
            .filter(|short| short & 0x8000_0000 == 0);
        let written = match short {
            Some(short) => short,
            None => {
                long.push(*offset);
                0x8000_0000 | u32::try_from(long.len() - 1).ok()?
            }
        };
        index.extend(written.to_be_bytes());
    }
    for offset in long {
        index.extend(offset.to_be_bytes());
    }
    index.extend_from_slice(pack_checksum.as_bytes());
    let mut hasher = Hasher::new(hash);
    hasher.update(&index);
    index.extend_from_slice(hasher.finish()?.as_bytes());
    Some(index)
}
