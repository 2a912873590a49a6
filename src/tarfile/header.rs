//! Header blocks and names: what the writer makes, and the reader compares with.

/// Everything in an archive is a multiple of this.
pub(super) const BLOCK: usize = 512;

/// The whole archive is a multiple of this, as GNU tar's default of 20 blocks a record.
pub(super) const RECORD: usize = 20 * BLOCK;

/// The largest member: 11 octal digits.
pub(super) const MAX_SIZE: u64 = 0o777_7777_7777;

/// The longest name that a pax header may carry. Longer ones no file system has (`PATH_MAX`).
pub(super) const MAX_NAME: usize = 4096;

/// The name of every pax header. A program that does not know pax writes its text there.
const PAX_NAME: &str = "PaxHeaders/path";

const NAME: usize = 100;
const PREFIX: usize = 155;

pub(super) type TarBlock = [u8; BLOCK];

/// What kind of member a header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberType {
    File,
    Pax,
}

impl MemberType {
    pub(super) fn flag(self) -> u8 {
        match self {
            MemberType::File => b'0',
            MemberType::Pax => b'x',
        }
    }
}

/// The blocks before a member's content: its header, behind a pax header if the name is long.
///
/// `size` is at most [`MAX_SIZE`], the name at most [`MAX_NAME`] bytes.
pub(super) fn member(name: &str, size: u64) -> Vec<u8> {
    let Some((prefix, rest)) = split(name) else {
        let text = pax_record(name);
        let mut blocks = pax(text.len() as u64).to_vec();
        blocks.extend(&text);
        blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        blocks.extend(named_by_pax(name, size));
        return blocks;
    };
    block(MemberType::File, prefix, rest.as_bytes(), size).to_vec()
}

/// The header of a pax header whose text has `size` bytes.
pub(super) fn pax(size: u64) -> TarBlock {
    block(MemberType::Pax, "", PAX_NAME.as_bytes(), size)
}

/// The header of a member whose name is in the pax header before: the name is cut.
pub(super) fn named_by_pax(name: &str, size: u64) -> TarBlock {
    let cut = &name.as_bytes()[..name.len().min(NAME)];
    block(MemberType::File, "", cut, size)
}

/// `LENGTH path=NAME\n`, the length counting its own digits.
pub(super) fn pax_record(name: &str) -> Vec<u8> {
    let rest = format!(" path={name}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}").into_bytes()
}

/// A name in two, to stand in a header as PREFIX/NAME; the prefix is empty if none is needed.
/// `None` if it does not fit.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME {
        return Some(("", name));
    }
    // The first slash behind which the rest fits: the shortest prefix.
    let slashes = name.match_indices('/').map(|(at, _)| at);
    let at = slashes.into_iter().find(|at| name.len() - at - 1 <= NAME)?;
    (at <= PREFIX && at + 1 < name.len()).then(|| (&name[..at], &name[at + 1..]))
}

fn block(kind: MemberType, prefix: &str, name: &[u8], size: u64) -> TarBlock {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(156, &[kind.flag()]);
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(345, prefix.as_bytes());
    put(148, b"        ");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The checksum that a block should carry.
pub(super) fn checksum(block: &TarBlock) -> u32 {
    let bytes = block.iter().enumerate();
    bytes
        .map(|(at, &byte)| match at {
            148..156 => u32::from(b' '),
            _ => u32::from(byte),
        })
        .sum()
}

/// An octal field: digits, then nothing but zero bytes and spaces.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let text = str::from_utf8(field).ok()?;
    let digits = text.trim_end_matches(['\0', ' ']);
    let plain = digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    u64::from_str_radix(digits, 8).ok().filter(|_| plain)
}

/// Why a name may not stand in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadName {
    /// It would be written outside of the directory that the archive is unpacked to.
    Leaves,
    /// It is not the plain form of a name.
    Malformed,
}

/// Demands a relative path of plain elements, joined by single slashes.
pub(super) fn check_name(name: &str) -> Result<(), BadName> {
    if name.starts_with('/') || name.split('/').any(|element| element == "..") {
        return Err(BadName::Leaves);
    }
    let is_plain = |element: &str| !element.is_empty() && element != ".";
    let is_short = name.len() <= MAX_NAME;
    match is_short && !name.contains(char::is_control) && name.split('/').all(is_plain) {
        true => Ok(()),
        false => Err(BadName::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_first_slash_that_fits() {
        let long = |bytes| "d".repeat(bytes);
        assert_eq!(split("a/b"), Some(("", "a/b")));
        let name = format!("{}/{}", long(10), long(100));
        assert_eq!(split(&name), Some((&*long(10), &*long(100))));
        assert_eq!(
            split(&format!("{}/{}", long(155), long(100)))
                .unwrap()
                .0
                .len(),
            155
        );
        assert_eq!(split(&format!("{}/{}", long(156), long(100))), None);
        assert_eq!(split(&format!("a/{}", long(101))), None);
        assert_eq!(split(&format!("{}/", long(110))), None);
    }

    #[test]
    fn a_pax_record_counts_its_own_digits() {
        // 3 for "NN ", 5 for "path=", 1 for the line feed; at 100 a digit more.
        assert_eq!(pax_record(&"x".repeat(90))[..9], *b"99 path=x");
        assert_eq!(pax_record(&"x".repeat(91))[..9], *b"101 path=");
        for bytes in [1, 89, 90, 91, 92, 989, 990, 991, 4000] {
            let record = pax_record(&"n".repeat(bytes));
            let text = str::from_utf8(&record).unwrap();
            let length: usize = text.split_once(' ').unwrap().0.parse().unwrap();
            assert_eq!(length, record.len());
        }
    }

    #[test]
    fn names_that_leave_or_are_not_plain_are_refused() {
        for good in ["a", "a/b@v1.0.0/c.go", "a/..b", "ü/ß"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for leaving in ["/a", "../a", "a/../b", "a/.."] {
            assert_eq!(check_name(leaving), Err(BadName::Leaves), "{leaving}");
        }
        for odd in ["", "a/", "a//b", "./a", "a/.", "a\nb", "a\0"] {
            assert_eq!(check_name(odd), Err(BadName::Malformed), "{odd:?}");
        }
    }
}
