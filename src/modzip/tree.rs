//! Extracted directories: sealing, removing and hashing them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read as _};
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::contents::Contents;
use super::inflate;
use super::root::Root;
use crate::error::{Error, Kind, Result};
use crate::gomod::{FileHash, H1, ModuleVersion, TOOLCHAIN};
use crate::system::{EntryKind, mode, remove_dir_all, remove_file, set_mode, with_mode};

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
    walk_directories(dir, |path| directories.push(path.to_owned()));
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
    walk_directories(dir, |path| {
        if let Ok(metadata) = fs::symlink_metadata(path) {
            let mode = mode(&metadata.permissions());
            if mode & 0o700 != 0o700 {
                let _ = set_mode(path, mode | 0o700);
            }
        }
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
    let cannot_read = |below: &OsStr, error| match below.to_str() {
        Some(".") => Error::io("cannot read", dir, error),
        _ => Error::io("cannot read", &dir.join(below), error),
    };
    let root = Root::open(dir).map_err(|error| cannot_read(OsStr::new("."), error))?;
    let mut files: Vec<FoundFile> = Vec::new();
    let mut unread = vec![OsString::from(".")];
    while let Some(directory) = unread.pop() {
        let visit = |name: &OsStr, kind: EntryKind| -> Result<(), WalkFault> {
            let below = match directory.to_str() {
                Some(".") => name.to_owned(),
                _ => [&directory, OsStr::new("/"), name].into_iter().collect(),
            };
            if kind == EntryKind::Directory {
                unread.push(below);
                return Ok(());
            }
            files.push(FoundFile::new(&prefix, dir, &below, kind)?);
            Ok(())
        };
        root.entries(&directory, visit)
            .map_err(|fault| match fault {
                WalkFault::System(error) => cannot_read(&directory, error),
                WalkFault::Found(error) => error,
            })?;
    }
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let hash_run = |run: &[FoundFile]| -> Result<Vec<FileHash>> {
        // Made when the first file is hashed: beside a zip seldom one is.
        let mut buffer = Vec::new();
        let hash = |file: &FoundFile| {
            let below = file.name.get(prefix_bytes..).unwrap_or_default();
            let read = || {
                let path = file.odd.as_deref().unwrap_or_else(|| OsStr::new(below));
                hash_file(&dir.join(path), inflate::prefix(&mut buffer, READ_BYTES))
            };
            known(below).map_or_else(read, Ok)
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
    let names = files.into_iter().map(|file| file.name);
    let files = names.zip(hashes.into_iter().flatten());
    let mut contents = Contents::new(prefix_bytes, files);
    if module.path().as_str() == TOOLCHAIN {
        contents.forget_copies("go.mod", "_go.mod");
    }
    Ok(contents)
}

/// A file that was found in a directory.
struct FoundFile {
    /// `path@version/` and its name below the directory, which for a name that is not UTF-8 has
    /// replacement characters.
    name: String,
    /// That name as it is, if it is not UTF-8.
    odd: Option<OsString>,
}

impl FoundFile {
    fn new(prefix: &str, dir: &Path, below: &OsStr, kind: EntryKind) -> Result<FoundFile> {
        let text = below.to_string_lossy();
        let mut name = String::with_capacity(prefix.len() + 1 + text.len());
        name.extend([prefix, "/", &text]);
        if name.contains('\n') {
            let reason = "dirhash: filenames with newlines are not supported";
            return Err(Error::new(Kind::Differs, reason));
        }
        // Opening a pipe would wait for its writer.
        let path = || dir.join(below);
        if kind != EntryKind::File && !(kind == EntryKind::Link && leads_to_file(&path())?) {
            let message = format!("{}: not a regular file", path().display());
            return Err(Error::new(Kind::Differs, message));
        }
        let odd = matches!(text, Cow::Owned(_)).then(|| below.to_owned());
        Ok(FoundFile { name, odd })
    }
}

/// Why a walk ended early.
enum WalkFault {
    /// The directory cannot be read.
    System(io::Error),
    /// Something in it has no hash.
    Found(Error),
}

impl From<io::Error> for WalkFault {
    fn from(error: io::Error) -> WalkFault {
        WalkFault::System(error)
    }
}

impl From<Error> for WalkFault {
    fn from(error: Error) -> WalkFault {
        WalkFault::Found(error)
    }
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

/// Visits `root`, a directory, and every directory below it, each before it is read. What cannot be
/// read is passed over.
fn walk_directories(root: &Path, mut visit: impl FnMut(&Path)) {
    let mut unread = vec![root.to_owned()];
    while let Some(directory) = unread.pop() {
        visit(&directory);
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                unread.push(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
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
