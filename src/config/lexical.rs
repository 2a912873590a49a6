//! Paths as go computes them: by text alone, without looking at the file system.
//!
//! `std::path` neither removes `..` nor doubled separators, and what `env` prints must be
//! what go prints. Only `/` separates; the platforms modfetch runs on use it.

/// Returns the shortest path that is lexically the same: no `//`, no `.`, no inner `..`, no
/// final `/`; the empty path becomes `.`.
///
/// Source: Go, `path/filepath`, `Clean`.
#[must_use]
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
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
    let joined = kept.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Joins two parts and cleans the result, as Go's `filepath.Join` does.
#[must_use]
pub(super) fn join(base: &str, rest: &str) -> String {
    if base.is_empty() {
        clean(rest)
    } else {
        clean(&format!("{base}/{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
