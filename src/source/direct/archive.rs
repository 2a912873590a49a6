//! The files of a folder as a program has written them: in a zip, or in a folder on disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::repository::RepositoryTree;
use crate::error::{Error, Kind, Result};
use crate::fsio::TempFile;
use crate::modzip::{RepositoryFile, copy_content};

/// The most bytes of one file that is taken out of an archive: those of a module.
const MAX_FILE_BYTES: u64 = (500 << 20) + 1;

/// The files of a zip that a program made, below its one top-level folder. The zip is removed when
/// this is dropped.
pub(super) struct ArchiveTree {
    archive: ZipArchive<File>,
    files: Vec<RepositoryFile>,
    /// The place of each file in the zip.
    places: Vec<usize>,
    _temporary: TempFile,
}

impl ArchiveTree {
    /// Reads the list of the files below `subdir`.
    pub(super) fn open(temporary: TempFile, subdir: &str) -> Result<ArchiveTree> {
        let path = temporary.path().to_owned();
        let file = File::open(&path).map_err(|cause| Error::io("cannot open", &path, cause))?;
        let malformed = |cause: zip::result::ZipError| {
            Error::new(Kind::Other, format!("cannot read {}", path.display())).because(cause)
        };
        let mut archive = ZipArchive::new(file).map_err(malformed)?;
        let (mut files, mut places) = (Vec::new(), Vec::new());
        for place in 0..archive.len() {
            let entry = archive.by_index(place).map_err(malformed)?;
            let name = entry.name_raw().to_vec();
            let is_regular = !entry.is_symlink();
            let top = name.iter().position(|&byte| byte == b'/');
            let below = top.and_then(|top| name.get(top + 1..)).unwrap_or_default();
            let below = match subdir {
                "" => Some(below),
                subdir => below
                    .strip_prefix(subdir.as_bytes())
                    .and_then(|rest| rest.strip_prefix(b"/")),
            };
            let Some(path) = below.filter(|path| !path.is_empty() && !path.ends_with(b"/")) else {
                continue;
            };
            files.push(RepositoryFile {
                path: path.to_vec(),
                is_regular,
            });
            places.push(place);
        }
        Ok(ArchiveTree {
            archive,
            files,
            places,
            _temporary: temporary,
        })
    }
}

impl RepositoryTree for ArchiveTree {
    fn files(&self) -> &[RepositoryFile] {
        &self.files
    }

    fn copy(&mut self, index: usize, out: &mut dyn Write) -> Result<()> {
        let place = self.places.get(index).copied().unwrap_or(usize::MAX);
        let entry = self
            .archive
            .by_index(place)
            .map_err(|cause| Error::new(Kind::Other, "cannot read an archive").because(cause))?;
        let name = entry
            .name()
            .map(|name| name.into_owned())
            .unwrap_or_default();
        let content = std::io::Read::take(entry, MAX_FILE_BYTES);
        copy_content(&name, content, out)
    }
}

/// The files of a folder on disk, which is removed when this is dropped.
pub(super) struct FolderTree {
    folder: PathBuf,
    files: Vec<RepositoryFile>,
}

impl FolderTree {
    /// The files with these names below `folder`.
    pub(super) fn new(folder: PathBuf, names: Vec<String>) -> FolderTree {
        let files = names.into_iter().map(|name| RepositoryFile {
            path: name.into_bytes(),
            is_regular: true,
        });
        FolderTree {
            folder,
            files: files.collect(),
        }
    }
}

impl Drop for FolderTree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl RepositoryTree for FolderTree {
    fn files(&self) -> &[RepositoryFile] {
        &self.files
    }

    fn copy(&mut self, index: usize, out: &mut dyn Write) -> Result<()> {
        let name = self
            .files
            .get(index)
            .map(|file| String::from_utf8_lossy(&file.path));
        let name = name.unwrap_or_default();
        // Names come from a server.
        let is_within = Path::new(&*name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_within {
            let text = format!("create zip: {name}: file path is not clean");
            return Err(Error::new(Kind::Security, text));
        }
        let path = self.folder.join(&*name);
        let file = File::open(&path).map_err(|cause| Error::io("cannot open", &path, cause))?;
        copy_content(&name, file, out)
    }
}
