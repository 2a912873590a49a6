//! The target of a request: decoded once, exactly, or refused.
//!
//! A path has one meaning here and in every cache between a client and us, so only one form of it
//! is taken: segments separated by single slashes, none of them empty, `.` or `..`. A character
//! that a URL may hold bare is expected bare. The reserved characters of RFC 3986 that a segment
//! may hold either way (`!` `$` `&` `'` `(` `)` `*` `+` `,` `;` `=` `:` `@`) are taken in both
//! forms: `go` sends `%21` for `!` and leaves `+` and `@` bare, S3 clients escape all three, and
//! both name one file. Everything else that is escaped is refused: an escaped slash, letter,
//! percent sign or control character is how one path is made to look like another.

use std::borrow::Cow;

/// What a request asks for: the decoded path, and the query as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTarget<'t> {
    /// Begins with `/`; holds no escape, no empty segment and no dot segment.
    pub path: Cow<'t, str>,
    /// What follows the first `?`, undecoded; empty if there is none.
    pub query: &'t str,
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTarget {
    /// It does not begin with a slash.
    NotOrigin,
    /// A byte that a target may not hold, or a `#`.
    Character,
    /// A percent sign without two hexadecimal digits.
    Escape,
    /// An escape of something that is sent bare, or of something that a path may not hold.
    NotCanonical,
    /// An empty segment, `.` or `..`.
    Segment,
}

impl BadTarget {
    /// The reason, for the answer.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            BadTarget::NotOrigin => "request target does not begin with a slash",
            BadTarget::Character => "request target holds a character that must be escaped",
            BadTarget::Escape => "request target holds a malformed escape",
            BadTarget::NotCanonical => "request path is not in canonical escaped form",
            BadTarget::Segment => "request path holds an empty or dot segment",
        }
    }
}

/// RFC 3986 `sub-delims`, `:` and `@`: what a segment may hold bare or escaped.
fn is_reserved(byte: u8) -> bool {
    b"!$&'()*+,;=:@".contains(&byte)
}

/// RFC 3986 `unreserved`.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Reads a target.
///
/// # Errors
/// The first reason to refuse it.
pub fn parse_target(target: &str) -> Result<RequestTarget<'_>, BadTarget> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') {
        return Err(BadTarget::NotOrigin);
    }
    let in_query = |byte: u8| is_unreserved(byte) || is_reserved(byte) || b"/?%".contains(&byte);
    if !query.bytes().all(in_query) {
        return Err(BadTarget::Character);
    }
    let path = decode(path)?;
    let mut segments = path.split('/').skip(1);
    let is_root = path == "/";
    if !is_root && segments.any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(BadTarget::Segment);
    }
    Ok(RequestTarget { path, query })
}

fn decode(path: &str) -> Result<Cow<'_, str>, BadTarget> {
    if path.bytes().all(is_bare) {
        return Ok(Cow::Borrowed(path));
    }
    let mut decoded = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if is_bare(byte) {
            decoded.push(char::from(byte));
            continue;
        }
        if byte != b'%' {
            return Err(BadTarget::Character);
        }
        let mut digit = || bytes.next().and_then(hex_value).ok_or(BadTarget::Escape);
        let escaped = digit()? << 4 | digit()?;
        if !is_reserved(escaped) {
            return Err(BadTarget::NotCanonical);
        }
        decoded.push(char::from(escaped));
    }
    Ok(Cow::Owned(decoded))
}

fn is_bare(byte: u8) -> bool {
    is_unreserved(byte) || is_reserved(byte) || byte == b'/'
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_reserved_character_are_one_name() {
        let table = [
            ("/", "/"),
            (
                "/github.com/%21azure/x/@v/list",
                "/github.com/!azure/x/@v/list",
            ),
            (
                "/github.com/!azure/x/@v/list",
                "/github.com/!azure/x/@v/list",
            ),
            (
                "/a.b/%40v/v1.0.0%2Bincompatible.zip",
                "/a.b/@v/v1.0.0+incompatible.zip",
            ),
            (
                "/a.b/@v/v1.0.0+incompatible.zip",
                "/a.b/@v/v1.0.0+incompatible.zip",
            ),
            (
                "/a.b/@v/v1.0.0%2bincompatible.zip",
                "/a.b/@v/v1.0.0+incompatible.zip",
            ),
            ("/a~b/-._~!$&'()*+,;=:@", "/a~b/-._~!$&'()*+,;=:@"),
            ("/...", "/..."),
        ];
        for (target, path) in table {
            assert_eq!(parse_target(target).unwrap().path, path, "{target}");
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        use BadTarget::{Character, Escape, NotCanonical, NotOrigin, Segment};
        let table = [
            ("", NotOrigin),
            ("*", NotOrigin),
            ("a/b", NotOrigin),
            ("http://h/a", NotOrigin),
            ("//", Segment),
            ("/a//b", Segment),
            ("/a/", Segment),
            ("/./a", Segment),
            ("/a/..", Segment),
            ("/a/../b", Segment),
            ("/%2e%2e/b", NotCanonical),
            ("/%2E/b", NotCanonical),
            ("/a%2fb", NotCanonical),
            ("/a%2Fb", NotCanonical),
            ("/%61", NotCanonical),
            ("/a%25b", NotCanonical),
            ("/a%2521", NotCanonical),
            ("/a%00", NotCanonical),
            ("/a%0d%0a", NotCanonical),
            ("/a%20b", NotCanonical),
            ("/a%5cb", NotCanonical),
            ("/a%C3%A9", NotCanonical),
            ("/a%", Escape),
            ("/a%2", Escape),
            ("/a%zz", Escape),
            ("/a%+1", Escape),
            ("/a#b", Character),
            ("/a\"b", Character),
            ("/a<b>", Character),
            ("/a\\b", Character),
            ("/a^b", Character),
            ("/a`b", Character),
            ("/a{b}", Character),
            ("/a|b", Character),
            ("/a b", Character),
            ("/\u{e9}", Character),
            ("/a?b#c", Character),
            ("/a?\u{e9}", Character),
        ];
        for (target, reason) in table {
            assert_eq!(parse_target(target), Err(reason), "{target}");
        }
    }

    #[test]
    fn a_query_is_kept_apart() {
        let target = parse_target("/metrics?a=b%20c?d").unwrap();
        assert_eq!((&*target.path, target.query), ("/metrics", "a=b%20c?d"));
        assert_eq!(parse_target("/a?").unwrap().query, "");
    }
}
