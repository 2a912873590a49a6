//! What surrounds an entry's data, the local header and the data descriptor, and that it says
//! what the central directory says: a reader that streams the file must see the same entry.
//!
//! Source: APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.9.

use super::directory::{EntryMethod, Extra, flag};
use super::fields::FieldCursor;

const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const LOCAL_BYTES: usize = 30;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;

/// The most bytes a local header can take: the fixed part, a name and extra fields.
pub(super) const MAX_LOCAL_BYTES: usize = LOCAL_BYTES + 2 * 0xffff;

/// The fewest bytes before the data of an entry with this name.
pub(super) fn min_local_bytes(name: &str) -> u64 {
    LOCAL_BYTES as u64 + name.len() as u64
}

/// What the central directory says of an entry.
#[derive(Clone, Copy)]
pub(super) struct Central<'a> {
    pub(super) name: &'a str,
    pub(super) flags: u16,
    pub(super) method: EntryMethod,
    pub(super) crc: u32,
    pub(super) compressed: u32,
    pub(super) unpacked: u32,
}

impl Central<'_> {
    fn has_descriptor(&self) -> bool {
        self.flags & flag::DESCRIPTOR != 0
    }

    /// Checks the local header at the start of `record`, and returns where the data starts.
    ///
    /// `record` holds at least the first [`MAX_LOCAL_BYTES`] of the entry's record, or all of it.
    pub(super) fn check_local(&self, record: &[u8]) -> Result<usize, &'static str> {
        let mut fields = FieldCursor(record);
        let mut read = || {
            let signature = fields.u32()?;
            let _version_needed = fields.u16()?;
            let (flags, method) = (fields.u16()?, fields.u16()?);
            let _time = fields.u32()?;
            let sums = (fields.u32()?, fields.u32()?, fields.u32()?);
            let lengths = (fields.u16()?, fields.u16()?);
            let name = fields.bytes(lengths.0.into())?;
            let extra = fields.bytes(lengths.1.into())?;
            Some((signature, flags, method, sums, name, extra))
        };
        let (_, flags, method, (crc, compressed, unpacked), name, extra) = read()
            .filter(|header| header.0 == LOCAL_SIGNATURE)
            .ok_or("zip: not a valid zip file")?;
        if name != self.name.as_bytes() {
            return Err("zip: local header has another name");
        }
        if method != self.method.number() {
            return Err("zip: local header has another method");
        }
        let mut compared = flag::ENCRYPTED
            | flag::DESCRIPTOR
            | flag::PATCH
            | flag::STRONG_ENCRYPTION
            | flag::MASKED;
        if !self.name.is_ascii() {
            compared |= flag::UTF8;
        }
        if (flags ^ self.flags) & compared != 0 {
            return Err("zip: local header has other flags");
        }
        let extra_fields = Extra::read(extra, name)?;
        let mut wide = FieldCursor(extra_fields.zip64.unwrap_or_default());
        let mut widen = |short: u32| match (short, extra_fields.zip64) {
            (u32::MAX, Some(_)) => wide.u64(),
            _ => Some(u64::from(short)),
        };
        let (unpacked, compressed) = (widen(unpacked), widen(compressed));
        // With a descriptor the sums may be left at 0, each of them on its own.
        let agree = |local: Option<u64>, central: u32| {
            local == Some(central.into()) || (local == Some(0) && self.has_descriptor())
        };
        if !agree(Some(crc.into()), self.crc)
            || !agree(compressed, self.compressed)
            || !agree(unpacked, self.unpacked)
        {
            return Err("zip: local header has other sizes or another checksum");
        }
        Ok(record.len() - fields.0.len())
    }

    /// Checks what follows the data: a descriptor that agrees, or nothing.
    ///
    /// Four shapes are in use: with and without a signature, with sizes of 32 and 64 bits.
    pub(super) fn check_after(&self, after: &[u8]) -> Result<(), &'static str> {
        if !self.has_descriptor() {
            return match after {
                [] => Ok(()),
                _ => Err("zip: unused bytes after the entry"),
            };
        }
        let mut fields = FieldCursor(after);
        let mut read = || {
            if matches!(after.len(), 16 | 24) && fields.u32()? != DESCRIPTOR_SIGNATURE {
                return None;
            }
            let crc = fields.u32()?;
            let (compressed, unpacked) = match after.len() {
                12 | 16 => (fields.u32()?.into(), fields.u32()?.into()),
                20 | 24 => (fields.u64()?, fields.u64()?),
                _ => return None,
            };
            Some((crc, compressed, unpacked))
        };
        let want = (self.crc, self.compressed.into(), self.unpacked.into());
        match read() {
            Some(descriptor) if descriptor == want => Ok(()),
            Some(_) => Err("zip: data descriptor has other sizes or another checksum"),
            None => Err("zip: malformed data descriptor"),
        }
    }
}
