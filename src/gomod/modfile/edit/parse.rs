//! Reads a go.mod or go.work into a [`EditTree`].
//!
//! [`syntax`](crate::gomod::modfile::syntax) reads the same grammar for those who only want to know what a
//! file says. It borrows and drops what says nothing (comments at the end, blank lines,
//! parentheses); a run reads hundreds of files that way and changes at most one, so this is apart.
//!
//! Source: golang/mod `modfile/read.go`.

use super::tree::{BlockId, Comments, EditBlock, EditLine, EditStatement, EditTree, LineId};
use crate::gomod::modfile::lex::{ModLexer, ModToken, TokenKind};
use crate::gomod::modfile::problem::{GoModProblem, Position};

impl EditTree {
    /// Reads a file; `file` is for the one message that names a second place.
    ///
    /// # Errors
    /// The first fault of syntax.
    pub(super) fn parse(file: &str, text: &str) -> Result<EditTree, GoModProblem> {
        let mut lexer = ModLexer::new(text);
        let next = lexer.token()?;
        let mut parser = EditParser {
            file,
            lexer,
            next,
            tree: EditTree::default(),
            suffixes: Vec::new(),
            ends: Vec::new(),
        };
        parser.file()?;
        parser.attach();
        Ok(parser.tree)
    }
}

/// The tokens of a line or of the start of a block, as far as they were read, and where they are.
struct LineTokens {
    start: Position,
    end: Position,
    tokens: Vec<String>,
}

impl LineTokens {
    fn of(first: ModToken<'_>) -> LineTokens {
        LineTokens {
            start: first.start,
            end: end_of(first),
            tokens: vec![first.text.to_owned()],
        }
    }

    fn push(&mut self, token: ModToken<'_>) {
        self.tokens.push(token.text.to_owned());
        self.end = end_of(token);
    }
}

/// Where a token ends. Only of one that stays on its line is the column ever looked at.
fn end_of(token: ModToken<'_>) -> Position {
    let length = u32::try_from(token.text.chars().count()).unwrap_or(u32::MAX);
    Position {
        line: token.end_line,
        column: token.start.column.saturating_add(length),
    }
}

/// What a comment at the end of a line may belong to.
#[derive(Clone, Copy)]
enum CommentTarget {
    Comments(usize),
    Line(LineId),
    Open(BlockId),
    Close(BlockId),
    Block(BlockId),
}

struct EditParser<'a, 'f> {
    file: &'f str,
    lexer: ModLexer<'a>,
    /// One token ahead, so that a fault there is reported before one of the token at hand.
    next: ModToken<'a>,
    tree: EditTree,
    /// Comments at the end of lines, and where they are.
    suffixes: Vec<(Position, String)>,
    /// What is there to attach them to, with where it ends, in the order in which it ends. What
    /// spans lines is left out.
    ends: Vec<(Position, CommentTarget)>,
}

impl<'a> EditParser<'a, '_> {
    fn take(&mut self) -> Result<ModToken<'a>, GoModProblem> {
        let next = self.lexer.token()?;
        let token = std::mem::replace(&mut self.next, next);
        if token.kind == TokenKind::SuffixComment {
            self.suffixes.push((token.start, token.text.to_owned()));
        }
        Ok(token)
    }

    fn file(&mut self) -> Result<(), GoModProblem> {
        let mut comments: Option<(Position, Comments)> = None;
        loop {
            match self.next.kind {
                TokenKind::Eof => {
                    self.loose(comments.take());
                    return Ok(());
                }
                TokenKind::Newline => {
                    self.take()?;
                    self.loose(comments.take());
                }
                TokenKind::LineComment => {
                    let token = self.take()?;
                    let (_, found) = comments.get_or_insert((token.start, Comments::default()));
                    found.before.push(token.text.to_owned());
                }
                _ => {
                    let before = comments.take().map(|(_, found)| found.before);
                    self.statement(before.unwrap_or_default())?;
                }
            }
        }
    }

    /// Comments that a blank line or the end of the file parts from what follows.
    fn loose(&mut self, comments: Option<(Position, Comments)>) {
        if let Some((start, comments)) = comments {
            let place = self.tree.statements.len();
            self.ends.push((start, CommentTarget::Comments(place)));
            self.tree.statements.push(EditStatement::Comments(comments));
        }
    }

    fn statement(&mut self, before: Vec<String>) -> Result<(), GoModProblem> {
        let mut words = LineTokens::of(self.take()?);
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                let id = self.finish_line(words, before, false);
                self.tree.statements.push(EditStatement::Line(id));
                return Ok(());
            }
            if token.kind != TokenKind::Open {
                words.push(token);
                continue;
            }
            if self.next.kind.ends_line() {
                return self.block(words, token, before);
            }
            if self.next.kind != TokenKind::Close {
                words.push(token);
                continue;
            }
            let close = self.take()?;
            if !self.next.kind.ends_line() {
                words.push(token);
                words.push(close);
                continue;
            }
            self.take()?;
            let start = words.start;
            let block = self.open_block(token, words, before);
            self.close_block(start, block, close, Vec::new());
            return Ok(());
        }
    }

    fn block(
        &mut self,
        words: LineTokens,
        open: ModToken<'a>,
        before: Vec<String>,
    ) -> Result<(), GoModProblem> {
        let start = words.start;
        let block = self.open_block(open, words, before);
        let mut comments: Vec<String> = Vec::new();
        loop {
            match self.next.kind {
                TokenKind::SuffixComment => {
                    self.take()?;
                }
                TokenKind::Newline => {
                    self.take()?;
                    let first = comments.is_empty() && !self.tree.block(block).lines.is_empty();
                    if first || comments.last().is_some_and(|last| !last.is_empty()) {
                        comments.push(String::new());
                    }
                }
                TokenKind::LineComment => comments.push(self.take()?.text.to_owned()),
                TokenKind::Eof => {
                    return self.fail(format!(
                        "syntax error (unterminated block started at {}:{}:{})",
                        self.file, start.line, start.column
                    ));
                }
                TokenKind::Close => {
                    let close = self.take()?;
                    if comments.len() == 1 && comments.iter().all(String::is_empty) {
                        comments.clear();
                    }
                    if !self.next.kind.ends_line() {
                        return self
                            .fail("syntax error (expected newline after closing paren)".into());
                    }
                    self.take()?;
                    self.close_block(start, block, close, comments);
                    return Ok(());
                }
                TokenKind::Open | TokenKind::Text => {
                    let line = self.block_line(std::mem::take(&mut comments))?;
                    self.tree.block_mut(block).lines.push(line);
                }
            }
        }
    }

    fn block_line(&mut self, before: Vec<String>) -> Result<LineId, GoModProblem> {
        let mut words = LineTokens::of(self.take()?);
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                return Ok(self.finish_line(words, before, true));
            }
            words.push(token);
        }
    }

    fn finish_line(&mut self, words: LineTokens, before: Vec<String>, in_block: bool) -> LineId {
        let LineTokens { start, end, tokens } = words;
        let comments = Comments {
            before,
            suffix: Vec::new(),
        };
        let id = self.tree.push_line(EditLine {
            comments,
            tokens,
            in_block,
        });
        self.tree.at.insert(start.line, id);
        if start.line == end.line {
            self.ends.push((end, CommentTarget::Line(id)));
        }
        id
    }

    fn open_block(
        &mut self,
        open: ModToken<'a>,
        words: LineTokens,
        before: Vec<String>,
    ) -> BlockId {
        let id = self.tree.push_block(EditBlock {
            comments: Comments {
                before,
                suffix: Vec::new(),
            },
            tokens: words.tokens,
            ..EditBlock::default()
        });
        self.ends.push((end_of(open), CommentTarget::Open(id)));
        id
    }

    fn close_block(
        &mut self,
        start: Position,
        id: BlockId,
        close: ModToken<'a>,
        before: Vec<String>,
    ) {
        self.tree.block_mut(id).close.before = before;
        let end = end_of(close);
        self.ends.push((end, CommentTarget::Close(id)));
        if start.line == end.line {
            self.ends.push((end, CommentTarget::Block(id)));
        }
        self.tree.statements.push(EditStatement::Block(id));
    }

    fn fail<T>(&self, text: String) -> Result<T, GoModProblem> {
        Err(GoModProblem::new(self.lexer.position(), text))
    }

    /// Gives each comment at the end of a line to what ended last before it.
    fn attach(&mut self) {
        let place = |at: Position| (at.line, at.column);
        let mut ends = std::mem::take(&mut self.ends);
        for (at, comment) in std::mem::take(&mut self.suffixes).into_iter().rev() {
            while ends.last().is_some_and(|(end, _)| place(*end) > place(at)) {
                ends.pop();
            }
            // What comes later goes before: the last comment was the first to be attached.
            let list = match ends.last().map(|(_, target)| *target) {
                None => &mut self.tree.before,
                Some(CommentTarget::Line(id)) => &mut self.tree.line_mut(id).comments.suffix,
                Some(CommentTarget::Open(id)) => &mut self.tree.block_mut(id).open.suffix,
                Some(CommentTarget::Close(id)) => &mut self.tree.block_mut(id).close.suffix,
                Some(CommentTarget::Block(id)) => &mut self.tree.block_mut(id).comments.suffix,
                Some(CommentTarget::Comments(place)) => match self.tree.statements.get_mut(place) {
                    Some(EditStatement::Comments(comments)) => &mut comments.suffix,
                    _ => continue,
                },
            };
            list.insert(0, comment);
        }
    }
}
