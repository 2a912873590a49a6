//! An opened module zip: its entries, its h1, and its extraction.

mod jobs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::broken::Broken;
use super::contents::Contents;
use super::directory::{CentralDirectory, CentralHeader, DirectoryFault, EntryMethod};
use super::inflate::{ContentSink, Nowhere, ZipSpan};
use super::local::{Central, min_local_bytes};
use super::root::{Root, RootFile};
use super::rules::{MAX_ZIP_BYTES, Rules};
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::gomod::{FileHash, H1, ModuleVersion, hash1};

/// An opened module zip whose directory was read and found to obey every rule.
///
/// Reads by position, so that any number of threads may use it at once.
#[derive(Debug)]
pub struct ModuleZip {
    file: File,
    pub(super) module: ModuleVersion,
    /// Every full name (`path@version/file`), one after the other.
    names: String,
    prefix_bytes: usize,
    /// By place in the file: each record reaches to the next one, the last to the directory.
    entries: Vec<ZipEntry>,
    directory_offset: u64,
    unpacked_bytes: u64,
}

/// One header of the directory; 32 bytes, because a module may have 100,000 files.
#[derive(Clone, Copy, Debug)]
struct ZipEntry {
    offset: u32,
    compressed: u32,
    unpacked: u32,
    crc: u32,
    name_start: u32,
    name_bytes: u16,
    flags: u16,
    method: EntryMethod,
}

impl ModuleZip {
    /// Reads the central directory and checks every rule that it can tell about: names, sizes,
    /// and that the entries fill the file. Nothing is inflated; that the entries are what the
    /// directory says is checked on the way by [`ModuleZip::hash`] and [`ModuleZip::extract`].
    ///
    /// # Errors
    /// [`Kind::Security`] (`MODULE: zip rule broken: ...`) for a zip that is none or breaks a
    /// rule, [`Kind::LocalIo`] if it cannot be read. Neither is transient.
    pub fn open(file: File, module: &ModuleVersion) -> Result<ModuleZip> {
        let mut zip = ModuleZip {
            file,
            module: module.clone(),
            names: String::new(),
            prefix_bytes: 0,
            entries: Vec::new(),
            directory_offset: 0,
            unpacked_bytes: 0,
        };
        match zip.read_directory() {
            Ok(()) => Ok(zip),
            Err(DirectoryFault::Broken(broken)) => Err(broken.of(module)),
            Err(DirectoryFault::Io(error)) => Err(zip.named(zip.cannot_read(error))),
        }
    }

    /// Names the module in a failure of this machine's files, which names a path only.
    fn named(&self, error: Error) -> Error {
        match error.kind() {
            Kind::LocalIo => error.about(&self.module),
            _ => error,
        }
    }

    fn read_directory(&mut self) -> Result<(), DirectoryFault> {
        let size = self.file.metadata()?.len();
        if size > MAX_ZIP_BYTES {
            return Err(Broken::zip(format!(
                "module zip file is too large ({size} bytes; limit is {MAX_ZIP_BYTES} bytes)"
            ))
            .into());
        }
        let directory = CentralDirectory::find(&self.file, size)?;
        self.directory_offset = directory.offset;
        let name = self.module.to_string();
        self.prefix_bytes = name.len() + 1;
        let mut rules = Rules::new(&name);
        let (names, entries) = (&mut self.names, &mut self.entries);
        directory.read(&self.file, |header| {
            let name = rules.check(header)?;
            let entry = ZipEntry::new(header, names.len())
                .ok_or_else(|| Broken::entry(name, "zip: entry does not fit into the file"))?;
            names.push_str(name);
            entries.push(entry);
            Ok(())
        })?;
        self.unpacked_bytes = rules.unpacked_bytes();
        self.entries.sort_by_key(|entry| entry.offset);
        self.check_places()?;
        Ok(())
    }

    /// Checks that the records lie one after the other, from the start of the file up to the
    /// directory. What may follow the data of each is checked when it is read.
    fn check_places(&self) -> Result<(), Broken> {
        let first = self.entries.first().map(|entry| u64::from(entry.offset));
        if first.unwrap_or(self.directory_offset) != 0 {
            return Err(Broken::zip("zip: unused bytes before the first entry"));
        }
        for (i, entry) in self.entries.iter().enumerate() {
            let name = self.name(entry);
            let need = min_local_bytes(name) + u64::from(entry.compressed);
            let span = self.span(i, entry);
            if span.is_none_or(|span| span.bytes < need) {
                return Err(Broken::entry(name, "zip: entries overlap"));
            }
            if entry.method == EntryMethod::Stored && entry.compressed != entry.unpacked {
                return Err(Broken::entry(name, "zip: stored entry has two sizes"));
            }
        }
        Ok(())
    }

    /// The number of entries, directories among them.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// The declared sizes of all entries together, in bytes: what extraction will write.
    #[must_use]
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }

    /// Computes the h1 of the contents, inflating each entry once, writing nothing.
    ///
    /// A large zip is spread over the rayon pool of the calling thread.
    ///
    /// # Errors
    /// As [`ModuleZip::open`], for what only the entries themselves show: a local header that
    /// disagrees with the directory, data that is corrupt, larger or smaller than declared.
    pub fn hash(&self) -> Result<H1> {
        self.contents().map(|contents| contents.h1())
    }

    /// Hashes every entry, inflating it once, and writes nothing. Costs a name and a hash an
    /// entry.
    ///
    /// # Errors
    /// As [`ModuleZip::hash`].
    pub fn contents(&self) -> Result<Contents> {
        self.contents_into(|_| Nowhere)
    }

    /// As [`ModuleZip::contents`], with the content of the files whose name below the module's root `wanted` accepts and that have
    /// at most `limit` bytes.
    ///
    /// # Errors
    /// As [`ModuleZip::hash`].
    pub fn contents_with(
        &self,
        limit: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(Contents, BTreeMap<&str, Vec<u8>>)> {
        let small = self.entries.iter();
        let small = small.filter(|entry| u64::from(entry.unpacked) <= limit);
        let names = small.filter_map(|entry| self.file_name(entry));
        let kept: BTreeMap<&str, Mutex<Vec<u8>>> = names
            .filter(|name| wanted(name))
            .map(|name| (name, Mutex::default()))
            .collect();
        let contents = self.contents_into(|file| file.and_then(|file| kept.get(file)))?;
        let whole =
            |data: Mutex<Vec<u8>>| data.into_inner().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.into_iter().map(|(name, data)| (name, whole(data)));
        Ok((contents, kept.collect()))
    }

    /// As [`ModuleZip::contents`], each entry's content going by what `output` makes of its file
    /// name as well.
    pub(super) fn contents_into<'z, S: ContentSink>(
        &'z self,
        output: impl Fn(Option<&'z str>) -> S + Sync,
    ) -> Result<Contents> {
        let hashes = self
            .process(|job, hashes| self.run(job, hashes, |file| Ok(output(file))))
            .map_err(|error| self.named(error))?;
        let names = self.entries.iter().map(|entry| self.name(entry).to_owned());
        Ok(Contents::new(self.prefix_bytes, names.zip(hashes)))
    }

    /// Inflates each entry once, hashing it and writing it below `dir` in the same pass, and
    /// returns the h1.
    ///
    /// `dir` must not exist, its parent must. Files get mode 0444 and directories 0777, less the
    /// umask; nothing that exists is opened. Entries for directories make none, as in go. On
    /// failure what was written is left there. The caller marks `dir` as partial before, and
    /// removes it or takes the mark away after.
    ///
    /// # Errors
    /// As [`ModuleZip::hash`]; [`Kind::LocalIo`] with the path for what cannot be written.
    pub fn extract(&self, dir: &Path) -> Result<H1> {
        let write = || -> Result<Vec<FileHash>> {
            let root = Root::create(dir)?;
            // Sorted, so that a parent comes before what is in it.
            for below in self.directories() {
                root.create_directory(below)?;
            }
            self.process(|job, hashes| {
                self.run(job, hashes, |file| match file {
                    Some(file) => root.create_file(file).map(Output::File),
                    None => Ok(Output::Nowhere),
                })
            })
        };
        let hashes = write().map_err(|error| self.named(error))?;
        Ok(self.sum(&hashes))
    }

    /// Removes the write bits of `dir`, which [`ModuleZip::extract`] filled, and of every
    /// directory below: [`super::seal`] without looking what is there. Best effort, as in go.
    pub fn seal(&self, dir: &Path) {
        if let Ok(root) = Root::open(dir) {
            root.seal(self.directories().iter().rev().copied());
        }
    }

    /// The directories that hold files, relative to the module's root, which is not among them.
    fn directories(&self) -> BTreeSet<&str> {
        let mut directories = BTreeSet::new();
        let mut last = "";
        for entry in &self.entries {
            let Some((parent, _)) = self.file_name(entry).and_then(|f| f.rsplit_once('/')) else {
                continue;
            };
            if parent == last {
                continue;
            }
            last = parent;
            let mut next = Some(parent);
            while let Some(directory) = next
                && directories.insert(directory)
            {
                next = directory.rsplit_once('/').map(|(above, _)| above);
            }
        }
        directories
    }

    fn sum(&self, hashes: &[FileHash]) -> H1 {
        let mut files: Vec<(&ZipEntry, &FileHash)> = self.entries.iter().zip(hashes).collect();
        files.sort_unstable_by_key(|(entry, _)| self.name(entry));
        hash1(files.into_iter().map(|(e, hash)| (self.name(e), *hash)))
    }

    fn cannot_read(&self, error: io::Error) -> Error {
        let message = "cannot read the zip file";
        Error::new(Kind::LocalIo, message).because(error)
    }

    fn name(&self, entry: &ZipEntry) -> &str {
        let start = entry.name_start as usize;
        self.names
            .get(start..start + usize::from(entry.name_bytes))
            .unwrap_or_default()
    }

    /// The name below the module's root; none for a directory.
    fn file_name(&self, entry: &ZipEntry) -> Option<&str> {
        let name = self.name(entry).get(self.prefix_bytes..)?;
        (!name.is_empty() && !name.ends_with('/')).then_some(name)
    }

    /// The record of entry number `i`: up to the next one, or to the directory. None if two
    /// entries are out of order, which [`ModuleZip::check_places`] refuses.
    fn span(&self, i: usize, entry: &ZipEntry) -> Option<ZipSpan> {
        let end = match self.entries.get(i + 1) {
            Some(next) => next.offset.into(),
            None => self.directory_offset,
        };
        let offset = u64::from(entry.offset);
        let bytes = end.checked_sub(offset)?;
        Some(ZipSpan { offset, bytes })
    }

    fn central(&self, entry: &ZipEntry) -> Central<'_> {
        Central {
            name: self.name(entry),
            flags: entry.flags,
            method: entry.method,
            crc: entry.crc,
            compressed: entry.compressed,
            unpacked: entry.unpacked,
        }
    }
}

impl ZipEntry {
    fn new(header: &CentralHeader<'_>, name_start: usize) -> Option<ZipEntry> {
        Some(ZipEntry {
            offset: header.offset.try_into().ok()?,
            compressed: header.compressed.try_into().ok()?,
            unpacked: header.unpacked.try_into().ok()?,
            crc: header.crc,
            name_start: name_start.try_into().ok()?,
            name_bytes: header.name.len().try_into().ok()?,
            flags: header.flags,
            method: header.method,
        })
    }
}

/// Where an extracted entry's content goes: entries for directories have none.
enum Output<'a> {
    File(RootFile<'a>),
    Nowhere,
}

impl ContentSink for Output<'_> {
    fn write(&mut self, content: &[u8]) -> Result<()> {
        match self {
            Output::Nowhere => Ok(()),
            Output::File(file) => {
                failpoints::reached("file-being-unpacked");
                file.write_all(content)
            }
        }
    }
}

/// Where the content of an entry goes that may be asked for.
impl ContentSink for Option<&Mutex<Vec<u8>>> {
    fn write(&mut self, content: &[u8]) -> Result<()> {
        if let Some(kept) = self {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(content);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, Write as _};

    use zip::CompressionMethod::{Deflated, Stored};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::testing::*;
    use super::super::{hash_dir, remove_tree};
    use rayon::prelude::*;

    use super::*;

    /// Another writer, which knows shapes that ours and go's do not: sizes in zip64 fields,
    /// modes, times in extra fields, descriptors after stored data.
    #[test]
    fn zips_of_another_writer_are_unpacked() {
        let contents = [noise(1000), Vec::new(), noise(2 << 20), vec![0; 2 << 20]];
        let mut options = Vec::new();
        for method in [Stored, Deflated] {
            for large in [false, true] {
                let plain = SimpleFileOptions::default().compression_method(method);
                options.push(plain.large_file(large));
                options.push(plain.large_file(large).unix_permissions(0o755));
            }
        }
        let mut seekable = ZipWriter::new(Cursor::new(Vec::new()));
        let mut stream = ZipWriter::new_stream(Vec::new());
        for (i, options) in options.iter().enumerate() {
            for (j, content) in contents.iter().enumerate() {
                let name = named(&format!("{i}/{j}"));
                seekable.start_file(&name, *options).unwrap();
                seekable.write_all(content).unwrap();
                stream.start_file(&name, *options).unwrap();
                stream.write_all(content).unwrap();
            }
        }
        let seekable = seekable.finish().unwrap().into_inner();
        let stream = stream.finish().unwrap().into_inner();
        for zip in [seekable, stream] {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            let zip = open(&zip).unwrap_or_else(|error| panic!("{}", error.chain()));
            let h1 = zip
                .extract(&out)
                .unwrap_or_else(|error| panic!("{}", error.chain()));
            for i in 0..options.len() {
                for (j, content) in contents.iter().enumerate() {
                    let got = fs::read(out.join(format!("{i}/{j}"))).unwrap();
                    assert!(got == *content, "{i}/{j}");
                }
            }
            assert_eq!(hash_dir(&out, &module()).unwrap(), h1);
        }
    }

    #[test]
    fn nothing_that_exists_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = zip(&[file(named("a/b"), b"x")]);
        let zip = open(&bytes).unwrap();
        let there = dir.path().join("there");
        fs::create_dir(&there).unwrap();
        let error = zip.extract(&there).expect_err("it exists");
        assert_eq!(error.kind(), Kind::LocalIo);
        assert_eq!(
            error.chain(),
            format!("{MODULE}: cannot create {}: file exists", there.display())
        );
        assert_eq!(fs::read_dir(&there).unwrap().count(), 0);

        let file = dir.path().join("file");
        fs::write(&file, "kept").unwrap();
        let error = zip
            .extract(&file.join("below"))
            .expect_err("a file is no parent");
        assert_eq!(error.kind(), Kind::LocalIo);
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }

    /// A path that is too long for the file system: the message names it.
    #[test]
    fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(300);
        let zip = open(&zip(&[file(named(&long), b"x")])).unwrap();
        let error = zip.extract(&dir.path().join("out")).expect_err("too long");
        assert_eq!(error.kind(), Kind::LocalIo);
        let text = error.chain();
        assert!(
            text.starts_with(&format!("{MODULE}: cannot create ")),
            "{text}"
        );
        assert!(text.contains(&long), "{text}");
    }

    /// A file that shrinks after it was opened is an error of the disk, not of the zip.
    #[test]
    fn a_file_cut_while_it_is_read_is_an_error() {
        let mut cut = tempfile::tempfile().unwrap();
        cut.write_all(&zip(&[stored(named("a"), &noise(100))]))
            .unwrap();
        let zip = ModuleZip::open(cut.try_clone().unwrap(), &module()).unwrap();
        cut.set_len(50).unwrap();
        let error = zip.hash().expect_err("cut");
        assert_eq!(error.kind(), Kind::LocalIo);
        let text = error.chain();
        assert!(
            text.starts_with(&format!("{MODULE}: cannot read the zip file: ")),
            "{text}"
        );
    }

    /// In a pool, alone, and many at once on few threads: one sum.
    #[test]
    fn pools_do_not_change_the_sum() {
        let entries: Vec<_> = (0..500)
            .map(|i| file(named(&format!("d{}/{i}", i % 9)), &noise(i * 30)))
            .collect();
        let zip = open(&zip(&entries)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let sums: Vec<H1> = pool.install(|| {
            (0..8)
                .into_par_iter()
                .map(|i| zip.extract(&dir.path().join(i.to_string())).unwrap())
                .collect()
        });
        let one = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let want = one.install(|| zip.hash().unwrap());
        assert!(sums.iter().all(|sum| *sum == want));
        for i in 0..8 {
            let out = dir.path().join(i.to_string());
            assert_eq!(hash_dir(&out, &module()).unwrap(), want);
            remove_tree(&out).unwrap();
        }
    }
}
