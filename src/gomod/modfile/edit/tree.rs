//! A go.mod or go.work as it can be changed and written again: every token and comment, owned.
//!
//! Lines and blocks have numbers that stay the same while statements move around them.
//!
//! Source: golang/mod `modfile/read.go`.

use std::collections::HashMap;

/// A line, by its place in [`EditTree::lines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LineId(usize);

/// A block, by its place in [`EditTree::blocks`].
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

/// A line of tokens. Without tokens it is dead, and goes with [`EditTree::clean`].
#[derive(Clone, Debug, Default)]
pub(super) struct EditLine {
    pub(super) comments: Comments,
    /// In a block without the block's own token.
    pub(super) tokens: Vec<String>,
    pub(super) in_block: bool,
}

/// A block of lines.
#[derive(Clone, Debug, Default)]
pub(super) struct EditBlock {
    pub(super) comments: Comments,
    pub(super) tokens: Vec<String>,
    /// At the end of its first line.
    pub(super) open: Comments,
    pub(super) lines: Vec<LineId>,
    /// Above and behind its closing parenthesis.
    pub(super) close: Comments,
}

#[derive(Clone, Debug)]
pub(super) enum EditStatement {
    /// Comments with blank lines around them.
    Comments(Comments),
    Line(LineId),
    Block(BlockId),
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct EditTree {
    lines: Vec<EditLine>,
    blocks: Vec<EditBlock>,
    pub(super) statements: Vec<EditStatement>,
    /// Comments that belong to nothing; they come first.
    pub(super) before: Vec<String>,
    /// Where lines of the file begin.
    pub(super) at: HashMap<u32, LineId>,
}

impl EditTree {
    pub(super) fn line(&self, id: LineId) -> &EditLine {
        // An id is made where the line is pushed, and none is ever taken out.
        &self.lines[id.0]
    }

    pub(super) fn line_mut(&mut self, id: LineId) -> &mut EditLine {
        &mut self.lines[id.0]
    }

    pub(super) fn block(&self, id: BlockId) -> &EditBlock {
        // As for lines.
        &self.blocks[id.0]
    }

    pub(super) fn block_mut(&mut self, id: BlockId) -> &mut EditBlock {
        &mut self.blocks[id.0]
    }

    /// The line that begins on this line of the file as it was read, from 1.
    pub(super) fn line_at(&self, number: u32) -> Option<LineId> {
        self.at.get(&number).copied()
    }

    pub(super) fn push_line(&mut self, line: EditLine) -> LineId {
        self.lines.push(line);
        LineId(self.lines.len() - 1)
    }

    pub(super) fn push_block(&mut self, block: EditBlock) -> BlockId {
        self.blocks.push(block);
        BlockId(self.blocks.len() - 1)
    }

    /// The first token of a statement, its verb.
    fn verb(&self, statement: &EditStatement) -> Option<&str> {
        let tokens = match statement {
            EditStatement::Comments(_) => return None,
            EditStatement::Line(id) => &self.line(*id).tokens,
            EditStatement::Block(id) => &self.block(*id).tokens,
        };
        tokens.first().map(String::as_str)
    }

    /// Adds a line at the end of the last statement with its verb, which becomes a block if it was
    /// none; without such a statement, after `hint`, or at the end.
    ///
    /// Source: golang/mod `modfile/read.go`, `addLine`.
    pub(super) fn add(&mut self, hint: Option<LineId>, verb: &str, arguments: &[&str]) -> LineId {
        let own = |list: &[&str]| list.iter().map(|&token| token.to_owned()).collect();
        let same = |statement: &EditStatement| self.verb(statement) == Some(verb);
        let place = match hint {
            None => self.statements.iter().rposition(same),
            Some(hint) => self
                .statements
                .iter()
                .position(|statement| match statement {
                    EditStatement::Comments(_) => false,
                    EditStatement::Line(id) => *id == hint,
                    EditStatement::Block(id) => self.block(*id).lines.contains(&hint),
                }),
        };
        let mut tokens: Vec<String> = own(arguments);
        let Some(place) = place else {
            tokens.insert(0, verb.to_owned());
            let id = self.push_line(EditLine {
                tokens,
                ..EditLine::default()
            });
            self.statements.push(EditStatement::Line(id));
            return id;
        };
        if !same(&self.statements[place]) {
            tokens.insert(0, verb.to_owned());
            let id = self.push_line(EditLine {
                tokens,
                ..EditLine::default()
            });
            self.statements.insert(place + 1, EditStatement::Line(id));
            return id;
        }
        let id = self.push_line(EditLine {
            tokens,
            in_block: true,
            ..EditLine::default()
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
            Some(EditStatement::Block(id)) => return *id,
            Some(EditStatement::Line(id)) => *id,
            Some(EditStatement::Comments(_)) | None => return self.insert_block(place, verb),
        };
        let line = self.line_mut(id);
        let tokens = line.tokens.drain(..line.tokens.len().min(1)).collect();
        line.in_block = true;
        self.blocks.push(EditBlock {
            tokens,
            lines: vec![id],
            ..EditBlock::default()
        });
        let block = BlockId(self.blocks.len() - 1);
        self.statements[place] = EditStatement::Block(block);
        block
    }

    /// Puts an empty block before a statement, or at the end.
    pub(super) fn insert_block(&mut self, place: usize, verb: &str) -> BlockId {
        self.blocks.push(EditBlock {
            tokens: vec![verb.to_owned()],
            ..EditBlock::default()
        });
        let block = BlockId(self.blocks.len() - 1);
        let place = place.min(self.statements.len());
        self.statements.insert(place, EditStatement::Block(block));
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
                EditStatement::Comments(_) => self.statements.push(statement),
                EditStatement::Line(id) => {
                    if !self.line(id).tokens.is_empty() {
                        self.statements.push(statement);
                    }
                }
                EditStatement::Block(id) => {
                    let mut lines = std::mem::take(&mut self.block_mut(id).lines);
                    lines.retain(|&line| !self.line(line).tokens.is_empty());
                    match *lines {
                        [] => {}
                        [only] if self.block(id).close.before.is_empty() => {
                            self.fold(id, only);
                            self.statements.push(EditStatement::Line(only));
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
                EditStatement::Line(id) if dead(id) => continue,
                EditStatement::Block(id) => {
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
