//! The head of an answer, in the form that ureq's parser takes.
//!
//! Servers and the boxes before them send heads that Go's client takes and ureq's parser refuses: lines that are
//! folded (RFC 9112, 5.2), a version such as `HTTP/1.2`, more than 128 fields. Here such a head is written anew, and
//! the reason phrase, which ureq drops, is kept.
//!
//! Only the form changes. Which fields there are, their order and their values stay, so that how long the body is
//! is decided by ureq alone. What is malformed for Go as well is handed on as it is, and ureq refuses it.

use std::str;

/// The most bytes of a head, with those of interim answers (1xx) before it.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;

/// ureq takes 128 fields.
const MAX_FIELDS: usize = 128;

/// The fields that this client reads. In a head with more than [`MAX_FIELDS`] all others are left out.
const READ_FIELDS: [&str; 13] = [
    "age",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "transfer-encoding",
    "www-authenticate",
];

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    /// The head for ureq's parser, with the empty line at its end.
    pub(super) text: Vec<u8>,
    /// An interim answer, before the one that counts: 1xx, except 101, after which no HTTP follows.
    pub(super) is_interim: bool,
    /// What follows the code in the status line; empty if nothing does.
    pub(super) reason: Vec<u8>,
}

/// How many bytes of the input are a head: to the end of the first empty line. `None` if that is still to come.
///
/// `seen` bytes were looked at before, and had no end.
pub(super) fn head_length(input: &[u8], seen: usize) -> Option<usize> {
    // An end may have begun with the three bytes before.
    let from = seen.saturating_sub(3);
    let ends = input.iter().enumerate().skip(from);
    let mut ends = ends.filter(|(_, byte)| **byte == b'\n');
    ends.find_map(|(at, _)| match input.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

impl ResponseHead {
    /// Reads a whole head, as [`head_length`] finds it.
    pub(super) fn read(raw: &[u8]) -> ResponseHead {
        ResponseHead::rewrite(raw).unwrap_or_else(|| ResponseHead {
            text: raw.to_vec(),
            is_interim: false,
            reason: Vec::new(),
        })
    }

    /// `None` for what is malformed.
    fn rewrite(raw: &[u8]) -> Option<ResponseHead> {
        let mut lines = raw.split(|byte| *byte == b'\n');
        let (version, code, reason) = status_line(without_cr(lines.next()?))?;
        let mut fields: Vec<Vec<u8>> = Vec::new();
        for line in lines.map(without_cr).filter(|line| !line.is_empty()) {
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                let field = fields.last_mut()?;
                field.truncate(field.trim_ascii_end().len());
                field.push(b' ');
                field.extend(line.trim_ascii());
            } else {
                fields.push(line.to_vec());
            }
        }
        if fields.len() > MAX_FIELDS {
            fields.retain(|field| is_read(field));
        }
        let mut text = [version, b" ", code, b"\r\n"].concat();
        for field in fields {
            text.extend(field);
            text.extend(b"\r\n");
        }
        text.extend(b"\r\n");
        Some(ResponseHead {
            text,
            is_interim: code.starts_with(b"1") && code != b"101",
            reason: reason.to_vec(),
        })
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The version as ureq takes it, the code of three digits, the reason; `None` where Go's client finds none of these.
fn status_line(line: &[u8]) -> Option<(&'static [u8], &[u8], &[u8])> {
    let version: &[u8] = match line.strip_prefix(b"HTTP/")? {
        [b'1', b'.', b'0', b' ', ..] => b"HTTP/1.0",
        // A later version has the framing of 1.1: its client asked with 1.1.
        [b'1'..=b'9', b'.', b'0'..=b'9', b' ', ..] => b"HTTP/1.1",
        _ => return None,
    };
    let rest = line.get(b"HTTP/1.1 ".len()..)?.trim_ascii_start();
    let (code, reason) = rest.split_at_checked(3)?;
    let whole = matches!(reason, [] | [b' ', ..]) && code.iter().all(u8::is_ascii_digit);
    whole.then(|| (version, code, reason.trim_ascii()))
}

fn is_read(field: &[u8]) -> bool {
    let name = field.split(|byte| *byte == b':').next();
    let name = name.and_then(|name| str::from_utf8(name).ok());
    // A blank before the colon is malformed, which ureq is to see.
    name.is_some_and(|name| READ_FIELDS.contains(&name.trim_ascii().to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> (String, bool, String) {
        assert_eq!(head_length(raw.as_bytes(), 0), Some(raw.len()), "{raw:?}");
        let head = ResponseHead::read(raw.as_bytes());
        (
            String::from_utf8(head.text).unwrap(),
            head.is_interim,
            String::from_utf8(head.reason).unwrap(),
        )
    }

    #[test]
    fn heads_that_go_takes_are_written_anew() {
        // Each was answered to go 1.27.4, which took it; values after unfolding by RFC 9112, 5.2.
        let rows = [
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
                "HTTP/1.1 200\r\nA: b\r\n\r\n",
                "OK",
            ),
            (
                "HTTP/1.1 200 OK\r\nA: one \r\n  two\r\n\tthree\r\nB: c\r\n\r\n",
                "HTTP/1.1 200\r\nA: one two three\r\nB: c\r\n\r\n",
                "OK",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length:\r\n 12\r\n\r\n",
                "HTTP/1.1 200\r\nContent-Length: 12\r\n\r\n",
                "OK",
            ),
            // A line of white space alone continues the line before; the head goes on.
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n \r\nC: d\r\n\r\n",
                "HTTP/1.1 200\r\nA: b \r\nC: d\r\n\r\n",
                "OK",
            ),
            (
                "HTTP/1.1 200 OK\nA: b\n c\n\n",
                "HTTP/1.1 200\r\nA: b c\r\n\r\n",
                "OK",
            ),
            (
                "HTTP/1.2 403 Requested item is quarantined\r\n\r\n",
                "HTTP/1.1 403\r\n\r\n",
                "Requested item is quarantined",
            ),
            ("HTTP/3.0 200\r\n\r\n", "HTTP/1.1 200\r\n\r\n", ""),
            ("HTTP/1.0  200  OK \r\n\r\n", "HTTP/1.0 200\r\n\r\n", "OK"),
            (
                "HTTP/1.1 404 a\u{1b}[31mb\r\n\r\n",
                "HTTP/1.1 404\r\n\r\n",
                "a\u{1b}[31mb",
            ),
        ];
        for (raw, want, reason) in rows {
            assert_eq!(read(raw), (want.to_owned(), false, reason.to_owned()));
        }
    }

    #[test]
    fn heads_that_go_refuses_are_handed_on() {
        for raw in [
            "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.10 200 OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "\n\n",
        ] {
            let raw = raw.as_bytes();
            let head = ResponseHead::read(raw);
            assert_eq!((head.text, head.is_interim), (raw.to_vec(), false));
        }
        // The bytes of a field are no matter of this file.
        let odd = "HTTP/1.1 200\r\nA : b\rc\r\nno colon\r\n: \0\r\n\r\n";
        assert_eq!(read(odd).0, odd);
    }

    #[test]
    fn a_malformed_field_that_is_read_is_handed_on_among_many() {
        let many = "X: y\r\n".repeat(MAX_FIELDS);
        let text = read(&format!("HTTP/1.1 200\r\n{many}Content-Length : 5\r\n\r\n")).0;
        assert_eq!(text, "HTTP/1.1 200\r\nContent-Length : 5\r\n\r\n");
    }

    #[test]
    fn interim_answers_are_known() {
        for (code, interim) in [(100, true), (103, true), (101, false), (200, false)] {
            assert_eq!(read(&format!("HTTP/1.1 {code}\r\n\r\n")).1, interim);
        }
    }

    #[test]
    fn the_end_of_a_head_is_found_however_the_bytes_come() {
        let rows = [
            ("HTTP/1.1 200 OK\r\n\r\n", 19),
            ("HTTP/1.1 200 OK\n\n", 17),
            ("HTTP/1.1 200 OK\n\r\n", 18),
            ("HTTP/1.1 200 OK\r\n\n", 18),
            ("HTTP/1.1 200 OK\r\n \r\n\r\n", 22),
        ];
        for (head, want) in rows {
            let whole = [head.as_bytes(), b"body\r\n\r\n"].concat();
            for pieces in 1..whole.len() {
                let mut seen = 0;
                let mut ends = (pieces..).step_by(pieces).map(|end| end.min(whole.len()));
                let found = ends.find_map(|end| {
                    let found = head_length(&whole[..end], seen);
                    seen = end;
                    found
                });
                assert_eq!(found, Some(want), "{head:?} in pieces of {pieces}");
            }
        }
    }

    #[test]
    fn of_very_many_fields_those_stay_that_are_read() {
        let fields = |count: usize| (0..count).map(|i| format!("X-{i}: v\r\n"));
        let head = |count: usize| {
            let fields: String = fields(count).collect();
            format!("HTTP/1.1 200\r\n{fields}content-LENGTH: 5\r\nETag: \"a\"\r\n\r\n")
        };
        assert_eq!(read(&head(126)).0, head(126));
        assert_eq!(
            read(&head(127)).0,
            "HTTP/1.1 200\r\ncontent-LENGTH: 5\r\nETag: \"a\"\r\n\r\n"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_head_stays_one_head(raw in "[HTP/1. 2\r\n\t:ab]{0,60}") {
            let raw = format!("HTTP/1.1 200 OK\r\n{raw}\r\n\r\n");
            let length = head_length(raw.as_bytes(), 0).unwrap();
            let head = ResponseHead::read(&raw.as_bytes()[..length]);
            proptest::prop_assert_eq!(head_length(&head.text, 0), Some(head.text.len()));
        }
    }
}
