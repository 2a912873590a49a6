//! Man pages, in the macros of man(7): one for the program, one for each command, one for each help topic.
//!
//! Written here and not with the crate `roff`: version 1.1.1 drops arguments of macros that are empty, so that
//! the title line loses its place for the date, and what is left is an escape and five macros.

use std::fmt::Write as _;

use super::flags::{Flag, FlagGroup, groups::GLOBAL};
use super::markdown::{self, MarkdownBlock, MarkdownSpan};
use super::topics::{HelpTopic, TOPICS};
use super::tree::{CommandInfo, CommandTree};

/// A man page and the name of its file.
#[derive(Debug)]
pub struct ManPage {
    /// `modfetch-cache-prune.1`.
    pub file: String,
    /// The text for `man`, which ends in a line feed.
    pub roff: String,
}

/// Every page: the program's first, then commands, then topics.
#[must_use]
pub fn man_pages(tree: &CommandTree) -> Vec<ManPage> {
    let mut pages = vec![overview(tree)];
    pages.extend(tree.commands.iter().map(|info| command_page(info)));
    pages.extend(TOPICS.iter().map(topic_page));
    pages
}

/// A page in the making.
struct ManWriter {
    name: String,
    section: char,
    out: String,
}

impl ManWriter {
    fn new(name: String, section: char, brief: &str) -> ManWriter {
        let mut page = ManWriter {
            name,
            section,
            out: String::new(),
        };
        // No date: the page is the same whenever it is made.
        let (title, version) = (page.name.to_uppercase(), env!("CARGO_PKG_VERSION"));
        let title = escape(&title);
        page.line(&format!(
            ".TH \"{title}\" {section} \"\" \"modfetch {version}\" \"modfetch manual\""
        ));
        page.heading("NAME");
        let name = escape(&page.name);
        page.line(&format!("{name} \\- {}", escape(brief)));
        page
    }

    /// A line of which everything that must be is escaped.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    /// Text in lines of its own.
    fn text(&mut self, text: &str) {
        let mut lines = String::new();
        markdown::wrap(&mut lines, &inline(text), "", "", 80);
        for line in lines.lines() {
            self.line(&protect(line));
        }
    }

    fn heading(&mut self, text: &str) {
        let text = escape(&text.to_uppercase());
        self.line(&format!(".SH \"{text}\""));
    }

    fn subheading(&mut self, text: &str) {
        let text = escape(text);
        self.line(&format!(".SS \"{text}\""));
    }

    fn paragraph(&mut self, text: &str) {
        // The first one of a section needs no space.
        let begins = self.out.lines().next_back();
        if !begins.is_some_and(|line| line.starts_with(".SH") || line.starts_with(".SS")) {
            self.line(".PP");
        }
        self.text(text);
    }

    /// A term with texts below it.
    fn term(&mut self, term: &str, texts: &[String]) {
        self.line(".TP");
        self.line(&protect(term));
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                self.line(".br");
            }
            self.text(text);
        }
    }

    fn code<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        self.line(".PP");
        self.line(".RS 4");
        self.line(".EX");
        for line in lines {
            let line = protect(&escape(line));
            self.line(&line);
        }
        self.line(".EE");
        self.line(".RE");
    }

    fn examples(&mut self, examples: &[(&str, &str)]) {
        if examples.is_empty() {
            return;
        }
        self.heading("EXAMPLES");
        for (line, what) in examples {
            self.paragraph(&format!("{}:", sentence(what)));
            self.code([*line]);
        }
    }

    fn flags<'a>(&mut self, flags: impl IntoIterator<Item = &'a &'static Flag>) {
        for flag in flags {
            let mut texts = vec![format!("{}. {}", flag.brief, flag.detail)];
            texts.extend(flag.facts());
            self.term(&spelling(flag), &texts);
        }
    }

    fn group(&mut self, group: &FlagGroup) {
        self.subheading(group.title);
        self.flags(group.flags);
    }

    fn blocks(&mut self, blocks: &[MarkdownBlock]) {
        for block in blocks {
            match block {
                MarkdownBlock::Heading(1, _) => {}
                MarkdownBlock::Heading(2, text) => self.heading(&markdown::without_marks(text)),
                MarkdownBlock::Heading(_, text) => self.subheading(&markdown::without_marks(text)),
                MarkdownBlock::Paragraph(text) => self.paragraph(text),
                MarkdownBlock::Item(mark, text) => {
                    let mark = if mark == "-" { "\\(bu" } else { mark };
                    self.line(&format!(".IP {mark} 3"));
                    self.text(text);
                }
                MarkdownBlock::Code(lines) => self.code(lines.iter().map(String::as_str)),
                MarkdownBlock::Table(rows) => {
                    let Some((header, rows)) = rows.split_first() else {
                        continue;
                    };
                    for row in rows {
                        let term = inline(row.first().map_or("", String::as_str));
                        self.term(&term, &markdown::described(header, row));
                    }
                }
            }
        }
    }

    fn see_also(&mut self, pages: impl IntoIterator<Item = String>) {
        self.heading("SEE ALSO");
        let pages: Vec<String> = pages.into_iter().map(|page| escape(&page)).collect();
        self.line(&pages.join(",\n"));
    }

    fn finish(self) -> ManPage {
        ManPage {
            file: format!("{}.{}", self.name, self.section),
            roff: self.out,
        }
    }
}

fn overview(tree: &CommandTree) -> ManPage {
    let brief = "fetch, check, keep and serve Go modules without a Go toolchain";
    let mut page = ManWriter::new("modfetch".to_owned(), '1', brief);
    page.heading("SYNOPSIS");
    page.line("\\fBmodfetch\\fR \\fIcommand\\fR [flags] [arguments]");
    page.heading("COMMANDS");
    for info in &tree.commands {
        let term = format!("\\fB{}\\fR(1)", escape(&page_name(info)));
        page.term(&term, &[sentence(info.brief) + "."]);
    }
    page.heading("FLAGS OF ALL COMMANDS");
    page.flags(GLOBAL.flags);
    let examples: Vec<(&str, &str)> = tree
        .commands
        .iter()
        .filter_map(|info| info.examples.first().copied())
        .collect();
    page.examples(&examples);
    page.see_also(topic_names());
    page.finish()
}

fn command_page(info: &CommandInfo) -> ManPage {
    let mut page = ManWriter::new(page_name(info), '1', info.brief);
    page.heading("SYNOPSIS");
    let arguments = match info.arguments {
        "" => String::new(),
        arguments => format!(" {}", escape(arguments)),
    };
    page.line(&format!(
        "\\fBmodfetch {}\\fR [flags]{arguments}",
        escape(&info.name())
    ));
    page.heading("DESCRIPTION");
    for text in info.detail.lines() {
        page.paragraph(text);
    }
    page.heading("FLAGS");
    page.flags(info.flags);
    for group in info.groups {
        page.group(group);
    }
    page.group(&GLOBAL);
    page.examples(info.examples);
    page.see_also(["modfetch(1)".to_owned()].into_iter().chain(topic_names()));
    page.finish()
}

fn topic_page(topic: &HelpTopic) -> ManPage {
    let name = format!("modfetch-{}", topic.name);
    let mut page = ManWriter::new(name, '7', topic.brief);
    let blocks = markdown::parse(topic.markdown);
    // What stands before the first section of the text needs one here.
    if !matches!(blocks.get(1), Some(MarkdownBlock::Heading(..)) | None) {
        page.heading("DESCRIPTION");
    }
    page.blocks(&blocks);
    let own = format!("modfetch-{}(7)", topic.name);
    let others = topic_names().filter(|name| *name != own);
    page.see_also(["modfetch(1)".to_owned()].into_iter().chain(others));
    page.finish()
}

fn page_name(info: &CommandInfo) -> String {
    format!("modfetch-{}", info.path.join("-"))
}

fn topic_names() -> impl Iterator<Item = String> {
    let names = TOPICS.iter().map(|topic| topic.name);
    names.map(|name| format!("modfetch-{name}(7)"))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// A flag with its letter and its value, in the fonts of man pages.
fn spelling(flag: &Flag) -> String {
    let bold = |text: &str| format!("\\fB{}\\fR", escape(text));
    let mut spelling = match flag.short {
        Some(short) => format!("{}, {}", bold(&format!("-{short}")), bold(&flag.shown())),
        None => bold(&flag.shown()),
    };
    if let Some(value) = flag.value {
        let _ = write!(spelling, " \\fI{}\\fR", escape(value));
    }
    spelling
}

/// Text with the marks of Markdown, in the fonts of man pages.
fn inline(text: &str) -> String {
    let spans = markdown::spans(text).into_iter();
    spans
        .map(|span| match span {
            MarkdownSpan::Text(text) => escape(&text),
            MarkdownSpan::Code(text) | MarkdownSpan::Strong(text) => {
                format!("\\fB{}\\fR", escape(&text))
            }
        })
        .collect()
}

/// Escapes what has a meaning within a line. A hyphen is a minus sign, which can be copied into a shell.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '"' => out.push_str("\\(dq"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c => out.push(c),
        }
    }
    out
}

/// A line that begins with a dot would be a macro.
fn protect(line: &str) -> String {
    match line.starts_with('.') {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_roff_is_escaped() {
        assert_eq!(
            escape(r#"a\n -x "q" 'r' ~"#),
            "a\\en \\-x \\(dqq\\(dq \\(aqr\\(aq \\(ti"
        );
        assert_eq!(protect(".TH"), "\\&.TH");
        assert_eq!(
            inline("see `-x` and **y**"),
            "see \\fB\\-x\\fR and \\fBy\\fR"
        );
    }
}
