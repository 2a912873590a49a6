//! A zip and the directory that was extracted from it, read side by side.
//!
//! Each file of an honest directory has the bytes of its entry, and comparing bytes costs a tenth
//! of hashing them. So entries are hashed, files compared with them, and only files that differ, or
//! that the zip does not have, are hashed for themselves.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::archive::ModuleZip;
use super::contents::Contents;
use super::inflate::Sink;
use super::tree;
use crate::error::{Error, Result};
use crate::gomod::FileHash;

/// Files are read in pieces of this size.
const READ_BYTES: usize = 64 << 10;

impl ModuleZip {
    /// Hashes every entry of the zip and every file of `dir`, as [`ModuleZip::contents`] and
    /// [`super::dir_contents`] do, each read once.
    ///
    /// # Errors
    /// Those of the zip. What is wrong with the directory is the second result.
    pub fn contents_beside(&self, dir: &Path) -> Result<(Contents, Result<Contents>)> {
        let alike = Mutex::default();
        let zip = self.contents_into(|file| Beside::open(dir, file, &alike))?;
        let alike: HashSet<String> = alike.into_inner().unwrap_or_else(PoisonError::into_inner);
        let known: HashMap<&str, FileHash> = zip
            .files()
            .filter(|(file, _)| alike.contains(*file))
            .collect();
        let dir = tree::contents(dir, &self.module, |file| known.get(file).copied());
        Ok((zip, dir))
    }
}

/// Compares what comes from an entry with a file; when it is dropped, the file is noted if all of
/// it was the same.
struct Beside<'a> {
    /// None once they differ.
    file: Option<File>,
    name: String,
    buffer: Vec<u8>,
    alike: &'a Mutex<HashSet<String>>,
}

impl<'a> Beside<'a> {
    fn open(dir: &Path, name: Option<&str>, alike: &'a Mutex<HashSet<String>>) -> Beside<'a> {
        // What cannot be read is told by who walks the directory.
        let file = name.and_then(|name| tree::open_regular(&dir.join(name)));
        Beside {
            file,
            name: name.unwrap_or_default().to_owned(),
            buffer: Vec::new(),
            alike,
        }
    }
}

impl Sink for Beside<'_> {
    fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if self.buffer.is_empty() {
            self.buffer = vec![0; content.len().min(READ_BYTES)];
        }
        let mut pieces = content.chunks(self.buffer.len().max(1));
        let same = pieces.all(|piece| {
            let buffer = self.buffer.get_mut(..piece.len()).unwrap_or_default();
            file.read_exact(buffer).is_ok() && buffer == piece
        });
        if !same {
            self.file = None;
        }
        Ok(())
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        let Some(file) = &mut self.file else { return };
        if at_end(file) {
            let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
            alike.insert(std::mem::take(&mut self.name));
        }
    }
}

fn at_end(file: &mut File) -> bool {
    loop {
        match file.read(&mut [0]) {
            Ok(bytes) => return bytes == 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
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
