//! Writes a [`EditTree`] in the standard style.
//!
//! Source: golang/mod `modfile/print.go`.

use super::tree::{Comments, EditStatement, EditTree, LineId};

/// The text of a file.
pub(super) fn print(tree: &EditTree) -> String {
    let mut printer = EditPrinter {
        tree,
        out: String::new(),
        pending: Vec::new(),
        margin: 0,
    };
    printer.file();
    let text = printer.out.trim_end_matches('\n');
    match printer.out.get(text.len()..) {
        Some(ends) if !text.is_empty() && !ends.is_empty() => format!("{text}\n"),
        _ => text.to_owned(),
    }
}

struct EditPrinter<'t> {
    tree: &'t EditTree,
    out: String,
    /// Comments that wait for the end of the line.
    pending: Vec<&'t str>,
    /// Tabs at the start of a line.
    margin: usize,
}

impl<'t> EditPrinter<'t> {
    fn file(&mut self) {
        let tree = self.tree;
        for comment in &tree.before {
            self.out.push_str(comment.trim());
            self.newline();
        }
        for (i, statement) in tree.statements.iter().enumerate() {
            match statement {
                EditStatement::Comments(comments) => {
                    self.before(comments);
                    self.wait(comments);
                }
                EditStatement::Line(id) => {
                    self.line(*id);
                    self.newline();
                }
                EditStatement::Block(id) => {
                    let block = tree.block(*id);
                    self.before(&block.comments);
                    self.tokens(&block.tokens);
                    self.out.push_str(" (");
                    self.wait(&block.open);
                    self.margin += 1;
                    for &line in &block.lines {
                        self.newline();
                        self.line(line);
                    }
                    self.margin -= 1;
                    self.newline();
                    self.before(&block.close);
                    self.out.push(')');
                    self.wait(&block.close);
                    self.wait(&block.comments);
                    self.newline();
                }
            }
            if i + 1 < tree.statements.len() {
                self.newline();
            }
        }
    }

    fn line(&mut self, id: LineId) {
        let line = self.tree.line(id);
        self.before(&line.comments);
        self.tokens(&line.tokens);
        self.wait(&line.comments);
    }

    /// The comments above a thing, each on a line of its own.
    fn before(&mut self, comments: &'t Comments) {
        if comments.before.is_empty() {
            return;
        }
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.indent();
        for comment in &comments.before {
            self.out.push_str(comment.trim());
            self.newline();
        }
    }

    fn wait(&mut self, comments: &'t Comments) {
        self.pending
            .extend(comments.suffix.iter().map(String::as_str));
    }

    fn tokens(&mut self, tokens: &[String]) {
        let mut separator = "";
        for token in tokens {
            if matches!(&**token, "," | ")" | "]" | "}") {
                separator = "";
            }
            self.out.extend([separator, token]);
            separator = match &**token {
                "(" | "[" | "{" => "",
                _ => " ",
            };
        }
    }

    /// Ends the line, with the comments that wait for that; two blank lines do not follow each
    /// other, and none comes first.
    fn newline(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (i, comment) in pending.into_iter().enumerate() {
            if i == 0 {
                self.out.push(' ');
            } else {
                self.trim();
                self.out.push('\n');
                self.indent();
            }
            self.out.push_str(comment.trim());
        }
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.indent();
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n('\t', self.margin));
    }

    fn trim(&mut self) {
        let length = self.out.trim_end_matches(['\t', ' ']).len();
        self.out.truncate(length);
    }
}
