//! The names of members.

use crate::error::{Error, Kind, Result};
use crate::gomod::{EscapedModule, ModuleVersion, Version};
use crate::layout::{self, CACHE, DOWNLOAD, TreeFile, VersionFile};

/// What a member is of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    Info,
    GoMod,
    ZipHash,
    Zip,
    /// A file of the extracted module, by its name there.
    File(String),
}

/// The name of a file in `cache/download`.
pub(super) fn download(module: &EscapedModule, file: VersionFile) -> String {
    format!("{DOWNLOAD}/{}", layout::file(module, file))
}

/// The name of a file of the extracted module.
pub(super) fn extracted(module: &EscapedModule, file: &str) -> String {
    format!("{}/{file}", layout::extracted(module))
}

/// What a name stands for.
///
/// # Errors
/// [`Kind::Input`] if no export writes such a name.
pub(super) fn parse(name: &str) -> Result<(ModuleVersion, MemberKind)> {
    let unknown = || {
        let error = Error::new(
            Kind::Input,
            format!("{name:?}: no member of an exported cache"),
        );
        error.hint("archives are made by 'modfetch cache export'")
    };
    if let Some(rest) = name.strip_prefix(DOWNLOAD) {
        let Some(TreeFile::Version {
            path,
            version,
            file,
        }) = rest.strip_prefix('/').and_then(TreeFile::parse)
        else {
            return Err(unknown());
        };
        let kind = match file {
            VersionFile::Info => MemberKind::Info,
            VersionFile::GoMod => MemberKind::GoMod,
            VersionFile::ZipHash => MemberKind::ZipHash,
            VersionFile::Zip => MemberKind::Zip,
            _ => return Err(unknown()),
        };
        let version = Version::parse(&version).map_err(|_| unknown())?;
        let module = ModuleVersion::new(path, version).map_err(|_| unknown())?;
        return Ok((module, kind));
    }
    if name.split('/').next() == Some(CACHE) {
        return Err(unknown());
    }
    let (path, rest) = name.split_once('@').ok_or_else(unknown)?;
    let (version, file) = rest.split_once('/').ok_or_else(unknown)?;
    let module = ModuleVersion::unescape(path, version).map_err(|_| unknown())?;
    Ok((module, MemberKind::File(file.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_written_is_read() {
        let module = ModuleVersion::parse("b.com/Up/v2", "v2.0.0-RC1").unwrap();
        let escaped = module.escape().unwrap();
        let kinds = [
            (VersionFile::Info, "info", MemberKind::Info),
            (VersionFile::GoMod, "mod", MemberKind::GoMod),
            (VersionFile::ZipHash, "ziphash", MemberKind::ZipHash),
            (VersionFile::Zip, "zip", MemberKind::Zip),
        ];
        for (file, end, kind) in kinds {
            let name = download(&escaped, file);
            assert_eq!(
                name,
                format!("cache/download/b.com/!up/v2/@v/v2.0.0-!r!c1.{end}")
            );
            assert_eq!(parse(&name).unwrap(), (module.clone(), kind));
        }
        let name = extracted(&escaped, "a/x@y/b.go");
        assert_eq!(name, "b.com/!up/v2@v2.0.0-!r!c1/a/x@y/b.go");
        let file = MemberKind::File("a/x@y/b.go".to_owned());
        assert_eq!(parse(&name).unwrap(), (module, file));
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "cache/lock",
            "cache/modfetch/usage",
            "cache/download/sumdb/s.com/lookup/a.com/m@v1.0.0",
            "cache/download/a.com/m/@v/list",
            "cache/download/a.com/m/@v/v1.0.0.lock",
            "cache/download/a.com/m/@v/v1.zip",
            "cache/download/A.com/m/@v/v1.0.0.zip",
            "a.com/m@v1.0.0",
            "a.com/m@v1/go.mod",
            "a.com/m/go.mod",
            "cache/x@v1.0.0/go.mod",
        ] {
            assert_eq!(parse(name).unwrap_err().kind(), Kind::Input, "{name}");
        }
    }
}
