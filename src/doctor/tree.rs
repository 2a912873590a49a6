//! A `file://` entry: whether there is a tree of files that looks like a proxy.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use super::check::Check;
use crate::error::Error;

/// As many directories are looked into for one that has versions.
const MAX_DIRECTORIES: usize = 10_000;

/// Looks for a directory and, in it, for `@v`.
pub(super) fn checks(root: &Path) -> Vec<Check> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(cause) => {
            let error = Error::io("cannot read directory", root, cause);
            return vec![
                Check::error("directory", &error)
                    .next("see if the path is right and mounted, and readable for this user"),
                Check::skipped("tree", "not reached"),
            ];
        }
    };
    let names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let directory = Check::ok("directory", format!("{} entries", names.len()));
    let tree = if has_versions(root) {
        Check::ok("tree", "it has modules")
    } else {
        let check = Check::warning("tree", "no module in it: no directory named @v");
        if root.join("cache/download").is_dir() {
            check.next("this is a module cache: name its cache/download")
        } else {
            check.next("see if the path is that of a module proxy")
        }
    };
    vec![directory, tree]
}

/// Nearest directories first, so that a tree of any size is soon known for one.
fn has_versions(root: &Path) -> bool {
    let mut directories = VecDeque::from([root.to_owned()]);
    for _ in 0..MAX_DIRECTORIES {
        let Some(directory) = directories.pop_front() else {
            return false;
        };
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            // A link counts as what it leads to, but only where it is named: trees have ends.
            if entry.file_name() == "@v" && path.is_dir() {
                // A module cache has unpacked modules beside it, and its versions further down.
                let in_cache = path
                    .strip_prefix(root)
                    .is_ok_and(|below| below.starts_with("cache/download"));
                if !in_cache {
                    return true;
                }
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                directories.push_back(path);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckStatus;
    use super::*;

    #[test]
    fn a_tree_of_modules_is_told_from_what_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let status = |path: &Path| {
            let checks = checks(path);
            let pair = [&checks[0], &checks[1]].map(|check| check.status);
            (pair, checks[1].next.clone())
        };
        let root = dir.path().join("root");
        assert_eq!(status(&root).0, [CheckStatus::Failed, CheckStatus::Skipped]);
        fs::create_dir(&root).unwrap();
        assert_eq!(status(&root).0, [CheckStatus::Ok, CheckStatus::Warning]);
        fs::create_dir_all(root.join("cache/download/a.com/b/@v")).unwrap();
        let (pair, next) = status(&root);
        assert_eq!(pair, [CheckStatus::Ok, CheckStatus::Warning]);
        assert!(next[0].contains("cache/download"));
        assert_eq!(status(&root.join("cache/download")).0, [CheckStatus::Ok; 2]);
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(status(&file).0, [CheckStatus::Failed, CheckStatus::Skipped]);
    }
}
