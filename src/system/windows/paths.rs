//! Where the files of a user are.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable of the home directory.
pub(crate) const HOME: &str = "USERPROFILE";

/// Between the paths of a list, such as GOPATH.
pub(crate) const LIST_SEPARATOR: char = ';';

/// Variables that say where temporary files go, the first one set counts; and the directory without one.
///
/// Source: Windows `GetTempPath`, which Go asks.
pub(crate) const TEMPORARY: (&[&str], &str) = (&["TMP", "TEMP", "USERPROFILE"], r"C:\Windows");

/// The directory of a user's settings, by the variables of the environment.
///
/// # Errors
/// Go's words for what is wrong.
///
/// Source: Go `os.UserConfigDir`.
pub(crate) fn user_config_dir<'e>(
    get: impl Fn(&str) -> Option<&'e str>,
) -> Result<String, &'static str> {
    let found = get("AppData").or_else(|| get("APPDATA"));
    found.map(str::to_owned).ok_or("%AppData% is not defined")
}

/// The directory of a user's caches, by the variables of the environment; `None` if they say none.
///
/// Source: Go `os.UserCacheDir`.
pub(crate) fn user_cache_dir<'e>(get: impl Fn(&str) -> Option<&'e str>) -> Option<String> {
    let found = get("LocalAppData").or_else(|| get("LOCALAPPDATA"));
    found.map(str::to_owned)
}

/// A path with only the separator that go prints.
pub(crate) fn with_main_separators(path: OsString) -> PathBuf {
    match path.into_string() {
        Ok(text) => PathBuf::from(text.replace('/', "\\")),
        Err(path) => PathBuf::from(path),
    }
}

/// A relative path as module zips name files: with `/` between parts, and replacement characters for what is no text.
pub(crate) fn slashed(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy().replace('\\', "/").into()
}
