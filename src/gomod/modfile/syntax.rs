//! Lines and blocks of go.mod and go.work, with the comments that belong to them.
//!
//! A statement is a line of tokens or a block: tokens, `(` at the end of the line, lines, `)`.
//! Blocks do not nest. Whole-line comments belong to what follows without a blank line between
//! (in a block, a blank line does not part them), a comment at the end of a line to that line.
//!
//! Source: golang/mod `modfile/read.go`, `parseFile` and `assignComments`.

use super::lex::{ModLexer, ModToken, TokenKind};
use super::problem::{GoModProblem, Position};

/// A line of tokens, never empty.
#[derive(Debug)]
pub(super) struct SyntaxLine<'a> {
    pub(super) position: Position,
    /// In a block without the block's own token.
    pub(super) tokens: Vec<&'a str>,
    /// Whole-line comments above, with their slashes; an empty one is a blank line.
    pub(super) before: Vec<&'a str>,
    /// The comment at its end, with its slashes.
    pub(super) suffix: Option<&'a str>,
}

#[derive(Debug)]
pub(super) struct SyntaxBlock<'a> {
    pub(super) position: Position,
    /// What stands before the parenthesis; never empty, more than one is an error.
    pub(super) tokens: Vec<&'a str>,
    pub(super) before: Vec<&'a str>,
    pub(super) lines: Vec<SyntaxLine<'a>>,
}

#[derive(Debug)]
pub(super) enum SyntaxStatement<'a> {
    Line(SyntaxLine<'a>),
    Block(SyntaxBlock<'a>),
}

/// Reads a whole file; `file` is for the one message that names a second place.
///
/// # Errors
/// The first fault of syntax: nothing after it can be trusted.
pub(super) fn parse<'a>(
    file: &str,
    text: &'a str,
) -> Result<Vec<SyntaxStatement<'a>>, GoModProblem> {
    let mut lexer = ModLexer::new(text);
    let next = lexer.token()?;
    SyntaxParser { file, lexer, next }.file()
}

struct SyntaxParser<'a, 'f> {
    file: &'f str,
    lexer: ModLexer<'a>,
    /// One token ahead, so that a fault there is reported before one of the token at hand.
    next: ModToken<'a>,
}

impl<'a> SyntaxParser<'a, '_> {
    fn take(&mut self) -> Result<ModToken<'a>, GoModProblem> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn file(mut self) -> Result<Vec<SyntaxStatement<'a>>, GoModProblem> {
        let mut statements = Vec::new();
        let mut comments = Vec::new();
        loop {
            match self.next.kind {
                TokenKind::Eof => return Ok(statements),
                TokenKind::Newline => {
                    self.take()?;
                    comments.clear();
                }
                TokenKind::LineComment => comments.push(self.take()?.text),
                _ => statements.push(self.statement(std::mem::take(&mut comments))?),
            }
        }
    }

    fn statement(&mut self, before: Vec<&'a str>) -> Result<SyntaxStatement<'a>, GoModProblem> {
        let first = self.take()?;
        let position = first.start;
        let mut end_line = first.end_line;
        let mut tokens = vec![first.text];
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                return Ok(SyntaxStatement::Line(SyntaxLine {
                    position,
                    tokens,
                    before,
                    suffix: suffix(token, position.line, end_line),
                }));
            }
            if token.kind != TokenKind::Open {
                tokens.push(token.text);
                end_line = token.end_line;
                continue;
            }
            let lines = if self.next.kind.ends_line() {
                self.block_lines(position)?
            } else if self.next.kind == TokenKind::Close {
                let close = self.take()?;
                if !self.next.kind.ends_line() {
                    tokens.extend([token.text, close.text]);
                    continue;
                }
                self.take()?;
                Vec::new()
            } else {
                tokens.push(token.text);
                continue;
            };
            return Ok(SyntaxStatement::Block(SyntaxBlock {
                position,
                tokens,
                before,
                lines,
            }));
        }
    }

    fn block_lines(&mut self, start: Position) -> Result<Vec<SyntaxLine<'a>>, GoModProblem> {
        let mut lines: Vec<SyntaxLine<'a>> = Vec::new();
        let mut comments: Vec<&'a str> = Vec::new();
        loop {
            match self.next.kind {
                TokenKind::SuffixComment => {
                    self.take()?;
                }
                TokenKind::Newline => {
                    self.take()?;
                    // Kept, once, because a line with a blank line above does not share the
                    // comments of its block.
                    let first = comments.is_empty() && !lines.is_empty();
                    if first || comments.last().is_some_and(|last| !last.is_empty()) {
                        comments.push("");
                    }
                }
                TokenKind::LineComment => comments.push(self.take()?.text),
                TokenKind::Eof => {
                    return self.fail(format!(
                        "syntax error (unterminated block started at {}:{}:{})",
                        self.file, start.line, start.column
                    ));
                }
                TokenKind::Close => {
                    self.take()?;
                    if !self.next.kind.ends_line() {
                        return self
                            .fail("syntax error (expected newline after closing paren)".into());
                    }
                    self.take()?;
                    return Ok(lines);
                }
                TokenKind::Open | TokenKind::Text => {
                    lines.push(self.line(std::mem::take(&mut comments))?);
                }
            }
        }
    }

    fn line(&mut self, before: Vec<&'a str>) -> Result<SyntaxLine<'a>, GoModProblem> {
        let first = self.take()?;
        let position = first.start;
        let mut end_line = first.end_line;
        let mut tokens = vec![first.text];
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                return Ok(SyntaxLine {
                    position,
                    tokens,
                    before,
                    suffix: suffix(token, position.line, end_line),
                });
            }
            tokens.push(token.text);
            end_line = token.end_line;
        }
    }

    fn fail<T>(&self, text: String) -> Result<T, GoModProblem> {
        Err(GoModProblem::new(self.lexer.position(), text))
    }
}

/// The comment that ended a line. One that spans lines, by an escaped newline in a string, has
/// none (go gives it to whatever precedes).
fn suffix<'a>(end: ModToken<'a>, first_line: u32, last_line: u32) -> Option<&'a str> {
    (end.kind == TokenKind::SuffixComment && first_line == last_line).then_some(end.text)
}
