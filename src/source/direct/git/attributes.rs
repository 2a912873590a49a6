//! What `.gitattributes` files of a repository change in the content of its files.
//!
//! go's zips come from `git archive`, which applies some attributes: lines that end in CR LF
//! (`eol=crlf`), `$Id$` (`ident`) and encodings (`working-tree-encoding`). The same commit has the
//! same sum only if they are applied here, too. What concerns the user and not the commit is left
//! out: filters (`filter=lfs` would need a program of the user's; go without it takes the pointer),
//! attribute files outside the repository, and `core.autocrlf`. `export-ignore` and `export-subst`
//! have no effect, as in go's clones.
//!
//! Source: git `Documentation/gitattributes.txt`, `convert.c`, `attr.c`, `wildmatch.c`.

use std::collections::HashMap;

use super::odb::{ObjectDatabase, ObjectId, TreeEntry, TreeEntryKind};
use crate::error::Result;

/// A larger file of attributes is ignored, as by git.
const MAX_ATTRIBUTES_BYTES: u64 = 100 << 20;

/// A longer line is ignored, as by git.
const MAX_LINE_BYTES: usize = 2048;

/// The attributes of the folders from the root to the one that is being read.
#[derive(Default)]
pub(super) struct Attributes {
    /// For each `.gitattributes` the folder, with a slash at the end, and its rules.
    files: Vec<(Vec<u8>, Vec<AttributeRule>)>,
    macros: HashMap<String, Vec<(String, AttributeState)>>,
}

struct AttributeRule {
    pattern: Pattern,
    states: Vec<(String, AttributeState)>,
}

/// What a line says of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AttributeState {
    Set,
    Unset,
    Unspecified,
    Value(String),
}

/// What is to be done with the content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    line_ends: LineEnds,
    ident: bool,
    encoding: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LineEnds {
    #[default]
    Keep,
    /// CR LF.
    Crlf,
    /// CR LF, if the content looks like text.
    CrlfIfText,
}

impl Attributes {
    /// Reads the `.gitattributes` of a folder that is entered, if it has one.
    pub(super) fn enter(
        &mut self,
        store: &ObjectDatabase,
        folder: &[u8],
        entries: &[TreeEntry],
    ) -> Result<()> {
        let file = entries
            .iter()
            .find(|entry| entry.name == b".gitattributes" && entry.kind == TreeEntryKind::File);
        let Some(file) = file else {
            return Ok(());
        };
        let Some(object) = store.read(&file.id, MAX_ATTRIBUTES_BYTES)? else {
            return Ok(());
        };
        self.add(folder, &object.data);
        Ok(())
    }

    /// Forgets the rules of a folder that is left.
    pub(super) fn leave(&mut self, folder: &[u8]) {
        if self.files.last().is_some_and(|(of, _)| of == folder) {
            self.files.pop();
        }
    }

    fn add(&mut self, folder: &[u8], data: &[u8]) {
        let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
        let mut rules = Vec::new();
        for line in data.split(|&byte| byte == b'\n') {
            if line.len() >= MAX_LINE_BYTES {
                continue;
            }
            let line = line.trim_ascii_start();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let Some((pattern, rest)) = split_pattern(line) else {
                continue;
            };
            let words = String::from_utf8_lossy(rest).into_owned();
            let states: Vec<(String, AttributeState)> =
                words.split_ascii_whitespace().filter_map(state).collect();
            if let Some(name) = pattern.strip_prefix(b"[attr]".as_slice()) {
                if folder.is_empty() {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.macros.insert(name, states);
                }
                continue;
            }
            rules.extend(Pattern::parse(&pattern).map(|pattern| AttributeRule { pattern, states }));
        }
        self.files.push((folder.to_vec(), rules));
    }

    /// What is to be done with the file at `path`, from the root of the repository.
    pub(super) fn conversion(&self, path: &[u8]) -> Conversion {
        if self.files.is_empty() {
            return Conversion::default();
        }
        let mut known: HashMap<String, AttributeState> = HashMap::new();
        // The last rule of the innermost file decides, for each attribute on its own.
        for (folder, rules) in self.files.iter().rev() {
            let Some(below) = path.strip_prefix(folder.as_slice()) else {
                continue;
            };
            for rule in rules
                .iter()
                .rev()
                .filter(|rule| rule.pattern.matches(below))
            {
                for (name, state) in rule.states.iter().rev() {
                    self.learn(&mut known, name, state, 0);
                }
            }
        }
        Conversion::of(&known)
    }

    fn learn(
        &self,
        known: &mut HashMap<String, AttributeState>,
        name: &str,
        state: &AttributeState,
        depth: u8,
    ) {
        if known.contains_key(name) {
            return;
        }
        known.insert(name.to_owned(), state.clone());
        if *state != AttributeState::Set || depth > 8 {
            return;
        }
        if name == "binary" && !self.macros.contains_key(name) {
            for part in ["text", "merge", "diff"] {
                self.learn(known, part, &AttributeState::Unset, depth + 1);
            }
        }
        for (part, state) in self.macros.get(name).into_iter().flatten().rev() {
            self.learn(known, part, state, depth + 1);
        }
    }
}

/// The pattern of a line, unquoted, and what follows it.
fn split_pattern(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let Some(quoted) = line.strip_prefix(b"\"") {
        let mut pattern = Vec::new();
        let mut bytes = quoted.iter().enumerate();
        while let Some((at, &byte)) = bytes.next() {
            match byte {
                b'"' => return Some((pattern, quoted.get(at + 1..)?)),
                b'\\' => {
                    let (_, &escaped) = bytes.next()?;
                    match escaped {
                        b'a' => pattern.push(7),
                        b'b' => pattern.push(8),
                        b't' => pattern.push(b'\t'),
                        b'n' => pattern.push(b'\n'),
                        b'v' => pattern.push(11),
                        b'f' => pattern.push(12),
                        b'r' => pattern.push(b'\r'),
                        b'\\' | b'"' => pattern.push(escaped),
                        b'0'..=b'3' => {
                            let mut octal = u32::from(escaped - b'0');
                            for _ in 0..2 {
                                let (_, digit) = bytes.next()?;
                                octal = octal * 8 + u32::from(digit.checked_sub(b'0')?);
                            }
                            pattern.push(u8::try_from(octal).ok()?);
                        }
                        _ => return None,
                    }
                }
                other => pattern.push(other),
            }
        }
        return None;
    }
    let end = line
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len());
    let (pattern, rest) = line.split_at(end);
    Some((pattern.to_vec(), rest))
}

fn state(word: &str) -> Option<(String, AttributeState)> {
    let (name, state) = if let Some(name) = word.strip_prefix('-') {
        (name, AttributeState::Unset)
    } else if let Some(name) = word.strip_prefix('!') {
        (name, AttributeState::Unspecified)
    } else if let Some((name, value)) = word.split_once('=') {
        (name, AttributeState::Value(value.to_owned()))
    } else {
        (word, AttributeState::Set)
    };
    (!name.is_empty()).then(|| (name.to_owned(), state))
}

impl Conversion {
    fn of(known: &HashMap<String, AttributeState>) -> Conversion {
        let value = |name: &str| match known.get(name) {
            Some(AttributeState::Value(value)) => Some(value.as_str()),
            _ => None,
        };
        // What `text` says of a file, or else `crlf`, its older name.
        #[derive(PartialEq, Eq)]
        enum Text {
            Yes,
            No,
            Auto,
            Input,
            Unsaid,
        }
        let text = |name: &str| match known.get(name) {
            Some(AttributeState::Set) => Text::Yes,
            Some(AttributeState::Unset) => Text::No,
            Some(AttributeState::Value(value)) if value == "auto" => Text::Auto,
            Some(AttributeState::Value(value)) if value == "input" => Text::Input,
            _ => Text::Unsaid,
        };
        let text = match text("text") {
            Text::Unsaid => text("crlf"),
            said => said,
        };
        let line_ends = match (text, value("eol")) {
            (Text::No, _) => LineEnds::Keep,
            (Text::Auto, Some("crlf")) => LineEnds::CrlfIfText,
            (_, Some("crlf")) => LineEnds::Crlf,
            _ => LineEnds::Keep,
        };
        Conversion {
            line_ends,
            ident: known.get("ident") == Some(&AttributeState::Set),
            encoding: value("working-tree-encoding")
                .filter(|name| !is_utf8(name))
                .map(str::to_owned),
        }
    }

    /// True if the content stays as it is.
    pub(super) fn is_none(&self) -> bool {
        *self == Conversion::default()
    }

    /// Converts the content of the blob `id`.
    ///
    /// # Errors
    /// The encoding, if it is one that cannot be written.
    pub(super) fn apply(&self, data: Vec<u8>, id: &ObjectId) -> Result<Vec<u8>, String> {
        let mut data = data;
        if self.ident {
            data = expand_ident(&data, id);
        }
        match self.line_ends {
            LineEnds::Crlf if has_bare_line_feed(&data) => data = with_crlf(&data),
            LineEnds::CrlfIfText if has_bare_line_feed(&data) && is_plain_text(&data) => {
                data = with_crlf(&data);
            }
            _ => {}
        }
        match &self.encoding {
            Some(name) => encode(data, name),
            None => Ok(data),
        }
    }
}

fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") || name.is_empty()
}

/// Writes the name of the blob into each `$Id$`, and over what stands in `$Id: ...$`.
fn expand_ident(data: &[u8], id: &ObjectId) -> Vec<u8> {
    let mut made = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some(dollar) = rest.iter().position(|&byte| byte == b'$') {
        let (before, after) = rest.split_at(dollar + 1);
        made.extend_from_slice(before);
        rest = after;
        let Some(after) = rest.strip_prefix(b"Id".as_slice()) else {
            continue;
        };
        let end = match after.first() {
            Some(b'$') => 3,
            Some(b':') => {
                let inside = after.get(1..).unwrap_or_default();
                let Some(length) = inside.iter().position(|&byte| byte == b'$') else {
                    break;
                };
                let inside = inside.get(..length).unwrap_or_default();
                // A text of several words is another system's.
                let word = inside.get(1..).unwrap_or_default();
                let space = word.iter().position(|&byte| byte == b' ');
                if inside.contains(&b'\n') || space.is_some_and(|at| at + 1 < word.len()) {
                    continue;
                }
                3 + length + 1
            }
            _ => continue,
        };
        made.extend_from_slice(format!("Id: {id} $").as_bytes());
        rest = rest.get(end..).unwrap_or_default();
    }
    made.extend_from_slice(rest);
    made
}

fn has_bare_line_feed(data: &[u8]) -> bool {
    let mut before = 0;
    data.iter().any(|&byte| {
        let bare = byte == b'\n' && before != b'\r';
        before = byte;
        bare
    })
}

fn with_crlf(data: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(data.len() + data.len() / 16);
    let mut before = 0;
    for &byte in data {
        if byte == b'\n' && before != b'\r' {
            made.push(b'\r');
        }
        made.push(byte);
        before = byte;
    }
    made
}

/// As git guesses: no CR, no NUL, and hardly any character that is none of a text.
fn is_plain_text(data: &[u8]) -> bool {
    let (mut printable, mut other) = (0usize, 0usize);
    for &byte in data {
        match byte {
            b'\r' | 0 => return false,
            b'\n' => {}
            8 | 9 | 12 | 27 => printable += 1,
            0..=31 | 127 => other += 1,
            _ => printable += 1,
        }
    }
    // An end-of-file mark of DOS.
    if data.last() == Some(&26) {
        other -= 1;
    }
    (printable >> 7) >= other
}

/// Writes UTF-8 in another encoding. Like git, content that is no UTF-8 stays as it is.
fn encode(data: Vec<u8>, name: &str) -> Result<Vec<u8>, String> {
    let wide = |text: &str, order: fn(u16) -> [u8; 2], mark: bool| {
        let mark = mark.then_some(0xfeff);
        mark.into_iter()
            .chain(text.encode_utf16())
            .flat_map(order)
            .collect()
    };
    let upper = name.to_ascii_uppercase();
    let known = matches!(
        upper.as_str(),
        "UTF-16"
            | "UTF-16LE"
            | "UTF-16BE"
            | "UTF-16LE-BOM"
            | "UTF-16BE-BOM"
            | "ISO-8859-1"
            | "LATIN1"
            | "LATIN-1"
            | "US-ASCII"
            | "ASCII"
    );
    if !known {
        return Err(name.to_owned());
    }
    let Ok(text) = std::str::from_utf8(&data) else {
        return Ok(data);
    };
    Ok(match upper.as_str() {
        // As iconv of the GNU C library writes it.
        "UTF-16" | "UTF-16LE-BOM" => wide(text, u16::to_le_bytes, true),
        "UTF-16BE-BOM" => wide(text, u16::to_be_bytes, true),
        "UTF-16LE" => wide(text, u16::to_le_bytes, false),
        "UTF-16BE" => wide(text, u16::to_be_bytes, false),
        _ => {
            let limit = if upper.ends_with("ASCII") { 0x7f } else { 0xff };
            let bytes: Option<Vec<u8>> = text
                .chars()
                .map(|c| {
                    u8::try_from(u32::from(c))
                        .ok()
                        .filter(|&byte| byte <= limit)
                })
                .collect();
            match bytes {
                Some(bytes) => bytes,
                None => data,
            }
        }
    })
}

/// A pattern of `.gitattributes`, below the folder of the file.
struct Pattern {
    text: Vec<u8>,
    /// It has a slash: it is about the whole path, not about the last element.
    whole: bool,
}

impl Pattern {
    fn parse(text: &[u8]) -> Option<Pattern> {
        // Git warns of negative patterns and ignores them; those that end in a slash match no file.
        if text.starts_with(b"!") || text.ends_with(b"/") {
            return None;
        }
        let whole = text.contains(&b'/');
        let text = text.strip_prefix(b"/").unwrap_or(text);
        Some(Pattern {
            text: text.to_vec(),
            whole,
        })
    }

    fn matches(&self, path: &[u8]) -> bool {
        let name = match self.whole {
            true => path,
            false => path.rsplit(|&byte| byte == b'/').next().unwrap_or(path),
        };
        let mut steps = 0;
        wild(&self.text, name, &mut steps) == Some(true)
    }
}

/// Patterns of a stranger must not take for ever.
const MAX_STEPS: u32 = 100_000;

/// Matches as git does: `*` and `?` stop at slashes, `**` between slashes does not. `None` if it
/// takes too long.
fn wild(pattern: &[u8], text: &[u8], steps: &mut u32) -> Option<bool> {
    *steps += 1;
    if *steps > MAX_STEPS {
        return None;
    }
    let Some((&first, rest)) = pattern.split_first() else {
        return Some(text.is_empty());
    };
    match first {
        b'*' => {
            if let Some(after) = rest.strip_prefix(b"*".as_slice()) {
                if after.is_empty() {
                    return Some(true);
                }
                if let Some(after) = after.strip_prefix(b"/".as_slice()) {
                    if wild(after, text, steps)? {
                        return Some(true);
                    }
                    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                        if wild(after, text.get(at + 1..).unwrap_or_default(), steps)? {
                            return Some(true);
                        }
                    }
                    return Some(false);
                }
            }
            let end = text
                .iter()
                .position(|&byte| byte == b'/')
                .unwrap_or(text.len());
            for at in 0..=end {
                if wild(rest, text.get(at..).unwrap_or_default(), steps)? {
                    return Some(true);
                }
            }
            Some(false)
        }
        b'?' => match text.split_first() {
            Some((&byte, after)) if byte != b'/' => wild(rest, after, steps),
            _ => Some(false),
        },
        b'[' => {
            let Some((&byte, after)) = text.split_first() else {
                return Some(false);
            };
            match class(rest, byte) {
                Some((true, rest)) if byte != b'/' => wild(rest, after, steps),
                _ => Some(false),
            }
        }
        b'\\' if !rest.is_empty() => {
            let (literal, rest) = rest.split_at(1);
            match text.strip_prefix(literal) {
                Some(after) => wild(rest, after, steps),
                None => Some(false),
            }
        }
        literal => match text.split_first() {
            Some((&byte, after)) if byte == literal => wild(rest, after, steps),
            _ => Some(false),
        },
    }
}

/// Whether a class such as `a-z]` has a byte, and what follows the class; `None` if it has no end.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match pattern.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    let mut first = true;
    loop {
        let (&start, after) = rest.split_first()?;
        if start == b']' && !first {
            return Some((found != negated, after));
        }
        first = false;
        if let Some(named) = rest.strip_prefix(b"[:".as_slice())
            && let Some(end) = named.windows(2).position(|pair| pair == b":]")
        {
            let name = named.get(..end)?;
            found |= match name {
                b"alpha" => byte.is_ascii_alphabetic(),
                b"digit" => byte.is_ascii_digit(),
                b"alnum" => byte.is_ascii_alphanumeric(),
                b"upper" => byte.is_ascii_uppercase(),
                b"lower" => byte.is_ascii_lowercase(),
                b"space" => byte.is_ascii_whitespace(),
                b"punct" => byte.is_ascii_punctuation(),
                b"xdigit" => byte.is_ascii_hexdigit(),
                _ => false,
            };
            rest = named.get(end + 2..)?;
            continue;
        }
        let (start, after) = match start {
            b'\\' => after
                .split_first()
                .map(|(&escaped, rest)| (escaped, rest))?,
            start => (start, after),
        };
        if let [b'-', end, after @ ..] = after
            && *end != b']'
        {
            found |= (start..=*end).contains(&byte);
            rest = after;
        } else {
            found |= start == byte;
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversion(file: &str, path: &str) -> Conversion {
        let mut attributes = Attributes::default();
        attributes.add(b"", file.as_bytes());
        attributes.conversion(path.as_bytes())
    }

    fn applied(file: &str, text: &str) -> Vec<u8> {
        let id = ObjectId::parse_any(&"ab".repeat(20)).unwrap();
        conversion(file, "f.txt").apply(text.into(), &id).unwrap()
    }

    /// What `git archive` of git 2.39.5 made of such files.
    #[test]
    fn content_is_converted_as_git_does() {
        let id = "ab".repeat(20);
        let rows: &[(&str, &str, &[u8])] = &[
            ("* eol=crlf", "a\nb\r\n", b"a\r\nb\r\n"),
            ("* text=auto eol=crlf", "a\nb\n", b"a\r\nb\r\n"),
            ("* text=auto eol=crlf", "a\nb\r\n", b"a\nb\r\n"),
            ("* text=auto eol=crlf", "a\0\n", b"a\0\n"),
            ("* -text eol=crlf", "a\n", b"a\n"),
            ("* text", "a\n", b"a\n"),
            ("* text eol=lf", "a\r\n", b"a\r\n"),
            ("* binary\n* eol=crlf", "a\n", b"a\n"),
            ("* eol=crlf\n*.txt !eol", "a\n", b"a\n"),
            ("* eol=crlf\n*.go !eol", "a\n", b"a\r\n"),
            ("[attr]dos text eol=crlf\n*.txt dos", "a\n", b"a\r\n"),
            (
                "* filter=lfs export-subst export-ignore",
                "$Format:%H$",
                b"$Format:%H$",
            ),
            ("* working-tree-encoding=UTF-16", "a", b"\xff\xfea\0"),
            ("* working-tree-encoding=utf-8", "a", b"a"),
            ("* working-tree-encoding=ISO-8859-1", "\u{e4}", b"\xe4"),
        ];
        for (file, text, want) in rows {
            assert_eq!(applied(file, text), *want, "{file} {text:?}");
        }
        let ident = |text| String::from_utf8(applied("* ident", text)).unwrap();
        assert_eq!(
            ident("a $Id$ $Id: x $ $Id: a b c $ $Idx$ $"),
            format!("a $Id: {id} $ $Id: {id} $ $Id: a b c $ $Idx$ $")
        );
        assert!(
            conversion("* working-tree-encoding=KOI8-R", "x")
                .apply(vec![], &ObjectId::parse_any(&id).unwrap())
                .is_err()
        );
    }

    #[test]
    fn the_last_rule_of_the_innermost_file_decides() {
        let mut attributes = Attributes::default();
        attributes.add(b"", b"* eol=crlf\n");
        attributes.add(b"sub/", b"*.go -text\n");
        assert!(!attributes.conversion(b"sub/x.txt").is_none());
        assert!(attributes.conversion(b"sub/x.go").is_none());
        attributes.leave(b"sub/");
        assert!(!attributes.conversion(b"sub/x.go").is_none());
    }

    #[test]
    fn patterns_match_as_for_git() {
        // `git check-attr` of git 2.39.5.
        let rows = [
            ("*.txt", "a/b.txt", true),
            ("/*.txt", "a/b.txt", false),
            ("/*.txt", "b.txt", true),
            ("a/*.txt", "a/b.txt", true),
            ("a/*.txt", "a/c/b.txt", false),
            ("a/**", "a/c/b.txt", true),
            ("a/**/b.txt", "a/b.txt", true),
            ("**/b.txt", "a/c/b.txt", true),
            ("b.*", "a/b.txt", true),
            ("a", "a/b.txt", false),
            ("a/", "a/b.txt", false),
            ("!b.txt", "b.txt", false),
            ("[a-c].txt", "b.txt", true),
            ("[!a-c].txt", "b.txt", false),
            ("[[:digit:]]", "7", true),
            ("b?txt", "b/txt", false),
            ("\"b c\"", "b c", true),
            ("\\#b", "#b", true),
        ];
        for (pattern, path, want) in rows {
            let found = conversion(&format!("{pattern} eol=crlf"), path);
            assert_eq!(!found.is_none(), want, "{pattern} {path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(pattern in "[a*?\\[\\]!\\\\/:-]{0,12}", path in "[a/b]{0,12}") {
            let _ = conversion(&format!("{pattern} eol=crlf"), &path);
        }
    }
}
