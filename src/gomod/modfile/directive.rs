//! Directives that go.mod and go.work share, and the words and versions they are made of.
//!
//! Source: golang/mod `modfile/rule.go`, `add`, `parseReplace`, `parseVersion`.

use std::borrow::Cow;

use super::problem::UnplacedProblem;
use crate::error::Result;
use crate::gomod::quote::{quote, unquote};
use crate::gomod::{GoVersion, ModulePath, ModuleVersion, Version, canonical, split_path_version};

/// The `go` directive.
#[derive(Clone, Debug)]
pub struct GoLine {
    /// The version, without `go` before it.
    pub version: GoVersion,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// The `toolchain` directive.
#[derive(Clone, Debug)]
pub struct ToolchainLine {
    /// `go1.23.0` and the like, or `default`.
    pub name: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// A `godebug` directive: whether go takes it, [`Godebug::fault`] says.
#[derive(Clone, Debug)]
pub struct Godebug {
    /// What stands before the first `=`.
    pub key: String,
    /// What stands after it.
    pub value: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// A `replace` directive.
#[derive(Clone, Debug)]
pub struct Replace {
    /// The module that is replaced.
    pub path: ModulePath,
    /// The one version that is replaced; `None` for all of them.
    pub version: Option<Version>,
    /// What takes its place.
    pub with: Replacement,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// What takes the place of a replaced module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// A version of a module, fetched like any other.
    Module(ModuleVersion),
    /// A directory, as written: rooted, or relative to the file's directory.
    Directory(String),
}

/// What happens to a version that is not canonical.
pub(super) enum Versions<'f> {
    /// It is completed (`v1.2` to `v1.2.0`) or refused: what go does without a fixer.
    Complete,
    /// It is refused: go would ask for the version meant, and we do not.
    Refuse,
    /// It is resolved by a query.
    Query(ResolveQuery<'f>),
}

/// Resolves a version query (`v1.2`, `master`) for a module path.
pub(super) type ResolveQuery<'f> = &'f mut dyn FnMut(&str, &str) -> Result<Version>;

/// The next step after a version query was found where none is resolved.
const QUERY_HINT: &str = "version queries in go.mod (branches, commits, v1.2 for the newest v1.2.x) \
    are not resolved here; write the full version, or let 'modfetch download' do it";

/// Reads a word or a string in double quotes. Other quotes are reserved.
pub(super) fn string(token: &str) -> Result<Cow<'_, str>, UnplacedProblem> {
    bare_string(token)
        .map_err(|reason| UnplacedProblem::from(format!("invalid quoted string: {reason}")))
}

fn bare_string(token: &str) -> Result<Cow<'_, str>, &'static str> {
    if token.starts_with('"') {
        unquote(token).map(Cow::Owned)
    } else if token.contains(['"', '\'', '`']) {
        Err("unquoted string cannot contain quote")
    } else {
        Ok(Cow::Borrowed(token))
    }
}

fn invalid_version(verb: &str, path: &str, version: &str, reason: &str) -> UnplacedProblem {
    let reason = format!("version {} invalid: {reason}", quote(version));
    UnplacedProblem::of(verb, path, reason)
}

/// A version's token as text: no check beyond its quotes.
pub(super) fn raw_version<'a>(
    verb: &str,
    path: &str,
    token: &'a str,
) -> Result<Cow<'a, str>, UnplacedProblem> {
    bare_string(token).map_err(|reason| invalid_version(verb, path, token, reason))
}

impl Versions<'_> {
    /// Reads the version of `path` from its token.
    pub(super) fn version(
        &mut self,
        verb: &str,
        path: &str,
        token: &str,
    ) -> Result<Version, UnplacedProblem> {
        const FORM: &str = "must be of the form v1.2.3";
        let written = raw_version(verb, path, token)?;
        let mut text = &*written;
        if let Versions::Complete = self {
            let full = canonical(text).ok_or_else(|| invalid_version(verb, path, text, FORM))?;
            return Ok(Version::parse(&full)?);
        }
        // Long ago go wrote versions of gopkg.in with the true version after this mark.
        if path.starts_with("gopkg.in/")
            && let Some((_, after)) = text.split_once("-gopkgin-")
        {
            text = after;
        }
        if split_path_version(path).is_none() {
            let reason = format!("malformed module path {}", quote(path));
            return Err(invalid_version(verb, path, text, &reason));
        }
        if let Ok(version) = Version::parse(text) {
            // go.mod may name an empty path, and a module without a path has no other check.
            if let Ok(path) = ModulePath::parse(path) {
                agreed(verb, &path, &version)?;
            }
            return Ok(version);
        }
        match self {
            Versions::Query(query) => {
                query(path, text).map_err(|error| UnplacedProblem::of_query(verb, path, error))
            }
            _ => Err(invalid_version(verb, path, text, FORM).hint(QUERY_HINT)),
        }
    }
}

/// Checks the path of a directive: its major-version suffix, and that there is a path.
pub(super) fn module_path(path: &str) -> Result<ModulePath, UnplacedProblem> {
    if split_path_version(path).is_none() {
        return Err("invalid module path".into());
    }
    Ok(ModulePath::parse(path)?)
}

/// Pairs a path with a version, which must agree on the major version.
pub(super) fn agreed(
    verb: &str,
    path: &ModulePath,
    version: &Version,
) -> Result<ModuleVersion, UnplacedProblem> {
    ModuleVersion::new(path.clone(), version.clone()).map_err(|_| {
        let suffix = path.major_suffix();
        let want = match suffix.strip_suffix("-unstable").unwrap_or(suffix) {
            "" => "v0 or v1",
            suffix => suffix.get(1..).unwrap_or_default(),
        };
        let reason = format!("should be {want}, not {}", version.major());
        invalid_version(verb, path.as_str(), version.as_str(), &reason)
    })
}

/// How the version of a `go` directive is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoSyntax {
    /// `1.23`, `1.23.4`, `1.23rc1`.
    Strict,
    /// What follows `1.23` may be anything, and is dropped if it is not as above.
    Lax,
}

/// Reads the arguments of a `go` directive. `None`: of the right form but no Go version, and
/// lax; such a line counts as older than any version, like no line at all.
pub(super) fn go_line(
    arguments: &[&str],
    line: u32,
    syntax: GoSyntax,
) -> Result<Option<GoLine>, UnplacedProblem> {
    let [text] = arguments else {
        return Err("go directive expects exactly one argument".into());
    };
    let found = match go_form(text) {
        GoForm::Strict => GoVersion::parse(text),
        GoForm::Lax(start) if syntax == GoSyntax::Lax => GoVersion::parse(start),
        _ => None,
    };
    match found {
        Some(version) => Ok(Some(GoLine { version, line })),
        None if syntax == GoSyntax::Lax && go_form(text) == GoForm::Strict => Ok(None),
        None => Err(UnplacedProblem::from(format!(
            "invalid go version '{text}': must match format 1.23.0"
        ))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum GoForm<'a> {
    /// `1.23`, `1.23.4`, `1.23rc1`, and `1.23.4rc1`, which is no Go version.
    Strict,
    /// `1.23` followed by something else, perhaps after a `v`; holds the `1.23`.
    Lax(&'a str),
    Other,
}

/// Tells the forms apart as go's two regular expressions do:
/// `^([1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?$` and
/// `^v?(([1-9][0-9]*)\.(0|[1-9][0-9]*))([^0-9].*)$`.
fn go_form(text: &str) -> GoForm<'_> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let Some((major, rest)) = cut_number(bare) else {
        return GoForm::Other;
    };
    let Some((minor, rest)) = rest.strip_prefix('.').and_then(cut_number) else {
        return GoForm::Other;
    };
    if major == "0" {
        return GoForm::Other;
    }
    let after_patch = match rest.strip_prefix('.').map(cut_number) {
        None => Some(rest),
        Some(patch) => patch.map(|(_, rest)| rest),
    };
    let ends_well = after_patch.is_some_and(|rest| {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
        rest.is_empty()
            || digits.len() < rest.len()
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
    });
    if ends_well && bare.len() == text.len() {
        return GoForm::Strict;
    }
    if rest.is_empty() || rest.contains('\n') {
        return GoForm::Other;
    }
    let length = major.len() + 1 + minor.len();
    GoForm::Lax(bare.get(..length).unwrap_or_default())
}

/// Cuts a decimal number without superfluous zero; what follows is no digit.
fn cut_number(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(rest)?;
    let ok = !number.is_empty() && (number == "0" || !number.starts_with('0'));
    ok.then_some((number, rest))
}

/// Reads the arguments of a `toolchain` directive.
pub(super) fn toolchain(arguments: &[&str], line: u32) -> Result<ToolchainLine, UnplacedProblem> {
    let [name] = arguments else {
        return Err("toolchain directive expects exactly one argument".into());
    };
    if *name == "default" || *name == "go1" || name.starts_with("go1.") {
        return Ok(ToolchainLine {
            name: (*name).to_owned(),
            line,
        });
    }
    Err(UnplacedProblem::from(format!(
        "invalid toolchain version '{name}': must match format go1.23.0 or default"
    )))
}

/// Reads the arguments of a `godebug` directive.
pub(super) fn godebug(arguments: &[&str], line: u32) -> Result<Godebug, UnplacedProblem> {
    if let [setting] = arguments
        && !setting.contains(['"', '`', '\'', ','])
        && let Some((key, value)) = setting.split_once('=')
    {
        return Ok(Godebug {
            key: key.to_owned(),
            value: value.to_owned(),
            line,
        });
    }
    Err("usage: godebug key=value".into())
}

/// Reads the arguments of a `replace` directive.
pub(super) fn replace(
    arguments: &[&str],
    line: u32,
    versions: &mut Versions<'_>,
) -> Result<Replace, UnplacedProblem> {
    const VERB: &str = "replace";
    let (old, old_version, new, new_version) = match *arguments {
        [old, "=>", new] => (old, None, new, None),
        [old, "=>", new, new_version] => (old, None, new, Some(new_version)),
        [old, old_version, "=>", new] => (old, Some(old_version), new, None),
        [old, old_version, "=>", new, new_version] if old_version != "=>" => {
            (old, Some(old_version), new, Some(new_version))
        }
        _ => {
            return Err(
                "usage: replace module/path [v1.2.3] => other/module v1.4\n\t or replace \
                module/path [v1.2.3] => ../local/directory"
                    .into(),
            );
        }
    };
    let old = string(old)?;
    if split_path_version(&old).is_none() {
        return Err(UnplacedProblem::of(VERB, &old, "invalid module path"));
    }
    let version = match old_version {
        None => None,
        Some(token) => Some(versions.version(VERB, &old, token)?),
    };
    let path = module_path(&old)?;
    if let Some(version) = &version {
        agreed(VERB, &path, version)?;
    }
    let new = string(new)?;
    let with = match new_version {
        None => Replacement::Directory(directory(&new)?),
        Some(token) => {
            let version = versions.version(VERB, &new, token)?;
            if is_directory_path(&new) {
                return Err(UnplacedProblem::from(format!(
                    "replacement module directory path {} cannot have version",
                    quote(&new)
                )));
            }
            Replacement::Module(agreed(VERB, &module_path(&new)?, &version)?)
        }
    };
    Ok(Replace {
        path,
        version,
        with,
        line,
    })
}

fn directory(path: &str) -> Result<String, UnplacedProblem> {
    if !is_directory_path(path) {
        return Err(if path.contains('@') {
            "replacement module must match format 'path version', not 'path@version'".into()
        } else {
            "replacement module without version must be directory path (rooted or starting with \
                . or ..)"
                .into()
        });
    }
    if std::path::MAIN_SEPARATOR == '/' && path.contains('\\') {
        return Err(
            "replacement directory appears to be Windows path (on a non-windows system)".into(),
        );
    }
    Ok(path.to_owned())
}

/// True if `path` names a directory and not a module: rooted, or its first element is `.` or
/// `..`. Paths of every system count, because a go.mod moves from one to another.
///
/// Source: golang/mod `modfile.IsDirectoryPath`.
#[must_use]
pub fn is_directory_path(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let start = ["./", ".\\", "../", "..\\", "/", "\\"];
    path == "." || path == ".." || drive || start.iter().any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From golang/mod's `modfile/rule_test.go` and the two expressions.
    #[test]
    fn go_versions_have_the_forms_of_gos_expressions() {
        let rows = [
            ("1.2", GoForm::Strict),
            ("1.0", GoForm::Strict),
            ("1.2.3", GoForm::Strict),
            ("1.2.0", GoForm::Strict),
            ("1.2rc10", GoForm::Strict),
            ("1.2.3rc1", GoForm::Strict),
            ("12.345", GoForm::Strict),
            ("v1.2.3", GoForm::Lax("1.2")),
            ("1.2rc", GoForm::Lax("1.2")),
            ("1.2.", GoForm::Lax("1.2")),
            ("1.2.03", GoForm::Lax("1.2")),
            ("1.2.3.4", GoForm::Lax("1.2")),
            ("1.21-bar", GoForm::Lax("1.21")),
            ("1.21x", GoForm::Lax("1.21")),
            ("1.2\u{e4}", GoForm::Lax("1.2")),
            ("v1.2", GoForm::Other),
            ("1", GoForm::Other),
            ("", GoForm::Other),
            ("v", GoForm::Other),
            ("0.1", GoForm::Other),
            ("01.2", GoForm::Other),
            ("1.02", GoForm::Other),
            ("1.02x", GoForm::Other),
            ("\"1.2\"", GoForm::Other),
            ("go1.2", GoForm::Other),
        ];
        for (text, want) in rows {
            assert_eq!(go_form(text), want, "{text}");
        }
    }

    /// From golang/mod's `modfile/rule_test.go`, `TestIsDirectoryPath`-like rows.
    #[test]
    fn directories_are_told_from_modules() {
        for directory in [
            ".", "./x", ".\\x", "..", "../x", "..\\x", "/x", "\\x", "c:\\x", "C:", "z:x",
        ] {
            assert!(is_directory_path(directory), "{directory}");
        }
        for module in [
            "", "x", "x/..", ".x", "..x", "1:", "a.b/c", "~/x", "...", "\u{e4}:",
        ] {
            assert!(!is_directory_path(module), "{module}");
        }
    }
}
