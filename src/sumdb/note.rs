//! Signed notes: text, a blank line, signature lines; here only with one key of Ed25519.
//!
//! A note is UTF-8 without control characters but `\n`. Its text ends before the last blank line;
//! after it, each line is `— NAME BASE64`, where the bytes are a key hash (4, big endian) and a
//! signature (64) of the text with its final `\n`. Signatures of other keys are passed over, as
//! they are those of witnesses; one of our key that does not verify spoils the note.
//!
//! A key is `NAME+HASH+BASE64`: the hash is 8 hex digits, the first 4 bytes of the SHA-256 of
//! `NAME\n` and the key; the key is one byte for the algorithm (1 is Ed25519) and 32 more.
//!
//! Stricter than Go in one way: base64 must be canonical, so that no altered byte is accepted.
//!
//! Source: golang/mod `sumdb/note/note.go`.

use std::error::Error;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// The byte that says Ed25519.
const ED25519_KEY: u8 = 1;

/// A note with more signature lines is refused, as Go does.
const MAX_SIGNATURES: usize = 100;

/// Why a key or note is refused; the texts are Go's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// The key is not of the form `NAME+HASH+BASE64`.
    MalformedKey,
    /// The key is of no known algorithm.
    UnknownAlgorithm,
    /// The hash in the key is not that of the key.
    WrongKeyHash,
    /// The note does not have the form of one.
    MalformedNote,
    /// Our key has not signed it.
    NotSigned,
    /// A signature with our key does not verify; the key's name and hash.
    InvalidSignature(String),
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoteError::MalformedKey => f.write_str("malformed verifier id"),
            NoteError::UnknownAlgorithm => f.write_str("unknown verifier algorithm"),
            NoteError::WrongKeyHash => f.write_str("invalid verifier hash"),
            NoteError::MalformedNote => f.write_str("malformed note"),
            NoteError::NotSigned => f.write_str("note has no verifiable signatures"),
            NoteError::InvalidSignature(key) => write!(f, "invalid signature for key {key}"),
        }
    }
}

impl Error for NoteError {}

/// A public key and the name it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    hash: [u8; 4],
    key: [u8; 32],
}

impl NoteVerifier {
    /// Reads a key of the form `NAME+HASH+BASE64`.
    ///
    /// # Errors
    /// [`NoteError::MalformedKey`], [`NoteError::WrongKeyHash`], [`NoteError::UnknownAlgorithm`].
    pub fn parse(text: &str) -> Result<NoteVerifier, NoteError> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(NoteError::MalformedKey);
        let (name, hash, key) = (part()?, part()?, part()?);
        let hash = parse_hash(hash).ok_or(NoteError::MalformedKey)?;
        let key = BASE64.decode(key).map_err(|_| NoteError::MalformedKey)?;
        let [algorithm, rest @ ..] = key.as_slice() else {
            return Err(NoteError::MalformedKey);
        };
        if !is_name(name) {
            return Err(NoteError::MalformedKey);
        }
        if hash != key_hash(name, &key) {
            return Err(NoteError::WrongKeyHash);
        }
        if *algorithm != ED25519_KEY {
            return Err(NoteError::UnknownAlgorithm);
        }
        Ok(NoteVerifier {
            name: name.to_owned(),
            hash,
            key: rest.try_into().map_err(|_| NoteError::MalformedKey)?,
        })
    }

    /// The name that signatures with this key carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed, with its final `\n`.
    ///
    /// # Errors
    /// [`NoteError::MalformedNote`], [`NoteError::NotSigned`], [`NoteError::InvalidSignature`].
    pub fn open<'n>(&self, note: &'n [u8]) -> Result<&'n str, NoteError> {
        let note = std::str::from_utf8(note).map_err(|_| NoteError::MalformedNote)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::MalformedNote);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::MalformedNote)?;
        // With the first of the two newlines, which ends the last line.
        let text = note.get(..=text.len()).ok_or(NoteError::MalformedNote)?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or(NoteError::MalformedNote)?;
        let mut signed = false;
        for (number, line) in signatures.split('\n').enumerate() {
            if number >= MAX_SIGNATURES {
                return Err(NoteError::MalformedNote);
            }
            let (name, hash, signature) = parse_signature(line).ok_or(NoteError::MalformedNote)?;
            // Of several by our key the first counts.
            if signed || name != self.name || hash != self.hash {
                continue;
            }
            UnparsedPublicKey::new(&ED25519, &self.key)
                .verify(text.as_bytes(), &signature)
                .map_err(|_| NoteError::InvalidSignature(self.id()))?;
            signed = true;
        }
        if signed {
            Ok(text)
        } else {
            Err(NoteError::NotSigned)
        }
    }

    fn id(&self) -> String {
        format!("{}+{:08x}", self.name, u32::from_be_bytes(self.hash))
    }
}

fn parse_hash(text: &str) -> Option<[u8; 4]> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = u32::from_str_radix(text, 16).ok().filter(|_| digits)?;
    Some(hash.to_be_bytes())
}

/// Name, key hash and signature of a signature line.
fn parse_signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let mut bytes = BASE64.decode(encoded).ok()?;
    if !is_name(name) || bytes.len() < 5 {
        return None;
    }
    let signature = bytes.split_off(4);
    Some((name, bytes.try_into().ok()?, signature))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

fn key_hash(name: &str, key: &[u8]) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update("\n")
        .chain_update(key)
        .finalize()
        .into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The key and note of the example in golang/mod sumdb/note/example_test.go.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_signed_note_is_opened() {
        let verifier = NoteVerifier::parse(KEY).unwrap();
        assert_eq!(verifier.name(), "PeterNeumann");
        let text = verifier.open(NOTE.as_bytes()).unwrap();
        assert_eq!(text, NOTE.split("\n\n").next().unwrap().to_owned() + "\n");
        // The pinned key has the form that is accepted.
        NoteVerifier::parse(crate::source::database_setting::SUM_GOLANG_ORG).unwrap();
    }

    #[test]
    fn keys_are_refused_for_the_reasons_of_go() {
        // By the source of golang/mod note.NewVerifier.
        let (name, rest) = KEY.split_once('+').unwrap();
        let (hash, key) = rest.split_once('+').unwrap();
        let rows = [
            (String::new(), NoteError::MalformedKey),
            (name.to_owned(), NoteError::MalformedKey),
            (format!("{name}+{hash}"), NoteError::MalformedKey),
            (format!("{name}+{hash}+"), NoteError::MalformedKey),
            (
                format!("{name}+{}+{key}", &hash[1..]),
                NoteError::MalformedKey,
            ),
            (format!("{name}+xyzxyzxy+{key}"), NoteError::MalformedKey),
            (format!("{name}++1234567+{key}"), NoteError::MalformedKey),
            (
                format!("Peter Neumann+{hash}+{key}"),
                NoteError::MalformedKey,
            ),
            (
                format!("PeterNeumenn+{hash}+{key}"),
                NoteError::WrongKeyHash,
            ),
            (format!("{name}+c74f20a4+{key}"), NoteError::WrongKeyHash),
            (format!("{name}+{hash}+{key}x"), NoteError::MalformedKey),
            ("n+5e3b1a4b+Ag==".to_owned(), NoteError::WrongKeyHash),
        ];
        for (text, want) in rows {
            assert_eq!(NoteVerifier::parse(&text), Err(want), "{text}");
        }
        let of = |key: &[u8]| {
            let hash = u32::from_be_bytes(key_hash("n", key));
            NoteVerifier::parse(&format!("n+{hash:08x}+{}", BASE64.encode(key)))
        };
        assert_eq!(of(&[2; 33]), Err(NoteError::UnknownAlgorithm));
        assert_eq!(of(&[1; 32]), Err(NoteError::MalformedKey));
        assert!(of(&[1; 33]).is_ok());
    }

    #[test]
    fn every_altered_byte_is_refused() {
        let verifier = NoteVerifier::parse(KEY).unwrap();
        for at in 0..NOTE.len() {
            for change in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                let mut note = NOTE.as_bytes().to_vec();
                note[at] ^= change;
                assert!(verifier.open(&note).is_err(), "byte {at} ^ {change}");
            }
            assert!(
                verifier.open(&NOTE.as_bytes()[..at]).is_err(),
                "cut at {at}"
            );
        }
        assert!(verifier.open(format!("{NOTE}x").as_bytes()).is_err());
        assert!(verifier.open(format!("{NOTE}\n").as_bytes()).is_err());
    }

    #[test]
    fn witnesses_are_passed_over_and_never_suffice() {
        let verifier = NoteVerifier::parse(KEY).unwrap();
        let witness = "\u{2014} witness x08go/ZJkuBS9UG/\n";
        let both = format!("{NOTE}{witness}");
        assert!(verifier.open(both.as_bytes()).is_ok());
        let text = NOTE.split_once('\u{2014}').unwrap().0;
        let alone = format!("{text}{witness}");
        assert_eq!(verifier.open(alone.as_bytes()), Err(NoteError::NotSigned));
        let many = format!("{NOTE}{}", witness.repeat(MAX_SIGNATURES - 1));
        assert!(verifier.open(many.as_bytes()).is_ok());
        let too_many = format!("{NOTE}{}", witness.repeat(MAX_SIGNATURES));
        let error = verifier.open(too_many.as_bytes());
        assert_eq!(error, Err(NoteError::MalformedNote));
    }

    proptest! {
        #[test]
        fn nothing_panics(key in "\\PC{0,40}", note in any::<Vec<u8>>(), text in "(\\PC|\n|\u{2014} n AAAA){0,80}") {
            let _ = NoteVerifier::parse(&key);
            let verifier = NoteVerifier::parse(KEY).unwrap();
            prop_assert!(verifier.open(&note).is_err());
            prop_assert!(verifier.open(text.as_bytes()).is_err());
        }
    }
}
