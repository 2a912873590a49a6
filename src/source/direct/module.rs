//! A module within a repository: its versions, its folder, its go.mod and its zip.
//!
//! A repository has tags, branches and commits; a module has versions. What turns one into the
//! other are go's rules: which tags are versions of this module (`sub/v1.2.0` of the one in `sub`),
//! where its go.mod may be (`sub/go.mod` or, from v2 on, `sub/v2/go.mod`), which versions are
//! `+incompatible`, and which pseudo-version a commit has, or may have.
//!
//! Source: golang/go `cmd/go/internal/modfetch/coderepo.go`.

mod convert;

use std::io::Write;
use std::sync::Arc;

use convert::Converter;

use super::discovery::has_prefix;
use super::recent::Recent;
use super::repository::{NotResolved, Repository, Revision};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::modfile::ModFile;
use crate::gomod::quote::unquote;
use crate::gomod::{
    ModuleVersion, canonical, compare, is_pseudo_version, is_valid, major, prerelease,
    pseudo_version_revision, split_path_version,
};
use crate::modzip::{ModuleZipWriter, RepositoryFile, select_files};
use crate::source::{Info, MAX_MOD_BYTES, VcsOrigin};

/// A module that is kept in a repository.
pub(super) struct RepositoryModule {
    path: String,
    repository: Arc<dyn Repository>,
    /// The import path of the repository.
    root: String,
    /// The folder of the module, without the one of its major version.
    dir: String,
    /// The path without its major version.
    prefix: String,
    /// `/v2`, `.v3`, `.v1-unstable` or empty.
    path_major: String,
    retracted: Recent<(), Arc<Vec<(String, String)>>, Error>,
}

const INCOMPATIBLE: &str = "+incompatible";

/// Where a module was found.
struct ModuleFolder {
    dir: String,
    go_mod: Option<Vec<u8>>,
}

impl RepositoryModule {
    /// The module at `path` in a repository that stands for `root`, or for the folder `subdir` of
    /// it.
    pub(super) fn new(
        repository: Arc<dyn Repository>,
        root: &str,
        subdir: &str,
        path: &str,
    ) -> Result<RepositoryModule> {
        let invalid = |text: String| Error::new(Kind::NotFound, text);
        if !has_prefix(path, root) {
            return Err(invalid(format!("mismatched repo: found {root} for {path}")));
        }
        let split = split_path_version(path);
        let (prefix, path_major) =
            split.ok_or_else(|| invalid(format!("invalid module path {path:?}")))?;
        let mut dir = String::new();
        let mut prefix = prefix;
        if root == path {
            prefix = path;
        } else {
            let below = prefix
                .strip_prefix(root)
                .filter(|_| has_prefix(prefix, root));
            let below = below.ok_or_else(|| {
                invalid(format!(
                    "repository rooted at {root} cannot contain module {path}"
                ))
            })?;
            dir = below.trim_matches('/').to_owned();
        }
        if !subdir.is_empty() {
            dir = crate::fsio::clean_path(&format!("{dir}/{subdir}"));
            dir = dir.trim_matches('/').to_owned();
        }
        Ok(RepositoryModule {
            path: path.to_owned(),
            repository,
            root: root.to_owned(),
            dir,
            prefix: prefix.to_owned(),
            path_major: path_major.to_owned(),
            retracted: Recent::default(),
        })
    }

    /// Names the module, as go's `ModuleError` does.
    fn named(&self, error: Error) -> Error {
        error.about(Subject::module(&self.path))
    }

    /// Names the version, as go's `InvalidVersionError` does.
    fn invalid(&self, version: &str, error: Error) -> Error {
        error.context(format!("{}@{version}: invalid version", self.path))
    }

    fn refused(&self, version: &str, text: String) -> Error {
        self.invalid(version, Error::new(Kind::NotFound, text))
    }

    /// The major version of pseudo-versions; empty if the path says none.
    fn pseudo_major(&self) -> &str {
        let major = self.path_major.trim_end_matches("-unstable");
        major.trim_start_matches(['/', '.'])
    }

    fn fits_major(&self, version: &str) -> bool {
        let of_version = major(version);
        match self.pseudo_major() {
            "" => matches!(of_version, "v0" | "v1") || version.ends_with(INCOMPATIBLE),
            "v1" if version.starts_with("v0.0.0-") && self.path_major.starts_with('.') => true,
            wanted => of_version == wanted,
        }
    }

    fn tag_prefix(&self) -> String {
        match self.dir.as_str() {
            "" => String::new(),
            dir => format!("{dir}/"),
        }
    }

    /// What the repository knows a version as.
    fn revision_of(&self, version: &str) -> String {
        if !is_valid(version) {
            return version.to_owned();
        }
        if let Some(revision) = pseudo_version_revision(version) {
            return revision.to_owned();
        }
        let plain = version.strip_suffix(INCOMPATIBLE).unwrap_or(version);
        format!("{}{plain}", self.tag_prefix())
    }

    fn with_subdir(&self, origin: VcsOrigin) -> VcsOrigin {
        VcsOrigin {
            subdir: self.dir.clone(),
            ..origin
        }
    }

    /// Refuses if what `old` depends on has changed.
    pub(super) fn check_reuse(&self, old: &VcsOrigin) -> Result<()> {
        self.repository.check_reuse(old, &self.dir)
    }

    /// What there is, by something harmless.
    pub(super) fn reach(&self) -> Result<Option<String>> {
        self.repository.reach()
    }

    /// What the list of the versions that begin with `prefix` depends on.
    pub(super) fn versions_origin(&self, prefix: &str) -> Result<VcsOrigin> {
        let listed = self
            .repository
            .tags(&format!("{}{prefix}", self.tag_prefix()))?;
        Ok(self.with_subdir(listed.origin))
    }

    /// The versions that tags say, in order.
    pub(super) fn versions(&self) -> Result<Vec<String>> {
        // Those tags are of the stable module.
        if self.path.starts_with("gopkg.in/") && self.path.ends_with("-unstable") {
            return Ok(Vec::new());
        }
        let prefix = self.tag_prefix();
        let listed = self.repository.tags(&prefix);
        let tags = listed.map_err(|error| self.named(error))?.tags;
        let (mut list, mut incompatible) = (Vec::new(), Vec::new());
        for tag in &tags {
            let version = tag.name.strip_prefix(&prefix).unwrap_or_default();
            let plain = canonical(version).is_some_and(|plain| plain == version);
            if !plain || version.ends_with(INCOMPATIBLE) || is_pseudo_version(version) {
                continue;
            }
            if self.fits_major(version) {
                list.push(version.to_owned());
            } else if self.dir.is_empty() && self.path_major.is_empty() {
                incompatible.push(version.to_owned());
            }
        }
        let in_order = |a: &String, b: &String| compare(a, b).then_with(|| a.cmp(b));
        list.sort_by(in_order);
        incompatible.sort_by(in_order);
        self.add_incompatible(&mut list, &incompatible)
            .map_err(|error| self.named(error))?;
        Ok(list)
    }

    fn has_go_mod(&self, version: &str) -> Result<bool> {
        let found = self
            .repository
            .read_file(version, "go.mod", MAX_MOD_BYTES)?;
        Ok(found.is_some())
    }

    /// Adds versions from before modules; none if the newest compatible one was made for modules,
    /// and none of a major version whose newest was.
    fn add_incompatible(&self, list: &mut Vec<String>, incompatible: &[String]) -> Result<()> {
        if incompatible.is_empty() {
            return Ok(());
        }
        if let Some(newest) = list.last()
            && self.has_go_mod(newest)?
        {
            return Ok(());
        }
        for of_major in incompatible.chunk_by(|a, b| major(a) == major(b)) {
            let Some(newest) = of_major.last() else {
                continue;
            };
            if !self.has_go_mod(newest)? {
                list.extend(
                    of_major
                        .iter()
                        .map(|version| format!("{version}{INCOMPATIBLE}")),
                );
            }
        }
        Ok(())
    }

    /// What a version, tag, branch or commit stands for.
    pub(super) fn stat(&self, revision: &str) -> Result<Info, NotResolved> {
        let found = self.repository.stat(&self.revision_of(revision));
        let found = found.map_err(|cause| NotResolved {
            error: self.invalid(revision, cause.error),
            origin: cause
                .origin
                .map(|origin| Box::new(self.with_subdir(*origin))),
        })?;
        self.convert(&found, revision)
    }

    /// What the newest commit of the main branch stands for.
    pub(super) fn latest(&self) -> Result<Info, NotResolved> {
        let found = self.repository.latest().map_err(|cause| NotResolved {
            error: self.named(cause.error),
            origin: cause
                .origin
                .map(|origin| Box::new(self.with_subdir(*origin))),
        })?;
        self.convert(&found, "")
    }

    /// The version that a commit has; `asked` is the version that it must be, if that is one.
    fn convert(&self, found: &Revision, asked: &str) -> Result<Info, NotResolved> {
        let origin = self.with_subdir(found.origin.clone());
        let converted = Converter::new(self, found, asked).version();
        let version = converted.map_err(|error| NotResolved {
            error,
            origin: Some(Box::new(origin.clone())),
        })?;
        let mut origin = origin;
        if is_pseudo_version(&version) && (version != asked || !version.starts_with("v0.0.0-")) {
            // Another tag could make it another version.
            let mut prefix = self.tag_prefix();
            if !self.path_major.is_empty() {
                prefix.push_str(self.path_major.get(1..).unwrap_or_default());
                prefix.push('.');
            }
            let tags = self.repository.tags(&prefix)?;
            origin.tag_prefix = tags.origin.tag_prefix;
            origin.tag_sum = tags.origin.tag_sum;
            if !tags.origin.repo_sum.is_empty() {
                origin.repo_sum = tags.origin.repo_sum;
            }
        }
        Ok(Info {
            version,
            time: found.time,
            origin: Some(Box::new(origin)),
        })
    }

    /// Where the module is in the repository at a version.
    fn find_dir(&self, version: &str) -> Result<ModuleFolder> {
        let revision = self.revision_of(version);
        let root = &self.root;
        let read = |path: &str| {
            let read = self.repository.read_file(&revision, path, MAX_MOD_BYTES);
            read.map_err(|error| {
                error.context(format!("reading {root}/{path} at revision {revision}"))
            })
        };
        let refuse = |text: String| Err(Error::new(Kind::NotFound, text));
        let join = |dir: &str, name: &str| match dir {
            "" => name.to_owned(),
            dir => format!("{dir}/{name}"),
        };
        let file1 = join(&self.dir, "go.mod");
        let gomod1 = read(&file1)?;
        let path1 = gomod1.as_deref().map(module_path).unwrap_or_default();
        let found1 = gomod1.is_some() && (self.is_major(&path1) || self.may_replace(&path1));
        let major = self.path_major.as_str();
        let has_major_dir = !major.is_empty() && self.root != self.path && !major.starts_with('.');
        if has_major_dir {
            let dir2 = join(&self.dir, major.trim_start_matches('/'));
            let file2 = join(&dir2, "go.mod");
            let gomod2 = read(&file2)?;
            let path2 = gomod2.as_deref().map(module_path).unwrap_or_default();
            let found2 = gomod2.is_some() && self.is_major(&path2);
            if found1 && found2 {
                let prefix = &self.prefix;
                return refuse(format!(
                    "{prefix}/{file1} and ...{major}/go.mod both have ...{major} module paths at \
                     revision {revision}"
                ));
            }
            if found2 {
                return Ok(ModuleFolder {
                    dir: dir2,
                    go_mod: gomod2,
                });
            }
            if gomod2.is_some() {
                return refuse(match path2.as_str() {
                    "" => format!("{root}/{file2} is missing module path at revision {revision}"),
                    path2 => format!(
                        "{root}/{file2} has non-...{major} module path {path2:?} at revision \
                         {revision}"
                    ),
                });
            }
        }
        if found1 {
            return Ok(ModuleFolder {
                dir: self.dir.clone(),
                go_mod: gomod1,
            });
        }
        if gomod1.is_some() {
            let suffix = match has_major_dir {
                true => format!(" (and ...{major}/go.mod does not exist)"),
                false => String::new(),
            };
            let what = if path1.is_empty() {
                format!("{file1} is missing module path{suffix}")
            } else if !major.is_empty() {
                format!("{file1} has non-...{major} module path {path1:?}{suffix}")
            } else if split_path_version(&path1).is_none() {
                format!("{file1} has malformed module path {path1:?}{suffix}")
            } else {
                let of_version = crate::gomod::major(version);
                format!("{file1} has post-{of_version} module path {path1:?}{suffix}")
            };
            return refuse(format!("{what} at revision {revision}"));
        }
        if self.dir.is_empty() && (major.is_empty() || major.starts_with('.')) {
            return Ok(ModuleFolder {
                dir: String::new(),
                go_mod: None,
            });
        }
        let prefix = &self.prefix;
        refuse(match has_major_dir {
            true => format!("missing {prefix}/go.mod and ...{major}/go.mod at revision {revision}"),
            false => format!("missing {prefix}/go.mod at revision {revision}"),
        })
    }

    /// True if the versions of a module path fit this path's major version.
    fn is_major(&self, path: &str) -> bool {
        let Some((_, of_path)) = split_path_version(path).filter(|_| !path.is_empty()) else {
            return false;
        };
        if self.path_major.is_empty() {
            let major = of_path.trim_end_matches("-unstable");
            return matches!(major, "" | ".v0" | ".v1");
        }
        !of_path.is_empty() && of_path.get(1..) == self.path_major.get(1..)
    }

    /// A fork of a gopkg.in module may stand in for it under a path without a version:
    /// golang/go#34254.
    fn may_replace(&self, path: &str) -> bool {
        self.path_major.is_empty() && path.starts_with("gopkg.in/")
    }

    /// The go.mod of a version, made up for what is older than modules.
    pub(super) fn go_mod(&self, version: &str) -> Result<Vec<u8>> {
        if is_pseudo_version(version) {
            // Its time and its base are checked as well.
            self.stat(version).map_err(|cause| cause.error)?;
        }
        let place = self
            .find_dir(version)
            .map_err(|error| self.wrong_place(version, error))?;
        Ok(place
            .go_mod
            .unwrap_or_else(|| format!("module {}\n", self.path).into_bytes()))
    }

    fn wrong_place(&self, version: &str, error: Error) -> Error {
        error.context(format!("{}@{version}", self.path))
    }

    /// Writes the zip of a version.
    pub(super) fn zip(&self, module: &ModuleVersion, sink: &mut dyn Write) -> Result<()> {
        let version = module.version().as_str();
        if is_pseudo_version(version) {
            self.stat(version).map_err(|cause| cause.error)?;
        }
        let name = |error: Error| self.wrong_place(version, error);
        let place = self.find_dir(version).map_err(name)?;
        let revision = self.revision_of(version);
        let mut tree = self.repository.tree(&revision, &place.dir).map_err(name)?;
        let mut files: Vec<RepositoryFile> = tree.files().to_vec();
        let has_license = files.iter().any(|file| file.path == b"LICENSE");
        let license = match has_license || place.dir.is_empty() {
            true => None,
            false => {
                let read = self
                    .repository
                    .read_file(&revision, "LICENSE", MAX_MOD_BYTES);
                read.map_err(name)?
            }
        };
        let of_tree = files.len();
        if license.is_some() {
            files.push(RepositoryFile {
                path: b"LICENSE".to_vec(),
                is_regular: true,
            });
        }
        let selected = select_files(&files, place.go_mod.as_deref()).map_err(name)?;
        let mut writer = ModuleZipWriter::new(module, sink);
        for index in selected {
            let Some(file) = files.get(index) else {
                continue;
            };
            // Selected names are UTF-8.
            let path = String::from_utf8_lossy(&file.path);
            let added = writer.add(&path, |out| match (&license, index < of_tree) {
                (Some(license), false) => out.write_all(license).map_err(|cause| {
                    Error::new(Kind::LocalIo, "cannot copy LICENSE").because(cause)
                }),
                _ => tree.copy(index, out),
            });
            added.map_err(name)?;
        }
        writer.finish().map_err(name)
    }

    /// The intervals of retracted versions, by the go.mod of the newest version.
    fn retracted(&self) -> Result<Arc<Vec<(String, String)>>> {
        self.retracted.get((), || {
            let versions = self.versions()?;
            let plain: Vec<&String> = versions
                .iter()
                .take_while(|version| !version.ends_with(INCOMPATIBLE))
                .collect();
            let release = plain
                .iter()
                .rev()
                .find(|version| prerelease(version).is_empty());
            let Some(newest) = release.or(plain.last()) else {
                return Ok(Arc::default());
            };
            let data = self.go_mod(newest)?;
            let file = ModFile::parse_lax("go.mod", &data)?;
            let interval = |low: &str, high: &str| (low.to_owned(), high.to_owned());
            let retracted = file.retract.iter();
            let retracted = retracted.map(|one| interval(one.low.as_str(), one.high.as_str()));
            Ok(Arc::new(retracted.collect()))
        })
    }

    fn is_retracted(&self, version: &str) -> bool {
        // What cannot be read retracts nothing.
        let retracted = self.retracted().unwrap_or_default();
        retracted
            .iter()
            .any(|(low, high)| compare(low, version).is_le() && compare(version, high).is_le())
    }
}

/// The module path that a go.mod declares, read as leniently as go reads it here; empty if it
/// declares none.
///
/// Source: golang/mod `modfile.ModulePath`.
fn module_path(data: &[u8]) -> String {
    for line in String::from_utf8_lossy(data).split('\n') {
        let line = line.split("//").next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("module") else {
            continue;
        };
        let path = rest.trim_start();
        if path.len() == rest.len() || path.is_empty() {
            continue;
        }
        if let Some(raw) = path.strip_prefix('`') {
            let raw = raw.strip_suffix('`').filter(|raw| !raw.contains('`'));
            return raw.unwrap_or_default().to_owned();
        }
        return match path.starts_with('"') {
            true => unquote(path).unwrap_or_default(),
            false => path.to_owned(),
        };
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_line_is_found_as_by_go() {
        // Source: golang/mod `modfile/read_test.go`, TestModulePath.
        let rows = [
            (
                "module \"github.com/rsc/vgotest\"",
                "github.com/rsc/vgotest",
            ),
            ("module github.com/rsc/vgotest", "github.com/rsc/vgotest"),
            (
                "module  \"github.com/rsc/vgotest\"",
                "github.com/rsc/vgotest",
            ),
            ("module `github.com/rsc/vgotest`", "github.com/rsc/vgotest"),
            (
                "module \"github.com/rsc/vgotest\" // comment",
                "github.com/rsc/vgotest",
            ),
            (
                "// comment\nmodule \"github.com/rsc/vgotest\"\n",
                "github.com/rsc/vgotest",
            ),
            ("module\n", ""),
            ("module \n", ""),
            ("modulefoo\n", ""),
            ("go 1.20\n", ""),
        ];
        for (text, want) in rows {
            assert_eq!(module_path(text.as_bytes()), want, "{text:?}");
        }
    }
}
