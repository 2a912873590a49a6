//! Writing an archive.

use std::io::{self, Read, Write};

use super::header::{self, BLOCK, BadName, MAX_SIZE, RECORD, check_name};
use crate::error::{Error, Kind, Result};

/// How much is read and written at a time.
const COPY_BYTES: usize = 256 << 10;

/// Writes members one after another, in the order in which they come.
///
/// Output goes out in large pieces; a buffer around `out` is not needed.
#[derive(Debug)]
pub struct TarWriter<W> {
    out: W,
    /// What has been written, in bytes; a multiple of a block between members.
    written: u64,
    /// Headers and small files that wait for a larger write.
    waiting: Vec<u8>,
}

impl<W: Write> TarWriter<W> {
    /// Begins an archive.
    pub fn new(out: W) -> TarWriter<W> {
        TarWriter {
            out,
            written: 0,
            waiting: Vec::with_capacity(COPY_BYTES),
        }
    }

    /// The length of the archive so far, in bytes.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The length that the archive has if it ends here, in bytes.
    #[must_use]
    pub fn final_size(&self) -> u64 {
        (self.written + 2 * BLOCK as u64).next_multiple_of(RECORD as u64)
    }

    /// Adds a file of exactly `size` bytes.
    ///
    /// # Errors
    /// [`Kind::Input`] for a name that the format has no form for, or a size above 8 GiB;
    /// [`Kind::LocalIo`] if the content cannot be read, has another length, or the archive cannot be
    /// written. The archive is then of no use.
    pub fn append(&mut self, name: &str, size: u64, content: &mut dyn Read) -> Result<()> {
        let refuse = |reason: &str| Error::new(Kind::Input, format!("{name:?}: {reason}"));
        check_name(name).map_err(|bad| match bad {
            BadName::Leaves => refuse("name leaves the archive"),
            BadName::Malformed => refuse("name cannot be archived"),
        })?;
        if size > MAX_SIZE {
            return Err(refuse("too large for an archive (limit 8 GiB)"));
        }
        self.put(&header::member(name, size))?;
        let mut left = size;
        while left > 0 {
            if self.waiting.len() == COPY_BYTES {
                self.flush()?;
            }
            // What fits into the room that is left, so that the buffer never grows.
            let old = self.waiting.len();
            let room = (COPY_BYTES - old).min(usize::try_from(left).unwrap_or(COPY_BYTES));
            self.waiting.resize(old + room, 0);
            let read = content.read(&mut self.waiting[old..]);
            self.waiting.truncate(old + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(changed(name, size)),
                Ok(bytes) => left -= bytes as u64,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    return Err(
                        Error::new(Kind::LocalIo, format!("cannot read {name}")).because(cause)
                    );
                }
            }
        }
        if !is_at_end(content) {
            return Err(changed(name, size));
        }
        self.written += size;
        self.fill(BLOCK)
    }

    /// Adds a file whose content is in memory.
    ///
    /// # Errors
    /// As [`TarWriter::append`].
    pub fn append_bytes(&mut self, name: &str, mut content: &[u8]) -> Result<()> {
        self.append(name, content.len() as u64, &mut content)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// [`Kind::LocalIo`].
    pub fn finish(mut self) -> Result<W> {
        self.put(&[0; 2 * BLOCK])?;
        self.fill(RECORD)?;
        self.flush()?;
        Ok(self.out)
    }

    /// Writes zeros up to a multiple of `unit`.
    fn fill(&mut self, unit: usize) -> Result<()> {
        let unit = unit as u64;
        let missing = self.written.next_multiple_of(unit) - self.written;
        // Less than a record.
        let zeros = [0; RECORD];
        self.put(&zeros[..usize::try_from(missing).unwrap_or(0)])
    }

    fn put(&mut self, data: &[u8]) -> Result<()> {
        if self.waiting.len() + data.len() > COPY_BYTES {
            self.flush()?;
        }
        self.waiting.extend(data);
        self.written += data.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.out.write_all(&self.waiting);
        self.waiting.clear();
        written
            .and_then(|()| self.out.flush())
            .map_err(|cause| Error::new(Kind::LocalIo, "cannot write the archive").because(cause))
    }
}

fn is_at_end(content: &mut dyn Read) -> bool {
    loop {
        match content.read(&mut [0]) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Ok(bytes) => return bytes == 0,
            Err(_) => return false,
        }
    }
}

fn changed(name: &str, size: u64) -> Error {
    let text = format!("{name}: no longer has {size} bytes");
    Error::new(Kind::LocalIo, text).hint("the file changed while it was being archived: try again")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut tar = TarWriter::new(Vec::new());
        for (name, content) in members {
            tar.append_bytes(name, content).unwrap();
        }
        tar.finish().unwrap()
    }

    /// Names of every form, contents around the block's size.
    fn members() -> Vec<(String, Vec<u8>)> {
        let deep = format!("{}/{}", "p".repeat(120), "n".repeat(90));
        let pax = format!("{}/{}", "p".repeat(120), "ü".repeat(80));
        let contents = [0, 1, 511, 512, 513].map(|bytes| vec![b'x'; bytes]);
        let names = ["a/b".to_owned(), "c".into(), deep, pax, "last".into()];
        names.into_iter().zip(contents).collect()
    }

    #[test]
    fn gnu_tar_makes_the_same_archive() {
        let Ok(found) = Command::new("tar").arg("--version").output() else {
            return; // no tar
        };
        if !found.stdout.starts_with(b"tar (GNU tar)") {
            return; // no GNU tar
        }
        let dir = tempfile::tempdir().unwrap();
        // Without the name that needs pax: GNU tar names pax headers after a process.
        let members: Vec<_> = members()
            .into_iter()
            .filter(|(name, _)| name.is_ascii())
            .collect();
        let mut tar = Command::new("tar");
        tar.current_dir(dir.path()).arg("-cf").arg("-");
        tar.args([
            "--format=ustar",
            "--mode=0644",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ]);
        for (name, content) in &members {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, content).unwrap();
            tar.arg(name);
        }
        let made = tar.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        assert!(made.stdout == archive(&members));
    }

    #[test]
    fn tar_unpacks_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.tar");
        std::fs::write(&file, archive(&members())).unwrap();
        let Ok(run) = Command::new("tar")
            .arg("-C")
            .arg(dir.path())
            .arg("-xf")
            .arg(&file)
            .output()
        else {
            return; // no tar
        };
        assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
        for (name, content) in members() {
            assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), content);
        }
    }

    #[test]
    fn content_of_another_length_is_an_error() {
        for (size, content) in [(3, "ab"), (3, "abcd"), (0, "a")] {
            let mut tar = TarWriter::new(Vec::new());
            let error = tar.append("a", size, &mut content.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("a: no longer has {size} bytes"));
        }
        let mut tar = TarWriter::new(Vec::new());
        let error = tar.append_bytes("../a", b"").unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        let error = tar.append("a", MAX_SIZE + 1, &mut io::empty()).unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
    }

    #[test]
    fn large_content_is_written_whole() {
        let content: Vec<u8> = (0..3 * COPY_BYTES + 7).map(|at| (at % 251) as u8).collect();
        let mut tar = TarWriter::new(Vec::new());
        tar.append_bytes("s", &[1; 1000]).unwrap();
        tar.append_bytes("l", &content).unwrap();
        let size = tar.final_size();
        let tar = tar.finish().unwrap();
        assert_eq!(tar.len() as u64, size);
        assert_eq!(tar.len() % RECORD, 0);
        let at = 512 + 1024 + 512;
        assert!(tar[at..at + content.len()] == content);
    }
}
