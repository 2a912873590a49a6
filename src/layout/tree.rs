//! What a name in a GOPROXY tree means: the reverse of the functions that make them.

use super::{LIST, SUMDB, SUMDB_SUPPORTED, VERSIONS, VersionFile};
use crate::gomod::{ModulePath, unescape_version};

/// A file of a GOPROXY tree, or of `cache/download`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeFile<'a> {
    /// `P/@v/list`.
    List(ModulePath),
    /// `P/@latest`.
    Latest(ModulePath),
    /// `P/@v/V.SUFFIX`; the version is not escaped and need not be canonical: a proxy may be asked for
    /// a branch.
    Version {
        /// Of which module.
        path: ModulePath,
        /// Of which version.
        version: String,
        /// Which file.
        file: VersionFile,
    },
    /// `sumdb/NAME/REST`.
    Database {
        /// The name of the database, as in its key: a host, or a host and a path.
        name: &'a str,
        /// `supported`, `latest`, `lookup/...` or `tile/...`.
        rest: &'a str,
    },
}

impl TreeFile<'_> {
    /// Reads a name, without a slash at its start. `None` for names that no tree has: what is returned
    /// has no `..`, no empty element, and escapes to the same name again.
    ///
    /// Source: golang/go `cmd/go/internal/modfetch/proxy.go`; the Go Modules Reference, "GOPROXY protocol".
    #[must_use]
    pub fn parse(name: &str) -> Option<TreeFile<'_>> {
        if let Some(database) = name
            .strip_prefix(SUMDB)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            return parse_database(database);
        }
        if let Some(path) = name.strip_suffix("/@latest") {
            return ModulePath::unescape(path).ok().map(TreeFile::Latest);
        }
        let (folder, file) = name.rsplit_once('/')?;
        let path = folder.strip_suffix(VERSIONS)?.strip_suffix('/')?;
        let path = ModulePath::unescape(path).ok()?;
        if file == LIST {
            return Some(TreeFile::List(path));
        }
        let (version, file) = VersionFile::split(file)?;
        let version = unescape_version(version)?;
        Some(TreeFile::Version {
            path,
            version,
            file,
        })
    }
}

fn parse_database(text: &str) -> Option<TreeFile<'_>> {
    if text
        .split('/')
        .any(|element| matches!(element, "" | "." | ".."))
    {
        return None;
    }
    let split = |at: usize| {
        let (name, rest) = text.split_at(at);
        let rest = rest.strip_prefix('/')?;
        (!name.is_empty()).then_some(TreeFile::Database { name, rest })
    };
    for end in [SUMDB_SUPPORTED, "latest"] {
        if let Some(name) = text
            .strip_suffix(end)
            .and_then(|name| name.strip_suffix('/'))
        {
            // A lookup or a tile may end in the same word.
            if !name.contains("/lookup/") && !name.contains("/tile/") {
                return split(name.len());
            }
        }
    }
    let at = ["/lookup/", "/tile/"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()?;
    split(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let path = |path: &str| ModulePath::parse(path).unwrap();
        let version = |module: &str, version: &str, file| {
            Some(TreeFile::Version {
                path: path(module),
                version: version.to_owned(),
                file,
            })
        };
        let database = |name, rest| Some(TreeFile::Database { name, rest });
        let rows = [
            ("a.com/!up/@v/list", Some(TreeFile::List(path("a.com/Up")))),
            (
                "a.com/m/v2/@latest",
                Some(TreeFile::Latest(path("a.com/m/v2"))),
            ),
            (
                "a.com/m/@v/v1.0.0-!r!c1.zip",
                version("a.com/m", "v1.0.0-RC1", VersionFile::Zip),
            ),
            (
                "a.com/m/@v/main.info",
                version("a.com/m", "main", VersionFile::Info),
            ),
            (
                "a.com/m/@v/v1.0.0.zip.part",
                version("a.com/m", "v1.0.0", VersionFile::ZipPart),
            ),
            (
                "sumdb/h.com/db/supported",
                database("h.com/db", "supported"),
            ),
            ("sumdb/h.com/latest", database("h.com", "latest")),
            (
                "sumdb/h.com/lookup/a.com/m@v1.0.0",
                database("h.com", "lookup/a.com/m@v1.0.0"),
            ),
            (
                "sumdb/h.com/lookup/a.com/tile/m@v1.0.0",
                database("h.com", "lookup/a.com/tile/m@v1.0.0"),
            ),
            (
                "sumdb/h.com/tile/8/0/x001/234.p/5",
                database("h.com", "tile/8/0/x001/234.p/5"),
            ),
        ];
        for (name, want) in rows {
            assert_eq!(TreeFile::parse(name), want, "{name}");
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "list",
            "@v/list",
            "/a.com/m/@v/list",
            "a.com/m/@v/",
            "a.com/m/@v/v1.0.0",
            "a.com/m/@v/v1.0.0.zip1.tmp",
            "a.com/../m/@v/list",
            "a.com/Up/@v/list",
            "a.com/m/@v/V1.info",
            "a.com/m/@v/a/b.info",
            "sumdb/h.com",
            "sumdb/lookup/a",
            "sumdb/h.com/../x/latest",
            "sumdb//latest",
            "sumdb/h.com/lookup/",
            "a.com/m/@v/..info",
        ] {
            assert_eq!(TreeFile::parse(name), None, "{name}");
        }
    }
}
