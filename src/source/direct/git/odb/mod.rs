//! The objects of a git repository on disk: read here, whoever wrote them.
//!
//! A clone below `cache/vcs` is made by git, by go's git or by the built-in client; in each case
//! its objects are loose files or packs with an index. Reading them here instead of starting a
//! program for each question saves most of the time of a warm run, and no setting of the user can
//! change what is read: filters, replacements and attributes files are git's, not the object's.
//!
//! What is read is checked: the hash of an object's content is its name, computed with the
//! detection of SHA-1 collisions that git has. Nothing here fetches or writes objects, except
//! that `index` makes the index of a pack that has just been received.
//!
//! | file | idea |
//! |---|---|
//! | `id` | object names: SHA-1 or SHA-256 |
//! | `object` | kinds of objects; commits, tags and trees taken apart |
//! | `delta` | an object as the difference from another |
//! | `pack` | a pack and its index |
//! | `index` | making the index of a pack |
//! | `walk` | history: ancestors, as far as it was fetched |
//!
//! Source: git `Documentation/gitformat-pack.txt`, `gitrepository-layout.txt`.

mod delta;
mod id;
mod index;
mod object;
mod pack;
mod walk;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use flate2::read::ZlibDecoder;

pub(super) use id::Hasher;
pub use id::{HashKind, ObjectId};
pub use index::index_pack;
pub use object::GitObject;
pub(super) use object::{Commit, ObjectKind, TreeEntry, TreeEntryKind, parse_tree};

use crate::error::{Error, Kind, Result};
use pack::Pack;

/// Commits, tags and trees that are larger are refused: git itself knows no limit, real ones
/// have some kilobytes.
const MAX_SMALL_OBJECT_BYTES: u64 = 64 << 20;

/// The objects of one repository.
pub struct ObjectDatabase {
    dir: PathBuf,
    hash: HashKind,
    packs: RwLock<Arc<Vec<Pack>>>,
}

/// What the beginning of a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    Missing,
    One(ObjectId),
    Ambiguous,
}

impl ObjectDatabase {
    /// The objects of the bare repository in `dir`. Reads the list of its packs.
    ///
    /// # Errors
    /// The list cannot be read, or the index of a pack is damaged.
    pub fn open(dir: &Path, hash: HashKind) -> Result<ObjectDatabase> {
        let store = ObjectDatabase {
            dir: dir.to_owned(),
            hash,
            packs: RwLock::default(),
        };
        store.refresh()?;
        Ok(store)
    }

    /// Looks for packs that have come since.
    pub(super) fn refresh(&self) -> Result<()> {
        let dir = self.dir.join("objects/pack");
        let known = self.packs();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(Error::io("cannot read", &dir, cause)),
        };
        let mut packs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|cause| Error::io("cannot read", &dir, cause))?;
            let index = entry.path();
            if index.extension().is_none_or(|end| end != "idx") {
                continue;
            }
            match known.iter().find(|pack| pack.index_path() == index) {
                Some(pack) => packs.push(pack.clone()),
                // One that goes away meanwhile has been packed anew: its objects are elsewhere.
                None => packs.extend(Pack::open(&index, self.hash)?),
            }
        }
        *self.packs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(packs);
        Ok(())
    }

    fn packs(&self) -> Arc<Vec<Pack>> {
        Arc::clone(&self.packs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where a loose object is.
    fn loose(&self, id: &ObjectId) -> PathBuf {
        let name = id.to_string();
        let (folder, file) = name.split_at(2);
        self.dir.join("objects").join(folder).join(file)
    }

    /// True if an object is in no pack.
    fn is_loose(&self, id: &ObjectId) -> bool {
        self.packs().iter().all(|pack| pack.find(id).is_none())
    }

    pub(super) fn has(&self, id: &ObjectId) -> bool {
        !self.is_loose(id) || self.loose(id).exists()
    }

    /// An object as a whole, of at most `limit` bytes; `None` if it is not there.
    ///
    /// # Errors
    /// The object is damaged, or larger.
    pub fn read(&self, id: &ObjectId, limit: u64) -> Result<Option<GitObject>> {
        let mut data = Vec::new();
        let kind = self.copy_any(id, limit, &mut data)?;
        Ok(kind.map(|kind| GitObject { kind, data }))
    }

    /// Writes the content of a blob.
    ///
    /// # Errors
    /// It is not there; it is damaged; `out` cannot take it.
    pub(super) fn copy_blob(&self, id: &ObjectId, out: &mut dyn Write) -> Result<()> {
        match self.copy_any(id, u64::MAX, out)? {
            Some(ObjectKind::Blob) => Ok(()),
            Some(_) => Err(self.damaged(id, "is no file")),
            None => Err(self.damaged(id, "is missing")),
        }
    }

    fn copy_any(
        &self,
        id: &ObjectId,
        limit: u64,
        out: &mut dyn Write,
    ) -> Result<Option<ObjectKind>> {
        if let Some(kind) = self.copy_packed(id, limit, out)? {
            return Ok(Some(kind));
        }
        if let Some(kind) = self.copy_loose(id, limit, out)? {
            return Ok(Some(kind));
        }
        // Another process may have packed it meanwhile.
        self.refresh()?;
        self.copy_packed(id, limit, out)
    }

    fn copy_packed(
        &self,
        id: &ObjectId,
        limit: u64,
        out: &mut dyn Write,
    ) -> Result<Option<ObjectKind>> {
        for pack in self.packs().iter() {
            let Some(offset) = pack.find(id) else {
                continue;
            };
            let mut checked = Checked::new(out, self.hash, id, limit);
            let copied = pack.copy(offset, &mut checked);
            return match copied {
                Ok(kind) => {
                    checked
                        .finish(kind)
                        .map_err(|reason| self.damaged(id, reason))?;
                    Ok(Some(kind))
                }
                Err(cause) => Err(checked.explain(&cause, |reason| self.damaged(id, &reason))),
            };
        }
        Ok(None)
    }

    fn copy_loose(
        &self,
        id: &ObjectId,
        limit: u64,
        out: &mut dyn Write,
    ) -> Result<Option<ObjectKind>> {
        let path = self.loose(id);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::io("cannot open", &path, cause)),
        };
        let mut data = BufReader::new(ZlibDecoder::new(BufReader::new(file)));
        let mut header = Vec::new();
        let read = (&mut data).take(64).read_until(0, &mut header);
        let parsed = read.ok().and_then(|_| object::parse_header(&header));
        let Some((kind, size)) = parsed else {
            return Err(self.damaged(id, "is damaged"));
        };
        let mut checked = Checked::new(out, self.hash, id, limit);
        let copied = checked
            .begin(kind, size)
            .and_then(|()| io::copy(&mut data, &mut checked));
        match copied {
            Ok(_) => {
                checked
                    .finish(kind)
                    .map_err(|reason| self.damaged(id, reason))?;
                Ok(Some(kind))
            }
            Err(cause) => Err(checked.explain(&cause, |reason| self.damaged(id, &reason))),
        }
    }

    /// An object that must be there, as a whole.
    fn small(&self, id: &ObjectId, wanted: ObjectKind) -> Result<Vec<u8>> {
        match self.read(id, MAX_SMALL_OBJECT_BYTES)? {
            Some(object) if object.kind == wanted => Ok(object.data),
            Some(_) => Err(self.damaged(id, "is of another kind than its user says")),
            None => Err(self.damaged(id, "is missing")),
        }
    }

    /// The commit that a commit or a tag leads to; `None` if that is something else, or not there.
    pub(super) fn peel(&self, id: &ObjectId) -> Result<Option<(ObjectId, Commit)>> {
        let mut id = *id;
        // Tags of tags exist; a thousand of them in a row do not.
        for _ in 0..1000 {
            let Some(object) = self.read(&id, MAX_SMALL_OBJECT_BYTES)? else {
                return Ok(None);
            };
            match object.kind {
                ObjectKind::Commit => {
                    let commit = Commit::parse(&object.data);
                    let commit = commit.ok_or_else(|| self.damaged(&id, "is no commit"))?;
                    return Ok(Some((id, commit)));
                }
                ObjectKind::Tag => {
                    let target = object::tag_target(&object.data);
                    id = target.ok_or_else(|| self.damaged(&id, "is no tag"))?;
                }
                ObjectKind::Blob | ObjectKind::Tree => return Ok(None),
            }
        }
        Err(self.damaged(&id, "is a tag of a tag without end"))
    }

    /// The entries of a tree.
    pub(super) fn tree(&self, id: &ObjectId) -> Result<Vec<TreeEntry>> {
        let data = self.small(id, ObjectKind::Tree)?;
        let entries = parse_tree(&data, self.hash);
        entries.ok_or_else(|| self.damaged(id, "is no tree"))
    }

    /// The entry at `path` below a tree; `None` if there is none.
    pub(super) fn entry_at(&self, tree: &ObjectId, path: &str) -> Result<Option<TreeEntry>> {
        let mut found: Option<TreeEntry> = None;
        for element in path.split('/').filter(|element| !element.is_empty()) {
            let folder = match &found {
                None => *tree,
                Some(entry) if entry.kind == TreeEntryKind::Directory => entry.id,
                Some(_) => return Ok(None),
            };
            let mut entries = self.tree(&folder)?.into_iter();
            found = entries.find(|entry| entry.name == element.as_bytes());
            if found.is_none() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    /// What the beginning of a name, in lower-case hexadecimal, leads to; only commits and tags
    /// count, as where git looks for a revision.
    pub(super) fn find_prefix(&self, prefix: &str) -> Result<Prefix> {
        if let Some(id) = ObjectId::parse(prefix, self.hash) {
            let there = self.has(&id);
            return Ok(if there {
                Prefix::One(id)
            } else {
                Prefix::Missing
            });
        }
        let mut found: HashSet<ObjectId> = HashSet::new();
        for pack in self.packs().iter() {
            pack.with_prefix(prefix, &mut found);
        }
        if let Some((folder, rest)) = prefix.split_at_checked(2) {
            let entries = fs::read_dir(self.dir.join("objects").join(folder));
            for entry in entries.into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_str().filter(|name| name.starts_with(rest));
                let id =
                    name.and_then(|name| ObjectId::parse(&format!("{folder}{name}"), self.hash));
                found.extend(id);
            }
        }
        let mut commits = HashSet::new();
        for id in found {
            if let Some((commit, _)) = self.peel(&id)? {
                commits.insert(commit);
            }
        }
        let mut commits = commits.into_iter();
        Ok(match (commits.next(), commits.next()) {
            (None, _) => Prefix::Missing,
            (Some(id), None) => Prefix::One(id),
            (Some(_), Some(_)) => Prefix::Ambiguous,
        })
    }

    fn damaged(&self, id: &ObjectId, what: &str) -> Error {
        let dir = self.dir.display();
        Error::new(Kind::LocalIo, format!("object {id} in {dir} {what}"))
            .hint(format!("remove {dir} to fetch the repository again"))
    }
}

/// Hands an object's content on, counts it, and computes its name.
struct Checked<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    wanted: ObjectId,
    limit: u64,
    left: u64,
    refused: Option<io::Error>,
}

impl<'a> Checked<'a> {
    fn new(out: &'a mut dyn Write, hash: HashKind, wanted: &ObjectId, limit: u64) -> Checked<'a> {
        Checked {
            out,
            hasher: Hasher::new(hash),
            wanted: *wanted,
            limit,
            left: 0,
            refused: None,
        }
    }

    /// Says what comes.
    fn begin(&mut self, kind: ObjectKind, size: u64) -> io::Result<()> {
        if size > self.limit {
            return Err(io::Error::other("is too large"));
        }
        self.left = size;
        self.hasher.update(&object::header(kind, size));
        Ok(())
    }

    fn finish(self, kind: ObjectKind) -> std::result::Result<(), &'static str> {
        if self.left != 0 {
            return Err("is cut");
        }
        let found = self.hasher.finish();
        match found {
            None => Err("is half of a SHA-1 collision: two objects were made to have one name"),
            Some(id) if id == self.wanted => Ok(()),
            Some(_) if kind == ObjectKind::Blob => Err("has another content than its name says"),
            Some(_) => Err("is damaged: its content does not have its name"),
        }
    }

    /// Whose fault a failed copy is.
    fn explain(self, cause: &io::Error, damaged: impl Fn(String) -> Error) -> Error {
        match self.refused {
            Some(refused) => Error::new(Kind::LocalIo, "cannot write").because(refused),
            None => damaged(format!("is damaged: {cause}")),
        }
    }
}

impl Write for Checked<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() as u64 > self.left {
            return Err(io::Error::other("is longer than it says"));
        }
        match self.out.write(data) {
            Ok(count) => {
                self.left -= count as u64;
                self.hasher.update(data.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(cause) => {
                self.refused = Some(io::Error::new(cause.kind(), cause.to_string()));
                Err(cause)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl pack::ObjectTarget for Checked<'_> {
    fn begin(&mut self, kind: ObjectKind, size: u64) -> io::Result<()> {
        Checked::begin(self, kind, size)
    }
}
