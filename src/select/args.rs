//! What was typed about modules: arguments, `--from`, `--scope`, `--exclude`, `--missing-replace`.

use std::path::{Path, PathBuf};

use crate::cli::{RawArgs, flags};
use crate::error::{Error, Kind, Result};
use crate::gomod::MatchPattern;
use crate::project::MissingReplace;

/// Which modules are meant without arguments, if not those that go means: `--scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What go.mod requires.
    Listed,
    /// The build list.
    All,
}

impl Scope {
    /// Judges what was typed, if anything was.
    ///
    /// # Errors
    /// [`Kind::Usage`] beside arguments, which say it themselves.
    pub fn of(raw: &RawArgs) -> Result<Option<Scope>> {
        let Some(text) = raw.text(&flags::SCOPE) else {
            return Ok(None);
        };
        // The parser lets no other word through.
        let scope = match text {
            "listed" => Scope::Listed,
            _ => Scope::All,
        };
        if !raw.args.is_empty() || raw.is_given(&flags::FROM) {
            let text = "--scope says what is meant without modules: it cannot be used with them";
            return Err(Error::new(Kind::Usage, text));
        }
        Ok(Some(scope))
    }
}

/// Reads `--missing-replace`.
fn missing_replace(raw: &RawArgs) -> MissingReplace {
    match raw.text(&flags::MISSING_REPLACE) {
        Some("warn") => MissingReplace::Warn,
        Some("ignore") => MissingReplace::Ignore,
        // The parser lets no word through but `error`.
        _ => MissingReplace::Error,
    }
}

/// The modules that are left out: `--exclude`.
#[derive(Clone, Debug, Default)]
pub struct Excluded(Vec<(String, MatchPattern)>);

impl Excluded {
    /// Reads the patterns.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what names a version, or can be no module path.
    pub fn of(raw: &RawArgs) -> Result<Excluded> {
        let pattern = |text: &String| {
            if text.is_empty() || text.contains(['@', '\\', ' ']) {
                let text = format!(
                    "invalid value {text:?} for flag --exclude: want a module path, perhaps with \
                     ..., and no version"
                );
                return Err(Error::new(Kind::Usage, text));
            }
            Ok((text.clone(), MatchPattern::parse(text)))
        };
        raw.texts(&flags::EXCLUDE)
            .iter()
            .map(pattern)
            .collect::<Result<_>>()
            .map(Excluded)
    }

    /// True if a module with this path is left out.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|(_, pattern)| pattern.matches(path))
    }

    /// Takes out of `items` what is to be left out; a line for each pattern that matched none.
    pub fn take_out<T>(&self, items: &mut Vec<T>, path: impl Fn(&T) -> &str) -> Vec<String> {
        let vain = |(_, pattern): &&(String, MatchPattern)| {
            !items.iter().any(|item| pattern.matches(path(item)))
        };
        let notices = self.0.iter().filter(vain);
        let notices = notices
            .map(|(text, _)| format!("warning: --exclude {text:?} matched no module"))
            .collect();
        items.retain(|item| !self.matches(path(item)));
        notices
    }
}

/// What was typed about modules.
#[derive(Clone, Debug, Default)]
pub struct SelectionArgs {
    pub(super) arguments: Vec<String>,
    /// `--from`: a file with one `path@version` a line, `-` for standard input.
    pub(super) from: Option<PathBuf>,
    scope: Option<Scope>,
    excluded: Excluded,
    missing_replace: MissingReplace,
}

impl SelectionArgs {
    /// Understands what was typed, with files seen from `cwd`.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn of(raw: &RawArgs, cwd: &Path) -> Result<SelectionArgs> {
        let from = raw.text(&flags::FROM).map(|from| match from {
            // Standard input stays what it is.
            "-" => PathBuf::from(from),
            from => cwd.join(from),
        });
        Ok(SelectionArgs {
            arguments: raw.args.clone(),
            from,
            scope: Scope::of(raw)?,
            excluded: Excluded::of(raw)?,
            missing_replace: missing_replace(raw),
        })
    }

    /// The arguments, as typed.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// `--scope`.
    pub fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// `--exclude`.
    pub fn excluded(&self) -> &Excluded {
        &self.excluded
    }

    /// What is done about local replacements that are missing.
    pub fn missing_replace(&self) -> MissingReplace {
        self.missing_replace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_nothing_are_refused() {
        let refused = |raw: RawArgs| {
            let error = SelectionArgs::of(&raw, Path::new("/"))
                .map(drop)
                .unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            error.chain()
        };
        let mut raw = RawArgs::with([(&flags::SCOPE, "all")]);
        raw.args.push("a.com/a".to_owned());
        assert_eq!(
            refused(raw),
            "--scope says what is meant without modules: it cannot be used with them"
        );
        for text in ["", "a.com/a@v1.0.0", "a\\b", "a b"] {
            let raw = RawArgs::with([(&flags::EXCLUDE, text)]);
            assert!(refused(raw).starts_with("invalid value "), "{text:?}");
        }
    }

    #[test]
    fn what_a_pattern_matches_is_taken_out_and_one_that_matches_nothing_is_told() {
        let patterns = ["a.com/...", "b.com/x", "c.com/c"];
        let raw = RawArgs::with(patterns.map(|pattern| (&flags::EXCLUDE, pattern)));
        let excluded = Excluded::of(&raw).unwrap();
        let mut paths = vec!["a.com", "a.com/b", "a.community", "b.com/x/y", "c.com/c"];
        let notices = excluded.take_out(&mut paths, |path| path);
        assert_eq!(paths, ["a.community", "b.com/x/y"]);
        assert_eq!(
            notices,
            ["warning: --exclude \"b.com/x\" matched no module"]
        );
    }
}
