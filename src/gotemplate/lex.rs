//! Cuts a template into tokens: text, and what is between `{{` and `}}`.
//!
//! Blanks before `{{- ` and after ` -}}` go, comments are skipped.
//!
//! Source: golang/go `text/template/parse/lex.go`.

use std::fmt;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::gomod::quote::{is_print, quote};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplateTokenKind {
    /// A failure; the token's text says which.
    Error,
    End,
    Text,
    LeftDelimiter,
    RightDelimiter,
    LeftParenthesis,
    RightParenthesis,
    Space,
    Pipe,
    Assign,
    Declare,
    /// Any other character.
    Char,
    Character,
    Number,
    /// A sum such as `1+2i`.
    Complex,
    String,
    RawString,
    Bool,
    Identifier,
    /// `.Name`, one of a chain.
    Field,
    /// `$` or `$name`.
    Variable,
    Dot,
    Nil,
    /// A word that starts an action.
    Keyword,
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct TemplateToken<'t> {
    pub(super) kind: TemplateTokenKind,
    pub(super) text: &'t str,
    /// Where it starts, in bytes.
    pub(super) at: usize,
    /// The line it starts in, from 1.
    pub(super) line: usize,
    /// What [`TemplateTokenKind::Error`] says.
    problem: String,
}

impl fmt::Display for TemplateToken<'_> {
    /// As in `unexpected TOKEN in command`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TemplateTokenKind::End => f.write_str("EOF"),
            TemplateTokenKind::Error => f.write_str(&self.problem),
            TemplateTokenKind::Keyword | TemplateTokenKind::Dot | TemplateTokenKind::Nil => {
                write!(f, "<{}>", self.text)
            }
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                write!(f, "{}...", quote(&start))
            }
            _ => f.write_str(&quote(self.text)),
        }
    }
}

const KEYWORDS: [&str; 10] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// True for a blank and a minus: what trims after an action.
fn trims_after(text: &str) -> bool {
    text.starts_with(BLANKS) && text.get(1..).is_some_and(|rest| rest.starts_with('-'))
}

fn is_alphanumeric(c: char) -> bool {
    c == '_'
        || c.general_category_group() == GeneralCategoryGroup::Letter
        || c.general_category() == GeneralCategory::DecimalNumber
}

/// The tokens of a template, one at a time.
pub(super) struct TemplateLexer<'t> {
    text: &'t str,
    /// Where the token that is read starts.
    start: usize,
    at: usize,
    /// The line of `start`.
    line: usize,
    in_action: bool,
    parentheses: usize,
    failed: bool,
}

impl<'t> TemplateLexer<'t> {
    pub(super) fn new(text: &'t str) -> TemplateLexer<'t> {
        TemplateLexer {
            text,
            start: 0,
            at: 0,
            line: 1,
            in_action: false,
            parentheses: 0,
            failed: false,
        }
    }

    /// The next token; after an error or the end, the end.
    pub(super) fn next(&mut self) -> TemplateToken<'t> {
        if self.failed {
            return self.token(TemplateTokenKind::End);
        }
        if self.in_action {
            self.inside()
        } else {
            self.outside()
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, fits: impl Fn(char) -> bool) -> bool {
        let next = self.peek().filter(|&c| fits(c));
        self.at += next.map_or(0, char::len_utf8);
        next.is_some()
    }

    fn accept_all(&mut self, fits: impl Fn(char) -> bool) {
        while self.accept(&fits) {}
    }

    /// Drops what was read.
    fn skip(&mut self) {
        let skipped = self.text.get(self.start..self.at).unwrap_or_default();
        self.line += skipped.bytes().filter(|&b| b == b'\n').count();
        self.start = self.at;
    }

    fn token(&mut self, kind: TemplateTokenKind) -> TemplateToken<'t> {
        let token = TemplateToken {
            kind,
            text: self.text.get(self.start..self.at).unwrap_or_default(),
            at: self.start,
            line: self.line,
            problem: String::new(),
        };
        self.skip();
        token
    }

    fn fail(&mut self, problem: impl Into<String>) -> TemplateToken<'t> {
        self.failed = true;
        TemplateToken {
            kind: TemplateTokenKind::Error,
            text: "",
            at: self.start,
            line: self.line,
            problem: problem.into(),
        }
    }

    fn outside(&mut self) -> TemplateToken<'t> {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find("{{") else {
                self.at = self.text.len();
                let kind = if rest.is_empty() {
                    TemplateTokenKind::End
                } else {
                    TemplateTokenKind::Text
                };
                return self.token(kind);
            };
            let (before, action) = rest.split_at(length);
            let inside = action.get(2..).unwrap_or_default();
            let trimmed = inside
                .strip_prefix('-')
                .filter(|inside| inside.starts_with(BLANKS));
            let kept = match trimmed {
                Some(_) => before.trim_end_matches(BLANKS),
                None => before,
            };
            if !kept.is_empty() {
                self.at += kept.len();
                let token = self.token(TemplateTokenKind::Text);
                self.at += before.len() - kept.len();
                self.skip();
                return token;
            }
            self.at += before.len();
            self.skip();
            let marker = if trimmed.is_some() { 2 } else { 0 };
            if inside
                .get(marker..)
                .is_some_and(|rest| rest.starts_with("/*"))
            {
                self.at += 2 + marker;
                self.skip();
                if let Some(failure) = self.comment() {
                    return failure;
                }
                continue;
            }
            self.at += 2;
            let token = self.token(TemplateTokenKind::LeftDelimiter);
            self.in_action = true;
            self.parentheses = 0;
            self.at += marker;
            self.skip();
            return token;
        }
    }

    fn comment(&mut self) -> Option<TemplateToken<'t>> {
        let Some(end) = self.rest().get(2..).and_then(|rest| rest.find("*/")) else {
            return Some(self.fail("unclosed comment"));
        };
        self.at += 2 + end + 2;
        match self.right_delimiter() {
            None => Some(self.fail("comment ends before closing delimiter")),
            Some(trims) => {
                self.close(trims);
                None
            }
        }
    }

    /// Whether a right delimiter is next, and if so, whether it trims.
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if trims_after(rest) && rest.get(2..).is_some_and(|rest| rest.starts_with("}}")) {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    /// Passes a right delimiter and what it trims.
    fn close(&mut self, trims: bool) {
        if trims {
            self.at += 4;
            self.accept_all(|c| BLANKS.contains(&c));
        } else {
            self.at += 2;
        }
        self.skip();
    }

    fn inside(&mut self) -> TemplateToken<'t> {
        if let Some(trims) = self.right_delimiter() {
            if self.parentheses > 0 {
                return self.fail("unclosed left paren");
            }
            return self.end_of_action(trims);
        }
        let Some(c) = self.take() else {
            return self.fail("unclosed action");
        };
        match c {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.token(TemplateTokenKind::Assign),
            ':' if self.accept(|c| c == '=') => self.token(TemplateTokenKind::Declare),
            ':' => self.fail("expected :="),
            '|' => self.token(TemplateTokenKind::Pipe),
            '"' => self.quoted('"', TemplateTokenKind::String, "unterminated quoted string"),
            '\'' => self.quoted(
                '\'',
                TemplateTokenKind::Character,
                "unterminated character constant",
            ),
            '`' => match self.rest().find('`') {
                Some(length) => {
                    self.at += length + 1;
                    self.token(TemplateTokenKind::RawString)
                }
                None => self.fail("unterminated raw quoted string"),
            },
            '$' => self.name(TemplateTokenKind::Variable, TemplateTokenKind::Variable),
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => {
                self.name(TemplateTokenKind::Dot, TemplateTokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.at -= 1;
                self.number()
            }
            '(' => {
                self.parentheses += 1;
                self.token(TemplateTokenKind::LeftParenthesis)
            }
            ')' => match self.parentheses.checked_sub(1) {
                Some(left) => {
                    self.parentheses = left;
                    self.token(TemplateTokenKind::RightParenthesis)
                }
                None => self.fail("unexpected right paren"),
            },
            c if is_alphanumeric(c) => self.word(),
            ' '..='~' => self.token(TemplateTokenKind::Char),
            c => self.fail(format!("unrecognized character in action: {}", shown(c))),
        }
    }

    fn end_of_action(&mut self, trims: bool) -> TemplateToken<'t> {
        if trims {
            self.at += 2;
            self.skip();
        }
        self.at += 2;
        let token = self.token(TemplateTokenKind::RightDelimiter);
        if trims {
            self.accept_all(|c| BLANKS.contains(&c));
            self.skip();
        }
        self.in_action = false;
        token
    }

    /// Blanks, the first of which is past; the last may belong to a ` -}}`.
    fn space(&mut self) -> TemplateToken<'t> {
        self.accept_all(|c| BLANKS.contains(&c));
        // Each blank is one byte.
        self.at -= 1;
        if self.right_delimiter() == Some(true) {
            if self.at == self.start {
                return self.end_of_action(true);
            }
        } else {
            self.at += 1;
        }
        self.token(TemplateTokenKind::Space)
    }

    fn quoted(
        &mut self,
        quote: char,
        kind: TemplateTokenKind,
        unterminated: &str,
    ) -> TemplateToken<'t> {
        loop {
            match self.take() {
                Some(c) if c == quote => return self.token(kind),
                Some('\\') => match self.take() {
                    None | Some('\n') => return self.fail(unterminated),
                    Some(_) => {}
                },
                None | Some('\n') => return self.fail(unterminated),
                Some(_) => {}
            }
        }
    }

    /// True where a name may end.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None => true,
            Some(c) if BLANKS.contains(&c) => true,
            Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with("}}"),
        }
    }

    fn bad_character(&mut self) -> TemplateToken<'t> {
        // Where nothing is left there is a terminator.
        let c = self.peek().unwrap_or_default();
        self.fail(format!("bad character {}", shown(c)))
    }

    /// What follows a `.` or `$`.
    fn name(&mut self, alone: TemplateTokenKind, named: TemplateTokenKind) -> TemplateToken<'t> {
        if self.at_terminator() {
            return self.token(alone);
        }
        self.accept_all(is_alphanumeric);
        if self.at_terminator() {
            self.token(named)
        } else {
            self.bad_character()
        }
    }

    fn word(&mut self) -> TemplateToken<'t> {
        self.accept_all(is_alphanumeric);
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match self.text.get(self.start..self.at).unwrap_or_default() {
            "true" | "false" => TemplateTokenKind::Bool,
            "nil" => TemplateTokenKind::Nil,
            word if KEYWORDS.contains(&word) => TemplateTokenKind::Keyword,
            _ => TemplateTokenKind::Identifier,
        };
        self.token(kind)
    }

    fn number(&mut self) -> TemplateToken<'t> {
        let bad = |lexer: &mut Self| {
            let text = lexer.text.get(lexer.start..lexer.at).unwrap_or_default();
            lexer.fail(format!("bad number syntax: {}", quote(text)))
        };
        if !self.scan_number() {
            return bad(self);
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return self.token(TemplateTokenKind::Number);
        }
        let ends = self.scan_number() && self.text.get(..self.at).is_some_and(|t| t.ends_with('i'));
        if ends {
            self.token(TemplateTokenKind::Complex)
        } else {
            bad(self)
        }
    }

    fn scan_number(&mut self) -> bool {
        let sign = |c| matches!(c, '+' | '-');
        let decimal = |c: char| c.is_ascii_digit() || c == '_';
        self.accept(sign);
        let mut radix = 10;
        if self.accept(|c| c == '0') {
            if self.accept(|c| matches!(c, 'x' | 'X')) {
                radix = 16;
            } else if self.accept(|c| matches!(c, 'o' | 'O')) {
                radix = 8;
            } else if self.accept(|c| matches!(c, 'b' | 'B')) {
                radix = 2;
            }
        }
        let digit = |c: char| c.is_digit(radix) || c == '_';
        self.accept_all(digit);
        if self.accept(|c| c == '.') {
            self.accept_all(digit);
        }
        let exponent = match radix {
            10 => self.accept(|c| matches!(c, 'e' | 'E')),
            16 => self.accept(|c| matches!(c, 'p' | 'P')),
            _ => false,
        };
        if exponent {
            self.accept(sign);
            self.accept_all(decimal);
        }
        self.accept(|c| c == 'i');
        !self.accept(is_alphanumeric)
    }
}

/// A character as `%#U` prints it.
fn shown(c: char) -> String {
    let code = u32::from(c);
    if is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}
