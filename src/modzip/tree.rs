//! Extracted directories: sealing, removing and hashing them.

use std::fs::{self, File, FileType, Metadata, Permissions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::contents::Contents;
use crate::error::{Error, Kind, Result};
use crate::gomod::{FileHash, H1, ModuleVersion, TOOLCHAIN};
use crate::system::{mode, remove_dir_all, remove_file, set_mode, slashed, with_mode};

/// Files hashed in one job, and by one thread if there are no more.
const RUN_FILES: usize = 32;
const ALONE_FILES: usize = 64;
const READ_BYTES: usize = 128 << 10;

/// Removes the write bits of `dir` and of every directory below it, children first.
///
/// Best effort: what cannot be read or changed is left. Files and symbolic links are not touched.
///
/// Source: go `modfetch/fetch.go`, `makeDirsReadOnly`.
pub fn seal(dir: &Path) {
    let mut directories = Vec::new();
    let _ = walk(dir, |found| {
        if let Found::Directory(path) = found {
            directories.push(path.to_owned());
        }
        Ok(())
    });
    // Walking lists a directory before what is in it.
    for path in directories.iter().rev() {
        if let Ok(metadata) = fs::symlink_metadata(path)
            && let Some(sealed) = without_write(&metadata)
        {
            let _ = fs::set_permissions(path, sealed);
        }
    }
}

/// The permissions without write bits, if they have one.
pub(super) fn without_write(metadata: &Metadata) -> Option<Permissions> {
    let permissions = metadata.permissions();
    let mode = mode(&permissions);
    (mode & 0o222 != 0).then(|| with_mode(&permissions, mode & !0o222))
}

/// Removes `dir` and everything in it, sealed or not. It need not exist.
///
/// # Errors
/// [`Kind::LocalIo`], naming `dir`.
///
/// Source: go `modfetch/fetch.go`, `RemoveAll`.
pub fn remove_tree(dir: &Path) -> Result<()> {
    let done = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("cannot remove", dir, error))
        }
        _ => Ok(()),
    };
    match fs::symlink_metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return done(remove_file(dir)),
        Err(error) => return done(Err(error)),
    }
    // Each directory is opened up before it is read. Only the owner gets the right: a removal
    // that fails half-way should not leave directories that anybody may write to.
    let _ = walk(dir, |found| {
        if let Found::Directory(path) = found
            && let Ok(metadata) = fs::symlink_metadata(path)
        {
            let mode = mode(&metadata.permissions());
            if mode & 0o700 != 0o700 {
                let _ = set_mode(path, mode | 0o700);
            }
        }
        Ok(())
    });
    done(remove_dir_all(dir))
}

/// Computes the h1 of an extracted directory, its files named `path@version/...`.
///
/// Every file counts, whatever its mode; a symbolic link counts as the file it leads to; empty
/// directories do not count. Large trees are spread over the rayon pool of the calling thread.
/// Of a toolchain the go.mod files do not count that `go` copies from `_go.mod` beside them when it
/// runs the toolchain: no zip can have them.
/// A name that is not UTF-8 enters with replacement characters: no module can have either, so
/// the sum differs from any that was published.
///
/// # Errors
/// [`Kind::LocalIo`] for what cannot be read, also if `dir` is missing or not a directory;
/// [`Kind::Differs`] for what has no hash: names with a line feed, devices and pipes.
///
/// Source: golang/mod `sumdb/dirhash`, `HashDir`; golang/go `toolchain/select.go`, `Exec`.
pub fn hash_dir(dir: &Path, module: &ModuleVersion) -> Result<H1> {
    dir_contents(dir, module).map(|contents| contents.h1())
}

/// Hashes every file of an extracted directory, as [`hash_dir`] does.
///
/// # Errors
/// Those of [`hash_dir`].
pub fn dir_contents(dir: &Path, module: &ModuleVersion) -> Result<Contents> {
    contents(dir, module, |_| None)
}

/// As [`dir_contents`]; what `known` has for a file, by its name below `dir`, is taken as its hash.
pub(super) fn contents(
    dir: &Path,
    module: &ModuleVersion,
    known: impl Fn(&str) -> Option<FileHash> + Sync,
) -> Result<Contents> {
    let metadata =
        fs::symlink_metadata(dir).map_err(|error| Error::io("cannot read", dir, error))?;
    if !metadata.is_dir() {
        let reason = io::Error::from(io::ErrorKind::NotADirectory);
        return Err(Error::io("cannot read", dir, reason));
    }
    let prefix = module.to_string();
    let prefix_bytes = prefix.len() + 1;
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    walk(dir, |found| {
        let (path, file_type) = match found {
            Found::Directory(_) => return Ok(()),
            Found::File(path, file_type) => (path, file_type),
            Found::Unreadable(path, error) => return Err(Error::io("cannot read", path, error)),
        };
        let below = path.strip_prefix(dir).unwrap_or(path);
        let name = format!("{prefix}/{}", slashed(below));
        if name.contains('\n') {
            let reason = "dirhash: filenames with newlines are not supported";
            return Err(Error::new(Kind::Differs, reason));
        }
        // Opening a pipe would wait for its writer.
        let regular = file_type.is_file() || file_type.is_symlink() && leads_to_file(path)?;
        if !regular {
            let message = format!("{}: not a regular file", path.display());
            return Err(Error::new(Kind::Differs, message));
        }
        files.push((name, path.to_owned()));
        Ok(())
    })?;
    files.sort_unstable();
    let hash_run = |run: &[(String, PathBuf)]| -> Result<Vec<FileHash>> {
        let mut buffer = vec![0; READ_BYTES];
        let hash = |(name, path): &(String, PathBuf)| {
            let below = name.get(prefix_bytes..).unwrap_or_default();
            known(below).map_or_else(|| hash_file(path, &mut buffer), Ok)
        };
        run.iter().map(hash).collect()
    };
    let hashes: Vec<Vec<FileHash>> = if files.len() < ALONE_FILES {
        vec![hash_run(&files)?]
    } else {
        files
            .par_chunks(RUN_FILES)
            .with_max_len(1)
            .map(hash_run)
            .collect::<Result<_>>()?
    };
    let names = files.into_iter().map(|(name, _)| name);
    let files = names.zip(hashes.into_iter().flatten());
    let mut contents = Contents::new(prefix_bytes, files);
    if module.path().as_str() == TOOLCHAIN {
        contents.forget_copies("go.mod", "_go.mod");
    }
    Ok(contents)
}

/// A link that leads nowhere is no fault of this machine's disk: no module has links.
fn leads_to_file(link: &Path) -> Result<bool> {
    match fs::metadata(link) {
        Ok(found) => Ok(found.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("open {}", link.display());
            Err(Error::new(Kind::Differs, message).because(error))
        }
        Err(error) => Err(Error::io("open", link, error)),
    }
}

/// Opens what is a regular file, or leads to one, and nothing else.
pub(super) fn open_regular(path: &Path) -> Option<File> {
    // Opening a pipe would wait for its writer.
    path.is_file().then(|| File::open(path).ok()).flatten()
}

/// The SHA-256 of a file, whatever is in it, in hexadecimal.
///
/// # Errors
/// [`Kind::LocalIo`], if it cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let hash = hash_file(path, &mut [0; 1 << 16])?;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn hash_file(path: &Path, buffer: &mut [u8]) -> Result<FileHash> {
    let cannot_read = |error| Error::io("cannot read", path, error);
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(n) => hash.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot_read(error)),
        }
    }
}

enum Found<'a> {
    Directory(&'a Path),
    /// Anything but a directory; symbolic links are not followed.
    File(&'a Path, FileType),
    Unreadable(&'a Path, io::Error),
}

/// Visits `root`, a directory, and everything below it. A directory is visited before it is
/// read. Stops at the first error that `visit` returns.
fn walk(root: &Path, mut visit: impl FnMut(Found<'_>) -> Result<()>) -> Result<()> {
    let mut unread = vec![root.to_owned()];
    while let Some(directory) = unread.pop() {
        visit(Found::Directory(&directory))?;
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                visit(Found::Unreadable(&directory, error))?;
                continue;
            }
        };
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok((path, file_type)) if file_type.is_dir() => unread.push(path),
                Ok((path, file_type)) => visit(Found::File(&path, file_type))?,
                Err(error) => visit(Found::Unreadable(&directory, error))?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::testing::module;
    use super::*;
    use crate::system::symlink;

    fn mode_of(path: &Path) -> u32 {
        mode(&fs::symlink_metadata(path).unwrap().permissions()) & 0o777
    }

    /// `root/a/b/file`, and beside `root` a directory that `root/link` leads to.
    fn sample(dir: &Path) -> PathBuf {
        let root = dir.join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir(dir.join("outside")).unwrap();
        fs::write(root.join("a/b/file"), "content").unwrap();
        fs::write(dir.join("outside/kept"), "content").unwrap();
        symlink(dir.join("outside"), root.join("link")).unwrap();
        root
    }

    #[test]
    fn sealing_and_removing_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = sample(dir.path());
        let outside = mode_of(&dir.path().join("outside"));
        set_mode(&root.join("a"), 0o750).unwrap();
        seal(&root);
        assert_eq!(mode_of(&root) & 0o222, 0);
        assert_eq!(mode_of(&root.join("a")), 0o550);
        assert_eq!(mode_of(&root.join("a/b")) & 0o222, 0);
        assert_eq!(mode_of(&dir.path().join("outside")), outside);
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        assert!(dir.path().join("outside/kept").exists());
        // Neither minds what is not there.
        seal(&root);
        remove_tree(&root).unwrap();
    }

    #[test]
    fn removing_a_file_or_a_link_removes_just_that() {
        let dir = tempfile::tempdir().unwrap();
        let link = sample(dir.path()).join("link");
        remove_tree(&link).unwrap();
        assert!(!link.exists() && dir.path().join("outside/kept").exists());
        remove_tree(&dir.path().join("outside/kept")).unwrap();
        assert!(!dir.path().join("outside/kept").exists());
    }

    /// As `go` leaves a toolchain that it has run.
    #[test]
    fn a_toolchain_that_was_used_has_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        let toolchain = ModuleVersion::parse(TOOLCHAIN, "v0.0.1-go1.26.0.linux-amd64").unwrap();
        fs::create_dir_all(dir.path().join("src/cmd")).unwrap();
        let put = |file: &str, text: &str| fs::write(dir.path().join(file), text).unwrap();
        put("src/_go.mod", "module std\n");
        put("src/cmd/_go.mod", "module cmd\n");
        let hash = |module: &ModuleVersion| hash_dir(dir.path(), module).unwrap();
        let (new, other) = (hash(&toolchain), hash(&module()));
        put("src/go.mod", "module std\n");
        put("src/cmd/go.mod", "module cmd\n");
        assert_eq!(hash(&toolchain), new);
        assert_ne!(hash(&module()), other);
        put("src/cmd/go.mod", "module evil\n");
        assert_ne!(hash(&toolchain), new);
    }

    #[test]
    fn a_directory_has_the_hash_that_sha256sum_gives() {
        // printf hello > a; printf hello > b/c; sha256sum a b/c, with the names a.com/m@v1.0.0/a
        // and a.com/m@v1.0.0/b/c; sha256sum of that in base64.
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("b/empty")).unwrap();
        fs::write(dir.path().join("a"), "hello").unwrap();
        fs::write(dir.path().join("b/c"), "hello").unwrap();
        let h1 = hash_dir(dir.path(), &module()).unwrap();
        assert_eq!(
            h1.as_str(),
            "h1:GHWKftl0aGwZ6T8VjcZ8JHr6rCUoJ3bmsmGrIVxjmko="
        );
        // A link counts as what it leads to.
        fs::rename(dir.path().join("b/c"), dir.path().join("b/empty/c")).unwrap();
        symlink("empty/c", dir.path().join("b/c")).unwrap();
        assert_ne!(hash_dir(dir.path(), &module()).unwrap(), h1);
        let away = tempfile::tempdir().unwrap();
        fs::rename(dir.path().join("b/empty/c"), away.path().join("c")).unwrap();
        fs::remove_file(dir.path().join("b/c")).unwrap();
        symlink(away.path().join("c"), dir.path().join("b/c")).unwrap();
        assert_eq!(hash_dir(dir.path(), &module()).unwrap(), h1);
    }

    #[test]
    fn what_has_no_hash_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let kind = |name: &str| {
            hash_dir(&dir.path().join(name), &module())
                .unwrap_err()
                .kind()
        };
        assert_eq!(kind("missing"), Kind::LocalIo);
        fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(kind("file"), Kind::LocalIo);

        fs::create_dir(dir.path().join("feed")).unwrap();
        fs::write(dir.path().join("feed/a\nb"), "").unwrap();
        assert_eq!(kind("feed"), Kind::Differs);

        fs::create_dir(dir.path().join("pipe")).unwrap();
        let made = Command::new("mkfifo")
            .arg(dir.path().join("pipe/p"))
            .status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(kind("pipe"), Kind::Differs);
        }
        fs::create_dir(dir.path().join("link")).unwrap();
        symlink(dir.path(), dir.path().join("link/up")).unwrap();
        assert_eq!(kind("link"), Kind::Differs);
    }
}
