//! Going on with a body that was cut: when that is safe, and what a server makes of the wish.
//!
//! Bytes of two transfers are put together if the server itself says that they are of the same
//! content: by an entity tag that is not weak, or by a date of modification old enough to mean
//! something, sent back in `If-Range`. Go's protocol asks for neither, and many proxies send none:
//! then a [`BodySink`](super::BodySink) whose owner knows the hash of the whole may go on all the same,
//! by `Range` alone. Without a length, or encoded, a body starts again from its first byte. Whoever
//! uses it still has to compare a hash.
//!
//! Source: RFC 9110, 8.8 (validators), 13.1.5 (`If-Range`), 14.4 (`Content-Range`).

use std::time::{SystemTime, UNIX_EPOCH};

use ureq::http::{HeaderMap, HeaderName, StatusCode, header};

use super::encoding::Encoding;
use crate::http::time::parse_http_date;
use crate::http::url::RedactedUrl;

/// What is kept of headers stays short.
const MAX_VALIDATOR_BYTES: usize = 512;

/// A date of modification counts if the server stated it so many seconds later: before that, the
/// content may change again within the same second.
const SETTLED_SECONDS: i64 = 1;

/// By what a server recognizes content: a strong entity tag, quotes included, or an HTTP date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator(String);

impl Validator {
    /// Takes a validator that was kept as text; `None` for anything that is none, a weak tag
    /// among them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Validator> {
        let tag = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let good = match tag {
            Some(tag) => tag.bytes().all(|b| b.is_ascii_graphic() && b != b'"'),
            None => parse_http_date(text, 0).is_some() && text.bytes().all(is_date_byte),
        };
        (good && text.len() <= MAX_VALIDATOR_BYTES).then(|| Validator(text.to_owned()))
    }

    /// The text for `If-Range`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The validator of an answer. A weak tag is none, and then the date is none either: the
    /// server has said that contents differ which it calls the same.
    pub(super) fn of(headers: &HeaderMap, now: SystemTime) -> Option<Validator> {
        if headers.contains_key(header::ETAG) {
            let tag = text(headers, header::ETAG)?;
            return Validator::parse(tag).filter(Validator::is_tag);
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).ok()?;
        let modified = text(headers, header::LAST_MODIFIED)?;
        let changed = parse_http_date(modified, now)?;
        let stated = parse_http_date(text(headers, header::DATE)?, now)?;
        let settled = stated.checked_sub(changed)? >= SETTLED_SECONDS;
        Validator::parse(modified).filter(|_| settled)
    }

    fn is_tag(&self) -> bool {
        self.0.starts_with('"')
    }

    /// False if the answer names another validator of this kind; it need not name any.
    fn is_named_in(&self, headers: &HeaderMap) -> bool {
        let name = if self.is_tag() {
            header::ETAG
        } else {
            header::LAST_MODIFIED
        };
        !headers.contains_key(&name) || text(headers, name) == Some(self.as_str())
    }
}

fn is_date_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b" ,:-".contains(&b)
}

/// The one value of a header; `None` if there are several, or bytes that are no text.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(first)
}

/// A body that can be resumed if it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumable {
    /// The URL that was asked for, without secrets; where redirects led does not matter.
    pub url: String,
    /// How the content is recognized by whoever sent it; `None` if the sender has not said. Only
    /// who knows the hash of the whole may keep such a beginning.
    pub validator: Option<Validator>,
    /// The size of the whole, in bytes.
    pub length: u64,
}

impl Resumable {
    /// Says what an answer with status 200 promises, if its length is known.
    pub(in crate::http) fn of(
        url: &RedactedUrl,
        headers: &HeaderMap,
        length: Option<u64>,
        now: SystemTime,
    ) -> Option<Resumable> {
        let plain = Encoding::of(headers) == Ok(Encoding::Identity);
        Some(Resumable {
            url: url.as_str().to_owned(),
            validator: Validator::of(headers, now),
            length: length.filter(|_| plain)?,
        })
    }
}

/// What was kept of a body that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialBody {
    /// The body it is the beginning of.
    pub of: Resumable,
    /// How many bytes there are.
    pub bytes: u64,
}

/// What the answer to a request for the rest means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum RangeAnswer {
    /// The rest follows.
    Rest,
    /// It cannot be used, and says nothing about a request for the whole.
    Unusable,
    /// It is to be read like an answer to a request for the whole.
    Other,
}

impl PartialBody {
    /// True if there is something to go on from, and something left.
    pub(in crate::http) fn is_begun(&self) -> bool {
        0 < self.bytes && self.bytes < self.of.length
    }

    /// True if nothing is left to be fetched.
    pub(in crate::http) fn is_whole(&self) -> bool {
        0 < self.bytes && self.bytes == self.of.length
    }

    /// The headers that ask for the rest, and for the whole should that be another by now, as far
    /// as its sender can tell.
    pub(in crate::http) fn headers(&self) -> Vec<(HeaderName, String)> {
        let validator = self.of.validator.as_ref();
        let validator = validator.map(|known| (header::IF_RANGE, known.as_str().to_owned()));
        let range = (header::RANGE, self.range());
        std::iter::once(range).chain(validator).collect()
    }

    /// The `Range` that asks for the rest.
    fn range(&self) -> String {
        format!("bytes={}-", self.bytes)
    }

    /// Judges an answer by status, headers and the length of its body.
    pub(in crate::http) fn judge(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        length: Option<u64>,
    ) -> RangeAnswer {
        match status.as_u16() {
            206 => {}
            // The whole file, or what can be said without looking at the range.
            200 | 401 | 403 | 404 | 407 | 408 | 410 | 425 | 429 | 500 | 502..=504 => {
                return RangeAnswer::Other;
            }
            // 416, and what servers answer that do not understand the question.
            _ => return RangeAnswer::Unusable,
        }
        let wanted = format!(
            "bytes {}-{}/{}",
            self.bytes,
            self.of.length.saturating_sub(1),
            self.of.length
        );
        let range = text(headers, header::CONTENT_RANGE)
            .is_some_and(|range| range.split_ascii_whitespace().eq(wanted.split(' ')));
        let rest = self.of.length.checked_sub(self.bytes);
        let good = range
            && Encoding::of(headers) == Ok(Encoding::Identity)
            && length.is_none_or(|length| Some(length) == rest)
            && (self.of.validator.as_ref()).is_none_or(|known| known.is_named_in(headers));
        if good {
            RangeAnswer::Rest
        } else {
            RangeAnswer::Unusable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Url;
    use std::time::Duration;
    use ureq::http::HeaderValue;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn only_strong_validators_count() {
        // 1994-11-06 08:49:37 UTC
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let old = "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT";
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
        let long = format!("ETag: \"{}\"", "x".repeat(MAX_VALIDATOR_BYTES));
        let rows: &[(&[&str], Option<&str>)] = &[
            (&["ETag: \"abc\""], Some("\"abc\"")),
            (&["ETag: \"\""], Some("\"\"")),
            (&["ETag: W/\"abc\""], None),
            (&["ETag: abc"], None),
            (&["ETag: \"a\"b\""], None),
            (&["ETag: \"a b\""], None),
            (&["ETag: \"a\"", "ETag: \"b\""], None),
            (&[&long], None),
            (&["ETag: Sun, 06 Nov 1994 08:49:36 GMT"], None),
            (&["ETag: W/\"abc\"", old, date], None),
            (&[old, date], Some("Sun, 06 Nov 1994 08:49:36 GMT")),
            (&[old], None),
            (
                &["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", date],
                None,
            ),
            (&["Last-Modified: yesterday", date], None),
            (&[], None),
        ];
        for (lines, want) in rows {
            let found = Validator::of(&headers(lines), now);
            assert_eq!(found.as_ref().map(Validator::as_str), *want, "{lines:?}");
            if let Some(found) = found {
                assert_eq!(Validator::parse(found.as_str()), Some(found));
            }
        }
    }

    #[test]
    fn encoded_bodies_and_those_without_a_length_are_not_resumable() {
        let url = Url::parse("https://token@h/a/@v/v1.zip?sig=secret").unwrap();
        let url = url.redacted();
        let of = |lines: &[&str], length| {
            Resumable::of(&url, &headers(lines), length, UNIX_EPOCH).map(|found| found.url)
        };
        let tag = "ETag: \"a\"";
        let shown = "https://xxxxx@h/a/@v/v1.zip?xxxxx".to_owned();
        assert_eq!(of(&[tag], Some(9)), Some(shown));
        assert_eq!(of(&[tag], None), None);
        assert_eq!(of(&[tag, "Content-Encoding: gzip"], Some(9)), None);
        assert_eq!(of(&[], None), None);
        // Whether that is enough, its sink decides.
        assert!(of(&[], Some(9)).is_some());
    }

    #[test]
    fn the_rest_is_taken_only_if_it_is_exactly_that() {
        let validator = |text| Validator::parse(text).unwrap();
        let kept = |text| PartialBody {
            of: Resumable {
                url: "http://h/x".into(),
                validator: Some(validator(text)),
                length: 10,
            },
            bytes: 4,
        };
        let tagged = kept("\"a\"");
        assert_eq!(tagged.range(), "bytes=4-");
        let range = "Content-Range: bytes 4-9/10";
        let rows: &[(u16, &[&str], Option<u64>, RangeAnswer)] = &[
            (206, &[range], Some(6), RangeAnswer::Rest),
            (206, &[range], None, RangeAnswer::Rest),
            (206, &[range, "ETag: \"a\""], Some(6), RangeAnswer::Rest),
            (206, &[range, "ETag: \"b\""], Some(6), RangeAnswer::Unusable),
            (
                206,
                &[range, "ETag: W/\"a\""],
                Some(6),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &[range, "Content-Encoding: gzip"],
                Some(6),
                RangeAnswer::Unusable,
            ),
            (206, &[range], Some(5), RangeAnswer::Unusable),
            (206, &[range, range], Some(6), RangeAnswer::Unusable),
            (206, &[], Some(6), RangeAnswer::Unusable),
            (
                206,
                &["Content-Range: bytes 4-9/*"],
                Some(6),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &["Content-Range: bytes 4-9/11"],
                Some(6),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &["Content-Range: bytes 4-8/10"],
                Some(5),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &["Content-Range: bytes 0-9/10"],
                Some(10),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &["Content-Range: bytes 3-9/10"],
                Some(7),
                RangeAnswer::Unusable,
            ),
            (
                206,
                &["Content-Range: items 4-9/10"],
                Some(6),
                RangeAnswer::Unusable,
            ),
            (206, &["Content-Range: "], Some(6), RangeAnswer::Unusable),
            (
                416,
                &["Content-Range: bytes */10"],
                Some(0),
                RangeAnswer::Unusable,
            ),
            (400, &[], None, RangeAnswer::Unusable),
            (412, &[], None, RangeAnswer::Unusable),
            (501, &[], None, RangeAnswer::Unusable),
            (200, &["ETag: \"b\""], Some(10), RangeAnswer::Other),
            (404, &[], None, RangeAnswer::Other),
            (503, &[], None, RangeAnswer::Other),
        ];
        for (status, lines, length, want) in rows {
            let status = StatusCode::from_u16(*status).unwrap();
            let got = tagged.judge(status, &headers(lines), *length);
            assert_eq!(got, *want, "{status} {lines:?} {length:?}");
        }
        let unnamed = PartialBody {
            of: Resumable {
                validator: None,
                ..tagged.of.clone()
            },
            bytes: 4,
        };
        assert_eq!(tagged.headers().len(), 2);
        let only_range = [(header::RANGE, "bytes=4-".to_owned())];
        assert_eq!(unnamed.headers(), only_range);
        for (lines, want) in [
            (&[range, "ETag: \"b\""][..], RangeAnswer::Rest),
            (&["Content-Range: bytes 4-9/11"], RangeAnswer::Unusable),
            (&[], RangeAnswer::Unusable),
        ] {
            let status = StatusCode::PARTIAL_CONTENT;
            assert_eq!(
                unnamed.judge(status, &headers(lines), None),
                want,
                "{lines:?}"
            );
        }
        let dated = kept("Sun, 06 Nov 1994 08:49:36 GMT");
        let other = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT";
        let answers = [&[range][..], &[range, other], &[range, "ETag: \"b\""]];
        let got =
            answers.map(|lines| dated.judge(StatusCode::PARTIAL_CONTENT, &headers(lines), Some(6)));
        assert_eq!(
            got,
            [RangeAnswer::Rest, RangeAnswer::Unusable, RangeAnswer::Rest]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_judged(value in "(bytes )?[ -~]{0,40}", tag in "[ -~\u{e9}]{0,40}") {
            let _ = Validator::parse(&tag);
            let lines = [format!("Content-Range: {value}"), format!("ETag: {tag}")];
            let lines = [lines[0].as_str(), lines[1].as_str()];
            let of = Resumable::of(
                &Url::parse("http://h/x").unwrap().redacted(),
                &headers(&lines),
                Some(10),
                UNIX_EPOCH,
            );
            if let Some(of) = of {
                let kept = PartialBody { of, bytes: 4 };
                kept.judge(StatusCode::PARTIAL_CONTENT, &headers(&lines), Some(6));
            }
        }
    }
}
