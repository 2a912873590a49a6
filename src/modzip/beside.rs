//! A zip and the directory that was extracted from it, read side by side.
//!
//! Each file of an honest directory has the bytes of its entry, and comparing bytes costs a tenth
//! of hashing them. So entries are hashed, files compared with them, and only files that differ, or
//! that the zip does not have, are hashed for themselves.
//!
//! What a file costs beside its bytes is four system calls: it is opened below the directory, which
//! is held open, asked for its kind and size, read at once into room that the thread keeps, and
//! closed. A `stat` and an `open` by the whole path and a read that finds the end were five, and a
//! tenth of the processor time of `verify`.

use std::cell::Cell;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::archive::ModuleZip;
use super::contents::Contents;
use super::inflate::{ContentSink, prefix};
use super::root::Root;
use super::tree;
use crate::error::{Error, Result};
use crate::gomod::FileHash;
use crate::map::{Map, Set};

/// Files are read in pieces of this size: no piece of an entry is larger.
const READ_BYTES: usize = 1 << 20;

thread_local! {
    /// Where files are read to, one after the other.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl ModuleZip {
    /// Hashes every entry of the zip and every file of `dir`, as [`ModuleZip::contents`] and
    /// [`super::dir_contents`] do, each read once.
    ///
    /// # Errors
    /// Those of the zip. What is wrong with the directory is the second result.
    pub fn contents_beside(&self, dir: &Path) -> Result<(Contents, Result<Contents>)> {
        let alike = Mutex::default();
        // What cannot be opened is named by the walk below.
        let root = Root::open(dir).ok();
        let zip = self.contents_into(|file| Beside::open(root.as_ref(), file, &alike))?;
        drop(root);
        let alike: Set<&str> = alike.into_inner().unwrap_or_else(PoisonError::into_inner);
        let known: Map<&str, FileHash> = zip
            .files()
            .filter(|(file, _)| alike.contains(file))
            .collect();
        let dir = tree::contents(dir, &self.module, |file| known.get(file).copied());
        Ok((zip, dir))
    }
}

/// Compares what comes from an entry with a file; when it is dropped, the file is noted if all of
/// it was the same.
struct Beside<'a, 'z> {
    name: &'z str,
    /// The file, and how much of it is still to come; None once they differ.
    file: Option<(File, u64)>,
    alike: &'a Mutex<Set<&'z str>>,
}

impl<'a, 'z> Beside<'a, 'z> {
    fn open(
        root: Option<&Root<'_>>,
        name: Option<&'z str>,
        alike: &'a Mutex<Set<&'z str>>,
    ) -> Beside<'a, 'z> {
        let name = name.unwrap_or_default();
        // What is no file, or cannot be opened, is found by the walk of the directory.
        let file = root.and_then(|root| root.open_file(name).ok().flatten());
        Beside { name, file, alike }
    }
}

impl ContentSink for Beside<'_, '_> {
    fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        let Some((file, left)) = &mut self.file else {
            return Ok(());
        };
        let mut room = ROOM.take();
        let same = content.len() as u64 <= *left
            && content.chunks(READ_BYTES).all(|piece| {
                let own = prefix(&mut room, piece.len());
                file.read_exact(own).is_ok() && own == piece
            });
        ROOM.set(room);
        *left = left.saturating_sub(content.len() as u64);
        if !same {
            self.file = None;
        }
        Ok(())
    }
}

impl Drop for Beside<'_, '_> {
    fn drop(&mut self) {
        if let Some((_, 0)) = self.file {
            let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
            alike.insert(self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::system::symlink;
    use std::fs;

    use super::super::dir_contents;
    use super::super::testing::{file, module, named, noise, open, stored, zip};
    use super::*;

    /// What both ways to look at a directory say of it, after a change to what the zip holds.
    fn compared(change: impl FnOnce(&Path)) -> (String, String) {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("m");
        let large = noise(3 << 20);
        let bytes = zip(&[
            file(named("go.mod"), b"module example.com/m\n"),
            stored(named("a/empty"), b""),
            file(named("a/b.go"), b"package a\n"),
            file(named("large"), &large),
        ]);
        let archive = open(&bytes).unwrap();
        archive.extract(&dir).unwrap();
        change(&dir);
        let told = |result: Result<Contents>| match result {
            Ok(contents) => contents.h1().to_string(),
            Err(error) => error.chain().replace(dir.to_str().unwrap(), "DIR"),
        };
        let (zip, beside) = archive.contents_beside(&dir).unwrap();
        assert_eq!(zip.h1(), archive.hash().unwrap());
        (told(beside), told(dir_contents(&dir, &module())))
    }

    fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_directory_is_what_it_is_when_looked_at_alone() {
        let (untouched, alone) = compared(|_| {});
        assert_eq!(untouched, alone);
        let changes: [&dyn Fn(&Path); 9] = [
            &|dir| rewrite(&dir.join("large"), |bytes| bytes[2 << 20] ^= 1),
            &|dir| rewrite(&dir.join("large"), |bytes| bytes.truncate(2 << 20)),
            &|dir| rewrite(&dir.join("large"), |bytes| bytes.push(0)),
            &|dir| rewrite(&dir.join("a/empty"), |bytes| bytes.push(0)),
            &|dir| rewrite(&dir.join("a/b.go"), Vec::clear),
            &|dir| fs::remove_file(dir.join("go.mod")).unwrap(),
            &|dir| fs::write(dir.join("a/more"), "package a\n").unwrap(),
            &|dir| {
                fs::remove_file(dir.join("a/b.go")).unwrap();
                fs::create_dir(dir.join("a/b.go")).unwrap();
            },
            &|dir| {
                fs::rename(dir.join("go.mod"), dir.join("mod")).unwrap();
                symlink("nowhere", dir.join("go.mod")).unwrap();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let (beside, alone) = compared(change);
            assert_eq!(beside, alone, "change {number}");
            assert_ne!(beside, untouched, "change {number}");
        }
    }
}
