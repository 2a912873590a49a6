//! Trees of files that are served as they are: module caches and GOPROXY trees.
//!
//! The download folder of a module cache and a `file://` GOPROXY hold the same names, so one kind
//! of tree serves both. A path of the protocol is, below the root, the path of the file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::route::FileKind;
use super::tags::FileIdentity;
use crate::gomod::{
    H1, ModulePath, ModuleVersion, compare, is_pseudo_version, is_valid, prerelease,
};

/// A file that a tree has.
#[derive(Debug)]
pub(super) struct ServedFile {
    /// Open for reading by position.
    pub file: File,
    /// In bytes.
    pub length: u64,
    /// Which one it is.
    pub identity: FileIdentity,
}

/// A tree at a folder.
#[derive(Clone, Debug)]
pub(super) struct ServedTree {
    root: PathBuf,
}

/// The longest list that is read.
const MAX_LIST_BYTES: u64 = 16 << 20;

impl ServedTree {
    /// Names the tree; reads nothing.
    #[must_use]
    pub(super) fn at(root: &Path) -> ServedTree {
        ServedTree {
            root: root.to_owned(),
        }
    }

    /// The folder whose sub-folders are module paths.
    #[must_use]
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file of the protocol is, by its path without the first slash.
    #[must_use]
    pub(super) fn place(&self, below: &str) -> PathBuf {
        let mut place = self.root.clone();
        place.push(below);
        place
    }

    /// Opens a regular file; `None` if there is none, or none that can be read.
    #[must_use]
    pub(super) fn open(&self, below: &str) -> Option<ServedFile> {
        let file = File::open(self.place(below)).ok()?;
        let found = file.metadata().ok()?;
        found.is_file().then(|| ServedFile {
            length: found.len(),
            identity: FileIdentity::of(&found),
            file,
        })
    }

    /// Opens a file of a version.
    #[must_use]
    pub(super) fn open_file(&self, module: &ModuleVersion, kind: FileKind) -> Option<ServedFile> {
        self.open(&module.escape().ok()?.file(kind.suffix()))
    }

    /// The recorded sum of a version's zip; `None` if none is recorded.
    #[must_use]
    pub(super) fn ziphash(&self, module: &ModuleVersion) -> Option<H1> {
        let below = module.escape().ok()?.file("ziphash");
        let mut text = [0; 64];
        let mut file = File::open(self.place(&below)).ok()?;
        let mut length = 0;
        loop {
            match file.read(text.get_mut(length..)?).ok()? {
                0 => break,
                count => length += count,
            }
        }
        H1::parse(std::str::from_utf8(&text[..length]).ok()?.trim()).ok()
    }

    /// The content of a short file.
    #[must_use]
    pub(super) fn read(&self, below: &str) -> Option<Vec<u8>> {
        let found = self.open(below)?;
        let mut data = Vec::new();
        found
            .file
            .take(MAX_LIST_BYTES)
            .read_to_end(&mut data)
            .ok()?;
        Some(data)
    }

    /// The versions whose zip is there, pseudo-versions too, in semver order.
    #[must_use]
    pub(super) fn versions(&self, path: &ModulePath) -> Vec<String> {
        let Ok(escaped) = path.escape() else {
            return Vec::new();
        };
        let folder = self.place(&format!("{escaped}/@v"));
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        let versions: BTreeSet<String> = files
            .filter_map(|file| {
                let name = file.file_name();
                let version = name.to_str()?.strip_suffix(".zip")?;
                let module = ModuleVersion::unescape(escaped.as_str(), version).ok()?;
                Some(module.version().as_str().to_owned())
            })
            .collect();
        let mut versions: Vec<String> = versions.into_iter().collect();
        versions.sort_by(|a, b| compare(a, b));
        versions
    }

    /// The versions that the tree's own `list` names.
    #[must_use]
    pub(super) fn listed(&self, path: &ModulePath) -> Option<Vec<String>> {
        let data = self.read(&format!("{}/@v/list", path.escape().ok()?))?;
        let text = String::from_utf8_lossy(&data).into_owned();
        let words = text
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        Some(
            words
                .filter(|word| is_valid(word))
                .map(str::to_owned)
                .collect(),
        )
    }
}

/// Released and pre-released versions, each once, in semver order.
#[must_use]
pub(super) fn sort_released(versions: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut released: Vec<String> = versions
        .into_iter()
        .filter(|version| !is_pseudo_version(version))
        .collect();
    released.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
    released.dedup();
    released
}

/// The version that `@latest` stands for: the highest release, else the highest pre-release, else
/// the highest pseudo-version.
///
/// Source: Go Modules Reference, "$module/@latest".
#[must_use]
pub(super) fn latest_of(versions: &[String]) -> Option<&str> {
    let highest = |wanted: &dyn Fn(&str) -> bool| {
        let wanted = versions.iter().filter(|version| wanted(version));
        wanted.max_by(|a, b| compare(a, b)).map(String::as_str)
    };
    highest(&|version| !is_pseudo_version(version) && prerelease(version).is_empty())
        .or_else(|| highest(&|version| !is_pseudo_version(version)))
        .or_else(|| highest(&|_| true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_version_is_a_release_where_there_is_one() {
        let latest = |versions: &[&str]| {
            let versions: Vec<String> = versions.iter().map(|&version| version.into()).collect();
            latest_of(&versions).map(str::to_owned)
        };
        let pseudo = "v0.0.0-20200101000000-abcdefabcdef";
        assert_eq!(
            latest(&["v1.0.0", "v1.2.0", "v2.0.0-rc.1"]).as_deref(),
            Some("v1.2.0")
        );
        assert_eq!(
            latest(&[pseudo, "v0.1.0-a", "v0.1.0-b"]).as_deref(),
            Some("v0.1.0-b")
        );
        assert_eq!(latest(&[pseudo]).as_deref(), Some(pseudo));
        assert_eq!(latest(&[]), None);
    }

    #[test]
    fn versions_are_those_whose_zip_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a.com/!m/@v");
        fs::create_dir_all(&folder).unwrap();
        for name in [
            "v1.10.0.zip",
            "v1.9.0.zip",
            "v1.11.0.mod",
            "v1.0.0-!r!c1.zip",
            "v2.zip",
            "x.zip",
        ] {
            fs::write(folder.join(name), "").unwrap();
        }
        let path = ModulePath::parse("a.com/M").unwrap();
        let versions = ServedTree::at(dir.path()).versions(&path);
        assert_eq!(versions, ["v1.0.0-RC1", "v1.9.0", "v1.10.0"]);
    }
}
