//! A bundle to read: a file, its parts in order, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::from_current_directory;
use crate::error::{Error, Result};

/// The bytes of a bundle, and their SHA-256 when all have been read.
pub(super) struct BundleInput {
    /// What it is called in messages.
    pub(super) name: String,
    input: Box<dyn Read + Send>,
    hash: Sha256,
}

impl BundleInput {
    /// Opens a file, the parts of a split bundle (`FILE.001` and on, if there is no `FILE`), or `-`.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub(super) fn open(file: &str) -> Result<BundleInput> {
        let hash = Sha256::new();
        if file == "-" {
            return Ok(BundleInput {
                name: "standard input".to_owned(),
                input: Box::new(io::stdin()),
                hash,
            });
        }
        let path = from_current_directory(file)?;
        let opened = File::open(&path);
        let input: Box<dyn Read + Send> = match opened {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && part(&path, 1).exists() => {
                Box::new(Parts {
                    base: path,
                    number: 0,
                    current: None,
                })
            }
            opened => Box::new(opened.map_err(|cause| Error::io("cannot open", &path, cause))?),
        };
        Ok(BundleInput {
            name: file.to_owned(),
            input,
            hash,
        })
    }

    /// The SHA-256 of all that was read, in hexadecimal.
    pub(super) fn sha256(self) -> String {
        let hash = self.hash.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Read for BundleInput {
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
struct Parts {
    base: PathBuf,
    /// Of the current one, from 1.
    number: usize,
    current: Option<File>,
}

impl Read for Parts {
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
