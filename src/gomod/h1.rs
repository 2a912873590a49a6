//! The `h1:` hash of a set of files, the one kind of sum that go.sum has today.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};

/// The SHA-256 of one file's content.
pub type FileHash = [u8; 32];

/// An `h1:` sum: `h1:` and the padded base64 of a SHA-256, 47 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct H1([u8; LENGTH]);

/// `h1:` and 44 characters, all of them ASCII.
const LENGTH: usize = 47;

impl H1 {
    /// Accepts `h1:` and 44 characters of base64 for 32 bytes.
    ///
    /// # Errors
    /// [`Kind::Input`], naming the text.
    pub fn parse(text: &str) -> Result<H1> {
        let malformed = || Error::new(Kind::Input, format!("malformed hash {text:?}"));
        let encoded = text.strip_prefix("h1:").ok_or_else(malformed)?;
        // Room for a little more than a hash has.
        let mut hash = [0; 36];
        match BASE64.decode_slice(encoded, &mut hash) {
            Ok(32) => text.as_bytes().try_into().map(H1).map_err(|_| malformed()),
            _ => Err(malformed()),
        }
    }

    /// The sum of one go.mod file's bytes, as go.sum's `/go.mod` lines have it.
    #[must_use]
    pub fn of_go_mod(data: &[u8]) -> H1 {
        H1::of_hashed_go_mod(sha256(data))
    }

    /// [`H1::of_go_mod`] of a file whose content has this hash.
    #[must_use]
    pub fn of_hashed_go_mod(content: FileHash) -> H1 {
        hash1([("go.mod", content)])
    }

    /// The 47 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn sha256(data: &[u8]) -> FileHash {
    Sha256::digest(data).into()
}

/// Computes the `h1:` hash of a set of files from the hashes of their contents.
///
/// Shape: per file, in the order given, 64 lower-case hex digits, two spaces, the name, `\n`;
/// the sum is the SHA-256 of those lines. `files` must be sorted by name as bytes, names must
/// hold no `\n` (module zips cannot have one: their names are checked first).
///
/// Source: golang/mod `sumdb/dirhash`, `Hash1`.
pub fn hash1<'a>(files: impl IntoIterator<Item = (&'a str, FileHash)>) -> H1 {
    let mut summary = Sha256::new();
    for (name, hash) in files {
        let mut digits = [b' '; 66];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        summary.update(digits);
        summary.update(name);
        summary.update("\n");
    }
    let digest: FileHash = summary.finalize().into();
    let mut text = *b"h1:00000000000000000000000000000000000000000000";
    // What follows the prefix is as long as the base64 of a digest.
    let _ = BASE64.encode_slice(digest, &mut text[3..]);
    H1(text)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_an_empty_go_mod_is_the_famous_one() {
        // Known to cmd/go as emptyGoModHash.
        let sum = H1::of_go_mod(b"");
        assert_eq!(
            sum.as_str(),
            "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
        );
        assert_eq!(H1::parse(sum.as_str()).unwrap(), sum);
    }

    #[test]
    fn real_go_mod_has_the_sum_that_sum_golang_org_published() {
        // github.com/google/uuid v1.6.0/go.mod.
        let sum = H1::of_go_mod(b"module github.com/google/uuid\n");
        assert_eq!(
            sum.as_str(),
            "h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo="
        );
    }

    #[test]
    fn torn_and_foreign_sums_are_refused() {
        for bad in [
            "",
            "h1:",
            "h1:\0\0",
            "h2:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=",
            "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY",
            "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykryd\0=",
        ] {
            assert!(H1::parse(bad).is_err(), "{bad:?}");
        }
    }
}
