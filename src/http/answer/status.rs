//! The text and kind of a status that is not 200.
//!
//! Source: golang/go `cmd/go/internal/web/api.go`, `HTTPError` and `formatErrorDetail`.

use std::io::Read;

use ureq::http::{HeaderMap, StatusCode, header};

use super::encoding::{Decoded, Encoding};
use crate::error::{Error, Kind, Reason};
use crate::http::text::is_harmless;
use crate::http::url::RedactedUrl;

/// Details of a server's answer are shown up to this many lines and bytes.
const MAX_DETAIL_LINES: usize = 8;
const MAX_DETAIL_BYTES: usize = MAX_DETAIL_LINES * 81;

/// How much of an unwanted body is read, so that its connection can be used again.
pub(super) const MAX_DRAIN_BYTES: u64 = 64 << 10;

/// `404 Not Found`: the code, and its usual phrase where there is one.
pub(in crate::http) fn status_text(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
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
    status: StatusCode,
    headers: &HeaderMap,
    body: impl Read,
    shown: Detail,
) -> Error {
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
    let mut reason = status_text(status);
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
    use ureq::http::HeaderValue;

    fn text(status: u16, content_type: &'static str, body: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let url = crate::http::Url::parse("https://h/x").unwrap().redacted();
        let status = StatusCode::from_u16(status).unwrap();
        status_error(&url, status, &headers, body.as_bytes(), Detail::Shown).chain()
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
        let url = crate::http::Url::parse("https://h/x").unwrap().redacted();
        for (status, kind, transient) in rows {
            let code = StatusCode::from_u16(status).unwrap();
            let error = status_error(&url, code, &HeaderMap::new(), &b""[..], Detail::Shown);
            assert_eq!(
                (error.kind(), error.is_transient()),
                (kind, transient),
                "{status}"
            );
        }
    }
}
