//! Object names: the SHA-1 or SHA-256 of what they name.

use std::fmt;

use sha1_checked::Digest as _;

/// Which hash a repository names its objects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
}

impl HashKind {
    /// Bytes of a name.
    pub(in crate::source::direct) fn bytes(self) -> usize {
        match self {
            HashKind::Sha1 => 20,
            HashKind::Sha256 => 32,
        }
    }

    /// Hexadecimal digits of a name.
    pub(in crate::source::direct) fn digits(self) -> usize {
        2 * self.bytes()
    }

    /// As git's configuration and protocol name it.
    pub(in crate::source::direct) fn name(self) -> &'static str {
        match self {
            HashKind::Sha1 => "sha1",
            HashKind::Sha256 => "sha256",
        }
    }

    /// The kind that names of so many digits are of.
    pub(in crate::source::direct) fn of_digits(digits: usize) -> Option<HashKind> {
        match digits {
            40 => Some(HashKind::Sha1),
            64 => Some(HashKind::Sha256),
            _ => None,
        }
    }
}

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Of a SHA-1 the last twelve are zero.
    bytes: [u8; 32],
    kind: Length,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Length {
    Twenty,
    ThirtyTwo,
}

impl ObjectId {
    /// Takes the bytes of a name, which must be as many as `kind` has.
    pub fn from_bytes(bytes: &[u8], kind: HashKind) -> Option<ObjectId> {
        if bytes.len() != kind.bytes() {
            return None;
        }
        let mut all = [0; 32];
        all.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let kind = match kind {
            HashKind::Sha1 => Length::Twenty,
            HashKind::Sha256 => Length::ThirtyTwo,
        };
        Some(ObjectId { bytes: all, kind })
    }

    /// Reads all digits of a name, lower-case.
    pub(in crate::source::direct) fn parse(text: &str, kind: HashKind) -> Option<ObjectId> {
        if text.len() != kind.digits() || !is_hex(text) {
            return None;
        }
        let mut bytes = Vec::with_capacity(kind.bytes());
        for pair in text.as_bytes().chunks(2) {
            let pair = std::str::from_utf8(pair).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
        }
        ObjectId::from_bytes(&bytes, kind)
    }

    /// Reads a name of either kind.
    pub(in crate::source::direct) fn parse_any(text: &str) -> Option<ObjectId> {
        ObjectId::parse(text, HashKind::of_digits(text.len())?)
    }

    pub(in crate::source::direct) fn as_bytes(&self) -> &[u8] {
        match self.kind {
            Length::Twenty => self.bytes.get(..20).unwrap_or_default(),
            Length::ThirtyTwo => &self.bytes,
        }
    }
}

/// True for lower-case hexadecimal digits.
pub(in crate::source::direct) fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Computes a name.
pub(in crate::source::direct) enum Hasher {
    Sha1(Box<sha1_checked::Sha1>),
    Sha256(Box<sha2::Sha256>),
}

impl Hasher {
    pub(in crate::source::direct) fn new(kind: HashKind) -> Hasher {
        match kind {
            HashKind::Sha1 => Hasher::Sha1(Box::new(sha1_checked::Sha1::new())),
            HashKind::Sha256 => Hasher::Sha256(Box::new(sha2::Sha256::new())),
        }
    }

    pub(in crate::source::direct) fn update(&mut self, data: &[u8]) {
        match self {
            Hasher::Sha1(hasher) => sha1_checked::Digest::update(&mut **hasher, data),
            Hasher::Sha256(hasher) => sha2::Digest::update(&mut **hasher, data),
        }
    }

    /// The name; `None` if the content was made to collide with another.
    pub(in crate::source::direct) fn finish(self) -> Option<ObjectId> {
        match self {
            Hasher::Sha1(hasher) => {
                let found = hasher.try_finalize();
                let hash = found.hash();
                ObjectId::from_bytes(hash, HashKind::Sha1).filter(|_| !found.has_collision())
            }
            Hasher::Sha256(hasher) => ObjectId::from_bytes(&hasher.finalize(), HashKind::Sha256),
        }
    }
}
