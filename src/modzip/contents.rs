//! What a module consists of: every file's name and the hash of its content.

use crate::gomod::{FileHash, H1, hash1};

/// The files of a module's zip or directory, to be summed up and compared.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Full names (`path@version/file`), sorted.
    files: Vec<(String, FileHash)>,
    prefix_bytes: usize,
}

/// The files in which one copy of a module differs from another, by their names below its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// It has them, the other has not.
    pub added: Vec<String>,
    /// It lacks them.
    pub removed: Vec<String>,
    /// Their content is another.
    pub changed: Vec<String>,
}

impl Contents {
    /// Takes full names, the first `prefix_bytes` of which (`path@version/`) are the same.
    pub(super) fn new(
        prefix_bytes: usize,
        files: impl Iterator<Item = (String, FileHash)>,
    ) -> Contents {
        let mut files: Vec<_> = files.collect();
        files.sort_unstable();
        Contents {
            files,
            prefix_bytes,
        }
    }

    /// The sum of all, as go.sum has it.
    #[must_use]
    pub fn h1(&self) -> H1 {
        hash1(self.files.iter().map(|(name, hash)| (name.as_str(), *hash)))
    }

    /// The files by their names below the module's root, sorted, with their hashes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, FileHash)> {
        let files = self.files.iter();
        files.map(|(name, hash)| (self.below(name), *hash))
    }

    /// Takes away every file called `copy`, below the root's own, that is the same as the one
    /// called `of` in its directory.
    pub(super) fn forget_copies(&mut self, copy: &str, of: &str) {
        let is_copy = |(name, hash): &(String, FileHash)| {
            let directory = name.strip_suffix(copy).filter(|start| start.ends_with('/'));
            directory.is_some_and(|directory| {
                let original = format!("{directory}{of}");
                let found = self.files.binary_search_by(|(name, _)| name.cmp(&original));
                let found = found.ok().and_then(|i| self.files.get(i));
                directory.len() > self.prefix_bytes && found.is_some_and(|found| found.1 == *hash)
            })
        };
        let copies: Vec<bool> = self.files.iter().map(is_copy).collect();
        let mut copies = copies.into_iter();
        self.files.retain(|_| copies.next() != Some(true));
    }

    /// The hash of a file, by its name below the module's root.
    #[must_use]
    pub fn hash_of(&self, file: &str) -> Option<FileHash> {
        let (_, hash) = self
            .files
            .iter()
            .find(|(name, _)| self.below(name) == file)?;
        Some(*hash)
    }

    /// In which files this copy differs from `good`. Both are sorted, so each is read once.
    #[must_use]
    pub fn differences(&self, good: &Contents) -> Differences {
        let mut found = Differences::default();
        let (mut ours, mut theirs) = (self.files.iter().peekable(), good.files.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return found,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(own), Some(other)) => own.0.cmp(&other.0),
            };
            let own = if order.is_le() { ours.next() } else { None };
            let other = if order.is_ge() { theirs.next() } else { None };
            match (own, other) {
                (Some(own), None) => found.added.push(self.below(&own.0).to_owned()),
                (None, Some(other)) => found.removed.push(good.below(&other.0).to_owned()),
                (Some(own), Some(other)) if own.1 != other.1 => {
                    found.changed.push(self.below(&own.0).to_owned());
                }
                _ => {}
            }
        }
    }

    fn below<'a>(&self, name: &'a str) -> &'a str {
        name.get(self.prefix_bytes..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(files: &[(&str, u8)]) -> Contents {
        let named = files
            .iter()
            .map(|(name, hash)| (format!("a.com/m@v1.0.0/{name}"), [*hash; 32]));
        Contents::new("a.com/m@v1.0.0/".len(), named)
    }

    #[test]
    fn copies_are_forgotten_and_nothing_else() {
        let mut copied = contents(&[
            ("_go.mod", 1),
            ("go.mod", 1),
            ("src/_go.mod", 2),
            ("src/go.mod", 2),
            ("src/cmd/_go.mod", 3),
            ("src/cmd/go.mod", 4),
            ("src/cmd/x_go.mod", 3),
            ("src/x/go.mod", 5),
        ]);
        let whole = copied.clone();
        copied.forget_copies("go.mod", "_go.mod");
        assert_eq!(whole.differences(&copied).added, ["src/go.mod"]);
        assert_eq!(copied.differences(&whole).added, [""; 0]);
    }

    #[test]
    fn files_that_differ_are_named_once() {
        let good = contents(&[("a", 1), ("b", 2), ("d/x", 3), ("e", 4)]);
        let bad = contents(&[("e", 9), ("d/x", 3), ("c", 2), ("b", 2), ("z", 1)]);
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let want = Differences {
            added: names(&["c", "z"]),
            removed: names(&["a"]),
            changed: names(&["e"]),
        };
        assert_eq!(bad.differences(&good), want);
        assert_eq!(good.differences(&good), Differences::default());
        assert_eq!(good.hash_of("d/x"), Some([3; 32]));
        assert_eq!(good.hash_of("d"), None);
    }
}
