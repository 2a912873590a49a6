//! Tokens of go.mod and go.work.
//!
//! A word is a run of printable characters without space or `( ) [ ] { } ,`; these are tokens of
//! their own; a string stands in `"` (with backslash escapes) or `` ` ``. A comment is `//` to the
//! end of its line, and holds the newline: a newline token is a blank line or the end of one
//! without a comment.
//!
//! Source: golang/mod `modfile/read.go`, `readToken`.

use super::problem::{GoModProblem, Position};
use crate::gomod::quote::{is_print, quote_char};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Eof,
    Newline,
    /// A comment after other tokens of its line.
    SuffixComment,
    /// A comment that has its line to itself.
    LineComment,
    Open,
    Close,
    /// Words, strings and the other punctuation.
    Text,
}

impl TokenKind {
    pub(super) fn ends_line(self) -> bool {
        use TokenKind::{Eof, Newline, SuffixComment};
        matches!(self, Eof | Newline | SuffixComment)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ModToken<'a> {
    pub(super) kind: TokenKind,
    pub(super) start: Position,
    /// The line on which it ends: a string may hold an escaped newline.
    pub(super) end_line: u32,
    /// Of a comment, with its slashes and without its newline.
    pub(super) text: &'a str,
}

pub(super) struct ModLexer<'a> {
    rest: &'a str,
    position: Position,
    /// Whether a token precedes on this line, which tells the two sorts of comment apart.
    inside_line: bool,
}

impl<'a> ModLexer<'a> {
    pub(super) fn new(text: &'a str) -> ModLexer<'a> {
        ModLexer {
            rest: text,
            position: Position { line: 1, column: 1 },
            inside_line: false,
        }
    }

    /// Where reading has got to.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let c = rest.next()?;
        self.rest = rest.as_str();
        if c == '\n' {
            self.position.line = self.position.line.saturating_add(1);
            self.position.column = 1;
        } else {
            self.position.column = self.position.column.saturating_add(1);
        }
        Some(c)
    }

    fn fail<T>(&self, text: impl Into<String>) -> Result<T, GoModProblem> {
        Err(GoModProblem::new(self.position, text.into()))
    }

    fn refuse_block_comment(&self) -> Result<(), GoModProblem> {
        if self.rest.starts_with("/*") {
            return self.fail("mod files must use // comments (not /* */ comments)");
        }
        Ok(())
    }

    /// Reads the next token; at the end of the text, [`TokenKind::Eof`] for ever.
    pub(super) fn token(&mut self) -> Result<ModToken<'a>, GoModProblem> {
        while matches!(self.peek(), Some(' ' | '\t' | '\r')) {
            self.bump();
        }
        let (start, before) = (self.position, self.rest);
        let kind = self.scan(start)?;
        let length = before.len() - self.rest.len();
        let mut text = before.get(..length).unwrap_or_default();
        match kind {
            TokenKind::SuffixComment | TokenKind::LineComment => {
                text = text
                    .strip_suffix("\r\n")
                    .or_else(|| text.strip_suffix('\n'))
                    .unwrap_or(text);
                self.inside_line = false;
            }
            TokenKind::Newline => self.inside_line = false,
            _ => self.inside_line = true,
        }
        Ok(ModToken {
            kind,
            start,
            end_line: self.position.line,
            text,
        })
    }

    fn scan(&mut self, start: Position) -> Result<TokenKind, GoModProblem> {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n');
            let comment = self.rest.get(..end.unwrap_or(self.rest.len()));
            let width = comment.unwrap_or_default().chars().count();
            self.position.column = self
                .position
                .column
                .saturating_add(u32::try_from(width).unwrap_or(u32::MAX));
            self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
            self.bump();
            return Ok(if self.inside_line {
                TokenKind::SuffixComment
            } else {
                TokenKind::LineComment
            });
        }
        self.refuse_block_comment()?;
        let Some(first) = self.peek() else {
            return Ok(TokenKind::Eof);
        };
        let kind = match first {
            '\n' => TokenKind::Newline,
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '[' | ']' | '{' | '}' | ',' => TokenKind::Text,
            '"' | '`' => {
                self.scan_string(first, start)?;
                return Ok(TokenKind::Text);
            }
            c if !is_word(c) => {
                return self.fail(format!("unexpected input character {}", quote_char(c)));
            }
            _ => {
                self.scan_word()?;
                return Ok(TokenKind::Text);
            }
        };
        self.bump();
        Ok(kind)
    }

    fn scan_string(&mut self, quote: char, start: Position) -> Result<(), GoModProblem> {
        let unfinished = || GoModProblem::new(start, "unexpected EOF in string");
        self.bump();
        loop {
            if self.peek() == Some('\n') {
                return self.fail("unexpected newline in string");
            }
            let c = self.bump().ok_or_else(unfinished)?;
            if c == quote {
                return Ok(());
            }
            if c == '\\' && quote == '"' {
                self.bump().ok_or_else(unfinished)?;
            }
        }
    }

    fn scan_word(&mut self) -> Result<(), GoModProblem> {
        while self.peek().is_some_and(is_word) && !self.rest.starts_with("//") {
            self.refuse_block_comment()?;
            self.bump();
        }
        Ok(())
    }
}

fn is_word(c: char) -> bool {
    !matches!(c, ' ' | '(' | ')' | '[' | ']' | '{' | '}' | ',') && is_print(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Result<Vec<(TokenKind, &str, u32, u32)>, String> {
        let mut lexer = ModLexer::new(text);
        let mut tokens = Vec::new();
        loop {
            let token = lexer.token().map_err(|problem| format!("{problem:?}"))?;
            let Position { line, column } = token.start;
            tokens.push((token.kind, token.text, line, column));
            if token.kind == TokenKind::Eof {
                return Ok(tokens);
            }
        }
    }

    #[test]
    fn tokens_know_their_place() {
        use TokenKind::*;
        let got = lex("// a\r\nuse\u{e4} (x)//b\n\t[\"p q\"\r\n`r\\`,").unwrap();
        let want = [
            (LineComment, "// a", 1, 1),
            (Text, "use\u{e4}", 2, 1),
            (Open, "(", 2, 6),
            (Text, "x", 2, 7),
            (Close, ")", 2, 8),
            (SuffixComment, "//b", 2, 9),
            (Text, "[", 3, 2),
            (Text, "\"p q\"", 3, 3),
            (Newline, "\n", 3, 9),
            (Text, "`r\\`", 4, 1),
            (Text, ",", 4, 5),
            (Eof, "", 4, 6),
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn a_url_like_word_ends_at_its_slashes() {
        let got = lex("http://x").unwrap();
        assert_eq!(got[0], (TokenKind::Text, "http:", 1, 1));
        assert_eq!(got[1], (TokenKind::SuffixComment, "//x", 1, 6));
    }
}
