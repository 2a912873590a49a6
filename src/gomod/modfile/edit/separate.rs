//! Direct and indirect requirements in blocks of their own, as go.mod has them from go 1.17 on.
//!
//! Source: golang/mod `modfile/rule.go`, `SetRequireSeparateIndirect`, `SetRequireAtMostTwo`.

use std::collections::{HashMap, HashSet};

use super::mod_edit::{ModEdit, RequireEntry, Requirement, by_path, is_indirect, mark, set};
use super::tree::{BlockId, Comments, EditLine, EditStatement, EditTree, LineId};
use crate::gomod::quote::auto_quote;

const VERB: &str = "require";

/// Where the requirements of a go.mod are.
#[derive(Default)]
struct Places {
    /// The last statement of direct requirements only, without comments.
    direct: Option<usize>,
    /// The last statement of indirect requirements only, without comments.
    indirect: Option<usize>,
    /// The last statement of requirements.
    last: Option<usize>,
    count: usize,
    block_of: HashMap<LineId, BlockId>,
}

impl ModEdit {
    /// Makes `wanted` the requirements, one a path, the direct ones apart from the indirect ones.
    ///
    /// Lines stay in the block where they are, unless that is the one for the other sort, or the
    /// only one there is.
    pub fn set_require_separately(&mut self, wanted: &[Requirement]) {
        self.set_require_in_blocks(wanted, false);
    }

    /// The same, with all of them in two blocks at most, and with what stood above any block above
    /// the one that its lines went to.
    pub fn set_require_in_two_blocks(&mut self, wanted: &[Requirement]) {
        self.set_require_in_blocks(wanted, true);
    }

    fn set_require_in_blocks(&mut self, wanted: &[Requirement], two: bool) {
        let places = Places::of(&self.tree);
        let flat = places.count == 1
            && places.last.is_some_and(|last| {
                let comments = match &self.tree.statements[last] {
                    EditStatement::Comments(comments) => comments,
                    EditStatement::Line(id) => &self.tree.line(*id).comments,
                    EditStatement::Block(id) => &self.tree.block(*id).comments,
                };
                !says_more(comments)
            });
        let mut need = by_path(wanted);
        let (above_direct, above_indirect) = match two {
            true => self.take_comments(&need),
            false => Default::default(),
        };
        let (direct, indirect) = places.ensure_blocks(&mut self.tree);
        for (block, comments) in [(direct, above_direct), (indirect, above_indirect)] {
            self.tree.block_mut(block).comments.before.extend(comments);
        }
        for entry in std::mem::take(&mut self.require) {
            let Some(requirement) = need.remove(&*entry.path) else {
                self.tree.kill(entry.line);
                continue;
            };
            set(self.tree.line_mut(entry.line), requirement);
            let (own, other) = if requirement.indirect {
                (indirect, direct)
            } else {
                (direct, indirect)
            };
            // A line that was none of a block is in none, whatever has become of it since.
            let inside = places.block_of.get(&entry.line);
            let line = if two || flat || inside == Some(&other) {
                self.move_to(entry.line, own)
            } else {
                entry.line
            };
            let path = entry.path;
            self.require.push(RequireEntry { path, line });
        }
        for requirement in wanted {
            let path = requirement.module.path().to_string();
            if need.remove(&*path).is_none() {
                continue;
            }
            let version = requirement.module.version().to_string();
            let mut line = EditLine {
                tokens: vec![auto_quote(&path), version],
                in_block: true,
                ..EditLine::default()
            };
            mark(&mut line, requirement.indirect);
            let block = if requirement.indirect {
                indirect
            } else {
                direct
            };
            let line = self.tree.push_line(line);
            self.tree.block_mut(block).lines.push(line);
            self.require.push(RequireEntry { path, line });
        }
        self.sort();
    }

    /// Takes the comments away that stand above blocks of requirements: those of blocks with a direct
    /// requirement, and those of others. `//` parts the comments of two blocks.
    fn take_comments(&mut self, need: &HashMap<&str, &Requirement>) -> (Vec<String>, Vec<String>) {
        let is_direct =
            |entry: &&RequireEntry| need.get(&*entry.path).is_some_and(|one| !one.indirect);
        let direct_lines: HashSet<LineId> = self
            .require
            .iter()
            .filter(is_direct)
            .map(|entry| entry.line)
            .collect();
        let (mut direct, mut indirect) = (Vec::new(), Vec::new());
        for place in 0..self.tree.statements.len() {
            let EditStatement::Block(id) = self.tree.statements[place] else {
                continue;
            };
            let block = self.tree.block_mut(id);
            if block.tokens.first().is_none_or(|verb| verb != VERB) {
                continue;
            }
            let any_direct = block.lines.iter().any(|line| direct_lines.contains(line));
            let comments = match any_direct || block.lines.is_empty() {
                true => &mut direct,
                false => &mut indirect,
            };
            if !comments.is_empty() && !block.comments.before.is_empty() {
                comments.push("//".to_owned());
            }
            comments.append(&mut block.comments.before);
        }
        (direct, indirect)
    }

    /// Moves a line to the end of a block, with its comments.
    fn move_to(&mut self, line: LineId, block: BlockId) -> LineId {
        let mut moved = self.tree.line(line).clone();
        if !moved.in_block && moved.tokens.first().is_some_and(|verb| verb == VERB) {
            moved.tokens.remove(0);
        }
        moved.in_block = true;
        self.tree.line_mut(line).tokens.clear();
        let moved = self.tree.push_line(moved);
        self.tree.block_mut(block).lines.push(moved);
        moved
    }
}

impl Places {
    fn of(tree: &EditTree) -> Places {
        let is_require = |tokens: &[String]| tokens.first().is_some_and(|verb| verb == VERB);
        let mut places = Places::default();
        for (place, statement) in tree.statements.iter().enumerate() {
            match statement {
                EditStatement::Line(id) if is_require(&tree.line(*id).tokens) => {
                    places.found(place);
                    let line = tree.line(*id);
                    if !says_more(&line.comments) {
                        let same = if is_indirect(line) {
                            &mut places.indirect
                        } else {
                            &mut places.direct
                        };
                        *same = Some(place);
                    }
                }
                EditStatement::Block(id) if is_require(&tree.block(*id).tokens) => {
                    places.found(place);
                    let block = tree.block(*id);
                    for &line in &block.lines {
                        places.block_of.insert(line, *id);
                    }
                    let lines = || block.lines.iter().map(|&line| tree.line(line));
                    if block.lines.is_empty()
                        || says_more(&block.comments)
                        || lines().any(|line| says_more(&line.comments))
                    {
                        continue;
                    }
                    if lines().all(is_indirect) {
                        places.indirect = Some(place);
                    } else if !lines().any(is_indirect) {
                        places.direct = Some(place);
                    }
                }
                _ => {}
            }
        }
        places
    }

    fn found(&mut self, place: usize) {
        self.last = Some(place);
        self.count += 1;
    }

    /// The blocks for direct and for indirect requirements, made where there are none. An empty
    /// one goes again when the file is cleaned.
    fn ensure_blocks(&self, tree: &mut EditTree) -> (BlockId, BlockId) {
        let direct = self.direct.or(self.indirect);
        let direct = direct.or(self.last.map(|last| last + 1));
        let direct = direct.unwrap_or(tree.statements.len());
        let shifted = usize::from(self.direct.is_none());
        let direct_block = match self.direct {
            Some(place) => tree.as_block(place, VERB),
            None => tree.insert_block(direct, VERB),
        };
        let indirect_block = match self.indirect {
            Some(place) => tree.as_block(place + shifted, VERB),
            None => tree.insert_block(direct + 1, VERB),
        };
        (direct_block, indirect_block)
    }
}

/// True for comments that say more than `// indirect`.
fn says_more(comments: &Comments) -> bool {
    let text = |comment: &str| comment.strip_prefix("//").unwrap_or(comment).trim() != "indirect";
    !comments.before.is_empty()
        || match &*comments.suffix {
            [] => false,
            [only] => text(only),
            _ => true,
        }
}
