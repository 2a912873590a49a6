//! Go's quoted strings: reading them, and writing them in messages.
//!
//! Source: golang/go `strconv/quote.go` and `unicode/graphic.go`.

use std::fmt::Write as _;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// True for letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol
    )
}

/// Quotes as `%q` does.
pub(crate) fn quote(text: &str) -> String {
    quote_with(text.chars(), '"')
}

/// Quotes one character as `%q` does.
pub(crate) fn quote_char(c: char) -> String {
    quote_with([c], '\'')
}

fn quote_with(text: impl IntoIterator<Item = char>, quote: char) -> String {
    let mut quoted = String::from(quote);
    for c in text {
        match c {
            '\\' => quoted.push_str("\\\\"),
            c if c == quote => quoted.extend(['\\', quote]),
            c if is_print(c) => quoted.push(c),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            c => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = match code {
                    ..0x80 => write!(quoted, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push(quote);
    quoted
}

/// Writes a word as it may stand in a go.mod: quoted, if it would be read as something else.
///
/// Source: golang/mod `modfile/rule.go`, `AutoQuote`.
pub(super) fn auto_quote(text: &str) -> String {
    let long = text.len() > 1;
    let must = |c: char| match c {
        ' ' | '"' | '\'' | '`' => true,
        '(' | ')' | '[' | ']' | '{' | '}' | ',' => long,
        c => !is_print(c),
    };
    if text.is_empty() || text.chars().any(must) || text.contains("//") || text.contains("/*") {
        quote(text)
    } else {
        text.to_owned()
    }
}

/// Reads a string in double quotes.
///
/// # Errors
/// `invalid syntax`, as go says; `invalid UTF-8`, where go would continue with broken text.
pub(crate) fn unquote(text: &str) -> Result<String, &'static str> {
    const SYNTAX: &str = "invalid syntax";
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or(SYNTAX)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '"' | '\n' => return Err(SYNTAX),
            '\\' => match rest.next().ok_or(SYNTAX)? {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                '\\' => '\\',
                '"' => '"',
                'x' => {
                    let byte = number(&mut rest, 2, 16, 0).ok_or(SYNTAX)?;
                    bytes.push(u8::try_from(byte).map_err(|_| SYNTAX)?);
                    continue;
                }
                first @ '0'..='7' => {
                    let first = first.to_digit(8).ok_or(SYNTAX)?;
                    let byte = number(&mut rest, 2, 8, first).ok_or(SYNTAX)?;
                    bytes.push(u8::try_from(byte).map_err(|_| SYNTAX)?);
                    continue;
                }
                'u' => scalar(number(&mut rest, 4, 16, 0)).ok_or(SYNTAX)?,
                'U' => scalar(number(&mut rest, 8, 16, 0)).ok_or(SYNTAX)?,
                _ => return Err(SYNTAX),
            },
            c => c,
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| "invalid UTF-8")
}

/// Reads exactly `count` digits (at most eight), after `start`.
fn number(
    digits: &mut impl Iterator<Item = char>,
    count: usize,
    radix: u32,
    start: u32,
) -> Option<u32> {
    (0..count).try_fold(start, |value, _| {
        let digit = digits.next()?.to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    })
}

fn scalar(code: Option<u32>) -> Option<char> {
    char::from_u32(code?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From golang/go's `strconv/quote_test.go`.
    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        let rows = [
            ("\x07\x08\x0c\r\n\t\x0b", r#""\a\b\f\r\n\t\v""#),
            ("\\", r#""\\""#),
            ("\u{263a}", "\"\u{263a}\""),
            ("\u{10ffff}", r#""\U0010ffff""#),
            ("\x04", r#""\x04""#),
            ("!\u{a0}!\u{2000}!\u{3000}!", r#""!\u00a0!\u2000!\u3000!""#),
            ("\x7f", r#""\x7f""#),
            ("'\"", r#""'\"""#),
        ];
        for (text, want) in rows {
            assert_eq!(quote(text), want);
        }
        assert_eq!(quote_char('\''), r"'\''");
        assert_eq!(quote_char('"'), "'\"'");
        assert_eq!(quote_char('\u{feff}'), r"'\ufeff'");
        assert_eq!(quote_char('\0'), r"'\x00'");
    }

    /// From golang/go's `strconv/quote_test.go`, double-quoted strings only.
    #[test]
    fn strings_are_unquoted_as_go_unquotes_them() {
        let good = [
            (r#""""#, ""),
            (r#""a""#, "a"),
            (r#""abc""#, "abc"),
            ("\"\u{263a}\"", "\u{263a}"),
            (r#""hello world""#, "hello world"),
            (r#""'""#, "'"),
            (r#""\a\b\f\n\r\t\v\\\"""#, "\x07\x08\x0c\n\r\t\x0b\\\""),
            (r#""\x41\101\u0041\U00000041""#, "AAAA"),
            (r#""\xc3\xa4\303\244""#, "\u{e4}\u{e4}"),
        ];
        for (text, want) in good {
            assert_eq!(unquote(text).as_deref(), Ok(want), "{text}");
        }
        let bad = [
            "",
            "\"",
            "\"a",
            "a\"",
            "\"'",
            "\"a\n\"",
            "\"\\\n\"",
            "\"\\",
            "\"\\\"",
            "\"\\9\"",
            "\"\\19\"",
            "\"\\129\"",
            "\"\\400\"",
            "\"\\'\"",
            "\"\\x1!\"",
            "\"\\u123\"",
            "\"\\ud800\"",
            "\"\\U12345678\"",
            "\"\\z\"",
            "\"a\"b\"",
        ];
        for text in bad {
            assert_eq!(unquote(text), Err("invalid syntax"), "{text}");
        }
        assert_eq!(unquote(r#""\xff""#), Err("invalid UTF-8"));
    }
}
