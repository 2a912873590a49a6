//! Which characters and elements a module path, an import path and a file name may have.
//!
//! The rules are golang/mod's `module.CheckPath`, `CheckImportPath` and `CheckFilePath`; the
//! texts are those a user of `go` already knows. Tested by `testdata/hostile/module/`.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::path::split_path_version;
use crate::error::{Error, Kind, Result};

/// Device names that no path element may have on Windows, in any case, with any extension.
const WINDOWS_DEVICES: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Module,
    Import,
    File,
}

/// Checks that `path` may be a module path that is fetched and cached.
///
/// # Errors
/// [`Kind::Input`], `malformed module path "...": reason`.
///
/// Source: golang/mod `module.CheckPath`.
pub fn check_module_path(path: &str) -> Result<()> {
    module_path_reason(path).map_err(|reason| malformed("module", path, &reason))
}

/// Checks that `path` may be imported; a main module's path needs no more than this.
///
/// # Errors
/// [`Kind::Input`], `malformed import path "...": reason`.
///
/// Source: golang/mod `module.CheckImportPath`.
pub fn check_import_path(path: &str) -> Result<()> {
    check_path(path, PathKind::Import).map_err(|reason| malformed("import", path, &reason))
}

/// Checks that `path` may be the name of a file in a module zip.
///
/// # Errors
/// [`Kind::Input`], `malformed file path "...": reason`.
///
/// Source: golang/mod `module.CheckFilePath`.
pub fn check_file_path(path: &str) -> Result<()> {
    check_path(path, PathKind::File).map_err(|reason| malformed("file", path, &reason))
}

/// Checks one element as a file name: what an escaped version must satisfy.
pub(super) fn check_file_element(element: &str) -> Result<(), String> {
    check_element(element, PathKind::File)
}

fn malformed(kind: &str, path: &str, reason: &str) -> Error {
    Error::new(
        Kind::Input,
        format!("malformed {kind} path {path:?}: {reason}"),
    )
}

fn module_path_reason(path: &str) -> Result<(), String> {
    check_path(path, PathKind::Module)?;
    let first = path.split('/').next().unwrap_or_default();
    if !first.contains('.') {
        return Err("missing dot in first path element".into());
    }
    if first.starts_with('-') {
        return Err("leading dash in first path element".into());
    }
    let first_ok = |c: char| matches!(c, '-' | '.' | '0'..='9' | 'a'..='z');
    if let Some(bad) = first.chars().find(|&c| !first_ok(c)) {
        return Err(format!("invalid char {bad:?} in first path element"));
    }
    if split_path_version(path).is_none() {
        return Err("invalid version".into());
    }
    Ok(())
}

fn check_path(path: &str, kind: PathKind) -> Result<(), String> {
    if path.is_empty() {
        return Err("empty string".into());
    }
    if path.starts_with('-') && kind != PathKind::File {
        return Err("leading dash".into());
    }
    // Not str::contains, which prepares for texts that are longer than paths.
    if path.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Err("double slash".into());
    }
    if path.ends_with('/') {
        return Err("trailing slash".into());
    }
    path.split('/')
        .try_for_each(|element| check_element(element, kind))
}

fn check_element(element: &str, kind: PathKind) -> Result<(), String> {
    if element.is_empty() {
        return Err("empty path element".into());
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let short = element.bytes().take_while(|&b| b != b'.').count();
    if element.bytes().all(is_plain) && !element.ends_with('.') && !matches!(short, 0 | 3 | 4) {
        // Most are: of what follows, only the dots and the devices could be meant.
        return Ok(());
    }
    if element.bytes().all(|b| b == b'.') {
        return Err(format!("invalid path element {element:?}"));
    }
    if element.starts_with('.') && kind == PathKind::Module {
        return Err("leading dot in path element".into());
    }
    if element.ends_with('.') {
        return Err("trailing dot in path element".into());
    }
    if let Some(bad) = element.chars().find(|&c| !char_ok(c, kind)) {
        return Err(format!("invalid char {bad:?}"));
    }
    let short = element.split('.').next().unwrap_or_default();
    // No device name holds a K or an S, the two ASCII letters that fold beyond ASCII.
    if matches!(short.len(), 3 | 4)
        && WINDOWS_DEVICES
            .iter()
            .any(|device| device.eq_ignore_ascii_case(short))
    {
        return Err(format!(
            "{short:?} disallowed as path element component on Windows"
        ));
    }
    if kind == PathKind::File {
        return Ok(());
    }
    // The short names of old Windows file systems end in a tilde and digits.
    if let Some((_, suffix)) = short.rsplit_once('~')
        && !suffix.is_empty()
        && suffix.bytes().all(|b| b.is_ascii_digit())
    {
        return Err("trailing tilde and digits in path element".into());
    }
    Ok(())
}

fn char_ok(c: char, kind: PathKind) -> bool {
    match kind {
        PathKind::Module => module_char_ok(c),
        PathKind::Import => module_char_ok(c) || c == '+',
        PathKind::File if c.is_ascii() => {
            let is_sign = |c| matches!(c, '!' | '#'..='&' | '(' | ')' | '+'..='.' | '=' | '@');
            let is_other = |c| matches!(c, '[' | ']' | '^' | '_' | '{' | '}' | '~' | ' ');
            c.is_ascii_alphanumeric() || is_sign(c) || is_other(c)
        }
        // Go asks unicode.IsLetter: the categories L*. Rust's is_alphabetic is wider (it adds
        // letter numbers and marks with Other_Alphabetic).
        PathKind::File => c.general_category_group() == GeneralCategoryGroup::Letter,
    }
}

fn module_char_ok(c: char) -> bool {
    matches!(c, '-' | '.' | '_' | '~' | '0'..='9' | 'A'..='Z' | 'a'..='z')
}
