//! JSON as Go's `encoding/json` reads and writes it, as much as metadata needs.
//!
//! Why not a library: a cache must get the bytes that go would write, so invalid UTF-8 and lone
//! surrogates become U+FFFD, keys are found in any case, later duplicates win, and unknown
//! values of any size or depth are only checked. Texts of errors are go's.
//!
//! Source: golang/go `encoding/json` `scanner.go`, `decode.go`, `encode.go`, `fold.go`.

mod object;

use std::borrow::Cow;

pub use object::JsonObject;

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 10_000;

const UNEXPECTED_END: &str = "unexpected end of JSON input";

/// The members of an object, in order, each with its decoded key and its value's text.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, &'a [u8])>;

/// Checks a whole text and returns its one value, without the white space around it.
pub(crate) fn check(text: &[u8]) -> Result<&[u8], String> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.space();
    let start = scanner.at;
    scanner.value()?;
    let value = scanner.since(start);
    scanner.space();
    match scanner.peek() {
        None => Ok(value),
        Some(_) => Err(scanner.invalid("after top-level value")),
    }
}

/// Checks the first value of `rest`, returns it and steps over it, as Go's `Decoder` reads one
/// value after the other; `None` at the end.
pub(crate) fn next_value<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, String> {
    let text = *rest;
    let mut scanner = Scanner { text, at: 0 };
    scanner.space();
    let start = scanner.at;
    if scanner.peek().is_none() {
        return Ok(None);
    }
    scanner
        .value()
        .map_err(|complaint| match complaint.as_str() {
            UNEXPECTED_END => "unexpected EOF".to_owned(),
            _ => complaint,
        })?;
    let value = scanner.since(start);
    // Only a bracket says by itself that a value is over.
    let is_over = matches!(value.last(), Some(b'}' | b']'));
    match scanner.peek() {
        Some(next) if !is_over && !next.is_ascii_whitespace() => {
            Err(scanner.invalid("after top-level value"))
        }
        _ => {
            *rest = text.get(scanner.at..).unwrap_or_default();
            Ok(Some(value))
        }
    }
}

/// Go's name for the sort of a checked value.
pub(crate) fn kind(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// Splits a checked object.
pub(crate) fn members(object: &[u8]) -> Result<Members<'_>, String> {
    let mut scanner = Scanner {
        text: object,
        at: 1,
    };
    let mut members = Vec::new();
    scanner.space();
    while scanner.peek() == Some(b'"') {
        let key_start = scanner.at;
        scanner.string()?;
        let key = string(scanner.since(key_start));
        scanner.space();
        scanner.at += 1;
        scanner.space();
        let value_start = scanner.at;
        scanner.value()?;
        members.push((key, scanner.since(value_start)));
        scanner.space();
        if scanner.peek() == Some(b',') {
            scanner.at += 1;
            scanner.space();
        }
    }
    Ok(members)
}

/// Splits a checked array.
pub(crate) fn items(array: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut scanner = Scanner { text: array, at: 1 };
    let mut items = Vec::new();
    scanner.space();
    while !matches!(scanner.peek(), None | Some(b']')) {
        let start = scanner.at;
        scanner.value()?;
        items.push(scanner.since(start));
        scanner.space();
        if scanner.peek() == Some(b',') {
            scanner.at += 1;
            scanner.space();
        }
    }
    Ok(items)
}

/// True if a key means the ASCII name of a field: Go folds the case of all letters, among them
/// the long s and the Kelvin sign.
pub(crate) fn key_matches(key: &str, name: &str) -> bool {
    let folded = key.chars().map(|c| match c {
        '\u{17f}' => 'S',
        '\u{212a}' => 'K',
        c => c.to_ascii_uppercase(),
    });
    folded.eq(name.chars().map(|c| c.to_ascii_uppercase()))
}

/// Decodes a checked string with its quotes.
pub(crate) fn string(quoted: &[u8]) -> Cow<'_, str> {
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    if !inner.contains(&b'\\')
        && let Ok(text) = str::from_utf8(inner)
    {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b != b'\\' {
            bytes.push(b);
            continue;
        }
        let Some((&escape, tail)) = tail.split_first() else {
            break;
        };
        rest = tail;
        let c = match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (c, after) = unicode_escape(tail);
                rest = after;
                c
            }
            other => char::from(other),
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text.into()
}

/// Four hexadecimal digits, and the second half of a pair of surrogates if that follows.
fn unicode_escape(tail: &[u8]) -> (char, &[u8]) {
    let Some((first, rest)) = hex4(tail) else {
        return (char::REPLACEMENT_CHARACTER, tail);
    };
    if let Some(c) = char::from_u32(first) {
        return (c, rest);
    }
    let second = rest.strip_prefix(b"\\u").and_then(hex4);
    if let Some((second @ 0xdc00..0xe000, after)) = second
        && first < 0xdc00
        && let Some(c) = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    {
        return (c, after);
    }
    (char::REPLACEMENT_CHARACTER, rest)
}

fn hex4(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let value = digits
        .iter()
        .try_fold(0, |sum, b| Some(sum * 16 + digit(b)?))?;
    Some((value, rest))
}

/// Writes a string as `json.Marshal` does: quoted, and safe within HTML.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// The complaint about the byte at hand, or about there being none.
    fn invalid(&self, context: &str) -> String {
        match self.peek() {
            None => UNEXPECTED_END.to_owned(),
            Some(b) => format!("invalid character {} {context}", quote_byte(b)),
        }
    }

    /// Steps over one value, without recursion.
    fn value(&mut self) -> Result<(), String> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    open.push(bracket);
                    if open.len() > MAX_DEPTH {
                        return Err("exceeded max depth".into());
                    }
                    self.space();
                    let closes = if bracket == b'{' { b'}' } else { b']' };
                    if self.peek() != Some(closes) {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                Some(b'"') => self.string()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => return Err(self.invalid("looking for beginning of value")),
            }
            // A value has ended: what follows depends on what it is in.
            loop {
                let Some(&bracket) = open.last() else {
                    return Ok(());
                };
                self.space();
                match (bracket, self.peek()) {
                    (_, Some(b',')) => {
                        self.at += 1;
                        if bracket == b'{' {
                            self.space();
                            self.key()?;
                        }
                        break;
                    }
                    (b'{', Some(b'}')) | (b'[', Some(b']')) => {
                        self.at += 1;
                        open.pop();
                    }
                    (b'{', _) => return Err(self.invalid("after object key:value pair")),
                    _ => return Err(self.invalid("after array element")),
                }
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), String> {
        if self.peek() != Some(b'"') {
            return Err(self.invalid("looking for beginning of object key string"));
        }
        self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.invalid("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => {}
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                                    let context = "in \\u hexadecimal character escape";
                                    return Err(self.invalid(context));
                                }
                            }
                        }
                        _ => return Err(self.invalid("in string escape code")),
                    }
                }
                Some(b' '..) => {}
                _ => return Err(self.invalid("in string literal")),
            }
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for want in word.bytes() {
            if self.peek() != Some(want) {
                let want = char::from(want);
                return Err(self.invalid(&format!("in literal {word} (expecting '{want}')")));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.invalid(context));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

fn quote_byte(b: u8) -> String {
    match b {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        7 => "'\\a'".to_owned(),
        8 => "'\\b'".to_owned(),
        11 => "'\\v'".to_owned(),
        12 => "'\\f'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0..32 | 127 => format!("'\\x{b:02x}'"),
        128..=160 | 173 => format!("'\\u{b:04x}'"),
        _ => format!("'{}'", char::from(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_gos() {
        // What go1.26's json.Unmarshal says.
        let rows: &[(&[u8], &str)] = &[
            (b"", "unexpected end of JSON input"),
            (
                b"<html>",
                "invalid character '<' looking for beginning of value",
            ),
            (b"{", "unexpected end of JSON input"),
            (b"{}x", "invalid character 'x' after top-level value"),
            (
                b"{a:1}",
                "invalid character 'a' looking for beginning of object key string",
            ),
            (b"{\"a\" 1}", "invalid character '1' after object key"),
            (
                b"{\"a\":1 2}",
                "invalid character '2' after object key:value pair",
            ),
            (
                b"{\"a\":1,}",
                "invalid character '}' looking for beginning of object key string",
            ),
            (b"[1 2]", "invalid character '2' after array element"),
            (
                b"[1,]",
                "invalid character ']' looking for beginning of value",
            ),
            (b"\"a\nb\"", "invalid character '\\n' in string literal"),
            (b"\"\\x\"", "invalid character 'x' in string escape code"),
            (
                b"\"\\u12g4\"",
                "invalid character 'g' in \\u hexadecimal character escape",
            ),
            (b"tru", "unexpected end of JSON input"),
            (
                b"trux",
                "invalid character 'x' in literal true (expecting 'e')",
            ),
            (b"-x", "invalid character 'x' in numeric literal"),
            (
                b"1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                b"1ex",
                "invalid character 'x' in exponent of numeric literal",
            ),
            (b"01", "invalid character '1' after top-level value"),
            (
                b"\x00",
                "invalid character '\\x00' looking for beginning of value",
            ),
            (
                b"'",
                "invalid character '\\'' looking for beginning of value",
            ),
            (
                b"\xef\xbb\xbf{}",
                "invalid character '\u{ef}' looking for beginning of value",
            ),
        ];
        for (text, want) in rows {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(
                check(text).map(|_| ()),
                Err((*want).to_owned()),
                "{shown:?}"
            );
        }
        let deep = "[".repeat(10_001) + &"]".repeat(10_001);
        assert_eq!(check(deep.as_bytes()), Err("exceeded max depth".to_owned()));
        assert!(check(&deep.as_bytes()[1..20_001]).is_ok());
    }

    #[test]
    fn strings_are_decoded_as_go_decodes_them() {
        let rows: &[(&[u8], &str)] = &[
            (b"\"a\\n\\/\\\"\\\\\\u0041\\b\\f\"", "a\n/\"\\A\u{8}\u{c}"),
            (b"\"\\ud83d\\ude00\"", "\u{1f600}"),
            (b"\"\\ud83dx\"", "\u{fffd}x"),
            (b"\"\\ude00\\ud83d\"", "\u{fffd}\u{fffd}"),
            (b"\"\\ud83d\\ud83d\\ude00\"", "\u{fffd}\u{1f600}"),
            (b"\"\xe2\x82x\"", "\u{fffd}\u{fffd}x"),
        ];
        for (text, want) in rows {
            assert_eq!(string(check(text).unwrap()), *want);
        }
    }

    #[test]
    fn keys_fold_case() {
        assert!(key_matches("VERSION", "Version") && key_matches("ver\u{17f}ion", "Version"));
        assert!(!key_matches("Versions", "Version"));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json_on_what_is_valid(text in "[\\[\\]{}:,\"a1\\-.e \\\\tru]{0,24}") {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            assert_eq!(check(text.as_bytes()).is_ok(), theirs.is_ok(), "{theirs:?}");
        }

        #[test]
        fn never_panics(text in proptest::collection::vec(0u8.., 0..60)) {
            if let Ok(value) = check(&text) {
                let _ = (kind(value), string(value));
            }
        }

        #[test]
        fn quoting_round_trips(text in "\\PC{0,30}|[\\x00-\\x7f]{0,30}") {
            let quoted = quote(&text);
            assert_eq!(string(check(quoted.as_bytes()).unwrap()), text);
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
