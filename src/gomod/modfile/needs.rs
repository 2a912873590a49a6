//! What the requirement graph needs of a dependency's go.mod: its path, its go version, what it
//! requires.
//!
//! A warm run reads hundreds of these files and little else. Nearly all of them are plain: ASCII
//! words, one statement or one requirement a line, no quotes. Those are read in one pass that
//! builds no syntax tree; at the first thing that is not plain, or not right, the pass gives up
//! and the file is read by [`ModFile::parse_lax`], which also says what is wrong. Tests compare
//! the two.

use super::directive::{GoSyntax, go_line};
use super::go_mod::ModFile;
use crate::error::Result;
use crate::gomod::{GoVersion, ModulePath, ModuleVersion, Version, canonical};

/// The part of a go.mod that the graph is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoModSummary {
    /// What the `module` line says, unchecked.
    pub module: Option<String>,
    /// What the `go` line says.
    pub go: Option<GoVersion>,
    /// The requirements, repeated ones included, in the order of the file.
    pub require: Vec<ModuleVersion>,
}

impl GoModSummary {
    /// Reads the go.mod of a dependency as [`ModFile::parse_lax`] does.
    ///
    /// # Errors
    /// Those of [`ModFile::parse_lax`].
    pub fn parse(file: &str, data: &[u8]) -> Result<GoModSummary> {
        GoModSummary::parse_named(file, file, data)
    }

    /// The same, with the two names of [`ModFile::parse_lax_named`].
    ///
    /// # Errors
    /// Those of [`ModFile::parse_lax_named`].
    pub fn parse_named(shown: &str, file: &str, data: &[u8]) -> Result<GoModSummary> {
        match plain(data) {
            Some(needs) => Ok(needs),
            None => ModFile::parse_lax_named(shown, file, data).map(GoModSummary::from),
        }
    }
}

impl From<ModFile> for GoModSummary {
    fn from(modfile: ModFile) -> GoModSummary {
        let require = modfile.require.into_iter();
        GoModSummary {
            module: modfile.module.map(|line| line.path),
            go: modfile.go.map(|line| line.version),
            require: require.map(|line| line.module).collect(),
        }
    }
}

/// Where the pass is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockContext {
    Top,
    /// In a block of requirements.
    Require,
    /// In a block that says nothing in a dependency.
    Skipped,
}

/// Reads a plain file; `None` if it is not plain.
fn plain(data: &[u8]) -> Option<GoModSummary> {
    let text = std::str::from_utf8(data).ok()?;
    let mut needs = GoModSummary::default();
    let mut seen_go = false;
    let mut place = BlockContext::Top;
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest;
        let (words, length) = words(line)?;
        rest = line.get(length..)?;
        let words = match words {
            LineWords::None => continue,
            LineWords::Some(words) => words,
            LineWords::Other => match place {
                BlockContext::Require => return None,
                BlockContext::Skipped => continue,
                BlockContext::Top => {
                    let verb = line
                        .trim_start_matches([' ', '\t'])
                        .split([' ', '\t'])
                        .next()?;
                    if !is_skipped(verb) {
                        return None;
                    }
                    continue;
                }
            },
        };
        place = match (place, words) {
            (BlockContext::Require | BlockContext::Skipped, [")", "", ""]) => BlockContext::Top,
            (_, words) if words[0] == ")" || words[0] == "(" => return None,
            (BlockContext::Top, ["require", "(", ""]) => BlockContext::Require,
            (BlockContext::Top, [verb, "(", ""]) if is_skipped(verb) => BlockContext::Skipped,
            (_, words) if words.contains(&"(") || words.contains(&")") => return None,
            (BlockContext::Skipped, _) => BlockContext::Skipped,
            (BlockContext::Require, [path, version, ""]) => {
                needs.require.push(requirement(path, version)?);
                BlockContext::Require
            }
            (BlockContext::Top, ["require", path, version]) => {
                needs.require.push(requirement(path, version)?);
                BlockContext::Top
            }
            (BlockContext::Top, ["module", path, ""])
                if needs.module.is_none() && !path.is_empty() =>
            {
                needs.module = Some(path.to_owned());
                BlockContext::Top
            }
            (BlockContext::Top, ["go", version, ""]) if !seen_go && !version.is_empty() => {
                seen_go = true;
                let found = go_line(&[version], 0, GoSyntax::Lax).ok()?;
                needs.go = found.map(|line| line.version);
                BlockContext::Top
            }
            (BlockContext::Top, [verb, ..]) if is_skipped(verb) => BlockContext::Top,
            _ => return None,
        };
    }
    (place == BlockContext::Top).then_some(needs)
}

/// True for the directives that say nothing the graph needs, and that cannot be wrong in a
/// dependency.
fn is_skipped(verb: &str) -> bool {
    matches!(
        verb,
        "toolchain" | "godebug" | "exclude" | "replace" | "retract" | "tool"
    )
}

fn requirement(path: &str, version: &str) -> Option<ModuleVersion> {
    let version = match Version::parse(version) {
        Ok(version) => version,
        Err(_) => Version::parse(&canonical(version)?).ok()?,
    };
    ModuleVersion::new(ModulePath::parse(path).ok()?, version).ok()
}

/// The words of a line, without its comment.
enum LineWords<'a> {
    None,
    /// One to three; empty where there are fewer.
    Some([&'a str; 3]),
    /// More than that, or brackets or commas among them, and no parenthesis.
    Other,
}

/// Splits the first line into words, and says how long it is, its end included; `None` if there
/// is a character in it that is not plain.
fn words(text: &str) -> Option<(LineWords<'_>, usize)> {
    let bytes = text.as_bytes();
    let mut words = [""; 3];
    let mut count = 0;
    let (mut parenthesis, mut punctuation) = (false, false);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' => continue,
            b'\n' => break,
            b'/' if bytes.get(at) == Some(&b'/') => {
                let comment = bytes.get(at..).unwrap_or_default();
                let length = comment.iter().position(|&byte| byte == b'\n');
                at = length.map_or(bytes.len(), |length| at + length + 1);
                break;
            }
            b'(' | b')' => parenthesis = true,
            b'[' | b']' | b',' => punctuation = true,
            _ if is_plain(byte) => {
                while let Some(&byte) = bytes.get(at) {
                    if !is_plain(byte) || byte == b'/' && bytes.get(at + 1) == Some(&b'/') {
                        break;
                    }
                    at += 1;
                }
            }
            _ => return None,
        }
        if let Some(word) = words.get_mut(count) {
            *word = text.get(start..at)?;
        }
        count += 1;
    }
    let words = match count {
        0 => LineWords::None,
        1..=3 if !punctuation => LineWords::Some(words),
        _ if parenthesis => return None,
        _ => LineWords::Other,
    };
    Some((words, at))
}

/// True for what stands in paths, versions and arrows.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'/' | b'_' | b'~' | b'+' | b'!' | b'=' | b'>'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn full(text: &str) -> Option<GoModSummary> {
        let modfile = ModFile::parse_lax("go.mod", text.as_bytes());
        modfile.ok().map(GoModSummary::from)
    }

    #[test]
    fn what_go_writes_is_plain() {
        let text = "// Deprecated: use b.com/b\n//\n// caf\u{e9}\nmodule a.com/A_b/v2 // here\n\n\
            go 1.21rc1\n\ntoolchain go1.22.0\n\nrequire (\n\tb.com/b v1.2.3\n\n\t// why\n\
            \tgopkg.in/y.v3 v3.0.0-20200101000000-abcdefabcdef // indirect\n)\n\
            require c.com/c v2.0.0+incompatible//indirect\nrequire d.com/d v1.2 // short\n\
            exclude e.com/e v1.0.0\nreplace f.com/f v1.0.0 => ../f\nretract [v1.0.0, v1.1.0]\n\
            retract (\n\tv2.0.0 // bad\n\t[ v2.1.0 , v2.2.0 ]\n)\ntool g.com/g\n";
        let got = plain(text.as_bytes()).unwrap();
        assert_eq!(got.module.as_deref(), Some("a.com/A_b/v2"));
        assert_eq!(got.go.as_ref().map(GoVersion::as_str), Some("1.21rc1"));
        let want = [
            "b.com/b@v1.2.3",
            "gopkg.in/y.v3@v3.0.0-20200101000000-abcdefabcdef",
            "c.com/c@v2.0.0+incompatible",
            "d.com/d@v1.2.0",
        ];
        let require: Vec<String> = got.require.iter().map(ToString::to_string).collect();
        assert_eq!(require, want);
        assert_eq!(Some(got), full(text));
    }

    #[test]
    fn what_is_not_plain_or_not_right_is_left_to_the_full_parser() {
        let rows = [
            "module \"a.com/a\"\n",
            "module a.com/a\nmodule a.com/b\n",
            "module\n",
            "module (\n\ta.com/a\n)\n",
            "module [a.com/a\n",
            "go 1.20\ngo 1.20\n",
            "go x\n",
            "go 1,20\n",
            "require a.com/a\n",
            "require a.com/a v1.0.0 v1.0.0\n",
            "require a.com/a x\n",
            "require a.com/a v2.0.0\n",
            "require [ a.com/a v1.0.0\n",
            "require a.com/a [v1.0.0\n",
            "require a.com/[a v1.0.0\n",
            "retract[v1.0.0, v1.1.0]\n",
            "require a.com/a, v1.0.0\n",
            "require (\n",
            "require (\n\ta.com/a v1.0.0 )\n",
            "require (\n\ta.com/a ( v1.0.0\n)\n",
            "require (\n)) \n",
            "require ()\n",
            "exclude (\n) x\n",
            "exclude (\n(\n)\n",
            "replace a.com/a => ../a /* no */\n",
            "ignore a b\n",
            "unknown x\n",
            "\u{fffd} x\n",
            "require caf\u{e9}.com/a v1.0.0\n",
            ")\n",
            "(\n",
        ];
        for text in rows {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
        assert_eq!(plain(b"module a\xff\n"), None);
    }

    proptest! {
        /// Whatever the pass reads, the full parser reads alike.
        #[test]
        fn the_pass_agrees_with_the_full_parser(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("module"), Just("go"), Just("require"), Just("retract"), Just("replace"),
                    Just("ignore"), Just("toolchain"), Just("exclude"), Just("x"), Just("a.com/a"),
                    Just("b.com/b/v2"), Just("gopkg.in/c.v1"), Just("v1.2.3"), Just("v2.0.0"),
                    Just("v1.2"), Just("v2.0.0+incompatible"), Just("1.17"), Just("1.21rc1"),
                    Just("=>"), Just("["), Just("]"), Just(","), Just("("), Just(")"), Just("//"),
                    Just("// c"), Just("/"), Just("/*"), Just("\""), Just("\r"), Just("\u{e9}"),
                    Just(" "), Just(" "), Just(" "), Just("\t"), Just("\n"), Just("\n"),
                    Just(" (\n"), Just("\n)\n"), Just("\nrequire (\n\ta.com/a v1.2.3\n"),
                    Just("require b.com/b/v2 v2.0.0\n"),
                ],
                0..24,
            ),
        ) {
            let text = pieces.concat();
            if let Some(needs) = plain(text.as_bytes()) {
                prop_assert_eq!(Some(needs), full(&text), "{}", text);
            }
        }

        #[test]
        fn the_pass_agrees_with_the_full_parser_on_lines(
            lines in proptest::collection::vec(
                "(module|go|require|retract|exclude|replace|tool|)[ \t]?[(]?[a-c./v0-9-]{0,9}[ ]?(v[0-2][.][01][.]0|1[.]17|=>|[)]|//|)[ ]?[a-z,()/\"]{0,2}",
                0..6,
            ),
        ) {
            let text = lines.join("\n");
            if let Some(needs) = plain(text.as_bytes()) {
                prop_assert_eq!(Some(needs), full(&text), "{}", text);
            }
        }
    }
}
