//! A module path and a version that agree, and their escaped form.

use std::fmt;
use std::sync::Arc;

use super::path::{EscapedPath, ModulePath, unescape};
use super::semver::Version;
use super::tool::Tool;
use crate::error::{Error, Kind, Result, Subject};

/// One version of one module. Ordered by path, then by version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleVersion {
    path: ModulePath,
    version: Version,
}

impl ModuleVersion {
    /// Pairs a path and a version that agree on the major version.
    ///
    /// # Errors
    /// [`Kind::Input`], `PATH@VERSION: invalid version: should be v2, not v1`, as go has it.
    ///
    /// Source: golang/mod `module.CheckPathMajor`.
    pub fn new(path: ModulePath, version: Version) -> Result<ModuleVersion> {
        match major_mismatch(path.major_suffix(), &version) {
            None => Ok(ModuleVersion { path, version }),
            Some(want) => {
                let noun = if version.is_pseudo() {
                    "pseudo-version"
                } else {
                    "version"
                };
                let got = version.major();
                let text = format!("invalid {noun}: should be {want}, not {got}");
                Err(Error::new(Kind::Input, text).about(Subject::version(path, version)))
            }
        }
    }

    /// Parses both and pairs them.
    ///
    /// # Errors
    /// As [`ModulePath::parse`], [`Version::parse`] and [`ModuleVersion::new`].
    pub fn parse(path: &str, version: &str) -> Result<ModuleVersion> {
        ModuleVersion::new(ModulePath::parse(path)?, Version::parse(version)?)
    }

    /// Reads path and version as they stand in cache paths.
    ///
    /// # Errors
    /// [`Kind::Input`]: no module has such names in a cache.
    pub fn unescape(path: &str, version: &str) -> Result<ModuleVersion> {
        ModuleVersion::with_escaped(ModulePath::unescape(path)?, version)
    }

    /// Reads a version as it stands in cache paths, beside a path that [`ModulePath::unescape`] has read.
    ///
    /// # Errors
    /// As [`ModuleVersion::unescape`].
    pub fn with_escaped(path: ModulePath, version: &str) -> Result<ModuleVersion> {
        let plain = unescape(version).ok_or_else(|| {
            let text = format!("invalid escaped version {version:?}");
            Error::new(Kind::Input, text)
        })?;
        let module = ModuleVersion::new(path, Version::parse(&plain)?)?;
        module.version.escape().map(|_| module)
    }

    /// True for what go.mod may require of `go` or `toolchain`, as if they were modules.
    #[must_use]
    pub fn is_tool(&self) -> bool {
        Tool::of(self.path.as_str()).is_some()
    }

    /// The module path.
    #[must_use]
    pub fn path(&self) -> &ModulePath {
        &self.path
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The form that joins into URLs and cache paths.
    ///
    /// # Errors
    /// [`Kind::Input`] if the path or the version may not be fetched.
    pub fn escape(&self) -> Result<EscapedModule> {
        Ok(EscapedModule {
            path: self.path.escape()?,
            version: self.version.escape()?,
        })
    }
}

/// The major version that `suffix` asks for, if `version` has another.
fn major_mismatch<'a>(suffix: &'a str, version: &Version) -> Option<&'a str> {
    let suffix = if suffix.starts_with(".v") {
        suffix.strip_suffix("-unstable").unwrap_or(suffix)
    } else {
        suffix
    };
    // Old pseudo-versions of gopkg.in/x.v1 were v0.0.0-.
    if version.as_str().starts_with("v0.0.0-") && suffix == ".v1" {
        return None;
    }
    let major = version.major();
    if suffix.is_empty() {
        let ok = major == "v0" || major == "v1" || version.is_incompatible();
        return (!ok).then_some("v0 or v1");
    }
    let want = &suffix[1..];
    (major != want).then_some(want)
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.path, self.version)
    }
}

impl fmt::Debug for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<&ModuleVersion> for Subject {
    fn from(module: &ModuleVersion) -> Subject {
        Subject::version(module.path(), module.version())
    }
}

/// Path and version as they stand in URLs and cache paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EscapedModule {
    path: EscapedPath,
    version: Arc<str>,
}

impl EscapedModule {
    /// The escaped path.
    #[must_use]
    pub fn path(&self) -> &EscapedPath {
        &self.path
    }

    /// The escaped version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `PATH/@v/VERSION.SUFFIX`: below a proxy's URL and below `cache/download` alike.
    #[must_use]
    pub fn file(&self, suffix: &str) -> String {
        format!("{}/@v/{}.{suffix}", self.path, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_version_must_agree() {
        let rows = [
            ("a.com/m", "v1.0.0", ""),
            ("a.com/m", "v0.1.0", ""),
            ("a.com/m", "v2.0.0+incompatible", ""),
            ("a.com/m/v2", "v2.1.0", ""),
            ("gopkg.in/m.v1", "v0.0.0-20060102150405-abcdefabcdef", ""),
            ("gopkg.in/m.v1-unstable", "v1.0.0", ""),
            (
                "a.com/m",
                "v2.0.0",
                "a.com/m@v2.0.0: invalid version: should be v0 or v1, not v2",
            ),
            (
                "a.com/m/v2",
                "v1.0.0",
                "a.com/m/v2@v1.0.0: invalid version: should be v2, not v1",
            ),
            ("a.com/m/v2", "v2.0.0+incompatible", ""),
            (
                "gopkg.in/m.v3",
                "v2.0.0",
                "gopkg.in/m.v3@v2.0.0: invalid version: should be v3, not v2",
            ),
        ];
        for (path, version, want) in rows {
            let got = ModuleVersion::parse(path, version)
                .err()
                .map_or(String::new(), |e| e.chain());
            assert_eq!(got, want, "{path}@{version}");
        }
    }

    #[test]
    fn files_are_named_by_escaped_path_and_version() {
        let module = ModuleVersion::parse("github.com/Azure/sdk", "v1.0.0-RC1").unwrap();
        assert_eq!(
            module.escape().unwrap().file("zip"),
            "github.com/!azure/sdk/@v/v1.0.0-!r!c1.zip"
        );
    }
}
