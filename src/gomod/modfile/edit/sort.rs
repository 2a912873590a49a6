//! The order of lines in a block, and which of repeated ones counts.
//!
//! Source: golang/mod `modfile/rule.go`, `SortBlocks` and `removeDups`.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::tree::{EditStatement, EditTree, LineId};
use crate::gomod::compare;

/// Something that counts once, and where it stands.
pub(super) type Keyed = Vec<(String, LineId)>;

/// Which of several lines with the same key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeptDuplicate {
    First,
    Last,
}

/// Notes the lines that do not count, and forgets them.
pub(super) fn drop_repeated(list: &mut Keyed, counts: KeptDuplicate, dead: &mut HashSet<LineId>) {
    if counts == KeptDuplicate::Last {
        list.reverse();
    }
    let mut seen = HashSet::new();
    list.retain(|(key, line)| {
        let first = seen.insert(key.clone());
        if !first {
            dead.insert(*line);
        }
        first
    });
    if counts == KeptDuplicate::Last {
        list.reverse();
    }
}

/// How the tokens of two lines of a block are ordered.
pub(super) type Order = fn(&[String], &[String]) -> Ordering;

/// Word by word.
pub(super) fn in_words(one: &[String], two: &[String]) -> Ordering {
    one.cmp(two)
}

/// Sorts the lines of each block, in the order for its verb; equal ones stay as they are.
pub(super) fn sort_blocks(tree: &mut EditTree, order_of: impl Fn(&str) -> Order) {
    let blocks = tree
        .statements
        .iter()
        .filter_map(|statement| match statement {
            EditStatement::Block(id) => Some(*id),
            _ => None,
        });
    for id in blocks.collect::<Vec<_>>() {
        let order = order_of(tree.block(id).tokens.first().map_or("", String::as_str));
        let mut lines = std::mem::take(&mut tree.block_mut(id).lines);
        lines.sort_by(|&one, &two| order(&tree.line(one).tokens, &tree.line(two).tokens));
        tree.block_mut(id).lines = lines;
    }
}

/// Versions of a module as versions; from `go 1.21` on.
pub(super) fn by_exclusion(one: &[String], two: &[String]) -> Ordering {
    match (one, two) {
        ([path, version], [other, than]) => path.cmp(other).then_with(|| compare(version, than)),
        _ => in_words(one, two),
    }
}

/// Retracted intervals, the newest first.
pub(super) fn by_interval(one: &[String], two: &[String]) -> Ordering {
    let ((low, high), (other_low, other_high)) = (interval(one), interval(two));
    compare(other_low, low).then_with(|| compare(other_high, high))
}

fn interval(tokens: &[String]) -> (&str, &str) {
    match tokens {
        [single] => (single, single),
        [open, low, comma, high, close] if open == "[" && comma == "," && close == "]" => {
            (low, high)
        }
        _ => ("", ""),
    }
}
