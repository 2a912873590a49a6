//! The `go-import` tags of a page.
//!
//! A page is HTML of any quality; it is read as go reads it, with the XML parser's lenient mode:
//! up to the end of the head or the beginning of the body, and up to the first thing that no tag
//! can be. A page that is broken before it has shown a tag is an error.
//!
//! Source: golang/go `cmd/go/internal/vcs/discovery.go`.

/// What a tag says: below which import path a repository is, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetaImport {
    pub(super) prefix: String,
    /// `git` and the like; `mod` for a module proxy.
    pub(super) vcs: String,
    pub(super) root: String,
    /// The folder of the repository that belongs to `prefix`.
    pub(super) subdir: String,
}

/// The tags of a page, those of module proxies first: they supersede others for the same prefix.
///
/// # Errors
/// What is wrong with the page, if it has shown no tag.
pub(super) fn parse_meta_imports(page: &str) -> Result<Vec<MetaImport>, String> {
    let mut imports = Vec::new();
    let mut reader = HtmlReader {
        rest: page,
        line: 1,
    };
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(HtmlToken::Start(name, attributes))) => {
                if name.eq_ignore_ascii_case("body") {
                    break;
                }
                if name.eq_ignore_ascii_case("meta") {
                    imports.extend(meta_import(&attributes));
                }
            }
            Ok(Some(HtmlToken::End(name))) if name.eq_ignore_ascii_case("head") => break,
            Ok(Some(_)) => {}
            Err(error) if imports.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    let is_mod = |import: &MetaImport| import.vcs == "mod";
    let (mut first, others): (Vec<_>, Vec<_>) = imports.into_iter().partition(is_mod);
    let superseded: Vec<String> = first.iter().map(|import| import.prefix.clone()).collect();
    first.extend(
        others
            .into_iter()
            .filter(|import| !superseded.contains(&import.prefix)),
    );
    Ok(first)
}

fn meta_import(attributes: &[(String, String)]) -> Option<MetaImport> {
    let value = |name: &str| {
        let mut found = attributes.iter();
        found
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.as_str())
    };
    if value("name") != "go-import" {
        return None;
    }
    let fields: Vec<&str> = value("content").split_whitespace().collect();
    let (prefix, vcs, root, subdir) = match fields[..] {
        [prefix, vcs, root] => (prefix, vcs, root, ""),
        [prefix, vcs, root, subdir] => (prefix, vcs, root, subdir),
        _ => return None,
    };
    Some(MetaImport {
        prefix: prefix.to_owned(),
        vcs: vcs.to_owned(),
        root: root.to_owned(),
        subdir: subdir.to_owned(),
    })
}

/// A piece of a page.
enum HtmlToken {
    Start(String, Vec<(String, String)>),
    End(String),
    Other,
}

struct HtmlReader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> HtmlReader<'a> {
    fn fail<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("XML syntax error on line {}: {what}", self.line))
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// What comes before `end`, which is taken as well.
    fn until(&mut self, end: &str) -> Result<&'a str, String> {
        match self.rest.find(end) {
            Some(at) => {
                let taken = self.take(at);
                self.take(end.len());
                Ok(taken)
            }
            None => self.fail("unexpected EOF"),
        }
    }

    fn skip_space(&mut self) {
        let space = self.rest.len() - self.rest.trim_start().len();
        self.take(space);
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let starts = self
            .rest
            .starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
        starts.then(|| self.take(end))
    }

    fn next(&mut self) -> Result<Option<HtmlToken>, String> {
        let Some(at) = self.rest.find('<') else {
            return Ok(None);
        };
        self.take(at + 1);
        if self.rest.starts_with("!--") {
            self.take(3);
            self.until("-->")?;
            return Ok(Some(HtmlToken::Other));
        }
        if self.rest.starts_with("![CDATA[") {
            self.until("]]>")?;
            return Ok(Some(HtmlToken::Other));
        }
        if self.rest.starts_with('!') {
            self.until(">")?;
            return Ok(Some(HtmlToken::Other));
        }
        if self.rest.starts_with('?') {
            self.take(1);
            let instruction = self.until("?>")?;
            return self.instruction(instruction);
        }
        if self.rest.starts_with('/') {
            self.take(1);
            let Some(name) = self.name() else {
                return self.fail("expected element name after </");
            };
            self.skip_space();
            if !self.rest.starts_with('>') {
                let text = format!("invalid characters between </{name} and >");
                return self.fail(&text);
            }
            self.take(1);
            return Ok(Some(HtmlToken::End(local(name))));
        }
        let Some(name) = self.name() else {
            return self.fail("expected element name after <");
        };
        let mut attributes = Vec::new();
        loop {
            self.skip_space();
            if self.rest.starts_with("/>") {
                self.take(2);
                break;
            }
            if self.rest.starts_with('>') {
                self.take(1);
                break;
            }
            if self.rest.starts_with('/') {
                return self.fail("expected /> in element");
            }
            if self.rest.is_empty() {
                return self.fail("unexpected EOF");
            }
            let Some(attribute) = self.name() else {
                return self.fail("expected attribute name in element");
            };
            self.skip_space();
            let value = if self.rest.starts_with('=') {
                self.take(1);
                self.skip_space();
                self.value()?
            } else {
                attribute.to_owned()
            };
            attributes.push((local(attribute), value));
        }
        Ok(Some(HtmlToken::Start(local(name), attributes)))
    }

    fn value(&mut self) -> Result<String, String> {
        for quote in ["\"", "'"] {
            if self.rest.starts_with(quote) {
                self.take(1);
                return Ok(unescape(self.until(quote)?));
            }
        }
        let is_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-');
        let end = self.rest.find(|c| !is_value(c)).unwrap_or(self.rest.len());
        match end {
            0 => self.fail("unquoted or missing attribute value in element"),
            end => Ok(self.take(end).to_owned()),
        }
    }

    /// `<?xml version="1.0" encoding="..."?>`: an encoding that cannot be read is an error.
    fn instruction(&self, instruction: &str) -> Result<Option<HtmlToken>, String> {
        let Some(declaration) = instruction.strip_prefix("xml") else {
            return Ok(Some(HtmlToken::Other));
        };
        let encoding = declaration
            .split_once("encoding=")
            .map(|(_, after)| after.trim());
        let quoted = encoding.and_then(|text| {
            let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            text.get(1..)?.split(quote).next()
        });
        match quoted {
            Some(name) if !matches!(name.to_ascii_lowercase().as_str(), "" | "utf-8" | "ascii") => {
                Err(format!(
                    "xml: opening charset {name:?}: can't decode XML document using charset {name:?}"
                ))
            }
            _ => Ok(Some(HtmlToken::Other)),
        }
    }
}

/// A name without its namespace.
fn local(name: &str) -> String {
    match name.split_once(':') {
        Some((space, local)) if !space.is_empty() && !local.is_empty() => local.to_owned(),
        _ => name.to_owned(),
    }
}

/// Replaces references to characters; what is none of these stays.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, after) = rest.split_at(at);
        plain.push_str(before);
        let end = after.find(';').filter(|end| *end <= 10);
        let character = end.and_then(|end| {
            let name = after.get(1..end)?;
            let number = name
                .strip_prefix('#')
                .map(|digits| match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => digits.parse(),
                });
            match (number, name) {
                (Some(number), _) => char::from_u32(number.ok()?),
                (None, "amp") => Some('&'),
                (None, "lt") => Some('<'),
                (None, "gt") => Some('>'),
                (None, "quot") => Some('"'),
                (None, "apos") => Some('\''),
                _ => None,
            }
        });
        match (character, end) {
            (Some(character), Some(end)) => {
                plain.push(character);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => {
                plain.push('&');
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(page: &str) -> Result<Vec<String>, String> {
        let found = parse_meta_imports(page)?.into_iter().map(|import| {
            let MetaImport {
                prefix,
                vcs,
                root,
                subdir,
            } = import;
            format!("{prefix} {vcs} {root} {subdir}")
                .trim_end()
                .to_owned()
        });
        Ok(found.collect())
    }

    /// Source: golang/go `cmd/go/internal/vcs/discovery_test.go`.
    #[test]
    fn pages_are_read_as_go_reads_them() {
        let rows: &[(&str, &[&str])] = &[
            (
                r#"<meta name="go-import" content="foo/bar git https://github.com/rsc/foo/bar">"#,
                &["foo/bar git https://github.com/rsc/foo/bar"],
            ),
            (
                r#"<meta name="go-import" content="foo/bar git https://h/x">
                <meta name="go-import" content="baz/quux git http://h/y">"#,
                &["foo/bar git https://h/x", "baz/quux git http://h/y"],
            ),
            (
                r#"<meta name="go-import" content="foo/bar git https://h/x">
                <meta name="go-import" content="foo/bar mod http://h/y">"#,
                &["foo/bar mod http://h/y"],
            ),
            (
                r#"<head><meta name="go-import" content="foo/bar git https://h/x sub/dir"></head>
                <body>"#,
                &["foo/bar git https://h/x sub/dir"],
            ),
            (
                r#"<meta name="go-import" content="foo/bar git https://h/x"><body>"#,
                &["foo/bar git https://h/x"],
            ),
            (
                r#"<!doctype html><meta name="go-import" content="foo/bar git https://h/x">"#,
                &["foo/bar git https://h/x"],
            ),
            (
                r#"<!DOCTYPE html><!-- <meta name="go-import" content="a b c"> --><META NAME=go-import content='x git https://h/a?b=c&amp;d'>"#,
                &["x git https://h/a?b=c&d"],
            ),
            (r#"<body><meta name="go-import" content="a b c">"#, &[]),
            (r#"<meta name="Go-Import" content="a b c">"#, &[]),
            (r#"<meta name="go-import" content="a b c d e">"#, &[]),
            (
                r#"<meta name="go-import" content="x git https://h/a"><script>if (a<b && c) {}</script>"#,
                &["x git https://h/a"],
            ),
            (
                r#"<meta name=go-import content="x git https://h/a" checked><link rel=stylesheet href=x.css>"#,
                &["x git https://h/a"],
            ),
        ];
        for (page, want) in rows {
            assert_eq!(imports(page).unwrap(), *want, "{page}");
        }
    }

    #[test]
    fn pages_that_are_broken_before_a_tag_are_refused() {
        let rows = [
            (
                r#"<script>if (a<b && c) {}</script><meta name="go-import" content="x git https://h/a">"#,
                "XML syntax error on line 1: expected attribute name in element",
            ),
            (
                "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><meta name=\"go-import\" content=\"a b c\">",
                "xml: opening charset \"iso-8859-1\": can't decode XML document using charset \"iso-8859-1\"",
            ),
            (
                "\n\n<meta name=",
                "XML syntax error on line 3: unquoted or missing attribute value in element",
            ),
        ];
        for (page, want) in rows {
            assert_eq!(imports(page).unwrap_err(), want, "{page}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(page in "[<>!?/a&;#x=\"' \\n:-]{0,60}") {
            let _ = imports(&page);
        }
    }
}
