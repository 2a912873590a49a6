//! The branches and tags of a repository: what a server says of them, and their sums.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/git.go` (`loadRefs`, `Tags`, `repoSum`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::odb::{HashKind, ObjectId};
use crate::error::{Error, Result};
use crate::fsio::{create_dir_all, write_atomically};
use crate::gomod::quote::quote;
use crate::gomod::{canonical, is_pseudo_version};
use crate::source::direct::repository::RepositoryTag;

/// Names of refs, as `HEAD` and `refs/tags/v1.0.0`, with the commits they lead to; for an
/// annotated tag that is the tagged commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source::direct) struct Refs(BTreeMap<String, ObjectId>);

impl Refs {
    /// Keeps HEAD, branches and tags. A name that ends in `^{}` says what a tag leads to.
    pub(super) fn new(listed: impl IntoIterator<Item = (String, ObjectId)>) -> Refs {
        let mut refs = BTreeMap::new();
        let mut peeled = Vec::new();
        for (name, id) in listed {
            if let Some(tag) = name.strip_suffix("^{}") {
                peeled.push((tag.to_owned(), id));
            } else if name == "HEAD"
                || name.starts_with("refs/heads/")
                || name.starts_with("refs/tags/")
            {
                refs.insert(name, id);
            }
        }
        for (tag, id) in peeled {
            if let Some(known) = refs.get_mut(&tag) {
                *known = id;
            }
        }
        Refs(refs)
    }

    /// Reads what `git ls-remote` prints.
    pub(super) fn parse(text: &str) -> Refs {
        Refs::new(text.lines().filter_map(|line| {
            let (id, name) = line.split_once('\t')?;
            Some((name.trim().to_owned(), ObjectId::parse_any(id)?))
        }))
    }

    pub(super) fn get(&self, name: &str) -> Option<&ObjectId> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &ObjectId)> {
        self.0.iter().map(|(name, id)| (name.as_str(), id))
    }

    /// The hash of the repository; SHA-1 if it has no ref.
    pub(super) fn hash_kind(&self) -> HashKind {
        let first = self.0.values().next();
        match first.map_or(0, |id| id.as_bytes().len()) {
            32 => HashKind::Sha256,
            _ => HashKind::Sha1,
        }
    }

    /// The tags whose names begin so, in the order of their names.
    pub(super) fn tags(&self, prefix: &str) -> Vec<RepositoryTag> {
        let tags = self.0.iter().filter_map(|(name, id)| {
            let name = name.strip_prefix("refs/tags/")?;
            name.starts_with(prefix).then(|| RepositoryTag {
                name: name.to_owned(),
                commit: id.to_string(),
            })
        });
        tags.collect()
    }

    /// The tags of a commit.
    pub(super) fn tags_of(&self, commit: &ObjectId) -> Vec<String> {
        let tags = self.0.iter().filter(|(_, id)| *id == commit);
        tags.filter_map(|(name, _)| name.strip_prefix("refs/tags/"))
            .map(str::to_owned)
            .collect()
    }

    /// The sum of all refs: it changes with each of them.
    pub(super) fn repo_sum(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, id) in &self.0 {
            hasher.update(format!("{} {id}\n", quote(name)));
        }
        format!("r1:{}", BASE64.encode(hasher.finalize()))
    }
}

/// The sum of the tags that may decide about versions, out of all tags that begin with `prefix`.
pub(super) fn tag_sum(tags: &[RepositoryTag], prefix: &str) -> String {
    let dir = prefix
        .rfind('/')
        .map_or("", |end| prefix.get(..=end).unwrap_or_default());
    let mut hasher = Sha256::new();
    for tag in tags {
        let version = tag.name.strip_prefix(dir).unwrap_or(&tag.name);
        // Build metadata is no part of the canonical form here, not even `+incompatible`.
        let plain = canonical(version).map(|found| found.replace("+incompatible", ""));
        let counts = plain.is_some_and(|plain| version.starts_with(&plain));
        if counts && !is_pseudo_version(version) {
            hasher.update(format!("{} {}\n", quote(&tag.name), tag.commit));
        }
    }
    format!("t1:{}", BASE64.encode(hasher.finalize()))
}

/// What a ref of the clone in `dir` says, loose or packed.
pub(super) fn read_local(dir: &Path, name: &str) -> Result<Option<ObjectId>> {
    let safe = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !safe || name.contains('\0') {
        return Ok(None);
    }
    if let Some(text) = read(&dir.join(name))?
        && let Some(id) = ObjectId::parse_any(text.trim_end())
    {
        return Ok(Some(id));
    }
    let Some(packed) = read(&dir.join("packed-refs"))? else {
        return Ok(None);
    };
    let mut lines = packed.lines().filter(|line| !line.starts_with(['#', '^']));
    Ok(lines.find_map(|line| {
        let (id, found) = line.split_once(' ')?;
        ObjectId::parse_any(id).filter(|_| found == name)
    }))
}

/// A file of the clone; a folder where a branch `a/b` is, counts as none.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if path.is_dir() || gone(&cause) => Ok(None),
        Err(cause) => Err(Error::io("cannot read", path, cause)),
    }
}

fn gone(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Commits that refs of the clone in `dir` lead to, at most so many.
pub(super) fn local_tips(dir: &Path, most: usize) -> Result<Vec<ObjectId>> {
    let mut tips = BTreeSet::new();
    let mut open = vec![dir.join("refs/tags"), dir.join("refs/heads")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let Some(text) = read(&path)? {
                tips.extend(ObjectId::parse_any(text.trim_end()));
            }
            if tips.len() >= most {
                return Ok(tips.into_iter().collect());
            }
        }
    }
    let packed = read(&dir.join("packed-refs"))?.unwrap_or_default();
    let packed = packed.lines().filter_map(|line| line.split(' ').next());
    tips.extend(packed.filter_map(ObjectId::parse_any));
    Ok(tips.into_iter().take(most).collect())
}

/// Writes a loose ref.
pub(super) fn write_local(dir: &Path, name: &str, id: &ObjectId) -> Result<()> {
    let path = dir.join(name);
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    write_atomically(&path, format!("{id}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "\
1111111111111111111111111111111111111111\tHEAD
1111111111111111111111111111111111111111\trefs/heads/main
2222222222222222222222222222222222222222\trefs/pull/1/head
3333333333333333333333333333333333333333\trefs/tags/v1.0.0
4444444444444444444444444444444444444444\trefs/tags/v1.0.0^{}
1111111111111111111111111111111111111111\trefs/tags/sub/v0.1.0
";

    #[test]
    fn branches_and_tags_are_read_and_tags_are_peeled() {
        let refs = Refs::parse(LISTED);
        let names: Vec<_> = refs.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "HEAD",
                "refs/heads/main",
                "refs/tags/sub/v0.1.0",
                "refs/tags/v1.0.0"
            ]
        );
        let tagged = refs.get("refs/tags/v1.0.0").unwrap();
        assert_eq!(tagged.to_string(), "4".repeat(40));
        assert_eq!(refs.tags_of(tagged), ["v1.0.0"]);
        assert_eq!(refs.hash_kind(), HashKind::Sha1);
    }

    /// printf '"v1.0.0" 4444444444444444444444444444444444444444\n' | openssl sha256 -binary |
    /// base64, and the four lines for the whole.
    #[test]
    fn sums_are_those_of_go() {
        let refs = Refs::parse(LISTED);
        let tags = refs.tags("v");
        assert_eq!(
            tag_sum(&tags, "v"),
            "t1:XAHHHVcrHjAJwRomMGShY3c8n6+BxUzt5PBAc3nC+qA="
        );
        assert_eq!(
            refs.repo_sum(),
            "r1:XwepziOqoB39ZQTZ7S11bfOEp/RYzH+jZOPxlQS270w="
        );
    }

    #[test]
    fn local_refs_are_loose_or_packed() {
        let dir = tempfile::tempdir().unwrap();
        let id = ObjectId::parse_any(&"5".repeat(40)).unwrap();
        let packed = format!(
            "# pack-refs with: peeled\n{} refs/tags/v1\n^{}\n",
            "6".repeat(40),
            "7".repeat(40)
        );
        fs::write(dir.path().join("packed-refs"), packed).unwrap();
        write_local(dir.path(), "refs/tags/a/b", &id).unwrap();
        let read = |name: &str| {
            read_local(dir.path(), name)
                .unwrap()
                .map(|id| id.to_string())
        };
        assert_eq!(read("refs/tags/a/b"), Some("5".repeat(40)));
        assert_eq!(read("refs/tags/v1"), Some("6".repeat(40)));
        for missing in [
            "refs/tags/a",
            "refs/tags/v2",
            "refs/tags/../x",
            "refs/tags/a/b/c",
        ] {
            assert_eq!(read(missing), None, "{missing}");
        }
    }
}
