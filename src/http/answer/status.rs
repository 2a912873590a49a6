//! The text and kind of a status that is not 200.
//!
//! Source: golang/go `cmd/go/internal/web/api.go`, `HTTPError` and `formatErrorDetail`.

use std::io::Read;

use ureq::http::response::Parts;
use ureq::http::{Extensions, HeaderMap, Response, StatusCode, header};

use super::encoding::{Decoded, Encoding};
use crate::error::{Error, Kind, Reason};
use crate::http::exchange;
use crate::http::text::{harmless, is_harmless};
use crate::http::url::RedactedUrl;

/// Details of a server's answer are shown up to this many lines and bytes.
const MAX_DETAIL_LINES: usize = 8;
const MAX_DETAIL_BYTES: usize = MAX_DETAIL_LINES * 81;

/// How much of an unwanted body is read, so that its connection can be used again.
pub(super) const MAX_DRAIN_BYTES: u64 = 64 << 10;

/// At most this many characters of a reason phrase are shown.
const MAX_PHRASE_CHARS: usize = 200;

/// What the status line of an answer has after the code, as an extension of the response. It may be anything: a server
/// may explain itself there.
#[derive(Clone)]
pub(in crate::http) struct ReasonPhrase(Vec<u8>);

impl ReasonPhrase {
    /// Adds the phrase of the answer that this thread has just read.
    pub(in crate::http) fn add_to<B>(mut response: Response<B>) -> Response<B> {
        let phrase = exchange::take_phrase();
        if !phrase.is_empty() {
            response.extensions_mut().insert(ReasonPhrase(phrase));
        }
        response
    }

    /// Forgets it: it may repeat secrets.
    pub(in crate::http) fn hide<B>(response: &mut Response<B>) {
        response.extensions_mut().remove::<ReasonPhrase>();
    }
}

/// `404 Not Found`: the code, and the phrase of the server or else the usual one, where there is one.
pub(in crate::http) fn status_text(status: StatusCode, extensions: &Extensions) -> String {
    let phrase = extensions.get().map(|ReasonPhrase(phrase)| {
        let phrase = harmless(&String::from_utf8_lossy(phrase));
        match phrase.char_indices().nth(MAX_PHRASE_CHARS) {
            Some((end, _)) => format!("{}...", phrase.get(..end).unwrap_or_default()),
            None => phrase,
        }
    });
    match phrase.as_deref().or(status.canonical_reason()) {
        Some(phrase) => format!("{} {phrase}", status.as_u16()),
        None => status.as_str().to_owned(),
    }
}

/// True for a status that another request may not get.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// What messages say of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Detail {
    /// A few lines, if they are plain text.
    Shown,
    /// That there is some: it may repeat secrets.
    Hidden,
}

/// The error for a response that is not 200; reads the body, for its text and its connection.
pub(in crate::http) fn status_error(
    url: &RedactedUrl,
    parts: &Parts,
    body: impl Read,
    shown: Detail,
) -> Error {
    let (status, headers) = (parts.status, &parts.headers);
    let mut bytes = Vec::new();
    let encoding = Encoding::of(headers);
    let body = Decoded::new(
        body,
        encoding.unwrap_or(Encoding::Identity),
        MAX_DRAIN_BYTES,
    );
    // A body that breaks off is no news beside the status.
    let _ = body.take(MAX_DRAIN_BYTES).read_to_end(&mut bytes);
    let detail = match shown {
        _ if !is_plain_text(headers) || encoding.is_err() => String::new(),
        Detail::Shown => detail(&bytes),
        Detail::Hidden if bytes.is_empty() => String::new(),
        Detail::Hidden => "[Not shown: it may repeat credentials.]".to_owned(),
    };
    let separator = if detail.contains('\n') { "\n\t" } else { " " };
    let mut reason = status_text(status, &parts.extensions);
    if !detail.is_empty() {
        reason.push_str(&format!("\n\tserver response:{separator}{detail}"));
    }
    let kind = match status.as_u16() {
        404 | 410 => Kind::NotFound,
        401 | 403 | 407 => Kind::Auth,
        _ => Kind::Network,
    };
    let error = Error::new(kind, format!("reading {url}: {reason}"));
    match status {
        StatusCode::GONE => error.with_reason(Reason::Gone),
        _ if is_transient(status) => error.transient(),
        _ => error,
    }
}

fn is_plain_text(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let plain = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("text/plain"));
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase());
    plain && matches!(charset.as_deref(), None | Some("" | "us-ascii" | "utf-8"))
}

/// A few harmless lines of a body, each but the first indented; empty if it is not harmless.
fn detail(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Cut in the middle of a character by our own limit.
        Err(error) if error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return String::new(),
    };
    if !text.chars().all(is_harmless) {
        return String::new();
    }
    let mut detail = String::new();
    for (i, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            break;
        }
        if i > 0 {
            detail.push_str("\n\t");
        }
        if i >= MAX_DETAIL_LINES {
            detail.push_str("[Truncated: too many lines.]");
            break;
        }
        if detail.len() + line.len() > MAX_DETAIL_BYTES {
            detail.push_str("[Truncated: too long.]");
            break;
        }
        detail.push_str(line);
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(parts: &Parts, body: &str) -> Error {
        let url = crate::http::Url::parse("https://h/x").unwrap().redacted();
        status_error(&url, parts, body.as_bytes(), Detail::Shown)
    }

    fn text(status: u16, content_type: &'static str, body: &str) -> String {
        let answer = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, content_type);
        error(&answer.body(()).unwrap().into_parts().0, body).chain()
    }

    #[test]
    fn the_phrase_of_the_server_is_shown_as_far_as_it_is_harmless() {
        let long = "x".repeat(201);
        let cut = format!("404 {}...", "x".repeat(200));
        let rows: [(&[u8], &str); 5] = [
            (b"", "404 Not Found"),
            (b"OK", "404 OK"),
            ("été".as_bytes(), "404 été"),
            (b"a\x1b[31m\xe9", "404 a?[31m\u{fffd}"),
            (long.as_bytes(), &cut),
        ];
        for (phrase, want) in rows {
            exchange::phrased(phrase);
            let answer = Response::builder().status(404).body(()).unwrap();
            let mut answer = ReasonPhrase::add_to(answer);
            let said = status_text(answer.status(), answer.extensions());
            assert_eq!(said, want);
            // Each answer has its own.
            assert!(exchange::take_phrase().is_empty());
            ReasonPhrase::hide(&mut answer);
            let said = status_text(answer.status(), answer.extensions());
            assert_eq!(said, "404 Not Found");
        }
    }

    #[test]
    fn details_are_shown_as_go_shows_them() {
        // Expected values by the rules of formatErrorDetail.
        let plain = "text/plain; charset=UTF-8";
        let nine = "l\n".repeat(9);
        let long = "x".repeat(649);
        let rows = [
            (
                404,
                plain,
                "not found: a.com/m@v1: no\n",
                "reading https://h/x: 404 Not Found\n\tserver response: not found: a.com/m@v1: no",
            ),
            (
                410,
                plain,
                "one\ntwo\n\nthree",
                "reading https://h/x: 410 Gone\n\tserver response:\n\tone\n\ttwo",
            ),
            (
                404,
                "text/html",
                "<b>no</b>",
                "reading https://h/x: 404 Not Found",
            ),
            (
                404,
                "text/plain; charset=latin1",
                "no",
                "reading https://h/x: 404 Not Found",
            ),
            (
                404,
                plain,
                "a\u{1b}[31mb",
                "reading https://h/x: 404 Not Found",
            ),
            (404, plain, "", "reading https://h/x: 404 Not Found"),
            (
                404,
                plain,
                &long,
                "reading https://h/x: 404 Not Found\n\tserver response: [Truncated: too long.]",
            ),
            (
                500,
                plain,
                &nine,
                "reading https://h/x: 500 Internal Server Error\n\tserver response:\n\tl\n\tl\n\tl\n\
              \tl\n\tl\n\tl\n\tl\n\tl\n\t[Truncated: too many lines.]",
            ),
        ];
        for (status, content_type, body, want) in rows {
            assert_eq!(text(status, content_type, body), want, "{body:?}");
        }
    }

    #[test]
    fn kinds_and_transience() {
        let rows = [
            (404, Kind::NotFound, false),
            (410, Kind::NotFound, false),
            (401, Kind::Auth, false),
            (403, Kind::Auth, false),
            (400, Kind::Network, false),
            (408, Kind::Network, true),
            (425, Kind::Network, true),
            (429, Kind::Network, true),
            (500, Kind::Network, true),
            (501, Kind::Network, false),
            (502, Kind::Network, true),
            (503, Kind::Network, true),
            (504, Kind::Network, true),
            (505, Kind::Network, false),
            (204, Kind::Network, false),
        ];
        for (status, kind, transient) in rows {
            let answer = Response::builder().status(status).body(()).unwrap();
            let error = error(&answer.into_parts().0, "");
            assert_eq!(
                (error.kind(), error.is_transient()),
                (kind, transient),
                "{status}"
            );
        }
    }
}
