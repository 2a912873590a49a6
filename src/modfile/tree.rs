//! A go.mod or go.work as it can be changed and written again: every token and comment, owned.
//!
//! [`syntax`](super::syntax) reads the same grammar for those who only want to know what a file
//! says. It borrows and drops what says nothing (comments at the end, blank lines, parentheses);
//! a run reads hundreds of files that way and changes at most one, so the tree is apart.
//!
//! Lines and blocks have numbers that stay the same while statements move around them.
//!
//! Source: golang/mod `modfile/read.go`.

use std::collections::HashMap;

use super::lex::{Lexer, Token, TokenKind};
use super::problem::{Position, Problem};

/// A line, by its place in [`Tree::lines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LineId(usize);

/// A block, by its place in [`Tree::blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlockId(usize);

/// The comments of one thing, with their slashes; an empty one is a blank line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Comments {
    /// Lines of their own above it.
    pub(super) before: Vec<String>,
    /// At its end.
    pub(super) suffix: Vec<String>,
}

/// A line of tokens. Without tokens it is dead, and goes with [`Tree::clean`].
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) comments: Comments,
    /// In a block without the block's own token.
    pub(super) tokens: Vec<String>,
    pub(super) in_block: bool,
}

/// A block of lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) comments: Comments,
    pub(super) tokens: Vec<String>,
    /// At the end of its first line.
    pub(super) open: Comments,
    pub(super) lines: Vec<LineId>,
    /// Above and behind its closing parenthesis.
    pub(super) close: Comments,
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// Comments with blank lines around them.
    Comments(Comments),
    Line(LineId),
    Block(BlockId),
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    lines: Vec<Line>,
    blocks: Vec<Block>,
    pub(super) statements: Vec<Statement>,
    /// Comments that belong to nothing; they come first.
    pub(super) before: Vec<String>,
    /// Where lines of the file begin.
    at: HashMap<u32, LineId>,
}

impl Tree {
    /// Reads a file; `file` is for the one message that names a second place.
    ///
    /// # Errors
    /// The first fault of syntax.
    pub(super) fn parse(file: &str, text: &str) -> Result<Tree, Problem> {
        let mut lexer = Lexer::new(text);
        let next = lexer.token()?;
        let mut parser = Parser {
            file,
            lexer,
            next,
            tree: Tree::default(),
            suffixes: Vec::new(),
            ends: Vec::new(),
        };
        parser.file()?;
        parser.attach();
        Ok(parser.tree)
    }

    pub(super) fn line(&self, id: LineId) -> &Line {
        // An id is made where the line is pushed, and none is ever taken out.
        &self.lines[id.0]
    }

    pub(super) fn line_mut(&mut self, id: LineId) -> &mut Line {
        &mut self.lines[id.0]
    }

    pub(super) fn block(&self, id: BlockId) -> &Block {
        // As for lines.
        &self.blocks[id.0]
    }

    pub(super) fn block_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id.0]
    }

    /// The line that begins on this line of the file as it was read, from 1.
    pub(super) fn line_at(&self, number: u32) -> Option<LineId> {
        self.at.get(&number).copied()
    }

    pub(super) fn push_line(&mut self, line: Line) -> LineId {
        self.lines.push(line);
        LineId(self.lines.len() - 1)
    }

    pub(super) fn push_block(&mut self, block: Block) -> BlockId {
        self.blocks.push(block);
        BlockId(self.blocks.len() - 1)
    }

    /// The first token of a statement, its verb.
    fn verb(&self, statement: &Statement) -> Option<&str> {
        let tokens = match statement {
            Statement::Comments(_) => return None,
            Statement::Line(id) => &self.line(*id).tokens,
            Statement::Block(id) => &self.block(*id).tokens,
        };
        tokens.first().map(String::as_str)
    }

    /// Adds a line at the end of the last statement with its verb, which becomes a block if it was
    /// none; without such a statement, after `hint`, or at the end.
    ///
    /// Source: golang/mod `modfile/read.go`, `addLine`.
    pub(super) fn add(&mut self, hint: Option<LineId>, verb: &str, arguments: &[&str]) -> LineId {
        let own = |list: &[&str]| list.iter().map(|&token| token.to_owned()).collect();
        let same = |statement: &Statement| self.verb(statement) == Some(verb);
        let place = match hint {
            None => self.statements.iter().rposition(same),
            Some(hint) => self
                .statements
                .iter()
                .position(|statement| match statement {
                    Statement::Comments(_) => false,
                    Statement::Line(id) => *id == hint,
                    Statement::Block(id) => self.block(*id).lines.contains(&hint),
                }),
        };
        let mut tokens: Vec<String> = own(arguments);
        let Some(place) = place else {
            tokens.insert(0, verb.to_owned());
            let id = self.push_line(Line {
                tokens,
                ..Line::default()
            });
            self.statements.push(Statement::Line(id));
            return id;
        };
        if !same(&self.statements[place]) {
            tokens.insert(0, verb.to_owned());
            let id = self.push_line(Line {
                tokens,
                ..Line::default()
            });
            self.statements.insert(place + 1, Statement::Line(id));
            return id;
        }
        let id = self.push_line(Line {
            tokens,
            in_block: true,
            ..Line::default()
        });
        let block = self.as_block(place, verb);
        let lines = &mut self.block_mut(block).lines;
        let after = lines.iter().position(|&line| Some(line) == hint);
        let at = after.map_or(lines.len(), |after| after + 1);
        lines.insert(at, id);
        id
    }

    /// Makes a block of the line that a statement is. Where there is none but comments, a new one
    /// comes before them.
    pub(super) fn as_block(&mut self, place: usize, verb: &str) -> BlockId {
        let id = match self.statements.get(place) {
            Some(Statement::Block(id)) => return *id,
            Some(Statement::Line(id)) => *id,
            Some(Statement::Comments(_)) | None => return self.insert_block(place, verb),
        };
        let line = self.line_mut(id);
        let tokens = line.tokens.drain(..line.tokens.len().min(1)).collect();
        line.in_block = true;
        self.blocks.push(Block {
            tokens,
            lines: vec![id],
            ..Block::default()
        });
        let block = BlockId(self.blocks.len() - 1);
        self.statements[place] = Statement::Block(block);
        block
    }

    /// Puts an empty block before a statement, or at the end.
    pub(super) fn insert_block(&mut self, place: usize, verb: &str) -> BlockId {
        self.blocks.push(Block {
            tokens: vec![verb.to_owned()],
            ..Block::default()
        });
        let block = BlockId(self.blocks.len() - 1);
        let place = place.min(self.statements.len());
        self.statements.insert(place, Statement::Block(block));
        block
    }

    /// Gives a line other tokens.
    pub(super) fn update(&mut self, id: LineId, verb: &str, arguments: &[&str]) {
        let line = self.line_mut(id);
        let verb = (!line.in_block).then_some(verb);
        let tokens = verb.into_iter().chain(arguments.iter().copied());
        line.tokens = tokens.map(str::to_owned).collect();
    }

    /// Marks a line as dead, with the comment at its end.
    pub(super) fn kill(&mut self, id: LineId) {
        let line = self.line_mut(id);
        line.tokens.clear();
        line.comments.suffix.clear();
    }

    /// Takes dead lines out; a block of one line becomes a line, a block of none goes.
    ///
    /// Source: golang/mod `modfile/read.go`, `Cleanup`.
    pub(super) fn clean(&mut self) {
        let statements = std::mem::take(&mut self.statements);
        for statement in statements {
            match statement {
                Statement::Comments(_) => self.statements.push(statement),
                Statement::Line(id) => {
                    if !self.line(id).tokens.is_empty() {
                        self.statements.push(statement);
                    }
                }
                Statement::Block(id) => {
                    let mut lines = std::mem::take(&mut self.block_mut(id).lines);
                    lines.retain(|&line| !self.line(line).tokens.is_empty());
                    match *lines {
                        [] => {}
                        [only] if self.block(id).close.before.is_empty() => {
                            self.fold(id, only);
                            self.statements.push(Statement::Line(only));
                        }
                        _ => {
                            self.block_mut(id).lines = lines;
                            self.statements.push(statement);
                        }
                    }
                }
            }
        }
    }

    /// Makes the only line of a block a line of its own.
    fn fold(&mut self, block: BlockId, line: LineId) {
        let block = std::mem::take(self.block_mut(block));
        let line = self.line_mut(line);
        let before = std::mem::take(&mut line.comments.before);
        line.comments.before = block.comments.before;
        line.comments.before.extend(before);
        line.comments.suffix.extend(block.comments.suffix);
        let arguments = std::mem::take(&mut line.tokens);
        line.tokens = block.tokens;
        line.tokens.extend(arguments);
        line.in_block = false;
    }

    /// Takes lines out as if they had never been there; a block that is emptied by it goes.
    pub(super) fn remove(&mut self, dead: impl Fn(LineId) -> bool) {
        let statements = std::mem::take(&mut self.statements);
        for statement in statements {
            match statement {
                Statement::Line(id) if dead(id) => continue,
                Statement::Block(id) => {
                    let lines = &mut self.block_mut(id).lines;
                    lines.retain(|&line| !dead(line));
                    if lines.is_empty() {
                        continue;
                    }
                }
                _ => {}
            }
            self.statements.push(statement);
        }
    }
}

/// What a comment at the end of a line may belong to.
#[derive(Clone, Copy)]
enum Target {
    Comments(usize),
    Line(LineId),
    Open(BlockId),
    Close(BlockId),
    Block(BlockId),
}

struct Parser<'a, 'f> {
    file: &'f str,
    lexer: Lexer<'a>,
    /// One token ahead, so that a fault there is reported before one of the token at hand.
    next: Token<'a>,
    tree: Tree,
    /// Comments at the end of lines, and where they are.
    suffixes: Vec<(Position, String)>,
    /// What is there to attach them to, with where it ends, in the order in which it ends. What
    /// spans lines is left out.
    ends: Vec<(Position, Target)>,
}

impl<'a> Parser<'a, '_> {
    fn take(&mut self) -> Result<Token<'a>, Problem> {
        let next = self.lexer.token()?;
        let token = std::mem::replace(&mut self.next, next);
        if token.kind == TokenKind::SuffixComment {
            self.suffixes.push((token.start, token.text.to_owned()));
        }
        Ok(token)
    }

    fn file(&mut self) -> Result<(), Problem> {
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
            self.ends.push((start, Target::Comments(place)));
            self.tree.statements.push(Statement::Comments(comments));
        }
    }

    fn statement(&mut self, before: Vec<String>) -> Result<(), Problem> {
        let first = self.take()?;
        let start = first.start;
        let mut end = self.end_of(first);
        let mut tokens = vec![first.text.to_owned()];
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                let id = self.finish_line(start, end, tokens, before, false);
                self.tree.statements.push(Statement::Line(id));
                return Ok(());
            }
            if token.kind != TokenKind::Open {
                tokens.push(token.text.to_owned());
                end = self.end_of(token);
                continue;
            }
            if self.next.kind.ends_line() {
                return self.block(start, token, tokens, before);
            }
            if self.next.kind != TokenKind::Close {
                tokens.push(token.text.to_owned());
                continue;
            }
            let close = self.take()?;
            if !self.next.kind.ends_line() {
                tokens.extend([token.text.to_owned(), close.text.to_owned()]);
                continue;
            }
            self.take()?;
            let block = self.open_block(token, tokens, before);
            self.close_block(start, block, close, Vec::new());
            return Ok(());
        }
    }

    fn block(
        &mut self,
        start: Position,
        open: Token<'a>,
        tokens: Vec<String>,
        before: Vec<String>,
    ) -> Result<(), Problem> {
        let block = self.open_block(open, tokens, before);
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

    fn block_line(&mut self, before: Vec<String>) -> Result<LineId, Problem> {
        let first = self.take()?;
        let start = first.start;
        let mut end = self.end_of(first);
        let mut tokens = vec![first.text.to_owned()];
        loop {
            let token = self.take()?;
            if token.kind.ends_line() {
                return Ok(self.finish_line(start, end, tokens, before, true));
            }
            tokens.push(token.text.to_owned());
            end = self.end_of(token);
        }
    }

    fn finish_line(
        &mut self,
        start: Position,
        end: Position,
        tokens: Vec<String>,
        before: Vec<String>,
        in_block: bool,
    ) -> LineId {
        let comments = Comments {
            before,
            suffix: Vec::new(),
        };
        let id = self.tree.push_line(Line {
            comments,
            tokens,
            in_block,
        });
        self.tree.at.insert(start.line, id);
        if start.line == end.line {
            self.ends.push((end, Target::Line(id)));
        }
        id
    }

    fn open_block(&mut self, open: Token<'a>, tokens: Vec<String>, before: Vec<String>) -> BlockId {
        let id = self.tree.push_block(Block {
            comments: Comments {
                before,
                suffix: Vec::new(),
            },
            tokens,
            ..Block::default()
        });
        self.ends.push((self.end_of(open), Target::Open(id)));
        id
    }

    fn close_block(&mut self, start: Position, id: BlockId, close: Token<'a>, before: Vec<String>) {
        self.tree.block_mut(id).close.before = before;
        let end = self.end_of(close);
        self.ends.push((end, Target::Close(id)));
        if start.line == end.line {
            self.ends.push((end, Target::Block(id)));
        }
        self.tree.statements.push(Statement::Block(id));
    }

    /// Where a token ends. Only of one that stays on its line is the column ever looked at.
    fn end_of(&self, token: Token<'a>) -> Position {
        let length = u32::try_from(token.text.chars().count()).unwrap_or(u32::MAX);
        Position {
            line: token.end_line,
            column: token.start.column.saturating_add(length),
        }
    }

    fn fail<T>(&self, text: String) -> Result<T, Problem> {
        Err(Problem::new(self.lexer.position(), text))
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
                Some(Target::Line(id)) => &mut self.tree.line_mut(id).comments.suffix,
                Some(Target::Open(id)) => &mut self.tree.block_mut(id).open.suffix,
                Some(Target::Close(id)) => &mut self.tree.block_mut(id).close.suffix,
                Some(Target::Block(id)) => &mut self.tree.block_mut(id).comments.suffix,
                Some(Target::Comments(place)) => match self.tree.statements.get_mut(place) {
                    Some(Statement::Comments(comments)) => &mut comments.suffix,
                    _ => continue,
                },
            };
            list.insert(0, comment);
        }
    }
}
