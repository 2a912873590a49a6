//! The files of a commit: which there are, and their content as go's zips have it.

use std::io::Write;
use std::sync::Arc;

use super::attributes::{Attributes, Conversion};
use super::odb::{ObjectDatabase, ObjectId, TreeEntry, TreeEntryKind};
use crate::error::{Error, Kind, Result};
use crate::modzip::RepositoryFile;
use crate::source::direct::repository::RepositoryTree;

/// More files than any module zip can hold: a tree can name itself ten times over, and ten times
/// that, without being large.
const MAX_FILES: usize = 400_000;

/// Folders within folders beyond which no system can unpack anything.
const MAX_DEPTH: usize = 1000;

/// A file that is converted is held in memory, once before and once after.
const MAX_CONVERTED_BYTES: u64 = 500 << 20;

/// The files of a folder of a commit.
pub(super) struct GitTree {
    store: Arc<ObjectDatabase>,
    files: Vec<RepositoryFile>,
    contents: Vec<(ObjectId, Conversion)>,
}

/// A folder that is still to be read.
struct Folder {
    /// With a slash at the end, from the root of the repository.
    path: Vec<u8>,
    entries: std::vec::IntoIter<TreeEntry>,
}

impl GitTree {
    /// Reads the list of the files below `subdir`, in the order of `git archive`.
    pub(super) fn read(
        store: Arc<ObjectDatabase>,
        root: &ObjectId,
        subdir: &str,
    ) -> Result<GitTree> {
        let mut attributes = Attributes::default();
        let mut tree = *root;
        let mut path = Vec::new();
        attributes.enter(&store, &path, &store.tree(&tree)?)?;
        for element in subdir.split('/').filter(|element| !element.is_empty()) {
            let entries = store.tree(&tree)?;
            let found = entries
                .iter()
                .find(|entry| entry.name == element.as_bytes());
            let found = found.filter(|entry| entry.kind == TreeEntryKind::Directory);
            tree = found.map(|entry| entry.id).ok_or_else(|| missing(subdir))?;
            path.extend_from_slice(element.as_bytes());
            path.push(b'/');
            attributes.enter(&store, &path, &store.tree(&tree)?)?;
        }
        let base = path.len();
        let mut made = GitTree {
            files: Vec::new(),
            contents: Vec::new(),
            store,
        };
        let mut open = vec![Folder {
            entries: made.store.tree(&tree)?.into_iter(),
            path,
        }];
        while let Some(folder) = open.last_mut() {
            let Some(entry) = folder.entries.next() else {
                attributes.leave(&folder.path);
                open.pop();
                continue;
            };
            let mut path = folder.path.clone();
            path.extend_from_slice(&entry.name);
            match entry.kind {
                TreeEntryKind::Submodule => {}
                TreeEntryKind::Directory => {
                    if open.len() >= MAX_DEPTH {
                        return Err(too_much("has folders within folders without end"));
                    }
                    path.push(b'/');
                    let entries = made.store.tree(&entry.id)?;
                    attributes.enter(&made.store, &path, &entries)?;
                    open.push(Folder {
                        path,
                        entries: entries.into_iter(),
                    });
                }
                TreeEntryKind::File | TreeEntryKind::Symlink => {
                    if made.files.len() >= MAX_FILES {
                        return Err(too_much("has too many files"));
                    }
                    let is_regular = entry.kind == TreeEntryKind::File;
                    let conversion = match is_regular {
                        true => attributes.conversion(&path),
                        false => Conversion::default(),
                    };
                    made.files.push(RepositoryFile {
                        path: path.get(base..).unwrap_or_default().to_vec(),
                        is_regular,
                    });
                    made.contents.push((entry.id, conversion));
                }
            }
        }
        Ok(made)
    }
}

fn missing(subdir: &str) -> Error {
    Error::new(
        Kind::NotFound,
        format!("no folder {subdir} in the repository"),
    )
}

fn too_much(what: &str) -> Error {
    Error::new(Kind::Security, format!("create zip: the repository {what}"))
}

impl RepositoryTree for GitTree {
    fn files(&self) -> &[RepositoryFile] {
        &self.files
    }

    fn copy(&mut self, index: usize, out: &mut dyn Write) -> Result<()> {
        let Some((id, conversion)) = self.contents.get(index) else {
            return Err(missing("?"));
        };
        if conversion.is_none() {
            return self.store.copy_blob(id, out);
        }
        let object = self.store.read(id, MAX_CONVERTED_BYTES)?;
        let data = object.map(|object| object.data).unwrap_or_default();
        let path = self
            .files
            .get(index)
            .map(|file| String::from_utf8_lossy(&file.path));
        let path = path.unwrap_or_default();
        let converted = conversion.apply(data, id).map_err(|encoding| {
            let text = format!(
                "{path}: .gitattributes asks for working-tree-encoding={encoding}, which cannot be \
                 applied"
            );
            Error::new(Kind::Other, text).hint("fetch the module through a proxy")
        })?;
        out.write_all(&converted).map_err(|cause| {
            Error::new(Kind::LocalIo, format!("cannot copy {path}")).because(cause)
        })
    }
}
