//! `GOFLAGS`: how it is split, what is refused, and what one command finds in it.
//!
//! The variable is a list of words, each one flag (`-modcacherw`, `-modfile=alt.mod`); quotes
//! may surround a whole word and nothing is unescaped within them. A flag that some go command
//! has, but not the one that runs, is skipped; a flag that no go command has is an error.
//!
//! Source: go `cmd/go/internal/base/goflags.go`.

use super::compat::GO_FLAGS;
use super::flags::Flag;
use super::value::parse_bool;
use super::{Origin, RawArgs, Setting};
use crate::gomod::words::split_quoted;
use crate::{Error, Kind, Result};

/// A flag of `GOFLAGS`: its name without dashes, and the text after `=` if there is one.
fn parts(word: &str) -> (&str, Option<&str>) {
    let word = word
        .strip_prefix("--")
        .or_else(|| word.strip_prefix('-'))
        .unwrap_or(word);
    match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    }
}

/// True for `-x`, `--x`, `-x=value` and `--x=value`.
fn looks_like_flag(word: &str) -> bool {
    let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
        return false;
    };
    !name.is_empty() && !name.starts_with(['-', '='])
}

fn needs_argument(name: &str) -> String {
    format!("flag needs an argument: -{name} (from $GOFLAGS)")
}

fn no_boolean(name: &str, value: &str) -> String {
    format!("invalid boolean value {value:?} for flag -{name} (from $GOFLAGS): parse error")
}

fn is_go_flag(name: &str) -> bool {
    let known = |name: &str| GO_FLAGS.binary_search(&name).is_ok();
    known(name) || name.strip_prefix("test.").is_some_and(known)
}

/// The words of `GOFLAGS`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoFlags {
    words: Setting<Vec<String>>,
}

impl GoFlags {
    /// Splits and checks the variable.
    ///
    /// # Errors
    /// [`Kind::Input`] with go's texts: an unterminated quote, a word that is no flag, a flag
    /// that no go command has.
    pub fn parse(setting: Setting<String>) -> Result<GoFlags> {
        let refuse = |what: String| {
            let error = Error::new(Kind::Input, format!("parsing $GOFLAGS: {what}"));
            Err(match &setting.origin {
                Origin::GoEnvFile(_) | Origin::GoRootFile(_) => {
                    error.hint(format!("GOFLAGS is set {}", setting.origin))
                }
                _ => error,
            })
        };
        let words = match split_quoted(&setting.value) {
            Ok(words) => words,
            Err(what) => return refuse(what),
        };
        for word in &words {
            if !looks_like_flag(word) {
                return refuse(format!("non-flag {word:?}"));
            }
            let (name, _) = parts(word);
            if !is_go_flag(name) {
                return refuse(format!("unknown flag -{name}"));
            }
        }
        Ok(GoFlags {
            words: setting.map(|_| words),
        })
    }

    /// Splits the variable and drops what [`GoFlags::parse`] would refuse, as `go env` does:
    /// it is the command one runs to find out what is wrong.
    #[must_use]
    pub fn parse_lenient(setting: Setting<String>) -> GoFlags {
        let mut words = split_quoted(&setting.value).unwrap_or_default();
        words.retain(|word| looks_like_flag(word));
        GoFlags {
            words: setting.map(|_| words),
        }
    }

    /// The words, dashes included, and where the variable was set.
    #[must_use]
    pub fn words(&self) -> &Setting<Vec<String>> {
        &self.words
    }

    /// Returns the values given for one flag, in order: `None` for a flag without `=`.
    fn values(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        self.words
            .value
            .iter()
            .map(|word| parts(word))
            .filter(move |(given, _)| *given == name)
            .map(|(_, value)| value)
    }

    /// Returns what a boolean flag is set to, if it is in the list; the last one counts.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a value that is no boolean, with go's text.
    pub fn boolean(&self, name: &str) -> Result<Option<Setting<bool>>> {
        let mut last = None;
        for value in self.values(name) {
            let value = value.unwrap_or("true");
            let parsed = parse_bool(value)
                .ok_or_else(|| Error::new(Kind::Usage, no_boolean(name, value)))?;
            last = Some(Setting::new(parsed, self.words.origin.clone()));
        }
        Ok(last)
    }

    /// Adds to what was typed the words that are among `flags`. Each is judged, and counts where the flag was
    /// not typed.
    ///
    /// # Errors
    /// [`Kind::Usage`] with go's text for a value that the flag does not take, or lacks.
    ///
    /// Source: golang/go `cmd/go/internal/base/goflags.go`, `SetFromGOFLAGS`.
    pub(super) fn add_to(&self, raw: &RawArgs, flags: &[&'static Flag]) -> Result<RawArgs> {
        let mut raw = raw.clone();
        for word in &self.words.value {
            let (name, value) = parts(word);
            let Some(flag) = flags.iter().find(|flag| flag.long == name) else {
                continue;
            };
            let refuse = |text: String| Err(Error::new(Kind::Usage, text));
            let value = match (flag.value, value) {
                (Some(_), Some(value)) => value,
                (Some(_), None) => return refuse(needs_argument(name)),
                (None, value) => {
                    let value = value.unwrap_or("true");
                    match flag.switch_value(value) {
                        Some(value) => value,
                        None => return refuse(no_boolean(name, value)),
                    }
                }
            };
            if let Err(wanted) = flag.judge(value) {
                return refuse(format!(
                    "invalid value {value:?} for flag -{name} (from $GOFLAGS): {wanted}"
                ));
            }
            raw.give_from_goflags(flag, value);
        }
        Ok(raw)
    }

    /// Returns the value of a flag that takes one, if it is in the list; the last one counts.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a flag without `=`, with go's text.
    pub fn text(&self, name: &str) -> Result<Option<Setting<String>>> {
        let mut last = None;
        for value in self.values(name) {
            let value = value.ok_or_else(|| Error::new(Kind::Usage, needs_argument(name)))?;
            last = Some(Setting::new(value.to_owned(), self.words.origin.clone()));
        }
        Ok(last)
    }

    /// Refuses `-C`, which go accepts on the command line only.
    ///
    /// # Errors
    /// [`Kind::Usage`] with go's text.
    pub fn refuse_chdir(&self) -> Result<()> {
        match self.text("C")? {
            None => Ok(()),
            Some(dir) => Err(Error::new(
                Kind::Usage,
                format!(
                    "invalid value {:?} for flag -C (from $GOFLAGS): -C flag must be first flag on command line",
                    dir.value
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn setting(value: &str) -> Setting<String> {
        Setting::new(value.to_owned(), Origin::Environment("GOFLAGS".into()))
    }

    #[test]
    fn split_agrees_with_go() {
        // Rows of cmd/internal/quoted/quoted_test.go, and the shapes its comments name.
        let table: &[(&str, Result<&[&str], &str>)] = &[
            ("", Ok(&[])),
            (" ", Ok(&[])),
            ("a", Ok(&["a"])),
            (" a", Ok(&["a"])),
            ("a ", Ok(&["a"])),
            ("a b", Ok(&["a", "b"])),
            ("a  b", Ok(&["a", "b"])),
            ("a\tb", Ok(&["a", "b"])),
            ("a\nb", Ok(&["a", "b"])),
            ("'a b'", Ok(&["a b"])),
            ("\"a b\"", Ok(&["a b"])),
            ("'a'b", Ok(&["a", "b"])),
            ("a'b c'", Ok(&["a'b", "c'"])),
            ("''", Ok(&[""])),
            ("\"a", Err("unterminated \" string")),
            ("'a", Err("unterminated ' string")),
        ];
        for (text, want) in table {
            let got = split_quoted(text);
            let want = want
                .map(|words| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>())
                .map_err(str::to_owned);
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn refusals_are_worded_as_go_words_them() {
        // Each text is what `GOFLAGS=... go mod download` of go1.26.8 prints after "go: ".
        let table = [
            ("\"-x", "parsing $GOFLAGS: unterminated \" string"),
            ("-x bar", "parsing $GOFLAGS: non-flag \"bar\""),
            ("-x -foo=3", "parsing $GOFLAGS: unknown flag -foo"),
            ("--jobs=3", "parsing $GOFLAGS: unknown flag -jobs"),
            ("-", "parsing $GOFLAGS: non-flag \"-\""),
            ("--", "parsing $GOFLAGS: non-flag \"--\""),
            ("---x", "parsing $GOFLAGS: non-flag \"---x\""),
            ("-=x", "parsing $GOFLAGS: non-flag \"-=x\""),
        ];
        for (value, want) in table {
            let error = GoFlags::parse(setting(value)).expect_err(value);
            assert_eq!(error.chain(), want);
            assert_eq!(error.kind(), Kind::Input);
        }
        assert!(GoFlags::parse(setting("-mod=mod --tags=a,b -test.v '-ldflags=-s -w'")).is_ok());
    }

    #[test]
    fn a_command_finds_its_own_flags() {
        let flags = GoFlags::parse(setting(
            "-mod=mod -modcacherw --modfile=a.mod -x=0 -modfile=b.mod",
        ))
        .expect("all of them are go's");
        let boolean = |name| {
            flags
                .boolean(name)
                .expect("well formed")
                .map(|found| found.value)
        };
        assert_eq!(boolean("modcacherw"), Some(true));
        assert_eq!(boolean("x"), Some(false));
        assert_eq!(boolean("json"), None);
        let modfile = flags.text("modfile").expect("well formed");
        assert_eq!(modfile.map(|found| found.value), Some("b.mod".to_owned()));
        assert!(flags.refuse_chdir().is_ok());
    }

    #[test]
    fn bad_values_name_goflags() {
        let flags = GoFlags::parse(setting("-modcacherw=maybe -modfile -C=/x")).expect("known");
        assert_eq!(
            flags.boolean("modcacherw").expect_err("maybe").chain(),
            "invalid boolean value \"maybe\" for flag -modcacherw (from $GOFLAGS): parse error"
        );
        assert_eq!(
            flags.text("modfile").expect_err("no value").chain(),
            "flag needs an argument: -modfile (from $GOFLAGS)"
        );
        assert_eq!(
            flags.refuse_chdir().expect_err("-C").chain(),
            "invalid value \"/x\" for flag -C (from $GOFLAGS): -C flag must be first flag on command line"
        );
    }

    #[test]
    fn the_lenient_form_drops_what_is_wrong() {
        let words = |value| GoFlags::parse_lenient(setting(value)).words.value;
        assert_eq!(words("-json bar -foo"), ["-json", "-foo"]);
        assert!(words("'-json").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_split_or_refused(text in "[-=a-cxé'\" \t\n]{0,24}") {
            if let Ok(words) = split_quoted(&text) {
                let total: usize = words.iter().map(String::len).sum();
                prop_assert!(total <= text.len());
            }
            let _ = GoFlags::parse(setting(&text));
            let flags = GoFlags::parse_lenient(setting(&text));
            let _ = flags.boolean("x");
        }
    }
}
