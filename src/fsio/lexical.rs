//! Paths as go computes them: by text alone, without looking at the file system.
//!
//! `std::path` neither removes `..` nor doubled separators, and what `env` prints must be
//! what go prints. What separates and what names a volume is std's knowledge: on Unix only `/` and nothing.

use crate::system::is_absolute;
use std::path::{Component, MAIN_SEPARATOR, MAIN_SEPARATOR_STR, Path, is_separator};

/// Returns the shortest path that is lexically the same: no `//`, no `.`, no inner `..`, no
/// final `/`; the empty path becomes `.`.
///
/// Source: Go, `path/filepath`, `Clean`.
#[must_use]
pub fn clean(path: &str) -> String {
    let (volume, path) = path.split_at(volume_length(path));
    let rooted = path.starts_with(is_separator);
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split(is_separator) {
        match part {
            "" | "." => {}
            ".." => match kept.last() {
                Some(&last) if last != ".." => {
                    kept.pop();
                }
                _ if rooted => {}
                _ => kept.push(".."),
            },
            name => kept.push(name),
        }
    }
    let joined = kept.join(MAIN_SEPARATOR_STR);
    let path = match (rooted, joined.is_empty()) {
        (true, _) => format!("{MAIN_SEPARATOR}{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    };
    match volume.is_empty() {
        true => path,
        false => volume.replace('/', MAIN_SEPARATOR_STR) + &path,
    }
}

/// How much of a path names a drive or a share; only on Windows anything does.
fn volume_length(path: &str) -> usize {
    match Path::new(path).components().next() {
        Some(Component::Prefix(prefix)) => prefix.as_os_str().len(),
        _ => 0,
    }
}

/// Joins two parts and cleans the result, as Go's `filepath.Join` does.
#[must_use]
pub(crate) fn join(base: &str, rest: &str) -> String {
    if base.is_empty() {
        clean(rest)
    } else {
        clean(&format!("{base}/{rest}"))
    }
}

/// The way from one clean absolute path to another, as Go's `filepath.Rel` writes it.
#[must_use]
pub fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split(is_separator).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| "..");
    let way: Vec<&str> = up
        .chain(to.iter().skip(common).map(String::as_str))
        .collect();
    clean(&way.join(MAIN_SEPARATOR_STR))
}

/// A path as messages name it: from the working directory `cwd` on, where that is shorter.
///
/// Source: golang/go `cmd/go/internal/base/path.go`, `ShortPath`, without its look at what the
/// paths lead to.
#[must_use]
pub fn short(cwd: &Path, path: &Path) -> String {
    let (cwd, path) = (cwd.to_string_lossy(), path.to_string_lossy());
    let way = relative(&clean(&cwd), &clean(&path));
    if is_absolute(&path) && way.len() < path.len() {
        way
    } else {
        path.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `filepath.Rel` and `base.ShortPath` of go1.26.8 return.
    #[test]
    fn the_way_from_one_directory_to_another() {
        let rows = [
            ("/a/b", "/a/b", ".", "."),
            ("/a/b", "/a/b/c", "c", "c"),
            ("/a/b", "/a/c/d", "../c/d", "/a/c/d"),
            ("/a/bbbb", "/a/bbbb/../c/d", "../c/d", "../c/d"),
            ("/", "/a", "a", "a"),
            ("/a/b", "/", "../..", "/"),
        ];
        for (from, to, way, shown) in rows {
            assert_eq!(relative(from, &clean(to)), way, "{from} {to}");
            assert_eq!(short(Path::new(from), Path::new(to)), shown, "{from} {to}");
        }
    }

    #[test]
    fn clean_agrees_with_go() {
        // Rows of path/filepath's own table.
        let table = [
            ("abc", "abc"),
            ("abc/def", "abc/def"),
            (".", "."),
            ("..", ".."),
            ("../..", "../.."),
            ("/", "/"),
            ("", "."),
            ("abc/", "abc"),
            ("/abc/", "/abc"),
            ("//abc//", "/abc"),
            ("abc//def//ghi", "abc/def/ghi"),
            ("abc/./def", "abc/def"),
            ("/./abc/def", "/abc/def"),
            ("abc/def/../ghi/../jkl", "abc/jkl"),
            ("abc/def/../..", "."),
            ("/abc/def/../../..", "/"),
            ("abc/def/../../..", ".."),
            ("abc/./../def", "def"),
            ("abc//./../def", "def"),
            ("abc/../../././../def", "../../def"),
            ("/../a", "/a"),
        ];
        for (path, want) in table {
            assert_eq!(clean(path), want, "{path:?}");
            assert_eq!(clean(want), want, "{path:?} twice");
        }
        assert_eq!(join("/h/x/..", "go"), "/h/go");
        assert_eq!(join("", "a"), "a");
    }
}
