//! Writing an archive.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::names;
use crate::cache::prune::KeptForm;
use crate::cache::{Cache, CacheEntry};
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::layout::VersionFile;
use crate::tarfile::TarWriter;

/// A version to be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportItem {
    /// Which.
    pub module: ModuleVersion,
    /// Zip or directory, too; otherwise its metadata alone.
    pub content: bool,
}

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Versions with their content.
    pub versions: u64,
    /// Versions of which only the go.mod was wanted.
    pub gomods: u64,
    /// The length of the archive, in bytes.
    pub bytes: u64,
}

impl Cache {
    /// Writes these versions to `out`, in the order in which they are given.
    ///
    /// # Errors
    /// [`Kind::Offline`], naming the module, if what is wanted is not in the cache;
    /// [`Kind::LocalIo`] if it cannot be read, or `out` not be written.
    pub fn export<W: Write>(
        &self,
        items: &[ExportItem],
        form: KeptForm,
        out: W,
    ) -> Result<Exported> {
        let mut tar = TarWriter::new(out);
        let mut exported = Exported::default();
        for item in items {
            let entry = self.entry(&item.module)?;
            entry.named(export_version(&entry, item, form, &mut tar))?;
            match item.content {
                true => exported.versions += 1,
                false => exported.gomods += 1,
            }
        }
        exported.bytes = tar.final_size();
        tar.finish()?;
        Ok(exported)
    }
}

fn export_version<W: Write>(
    entry: &CacheEntry,
    item: &ExportItem,
    form: KeptForm,
    tar: &mut TarWriter<W>,
) -> Result<()> {
    let escaped = item.module.escape()?;
    // go keeps no metadata of versions of which it reads the go.mod only.
    add_file(
        tar,
        &names::download(&escaped, VersionFile::Info),
        &entry.info_path(),
    )?;
    if !add_file(
        tar,
        &names::download(&escaped, VersionFile::GoMod),
        &entry.gomod_path(),
    )? {
        return Err(missing("go.mod"));
    }
    if !item.content {
        return Ok(());
    }
    let h1 = entry.read_ziphash()?.ok_or_else(|| missing("ziphash"))?;
    tar.append_bytes(
        &names::download(&escaped, VersionFile::ZipHash),
        h1.as_str().as_bytes(),
    )?;
    match form {
        KeptForm::Zips => {
            match add_file(
                tar,
                &names::download(&escaped, VersionFile::Zip),
                &entry.zip_path(),
            )? {
                true => Ok(()),
                false => Err(missing("zip")),
            }
        }
        KeptForm::Trees if !entry.has_directory() => Err(missing("directory")),
        KeptForm::Trees => {
            let mut files = Vec::new();
            list_files(entry.directory(), "", &mut files)?;
            // As bytes: the order of hashes, and the same on every file system.
            files.sort_unstable();
            for (file, path) in files {
                add_file(tar, &names::extracted(&escaped, &file), &path)?;
            }
            Ok(())
        }
    }
}

fn missing(piece: &str) -> Error {
    let error = Error::new(Kind::Offline, format!("{piece} is not in the cache"));
    error.hint("'modfetch download' in the project fetches what is missing")
}

/// Adds a file; false if there is none.
fn add_file<W: Write>(tar: &mut TarWriter<W>, name: &str, path: &Path) -> Result<bool> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    match opened {
        Ok((size, mut file)) => tar.append(name, size, &mut file).map(|()| true),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(Error::io("cannot open", path, cause)),
    }
}

/// Every file below `dir`, with its name from there.
fn list_files(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let cannot_read = |cause| Error::io("cannot read", dir, cause);
    for entry in fs::read_dir(dir).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        let kind = entry.file_type().map_err(cannot_read)?;
        let Some(name) = entry
            .file_name()
            .to_str()
            .map(|name| format!("{prefix}{name}"))
        else {
            let text = format!("{}: no module has such a file", entry.path().display());
            return Err(Error::new(Kind::Differs, text));
        };
        if kind.is_dir() {
            list_files(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}
