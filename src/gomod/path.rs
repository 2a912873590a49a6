//! Module paths, their major-version suffixes, and their escaped form.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::check::{check_file_element, check_module_path};
use crate::error::{Error, Kind, Result};

/// A module path as a go.mod file may name it.
///
/// Weaker than what may be fetched: `require tools v0.0.0` beside `replace tools => ./tools` is
/// common and right, although `tools` could never be downloaded. What may be fetched is an
/// [`EscapedPath`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Arc<str>);

impl ModulePath {
    /// Accepts a path that is not empty and whose major-version suffix is well formed.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub fn parse(path: &str) -> Result<ModulePath> {
        if path.is_empty() {
            return Err(Error::new(
                Kind::Input,
                "malformed module path \"\": empty string",
            ));
        }
        if split_path_version(path).is_none() {
            let what = if path.starts_with("gopkg.in/") {
                format!("malformed module path {path:?}: invalid version")
            } else {
                format!("malformed module path: {path}")
            };
            return Err(Error::new(Kind::Input, what));
        }
        Ok(ModulePath(path.into()))
    }

    /// The path, as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The major-version suffix, with its separator: empty, `/v2`, `.v3`, `.v1-unstable`.
    #[must_use]
    pub fn major_suffix(&self) -> &str {
        split_path_version(&self.0).map_or("", |(_, major)| major)
    }

    /// Reads the form of URLs and cache paths back; what [`ModulePath::escape`] would not have
    /// written is refused.
    ///
    /// # Errors
    /// [`Kind::Input`], `invalid escaped module path "..."`.
    pub fn unescape(escaped: &str) -> Result<ModulePath> {
        let refused = || {
            let text = format!("invalid escaped module path {escaped:?}");
            Error::new(Kind::Input, text)
        };
        let path = unescape(escaped).ok_or_else(refused)?;
        let path = ModulePath::parse(&path).map_err(|error| refused().because(error))?;
        path.escape().map_err(|error| refused().because(error))?;
        Ok(path)
    }

    /// The only form that joins into a URL or a cache path.
    ///
    /// # Errors
    /// [`Kind::Input`], `malformed module path "...": reason`.
    pub fn escape(&self) -> Result<EscapedPath> {
        check_module_path(&self.0)?;
        Ok(EscapedPath(escape_shared(&self.0)))
    }
}

impl Borrow<str> for ModulePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A module path in the form of URLs and cache paths: each capital letter is an exclamation
/// mark and the small letter, for file systems that do not tell case apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EscapedPath(Arc<str>);

impl EscapedPath {
    /// The escaped text: relative, clean, ASCII, separated by `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EscapedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Escapes a version or any other revision a proxy is asked for (`master`, `v1.2`).
///
/// # Errors
/// [`Kind::Input`], `version "..." invalid: disallowed version string`.
///
/// Source: golang/mod `module.EscapeVersion`.
pub fn escape_version(version: &str) -> Result<String> {
    check_version(version)?;
    Ok(escape(version))
}

/// Undoes [`escape_version`]; `None` for what that does not return.
///
/// Source: golang/mod `module.UnescapeVersion`.
#[must_use]
pub fn unescape_version(escaped: &str) -> Option<String> {
    unescape(escaped).filter(|version| check_version(version).is_ok())
}

/// The refusals of [`escape_version`].
pub(super) fn check_version(version: &str) -> Result<()> {
    if check_file_element(version).is_err() || version.contains('!') || !version.is_ascii() {
        return Err(Error::new(
            Kind::Input,
            format!("version {version:?} invalid: disallowed version string"),
        ));
    }
    Ok(())
}

/// Undoes [`escape`]; none if a letter is a capital or an exclamation mark stands alone.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '!' => plain.push(
                letters
                    .next()
                    .filter(char::is_ascii_lowercase)?
                    .to_ascii_uppercase(),
            ),
            'A'..='Z' => return None,
            _ => plain.push(letter),
        }
    }
    Some(plain)
}

/// [`escape`], for texts that are nearly always their own escaped form.
pub(super) fn escape_shared(text: &Arc<str>) -> Arc<str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => escape(text).into(),
        false => Arc::clone(text),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
    escaped
}

/// Splits a path into what comes before the major-version suffix and the suffix (`/v2`, `.v2`
/// below gopkg.in, or empty). `None` if the suffix is malformed (`/v1`, `/v02`, `/v2.1`).
///
/// Source: golang/mod `module.SplitPathVersion`.
#[must_use]
pub fn split_path_version(path: &str) -> Option<(&str, &str)> {
    if path.starts_with("gopkg.in/") {
        return split_gopkg_in(path);
    }
    let stem = path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = &path[stem.len()..];
    let Some(prefix) = stem.strip_suffix("/v").filter(|_| !digits.is_empty()) else {
        return Some((path, ""));
    };
    if prefix.is_empty() && stem.len() <= 1 {
        return Some((path, ""));
    }
    let suffix = &path[prefix.len()..];
    if digits.contains('.') || digits.starts_with('0') || digits == "1" {
        return None;
    }
    Some((prefix, suffix))
}

fn split_gopkg_in(path: &str) -> Option<(&str, &str)> {
    let stable = path.strip_suffix("-unstable").unwrap_or(path);
    let stem = stable.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &stable[stem.len()..];
    let prefix = stem.strip_suffix(".v")?;
    if digits.is_empty() || digits.starts_with('0') && path[prefix.len()..] != *".v0" {
        return None;
    }
    Some((prefix, &path[prefix.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_escaped() {
        let path = ModulePath::parse("github.com/BurntSushi/toml").unwrap();
        assert_eq!(
            path.escape().unwrap().as_str(),
            "github.com/!burnt!sushi/toml"
        );
        assert_eq!(escape_version("v1.0.0-RC1").unwrap(), "v1.0.0-!r!c1");
        assert!(escape_version("v1!").is_err());
        assert!(escape_version("a/b").is_err());
    }

    #[test]
    fn a_path_that_only_a_replace_can_satisfy_is_a_path_but_cannot_be_fetched() {
        let path = ModulePath::parse("tools").unwrap();
        assert!(path.escape().is_err());
    }
}
