//! What the module cache knows beyond go.mod and go.sum: the licence files of each module and the commit it was made from.
//!
//! A licence file is one at the root of the module with one of the names that people give to them; its text is proven by go.sum, because
//! the whole zip is hashed on the way. The text gets no SPDX identifier. The one maintained crate that detects licences (spdx 0.13, the
//! successor of askalono) adds 1,634,872 bytes to a static binary, most of them a regular-expression engine with the tables of Unicode, and
//! 68 KB of compressed templates come on top: more than the room that is left below the limit of 9 MiB. So a document has the texts, and
//! the reader's own detector may name them.

use std::fs::File;

use rayon::prelude::*;

use super::{BillOfMaterials, BomModule};
use crate::cache::Cache;
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::modzip::ModuleZip;
use crate::source::{Info, VcsOrigin};

/// A longer file is not taken for a licence, in bytes. The longest text of the SPDX list has 90,000.
const MAX_LICENSE_BYTES: u64 = 256 << 10;

/// A file at the root of a module that holds its licence, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseFile {
    /// Its name, such as `LICENSE`.
    pub name: String,
    /// Its text; bytes that are not UTF-8 are U+FFFD.
    pub text: String,
}

/// Where the repository of a module version is, as the `.info` of the cache has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BomOrigin {
    /// `git`, `hg`, `svn`, `bzr` or `fossil`.
    pub vcs: String,
    /// The URL of the repository, without user, password and query.
    pub url: String,
    /// The folder of the repository that holds the module; empty for its root.
    pub subdir: String,
    /// The commit; empty if the cache does not know it.
    pub commit: String,
}

impl BomOrigin {
    fn of(origin: &VcsOrigin) -> Option<BomOrigin> {
        let known = ["git", "hg", "svn", "bzr", "fossil"].contains(&origin.vcs.as_str());
        let url = without_secrets(&origin.url).filter(|_| known)?;
        Some(BomOrigin {
            vcs: origin.vcs.clone(),
            url,
            subdir: origin.subdir.clone(),
            commit: origin.hash.clone(),
        })
    }

    /// The location in the form `VCS+URL@COMMIT#FOLDER`; `None` for a system that SPDX has no word for.
    ///
    /// Source: the SPDX specification 2.3, section 7.7, "package download location".
    #[must_use]
    pub fn location(&self) -> Option<String> {
        if self.vcs == "fossil" {
            return None;
        }
        let mut text = format!("{}+{}", self.vcs, self.url);
        for (mark, part) in [('@', &self.commit), ('#', &self.subdir)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        Some(text)
    }
}

/// A URL without user, password, query and fragment; `None` for other texts.
fn without_secrets(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>'))
    };
    (!host.is_empty() && plain(scheme) && plain(host) && plain(path))
        .then(|| format!("{scheme}://{host}{path}"))
}

/// True for the names that people give to licence files, such as `LICENSE`, `LICENCE.md`, `COPYING`, `MIT-LICENSE.txt`, `LICENSE-APACHE`,
/// `UNLICENSE`.
fn names_a_license(file: &str) -> bool {
    let name = file.to_ascii_uppercase();
    let stem = name.split('.').next().unwrap_or_default();
    let starts = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"];
    let ends = ["-LICENSE", "-LICENCE", "_LICENSE", "_LICENCE"];
    let is_one = starts.iter().any(|start| stem.starts_with(start))
        || ends.iter().any(|end| stem.ends_with(end));
    is_one && !name.contains('/') && !name.ends_with(".GO")
}

impl BillOfMaterials {
    /// Adds the licence files of all modules whose zip is in `cache`. Returns the names of those whose zip is needed and missing.
    ///
    /// Call it on a pool of one thread a core.
    ///
    /// # Errors
    /// [`Kind::Security`] for a zip that is not the one that go.sum names; [`Kind::LocalIo`].
    pub fn add_licenses(&mut self, cache: &Cache) -> Result<Vec<String>> {
        let one = |module: &mut BomModule| -> Result<Option<String>> {
            let (Some(used), Some(sum)) = (module.used(), &module.sum) else {
                return Ok(None);
            };
            let found = license_files(cache, &used, sum)?;
            let missing = found.is_none().then(|| used.to_string());
            module.licenses = found.unwrap_or_default();
            Ok(missing)
        };
        let found: Result<Vec<Option<String>>> = self.modules.par_iter_mut().map(one).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Adds the repositories that the `.info` files of `cache` name.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] for a file that is there and cannot be read.
    pub fn add_origins(&mut self, cache: &Cache) -> Result<()> {
        for module in &mut self.modules {
            if let Some(used) = module.used() {
                let info = cache.entry(&used)?.read_info(Info::parse_cached)?.flatten();
                let origin = info.and_then(|info| info.origin);
                module.origin = origin.and_then(|origin| BomOrigin::of(&origin));
            }
        }
        Ok(())
    }
}

/// The licence files of a cached zip, sorted by name; `None` if it is not there.
fn license_files(
    cache: &Cache,
    module: &ModuleVersion,
    sum: &str,
) -> Result<Option<Vec<LicenseFile>>> {
    let path = cache.entry(module)?.zip_path();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("cannot open", &path, error).about(module)),
    };
    let zip = ModuleZip::open(file, module)?;
    let (contents, files) = zip.contents_with(MAX_LICENSE_BYTES, names_a_license)?;
    let found = contents.h1();
    if found.as_str() != sum {
        let text = format!("{module}: the zip in the module cache has {found}, go.sum has {sum}");
        let error = Error::new(Kind::Security, text);
        return Err(error.hint("repair the cache: modfetch verify --repair"));
    }
    let files = files.into_iter().map(|(name, data)| LicenseFile {
        name: name.to_owned(),
        text: String::from_utf8_lossy(&data).into_owned(),
    });
    Ok(Some(files.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_license_files_are_those_that_people_use() {
        for yes in [
            "LICENSE",
            "License.md",
            "LICENCE.txt",
            "license",
            "LICENSE-APACHE",
            "LICENSE.MIT",
            "LICENSE_DOCS",
            "COPYING",
            "COPYING.LESSER",
            "MIT-LICENSE.txt",
            "UNLICENSE",
        ] {
            assert!(names_a_license(yes), "{yes}");
        }
        for no in [
            "licenses.go",
            "license_test.go",
            "sub/LICENSE",
            "README.md",
            "LICENSES/MIT.txt",
            "relicense.md",
        ] {
            assert!(!names_a_license(no), "{no}");
        }
    }

    #[test]
    fn origin_has_no_secret_and_becomes_a_location() {
        let rows = [
            (
                "https://github.com/a/b",
                "",
                "c0ffee",
                "git+https://github.com/a/b@c0ffee",
            ),
            (
                "https://user:word@git.example.com:8443/a?token=x",
                "sub",
                "",
                "git+https://git.example.com:8443/a#sub",
            ),
            (
                "ssh://git@example.com/a@b/c",
                "sub/v2",
                "1",
                "git+ssh://example.com/a@b/c@1#sub/v2",
            ),
        ];
        for (url, subdir, hash, want) in rows {
            let origin = VcsOrigin {
                vcs: "git".to_owned(),
                url: url.to_owned(),
                subdir: subdir.to_owned(),
                hash: hash.to_owned(),
                ..VcsOrigin::default()
            };
            let origin = BomOrigin::of(&origin).expect("a repository");
            assert_eq!(origin.location().as_deref(), Some(want));
        }
        for url in ["", "git@example.com:a/b", "https://", "https://a b/c"] {
            assert_eq!(without_secrets(url), None, "{url}");
        }
    }
}
