//! Which part of a content a request gets: conditions and ranges, by the field values alone.
//!
//! Source: RFC 9110, 13.1.2 (`If-None-Match`), 13.1.5 (`If-Range`), 14.2 (`Range`).

use super::head::RequestFields;

/// What to send of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentSelection {
    /// All of it: 200.
    Whole,
    /// The bytes from `start` on, `length` of them, at least one: 206.
    Part {
        /// The first byte, from 0.
        start: u64,
        /// How many bytes.
        length: u64,
    },
    /// Nothing, since the client has it: 304.
    NotModified,
    /// Nothing, since no byte of the range exists: 416.
    Unsatisfiable,
}

/// Chooses from a content of `length` bytes with this entity tag (quotes included).
#[must_use]
pub fn select(fields: &RequestFields, etag: Option<&str>, length: u64) -> ContentSelection {
    if let (Some(list), Some(etag)) = (&fields.if_none_match, etag)
        && matches_any(list, etag)
    {
        return ContentSelection::NotModified;
    }
    let Some(range) = &fields.range else {
        return ContentSelection::Whole;
    };
    if let Some(condition) = &fields.if_range
        && Some(condition.as_str()) != etag
    {
        return ContentSelection::Whole;
    }
    select_range(range, length)
}

/// The weak comparison: a tag is the same with and without `W/`.
fn matches_any(list: &str, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.trim() == "*" || list.split(',').any(|tag| plain(tag) == plain(etag))
}

/// One range of bytes. A malformed one, another unit and several ranges are ignored, as a server
/// may do.
fn select_range(range: &str, length: u64) -> ContentSelection {
    let parsed = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'));
    let Some((first, last)) = parsed else {
        return ContentSelection::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit is more bytes than any content has.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (number(first.trim()), number(last.trim())) {
        (Some(first), last_byte) if last_byte.is_some() || last.trim().is_empty() => {
            let end = last_byte.map_or(length, |last| last.saturating_add(1).min(length));
            if last_byte.is_some_and(|last| last < first) {
                ContentSelection::Whole
            } else if first >= length {
                ContentSelection::Unsatisfiable
            } else {
                ContentSelection::Part {
                    start: first,
                    length: end - first,
                }
            }
        }
        (None, Some(0)) if first.trim().is_empty() => ContentSelection::Unsatisfiable,
        (None, Some(suffix)) if first.trim().is_empty() => match suffix.min(length) {
            0 => ContentSelection::Unsatisfiable,
            taken => ContentSelection::Part {
                start: length - taken,
                length: taken,
            },
        },
        _ => ContentSelection::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        use ContentSelection::{Unsatisfiable, Whole};
        let part = |start, length| ContentSelection::Part { start, length };
        let table = [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-", part(0, 10)),
            ("bytes=9-", part(9, 1)),
            ("bytes=2-5", part(2, 4)),
            ("bytes=2-99", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-99", part(0, 10)),
            ("bytes=-0", Unsatisfiable),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=0-99999999999999999999999", part(0, 10)),
            ("bytes=5-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=-", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("lines=0-1", Whole),
        ];
        for (range, want) in table {
            let fields = RequestFields {
                range: Some(range.to_owned()),
                ..RequestFields::default()
            };
            assert_eq!(select(&fields, None, 10), want, "{range}");
        }
        let fields = RequestFields {
            range: Some("bytes=0-".to_owned()),
            ..RequestFields::default()
        };
        assert_eq!(select(&fields, None, 0), Unsatisfiable);
    }

    #[test]
    fn conditions_come_before_ranges() {
        let chosen = |none_match: Option<&str>, if_range: Option<&str>| {
            let fields = RequestFields {
                range: Some("bytes=0-1".to_owned()),
                if_none_match: none_match.map(str::to_owned),
                if_range: if_range.map(str::to_owned),
                ..RequestFields::default()
            };
            select(&fields, Some("\"a\""), 10)
        };
        let part = ContentSelection::Part {
            start: 0,
            length: 2,
        };
        assert_eq!(chosen(None, None), part);
        assert_eq!(
            chosen(Some("\"b\", W/\"a\""), None),
            ContentSelection::NotModified
        );
        assert_eq!(chosen(Some("*"), None), ContentSelection::NotModified);
        assert_eq!(chosen(Some("\"b\""), None), part);
        assert_eq!(chosen(None, Some("\"a\"")), part);
        assert_eq!(chosen(None, Some("\"b\"")), ContentSelection::Whole);
        assert_eq!(
            chosen(None, Some("Sat, 29 Oct 1994 19:43:31 GMT")),
            ContentSelection::Whole
        );
    }
}
