//! The rules for the contents of a module zip: which names, which sizes.
//!
//! | rule | limit |
//! |---|---|
//! | every name starts with `path@version/` | |
//! | the rest is a clean relative path of allowed characters | |
//! | no two names are equal under case folding, nor is one a file and a directory | |
//! | go.mod only in the root, only in lower case | |
//! | the zip file; the sum of the declared sizes | 500 MiB each |
//! | go.mod and LICENSE in the root | 16 MiB each |
//! | no symbolic links or other irregular files | |
//!
//! The last one stands in the documentation of golang/mod's `zip`, but go's reader does not ask:
//! it writes a link's target as a regular file of that name. Zips that go makes have none.
//!
//! Source: golang/mod `zip/zip.go`, `checkZip`; go `modfetch/fetch.go`, `downloadZip`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::broken::Broken;
use super::directory::{CentralHeader, FileType};
use super::fold::fold;
use crate::gomod::check_file_path;

/// The most bytes of a zip file, and of the declared sizes of its entries together.
pub(super) const MAX_ZIP_BYTES: u64 = 500 << 20;
/// The most bytes of a go.mod or a LICENSE in the module's root.
pub(super) const MAX_ROOT_FILE_BYTES: u64 = 16 << 20;

/// Checks one entry after the other, and remembers what later ones may clash with.
pub(super) struct Rules {
    module: String,
    prefix: String,
    seen: ZipNames,
    unpacked_bytes: u64,
}

impl Rules {
    /// `module` is `path@version`.
    pub(super) fn new(module: &str) -> Rules {
        Rules {
            module: module.to_owned(),
            prefix: format!("{module}/"),
            seen: ZipNames::default(),
            unpacked_bytes: 0,
        }
    }

    /// The declared sizes of the entries so far.
    pub(super) fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }

    /// Checks one entry, and returns its full name.
    pub(super) fn check<'a>(&mut self, header: &CentralHeader<'a>) -> Result<&'a str, Broken> {
        let text = String::from_utf8_lossy(header.name);
        let Some(rest) = text.strip_prefix(&self.prefix) else {
            let file = text.escape_debug();
            return Err(Broken::zip(format!(
                "zip for {} has unexpected file {file}",
                self.module
            )));
        };
        let blame = |reason: Cow<'static, str>| Broken::entry(&text, reason);
        let Ok(full) = std::str::from_utf8(header.name) else {
            return Err(blame(
                format!("malformed file path {rest:?}: invalid UTF-8").into(),
            ));
        };
        let (name, kind) = match rest.strip_suffix('/') {
            Some(name) => (name, NameKind::Directory),
            None if rest.is_empty() => (rest, NameKind::Directory),
            None => (rest, NameKind::File),
        };
        if header.file_type == FileType::Irregular {
            return Err(blame("not a regular file".into()));
        }
        if header.file_type == FileType::Directory && kind == NameKind::File {
            return Err(blame("a directory without a trailing slash".into()));
        }
        if kind == NameKind::Directory && header.unpacked != 0 {
            return Err(blame("a directory with content".into()));
        }
        if rest.is_empty() {
            return Ok(full);
        }
        if !is_clean(name) {
            return Err(blame("file path is not clean".into()));
        }
        check_file_path(name).map_err(|error| blame(error.chain().into()))?;
        self.seen
            .add(name, kind)
            .map_err(|reason| blame(reason.into()))?;
        if kind == NameKind::Directory {
            return Ok(full);
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        if base.eq_ignore_ascii_case("go.mod") {
            if base != name {
                return Err(blame("go.mod file not in module root directory".into()));
            }
            if name != "go.mod" {
                return Err(blame("go.mod files must have lowercase names".into()));
            }
        }
        if header.unpacked > MAX_ZIP_BYTES - self.unpacked_bytes {
            return Err(Broken::zip(format!(
                "total uncompressed size of module contents too large (max size is {MAX_ZIP_BYTES} bytes)"
            )));
        }
        self.unpacked_bytes += header.unpacked;
        if matches!(name, "go.mod" | "LICENSE") && header.unpacked > MAX_ROOT_FILE_BYTES {
            return Err(blame(
                format!("{name} file too large (max size is {MAX_ROOT_FILE_BYTES} bytes)").into(),
            ));
        }
        Ok(full)
    }
}

/// True if go's `path.Clean` leaves the path as it is.
pub(super) fn is_clean(path: &str) -> bool {
    if matches!(path, "." | "/") {
        return true;
    }
    let (rooted, relative) = match path.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, path),
    };
    let mut only_parents = !rooted;
    relative.split('/').all(|element| match element {
        "" | "." => false,
        ".." => only_parents,
        _ => {
            only_parents = false;
            true
        }
    })
}

/// The names seen so far and every directory above them.
///
/// Keys are folded names; a value has the name itself where folding changed it.
#[derive(Default)]
pub(super) struct ZipNames(HashMap<Box<str>, (Option<Box<str>>, NameKind)>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    File,
    Directory,
}

impl ZipNames {
    pub(super) fn add(&mut self, name: &str, kind: NameKind) -> Result<(), String> {
        let (mut name, mut kind) = (name, kind);
        loop {
            let folded = fold(name);
            if let Some((other, other_kind)) = self.0.get(&*folded) {
                let other = other.as_deref().unwrap_or(&folded);
                if other != name {
                    return Err(format!(
                        "case-insensitive file name collision: {other:?} and {name:?}"
                    ));
                }
                return match (kind, *other_kind) {
                    // Those above a known directory are known as well.
                    (NameKind::Directory, NameKind::Directory) => Ok(()),
                    (NameKind::File, NameKind::File) => {
                        Err(format!("multiple entries for file {name:?}"))
                    }
                    _ => Err(format!("entry {name:?} is both a file and a directory")),
                };
            }
            let differs = (folded != name).then(|| name.into());
            self.0.insert(folded.into(), (differs, kind));
            match name.rsplit_once('/') {
                Some((parent, _)) => (name, kind) = (parent, NameKind::Directory),
                None => return Ok(()),
            }
        }
    }
}
