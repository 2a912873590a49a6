//! A bundle to read: a file, its parts in order, or standard input.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::from_current_directory;
use crate::error::{Error, Result};

/// The bytes of a bundle.
pub(super) struct BundleInput {
    /// What it is called in messages.
    pub(super) name: String,
    /// Its length in bytes; `None` of a pipe.
    pub(super) bytes: Option<u64>,
    input: Box<dyn Read + Send>,
}

impl BundleInput {
    /// Opens a file, the parts of a split bundle (`FILE.001` and on, if there is no `FILE`), or `-`.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub(super) fn open(file: &str) -> Result<BundleInput> {
        if file == "-" {
            return Ok(BundleInput {
                name: "standard input".to_owned(),
                bytes: None,
                input: Box::new(io::stdin()),
            });
        }
        let path = from_current_directory(file)?;
        let length = |file: &File| file.metadata().ok().filter(Metadata::is_file);
        let (bytes, input): (_, Box<dyn Read + Send>) = match File::open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && part(&path, 1).exists() => {
                let numbers = 1..;
                let parts = numbers.map_while(|number| fs::metadata(part(&path, number)).ok());
                let bytes = parts.map(|part| part.len()).sum();
                let parts = BundleParts {
                    base: path,
                    number: 0,
                    current: None,
                };
                (Some(bytes), Box::new(parts))
            }
            opened => {
                let file = opened.map_err(|cause| Error::io("cannot open", &path, cause))?;
                (length(&file).map(|found| found.len()), Box::new(file))
            }
        };
        Ok(BundleInput {
            name: file.to_owned(),
            bytes,
            input,
        })
    }
}

impl Read for BundleInput {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.input.read(room)
    }
}

/// What is read, and its SHA-256 when all of it was.
pub(super) struct HashedInput<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> HashedInput<R> {
    /// Hashes what will be read.
    pub(super) fn new(input: R) -> HashedInput<R> {
        let hash = Sha256::new();
        HashedInput { input, hash }
    }

    /// The SHA-256 of all that was read, in hexadecimal.
    pub(super) fn sha256(self) -> String {
        let hash = self.hash.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read> Read for HashedInput<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(room)?;
        self.hash.update(&room[..read]);
        Ok(read)
    }
}

/// The file of a part, from 1.
pub(super) fn part(base: &std::path::Path, number: usize) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(format!(".{number:03}"));
    PathBuf::from(name)
}

/// The parts of a bundle, one after another.
struct BundleParts {
    base: PathBuf,
    /// Of the current one, from 1.
    number: usize,
    current: Option<File>,
}

impl Read for BundleParts {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.current {
                match file.read(room)? {
                    0 if !room.is_empty() => self.current = None,
                    read => return Ok(read),
                }
            }
            self.number += 1;
            match File::open(part(&self.base, self.number)) {
                Ok(file) => self.current = Some(file),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(cause) => return Err(cause),
            }
        }
    }
}
