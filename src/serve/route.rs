//! What a path asks for. Pure.
//!
//! Source: Go Modules Reference, "GOPROXY protocol"; golang/mod `sumdb.Server`.

use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::layout::{TreeFile, VersionFile};

/// A file of one version, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `.info`
    Info,
    /// `.mod`
    GoMod,
    /// `.zip`
    Zip,
}

impl FileKind {
    /// What a proxy serves; `None` for what it does not.
    #[must_use]
    pub fn of(file: VersionFile) -> Option<FileKind> {
        match file {
            VersionFile::Info => Some(FileKind::Info),
            VersionFile::GoMod => Some(FileKind::GoMod),
            VersionFile::Zip => Some(FileKind::Zip),
            _ => None,
        }
    }

    /// The end of its name, without the point.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            FileKind::Info => "info",
            FileKind::GoMod => "mod",
            FileKind::Zip => "zip",
        }
    }

    /// What it is sent as.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            FileKind::Info => "application/json",
            FileKind::GoMod => super::http1::TEXT,
            FileKind::Zip => "application/zip",
        }
    }
}

/// A question whose answer may change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum RouteQuery {
    /// `@v/list`
    List,
    /// `@latest`
    Latest,
    /// `@v/REVISION.info`, where the revision is no canonical version of the module.
    Revision(String),
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The page for people; of one module if it is named.
    Page,
    /// Whether the process lives.
    Live,
    /// Whether it can answer.
    Ready,
    /// Counts for a collector.
    Metrics,
    /// A file of a version.
    File(ModuleVersion, FileKind),
    /// A question about a module.
    Query(ModulePath, RouteQuery),
    /// A path below `/sumdb/`.
    Database(String),
}

/// Reads a decoded path, which begins with `/`.
///
/// # Errors
/// [`Kind::NotFound`]: nothing has that path. [`Kind::Input`]: no module can have it.
pub(super) fn parse_route(path: &str) -> Result<Route> {
    match path {
        "/" => return Ok(Route::Page),
        "/livez" => return Ok(Route::Live),
        "/readyz" => return Ok(Route::Ready),
        "/metrics" => return Ok(Route::Metrics),
        _ => {}
    }
    if let Some(rest) = path.strip_prefix("/sumdb/") {
        return Ok(Route::Database(rest.to_owned()));
    }
    let below = path.strip_prefix('/').unwrap_or(path);
    let (path, version, kind) = match TreeFile::parse(below) {
        Some(TreeFile::List(path)) => return Ok(Route::Query(path, RouteQuery::List)),
        Some(TreeFile::Latest(path)) => return Ok(Route::Query(path, RouteQuery::Latest)),
        Some(TreeFile::Version {
            path,
            version,
            file,
        }) => (path, version, FileKind::of(file)),
        Some(TreeFile::Database { .. }) | None => {
            let text = "not a path of the module proxy protocol";
            return Err(Error::new(Kind::NotFound, text));
        }
    };
    let Some(kind) = kind else {
        return Err(Error::new(
            Kind::NotFound,
            "not a file that a module proxy has",
        ));
    };
    match ModuleVersion::parse(path.as_str(), &version) {
        Ok(module) => Ok(Route::File(module, kind)),
        // A branch, a commit, or the tag of an incompatible version.
        Err(_) if kind == FileKind::Info => Ok(Route::Query(path, RouteQuery::Revision(version))),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, version: &str, kind: FileKind) -> Route {
        Route::File(ModuleVersion::parse(path, version).unwrap(), kind)
    }

    fn query(path: &str, query: RouteQuery) -> Route {
        Route::Query(ModulePath::parse(path).unwrap(), query)
    }

    #[test]
    fn paths_of_the_protocol_are_known() {
        let revision = |text: &str| RouteQuery::Revision(text.to_owned());
        let table = [
            ("/", Route::Page),
            ("/livez", Route::Live),
            ("/readyz", Route::Ready),
            ("/metrics", Route::Metrics),
            (
                "/sumdb/sum.golang.org/supported",
                Route::Database("sum.golang.org/supported".into()),
            ),
            ("/a.com/m/@v/list", query("a.com/m", RouteQuery::List)),
            ("/a.com/m/@latest", query("a.com/m", RouteQuery::Latest)),
            (
                "/a.com/!m/@v/v1.0.0.info",
                file("a.com/M", "v1.0.0", FileKind::Info),
            ),
            (
                "/a.com/m/@v/v1.0.0-!r!c1.mod",
                file("a.com/m", "v1.0.0-RC1", FileKind::GoMod),
            ),
            (
                "/a.com/m/@v/v2.0.0+incompatible.zip",
                file("a.com/m", "v2.0.0+incompatible", FileKind::Zip),
            ),
            ("/a.com/m/@v/main.info", query("a.com/m", revision("main"))),
            ("/a.com/m/@v/v1.info", query("a.com/m", revision("v1"))),
            (
                "/a.com/m/@v/!fix-2.info",
                query("a.com/m", revision("Fix-2")),
            ),
            // The tag of an incompatible version.
            (
                "/a.com/m/@v/v2.0.0.info",
                query("a.com/m", revision("v2.0.0")),
            ),
        ];
        for (path, want) in table {
            assert_eq!(parse_route(path).unwrap(), want, "{path}");
        }
    }

    #[test]
    fn other_paths_are_not() {
        let table = [
            ("/favicon.ico", Kind::NotFound),
            ("/a.com/m", Kind::NotFound),
            ("/a.com/m/@v/v1.0.0.lock", Kind::NotFound),
            ("/a.com/m/@v/v1.0.0.ziphash", Kind::NotFound),
            ("/a.com/m/@v/main.zip", Kind::Input),
            ("/a.com/M/@v/list", Kind::NotFound),
            ("/a.com/m/@v/Main.info", Kind::NotFound),
            ("/cache/lock/@v/list", Kind::NotFound),
            ("/@v/list", Kind::NotFound),
            ("/a.com/m/@v/v2.0.0.zip", Kind::Input),
            ("/a.com/m/@v/a/b.info", Kind::NotFound),
        ];
        for (path, want) in table {
            assert_eq!(parse_route(path).unwrap_err().kind(), want, "{path}");
        }
    }
}
