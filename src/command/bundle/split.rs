//! A bundle in parts of limited size, with a table by which one part can be sent again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::input::part;
use crate::error::{Error, Kind, Result};
use crate::fsio::{TempFile, write_atomically};

/// Writes to `FILE.001`, `FILE.002` and so on; joined in order they are the bundle.
pub(super) struct SplitWriter {
    base: PathBuf,
    limit: u64,
    /// Those that are whole, with their SHA-256.
    done: Vec<(TempFile, PathBuf, String)>,
    current: Option<(TempFile, Sha256, u64)>,
}

impl SplitWriter {
    /// Parts of at most `limit` bytes.
    pub(super) fn new(base: &Path, limit: u64) -> SplitWriter {
        SplitWriter {
            base: base.to_owned(),
            limit,
            done: Vec::new(),
            current: None,
        }
    }

    /// Makes the parts visible, and the table `FILE.sha256`, which `sha256sum -c` reads. Parts of an
    /// earlier, longer bundle are removed.
    ///
    /// # Errors
    /// [`Kind::LocalIo`].
    pub(super) fn finish(mut self) -> Result<()> {
        self.close();
        let count = self.done.len();
        let mut table = String::new();
        for (temp, path, sha256) in self.done {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            table.push_str(&format!("{sha256}  {name}\n"));
            temp.commit(&path)?;
        }
        let mut number = count + 1;
        while fs::remove_file(part(&self.base, number)).is_ok() {
            number += 1;
        }
        let mut name = self.base.as_os_str().to_owned();
        name.push(".sha256");
        write_atomically(Path::new(&name), table.as_bytes())
    }

    fn close(&mut self) {
        if let Some((temp, hash, _)) = self.current.take() {
            let path = part(&self.base, self.done.len() + 1);
            let hash: String = hash
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            self.done.push((temp, path, hash));
        }
    }
}

impl Write for SplitWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self
            .current
            .as_ref()
            .is_some_and(|(_, _, written)| *written == self.limit)
        {
            self.close();
        }
        if self.current.is_none() {
            let path = part(&self.base, self.done.len() + 1);
            let temp = TempFile::beside(&path).map_err(|error| io::Error::other(error.chain()))?;
            self.current = Some((temp, Sha256::new(), 0));
        }
        let Some((temp, hash, written)) = &mut self.current else {
            return Ok(0);
        };
        let room = usize::try_from(self.limit - *written).unwrap_or(data.len());
        let count = temp.write(&data[..room.min(data.len())])?;
        hash.update(&data[..count]);
        *written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a size: bytes, or a number with K, M, G or T, which are powers of 1024.
///
/// # Errors
/// [`Kind::Usage`] for another form, and for parts below 1 MiB.
pub(super) fn parse_size(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].trim_end_matches(['i', 'B', 'b']) {
        "" => Some(0),
        "K" | "k" => Some(10),
        "M" | "m" => Some(20),
        "G" | "g" => Some(30),
        "T" | "t" => Some(40),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    let size = number
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift));
    size.filter(|size| *size >= 1 << 20).ok_or_else(|| {
        let text =
            format!("invalid value {text:?} for flag --split: want a size from 1M on, as 4G");
        Error::new(Kind::Usage, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        let rows = [
            ("4G", 4 << 30),
            ("700M", 700 << 20),
            ("2097152", 2 << 20),
            ("1GiB", 1 << 30),
        ];
        for (text, want) in rows {
            assert_eq!(parse_size(text).unwrap(), want, "{text}");
        }
        for text in [
            "",
            "0",
            "1",
            "1023K",
            "G",
            "-1G",
            "1P",
            "4 G",
            "99999999999999999T",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_joined_are_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("b.tar");
        for (bytes, parts) in [(25_usize, 3), (20, 2), (1, 1)] {
            let data: Vec<u8> = (0..=255).cycle().take(bytes).collect();
            let mut split = SplitWriter::new(&base, 10);
            split.write_all(&data).unwrap();
            split.finish().unwrap();
            let read = |number| fs::read(part(&base, number));
            let joined: Vec<u8> = (1..=parts)
                .flat_map(|number| read(number).unwrap())
                .collect();
            assert_eq!(joined, data);
            assert!(read(parts + 1).is_err());
            let table = fs::read_to_string(dir.path().join("b.tar.sha256")).unwrap();
            assert_eq!(table.lines().count(), parts);
            assert!(table.lines().next().unwrap().ends_with("  b.tar.001"));
        }
    }
}
