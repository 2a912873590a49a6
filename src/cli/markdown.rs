//! The part of Markdown in which help topics are written, for a terminal and for man pages.
//!
//! Headings, paragraphs, lists with `-` or numbers, fenced code, tables, comments; within a line `code`,
//! `**strong**` and `[text](link)`. Anything else is text. The topics are ours, so nothing is refused.

use std::fmt::Write as _;

/// A piece of a document. Texts still have their inline marks, see [`spans`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MarkdownBlock {
    /// The level, 1 to 6, and the text.
    Heading(usize, String),
    Paragraph(String),
    /// The mark, `-` or `1.`, and the text.
    Item(String, String),
    /// The lines of a fenced block.
    Code(Vec<String>),
    /// The rows of a table, its header first.
    Table(Vec<Vec<String>>),
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MarkdownSpan {
    Text(String),
    Code(String),
    Strong(String),
}

/// Takes a document apart.
pub(super) fn parse(text: &str) -> Vec<MarkdownBlock> {
    let mut blocks: Vec<MarkdownBlock> = Vec::new();
    // True if the next line of text belongs to the last block.
    let mut goes_on = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if line.starts_with("```") {
            let code = lines.by_ref().take_while(|line| !line.starts_with("```"));
            blocks.push(MarkdownBlock::Code(code.map(str::to_owned).collect()));
            goes_on = false;
        } else if trimmed.is_empty() || trimmed.starts_with("<!--") {
            goes_on = false;
        } else if let Some((marks, heading)) = heading(line) {
            blocks.push(MarkdownBlock::Heading(marks, heading.to_owned()));
            goes_on = false;
        } else if let Some(cells) = cells(trimmed) {
            match blocks.last_mut() {
                Some(MarkdownBlock::Table(rows)) if goes_on => rows.push(cells),
                _ => blocks.push(MarkdownBlock::Table(vec![cells])),
            }
            goes_on = true;
        } else if let Some((mark, item)) = item(line) {
            blocks.push(MarkdownBlock::Item(mark.to_owned(), item.to_owned()));
            goes_on = true;
        } else {
            match blocks.last_mut() {
                Some(MarkdownBlock::Paragraph(text) | MarkdownBlock::Item(_, text)) if goes_on => {
                    text.push(' ');
                    text.push_str(trimmed);
                }
                _ => blocks.push(MarkdownBlock::Paragraph(trimmed.to_owned())),
            }
            goes_on = true;
        }
    }
    for block in &mut blocks {
        if let MarkdownBlock::Table(rows) = block {
            let is_rule = |cell: &String| cell.chars().all(|c| c == '-' || c == ':');
            rows.retain(|row| !row.iter().all(is_rule));
        }
    }
    blocks
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let marks = line.len() - text.len();
    let text = text.strip_prefix(' ')?;
    (1..=6).contains(&marks).then_some((marks, text))
}

/// The mark and the text of an item of a list.
fn item(line: &str) -> Option<(&str, &str)> {
    let (mark, text) = line.trim_start().split_once(' ')?;
    let number = mark.strip_suffix('.');
    let is_number = number.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    (mark == "-" || is_number && mark.len() > 1).then(|| (mark, text.trim_start()))
}

/// The cells of a row; `\|` is no border, nor is one within code.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let (mut escaped, mut in_code) = (false, false);
    for c in inner.chars() {
        in_code ^= c == '`';
        if c == '|' && !escaped && !in_code {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            if c == '|' && escaped {
                cell.pop();
            }
            cell.push(c);
        }
        escaped = c == '\\';
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Takes a text apart at its inline marks.
pub(super) fn spans(text: &str) -> Vec<MarkdownSpan> {
    let mut spans = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        let (before, marked) = rest.split_at(at);
        plain.push_str(before);
        let found = between(marked, "`", "`")
            .map(|(inner, rest)| (MarkdownSpan::Code(inner.to_owned()), rest))
            .or_else(|| {
                let (inner, rest) = between(marked, "**", "**")?;
                Some((MarkdownSpan::Strong(without_marks(inner)), rest))
            })
            .or_else(|| {
                let (inner, rest) = between(marked, "[", "](")?;
                let (_, rest) = rest.split_once(')')?;
                Some((MarkdownSpan::Text(without_marks(inner)), rest))
            });
        match found {
            Some((span, after)) => {
                if !plain.is_empty() {
                    spans.push(MarkdownSpan::Text(std::mem::take(&mut plain)));
                }
                spans.push(span);
                rest = after;
            }
            None => {
                // Each of the marks is one byte.
                let (mark, after) = marked.split_at(1);
                plain.push_str(mark);
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        spans.push(MarkdownSpan::Text(plain));
    }
    spans
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(open)?;
    inner
        .split_once(close)
        .filter(|(inner, _)| !inner.is_empty())
}

/// A text as it reads on a terminal.
pub(super) fn without_marks(text: &str) -> String {
    let spans = spans(text).into_iter();
    spans
        .map(|span| match span {
            MarkdownSpan::Text(text) | MarkdownSpan::Code(text) | MarkdownSpan::Strong(text) => {
                text
            }
        })
        .collect()
}

/// Renders a document for a terminal, in lines of at most `width` columns where words allow.
pub(super) fn plain(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut after_item = false;
    for block in parse(text) {
        let is_item = matches!(block, MarkdownBlock::Item(..));
        if !(out.is_empty() || after_item && is_item) {
            out.push('\n');
        }
        after_item = is_item;
        match block {
            MarkdownBlock::Heading(_, text) => {
                let _ = writeln!(out, "{}", without_marks(&text).trim_end());
            }
            MarkdownBlock::Paragraph(text) => wrap(&mut out, &without_marks(&text), "", "", width),
            MarkdownBlock::Item(mark, text) => {
                let first = format!("  {mark} ");
                let indent = " ".repeat(first.len());
                wrap(&mut out, &without_marks(&text), &first, &indent, width);
            }
            MarkdownBlock::Code(lines) => {
                for line in lines {
                    let _ = writeln!(out, "{}", format!("    {line}").trim_end());
                }
            }
            MarkdownBlock::Table(rows) => table(&mut out, &rows, width),
        }
    }
    out
}

/// Renders each row below its first cell, since tables of topics are wider than a terminal.
fn table(out: &mut String, rows: &[Vec<String>], width: usize) {
    let Some((header, rows)) = rows.split_first() else {
        return;
    };
    for row in rows {
        let term = row
            .first()
            .map_or(String::new(), |cell| without_marks(cell));
        wrap(out, &term, "  ", "    ", width);
        for text in described(header, row) {
            wrap(out, &without_marks(&text), "      ", "      ", width);
        }
    }
}

/// What a row says beside its first cell: the last cell as it stands, those between with their heading.
pub(super) fn described(header: &[String], row: &[String]) -> Vec<String> {
    let last = row.len().saturating_sub(1);
    let cells = row.iter().enumerate().skip(1);
    let mut texts = Vec::new();
    for (index, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        match header.get(index) {
            Some(heading) if index < last && !heading.is_empty() => {
                texts.push(format!("{heading}: {cell}"));
            }
            _ => texts.push(cell.clone()),
        }
    }
    texts
}

/// Writes words in lines of at most `width` columns; the first line begins with `first`, others with `indent`.
pub(super) fn wrap(out: &mut String, text: &str, first: &str, indent: &str, width: usize) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let columns = line.chars().count() + 1 + word.chars().count();
        if !is_empty && columns > width {
            let _ = writeln!(out, "{}", line.trim_end());
            line = indent.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    if !is_empty {
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = "# Title\n\nSome `code` and\n**strong** [link](x.md).\n\n- one\n  more\n- two\n\n```sh\na  b\n```\n\n\
                            | a | b | c |\n|---|---|---|\n| `x|y` | 1 | z\\|z |\n\n<!-- not shown -->\n1. first\n";

    #[test]
    fn blocks_and_spans_are_told_apart() {
        let text = |text: &str| text.to_owned();
        assert_eq!(
            parse(DOCUMENT),
            [
                MarkdownBlock::Heading(1, text("Title")),
                MarkdownBlock::Paragraph(text("Some `code` and **strong** [link](x.md).")),
                MarkdownBlock::Item(text("-"), text("one more")),
                MarkdownBlock::Item(text("-"), text("two")),
                MarkdownBlock::Code(vec![text("a  b")]),
                MarkdownBlock::Table(vec![
                    vec![text("a"), text("b"), text("c")],
                    vec![text("`x|y`"), text("1"), text("z|z")],
                ]),
                MarkdownBlock::Item(text("1."), text("first")),
            ]
        );
        assert_eq!(
            spans("a `b*c` **d `e`** [f](g) h[i] * j"),
            [
                MarkdownSpan::Text(text("a ")),
                MarkdownSpan::Code(text("b*c")),
                MarkdownSpan::Text(text(" ")),
                MarkdownSpan::Strong(text("d e")),
                MarkdownSpan::Text(text(" ")),
                MarkdownSpan::Text(text("f")),
                MarkdownSpan::Text(text(" h[i] * j")),
            ]
        );
    }

    #[test]
    fn a_terminal_shows_no_marks() {
        let want = "Title\n\nSome code and strong\nlink.\n\n  - one more\n  - two\n\n    a  b\n\n  x|y\n      b: 1\n      \
                    z|z\n\n  1. first\n";
        assert_eq!(plain(DOCUMENT, 20), want);
    }

    proptest! {
        #[test]
        fn any_text_is_a_document(text in "[-#`*|a \\[\\]()<!1.\n\\\\é]{0,60}") {
            for line in plain(&text, 30).lines() {
                prop_assert_eq!(line.trim_end(), line);
            }
        }
    }
}
