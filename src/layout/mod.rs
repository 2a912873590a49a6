//! Names of files: below GOMODCACHE, of a GOPROXY tree, and of a checksum database.
//!
//! With `P` an escaped module path and `V` an escaped version:
//!
//! ```text
//! GOMODCACHE
//!   cache/download/            a GOPROXY tree, and what only a cache has
//!     P/@v/list                versions, one a line
//!     P/@v/V.info .mod .zip    the files of a version
//!     P/@v/V.ziphash           the h1 of the zip, 47 bytes
//!     P/@v/V.lock              covers zip, ziphash and directory
//!     P/@v/V.partial           there while P@V/ is incomplete
//!     P/@v/V.zip.part          what has come of a zip, with V.zip.part.from
//!     P/@latest                only served, never kept
//!     sumdb/NAME/              a checksum database
//!       supported latest lookup/P@V tile/8/...
//!   cache/vcs/                 repositories
//!   cache/lock                 held while go.sum is rewritten
//!   cache/modfetch/            own state, which go ignores
//!   P@V/                       an extracted module
//! GOPATH
//!   pkg/sumdb/NAME/latest      the newest signed tree head
//! ```
//!
//! It is pure: no file is looked at. Module cache, `file://` GOPROXY, bundle and server hold the same names,
//! so each is written with these functions, and read with [`TreeFile::parse`].
//!
//! Source: golang/go `cmd/go/internal/modfetch/cache.go`, and the Go Modules Reference, "GOPROXY
//! protocol" and "Module cache layout".

mod tree;

pub use tree::TreeFile;

use crate::gomod::{EscapedModule, EscapedPath};

/// Below GOMODCACHE: the tree that a `file://` GOPROXY names.
pub const DOWNLOAD: &str = "cache/download";

/// Below GOMODCACHE: all that is no extracted module begins with this.
pub const CACHE: &str = "cache";

/// Below GOMODCACHE: the lock that is held while go.mod or go.sum is rewritten.
pub const SIDE_LOCK: &str = "cache/lock";

/// Below GOMODCACHE: repositories of version control.
pub const VCS: &str = "cache/vcs";

/// Below GOMODCACHE: what is modfetch's alone.
pub const OWN: &str = "cache/modfetch";

/// Below GOMODCACHE: damaged pieces that a repair moved away.
pub const QUARANTINE: &str = "cache/modfetch/quarantine";

/// Below a GOPROXY tree: the checksum databases.
pub const SUMDB: &str = "sumdb";

/// The folder of a module's versions, below [`DOWNLOAD`] and behind its path.
pub const VERSIONS: &str = "@v";

/// The file of a folder of versions that lists them.
pub const LIST: &str = "list";

/// The end of the name of a temporary file, behind digits.
pub const TEMPORARY: &str = ".tmp";

/// What a file of one version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionFile {
    /// The metadata.
    Info,
    /// The go.mod.
    GoMod,
    /// The zip.
    Zip,
    /// The h1 of the zip.
    ZipHash,
    /// The lock that covers zip, ziphash and directory.
    Lock,
    /// The mark of an incomplete directory.
    Partial,
    /// The beginning of a zip.
    ZipPart,
    /// What a [`VersionFile::ZipPart`] is the beginning of.
    ZipPartFrom,
}

impl VersionFile {
    /// All of them.
    pub const ALL: [VersionFile; 8] = [
        VersionFile::Info,
        VersionFile::GoMod,
        VersionFile::Zip,
        VersionFile::ZipHash,
        VersionFile::Lock,
        VersionFile::Partial,
        VersionFile::ZipPart,
        VersionFile::ZipPartFrom,
    ];

    /// The end of its name, behind the version and a dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            VersionFile::Info => "info",
            VersionFile::GoMod => "mod",
            VersionFile::Zip => "zip",
            VersionFile::ZipHash => "ziphash",
            VersionFile::Lock => "lock",
            VersionFile::Partial => "partial",
            VersionFile::ZipPart => "zip.part",
            VersionFile::ZipPartFrom => "zip.part.from",
        }
    }

    /// The file whose name ends in this, behind the version and a dot.
    #[must_use]
    pub fn of_suffix(suffix: &str) -> Option<VersionFile> {
        VersionFile::ALL
            .into_iter()
            .find(|file| file.suffix() == suffix)
    }

    /// True for what a GOPROXY serves.
    #[must_use]
    pub fn is_served(self) -> bool {
        matches!(
            self,
            VersionFile::Info | VersionFile::GoMod | VersionFile::Zip
        )
    }

    /// Splits the name of a file into its escaped version and what it is; `None` for temporaries and
    /// whatever else is there.
    #[must_use]
    pub fn split(name: &str) -> Option<(&str, VersionFile)> {
        VersionFile::ALL.into_iter().find_map(|file| {
            let version = name.strip_suffix(file.suffix())?.strip_suffix('.')?;
            (!version.is_empty()).then_some((version, file))
        })
    }
}

/// `V.SUFFIX`; `version` is escaped.
#[must_use]
pub fn version_file(version: &str, file: VersionFile) -> String {
    format!("{version}.{}", file.suffix())
}

/// `P/@v`, below a GOPROXY tree.
#[must_use]
pub fn versions(path: &EscapedPath) -> String {
    format!("{}/{VERSIONS}", path.as_str())
}

/// `P/@v/list`, below a GOPROXY tree.
#[must_use]
pub fn list(path: &EscapedPath) -> String {
    format!("{}/{VERSIONS}/{LIST}", path.as_str())
}

/// `P/@latest`, below a GOPROXY tree.
#[must_use]
pub fn latest(path: &EscapedPath) -> String {
    format!("{}/@latest", path.as_str())
}

/// `P/@v/V.SUFFIX`, below a GOPROXY tree; `version` is escaped, and may be a revision.
#[must_use]
pub fn file_at(path: &EscapedPath, version: &str, file: VersionFile) -> String {
    format!("{}/{VERSIONS}/{version}.{}", path.as_str(), file.suffix())
}

/// `P/@v/V.SUFFIX`, below a GOPROXY tree.
#[must_use]
pub fn file(module: &EscapedModule, file: VersionFile) -> String {
    file_at(module.path(), module.version(), file)
}

/// `P@V`: the extracted module, below GOMODCACHE.
#[must_use]
pub fn extracted(module: &EscapedModule) -> String {
    format!("{}@{}", module.path().as_str(), module.version())
}

/// `sumdb/NAME`: a checksum database, below a GOPROXY tree.
#[must_use]
pub fn sumdb(name: &str) -> String {
    format!("{SUMDB}/{name}")
}

/// `pkg/sumdb/NAME/latest`: the newest signed tree head, below GOPATH.
#[must_use]
pub fn sumdb_head(name: &str) -> String {
    format!("pkg/{SUMDB}/{name}/latest")
}

/// `cache/modfetch/heads/NAME`: sizes of the log of a checksum database with their times, below GOMODCACHE.
#[must_use]
pub fn head_dates(name: &str) -> String {
    format!("{OWN}/heads/{name}")
}

/// `lookup/P@V`: the record of a module version, below a checksum database.
#[must_use]
pub fn sumdb_lookup(module: &EscapedModule) -> String {
    format!("lookup/{}", extracted(module))
}

/// Below a checksum database as a GOPROXY serves it: it is there, so that this one serves it.
pub const SUMDB_SUPPORTED: &str = "supported";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::ModuleVersion;

    #[test]
    fn names_are_those_of_go() {
        let module = ModuleVersion::parse("example.com/Up/m", "v1.0.0-RC1").unwrap();
        let module = module.escape().unwrap();
        let at = "example.com/!up/m/@v/v1.0.0-!r!c1";
        assert_eq!(file(&module, VersionFile::ZipHash), format!("{at}.ziphash"));
        assert_eq!(extracted(&module), "example.com/!up/m@v1.0.0-!r!c1");
        assert_eq!(list(module.path()), "example.com/!up/m/@v/list");
        assert_eq!(latest(module.path()), "example.com/!up/m/@latest");
        let lookup = "lookup/example.com/!up/m@v1.0.0-!r!c1";
        assert_eq!(sumdb_lookup(&module), lookup);
        assert_eq!(sumdb_head("h.com/db"), "pkg/sumdb/h.com/db/latest");
    }

    #[test]
    fn names_of_files_are_split_at_their_whole_suffix() {
        let rows = [
            ("v1.0.0.zip", Some(("v1.0.0", VersionFile::Zip))),
            ("v1.0.0.ziphash", Some(("v1.0.0", VersionFile::ZipHash))),
            ("v1.0.0.zip.part", Some(("v1.0.0", VersionFile::ZipPart))),
            (
                "v1.0.0.zip.part.from",
                Some(("v1.0.0", VersionFile::ZipPartFrom)),
            ),
            ("v1.0.0.mod", Some(("v1.0.0", VersionFile::GoMod))),
            ("v1.0.0-mod.info", Some(("v1.0.0-mod", VersionFile::Info))),
            ("v1.0.0.zip123.tmp", None),
            (".zip", None),
            ("zip", None),
            ("list", None),
        ];
        for (name, want) in rows {
            assert_eq!(VersionFile::split(name), want, "{name}");
        }
    }
}
