//! Reads the end of a zip and its central directory, and accepts only what every reader of zips
//! would see in the same way.
//!
//! Parsed here rather than by a zip library, because libraries are made to cope: they search for
//! a directory, tolerate bytes before, between and after the parts, let a zip64 field override
//! what disagrees with it, and decode names. For a module zip each of those is a way to show one
//! set of files to the checksum database and another to the next tool. What is accepted:
//!
//! ```text
//! record*  directory header*  [zip64 end, zip64 locator]  end [comment]
//! ```
//!
//! with nothing before, between or behind, counts and sizes that agree exactly, one disk, no
//! encryption, methods stored and deflate. Go's own reader is laxer on each point.
//!
//! Source: APPNOTE.TXT 6.3.10, sections 4.3 and 4.4; go `archive/zip/reader.go`.

use std::fs::File;
use std::io;

use super::broken::Broken;
use super::fields::FieldCursor;

use crate::system::FileAt as _;

const END_SIGNATURE: u32 = 0x0605_4b50;
const END_BYTES: usize = 22;
const LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
const LOCATOR_BYTES: u64 = 20;
const END64_SIGNATURE: u32 = 0x0606_4b50;
const END64_BYTES: u64 = 56;
const HEADER_SIGNATURE: u32 = 0x0201_4b50;
const HEADER_BYTES: usize = 46;

/// The largest central directory that is read, in bytes: it bounds the memory for names.
///
/// Go has no such limit. An entry takes 46 bytes and its full name, so this leaves room for some
/// 200,000 files; modules of 30,000 are the largest seen.
const MAX_DIRECTORY_BYTES: u64 = 32 << 20;

/// Flag bits of the two headers of an entry.
pub(super) mod flag {
    pub(crate) const ENCRYPTED: u16 = 1 << 0;
    /// Sums and sizes follow the data.
    pub(crate) const DESCRIPTOR: u16 = 1 << 3;
    pub(crate) const PATCH: u16 = 1 << 5;
    pub(crate) const STRONG_ENCRYPTION: u16 = 1 << 6;
    pub(crate) const UTF8: u16 = 1 << 11;
    pub(crate) const MASKED: u16 = 1 << 13;
}

/// How an entry's data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryMethod {
    Stored,
    Deflate,
}

impl EntryMethod {
    pub(super) fn number(self) -> u16 {
        match self {
            EntryMethod::Stored => 0,
            EntryMethod::Deflate => 8,
        }
    }
}

/// One header of the central directory. Sizes and offsets are bytes.
#[derive(Debug)]
pub(super) struct CentralHeader<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: EntryMethod,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) unpacked: u64,
    /// Where the entry's record (local header, data, descriptor) starts.
    pub(super) offset: u64,
    pub(super) file_type: FileType,
}

/// What the external attributes make of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    Regular,
    Directory,
    /// A symbolic link, device, socket or named pipe.
    Irregular,
    /// The attributes say nothing.
    Unknown,
}

/// Why a directory could not be read: the zip or the disk.
#[derive(Debug)]
pub(super) enum DirectoryFault {
    Broken(Broken),
    Io(io::Error),
}

impl From<Broken> for DirectoryFault {
    fn from(broken: Broken) -> DirectoryFault {
        DirectoryFault::Broken(broken)
    }
}

impl From<io::Error> for DirectoryFault {
    fn from(error: io::Error) -> DirectoryFault {
        DirectoryFault::Io(error)
    }
}

/// Where the central directory lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CentralDirectory {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

fn not_a_zip() -> Broken {
    Broken::zip("zip: not a valid zip file")
}

impl CentralDirectory {
    /// Finds the directory of a zip of `size` bytes and checks that it fills the file up to the
    /// end records.
    pub(super) fn find(file: &File, size: u64) -> Result<CentralDirectory, DirectoryFault> {
        let mut tail = vec![
            0;
            usize::try_from(size)
                .unwrap_or(usize::MAX)
                .min(END_BYTES + 0xffff)
        ];
        let tail_start = size - tail.len() as u64;
        file.read_exact_at(&mut tail, tail_start)?;
        let (at, end) = find_end(&tail)?;
        let end_offset = tail_start + at as u64;

        let (directory, directory_end) = match read_locator(file, end_offset)? {
            None => (end, end_offset),
            Some(end64_offset) => (read_end64(file, end64_offset, &end)?, end64_offset),
        };
        if directory.offset.checked_add(directory.bytes) != Some(directory_end) {
            return Err(Broken::zip(
                "zip: the central directory does not end where the end record starts",
            )
            .into());
        }
        if directory.bytes > MAX_DIRECTORY_BYTES {
            return Err(Broken::zip(format!(
                "zip: central directory is too large ({} bytes; limit is {MAX_DIRECTORY_BYTES} bytes)",
                directory.bytes
            ))
            .into());
        }
        if directory.entries > directory.bytes / HEADER_BYTES as u64 {
            return Err(not_a_zip().into());
        }
        Ok(directory)
    }

    /// Calls `each` with every header in order, reading through a buffer of fixed size.
    pub(super) fn read(
        &self,
        file: &File,
        mut each: impl FnMut(&CentralHeader<'_>) -> Result<(), Broken>,
    ) -> Result<(), DirectoryFault> {
        // Room for a few of the largest headers: 46 bytes, name, extra fields and comment.
        const WINDOW: usize = 1 << 20;
        const MAX_HEADER: usize = HEADER_BYTES + 3 * 0xffff;
        let total = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let mut window = vec![0; total.min(WINDOW)];
        // window[start..filled] is read and not yet parsed; start <= filled <= window.len().
        let (mut start, mut filled, mut read) = (0, 0, 0);
        for _ in 0..self.entries {
            if filled - start < MAX_HEADER && read < total {
                window.copy_within(start..filled, 0);
                filled -= start;
                start = 0;
                let more = (window.len() - filled).min(total - read);
                let target = &mut window[filled..filled + more];
                file.read_exact_at(target, self.offset + read as u64)?;
                filled += more;
                read += more;
            }
            let mut fields = FieldCursor(&window[start..filled]);
            let header = read_header(&mut fields)?;
            each(&header)?;
            start = filled - fields.0.len();
        }
        if start != filled || read != total {
            return Err(Broken::zip("zip: the central directory has more than its entries").into());
        }
        Ok(())
    }
}

/// Finds the end record: the last one in the file, whose comment must reach the file's end.
fn find_end(tail: &[u8]) -> Result<(usize, CentralDirectory), Broken> {
    let last = tail.len().checked_sub(END_BYTES).ok_or_else(not_a_zip)?;
    let at = (0..=last)
        .rev()
        .find(|&at| {
            tail.get(at..)
                .is_some_and(|record| record.starts_with(&END_SIGNATURE.to_le_bytes()))
        })
        .ok_or_else(not_a_zip)?;
    let mut fields = FieldCursor(tail.get(at + 4..).unwrap_or_default());
    let mut read = || {
        let disks = (fields.u16()?, fields.u16()?);
        let entries = (fields.u16()?, fields.u16()?);
        let (bytes, offset) = (fields.u32()?, fields.u32()?);
        let comment = fields.u16()?;
        let directory = CentralDirectory {
            offset: offset.into(),
            bytes: bytes.into(),
            entries: entries.1.into(),
        };
        let one_disk = disks == (0, 0) && entries.0 == entries.1;
        Some((one_disk, directory, comment))
    };
    let (one_disk, directory, comment) = read().ok_or_else(not_a_zip)?;
    if fields.0.len() != usize::from(comment) {
        return Err(Broken::zip("zip: invalid comment length"));
    }
    if !one_disk {
        return Err(Broken::zip("zip: spread over several disks"));
    }
    Ok((at, directory))
}

/// The offset of the zip64 end record, if a locator stands before the end record.
fn read_locator(file: &File, end_offset: u64) -> Result<Option<u64>, DirectoryFault> {
    let Some(offset) = end_offset.checked_sub(LOCATOR_BYTES) else {
        return Ok(None);
    };
    let mut record = [0; LOCATOR_BYTES as usize];
    file.read_exact_at(&mut record, offset)?;
    let mut fields = FieldCursor(&record);
    if fields.u32() != Some(LOCATOR_SIGNATURE) {
        return Ok(None);
    }
    let (disk, end64_offset, disks) = (fields.u32(), fields.u64(), fields.u32());
    // Info-ZIP and Go write one disk; some writers leave the count at 0.
    if disk != Some(0) || !matches!(disks, Some(0 | 1)) {
        return Err(Broken::zip("zip: spread over several disks").into());
    }
    match end64_offset {
        Some(at) if at.checked_add(END64_BYTES) == Some(offset) => Ok(Some(at)),
        _ => Err(Broken::zip("zip: the zip64 end record is not before its locator").into()),
    }
}

/// Reads the zip64 end record, which must agree with the fields of `end` that are not maxed out.
fn read_end64(
    file: &File,
    offset: u64,
    end: &CentralDirectory,
) -> Result<CentralDirectory, DirectoryFault> {
    let mut record = [0; END64_BYTES as usize];
    file.read_exact_at(&mut record, offset)?;
    let mut fields = FieldCursor(&record);
    let mut read = || {
        let signature = fields.u32()?;
        let rest_bytes = fields.u64()?;
        let _versions = fields.u32()?;
        let disks = (fields.u32()?, fields.u32()?);
        let entries = (fields.u64()?, fields.u64()?);
        let directory = CentralDirectory {
            entries: entries.1,
            bytes: fields.u64()?,
            offset: fields.u64()?,
        };
        let whole = signature == END64_SIGNATURE
            && rest_bytes == END64_BYTES - 12
            && disks == (0, 0)
            && entries.0 == entries.1;
        whole.then_some(directory)
    };
    let directory = read().ok_or_else(|| Broken::zip("zip: malformed zip64 end record"))?;
    let agree = |short: u64, max: u64, long: u64| short == max || short == long;
    if !agree(end.entries, 0xffff, directory.entries)
        || !agree(end.bytes, 0xffff_ffff, directory.bytes)
        || !agree(end.offset, 0xffff_ffff, directory.offset)
    {
        return Err(Broken::zip("zip: the two end records disagree").into());
    }
    Ok(directory)
}

fn read_header<'a>(fields: &mut FieldCursor<'a>) -> Result<CentralHeader<'a>, Broken> {
    let raw = RawHeader::read(fields).ok_or_else(not_a_zip)?;
    let blame = |reason: &'static str| Broken::entry(&String::from_utf8_lossy(raw.name), reason);
    if raw.signature != HEADER_SIGNATURE {
        return Err(not_a_zip());
    }
    if raw.flags & (flag::ENCRYPTED | flag::STRONG_ENCRYPTION | flag::MASKED) != 0 {
        return Err(blame("zip: entry is encrypted"));
    }
    let method = match raw.method {
        0 if raw.flags & flag::PATCH == 0 => EntryMethod::Stored,
        8 if raw.flags & flag::PATCH == 0 => EntryMethod::Deflate,
        _ => return Err(blame("zip: unsupported compression algorithm")),
    };
    let extra = Extra::read(raw.extra, raw.name).map_err(blame)?;
    let mut wide = FieldCursor(extra.zip64.unwrap_or_default());
    let mut widen = |short: u32| match short {
        u32::MAX => wide.u64().ok_or_else(|| blame("zip: missing zip64 field")),
        short => Ok(u64::from(short)),
    };
    let unpacked = widen(raw.unpacked)?;
    let compressed = widen(raw.compressed)?;
    let offset = widen(raw.offset)?;
    let disk = match raw.disk {
        u16::MAX => wide.u32(),
        disk => Some(disk.into()),
    };
    if disk != Some(0) {
        return Err(blame("zip: spread over several disks"));
    }
    Ok(CentralHeader {
        name: raw.name,
        flags: raw.flags,
        method,
        crc: raw.crc,
        compressed,
        unpacked,
        offset,
        file_type: file_type(raw.creator, raw.attributes),
    })
}

struct RawHeader<'a> {
    signature: u32,
    creator: u8,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u32,
    unpacked: u32,
    disk: u16,
    attributes: u32,
    offset: u32,
    name: &'a [u8],
    extra: &'a [u8],
}

impl<'a> RawHeader<'a> {
    fn read(fields: &mut FieldCursor<'a>) -> Option<RawHeader<'a>> {
        let signature = fields.u32()?;
        let [_, creator] = fields.u16()?.to_le_bytes();
        let _version_needed = fields.u16()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _time = fields.u32()?;
        let (crc, compressed, unpacked) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let lengths = (fields.u16()?, fields.u16()?, fields.u16()?);
        let disk = fields.u16()?;
        let _internal = fields.u16()?;
        let (attributes, offset) = (fields.u32()?, fields.u32()?);
        let name = fields.bytes(lengths.0.into())?;
        let extra = fields.bytes(lengths.1.into())?;
        let _comment = fields.bytes(lengths.2.into())?;
        Some(RawHeader {
            signature,
            creator,
            flags,
            method,
            crc,
            compressed,
            unpacked,
            disk,
            attributes,
            offset,
            name,
            extra,
        })
    }
}

/// The extra fields that change what an entry means.
pub(super) struct Extra<'a> {
    /// The values that did not fit into 32 bits, in the header's order.
    pub(super) zip64: Option<&'a [u8]>,
}

impl<'a> Extra<'a> {
    const ZIP64: u16 = 0x0001;
    /// A second name, which some readers prefer: version, CRC of the first name, the name.
    const UNICODE_PATH: u16 = 0x7075;

    /// Reads until the fields make no sense; what follows then is ignored, as by everyone.
    pub(super) fn read(extra: &'a [u8], name: &[u8]) -> Result<Extra<'a>, &'static str> {
        let mut fields = FieldCursor(extra);
        let mut zip64 = None;
        while let (Some(tag), Some(length)) = (fields.u16(), fields.u16()) {
            let Some(data) = fields.bytes(length.into()) else {
                break;
            };
            match tag {
                Extra::ZIP64 if zip64.is_some() => return Err("zip: two zip64 fields"),
                Extra::ZIP64 => zip64 = Some(data),
                Extra::UNICODE_PATH if data.get(5..) != Some(name) => {
                    return Err("zip: entry has two names");
                }
                _ => {}
            }
        }
        Ok(Extra { zip64 })
    }
}

/// Source: go `archive/zip/struct.go`, `FileHeader.Mode`.
fn file_type(creator: u8, attributes: u32) -> FileType {
    const DOS_DIRECTORY: u32 = 0x10;
    const MS_DOS: u8 = 0;
    const UNIX: u8 = 3;
    const NTFS: u8 = 11;
    const VFAT: u8 = 14;
    const MAC_OS: u8 = 19;
    match creator {
        UNIX | MAC_OS => match (attributes >> 16) & 0o170_000 {
            0 => FileType::Unknown,
            0o100_000 => FileType::Regular,
            0o040_000 => FileType::Directory,
            _ => FileType::Irregular,
        },
        MS_DOS | NTFS | VFAT if attributes & DOS_DIRECTORY != 0 => FileType::Directory,
        _ => FileType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::super::ModuleZip;
    use super::super::testing::*;

    /// The refusal of a file of this length that ends in an end record; the rest is a hole.
    fn sparse(bytes: u64, directory_bytes: u32) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(bytes).unwrap();
        file.seek(SeekFrom::End(-22)).unwrap();
        let offset = u32::try_from(bytes).unwrap() - 22 - directory_bytes;
        file.write_all(b"PK\x05\x06\0\0\0\0\x01\0\x01\0").unwrap();
        file.write_all(&le(&[directory_bytes, offset])).unwrap();
        let error = ModuleZip::open(file, &module()).expect_err("refused");
        reason(&error, &module())
    }

    #[test]
    fn files_and_directories_beyond_the_limits_are_refused() {
        assert_eq!(
            sparse((500 << 20) + 1, 0),
            "module zip file is too large (524288001 bytes; limit is 524288000 bytes)"
        );
        assert_eq!(
            sparse(100 << 20, (32 << 20) + 1),
            "zip: central directory is too large (33554433 bytes; limit is 33554432 bytes)"
        );
    }

    /// More entries than the end record can count, with names that fill many windows.
    #[test]
    fn seventy_thousand_entries_are_read() {
        let mut writer = zip::ZipWriter::new(tempfile::tempfile().unwrap());
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for i in 0..70_000 {
            let name = named(&format!("some/directory/of/the/module/{i}.go"));
            writer.start_file(name, options).unwrap();
        }
        let opened = ModuleZip::open(writer.finish().unwrap(), &module()).unwrap();
        assert_eq!((opened.entries(), opened.unpacked_bytes()), (70_000, 0));
    }
}
