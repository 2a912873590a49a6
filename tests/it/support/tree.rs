//! Pictures of folders: every path with its kind, mode and content, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What is at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// A folder with its permission bits.
    Folder(u32),
    /// A file with its permission bits and content.
    File(u32, Vec<u8>),
    /// A symbolic link and its target, which nothing here should ever make.
    Link(String),
}

/// A folder's picture: relative path to what is there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Picture(pub BTreeMap<String, Node>);

impl Picture {
    /// Takes the picture of a folder; a folder that does not exist is empty.
    ///
    /// # Panics
    /// If something in it cannot be read.
    pub fn of(folder: &Path) -> Picture {
        let mut picture = Picture::default();
        if folder.exists() {
            picture.add(folder, "");
        }
        picture
    }

    fn add(&mut self, folder: &Path, prefix: &str) {
        let entries = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
        for entry in entries {
            let entry = entry.expect("the folder was readable a moment ago");
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue; // A temporary file of a running program.
            };
            let mode = meta.permissions().mode() & 0o7777;
            let node = if meta.is_dir() {
                self.add(&path, &format!("{name}/"));
                Node::Folder(mode)
            } else if meta.is_symlink() {
                Node::Link(
                    fs::read_link(&path)
                        .unwrap_or_default()
                        .display()
                        .to_string(),
                )
            } else {
                Node::File(mode, fs::read(&path).unwrap_or_default())
            };
            self.0.insert(name, node);
        }
    }

    /// Leaves out lock files: which of them exist depends on which program ran.
    #[must_use]
    pub fn without_locks(self) -> Picture {
        self.without(|path| path.ends_with(".lock") || path == "cache/lock")
    }

    /// Leaves out modfetch's own state, which go ignores.
    #[must_use]
    pub fn without_own_state(self) -> Picture {
        self.without(|path| path == "cache/modfetch" || path.starts_with("cache/modfetch/"))
    }

    /// Leaves out the paths that `drop` picks.
    #[must_use]
    pub fn without(mut self, drop: impl Fn(&str) -> bool) -> Picture {
        self.0.retain(|path, _| !drop(path));
        self
    }

    /// The paths, sorted.
    pub fn paths(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// True if there is something at the path.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The content of a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        match self.0.get(path) {
            Some(Node::File(_, data)) => Some(data),
            _ => None,
        }
    }

    /// The differences as lines: what `other` misses (`-`), has more (`+`) and has otherwise (`!`).
    pub fn diff(&self, other: &Picture) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, node) in &self.0 {
            match other.0.get(path) {
                None => lines.push(format!("- {path} {}", node.describe())),
                Some(theirs) if theirs != node => lines.push(format!(
                    "! {path}\n    {}\n    {}",
                    node.describe(),
                    theirs.describe()
                )),
                Some(_) => {}
            }
        }
        for (path, node) in &other.0 {
            if !self.0.contains_key(path) {
                lines.push(format!("+ {path} {}", node.describe()));
            }
        }
        lines
    }

    /// Demands that both are alike; `what` names the two.
    ///
    /// # Panics
    /// With the differences.
    #[track_caller]
    pub fn assert_same(&self, other: &Picture, what: &str) {
        let lines = self.diff(other);
        assert!(lines.is_empty(), "{what} differ:\n{}", lines.join("\n"));
    }
}

impl Node {
    fn describe(&self) -> String {
        match self {
            Node::Folder(mode) => format!("folder {mode:04o}"),
            Node::Link(target) => format!("link to {target}"),
            Node::File(mode, data) => {
                let text = std::str::from_utf8(data)
                    .ok()
                    .filter(|text| text.len() <= 400);
                match text {
                    Some(text) => format!("file {mode:04o} {text:?}"),
                    None => format!("file {mode:04o} {} bytes", data.len()),
                }
            }
        }
    }
}
