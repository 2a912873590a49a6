//! The folder of a bare repository: made as `git init --bare` makes one, without the program.
//!
//! `objects` is made last: go takes a folder that has it for a repository. `info/attributes`
//! switches off what `git archive` would leave out or expand, as go's clones have it.
//!
//! Source: git `Documentation/gitrepository-layout.txt`; golang/go
//! `cmd/go/internal/modfetch/codehost/git.go` (`newGitRepo`, `ensureGitAttributes`).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::odb::{HashKind, ObjectDatabase, ObjectId};
use super::refs::Refs;
use crate::error::{Error, Result};
use crate::fsio::{create_dir_all, write_atomically};

const ATTRIBUTES: &str = "\n* -export-subst -export-ignore\n";

/// The hash of the repository in `dir`; `None` if there is no repository yet.
pub(super) fn hash_kind(dir: &Path) -> Result<Option<HashKind>> {
    if !dir.join("objects").is_dir() {
        return Ok(None);
    }
    let path = dir.join("config");
    let config = match fs::read_to_string(&path) {
        Ok(config) => config,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(Error::io("cannot read", &path, cause)),
    };
    let is_sha256 = config.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        let pair = line.split_once('=');
        pair.is_some_and(|(name, value)| name.trim() == "objectformat" && value.trim() == "sha256")
    });
    Ok(Some(match is_sha256 {
        true => HashKind::Sha256,
        false => HashKind::Sha1,
    }))
}

/// What a clone is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloneExtent {
    /// Commits with their files.
    Whole,
    /// Commits; files may be missing, and the configuration says so to git.
    Partial,
}

/// Makes a repository that is to hold what is at `url`.
pub(super) fn create(dir: &Path, url: &str, hash: HashKind, extent: CloneExtent) -> Result<()> {
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|cause| Error::io("cannot write", &path, cause))
    };
    for name in ["info", "refs/heads", "refs/tags"] {
        create_dir_all(&dir.join(name))?;
    }
    let (version, extension) = match hash {
        HashKind::Sha1 => (0, String::new()),
        HashKind::Sha256 => (
            1,
            format!("[extensions]\n\tobjectformat = {}\n", hash.name()),
        ),
    };
    let url = url.replace('\\', "\\\\").replace('"', "\\\"");
    let promisor = match extent {
        CloneExtent::Whole => "",
        CloneExtent::Partial => "\tpromisor = true\n\tpartialclonefilter = tree:0\n",
    };
    write("HEAD", "ref: refs/heads/main\n")?;
    write("info/attributes", ATTRIBUTES)?;
    write(
        "config",
        &format!(
            "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = true\n\
             {extension}[remote \"origin\"]\n\turl = \"{url}\"\n\
             \tfetch = +refs/heads/*:refs/remotes/origin/*\n{promisor}"
        ),
    )?;
    for name in ["objects/info", "objects/pack"] {
        create_dir_all(&dir.join(name))?;
    }
    Ok(())
}

/// Removes lock files and half-written packs of a program that was killed. The folder is locked, and a
/// program that outlives its starter holds the lock too, so that no process is writing.
pub(super) fn sweep(dir: &Path) {
    let mut folders = vec![dir.to_owned(), dir.join("objects/pack")];
    while let Some(folder) = folders.pop() {
        let is_root = folder == dir;
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir && (!is_root || name == "refs") {
                folders.push(entry.path());
            } else if !is_dir && (name.ends_with(".lock") || name.starts_with("tmp_")) {
                // What cannot be removed stops the program, which then says so.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The commits whose parents were not fetched.
pub(super) fn read_shallow(dir: &Path) -> Result<BTreeSet<ObjectId>> {
    let path = dir.join("shallow");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(ObjectId::parse_any).collect()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(cause) => Err(Error::io("cannot read", &path, cause)),
    }
}

/// Writes them down.
pub(super) fn write_shallow(dir: &Path, commits: &BTreeSet<ObjectId>) -> Result<()> {
    let text: String = commits.iter().map(|id| format!("{id}\n")).collect();
    write_atomically(&dir.join("shallow"), text.as_bytes())
}

/// True if all that the refs lead to is there, with its history.
pub(super) fn is_complete(dir: &Path, refs: &Refs, store: &ObjectDatabase) -> Result<bool> {
    if dir.join("shallow").exists() {
        return Ok(false);
    }
    for (_, id) in refs.iter() {
        if !store.has(id) {
            return Ok(false);
        }
    }
    Ok(true)
}
