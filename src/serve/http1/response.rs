//! An answer: its status, its fields, and where the bytes of its body are.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use super::head::{RequestFields, RequestMethod};
use super::live::LiveFile;
use super::selection::{ContentSelection, select};

/// Where the bytes of a body are.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Bytes(Cow<'static, [u8]>),
    /// In a file, from a byte on.
    File {
        /// Open for reading by position.
        file: Arc<File>,
        /// The first byte.
        start: u64,
        /// How many bytes.
        length: u64,
    },
    /// In a file that is still being written.
    Live(Arc<LiveFile>),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Body {
        Body::Bytes(Cow::Borrowed(&[]))
    }

    /// How many bytes; `None` if that is not known yet.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::File { length, .. } => Some(*length),
            Body::Live(live) => live.length(),
        }
    }
}

/// An answer to one request.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields beside those that follow from the body and the connection.
    pub fields: Vec<(&'static str, Cow<'static, str>)>,
    /// The body of a GET.
    pub body: Body,
    /// The connection ends after it.
    pub close: bool,
    /// What the log says of it.
    pub note: Note,
}

/// What is known of an answer that is for the log and the metrics, not for the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// What kind of thing was asked for: `zip`, `list`, ...
    pub kind: &'static str,
    /// `HIT`, `MISS`, `STALE`, `EXPIRED`, or empty.
    pub cache: &'static str,
}

/// The content type of texts.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// `Not Found` for 404; empty for a status that is never sent.
#[must_use]
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

impl Response {
    /// A status with a body.
    #[must_use]
    pub fn new(status: u16, content_type: &'static str, body: Body) -> Response {
        Response {
            status,
            fields: vec![("Content-Type", Cow::Borrowed(content_type))],
            body,
            close: false,
            note: Note::default(),
        }
    }

    /// A status with a text of one line, to which the line's end is added.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Response {
        let mut text: String = text.into();
        text.push('\n');
        Response::new(status, TEXT, Body::Bytes(Cow::Owned(text.into_bytes())))
    }

    /// Adds a field. The value holds no control characters: those become blanks.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
        let mut value: Cow<'static, str> = value.into();
        if value.chars().any(char::is_control) {
            value = Cow::Owned(value.replace(char::is_control, " "));
        }
        self.fields.push((name, value));
        self
    }

    /// Says what it is, for log and metrics.
    #[must_use]
    pub fn noted(mut self, kind: &'static str, cache: &'static str) -> Response {
        self.note = Note { kind, cache };
        self
    }

    /// Ends the connection after it.
    #[must_use]
    pub fn closing(mut self) -> Response {
        self.close = true;
        self
    }

    /// The answer for a file of which the client may want a part, or may have all.
    #[must_use]
    pub fn of_file(
        fields: &RequestFields,
        file: Arc<File>,
        length: u64,
        content_type: &'static str,
        etag: Option<&str>,
    ) -> Response {
        let selection = select(fields, etag, length);
        let whole = |start, length| Body::File {
            file,
            start,
            length,
        };
        let response = match selection {
            ContentSelection::Whole => Response::new(200, content_type, whole(0, length)),
            ContentSelection::Part {
                start,
                length: part,
            } => {
                let range = format!("bytes {start}-{}/{length}", start + part - 1);
                Response::new(206, content_type, whole(start, part)).with("Content-Range", range)
            }
            ContentSelection::NotModified => Response {
                fields: Vec::new(),
                ..Response::new(304, content_type, Body::empty())
            },
            ContentSelection::Unsatisfiable => Response::text(416, "range not satisfiable")
                .with("Content-Range", format!("bytes */{length}")),
        };
        let response = response.with("Accept-Ranges", "bytes");
        match etag {
            Some(etag) => response.with("ETag", etag.to_owned()),
            None => response,
        }
    }

    /// The answer for a content in memory, which may have a tag.
    #[must_use]
    pub fn of_bytes(
        fields: &RequestFields,
        bytes: impl Into<Cow<'static, [u8]>>,
        content_type: &'static str,
        etag: Option<&str>,
    ) -> Response {
        let whole = RequestFields {
            if_none_match: fields.if_none_match.clone(),
            ..RequestFields::default()
        };
        let response = match select(&whole, etag, 0) {
            ContentSelection::NotModified => Response {
                fields: Vec::new(),
                ..Response::new(304, content_type, Body::empty())
            },
            _ => Response::new(200, content_type, Body::Bytes(bytes.into())),
        };
        match etag {
            Some(etag) => response.with("ETag", etag.to_owned()),
            None => response,
        }
    }
}

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length, or by there being none.
    Length,
    /// In chunks, the last of them empty.
    Chunked,
}

/// How a response goes to a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    pub(super) method: RequestMethod,
    pub(super) is_http11: bool,
    pub(super) keep_alive: bool,
}

/// Writes the head of a response.
pub(super) fn write_head(
    out: &mut Vec<u8>,
    response: &Response,
    delivery: Delivery,
    date: &str,
) -> Framing {
    let status = response.status;
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 {status} {}\r\nDate: {date}\r\n",
        reason_phrase(status)
    );
    for (name, value) in &response.fields {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    let framing = match response.body.length() {
        _ if status == 304 => Framing::Length,
        Some(length) => {
            let _ = write!(out, "Content-Length: {length}\r\n");
            Framing::Length
        }
        None => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            Framing::Chunked
        }
    };
    if !delivery.keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if !delivery.is_http11 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
    framing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(response: &Response, keep_alive: bool) -> String {
        let mut out = Vec::new();
        let delivery = Delivery {
            method: RequestMethod::Get,
            is_http11: true,
            keep_alive,
        };
        write_head(&mut out, response, delivery, "DATE");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn heads_say_how_the_body_ends() {
        let text = Response::text(404, "not found");
        assert_eq!(
            head(&text, true),
            "HTTP/1.1 404 Not Found\r\nDate: DATE\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 10\r\n\r\n"
        );
        assert!(head(&text, false).ends_with("Connection: close\r\n\r\n"));
    }

    #[test]
    fn a_field_takes_no_second_line() {
        let response = Response::text(200, "").with("X-Reason", "a\r\nSet-Cookie: b");
        assert!(head(&response, true).contains("X-Reason: a  Set-Cookie: b\r\n"));
    }

    #[test]
    fn what_the_client_has_is_not_sent() {
        let fields = RequestFields {
            if_none_match: Some("\"x\"".to_owned()),
            ..RequestFields::default()
        };
        let response = Response::of_bytes(&fields, &b"abc"[..], TEXT, Some("\"x\""));
        assert_eq!((response.status, response.body.length()), (304, Some(0)));
        let head = head(&response, true);
        assert!(!head.contains("Content-Length") && head.contains("ETag: \"x\""));
        let response = Response::of_bytes(&fields, &b"abc"[..], TEXT, Some("\"y\""));
        assert_eq!((response.status, response.body.length()), (200, Some(3)));
    }
}
