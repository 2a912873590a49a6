//! Undoes `Content-Encoding`: requests ask for none, but some servers and caches answer with it
//! all the same, and hashes are of the bytes inside.
//!
//! Only gzip is undone, as Go's client does. Nothing is guessed: bytes without the header stay
//! as they are.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ureq::http::{HeaderMap, header};

/// How the bytes of a body are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not at all.
    Identity,
    /// In the gzip format.
    Gzip,
}

/// Encodings that are not undone. Other words (`aws-chunked`, `utf-8`, `none`, `binary`) stand over plain
/// bytes: a store replays what an upload said. They are taken as Go's client takes them, and the hash decides.
const UNSUPPORTED: [&str; 7] = [
    "br",
    "zstd",
    "deflate",
    "compress",
    "x-compress",
    "dcb",
    "dcz",
];

impl Encoding {
    /// Reads the header.
    ///
    /// # Errors
    /// The name of an encoding that is not supported.
    pub(super) fn of(headers: &HeaderMap) -> Result<Encoding, &'static str> {
        let mut found = Encoding::Identity;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let value = String::from_utf8_lossy(value.as_bytes());
            for name in value.split(',').map(str::trim) {
                let is = |other: &str| name.eq_ignore_ascii_case(other);
                if let Some(name) = UNSUPPORTED.into_iter().find(|other| is(other)) {
                    return Err(name);
                }
                if !is("gzip") && !is("x-gzip") {
                    continue;
                }
                if found == Encoding::Gzip {
                    return Err("gzip, twice");
                }
                found = Encoding::Gzip;
            }
        }
        Ok(found)
    }
}

/// Why reading failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The bytes did not arrive.
    Transfer,
    /// They arrived, but are not what they are said to be, or not all of it.
    Decoding,
    /// There are more of them than any body within the limit is encoded in.
    TooLong,
}

/// A body with its encoding undone.
pub(super) struct Decoded<R: Read>(DecoderState<R>);

enum DecoderState<R: Read> {
    Plain(Metered<R>),
    /// Before the first byte: an empty body is empty, not a broken gzip stream, as in Go.
    Start(BufReader<Metered<R>>),
    Gzip(Box<MultiGzDecoder<BufReader<Metered<R>>>>),
    Ended(u64),
}

impl<R: Read> Decoded<R> {
    /// `limit` is how many decoded bytes the caller is going to take; in so much input that
    /// encodes less, as empty blocks without end do, reading fails.
    pub(super) fn new(inner: R, encoding: Encoding, limit: u64) -> Decoded<R> {
        let metered = |most| Metered {
            inner,
            bytes: 0,
            most,
            trouble: None,
        };
        Decoded(match encoding {
            Encoding::Identity => DecoderState::Plain(metered(u64::MAX)),
            // What does not shrink at all grows by less than a thousandth, and a header.
            Encoding::Gzip => DecoderState::Start(BufReader::with_capacity(
                16 << 10,
                metered(limit.saturating_add(limit / 16).saturating_add(64 << 10)),
            )),
        })
    }

    fn metered(&self) -> Option<&Metered<R>> {
        match &self.0 {
            DecoderState::Plain(metered) => Some(metered),
            DecoderState::Start(buffered) => Some(buffered.get_ref()),
            DecoderState::Gzip(decoder) => Some(decoder.get_ref().get_ref()),
            DecoderState::Ended(_) => None,
        }
    }

    /// How many bytes have arrived, as they were sent.
    pub(super) fn received(&self) -> u64 {
        match &self.0 {
            DecoderState::Ended(bytes) => *bytes,
            _ => self.metered().map_or(0, |metered| metered.bytes),
        }
    }

    /// What an error that `read` returned is about.
    pub(super) fn trouble(&self) -> Trouble {
        let trouble = self.metered().and_then(|metered| metered.trouble);
        trouble.unwrap_or(Trouble::Decoding)
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let DecoderState::Start(buffered) = &mut self.0 {
            let empty = buffered.fill_buf()?.is_empty();
            let ended = DecoderState::Ended(buffered.get_ref().bytes);
            if let DecoderState::Start(buffered) = std::mem::replace(&mut self.0, ended)
                && !empty
            {
                self.0 = DecoderState::Gzip(Box::new(MultiGzDecoder::new(buffered)));
            }
        }
        match &mut self.0 {
            DecoderState::Plain(metered) => metered.read(out),
            DecoderState::Gzip(decoder) => decoder.read(out),
            DecoderState::Start(_) | DecoderState::Ended(_) => Ok(0),
        }
    }
}

/// Counts what comes through, and remembers what went wrong here, since a decoder in between
/// does not tell.
struct Metered<R> {
    inner: R,
    bytes: u64,
    most: u64,
    trouble: Option<Trouble>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(out) {
                Ok(count) => {
                    self.bytes = self.bytes.saturating_add(count as u64);
                    if self.bytes <= self.most {
                        return Ok(count);
                    }
                    self.trouble = Some(Trouble::TooLong);
                    return Err(io::Error::other("too long"));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.trouble = Some(Trouble::Transfer);
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;
    use ureq::http::HeaderValue;

    pub(in crate::http) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn headers_are_understood_or_refused() {
        let rows: &[(&[&str], Result<Encoding, &str>)] = &[
            (&[], Ok(Encoding::Identity)),
            (&[""], Ok(Encoding::Identity)),
            (&["identity"], Ok(Encoding::Identity)),
            (&["gzip"], Ok(Encoding::Gzip)),
            (&["X-GZip"], Ok(Encoding::Gzip)),
            (&["identity, gzip"], Ok(Encoding::Gzip)),
            (&["gzip", "gzip"], Err("gzip, twice")),
            (&["br"], Err("br")),
            (&["gzip, Deflate"], Err("deflate")),
            (&["aws-chunked"], Ok(Encoding::Identity)),
            (&["utf-8"], Ok(Encoding::Identity)),
            (&["none", "binary"], Ok(Encoding::Identity)),
            (&["aws-chunked, gzip"], Ok(Encoding::Gzip)),
            (&["aws-chunked, zstd"], Err("zstd")),
            (&["\u{e9}"], Ok(Encoding::Identity)),
        ];
        for (values, want) in rows {
            let mut headers = HeaderMap::new();
            for value in *values {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append(header::CONTENT_ENCODING, value);
            }
            assert_eq!(Encoding::of(&headers), *want, "{values:?}");
        }
    }

    #[test]
    fn gzip_is_undone_in_one_or_more_members() {
        let two = [gzip(b"one"), gzip(b"two")].concat();
        let rows: &[(&[u8], &[u8])] = &[(&gzip(b"one"), b"one"), (&two, b"onetwo"), (b"", b"")];
        for (sent, want) in rows {
            let mut body = Decoded::new(*sent, Encoding::Gzip, 100);
            let mut got = Vec::new();
            body.read_to_end(&mut got).unwrap();
            assert_eq!(
                (got.as_slice(), body.received()),
                (*want, sent.len() as u64)
            );
        }
    }

    #[test]
    fn what_is_no_whole_gzip_stream_is_an_error() {
        let whole = gzip(b"the whole");
        for cut in 1..whole.len() {
            let mut body = Decoded::new(&whole[..cut], Encoding::Gzip, 100);
            let error = body.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
            assert_eq!(body.trouble(), Trouble::Decoding);
        }
        let mut wrong_sum = whole.clone();
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        let trailing = [&whole[..], b"x"].concat();
        for sent in [&b"module a\n"[..], &wrong_sum, &trailing] {
            let mut body = Decoded::new(sent, Encoding::Gzip, 100);
            assert!(body.read_to_end(&mut Vec::new()).is_err(), "{sent:?}");
            assert_eq!(body.trouble(), Trouble::Decoding);
        }
    }

    #[test]
    fn input_without_end_that_decodes_to_nothing_ends() {
        /// Empty members, for ever.
        struct Endless(io::Cursor<Vec<u8>>);
        impl Read for Endless {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0.position() == self.0.get_ref().len() as u64 {
                    self.0.set_position(0);
                }
                self.0.read(out)
            }
        }
        let endless = Endless(io::Cursor::new(gzip(b"")));
        let mut body = Decoded::new(endless, Encoding::Gzip, 100);
        assert!(body.read(&mut [0; 10]).is_err());
        assert_eq!(body.trouble(), Trouble::TooLong);
    }
}
