//! What the cache holds, without any project: every module version that has left something.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use super::Cache;
use crate::error::{Error, Result};
use crate::gomod::ModuleVersion;
use crate::system::leads_above;

/// What of an entry makes a module version. A `list`, locks and temporaries do not.
const PIECES: [&str; 4] = ["zip", "ziphash", "mod", "partial"];

impl Cache {
    /// Every module version of which there is a zip, ziphash, go.mod, mark or directory, by path
    /// and version. Names that no module has belong to other programs and are passed over.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]: a directory cannot be read.
    pub fn modules(&self) -> Result<Vec<ModuleVersion>> {
        let mut found = BTreeSet::new();
        let download = self.root.join("cache/download");
        walk(&download, &mut |entry, path| {
            if path == "sumdb" {
                return Ok(WalkStep::Skip);
            }
            let Some(module) = path.strip_suffix("/@v") else {
                return Ok(WalkStep::Enter);
            };
            for file in read_dir(&entry.path())? {
                let name = file.file_name();
                let split = name.to_str().and_then(|name| name.rsplit_once('.'));
                if let Some((version, piece)) = split
                    && PIECES.contains(&piece)
                {
                    found.extend(ModuleVersion::unescape(module, version).ok());
                }
            }
            Ok(WalkStep::Skip)
        })?;
        walk(&self.root, &mut |_, path| {
            if path == "cache" {
                return Ok(WalkStep::Skip);
            }
            match path.rsplit_once('@') {
                Some((module, version)) => {
                    found.extend(ModuleVersion::unescape(module, version).ok());
                    Ok(WalkStep::Skip)
                }
                None => Ok(WalkStep::Enter),
            }
        })?;
        Ok(found.into_iter().collect())
    }
}

pub(super) enum WalkStep {
    Enter,
    Skip,
}

/// Visits every directory below `root` with its path from there, parents first. As every reader
/// of a cache does, it follows links to directories; where one leads back up, it ends.
pub(super) fn walk(
    root: &Path,
    visit: &mut impl FnMut(&DirEntry, &str) -> Result<WalkStep>,
) -> Result<()> {
    let mut unread = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = unread.pop() {
        for entry in read_dir(&directory)? {
            let name = entry.file_name();
            let is_directory = is_directory(&entry)?;
            let Some(name) = name.to_str().filter(|_| is_directory) else {
                continue;
            };
            let path = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}/{name}")
            };
            if let WalkStep::Enter = visit(&entry, &path)? {
                unread.push((entry.path(), path));
            }
        }
    }
    Ok(())
}

/// True of a directory, and of a link to one that is not above the link.
fn is_directory(entry: &DirEntry) -> Result<bool> {
    let link = entry.path();
    let cannot_read = |cause| Error::io("cannot read", &link, cause);
    let file_type = entry.file_type().map_err(cannot_read)?;
    if !file_type.is_symlink() {
        return Ok(file_type.is_dir());
    }
    let target = match fs::metadata(&link) {
        Ok(target) if target.is_dir() => target,
        Ok(_) => return Ok(false),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(cannot_read(cause)),
    };
    Ok(!leads_above(&link, &target))
}

fn read_dir(directory: &Path) -> Result<Vec<DirEntry>> {
    let cannot_read = |cause| Error::io("cannot read", directory, cause);
    match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<_>>().map_err(cannot_read),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(cannot_read(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::link_directory;

    #[test]
    fn links_to_directories_are_followed_and_end() {
        let (root, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (root, disk) = (root.path(), disk.path());
        fs::create_dir_all(disk.join("zips/m/@v")).unwrap();
        fs::write(disk.join("zips/m/@v/v1.0.0.zip"), "").unwrap();
        fs::create_dir_all(disk.join("dirs/n@v1.0.0")).unwrap();
        fs::create_dir_all(root.join("cache/download")).unwrap();
        let link = |to: &Path, at: &str| link_directory(to, &root.join(at)).unwrap();
        link(&disk.join("zips"), "cache/download/a.com");
        link(&disk.join("dirs"), "b.com");
        link(root, "up");
        link(&root.join("cache"), "cache/download/up");
        link(Path::new("/no/where"), "cache/download/nowhere");
        let modules = Cache::at(root).unwrap().modules().unwrap();
        let names: Vec<String> = modules.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.com/m@v1.0.0", "b.com/n@v1.0.0"]);
    }

    #[test]
    fn whatever_left_a_piece_is_found_once_and_in_order() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for file in [
            "cache/download/b.com/!up/@v/v1.10.0.zip",
            "cache/download/b.com/!up/@v/v1.10.0.ziphash",
            "cache/download/b.com/!up/@v/v1.9.0-!r!c1.mod",
            "cache/download/b.com/!up/@v/list",
            "cache/download/b.com/!up/@v/v1.0.0.lock",
            "cache/download/b.com/!up/@v/v1.0.0.info",
            "cache/download/b.com/!up/@v/v1.0.0.zip123.tmp",
            "cache/download/b.com/!up/v2/@v/v2.0.0.partial",
            "cache/download/b.com/Up/@v/v1.0.0.zip",
            "cache/download/b.com/!up/@v/v1.zip",
            "cache/download/sumdb/s.com/lookup/x.com/@v/v1.0.0.zip",
            "cache/vcs/x.com/@v/v1.0.0.zip",
            "a.com/m@v1.0.0/go.mod",
            "a.com/m@v1.0.0/b.com/n@v1.0.0/go.mod",
            "b.com/!up@v1.10.0/go.mod",
            "notes/readme",
        ] {
            put(file);
        }
        let modules = Cache::at(root.path()).unwrap().modules().unwrap();
        let names: Vec<String> = modules.iter().map(ToString::to_string).collect();
        let want = [
            "a.com/m@v1.0.0",
            "b.com/Up@v1.9.0-RC1",
            "b.com/Up@v1.10.0",
            "b.com/Up/v2@v2.0.0",
        ];
        assert_eq!(names, want);
        assert!(
            Cache::at(Path::new("/none"))
                .unwrap()
                .modules()
                .unwrap()
                .is_empty()
        );
    }
}
