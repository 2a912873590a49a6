//! What a cache holds, as data: one record a module version, and the space of all the rest.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use super::prune::{Evicted, Eviction};
use crate::gomod::{ModuleVersion, TOOLCHAIN};
use crate::system;

/// Disk space as `du` counts it: allocated blocks, in bytes, those of directories included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Allocated bytes.
    pub bytes: u64,
    /// Files; directories do not count.
    pub files: u64,
}

impl Space {
    /// The space of one file or directory, without what is in it.
    #[must_use]
    pub fn of(found: &Metadata) -> Space {
        Space {
            bytes: system::allocated_bytes(found),
            files: u64::from(!found.is_dir()),
        }
    }

    /// What is left when `other`, which is a part of it, is gone.
    #[must_use]
    pub fn without(self, other: Space) -> Space {
        Space {
            bytes: self.bytes.saturating_sub(other.bytes),
            files: self.files.saturating_sub(other.files),
        }
    }

    /// True if there is nothing: no file has been found, and no directory.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Space::default()
    }
}

impl Add for Space {
    type Output = Space;

    fn add(self, other: Space) -> Space {
        Space {
            bytes: self.bytes + other.bytes,
            files: self.files + other.files,
        }
    }
}

impl AddAssign for Space {
    fn add_assign(&mut self, other: Space) {
        *self = *self + other;
    }
}

impl Sum for Space {
    fn sum<I: Iterator<Item = Space>>(spaces: I) -> Space {
        spaces.fold(Space::default(), Add::add)
    }
}

/// The pieces that a module version may have in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordPiece {
    /// `V.info`.
    Info,
    /// `V.mod`.
    GoMod,
    /// `V.zip`.
    Zip,
    /// `V.ziphash`.
    ZipHash,
    /// `P@V/`, with all that is in it.
    Tree,
    /// The mark and what transfers have left: `V.partial`, `V.zip.part`, `V.*<digits>.tmp`.
    Unfinished,
}

impl RecordPiece {
    /// All of them, in the order in which they are printed and kept.
    pub const ALL: [RecordPiece; 6] = [
        RecordPiece::Info,
        RecordPiece::GoMod,
        RecordPiece::Zip,
        RecordPiece::ZipHash,
        RecordPiece::Tree,
        RecordPiece::Unfinished,
    ];

    /// The name that `list` and JSON output have for it; go's, where go has one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RecordPiece::Info => "info",
            RecordPiece::GoMod => "mod",
            RecordPiece::Zip => "zip",
            RecordPiece::ZipHash => "ziphash",
            RecordPiece::Tree => "dir",
            RecordPiece::Unfinished => "unfinished",
        }
    }
}

/// What tells an extracted directory from one that was made later in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TreeStamp {
    pub(super) inode: u64,
    /// Of the last change of the directory's own inode, in nanoseconds since 1970.
    pub(super) changed_ns: i64,
}

impl TreeStamp {
    pub(super) fn of(found: &Metadata) -> TreeStamp {
        TreeStamp {
            inode: system::inode(found),
            changed_ns: system::changed_ns(found),
        }
    }
}

/// What a cache has of one module version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// Which.
    pub module: ModuleVersion,
    /// By [`RecordPiece`], in the order of [`RecordPiece::ALL`].
    pub(super) spaces: [Space; 6],
    /// `.partial` says that the directory is not whole.
    pub is_partial: bool,
    /// When zip or directory were last used, in seconds since 1970: the access time of the ziphash,
    /// or what was recorded, if that is later. 0 if neither is there.
    pub content_used: u64,
    /// When the go.mod was last used: likewise, by its own access time.
    pub gomod_used: u64,
    pub(super) stamp: TreeStamp,
}

impl VersionRecord {
    /// A version of which nothing has been found yet.
    pub(super) fn empty(module: ModuleVersion) -> VersionRecord {
        VersionRecord {
            module,
            spaces: [Space::default(); 6],
            is_partial: false,
            content_used: 0,
            gomod_used: 0,
            stamp: TreeStamp::default(),
        }
    }

    /// A version of a tree elsewhere, which keeps no time of use: `written` stands for it, in seconds
    /// since 1970.
    #[must_use]
    pub fn stored(
        module: ModuleVersion,
        spaces: &[(RecordPiece, Space)],
        written: u64,
    ) -> VersionRecord {
        let mut record = VersionRecord::empty(module);
        for (piece, space) in spaces {
            *record.space_mut(*piece) = *space;
        }
        if record.has(RecordPiece::Zip) {
            record.content_used = written;
        }
        record.gomod_used = written;
        record
    }

    /// The space of one piece; empty if it is not there.
    #[must_use]
    pub fn space(&self, piece: RecordPiece) -> Space {
        self.spaces[piece as usize]
    }

    pub(super) fn space_mut(&mut self, piece: RecordPiece) -> &mut Space {
        &mut self.spaces[piece as usize]
    }

    /// `PATH@VERSION`, escaped as in paths.
    pub(super) fn name(&self) -> Option<String> {
        let escaped = self.module.escape().ok()?;
        Some(format!("{}@{}", escaped.path().as_str(), escaped.version()))
    }

    /// Notes when content and go.mod were used, as recorded.
    pub(super) fn use_recorded(&mut self, content: u64, gomod: u64) {
        if !self.is_gomod_only() {
            self.use_content(content);
        }
        self.gomod_used = self.gomod_used.max(gomod);
    }

    /// Adds what was found in `@v` to what was found of the directory.
    pub(super) fn take_files(&mut self, files: &VersionRecord) {
        for (own, more) in self.spaces.iter_mut().zip(files.spaces) {
            *own += more;
        }
        self.is_partial |= files.is_partial;
        self.gomod_used = self.gomod_used.max(files.gomod_used);
        self.use_content(files.content_used);
    }

    /// Notes a use of zip or directory, in seconds since 1970.
    pub(super) fn use_content(&mut self, at: u64) {
        self.content_used = self.content_used.max(at);
    }

    /// True if the piece is there.
    #[must_use]
    pub fn has(&self, piece: RecordPiece) -> bool {
        // An empty directory may take no block on some file systems; its stamp has an inode.
        match piece {
            RecordPiece::Tree => self.stamp != TreeStamp::default(),
            _ => self.space(piece).files > 0,
        }
    }

    /// True if there is nothing but what transfers have left.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        let mut pieces = RecordPiece::ALL
            .into_iter()
            .filter(|piece| *piece != RecordPiece::Unfinished);
        !pieces.any(|piece| self.has(piece))
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> Space {
        self.spaces.iter().copied().sum()
    }

    /// When any of it was last used, in seconds since 1970.
    #[must_use]
    pub fn last_used(&self) -> u64 {
        self.content_used.max(self.gomod_used)
    }

    /// True if only its go.mod was ever wanted: there is neither zip nor directory.
    #[must_use]
    pub fn is_gomod_only(&self) -> bool {
        ![RecordPiece::Zip, RecordPiece::ZipHash, RecordPiece::Tree]
            .into_iter()
            .any(|piece| self.has(piece))
    }

    /// The pieces that a complete version has and this one lacks. A version of which only the go.mod
    /// was wanted lacks nothing that belongs to its content.
    #[must_use]
    pub fn lacks(&self) -> Vec<RecordPiece> {
        let pieces = match self.is_gomod_only() {
            true => &RecordPiece::ALL[..2],
            false => &RecordPiece::ALL[..5],
        };
        let is_lacking = |piece: &&RecordPiece| {
            !self.has(**piece) || **piece == RecordPiece::Tree && self.is_partial
        };
        // go fetches no .info for versions of which it reads the go.mod only.
        let is_optional =
            |piece: &&RecordPiece| self.is_gomod_only() && **piece == RecordPiece::Info;
        let lacking = pieces.iter().filter(is_lacking);
        lacking
            .filter(|piece| !is_optional(piece))
            .copied()
            .collect()
    }

    /// True for a Go toolchain, which the cache holds as if it were a module.
    #[must_use]
    pub fn is_toolchain(&self) -> bool {
        self.module.path().as_str() == TOOLCHAIN
    }
}

/// What disk space is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpaceKind {
    /// Directories of modules.
    Extracted,
    /// Module zips.
    Zips,
    /// Go toolchains: all their pieces.
    Toolchains,
    /// `.info`, `.mod`, `.ziphash`, `.lock` and `list`.
    Metadata,
    /// What interrupted transfers and killed processes have left.
    Unfinished,
    /// Repositories of version control: `cache/vcs`.
    Vcs,
    /// The checksum database: `cache/download/sumdb`.
    Sumdb,
    /// modfetch's own state: `cache/modfetch`.
    State,
    /// Directories on the way to modules, and what no module cache has.
    Other,
}

impl SpaceKind {
    /// All of them, in the order in which they are printed.
    pub const ALL: [SpaceKind; 9] = [
        SpaceKind::Extracted,
        SpaceKind::Zips,
        SpaceKind::Toolchains,
        SpaceKind::Metadata,
        SpaceKind::Unfinished,
        SpaceKind::Vcs,
        SpaceKind::Sumdb,
        SpaceKind::State,
        SpaceKind::Other,
    ];

    /// The name in output and in the index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SpaceKind::Extracted => "extracted",
            SpaceKind::Zips => "zips",
            SpaceKind::Toolchains => "toolchains",
            SpaceKind::Metadata => "metadata",
            SpaceKind::Unfinished => "unfinished",
            SpaceKind::Vcs => "vcs",
            SpaceKind::Sumdb => "sumdb",
            SpaceKind::State => "state",
            SpaceKind::Other => "other",
        }
    }
}

/// Something that is kept or removed as a whole and is no module version: a repository, or what is
/// cached of a checksum database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRecord {
    /// [`SpaceKind::Vcs`] or [`SpaceKind::Sumdb`].
    pub kind: SpaceKind,
    /// The name of its directory.
    pub name: String,
    /// All that is in it, and the files beside it.
    pub space: Space,
    /// When it was last written, or for a repository used, in seconds since 1970.
    pub used: u64,
}

/// Everything that a cache holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// When the cache was looked at, in seconds since 1970.
    pub taken: u64,
    /// Module versions and toolchains, by path and version.
    pub versions: Vec<VersionRecord>,
    /// Repositories and checksum databases, by kind and name.
    pub stores: Vec<StoreRecord>,
    /// What is neither, by what it is for.
    pub rest: BTreeMap<SpaceKind, Space>,
    /// True if the file system keeps access times, without which uses by go leave no trace.
    pub keeps_access_times: bool,
}

impl Inventory {
    /// Of versions alone, in their order.
    #[must_use]
    pub fn of_versions(taken: u64, versions: Vec<VersionRecord>) -> Inventory {
        Inventory {
            taken,
            versions,
            stores: Vec::new(),
            rest: BTreeMap::new(),
            keeps_access_times: false,
        }
    }

    /// The space of each kind; kinds of which there is nothing are left out.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<SpaceKind, Space> {
        let mut kinds = self.rest.clone();
        let mut add = |kind: SpaceKind, space: Space| {
            if !space.is_empty() {
                *kinds.entry(kind).or_default() += space;
            }
        };
        for store in &self.stores {
            add(store.kind, store.space);
        }
        for version in &self.versions {
            for piece in RecordPiece::ALL {
                add(kind_of(version, piece), version.space(piece));
            }
        }
        kinds
    }

    /// Takes out what was evicted.
    pub(super) fn forget(&mut self, eviction: &Eviction) {
        match &eviction.what {
            Evicted::Version(module, pieces) => {
                let found = self
                    .versions
                    .binary_search_by(|record| record.module.cmp(module));
                let Ok(at) = found else { return };
                let record = &mut self.versions[at];
                for piece in pieces {
                    *record.space_mut(*piece) = Space::default();
                    if *piece == RecordPiece::Tree {
                        record.stamp = TreeStamp::default();
                        record.is_partial = false;
                    }
                }
            }
            Evicted::Store(kind, name) => {
                self.stores
                    .retain(|store| (store.kind, &store.name) != (*kind, name));
            }
        }
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Space {
        self.by_kind().into_values().sum()
    }
}

fn kind_of(version: &VersionRecord, piece: RecordPiece) -> SpaceKind {
    match piece {
        _ if version.is_toolchain() => SpaceKind::Toolchains,
        RecordPiece::Tree => SpaceKind::Extracted,
        RecordPiece::Zip => SpaceKind::Zips,
        RecordPiece::Info | RecordPiece::GoMod | RecordPiece::ZipHash => SpaceKind::Metadata,
        RecordPiece::Unfinished => SpaceKind::Unfinished,
    }
}
