//! Module zips: what is accepted has one meaning, for other readers too.

use std::fs::{self, File};
use std::io::{Cursor, Read as _, Seek as _, Write as _};

use modfetch::Kind;
use modfetch::internals::gomod::{FileHash, hash1};
use modfetch::internals::modzip::{ModuleZip, hash_dir};
use modfetch::{H1, ModuleVersion};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::Choices;

const PREFIX: &str = "a.com/m@v1.0.0/";

/// The zip of some files, made by another writer.
fn build(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut seekable = ZipWriter::new(Cursor::new(Vec::new()));
    let mut stream = ZipWriter::new_stream(Vec::new());
    let as_stream = choices.byte().is_multiple_of(2);
    for _ in 0..choices.byte() % 6 {
        let name = format!("{PREFIX}{}", String::from_utf8_lossy(choices.slice(12)));
        let content = choices.slice(64).repeat(choices.below(200));
        let method = match choices.byte() % 2 {
            0 => CompressionMethod::Stored,
            _ => CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        let options = options.large_file(choices.byte().is_multiple_of(8));
        // A name that the writer refuses is one less.
        if as_stream {
            let started = stream.start_file(&*name, options);
            let _ = started.map(|()| stream.write_all(&content));
        } else {
            let started = seekable.start_file(&*name, options);
            let _ = started.map(|()| seekable.write_all(&content));
        }
    }
    if as_stream {
        stream
            .finish()
            .map_or_else(|_| Vec::new(), |inner| inner.into_inner())
    } else {
        seekable
            .finish()
            .map_or_else(|_| Vec::new(), Cursor::into_inner)
    }
}

/// Alters bytes, most of them from the end, where the zip's directory is.
fn patch(zip: &mut Vec<u8>, choices: &mut Choices<'_>) {
    for _ in 0..choices.byte() % 6 {
        let (what, value) = (choices.byte() % 8, choices.byte());
        let at = zip.len().saturating_sub(1 + choices.below(zip.len()));
        match what {
            0 => zip.insert(at, value),
            1 if !zip.is_empty() => drop(zip.remove(at)),
            2 => drop(zip.splice(..0, choices.slice(30).iter().copied())),
            3 => zip.extend(choices.slice(30)),
            4..=5 if at < zip.len() => zip[at] ^= value,
            _ if at < zip.len() => zip[at] = value,
            _ => {}
        }
    }
}

fn sum_of(files: &[(String, FileHash)]) -> H1 {
    let mut files: Vec<_> = files.iter().map(|(name, hash)| (&**name, *hash)).collect();
    files.sort_unstable();
    hash1(files)
}

/// What a reader finds that trusts the directory at the end.
fn by_directory(zip: &[u8]) -> Vec<(String, FileHash)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip that we read");
    let entries = archive.len();
    let read = |i| {
        let mut file = archive.by_index(i).expect("an entry that we read");
        let name = String::from_utf8(file.name_raw().to_vec()).expect("a name that we took");
        let mut content = Vec::new();
        file.read_to_end(&mut content)
            .expect("content that we read");
        (name, Sha256::digest(&content).into())
    };
    (0..entries).map(read).collect()
}

/// What a reader finds that goes from local header to local header, if the zip allows that.
fn by_stream(zip: &[u8]) -> Option<Vec<(String, FileHash)>> {
    let mut stream = Cursor::new(zip);
    let mut files = Vec::new();
    while let Some(mut file) = zip::read::read_zipfile_from_stream(&mut stream).ok()? {
        let name = String::from_utf8(file.name_raw().to_vec()).ok()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        files.push((name, Sha256::digest(&content).into()));
    }
    Some(files)
}

pub(super) fn module_zip(data: &[u8]) {
    let mut choices = Choices(data);
    let bytes = if choices.byte().is_multiple_of(2) {
        choices.0.to_vec()
    } else {
        let mut zip = build(&mut choices);
        patch(&mut zip, &mut choices);
        zip
    };
    let module = ModuleVersion::parse("a.com/m", "v1.0.0").expect("a module");
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    file.write_all(&bytes).expect("written");
    file.rewind().expect("rewound");
    let hashed = ModuleZip::open(file, &module).and_then(|zip| Ok((zip.hash()?, zip)));
    let (h1, zip) = match hashed {
        Ok(hashed) => hashed,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Security, "{}", error.chain());
            return;
        }
    };
    let files = by_directory(&bytes);
    assert_eq!(files.len(), zip.entries());
    assert_eq!(sum_of(&files), h1);
    if let Some(streamed) = by_stream(&bytes) {
        assert_eq!(sum_of(&streamed), h1);
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let out = dir.path().join("out");
    assert_eq!(zip.extract(&out).expect("what was hashed"), h1);
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1);
    // Entries of directories are in the one and not in the other.
    if !files.iter().any(|(name, _)| name.ends_with('/')) {
        assert_eq!(hash_dir(&out, &module).expect("what was extracted"), h1);
    }
}
