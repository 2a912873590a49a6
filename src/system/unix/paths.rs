//! Where the files of a user are.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable of the home directory.
pub(crate) const HOME: &str = "HOME";

/// Between the paths of a list, such as GOPATH.
pub(crate) const LIST_SEPARATOR: char = ':';

/// Variables that say where temporary files go, the first one set counts; and the directory without one.
pub(crate) const TEMPORARY: (&[&str], &str) = (&["TMPDIR"], "/tmp");

/// The directory of a user's settings, by the variables of the environment.
///
/// # Errors
/// Go's words for what is wrong.
///
/// Source: Go `os.UserConfigDir`.
pub(crate) fn user_config_dir<'e>(
    get: impl Fn(&str) -> Option<&'e str>,
) -> Result<String, &'static str> {
    if cfg!(target_os = "macos") {
        return match get(HOME) {
            Some(home) => Ok(format!("{home}/Library/Application Support")),
            None => Err("$HOME is not defined"),
        };
    }
    match (get("XDG_CONFIG_HOME"), get(HOME)) {
        (Some(dir), _) if dir.starts_with('/') => Ok(dir.to_owned()),
        (Some(_), _) => Err("path in $XDG_CONFIG_HOME is relative"),
        (None, Some(home)) => Ok(format!("{home}/.config")),
        (None, None) => Err("neither $XDG_CONFIG_HOME nor $HOME are defined"),
    }
}

/// The directory of a user's caches, by the variables of the environment; `None` if they say none.
///
/// Source: Go `os.UserCacheDir`.
pub(crate) fn user_cache_dir<'e>(get: impl Fn(&str) -> Option<&'e str>) -> Option<String> {
    match (get("XDG_CACHE_HOME"), get(HOME)) {
        (_, Some(home)) if cfg!(target_os = "macos") => Some(format!("{home}/Library/Caches")),
        (Some(dir), _) => dir.starts_with('/').then(|| dir.to_owned()),
        (None, home) => home.map(|home| format!("{home}/.cache")),
    }
}

/// A path with only the separator that go prints; there is no other.
pub(crate) fn with_main_separators(path: OsString) -> PathBuf {
    PathBuf::from(path)
}

/// A relative path as module zips name files: with `/` between parts, and replacement characters for what is no text.
pub(crate) fn slashed(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}
