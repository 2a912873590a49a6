//! Kinds of objects, and what is needed of each.

use super::id::{HashKind, ObjectId};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A tree, with its parents and its time.
    Commit,
    /// A directory.
    Tree,
    /// The content of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    fn name(self) -> &'static str {
        match self {
            ObjectKind::Commit => "commit",
            ObjectKind::Tree => "tree",
            ObjectKind::Blob => "blob",
            ObjectKind::Tag => "tag",
        }
    }

    /// The kind that a pack numbers so; deltas are not kinds.
    pub(super) fn of_number(number: u8) -> Option<ObjectKind> {
        match number {
            1 => Some(ObjectKind::Commit),
            2 => Some(ObjectKind::Tree),
            3 => Some(ObjectKind::Blob),
            4 => Some(ObjectKind::Tag),
            _ => None,
        }
    }
}

/// An object in memory.
#[derive(Clone, Debug)]
pub struct GitObject {
    /// What the object is.
    pub kind: ObjectKind,
    /// The content, without the header.
    pub data: Vec<u8>,
}

/// What is hashed, and in a loose object stored, before the content.
pub(super) fn header(kind: ObjectKind, size: u64) -> Vec<u8> {
    format!("{} {size}\0", kind.name()).into_bytes()
}

/// Reads such a header, with its zero byte.
pub(super) fn parse_header(header: &[u8]) -> Option<(ObjectKind, u64)> {
    let text = std::str::from_utf8(header.strip_suffix(b"\0")?).ok()?;
    let (name, size) = text.split_once(' ')?;
    let kinds = [
        ObjectKind::Commit,
        ObjectKind::Tree,
        ObjectKind::Blob,
        ObjectKind::Tag,
    ];
    let kind = kinds.into_iter().find(|kind| kind.name() == name)?;
    Some((kind, size.parse().ok()?))
}

/// What is needed of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::direct) struct Commit {
    pub(in crate::source::direct) tree: ObjectId,
    pub(in crate::source::direct) parents: Vec<ObjectId>,
    /// The committer's, in seconds since 1970.
    pub(in crate::source::direct) time: i64,
}

impl Commit {
    pub(super) fn parse(data: &[u8]) -> Option<Commit> {
        let mut tree = None;
        let mut parents = Vec::new();
        let mut time = None;
        for line in data.split(|&byte| byte == b'\n') {
            if line.is_empty() {
                break;
            }
            if let Some(name) = line.strip_prefix(b"tree ") {
                tree = id(name);
            } else if let Some(name) = line.strip_prefix(b"parent ") {
                parents.push(id(name)?);
            } else if let Some(committer) = line.strip_prefix(b"committer ") {
                time = Some(committer_time(committer));
                break;
            }
        }
        Some(Commit {
            tree: tree?,
            parents,
            time: time?,
        })
    }
}

/// The seconds after the last `>`; like git, 0 where that says nothing.
fn committer_time(committer: &[u8]) -> i64 {
    let end = committer.iter().rposition(|&byte| byte == b'>');
    let rest = end
        .and_then(|end| committer.get(end + 1..))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(rest);
    let seconds = text.split_whitespace().next();
    seconds.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn id(name: &[u8]) -> Option<ObjectId> {
    ObjectId::parse_any(std::str::from_utf8(name).ok()?)
}

/// What an annotated tag names.
pub(super) fn tag_target(data: &[u8]) -> Option<ObjectId> {
    let line = data.split(|&byte| byte == b'\n').next()?;
    id(line.strip_prefix(b"object ")?)
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::direct) enum TreeEntryKind {
    File,
    Symlink,
    Directory,
    /// A commit of another repository.
    Submodule,
}

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::direct) struct TreeEntry {
    pub(in crate::source::direct) name: Vec<u8>,
    pub(in crate::source::direct) kind: TreeEntryKind,
    pub(in crate::source::direct) id: ObjectId,
}

/// Takes a tree apart; `None` if it is malformed.
pub(in crate::source::direct) fn parse_tree(data: &[u8], hash: HashKind) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == 0)?;
        let (head, after) = rest.split_at(end);
        let (name, after) = after.get(1..)?.split_at_checked(hash.bytes())?;
        let space = head.iter().position(|&byte| byte == b' ')?;
        let (mode, file) = head.split_at(space);
        let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
        let file = file.get(1..)?;
        // What git refuses to check out is no name of a file.
        if file.is_empty() || file.contains(&b'/') {
            return None;
        }
        let kind = match mode & 0o170_000 {
            0o040_000 => TreeEntryKind::Directory,
            0o120_000 => TreeEntryKind::Symlink,
            0o160_000 => TreeEntryKind::Submodule,
            _ => TreeEntryKind::File,
        };
        entries.push(TreeEntry {
            name: file.to_vec(),
            kind,
            id: ObjectId::from_bytes(name, hash)?,
        });
        rest = after;
    }
    Some(entries)
}
