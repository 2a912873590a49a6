//! The index: what the last walk through the cache found, so that `du` need not repeat it.
//!
//! `cache/modfetch/index` is text, replaced whole:
//!
//! ```text
//! modfetch cache index 1
//! taken SECONDS ATIMES
//! rest KIND BYTES FILES
//! store KIND USED BYTES FILES NAME
//! version PATH VERSION FLAGS CONTENT-USED GOMOD-USED INODE CHANGED-NS {BYTES FILES}*6
//! ```
//!
//! PATH and VERSION are escaped as in paths; BYTES and FILES stand for each piece in the order of
//! [`RecordPiece::ALL`]; FLAGS is `p` for a marked directory, else `-`. A file that is not of this form
//! counts as none: the cache is looked at again.
//!
//! It is never more than a memory. Whoever removes something looks again first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use super::record::TreeStamp;
use super::scan::KnownTrees;
use super::{Cache, Inventory, RecordPiece, Space, SpaceKind, StoreRecord, VersionRecord};
use crate::fsio::write_atomically;
use crate::gomod::{ModulePath, ModuleVersion};

const HEADER: &str = "modfetch cache index 1";

/// Whether the space of extracted directories is taken from the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeSizes {
    /// Where the directory is still the one that was measured.
    Known,
    /// Each is measured.
    Measured,
}

impl Cache {
    /// Looks at the whole cache, and keeps what it finds for [`Cache::indexed`], where it can write.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`]: a directory cannot be read.
    pub fn scan(&self, sizes: TreeSizes) -> crate::Result<Inventory> {
        let known = match sizes {
            TreeSizes::Known => self.known_trees(),
            TreeSizes::Measured => KnownTrees::default(),
        };
        let mut inventory = self.walk_all(&known)?;
        self.recorded_uses(0).apply(&mut inventory.versions);
        self.keep_index(&inventory);
        Ok(inventory)
    }

    /// Keeps what was found, where the cache can be written. Otherwise the next run looks again.
    pub(super) fn keep_index(&self, inventory: &Inventory) {
        if self.root().is_dir() {
            let _ = write_atomically(&self.state_file("index"), print(inventory).as_bytes());
        }
    }

    /// What the last walk found, and what modfetch has used since; `None` if no walk was kept. What
    /// `go` has added or a user has removed is not known.
    #[must_use]
    pub fn indexed(&self) -> Option<Inventory> {
        let text = fs::read_to_string(self.state_file("index")).ok()?;
        let mut inventory = parse(&text)?;
        let uses = self.recorded_uses(inventory.taken);
        for module in uses.modules() {
            let (content, gomod) = uses.of_module(&module);
            let known = inventory
                .versions
                .binary_search_by(|record| record.module.cmp(&module));
            match known {
                Ok(at) => inventory.versions[at].use_recorded(content, gomod),
                Err(at) => {
                    if let Some(mut record) = self.look_at(&module) {
                        record.use_recorded(content, gomod);
                        inventory.versions.insert(at, record);
                    }
                }
            }
        }
        Some(inventory)
    }

    fn known_trees(&self) -> KnownTrees {
        let text = fs::read_to_string(self.state_file("index")).unwrap_or_default();
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return KnownTrees::default();
        }
        let known = lines.filter_map(|line| {
            let mut words = line.strip_prefix("version ")?.split(' ');
            let name = format!("{}@{}", words.next()?, words.next()?);
            let words: Vec<&str> = words.collect();
            let stamp = TreeStamp {
                inode: words.get(3)?.parse().ok()?,
                changed_ns: words.get(4)?.parse().ok()?,
            };
            let at = 5 + 2 * RecordPiece::Tree as usize;
            let space = Space {
                bytes: words.get(at)?.parse().ok()?,
                files: words.get(at + 1)?.parse().ok()?,
            };
            Some((name, (stamp, space)))
        });
        known.collect()
    }
}

fn print(inventory: &Inventory) -> String {
    let mut out = format!(
        "{HEADER}\ntaken {} {}\n",
        inventory.taken, inventory.keeps_access_times
    );
    // Writing to memory succeeds.
    for (kind, space) in &inventory.rest {
        let _ = writeln!(out, "rest {} {} {}", kind.name(), space.bytes, space.files);
    }
    for store in &inventory.stores {
        let (kind, name, space) = (store.kind.name(), &store.name, store.space);
        let _ = writeln!(
            out,
            "store {kind} {} {} {} {name}",
            store.used, space.bytes, space.files
        );
    }
    for record in &inventory.versions {
        let Ok(escaped) = record.module.escape() else {
            continue;
        };
        let flags = if record.is_partial { "p" } else { "-" };
        let _ = write!(
            out,
            "version {} {} {flags} {} {} {} {}",
            escaped.path().as_str(),
            escaped.version(),
            record.content_used,
            record.gomod_used,
            record.stamp.inode,
            record.stamp.changed_ns,
        );
        for space in record.spaces {
            let _ = write!(out, " {} {}", space.bytes, space.files);
        }
        out.push('\n');
    }
    out
}

fn parse(text: &str) -> Option<Inventory> {
    let mut lines = text.lines();
    if lines.next()? != HEADER {
        return None;
    }
    let mut taken = lines.next()?.strip_prefix("taken ")?.split(' ');
    let mut inventory = Inventory {
        taken: taken.next()?.parse().ok()?,
        keeps_access_times: taken.next()?.parse().ok()?,
        versions: Vec::new(),
        stores: Vec::new(),
        rest: BTreeMap::new(),
    };
    let kind = |name: &str| SpaceKind::ALL.into_iter().find(|kind| kind.name() == name);
    let mut last = None;
    for line in lines {
        let mut words = Words(line);
        match words.word()? {
            "version" => inventory.versions.push(version(&mut words, &mut last)?),
            "rest" => {
                let kind = kind(words.word()?)?;
                inventory.rest.insert(kind, words.space()?);
            }
            "store" => inventory.stores.push(StoreRecord {
                kind: kind(words.word()?)?,
                used: words.number()?,
                space: words.space()?,
                name: words.0.to_owned(),
            }),
            _ => return None,
        }
    }
    Some(inventory)
}

/// Reads the rest of a line of a version. `last` is the path of the line before, in both forms: the versions of a
/// module are neighbours, and to check a path takes longer than all else.
fn version<'t>(
    words: &mut Words<'t>,
    last: &mut Option<(&'t str, ModulePath)>,
) -> Option<VersionRecord> {
    let (escaped, version) = (words.word()?, words.word()?);
    let path = match last {
        Some((same, path)) if *same == escaped => path.clone(),
        _ => {
            let path = ModulePath::unescape(escaped).ok()?;
            last.insert((escaped, path)).1.clone()
        }
    };
    let module = ModuleVersion::with_escaped(path, version).ok()?;
    let mut record = VersionRecord::empty(module);
    record.is_partial = words.word()? == "p";
    record.content_used = words.number()?;
    record.gomod_used = words.number()?;
    record.stamp.inode = words.number()?;
    record.stamp.changed_ns = words.word()?.parse().ok()?;
    for piece in &mut record.spaces {
        *piece = words.space()?;
    }
    Some(record)
}

/// What is still to be read of a line, words with a space after each but the last.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn word(&mut self) -> Option<&'t str> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.bytes().position(|byte| byte == b' ');
        let (word, rest) = match end {
            Some(end) => (self.0.get(..end)?, self.0.get(end + 1..)?),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(word)
    }

    fn number(&mut self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    fn space(&mut self) -> Option<Space> {
        Some(Space {
            bytes: self.number()?,
            files: self.number()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::system;

    /// A cache with all kinds of things in it.
    fn sample(root: &Path) -> Cache {
        let put = |path: &str, bytes: usize| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; bytes]).unwrap();
        };
        for (path, bytes) in [
            ("cache/download/b.com/!up/@v/list", 8),
            ("cache/download/b.com/!up/@v/v1.0.0.info", 50),
            ("cache/download/b.com/!up/@v/v1.0.0.mod", 5000),
            ("cache/download/b.com/!up/@v/v1.0.0.zip", 9000),
            ("cache/download/b.com/!up/@v/v1.0.0.ziphash", 47),
            ("cache/download/b.com/!up/@v/v1.0.0.lock", 0),
            ("cache/download/b.com/!up/@v/v1.1.0.mod", 10),
            ("cache/download/b.com/!up/@v/v1.2.0.partial", 0),
            ("cache/download/b.com/!up/@v/v1.2.0.zip.part", 6000),
            ("cache/download/b.com/!up/@v/v1.2.0.zip.part.from", 60),
            ("cache/download/b.com/!up/@v/v1.2.0.zip123.tmp", 4000),
            ("cache/download/b.com/!up/@v/odd", 1),
            ("cache/download/sumdb/s.com/tile/8/0/000", 8192),
            ("cache/vcs/0123/objects/pack", 20_000),
            ("cache/vcs/0123.info", 20),
            ("cache/vcs/0123.lock", 0),
            ("cache/lock", 0),
            ("b.com/!up@v1.0.0/a/b.go", 5000),
            ("b.com/!up@v1.0.0/go.mod", 10),
            ("b.com/!up@v1.2.0/half.go", 10),
            (
                "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64/bin/go",
                30_000,
            ),
            ("notes/readme", 10),
        ] {
            put(path, bytes);
        }
        Cache::at(root).unwrap()
    }

    #[test]
    fn everything_is_counted_once_as_du_counts_it() {
        let dir = tempfile::tempdir().unwrap();
        let cache = sample(dir.path());
        let found = cache.walk_all(&KnownTrees::default()).unwrap();
        let Ok(du) = Command::new("du")
            .args(["-s", "-B1"])
            .arg(dir.path())
            .output()
        else {
            return; // no du
        };
        let du = String::from_utf8(du.stdout).unwrap();
        let bytes: u64 = du.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(found.total().bytes, bytes);
        assert_eq!(found.total().files, 22);
        let files: Vec<(&str, u64)> = found
            .by_kind()
            .into_iter()
            .map(|(kind, space)| (kind.name(), space.files))
            .collect();
        let want = [
            ("extracted", 3),
            ("toolchains", 1),
            ("metadata", 6),
            ("unfinished", 4),
            ("vcs", 3),
            ("sumdb", 1),
            ("other", 3),
        ];
        let zips = ("zips", 1);
        assert_eq!(files, [&want[..1], &[zips], &want[1..]].concat());
        let lacking: Vec<String> = found
            .versions
            .iter()
            .map(|record| {
                let names = record.lacks().into_iter().map(RecordPiece::name);
                format!("{} {}", record.module, names.collect::<Vec<_>>().join(","))
            })
            .collect();
        let want = [
            "b.com/Up@v1.0.0 ",
            "b.com/Up@v1.1.0 ",
            "b.com/Up@v1.2.0 info,mod,zip,ziphash,dir",
            "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64 info,mod,zip,ziphash",
        ];
        assert_eq!(lacking, want);
    }

    #[test]
    fn the_index_has_what_was_found_and_what_was_used_since() {
        let dir = tempfile::tempdir().unwrap();
        let cache = sample(dir.path());
        assert_eq!(cache.indexed(), None);
        let found = cache.scan(TreeSizes::Known).unwrap();
        assert_eq!(cache.indexed().as_ref(), Some(&found));
        // The next walk finds the index, too, and takes directories from it.
        let again = cache.scan(TreeSizes::Known).unwrap();
        assert_eq!(again.versions, found.versions);
        fs::write(dir.path().join("b.com/!up@v1.0.0/a/new.go"), vec![0; 5000]).unwrap();
        assert_eq!(
            cache.scan(TreeSizes::Known).unwrap().versions,
            found.versions
        );
        assert_ne!(
            cache.scan(TreeSizes::Measured).unwrap().versions,
            found.versions
        );
        let tree = dir.path().join("b.com/!up@v1.0.0");
        fs::rename(&tree, dir.path().join("away")).unwrap();
        fs::create_dir(&tree).unwrap();
        let emptied = cache.scan(TreeSizes::Known).unwrap();
        assert_eq!(emptied.versions[0].space(RecordPiece::Tree).files, 0);
        assert!(emptied.versions[0].has(RecordPiece::Tree));
        // What modfetch has fetched since is looked at, each by itself.
        let new = dir.path().join("cache/download/a.com/new/@v");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("v1.0.0.mod"), "module a.com/new\n").unwrap();
        let module = ModuleVersion::parse("a.com/new", "v1.0.0").unwrap();
        cache.record_use([&module], []);
        let indexed = cache.indexed().unwrap();
        assert_eq!(indexed.versions[0].module, module);
        assert!(indexed.versions[0].has(RecordPiece::GoMod));
        fs::write(cache.state_file("index"), "of another kind\n").unwrap();
        assert_eq!(cache.indexed(), None);
        assert_eq!(cache.known_trees(), KnownTrees::default());
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_an_error_and_a_read_only_cache_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Cache::at(&dir.path().join("none")).unwrap();
        assert!(missing.scan(TreeSizes::Known).unwrap().versions.is_empty());
        assert!(!missing.root().exists());
        if system::user() == 0 {
            return; // root reads everything, and Windows has no such modes
        }
        let cache = sample(dir.path());
        let closed = dir.path().join("b.com");
        system::set_mode(&closed, 0o0).unwrap();
        let error = cache.scan(TreeSizes::Known).unwrap_err();
        system::set_mode(&closed, 0o755).unwrap();
        assert_eq!(
            error.to_string(),
            format!("cannot read {}", closed.display())
        );
    }
}
